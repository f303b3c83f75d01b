"""Sale groups, replayed from the closes of their lots (R-CLOSE-12)."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

Record = Any
"""A row of the table in question, by attribute."""


def group_faults(group: Record, lots: Sequence[Record], stopped: Iterable[UUID]) -> Iterator[str]:
    """What does not hold about one group, given its lots and those that were stopped in its name."""
    closed = sorted((lot for lot in lots if lot.outcome is not None), key=lambda lot: (lot.ends_at, lot.lot_id))
    sold_fen = sum(lot.price_fen for lot in closed if lot.outcome == "sold")
    if sold_fen != group.sold_fen:
        yield f"it says {group.sold_fen} fen were sold, its lots say {sold_fen}"
    covering = _covering(group, closed)
    for lot in closed:
        if any(cover.ends_at < lot.ends_at for cover in covering) and not _consented(group, lot.closed_at):
            yield f"lot {lot.lot_id} was closed although the debt was covered"
    by_id = {lot.lot_id: lot for lot in lots}
    for lot_id in stopped:
        if not any(cover.closed_at <= by_id[lot_id].closed_at for cover in covering):
            yield f"lot {lot_id} was stopped although the debt was not covered"


def _covering(group: Record, closed: Sequence[Record]) -> list[Record]:
    """The closes that stopped the rest: with them the sum reached the target, and the debtor had not agreed."""
    found, sum_fen = [], 0
    for lot in closed:
        if lot.outcome == "sold":
            sum_fen += lot.price_fen
            if sum_fen >= group.target_fen and not _consented(group, lot.closed_at):
                found.append(lot)
    return found


def _consented(group: Record, at: datetime) -> bool:
    return group.consented_at is not None and group.consented_at <= at
