"""SQL of statistics."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from auction.statistics.models import EndedRound
from auction.statistics.rules import Outcome
from kernel.database import Tx


async def add_round(tx: Tx, row: dict[str, object]) -> None:
    """Keep an ended round once."""
    await tx.session.execute(insert(EndedRound).values(row).on_conflict_do_nothing(index_elements=["lot_id"]))


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
