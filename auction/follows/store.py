"""SQL of follows."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from auction.follows.models import Follow
from kernel.database import Tx


async def add(tx: Tx, person_id: UUID, lot_id: UUID, since: datetime) -> bool:
    """Follow; whether it is new. Following already, the first day stays."""
    row = insert(Follow).values(person_id=person_id, lot_id=lot_id, since=since).on_conflict_do_nothing()
    return await tx.session.scalar(row.returning(Follow.lot_id)) is not None


async def remove(tx: Tx, person_id: UUID, lot_id: UUID) -> bool:
    """Follow no longer; whether the person did."""
    row = delete(Follow).where(Follow.person_id == person_id, Follow.lot_id == lot_id)
    return await tx.session.scalar(row.returning(Follow.lot_id)) is not None


async def count(tx: Tx, person_id: UUID) -> int:
    """How many lots the person follows."""
    return await tx.session.scalar(select(func.count()).where(Follow.person_id == person_id)) or 0


async def list_lots(tx: Tx, person_id: UUID) -> Sequence[UUID]:
    """The lots the person follows, the latest first."""
    followed = select(Follow.lot_id).where(Follow.person_id == person_id).order_by(Follow.since.desc(), Follow.lot_id)
    return (await tx.session.scalars(followed)).all()
