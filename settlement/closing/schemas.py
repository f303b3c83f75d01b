"""Wire structs of the daily closing."""

import msgspec

from kernel.decoding import Day, Wire


class CloseDay(Wire, frozen=True):
    """The day to reconcile, whose statement is there."""

    day: Day


class DifferenceView(msgspec.Struct, frozen=True):
    """One named difference, bank less books; `cause` is opening, gap, bank_only, books_only or amount."""

    cause: str
    reference: str
    amount_fen: int


class ClosingView(msgspec.Struct, frozen=True):
    """One closing. `difference_fen` is the sum of `differences`; `number` counts closings of the day."""

    day: str
    number: int
    bank_fen: int
    books_fen: int
    difference_fen: int
    made_at: str
    differences: tuple[DifferenceView, ...]


class Closings(msgspec.Struct, frozen=True):
    """The last closing of each day, newest first."""

    closings: tuple[ClosingView, ...]
