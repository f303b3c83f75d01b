"""Deadlines (期限): how many days the law gives after an event, for every context above."""
