"""Use cases of lots: draft, change, order a resale, and follow what bidding and settlement tell.

A published lot's terms never change (R-PUB-02): every change locks the lot and refuses once the announcement
is out.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row

import appraisal.api as appraisal
from auction.lots import after_failure, store
from auction.lots.bounds import check_decision, check_terms, resale_percent_of
from auction.lots.errors import NotADraft, NotSold
from auction.lots.models import Lot
from auction.lots.rules import (
    ANNOUNCED,
    UNDONE,
    Happening,
    Method,
    Round,
    Status,
    check_place_on_road,
    discount_bp,
    ends_rank,
    loan_available,
    next_status,
    priority_purchaser,
    purchase_limited,
    searchable,
    vacated,
)
from auction.lots.schemas import AfterFailureView, LotRow, LotRows, LotSaved, LotTerms
from auction.sale_groups import service as sale_groups
from kernel.actors import Actor, Role
from kernel.audit import Said, chain_of, record, record_each
from kernel.clock import beijing
from kernel.contracts import LotClosed, LotEndMoved
from kernel.database import Call, Database, Tx
from kernel.errors import Malformed, NotFound
from kernel.ids import ordered_id


async def draft_lot(database: Database, call: Call, wanted: LotTerms) -> LotSaved:
    """Draft a sale of an asset whose reference price is fixed.

    Refused when the asset is sold or taken in satisfaction, when its earlier sales do not lead to this round, when a
    term breaks its legal bound, or when the panel decided otherwise.
    """
    async with database.command(call) as tx:
        tx.actor.must_be(Role.CLERK)
        asset = await appraisal.get_asset(tx, wanted.asset_id)
        tx.actor.must_serve(asset.court_id, "asset")
        await appraisal.require_free(tx, asset.id)
        await store.lock_asset(tx, asset.id)
        price = await appraisal.get_reference_price(tx, asset.id)
        earlier = await store.find_latest_sale(tx, asset.id)
        check_place_on_road(
            wanted.round,
            wanted.previous_lot_id,
            earlier.as_earlier_sale(await _held_again(tx, earlier)) if earlier else None,
            price_fixed_on=price.fixed_on,
            resale_ordered=bool(earlier and await store.find_resale_of(tx, earlier.id)),
        )
        lot = Lot(id=ordered_id(), asset_id=asset.id, status=Status.DRAFT, drafted_at=tx.now())
        lot.round, lot.method, lot.previous_lot_id = wanted.round, wanted.method, wanted.previous_lot_id
        follows = earlier if earlier and wanted.round in (Round.ROUND_2, Round.SELL_OFF) else None
        lot.item_id = follows.item_id if follows else lot.id
        lot.barred_person_ids = await store.barred_persons(tx, asset.id)
        lot.held = bool(await appraisal.find_holds(tx, asset.id))
        await copy_asset(tx, lot, asset, price)
        await _apply_terms(tx, lot, wanted, follows)
        await store.add_lot(tx, lot)
        await record(tx, "lots.draft", f"lot:{lot.id}", wanted, case_id=lot.case_id)
        return tx.answer(_saved(lot))


async def change_terms(database: Database, call: Call, lot_id: UUID, wanted: LotTerms) -> LotSaved:
    """Replace the terms of a draft. Asset, round and previous lot are what the draft is, so they cannot change."""
    async with database.command(call) as tx:
        lot = await lock_draft(tx, lot_id, Role.CLERK)
        for field in ("asset_id", "round", "method", "previous_lot_id"):
            if getattr(wanted, field) != getattr(lot, field):
                raise Malformed(f"$.{field}", "the draft's own value", "与草稿相同")
        asset = await appraisal.get_asset(tx, lot.asset_id)
        await copy_asset(tx, lot, asset, await appraisal.get_reference_price(tx, lot.asset_id))
        await _apply_terms(tx, lot, wanted, await find_previous_round(tx, lot))
        await record(tx, "lots.change-terms", f"lot:{lot.id}", wanted, case_id=lot.case_id)
        return tx.answer(_saved(lot))


async def list_case_lots(database: Database, actor: Actor, case_id: UUID) -> LotRows:
    """All lots of a case of the actor's court, drafts among them."""
    async with database.reading(actor) as tx:
        case = await appraisal.get_case(tx, case_id)
        actor.must_serve(case.court_id, "case")
        found = await store.list_case_lots(tx, case_id)
        owed = await after_failure.views(tx, [lot.id for lot in found])
        return LotRows(tuple(_row(lot, owed.get(lot.id)) for lot in found))


