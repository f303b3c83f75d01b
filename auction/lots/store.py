"""SQL of lots. A lot is locked before anything about it is decided; an asset before a new lot of it is made."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select, text, update

from auction.lots.models import AfterFailure, Lot
from auction.lots.rules import ANNOUNCED, OPEN, Round, Status
from kernel.bulk import Record, any_of, change_rows
from kernel.database import Tx
from kernel.errors import NotFound
from kernel.money import Fen

LOCK_ASSET = text("SELECT pg_advisory_xact_lock(hashtextextended('auction.asset:' || :asset_id, 0))")
"""Two lots of one asset must not be drafted at once, and the first one has no row yet that could be locked."""


async def lock_asset(tx: Tx, asset_id: UUID) -> None:
    """Wait until no other transaction makes a lot of this asset."""
    await tx.session.execute(LOCK_ASSET, {"asset_id": str(asset_id)})


async def add_lot(tx: Tx, lot: Lot) -> None:
    tx.session.add(lot)
    await tx.session.flush()


async def get_lot(tx: Tx, lot_id: UUID) -> Lot:
    lot = await tx.session.get(Lot, lot_id)
    if lot is None:
        raise NotFound(what="lot")
    return lot


async def lock_lot(tx: Tx, lot_id: UUID) -> Lot:
    """The lot as it stands after everybody who changed it before us.

    A lock that lets other lots refer to this one (NO KEY UPDATE), so that drafting under the asset's lock never
    waits for somebody who holds the lot and wants the asset.
    """
    lot = await tx.session.get(Lot, lot_id, with_for_update={"key_share": True}, populate_existing=True)
    if lot is None:
        raise NotFound(what="lot")
    return lot


async def get_lots(tx: Tx, lot_ids: Collection[UUID]) -> Sequence[Row[Any]]:
    """The columns of many lots, for reading alone; refuses `not-found` if one does not exist."""
    rows = (await tx.session.execute(select(Lot.__table__).where(Lot.id == any_of(lot_ids)))).all()
    if len(rows) < len(set(lot_ids)):
        raise NotFound(what="lot")
    return rows


async def lock_lots(
    tx: Tx, lot_ids: Collection[UUID]
) -> Sequence[Row[UUID, str, str | None, datetime | None, UUID, Fen | None]]:
    """What a change of status needs of many lots, locked by id; refuses `not-found` if one does not exist."""
    columns = (Lot.id, Lot.status, Lot.round, Lot.opened_at, Lot.case_id, Lot.shown_price_fen)
    locked = select(*columns).where(Lot.id == any_of(lot_ids)).order_by(Lot.id).with_for_update(key_share=True)
    rows = (await tx.session.execute(locked)).all()
    if len(rows) < len(set(lot_ids)):
        raise NotFound(what="lot")
    return rows


ENDED = (
    *("id", "status", "changed_at", "ends_at", "ended_at", "ends_rank", "bids", "extensions"),
    *("price_fen", "shown_price_fen", "winner_code"),
)


async def keep_ends(tx: Tx, records: Sequence[Record]) -> None:
    """Write how lots, which are locked, ended: the columns of `ENDED`."""
    await change_rows(tx, Lot, ENDED, records)


async def keep_moved_ends(tx: Tx, records: Sequence[Record]) -> None:
    """Write that lots, which are locked, end at another time: id, time of the change, end and its rank."""
    await change_rows(tx, Lot, ("id", "changed_at", "ends_at", "ends_rank"), records)


async def find_latest_sale(tx: Tx, asset_id: UUID) -> Lot | None:
    """The newest lot of the asset that was not withdrawn."""
    return (
        await tx.session.scalars(
            select(Lot)
            .where(Lot.asset_id == asset_id, Lot.status != Status.WITHDRAWN)
            .order_by(Lot.drafted_at.desc(), Lot.id.desc())
            .limit(1)
        )
    ).first()


async def find_resale_of(tx: Tx, lot_id: UUID) -> Lot | None:
    """The newest resale that followed the default on this lot."""
    return (
        await tx.session.scalars(
            select(Lot)
            .where(Lot.previous_lot_id == lot_id, Lot.round == Round.RESALE)
            .order_by((Lot.status == Status.WITHDRAWN).asc(), Lot.drafted_at.desc(), Lot.id.desc())
            .limit(1)
        )
    ).first()


async def barred_persons(tx: Tx, asset_id: UUID) -> list[UUID]:
    """Everybody barred from any earlier lot of the asset, sorted."""
    barred = func.unnest(Lot.barred_person_ids).label("person_id")
    return sorted((await tx.session.scalars(select(barred).where(Lot.asset_id == asset_id).distinct())).all())


async def first_announced_at(tx: Tx, asset_id: UUID, since: datetime) -> datetime | None:
    """When the asset was first announced at or after `since`."""
    return await tx.session.scalar(
        select(func.min(Lot.published_at)).where(Lot.asset_id == asset_id, Lot.published_at >= since)
    )


async def lock_open_lots(tx: Tx, asset_id: UUID) -> Sequence[Lot]:
    """The asset's lot without an outcome, if any, locked."""
    return (
        await tx.session.scalars(
            select(Lot)
            .where(Lot.asset_id == asset_id, Lot.status.in_(OPEN))
            .with_for_update(key_share=True)
            .execution_options(populate_existing=True)
        )
    ).all()


async def list_case_lots(tx: Tx, case_id: UUID) -> Sequence[Lot]:
    """All lots of the case, oldest first, drafts among them."""
    return (await tx.session.scalars(select(Lot).where(Lot.case_id == case_id).order_by(Lot.drafted_at, Lot.id))).all()


async def ends_of_group(tx: Tx, lot: Lot) -> Sequence[datetime]:
    """The ends of the other announced lots of the lot's sale group."""
    rows = await tx.session.scalars(
        select(Lot.ends_at).where(
            Lot.sale_group_id == lot.sale_group_id,
            Lot.id != lot.id,
            Lot.status.in_(ANNOUNCED),
            Lot.ends_at.is_not(None),
        )
    )
    return [ends_at for ends_at in rows if ends_at is not None]


async def list_after_failures(tx: Tx, lot_ids: Collection[UUID]) -> dict[UUID, AfterFailure]:
    """What the court owes after these lots, second rounds that failed."""
    rows = await tx.session.scalars(select(AfterFailure).where(AfterFailure.lot_id.in_(lot_ids)))
    return {owed.lot_id: owed for owed in rows}


async def list_asset_sales(tx: Tx, asset_id: UUID) -> Sequence[Lot]:
    """The asset's published lots, oldest first."""
    return (
        await tx.session.scalars(
            select(Lot)
            .where(Lot.asset_id == asset_id, Lot.published_at.is_not(None))
            .order_by(Lot.published_at, Lot.drafted_at, Lot.id)
        )
    ).all()


async def count_follower(tx: Tx, lot_id: UUID, change: int) -> None:
    """Add to the number of followers in one statement, so that no two of them overwrite each other."""
    await tx.session.execute(update(Lot).where(Lot.id == lot_id).values(followers=Lot.followers + change))


async def note_priority(tx: Tx, lot_id: UUID, at: datetime) -> None:
    """Say of a published lot that somebody may buy before others; it has changed with the first of them alone."""
    unsaid = (Lot.id == lot_id, Lot.published_at.is_not(None), Lot.priority_purchaser.is_(False))
    await tx.session.execute(update(Lot).where(*unsaid).values(priority_purchaser=True, changed_at=at))
