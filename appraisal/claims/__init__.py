"""Titled claims: what the creditors of a case are owed, under which title and with which rank."""