async def order_resale(tx: Tx, lot_id: UUID, decision_id: UUID, barred_person_ids: Sequence[UUID]) -> UUID:
    """Draft the resale that follows a default or an annulment (R-CLOSE-10); asked again it names the same draft.

    The draft starts with the terms of the first sale; its time and the panel's decision on its terms are still
    missing, so it cannot be published before the court has completed it. Refuses a lot whose sale stands.
    """
    first = await store.lock_lot(tx, lot_id)
    await store.lock_asset(tx, first.asset_id)
    if first.status not in UNDONE:
        raise NotSold()
    if ordered := await store.find_resale_of(tx, lot_id):
        return ordered.id
    asset = await appraisal.get_asset(tx, first.asset_id)
    resale = Lot(id=ordered_id(), asset_id=first.asset_id, status=Status.DRAFT, drafted_at=tx.now())
    resale.item_id, resale.previous_lot_id = resale.id, first.id
    resale.round, resale.method, resale.title = Round.RESALE, Method.AUCTION, first.title
    resale.start_price_fen, resale.increment_fen = first.start_price_fen, first.increment_fen
    resale.deposit_fen, resale.balance_due_days = first.deposit_fen, first.balance_due_days
    resale.ordered_by_decision_id = decision_id
    resale.barred_person_ids = sorted({*await store.barred_persons(tx, first.asset_id), *barred_person_ids})
    resale.held = bool(await appraisal.find_holds(tx, first.asset_id))
    await copy_asset(tx, resale, asset, await appraisal.get_reference_price(tx, first.asset_id))
    await store.add_lot(tx, resale)
    facts = {"previous_lot_id": first.id, "decision_id": decision_id, "barred": len(resale.barred_person_ids)}
    await record(tx, "lots.order-resale", f"lot:{resale.id}", facts, case_id=resale.case_id)
    return resale.id


async def mark_defaulted(tx: Tx, lot_id: UUID) -> None:
    """The buyer did not pay: the sale is shown as `defaulted`. Refuses a lot that is not sold."""
    await _undo(tx, lot_id, Status.DEFAULTED, "lots.default")


async def mark_annulled(tx: Tx, lot_id: UUID) -> None:
    """The court undid the sale: it is shown as `annulled` (R-HALT-04). Refuses a lot that is not sold."""
    await _undo(tx, lot_id, Status.ANNULLED, "lots.annul")


async def _undo(tx: Tx, lot_id: UUID, status: Status, action: str) -> None:
    lot = await store.lock_lot(tx, lot_id)
    if lot.status == status:
        return
    if lot.status != Status.SOLD:
        raise NotSold()
    lot.status, lot.changed_at = status, tx.now()
    await record(tx, action, f"lot:{lot.id}", {"price_fen": lot.price_fen}, case_id=lot.case_id)


async def follow(tx: Tx, lot_id: UUID, happening: Happening, at: datetime, **changes: object) -> bool:
    """Take over what bidding tells of a lot; returns False if it was told before."""
    lot = await store.lock_lot(tx, lot_id)
    status = next_status(Status(lot.status), happening, opened=lot.opened_at is not None)
    if status is None:
        return False
    lot.status, lot.changed_at = status, tx.now()
    for name, value in changes.items():
        setattr(lot, name, value)
    if not status.open:
        lot.ends_at = lot.ended_at = at
    assert lot.ends_at is not None, "a published lot has an end"
    lot.ends_rank = ends_rank(status, lot.ends_at)
    facts = {"at": at, "status": status} | changes
    await record(tx, f"lots.{happening}", f"lot:{lot.id}", facts, case_id=lot.case_id)
    return True


async def follow_ends(tx: Tx, events: Sequence[LotEndMoved]) -> None:
    """Take over the ends that bids have moved, of lots that have not ended."""
    moved = {event.lot_id: event for event in events}
    lots = [lot for lot in await store.lock_lots(tx, moved.keys()) if lot.status in ANNOUNCED]
    now, records, said = tx.now(), [], []
    for lot in lots:
        ends_at = moved[lot.id].ends_at
        records.append((lot.id, now, ends_at, ends_rank(Status(lot.status), ends_at)))
        facts = {"at": moved[lot.id].at, "ends_at": ends_at}
        said.append(Said(chain_of(lot.case_id), f"lot:{lot.id}", facts))
    await store.keep_moved_ends(tx, records)
    await record_each(tx, "lots.end-moved", said)


