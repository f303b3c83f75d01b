"""The daily closing (日终对账): our books against the bank's statement, every difference by name (R-ACCT-08)."""
