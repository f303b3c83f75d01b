"""What the court owes after a failed second round: ask the creditors, then publish the sell-off (R-SELL-01).

Neither blocks anything. Both are counted from the day of the failure and shown with the day they were done, so that
what is late can be seen by the court and by who supervises it.
"""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from auction.lots import store
from auction.lots.errors import SecondRoundStands
from auction.lots.models import AfterFailure, Lot
from auction.lots.rules import Round, ask_creditors_by, is_late, publish_sell_off_by
from auction.lots.schemas import AfterFailureView, CreditorsAsked
from kernel.actors import Role
from kernel.audit import record
from kernel.clock import beijing_day
from kernel.database import Call, Database, Tx
from kernel.errors import Malformed


def begin(tx: Tx, lot_id: UUID, failed_at: datetime) -> None:
    """The periods begin: this second round has just failed."""
    failed_on = beijing_day(failed_at)
    tx.session.add(
        AfterFailure(
            lot_id=lot_id,
            failed_on=failed_on,
            ask_by=ask_creditors_by(failed_on),
            notice_by=publish_sell_off_by(failed_on),
        )
    )


async def record_creditors_asked(
    database: Database, call: Call, lot_id: UUID, wanted: CreditorsAsked
) -> AfterFailureView:
    """Record when the creditors were asked whether one takes the thing at the failed price; the last record counts."""
    async with database.command(call) as tx:
        tx.actor.must_be(Role.CLERK)
        lot = await store.lock_lot(tx, lot_id)
        tx.actor.must_serve(lot.court_id, "lot")
        owed = (await store.list_after_failures(tx, [lot_id])).get(lot_id)
        if owed is None:
            raise SecondRoundStands()
        today = beijing_day(tx.now())
        if not owed.failed_on <= wanted.on <= today:
            raise Malformed("$.on", f"a day from {owed.failed_on} to today", f"{owed.failed_on} 至今日之间的日期")
        owed.asked_on, owed.asked_proof, owed.somebody_takes = wanted.on, wanted.proof, wanted.somebody_takes
        await record(tx, "lots.creditors-asked", f"lot:{lot_id}", wanted, case_id=lot.case_id)
        return tx.answer(view(tx, owed))


async def note_published(tx: Tx, lot: Lot) -> None:
    """The sell-off is out: note the day on the round that failed before it."""
    if lot.round != Round.SELL_OFF or lot.previous_lot_id is None:
        return
    owed = (await store.list_after_failures(tx, [lot.previous_lot_id])).get(lot.previous_lot_id)
    if owed is not None:
        owed.noticed_on = beijing_day(tx.now())
        facts = {
            "notice_by": owed.notice_by.isoformat(),
            "late": is_late(owed.notice_by, owed.noticed_on, owed.noticed_on),
        }
        await record(tx, "lots.sell-off-noticed", f"lot:{owed.lot_id}", facts, case_id=lot.case_id)


async def views(tx: Tx, lot_ids: Collection[UUID]) -> dict[UUID, AfterFailureView]:
    """What is owed, by failed lot."""
    return {lot_id: view(tx, owed) for lot_id, owed in (await store.list_after_failures(tx, lot_ids)).items()}


def view(tx: Tx, owed: AfterFailure) -> AfterFailureView:
    """Both duties as they stand today."""
    today = beijing_day(tx.now())
    waived = owed.noticed_on is None and bool(owed.somebody_takes)
    return AfterFailureView(
        failed_on=owed.failed_on.isoformat(),
        ask_creditors_by=owed.ask_by.isoformat(),
        asked_on=owed.asked_on.isoformat() if owed.asked_on else None,
        asked_late=is_late(owed.ask_by, owed.asked_on, today),
        somebody_takes=owed.somebody_takes,
        publish_sell_off_by=owed.notice_by.isoformat(),
        sell_off_published_on=owed.noticed_on.isoformat() if owed.noticed_on else None,
        sell_off_late=not waived and is_late(owed.notice_by, owed.noticed_on, today),
    )