async def follow_closes(tx: Tx, events: Sequence[LotClosed]) -> None:
    """Take over how lots ended, those that were not told before."""
    closed = {event.lot_id: event for event in events}
    now, records = tx.now(), []
    said: dict[Happening, list[Said]] = {Happening.SOLD: [], Happening.FAILED: []}
    for lot in await store.lock_lots(tx, closed.keys()):
        event = closed[lot.id]
        happening = Happening.SOLD if event.status == "sold" else Happening.FAILED
        status = next_status(Status(lot.status), happening, opened=lot.opened_at is not None)
        if status is None:
            continue
        at, counts = event.ended_at, {"bids": event.bids, "extensions": event.extensions}
        result: dict[str, object] = {"price_fen": None, "shown_price_fen": lot.shown_price_fen, "winner_code": None}
        facts = {"at": at, "status": status} | counts
        if happening is Happening.SOLD:
            result = {"price_fen": event.price_fen, "shown_price_fen": event.price_fen, "winner_code": event.code}
            facts |= result
        elif lot.round == Round.ROUND_2:
            after_failure.begin(tx, lot.id, at)
        records.append((lot.id, status, now, at, at, ends_rank(status, at), *counts.values(), *result.values()))
        said[happening].append(Said(chain_of(lot.case_id), f"lot:{lot.id}", facts))
    await store.keep_ends(tx, records)
    for happening, entries in said.items():
        await record_each(tx, f"lots.{happening}", entries)


async def refresh_hold(tx: Tx, asset_id: UUID) -> None:
    """Show on the asset's open lot whether a hold stands now; safe in any order and any number of times."""
    for lot in await store.lock_open_lots(tx, asset_id):
        held = bool(await appraisal.find_holds(tx, asset_id))
        if held != lot.held:
            lot.held = held
            lot.changed_at = tx.now() if lot.published_at else None
            await record(tx, "lots.hold", f"lot:{lot.id}", {"held": held}, case_id=lot.case_id)


async def lock_draft(tx: Tx, lot_id: UUID, *roles: Role) -> Lot:
    """The lot, locked, for staff of its court; refuses a published one."""
    tx.actor.must_be(*roles)
    lot = await store.lock_lot(tx, lot_id)
    tx.actor.must_serve(lot.court_id, "lot")
    if lot.status != Status.DRAFT:
        raise NotADraft()
    return lot


async def get_lot(tx: Tx, lot_id: UUID) -> Lot:
    """The lot, a draft too; refuses one that does not exist."""
    return await store.get_lot(tx, lot_id)


async def get_lots(tx: Tx, lot_ids: Collection[UUID]) -> Sequence[Row[Any]]:
    """The columns of many lots, for reading alone."""
    return await store.get_lots(tx, lot_ids)


async def get_published(tx: Tx, lot_id: UUID) -> Lot:
    """The lot, if it was announced; a draft is refused like what does not exist."""
    return _announced(await store.get_lot(tx, lot_id))


async def lock_published(tx: Tx, lot_id: UUID) -> Lot:
    """The same, locked."""
    return _announced(await store.lock_lot(tx, lot_id))


async def count_follower(tx: Tx, lot_id: UUID, change: int) -> None:
    """One person more or less follows the lot; told to nobody exactly."""
    await store.count_follower(tx, lot_id, change)


async def find_case_lots(tx: Tx, case_id: UUID) -> Sequence[Lot]:
    """All lots of a case, oldest first, drafts among them."""
    return await store.list_case_lots(tx, case_id)


async def list_asset_sales(tx: Tx, asset_id: UUID) -> Sequence[Lot]:
    """The asset's published lots, oldest first."""
    return await store.list_asset_sales(tx, asset_id)


async def first_announced_at(tx: Tx, asset_id: UUID, since: datetime) -> datetime | None:
    """When the asset was first announced at or after `since`."""
    return await store.first_announced_at(tx, asset_id, since)


async def ends_of_group(tx: Tx, lot: Lot) -> Sequence[datetime]:
    """When the other lots of the lot's sale group end, as far as they are announced and without an outcome."""
    return await store.ends_of_group(tx, lot)


