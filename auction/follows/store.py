"""SQL of follows."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from auction.follows.models import Follow
from kernel.database import Tx


async def add(tx: Tx, person_id: UUID, lot_id: UUID, since: datetime) -> None:
    """Follow; following already, the first day stays."""
    row = insert(Follow).values(person_id=person_id, lot_id=lot_id, since=since).on_conflict_do_nothing()
    await tx.session.execute(row)


async def remove(tx: Tx, person_id: UUID, lot_id: UUID) -> None:
    await tx.session.execute(delete(Follow).where(Follow.person_id == person_id, Follow.lot_id == lot_id))


async def count(tx: Tx, person_id: UUID) -> int:
    """How many lots the person follows."""
    return await tx.session.scalar(select(func.count()).where(Follow.person_id == person_id)) or 0


async def list_lots(tx: Tx, person_id: UUID) -> Sequence[UUID]:
    """The lots the person follows, the latest first."""
    followed = select(Follow.lot_id).where(Follow.person_id == person_id).order_by(Follow.since.desc(), Follow.lot_id)
    return (await tx.session.scalars(followed)).all()
