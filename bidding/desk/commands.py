"""What other use cases do to a lot: bring its terms, order it halted, resumed or withdrawn, copy holds.

An order is a row of `lot_command`, written under the lot's lock in the transaction of whoever orders it; the desk gives
it a place among the bids within a second and writes the outcome into the row (R-HALT-01, 03; R-CLOSE-11; R-CASE-09).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from bidding.desk import said
from bidding.desk.chain import genesis
from bidding.desk.errors import AfterEnd, AssetHeld
from bidding.desk.groups import STOPPED_REASON
from bidding.desk.models import Lot, LotCommand, LotHold, SaleGroup
from bidding.desk.rules import FINISHED, RUNNING, Kind, Method, Status, Terms
from kernel.audit import record
from kernel.contracts import HoldLifted, HoldPlaced, LotPublished
from kernel.database import Tx
from kernel.errors import NotFound
from kernel.ids import ordered_id
from kernel.money import Fen

Order = Literal["suspend", "defer", "resume", "withdraw"]

KINDS: dict[Order, Kind] = {
    "suspend": Kind.SUSPENDED,
    "defer": Kind.DEFERRED,
    "resume": Kind.RESUMED,
    "withdraw": Kind.WITHDRAWN,
}


async def get_lot(tx: Tx, lot_id: UUID) -> Lot:
    """A published lot; drafts do not exist here."""
    lot = await tx.session.get(Lot, lot_id)
    if lot is None:
        raise NotFound(what="lot")
    return lot


async def lock_lot(tx: Tx, lot_id: UUID) -> Lot:
    """The lot's row, locked: the desk decides nothing on it meanwhile."""
    lot = await tx.session.scalar(
        select(Lot).where(Lot.lot_id == lot_id).with_for_update().execution_options(populate_existing=True)
    )
    if lot is None:
        raise NotFound(what="lot")
    return lot


async def copy_lot(tx: Tx, event: LotPublished) -> Lot:
    """The published terms as bidding's own row, so that the desk calls nobody."""
    terms = Terms(
        method=Method(event.method),
        opens_at=event.opens_at,
        scheduled_end=event.scheduled_end,
        start_price_fen=Fen(event.start_price_fen),
        increment_fen=Fen(event.increment_fen),
    )
    link = genesis(event.lot_id, terms)
    group = await _join_group(tx, event)
    lot = Lot(
        lot_id=event.lot_id,
        case_id=event.case_id,
        court_id=event.court_id,
        asset_id=event.asset_id,
        title=event.title,
        method=event.method,
        opens_at=event.opens_at,
        scheduled_end=event.scheduled_end,
        start_price_fen=event.start_price_fen,
        increment_fen=event.increment_fen,
        deposit_fen=event.deposit_fen,
        announcement_version=event.announcement_version,
        sale_group_id=event.sale_group_id,
        genesis=link,
        status=Status.UPCOMING,
        ends_at=event.scheduled_end,
        link=link,
    )
    tx.session.add(lot)
    await tx.session.flush()
    await record(tx, said.COPIED, f"lot:{lot.lot_id}", said.terms_facts(lot), case_id=lot.case_id)
    if group is not None and group.consented_at is None and group.sold_fen >= group.target_fen:
        await order(tx, lot.lot_id, "withdraw", STOPPED_REASON)
    return lot


async def _join_group(tx: Tx, event: LotPublished) -> SaleGroup | None:
    """The group of a lot that is published, made with its first lot; locked, so that no close passes the new one by."""
    if event.sale_group_id is None:
        return None
    assert event.sale_group_target_fen is not None, "a group comes with its target"
    made = {
        "group_id": event.sale_group_id,
        "case_id": event.case_id,
        "court_id": event.court_id,
        "target_fen": event.sale_group_target_fen,
    }
    await tx.session.execute(insert(SaleGroup).values(made).on_conflict_do_nothing())
    return await lock_group(tx, event.sale_group_id)


async def lock_group(tx: Tx, group_id: UUID) -> SaleGroup:
    """The sale group, locked before any of its lots: no close of theirs is decided meanwhile."""
    return _found(
        await tx.session.get(SaleGroup, group_id, with_for_update={"key_share": True}, populate_existing=True)
    )


async def get_group(tx: Tx, group_id: UUID) -> tuple[SaleGroup, Sequence[Lot]]:
    """A sale group and its published lots, by their ends."""
    group = _found(await tx.session.get(SaleGroup, group_id))
    lots = await tx.session.scalars(
        select(Lot).where(Lot.sale_group_id == group_id).order_by(Lot.scheduled_end, Lot.lot_id)
    )
    return group, lots.all()