async def find_previous_round(tx: Tx, lot: Lot) -> Lot | None:
    """The failed round that a second round or sell-off follows; None for other lots."""
    if lot.previous_lot_id is None or lot.round not in (Round.ROUND_2, Round.SELL_OFF):
        return None
    return await store.get_lot(tx, lot.previous_lot_id)


async def copy_asset(tx: Tx, lot: Lot, asset: appraisal.AssetFacts, price: appraisal.ReferencePrice) -> None:
    """Copy what the lot shows of its asset, court and reference price; for the last time at publication."""
    case = await appraisal.get_case(tx, asset.case_id)
    lot.case_id, lot.court_id, lot.court_name, lot.case_no = case.id, case.court_id, case.court_name, case.case_no
    lot.asset_kind, lot.place = asset.kind, asset.place
    lot.purchase_limited = purchase_limited(asset.details)
    lot.loan_available = loan_available(asset.details)
    lot.vacated = vacated(asset.details)
    lot.priority_purchaser = priority_purchaser(asset.details)
    lot.reference_price_fen = price.price_fen


async def note_priority(tx: Tx, lot_id: UUID) -> None:
    """Show from now on that somebody may buy before others: the court has confirmed one (R-PRIO-01)."""
    await store.note_priority(tx, lot_id, tx.now())


def enter_catalogue(lot: Lot, published_at: datetime) -> None:
    """Make a lot public: the columns that the catalogue searches and sorts by."""
    assert lot.scheduled_end is not None, "terms are checked before"
    lot.status, lot.published_at, lot.ends_at = Status.PUBLISHED, published_at, lot.scheduled_end
    lot.changed_at = published_at
    lot.search_text = searchable("\n".join((lot.title, lot.place, lot.court_name, lot.case_no)))
    lot.shown_price_fen = lot.start_price_fen
    lot.discount_bp = discount_bp(lot.start_price_fen, lot.reference_price_fen)
    lot.ends_rank = ends_rank(Status.PUBLISHED, lot.scheduled_end)


async def _apply_terms(tx: Tx, lot: Lot, wanted: LotTerms, previous: Lot | None) -> None:
    decision = await appraisal.get_decision(
        tx, wanted.decision_id, case_id=lot.case_id, subject=appraisal.Subject.LOT_TERMS
    )
    previous_fen, percent = previous.start_price_fen if previous else None, resale_percent_of(decision.facts)
    check_terms(wanted.terms, lot.reference_price_fen, previous_fen, resale_percent=percent)
    check_decision(decision.facts, wanted.terms)
    if wanted.sale_group_id is not None:
        await sale_groups.get_group_of(tx, wanted.sale_group_id, lot.case_id)
    lot.sale_group_id = wanted.sale_group_id
    lot.title, lot.decision_id = wanted.title, wanted.decision_id
    lot.start_price_fen, lot.increment_fen = wanted.start_price_fen, wanted.increment_fen
    lot.deposit_fen, lot.balance_due_days = wanted.deposit_fen, wanted.balance_due_days
    lot.opens_at, lot.scheduled_end = wanted.opens_at, wanted.scheduled_end


async def _held_again(tx: Tx, lot: Lot) -> Lot:
    """The sale that a resale repeats, behind all resales between them; of another sale itself."""
    while lot.round == Round.RESALE and lot.previous_lot_id is not None:
        lot = await store.get_lot(tx, lot.previous_lot_id)
    return lot


def _announced(lot: Lot) -> Lot:
    if lot.published_at is None:
        raise NotFound(what="lot")
    return lot


def _saved(lot: Lot) -> LotSaved:
    return LotSaved(lot.id, lot.case_id, lot.round, lot.status)


def _row(lot: Lot, owed: AfterFailureView | None) -> LotRow:
    return LotRow(
        id=lot.id,
        asset_id=lot.asset_id,
        previous_lot_id=lot.previous_lot_id,
        sale_group_id=lot.sale_group_id,
        title=lot.title,
        round=lot.round,
        method=lot.method,
        status=lot.status,
        held=lot.held,
        start_price_fen=lot.start_price_fen,
        price_fen=lot.price_fen,
        opens_at=beijing(lot.opens_at) if lot.opens_at else None,
        ends_at=beijing(lot.ends_at) if lot.ends_at else None,
        after_failure=owed,
    )
