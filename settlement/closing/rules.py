"""Reconciliation of our books with the bank's statements (R-ACCT-08).

Invariant: the named differences add up to the difference between the bank's balance and ours, to the fen.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import pairwise


class Cause(StrEnum):
    """Why the bank's balance and ours differ."""

    OPENING = "opening"
    """What the account held before the first statement."""
    GAP = "gap"
    """A statement does not begin where the one before it ended: a day is missing."""
    BANK_ONLY = "bank_only"
    """The bank moved money that is not in our books: charges, a refused movement."""
    BOOKS_ONLY = "books_only"
    """Our books hold what no statement tells: a notice over the counter, a day not yet stated."""
    AMOUNT = "amount"
    """Both know the reference, and the amounts differ."""


@dataclass(frozen=True, slots=True)
class Day:
    """The balances of one statement, in fen."""

    day: date
    opening_fen: int
    closing_fen: int


@dataclass(frozen=True, slots=True)
class Unequal:
    """One bank reference of which statements and books tell different gains; None: not at all. Fen."""

    reference: str
    bank_fen: int | None
    books_fen: int | None


@dataclass(frozen=True, slots=True)
class Difference:
    """One named part of the difference: bank less books, in fen. `reference` is the bank's, or a day."""

    cause: Cause
    reference: str
    amount_fen: int


def differences(days: Sequence[Day], unequal: Sequence[Unequal]) -> tuple[Difference, ...]:
    """What explains the difference after the last of `days` (in order): first the statements', then references."""
    found = [Difference(Cause.OPENING, days[0].day.isoformat(), days[0].opening_fen)] if days[0].opening_fen else []
    for before, after in pairwise(days):
        if after.opening_fen != before.closing_fen:
            gap_fen = after.opening_fen - before.closing_fen
            found.append(Difference(Cause.GAP, after.day.isoformat(), gap_fen))
    return (*found, *(_difference(each) for each in unequal))


def _difference(each: Unequal) -> Difference:
    cause = Cause.AMOUNT
    if each.books_fen is None:
        cause = Cause.BANK_ONLY
    elif each.bank_fen is None:
        cause = Cause.BOOKS_ONLY
    return Difference(cause, each.reference, (each.bank_fen or 0) - (each.books_fen or 0))
