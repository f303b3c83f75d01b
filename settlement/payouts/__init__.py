"""Payouts (案款发放): from a confirmed plan to the payees' accounts, by three people over one hash."""
