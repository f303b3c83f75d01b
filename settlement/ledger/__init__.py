"""The ledger: accounts, entries of transfer rows, stored balances (R-ACCT-01, 08, 09)."""