async def consent(tx: Tx, group: SaleGroup, proof: str) -> None:
    """Keep that the debtor agrees to the sale of the rest; it counts for closes from now on (R-CLOSE-12).

    `group` is locked. A second consent changes nothing.
    """
    if group.consented_at is None:
        group.consented_at, group.consent_proof = tx.now(), proof
        facts = {"sold_fen": group.sold_fen, "target_fen": group.target_fen}
        subject = f"sale-group:{group.group_id}"
        await record(tx, "lots.consent-to-rest", subject, facts, case_id=group.case_id, reason=proof)


def _found(group: SaleGroup | None) -> SaleGroup:
    if group is None:
        raise NotFound(what="sale group")
    return group


async def order(tx: Tx, lot_id: UUID, kind: Order, reason: str, decision_id: UUID | None = None) -> LotCommand:
    """Order a lot suspended, deferred, resumed or withdrawn; the desk decides it in its place among the bids.

    Refuses `after-end` for a finished lot and `asset-held` for a resume while a hold stands.
    """
    lot = await lock_lot(tx, lot_id)
    if Status(lot.status) in FINISHED:
        raise AfterEnd()
    if kind == "resume" and await _held(tx, lot_id):
        raise AssetHeld()
    command = LotCommand(
        id=ordered_id(),
        lot_id=lot_id,
        kind=KINDS[kind],
        reason=reason,
        actor_id=tx.actor.person_id,
        requested_at=tx.now(),
    )
    tx.session.add(command)
    facts = {"command": str(command.id), "decision": str(decision_id) if decision_id else None}
    await record(tx, f"lots.{kind}", f"lot:{lot_id}", facts, case_id=lot.case_id, reason=reason)
    return command


async def find_command(tx: Tx, command_id: UUID) -> LotCommand | None:
    """An order with its outcome, once the desk has decided it."""
    return await tx.session.get(LotCommand, command_id)


async def place_hold(tx: Tx, event: HoldPlaced) -> None:
    """Copy a hold (R-CASE-09) to every unfinished lot of the asset and order those that run suspended."""
    for lot in await _unfinished_lots(tx, event.asset_id):
        await copy_hold(tx, lot, event.hold_id, event.reason)


async def copy_hold(tx: Tx, lot: Lot, hold_id: UUID, reason: str) -> None:
    """Copy a hold to a lot, once, and order the lot suspended if it runs; it may be known before it is told."""
    copied = await tx.session.scalar(
        insert(LotHold)
        .values(lot_id=lot.lot_id, hold_id=hold_id, reason=reason, placed_at=tx.now())
        .on_conflict_do_nothing()
        .returning(LotHold.hold_id)
    )
    if copied and Status(lot.status) in RUNNING:
        await order(tx, lot.lot_id, "suspend", reason)


async def lift_hold(tx: Tx, event: HoldLifted) -> None:
    """The hold ended; whether and when the lot runs on is the court's decision."""
    await tx.session.execute(
        update(LotHold).where(LotHold.hold_id == event.hold_id, LotHold.lifted_at.is_(None)).values(lifted_at=tx.now())
    )


def ended_at(lot: Lot) -> datetime | None:
    """When bidding ended: the end that stood at the close; None unless the lot closed."""
    return lot.ends_at if lot.outcome is not None else None


async def next_due(tx: Tx) -> datetime | None:
    """When the desk has to do something of itself: open or close a lot, or decide a command, which waits already."""
    opening = select(func.min(Lot.opens_at)).where(Lot.status == Status.UPCOMING)
    closing = select(func.min(Lot.ends_at)).where(Lot.status == Status.OPEN)
    ordered = select(func.min(LotCommand.requested_at)).where(LotCommand.decided_at.is_(None))
    moments = [await tx.session.scalar(query) for query in (opening, closing, ordered)]
    return min((moment for moment in moments if moment is not None), default=None)


async def _held(tx: Tx, lot_id: UUID) -> bool:
    found = await tx.session.scalar(
        select(LotHold.hold_id).where(LotHold.lot_id == lot_id, LotHold.lifted_at.is_(None)).limit(1)
    )
    return found is not None


async def _unfinished_lots(tx: Tx, asset_id: UUID) -> Sequence[Lot]:
    rows = await tx.session.scalars(
        select(Lot)
        .where(Lot.asset_id == asset_id, Lot.status.not_in([str(status) for status in FINISHED]))
        .order_by(Lot.lot_id)
        .with_for_update()
    )
    return rows.all()
