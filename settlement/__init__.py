"""Ledger and case accounts (一案一账号), deposits, completion of sales, distribution and payouts."""
