"""Completion of a sale: balance, ruling, enforcement fee, and the use of a defaulting buyer's deposit."""
