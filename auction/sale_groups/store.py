"""SQL of sale groups."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select, text

from auction.sale_groups.models import SaleGroup
from kernel.database import Tx
from kernel.errors import NotFound

LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('auction.sale_group:' || :group_id, 0))")
"""The row itself cannot be locked: it is append-only, and the application may not update it."""


async def add_group(tx: Tx, group: SaleGroup) -> None:
    tx.session.add(group)
    await tx.session.flush()


async def get_group(tx: Tx, group_id: UUID) -> SaleGroup:
    found = await tx.session.get(SaleGroup, group_id)
    if found is None:
        raise NotFound(what="sale group")
    return found


async def lock_group(tx: Tx, group_id: UUID) -> None:
    """Wait until no other transaction publishes a lot of this group."""
    await tx.session.execute(LOCK, {"group_id": str(group_id)})


async def list_groups(tx: Tx, case_id: UUID) -> Sequence[SaleGroup]:
    """The groups of a case, oldest first."""
    rows = await tx.session.scalars(
        select(SaleGroup).where(SaleGroup.case_id == case_id).order_by(SaleGroup.made_at, SaleGroup.id)
    )
    return rows.all()
