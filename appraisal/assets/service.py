"""Use cases of assets: register, seize and renew, hold and lift; and, for the contexts that sell, dispose and undo.

Holds are told to those contexts.
"""

from datetime import date
from uuid import UUID

from appraisal.assets import rules, store
from appraisal.assets.rules import AssetFacts, Disposal, Hold, Seizure, Way
from appraisal.assets.schemas import (
    AssetView,
    HoldView,
    PlaceHold,
    RegisterAsset,
    RegisterSeizure,
    RenewSeizure,
    SeizureView,
    asset_view,
    hold_view,
    seizure_views,
)
from appraisal.cases import service as cases
from appraisal.days import require_come
from kernel.actors import COURT_STAFF, Actor, Role
from kernel.audit import record
from kernel.clock import beijing_day
from kernel.contracts import HoldLifted, HoldPlaced
from kernel.database import Call, Database, Tx
from kernel.errors import Refusal
from kernel.ids import ordered_id
from kernel.outbox import tell


async def register_asset(database: Database, call: Call, case_id: UUID, wanted: RegisterAsset) -> AssetView:
    """Register an asset of the case's debtor."""
    async with database.command(call) as tx:
        tx.actor.must_be(Role.CLERK)
        case = await cases.get_served_case(tx, case_id)
        now = tx.now()
        asset = AssetFacts(
            id=ordered_id(),
            case_id=case.id,
            court_id=case.court_id,
            kind=wanted.kind,
            title=wanted.title,
            description=wanted.description,
            place=wanted.place,
            details=wanted.details,
        )
        await store.add_asset(tx, asset, now)
        view = asset_view(asset, [], [], beijing_day(now))
        await record(tx, "assets.register", f"asset:{asset.id}", view, case_id=case.id)
        return tx.answer(view)


async def register_seizure(database: Database, call: Call, asset_id: UUID, wanted: RegisterSeizure) -> SeizureView:
    """Register a seizure of the asset for a party of its case (R-SEAL-01 to 03)."""
    async with database.command(call) as tx:
        tx.actor.must_be(Role.CLERK)
        asset = await lock_served_asset(tx, asset_id)
        rules.require_debtors(await store.find_disposal(tx, asset.id))
        party = (await cases.get_case(tx, asset.case_id)).party(wanted.party_id)
        now = tx.now()
        require_come("from_on", wanted.from_on, now)
        others = await store.list_seizures(tx, asset.id)
        wished = Seizure(
            id=ordered_id(),
            asset_id=asset.id,
            party_id=party.id,
            measure=wanted.measure,
            from_on=wanted.from_on,
            to_on=wanted.to_on,
            rank=wanted.rank,
            waiting=wanted.waiting,
        )
        seizure = rules.register(asset.kind, others, wished)
        await store.add_seizure(tx, asset.case_id, seizure)
        view = _view_of(seizure, [*others, seizure], beijing_day(now))
        await record(tx, "assets.seize", f"seizure:{seizure.id}", view, case_id=asset.case_id)
        return tx.answer(view)


async def renew_seizure(database: Database, call: Call, seizure_id: UUID, wanted: RenewSeizure) -> SeizureView:
    """Renew a seizure before it lapses (R-SEAL-01, R-SEAL-02); it keeps its rank."""
    async with database.command(call) as tx:
        tx.actor.must_be(Role.CLERK)
        asset_id = await store.find_seized_asset(tx, seizure_id)
        await store.lock_asset(tx, asset_id)
        asset = await store.get_asset(tx, asset_id)
        tx.actor.must_serve(asset.court_id, "seizure")
        today = beijing_day(tx.now())
        seizures = {seizure.id: seizure for seizure in await store.list_seizures(tx, asset.id)}
        renewed = rules.renew(asset.kind, seizures[seizure_id], wanted.to_on, today)
        await store.set_period_end(tx, renewed.id, renewed.to_on)
        view = _view_of(renewed, list((seizures | {renewed.id: renewed}).values()), today)
        await record(tx, "assets.renew-seizure", f"seizure:{renewed.id}", view, case_id=asset.case_id)
        return tx.answer(view)


async def place_hold(database: Database, call: Call, asset_id: UUID, wanted: PlaceHold) -> HoldView:
    """Forbid disposal of the asset (R-CASE-09); whoever sells it is told."""
    async with database.command(call) as tx:
        tx.actor.must_be(Role.JUDGE)
        asset = await lock_served_asset(tx, asset_id)
        hold = Hold(
            id=ordered_id(),
            asset_id=asset.id,
            case_id=asset.case_id,
            reason=wanted.reason,
            ground=wanted.ground,
            placed_at=tx.now(),
        )
        await store.add_hold(tx, hold)
        view = hold_view(hold)
        await record(tx, "assets.hold", f"hold:{hold.id}", view, case_id=asset.case_id, reason=hold.reason)
        await tell(tx, HoldPlaced(hold_id=hold.id, asset_id=asset.id, case_id=asset.case_id, reason=hold.reason))
        return tx.answer(view)


async def lift_hold(database: Database, call: Call, hold_id: UUID) -> HoldView:
    """Lift a hold, once."""
    async with database.command(call) as tx:
        tx.actor.must_be(Role.JUDGE)
        standing = await store.lock_hold(tx, hold_id)
        await store.lock_asset(tx, standing.asset_id)  # who copies the holds meanwhile is told of this after
        tx.actor.must_serve((await store.get_asset(tx, standing.asset_id)).court_id, "hold")
        hold = rules.lift(standing, tx.now())
        await store.set_lifted(tx, hold.id, hold.lifted_at)
        view = hold_view(hold)
        await record(tx, "assets.lift-hold", f"hold:{hold.id}", view, case_id=hold.case_id)
        await tell(tx, HoldLifted(hold_id=hold.id, asset_id=hold.asset_id, case_id=hold.case_id))
        return tx.answer(view)


