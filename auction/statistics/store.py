"""SQL of statistics."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select, update

from auction.statistics.models import EndedRound
from auction.statistics.rules import Outcome
from kernel.bulk import add_new_rows
from kernel.database import Tx


async def add_rounds(tx: Tx, rounds: Sequence[dict[str, object]]) -> None:
    """Keep ended rounds, all of the same columns, each once."""
    records = [tuple(each.values()) for each in rounds]
    await add_new_rows(tx, EndedRound, tuple(rounds[0]), records, returning="lot_id", unless="lot_id")


async def change_outcome(tx: Tx, lot_id: UUID, outcome: Outcome) -> None:
    await tx.session.execute(update(EndedRound).where(EndedRound.lot_id == lot_id).values(outcome=outcome))


async def list_rounds(tx: Tx, court_id: UUID | None, asset_kind: str | None, year: int | None) -> Sequence[EndedRound]:
    """The ended rounds that fit every filter given, item by item in the order they ended."""
    rounds = select(EndedRound).order_by(EndedRound.item_id, EndedRound.ended_at)
    if court_id is not None:
        rounds = rounds.where(EndedRound.court_id == court_id)
    if asset_kind is not None:
        rounds = rounds.where(EndedRound.asset_kind == asset_kind)
    if year is not None:
        rounds = rounds.where(EndedRound.year == year)
    return (await tx.session.scalars(rounds)).all()
