"""Sale groups: the lots of a case that serve one debt, and what covers it (R-CLOSE-12)."""