async def show_asset(database: Database, actor: Actor, asset_id: UUID) -> AssetView:
    """One asset of the reader's court with its seizures and the holds that stand."""
    async with database.reading(actor) as tx:
        tx.actor.must_be(*COURT_STAFF)
        asset = await get_served_asset(tx, asset_id)
        return await _asset_view(tx, asset)


async def show_assets(database: Database, actor: Actor, case_id: UUID) -> tuple[AssetView, ...]:
    """All assets of a case of the reader's court."""
    async with database.reading(actor) as tx:
        tx.actor.must_be(*COURT_STAFF)
        case = await cases.get_served_case(tx, case_id)
        return tuple([await _asset_view(tx, asset) for asset in await store.list_assets(tx, case.id)])


async def get_asset(tx: Tx, asset_id: UUID) -> AssetFacts:
    """The asset. Whether the caller may see it is the caller's question."""
    return await store.get_asset(tx, asset_id)


async def get_served_asset(tx: Tx, asset_id: UUID) -> AssetFacts:
    """The asset, if the actor's court serves its case; else there is no such asset."""
    asset = await store.get_asset(tx, asset_id)
    tx.actor.must_serve(asset.court_id, "asset")
    return asset


async def lock_served_asset(tx: Tx, asset_id: UUID) -> AssetFacts:
    """The same, with its row locked: what hangs on the asset is decided one after the other."""
    await store.lock_asset(tx, asset_id)
    return await get_served_asset(tx, asset_id)


async def find_holds(tx: Tx, asset_id: UUID, *, lock: bool = False) -> list[Hold]:
    """The holds that stand on the asset, oldest first (R-CASE-09: asked at publication, close and payout).

    With `lock` none can be placed until the caller's transaction ends, so that a disposal and a hold have an order.
    """
    if lock:
        await store.lock_asset(tx, asset_id, shared=True)
    return await store.find_holds(tx, asset_id)


async def require_no_hold(tx: Tx, asset_id: UUID, refusal: type[Refusal]) -> None:
    """Refuse in the caller's words, with the oldest hold's `reason`, while one stands; none can be placed until the
    caller's transaction ends (R-CASE-09).
    """
    for hold in await find_holds(tx, asset_id, lock=True):
        raise refusal(reason=hold.reason)


async def require_free(tx: Tx, asset_id: UUID) -> None:
    """Refuse an asset that was disposed of, or is being taken; nobody begins to while the caller's transaction runs."""
    await store.lock_asset(tx, asset_id, shared=True)
    rules.require_free(await store.find_disposal(tx, asset_id))


async def promise(tx: Tx, asset_id: UUID) -> None:
    """A creditor takes the asset in satisfaction once the difference is paid: nobody else gets it meanwhile."""
    await store.lock_asset(tx, asset_id)
    rules.require_free(await store.find_disposal(tx, asset_id))
    asset = await store.get_asset(tx, asset_id)
    await store.add_disposal(tx, asset, Disposal(ordered_id(), asset.id, Way.TAKING), tx.now())
    await record(tx, "assets.promise", f"asset:{asset.id}", {"way": Way.TAKING}, case_id=asset.case_id)


async def pass_title(tx: Tx, asset_id: UUID, way: Way, on: date) -> None:
    """Title to the asset passed on that day: every seizure of it ends (R-SEAL-04)."""
    await store.lock_asset(tx, asset_id)
    asset, standing = await store.get_asset(tx, asset_id), await store.find_disposal(tx, asset_id)
    rules.require_debtors(standing)
    if standing is None:
        standing = Disposal(ordered_id(), asset.id, way, on)
        await store.add_disposal(tx, asset, standing, tx.now())
    else:
        await store.set_passed(tx, standing.id, on)
    ended = await store.end_seizures(tx, asset.id, on, standing.id)
    await record(tx, "assets.end-seizures", f"asset:{asset.id}", _facts(standing, ended, on), case_id=asset.case_id)


async def undo_disposal(tx: Tx, asset_id: UUID, way: Way) -> None:
    """The sale or taking came to nothing: the seizures that it ended live again with their ranks (R-SEAL-03).

    One whose period ran out meanwhile has lapsed, as it would have without the disposal (R-SEAL-02). Where nothing
    stands, or what stands is of the other way, nothing happens.
    """
    await store.lock_asset(tx, asset_id)
    asset, standing = await store.get_asset(tx, asset_id), await store.find_disposal(tx, asset_id)
    if standing is None or standing.way is not way:
        return
    now = tx.now()
    await store.set_undone(tx, standing.id, now)
    revived = await store.revive_seizures(tx, standing.id)
    facts = _facts(standing, revived, beijing_day(now))
    await record(tx, "assets.revive-seizures", f"asset:{asset.id}", facts, case_id=asset.case_id)


def _facts(disposal: Disposal, seizures: list[UUID], on: date) -> dict[str, object]:
    return {"on": on.isoformat(), "way": disposal.way, "seizures": sorted(map(str, seizures))}


async def _asset_view(tx: Tx, asset: AssetFacts) -> AssetView:
    seizures = await store.list_seizures(tx, asset.id)
    holds, disposal = await store.find_holds(tx, asset.id), await store.find_disposal(tx, asset.id)
    return asset_view(asset, seizures, holds, beijing_day(tx.now()), disposal)


def _view_of(seizure: Seizure, all_of_asset: list[Seizure], today: date) -> SeizureView:
    return next(view for view in seizure_views(all_of_asset, today) if view.id == seizure.id)
