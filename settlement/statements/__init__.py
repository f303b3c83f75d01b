"""Statements of accounts for those they concern, and the figures that courts report of case money (R-ACCT-01, 08)."""
