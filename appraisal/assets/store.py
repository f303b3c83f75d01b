"""All SQL of assets, seizures, disposals and holds."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select, update

from appraisal.assets.models import Asset, AssetDisposal, AssetHold, AssetSeizure
from appraisal.assets.rules import AssetFacts, AssetKind, Disposal, Hold, Measure, Seizure, Way
from kernel.database import Tx
from kernel.errors import NotFound


async def add_asset(tx: Tx, asset: AssetFacts, registered_at: datetime) -> None:
    tx.session.add(
        Asset(
            id=asset.id,
            case_id=asset.case_id,
            court_id=asset.court_id,
            kind=asset.kind,
            title=asset.title,
            description=asset.description,
            place=asset.place,
            details=dict(asset.details),
            registered_at=registered_at,
        )
    )
    await tx.session.flush()


async def get_asset(tx: Tx, asset_id: UUID) -> AssetFacts:
    row = await tx.session.get(Asset, asset_id)
    if row is None:
        raise NotFound(what="asset")
    return _asset(row)


async def lock_asset(tx: Tx, asset_id: UUID, *, shared: bool = False) -> None:
    """Let nobody else change what hangs on the asset until the transaction ends; `shared`: nor let them, but others
    may look too. Locked after its case, before anything of it."""
    found = await tx.session.scalar(
        select(Asset.id).where(Asset.id == asset_id).with_for_update(read=shared, key_share=not shared)
    )
    if found is None:
        raise NotFound(what="asset")


async def list_assets(tx: Tx, case_id: UUID) -> list[AssetFacts]:
    """The case's assets in order of registration."""
    rows = await tx.session.scalars(select(Asset).where(Asset.case_id == case_id).order_by(Asset.id))
    return [_asset(row) for row in rows]


async def add_seizure(tx: Tx, case_id: UUID, seizure: Seizure) -> None:
    tx.session.add(
        AssetSeizure(
            id=seizure.id,
            asset_id=seizure.asset_id,
            case_id=case_id,
            party_id=seizure.party_id,
            measure=seizure.measure,
            from_on=seizure.from_on,
            to_on=seizure.to_on,
            rank=seizure.rank,
            waiting=seizure.waiting,
            ended_on=seizure.ended_on,
        )
    )
    await tx.session.flush()


async def find_seized_asset(tx: Tx, seizure_id: UUID) -> UUID:
    """The asset of a seizure, which never changes; refuses an unknown seizure."""
    asset_id = await tx.session.scalar(select(AssetSeizure.asset_id).where(AssetSeizure.id == seizure_id))
    if asset_id is None:
        raise NotFound(what="seizure")
    return asset_id


async def list_seizures(tx: Tx, asset_id: UUID) -> list[Seizure]:
    rows = await tx.session.scalars(
        select(AssetSeizure).where(AssetSeizure.asset_id == asset_id).order_by(AssetSeizure.rank)
    )
    return [_seizure(row) for row in rows]


async def set_period_end(tx: Tx, seizure_id: UUID, to_on: date) -> None:
    await tx.session.execute(update(AssetSeizure).where(AssetSeizure.id == seizure_id).values(to_on=to_on))


async def end_seizures(tx: Tx, asset_id: UUID, on: date, disposal_id: UUID) -> list[UUID]:
    """End what has not ended; returns which seizures that were."""
    ended = await tx.session.scalars(
        update(AssetSeizure)
        .where(AssetSeizure.asset_id == asset_id, AssetSeizure.ended_on.is_(None))
        .values(ended_on=on, ended_by=disposal_id)
        .returning(AssetSeizure.id)
    )
    return list(ended)


async def revive_seizures(tx: Tx, disposal_id: UUID) -> list[UUID]:
    """Let what this disposal ended live again, each with its rank and period; returns which seizures that are."""
    revived = await tx.session.scalars(
        update(AssetSeizure)
        .where(AssetSeizure.ended_by == disposal_id)
        .values(ended_on=None, ended_by=None)
        .returning(AssetSeizure.id)
    )
    return list(revived)


async def add_disposal(tx: Tx, asset: AssetFacts, disposal: Disposal, begun_at: datetime) -> None:
    tx.session.add(
        AssetDisposal(
            id=disposal.id,
            asset_id=asset.id,
            case_id=asset.case_id,
            way=disposal.way,
            begun_at=begun_at,
            passed_on=disposal.passed_on,
        )
    )
    await tx.session.flush()


async def find_disposal(tx: Tx, asset_id: UUID) -> Disposal | None:
    """The disposal that stands, if any."""
    found = select(AssetDisposal.id, AssetDisposal.asset_id, AssetDisposal.way, AssetDisposal.passed_on).where(
        AssetDisposal.asset_id == asset_id, AssetDisposal.undone_at.is_(None)
    )
    row = (await tx.session.execute(found)).one_or_none()
    return Disposal(row.id, row.asset_id, Way(row.way), row.passed_on) if row else None


async def set_passed(tx: Tx, disposal_id: UUID, on: date) -> None:
    await tx.session.execute(update(AssetDisposal).where(AssetDisposal.id == disposal_id).values(passed_on=on))


async def set_undone(tx: Tx, disposal_id: UUID, at: datetime) -> None:
    await tx.session.execute(update(AssetDisposal).where(AssetDisposal.id == disposal_id).values(undone_at=at))


async def add_hold(tx: Tx, hold: Hold) -> None:
    tx.session.add(
        AssetHold(
            id=hold.id,
            asset_id=hold.asset_id,
            case_id=hold.case_id,
            reason=hold.reason,
            ground=hold.ground,
            placed_at=hold.placed_at,
            lifted_at=hold.lifted_at,
        )
    )
    await tx.session.flush()


async def lock_hold(tx: Tx, hold_id: UUID) -> Hold:
    row = await tx.session.scalar(select(AssetHold).where(AssetHold.id == hold_id).with_for_update())
    if row is None:
        raise NotFound(what="hold")
    return _hold(row)


async def set_lifted(tx: Tx, hold_id: UUID, lifted_at: datetime | None) -> None:
    await tx.session.execute(update(AssetHold).where(AssetHold.id == hold_id).values(lifted_at=lifted_at))


async def find_holds(tx: Tx, asset_id: UUID) -> list[Hold]:
    """The holds that stand, oldest first."""
    rows = await tx.session.scalars(
        select(AssetHold).where(AssetHold.asset_id == asset_id, AssetHold.lifted_at.is_(None)).order_by(AssetHold.id)
    )
    return [_hold(row) for row in rows]


def _asset(row: Asset) -> AssetFacts:
    return AssetFacts(
        id=row.id,
        case_id=row.case_id,
        court_id=row.court_id,
        kind=AssetKind(row.kind),
        title=row.title,
        description=row.description,
        place=row.place,
        details=row.details,
    )


def _seizure(row: AssetSeizure) -> Seizure:
    return Seizure(
        id=row.id,
        asset_id=row.asset_id,
        party_id=row.party_id,
        measure=Measure(row.measure),
        from_on=row.from_on,
        to_on=row.to_on,
        rank=row.rank,
        waiting=row.waiting,
        ended_on=row.ended_on,
    )


def _hold(row: AssetHold) -> Hold:
    return Hold(
        id=row.id,
        asset_id=row.asset_id,
        case_id=row.case_id,
        reason=row.reason,
        ground=row.ground,
        placed_at=row.placed_at,
        lifted_at=row.lifted_at,
    )
