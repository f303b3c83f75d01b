"""Use cases of orders at the bank: handed over, asked about before they are sent again, answered once.

Locking: the answer's row, unique per order and per reference of the bank, then the accounts of the entry.
"""

from collections.abc import Sequence

from kernel.actors import Actor, Role
from kernel.database import Call, Database, Tx
from kernel.errors import NotFound
from kernel.outbox import tell, tell_all
from settlement.bank import store
from settlement.bank.errors import BankRefReused, OrderAnswered
from settlement.bank.models import PaymentAnswer, PaymentOrder
from settlement.bank.port import BankPort
from settlement.bank.rules import OUTCOME_ZH, RESEND_AFTER
from settlement.bank.schemas import (
    Answered,
    Confirmation,
    OrderView,
    PaymentsAnswered,
    PaymentsDue,
    WaitingOrder,
    WaitingOrders,
)
from settlement.bank.service import AT_ONCE, instructions_of, show_order
from settlement.ledger import service as ledger
from settlement.ledger.rules import Posting, Transfer

MOST_WAITING = 500


async def deliver(tx: Tx, port: BankPort, work: PaymentsDue) -> None:
    """Hand orders to the bank; the bank's books are asked first, so that a second sending never pays twice."""
    answered = await store.answers_of(tx, work.order_ids)
    open_ = [order_id for order_id in work.order_ids if order_id not in answered]
    found = await port.find(tx, open_)
    known = [
        Confirmation(order_id=order_id, outcome=answer.outcome, bank_ref=answer.bank_ref)
        for order_id, answer in found.items()
    ]
    await receive_confirmations(tx, known)
    unknown = [order_id for order_id in open_ if order_id not in found]
    if unknown:
        await port.send(tx, await instructions_of(tx, unknown))
        again = PaymentsDue(order_ids=tuple(unknown), attempt=work.attempt + 1)
        due_at = tx.now() + work.attempt * RESEND_AFTER
        await tell(tx, again, due_at=due_at, once=f"{unknown[0]}:{again.attempt}")


async def confirm(database: Database, call: Call, confirmation: Confirmation) -> OrderView:
    """The bank's machine reports what it did with an order."""
    async with database.command(call) as tx:
        tx.actor.must_be(Role.MACHINE)
        return tx.answer(await receive_confirmation(tx, confirmation))


async def receive_confirmation(tx: Tx, confirmation: Confirmation) -> OrderView:
    """Book the bank's answer once: executed money has left, rejected money is back on the account it came from.

    The same answer again changes nothing; another one is refused `order-answered`, a reference used before for
    another order `bank-ref-reused`.
    """
    await receive_confirmations(tx, [confirmation])
    return await show_order(tx, confirmation.order_id)


async def receive_confirmations(tx: Tx, confirmations: Sequence[Confirmation]) -> None:
    """Book answers to different orders, each as `receive_confirmation` does, with few statements for all."""
    if not confirmations:
        return
    orders = await store.orders_with_payees(tx, [each.order_id for each in confirmations])
    for each in confirmations:
        if each.order_id not in orders:
            raise NotFound(what="payment order")
    now = tx.now()
    rows: list[dict[str, object]] = [
        {"order_id": each.order_id, "outcome": each.outcome, "bank_ref": each.bank_ref, "answered_at": now}
        for each in confirmations
    ]
    fresh = await store.add_answers(tx, rows)
    again = [each for each in confirmations if each.order_id not in fresh]
    earlier = await store.answers_of(tx, [each.order_id for each in again])
    for each in again:
        _require_same(each, earlier.get(each.order_id))
    await _book_answers(tx, [(orders[each.order_id][0], each) for each in confirmations if each.order_id in fresh])


async def _book_answers(tx: Tx, answers: Sequence[tuple[PaymentOrder, Confirmation]]) -> None:
    outside = (await ledger.bank(tx)).id
    postings, told = [], []
    for order, answer in answers:
        executed = answer.outcome == "executed"
        reason = "bank.executed" if executed else "bank.rejected"
        transfer = Transfer(order.transit_account, outside if executed else order.from_account, order.amount_fen)
        why = (reason, f"bank:{answer.bank_ref}")
        postings.append(Posting(f"answer:{order.id}", *why, (transfer,), order.case_id, order.lot_id))
        told.append(
            Answered(
                order_id=order.id,
                natural_key=order.natural_key,
                outcome=answer.outcome,
                bank_ref=answer.bank_ref,
                reason=order.reason,
                case_id=order.case_id,
                lot_id=order.lot_id,
            )
        )
    await ledger.post_all(tx, postings)
    some = [tuple(told[start : start + AT_ONCE]) for start in range(0, len(told), AT_ONCE)]
    await tell_all(tx, [PaymentsAnswered(answers=each) for each in some])


def _require_same(answer: Confirmation, earlier: PaymentAnswer | None) -> None:
    """Refuse another answer than the order has; without one, its reference answers another order."""
    if earlier is None:
        raise BankRefReused(bank_ref=answer.bank_ref)
    if (earlier.outcome, earlier.bank_ref) != (answer.outcome, answer.bank_ref):
        raise OrderAnswered(outcome=earlier.outcome, outcome_zh=OUTCOME_ZH[earlier.outcome])


async def show_waiting(database: Database, actor: Actor) -> WaitingOrders:
    """Orders the bank has not answered, with their payees: for the bank's machine alone."""
    async with database.reading(actor) as tx:
        tx.actor.must_be(Role.MACHINE)
        found = []
        for order in await store.waiting_orders(tx, MOST_WAITING):
            payee = await store.payee_of(tx, order)
            found.append(
                WaitingOrder(order.id, payee.holder, payee.number, payee.bank, order.amount_fen, order.document)
            )
        return WaitingOrders(tuple(found))
