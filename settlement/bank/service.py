"""Use cases of the bank's counter: book what arrives, order what leaves, believe only the bank's own reference.

Locking: the business row of the caller first (registration, sale, plan), then the account that money leaves, then the
order's key, then the accounts of the entry. An order's money stands on a payee account of its own until the bank
answers.
"""

from collections.abc import Mapping
from uuid import UUID

from kernel.actors import Actor, Role
from kernel.audit import record
from kernel.calendar import due_on
from kernel.clock import beijing, beijing_day
from kernel.database import Call, Database, Tx
from kernel.ids import ordered_id
from kernel.money import Fen
from kernel.outbox import tell
from settlement.bank import store
from settlement.bank.errors import BankRefReused, CreditSettled, NotRejected, OrderAnswered, UnknownAccountNumber
from settlement.bank.models import Credit, PaymentAnswer, PaymentOrder
from settlement.bank.port import BankPort, Instruction
from settlement.bank.rules import RESEND_AFTER, Payee, refunds_due
from settlement.bank.schemas import (
    ClaimCredit,
    Confirmation,
    CreditNotice,
    CreditView,
    MoneyArrived,
    OrderView,
    PaymentAnswered,
    PaymentDue,
    ReturnCredit,
    UnidentifiedCredit,
    UnidentifiedCredits,
    WaitingOrder,
    WaitingOrders,
)
from settlement.ledger import service as ledger
from settlement.ledger.errors import PostingDiffers
from settlement.ledger.models import Account
from settlement.ledger.rules import NUMBERED, Kind, Posting, Transfer

CLAIM_DAYS = 3
"""Working period in which unidentified money should be claimed (R-ACCT-02, a local court's rule)."""

MOST_WAITING = 500


async def book_credit(database: Database, call: Call, notice: CreditNotice) -> CreditView:
    """The bank's machine reports money that has arrived."""
    async with database.command(call) as tx:
        tx.actor.must_be(Role.MACHINE)
        return tx.answer(await receive_credit(tx, notice))


async def receive_credit(tx: Tx, notice: CreditNotice) -> CreditView:
    """Book a credit once per bank reference: on the account of its number, else in the unidentified queue.

    The same notice again gives the same answer; another content under its reference is refused `bank-ref-reused`.
    """
    account = await ledger.find_by_number(tx, notice.account_no) or await ledger.unidentified(tx)
    credit_id = ordered_id()
    credit: dict[str, object] = {
        "id": credit_id,
        "bank_ref": notice.bank_ref,
        "account_no": notice.account_no,
        "account_id": account.id,
        "amount_fen": notice.amount_fen,
        "booked_at": notice.booked_at,
        "received_at": tx.now(),
    }
    payer: dict[str, object] = {"payer_name": notice.payer_name, "payer_account": notice.payer_account}
    if not await store.add_credit(tx, credit, payer):
        return await _known_credit(tx, notice)
    transfer = Transfer((await ledger.bank(tx)).id, account.id, notice.amount_fen)
    await _post(tx, f"credit:{notice.bank_ref}", ("bank.credit", f"bank:{notice.bank_ref}"), transfer, account)
    await _tell_arrival(tx, account, credit_id)
    return CreditView(credit_id, notice.amount_fen, account.kind != Kind.UNIDENTIFIED)


async def _known_credit(tx: Tx, notice: CreditNotice) -> CreditView:
    credit, payer = await store.get_credit_by_ref(tx, notice.bank_ref)
    booked = CreditNotice(
        bank_ref=credit.bank_ref,
        account_no=credit.account_no,
        amount_fen=credit.amount_fen,
        payer_name=payer.payer_name,
        payer_account=payer.payer_account,
        booked_at=credit.booked_at,
    )
    if booked != notice:
        raise BankRefReused(bank_ref=notice.bank_ref)
    account = await ledger.get_account(tx, credit.account_id)
    return CreditView(credit.id, credit.amount_fen, account.kind != Kind.UNIDENTIFIED)


async def _tell_arrival(tx: Tx, account: Account, credit_id: UUID) -> None:
    if account.kind in NUMBERED:
        arrived = MoneyArrived(
            account_id=account.id,
            kind=account.kind,
            credit_id=credit_id,
            lot_id=account.lot_id,
            registration_id=account.registration_id,
        )
        await tell(tx, arrived)


async def claim_credit(database: Database, call: Call, credit_id: UUID, wanted: ClaimCredit) -> CreditView:
    """Match an unidentified credit by hand to one of our accounts, once (R-ACCT-02)."""
    async with database.command(call) as tx:
        tx.actor.must_be(Role.MAKER)
        credit = await store.get_credit(tx, credit_id)
        account = await ledger.find_by_number(tx, wanted.account_no)
        if account is None:
            raise UnknownAccountNumber(account_no=wanted.account_no)
        await _settle_credit(tx, credit, account.id, wanted.reason)
        transfer = Transfer(credit.account_id, account.id, credit.amount_fen)
        await _post(tx, f"claim:{credit.id}", ("bank.claim", f"bank:{credit.bank_ref}"), transfer, account)
        await _tell_arrival(tx, account, credit.id)
        return tx.answer(CreditView(credit.id, credit.amount_fen, identified=True))


async def return_credit(database: Database, call: Call, credit_id: UUID, wanted: ReturnCredit) -> OrderView:
    """Send an unidentified credit back to the account that paid it, once."""
    async with database.command(call) as tx:
        tx.actor.must_be(Role.MAKER)
        credit = await store.get_credit(tx, credit_id)
        await _settle_credit(tx, credit, None, wanted.reason)
        queue = await ledger.get_account(tx, credit.account_id)
        why = ("bank.return", f"bank:{credit.bank_ref}")
        order_id = await _refund(tx, queue, credit.id, credit.amount_fen, why)
        return tx.answer(await show_order(tx, order_id))


async def _settle_credit(tx: Tx, credit: Credit, account_id: UUID | None, reason: str) -> None:
    queue = await ledger.unidentified(tx)
    claim: dict[str, object] = {
        "credit_id": credit.id,
        "account_id": account_id,
        "reason": reason,
        "claimed_at": tx.now(),
    }
    if credit.account_id != queue.id or not await store.add_claim(tx, claim):
        raise CreditSettled()
    facts = {"account": str(account_id) if account_id else None}
    await record(tx, "bank.settle-credit", f"credit:{credit.id}", facts, chain="ledger", reason=reason)


async def show_unidentified(database: Database, actor: Actor) -> UnidentifiedCredits:
    """The unidentified queue, oldest first, with an alarm on age."""
    async with database.reading(actor) as tx:
        today = beijing_day(tx.now())
        found = [
            UnidentifiedCredit(
                credit_id=credit.id,
                bank_ref=credit.bank_ref,
                account_no=credit.account_no,
                amount_fen=credit.amount_fen,
                payer_name=payer.payer_name,
                payer_account=payer.payer_account,
                received_at=beijing(credit.received_at),
                overdue=today > due_on(beijing_day(credit.received_at), CLAIM_DAYS).on,
            )
            for credit, payer in await store.unidentified(tx)
        ]
        return UnidentifiedCredits(tuple(found))


async def credited_fen(tx: Tx, account_id: UUID) -> Fen:
    """All that payers ever paid into the account, in fen; what went back is not taken off."""
    return Fen(sum(arrival.amount_fen for arrival in await store.arrivals(tx, account_id)))


async def order_payment(
    tx: Tx,
    *,
    from_account: UUID,
    payee: Payee,
    amount_fen: Fen,
    reason: str,
    document: str,
    natural_key: str,
) -> UUID:
    """Order `amount_fen` out of an account to `payee`, once per natural key; returns the order's id.

    The money leaves the account at once and stands on a payee account until the bank answers; `PaymentAnswered` is
    told then, and a rejected payment is back on the account. Raises `InsufficientBalance`, and `PostingDiffers` when
    the key was used with other content.
    """
    source = await ledger.get_account(tx, from_account)
    details: dict[str, object] = {
        "payee_holder": payee.holder,
        "payee_number": payee.number,
        "payee_bank": payee.bank,
        "amount_fen": amount_fen,
        "reason": reason,
        "document": document,
    }
    return await _order(tx, source, natural_key, details)


async def refund_above(tx: Tx, account: Account, keep_fen: int, reason: str, document: str) -> Fen:
    """Order back what was paid into the account beyond `keep_fen`, each fen to the account that paid it.

    Returns what was ordered now. The account is locked, so that two refunds of one account never run at once.
    """
    await ledger.lock(tx, [account.id])
    due = refunds_due(await store.arrivals(tx, account.id), keep_fen)
    for credit_id, amount_fen in due.items():
        await _refund(tx, account, credit_id, amount_fen, (reason, document))
    return Fen(sum(due.values()))


async def _refund(tx: Tx, account: Account, credit_id: UUID, amount_fen: Fen, why: tuple[str, str]) -> UUID:
    reason, document = why
    natural_key = f"refund:{credit_id}:{len(await store.refunds_of(tx, credit_id)) + 1}"
    details: dict[str, object] = {
        "credit_id": credit_id,
        "amount_fen": amount_fen,
        "reason": reason,
        "document": document,
    }
    return await _order(tx, account, natural_key, details)


async def _order(tx: Tx, source: Account, natural_key: str, details: Mapping[str, object]) -> UUID:
    await ledger.lock(tx, [source.id])
    order_id = ordered_id()
    transit = await ledger.open_account(
        tx,
        Kind.PAYEE,
        natural_key,
        case_id=source.case_id,
        lot_id=source.lot_id,
        registration_id=source.registration_id,
    )
    row = {
        "id": order_id,
        "natural_key": natural_key,
        "from_account": source.id,
        "transit_account": transit.id,
        "case_id": source.case_id,
        "lot_id": source.lot_id,
        "ordered_at": tx.now(),
        **details,
    }
    if not await store.add_order(tx, row):
        earlier = await store.get_order_by_key(tx, natural_key)
        if any(getattr(earlier, name) != value for name, value in {**details, "from_account": source.id}.items()):
            raise PostingDiffers()
        return earlier.id
    order = await store.get_order(tx, order_id)
    transfer = Transfer(source.id, transit.id, order.amount_fen)
    await _post(tx, f"order:{order_id}", (order.reason, order.document), transfer, source)
    facts = {"amount_fen": order.amount_fen, "reason": order.reason, "natural_key": natural_key}
    await record(tx, "bank.order", f"payment:{order_id}", facts, case_id=source.case_id)
    await tell(tx, PaymentDue(order_id=order_id, attempt=1))
    return order_id


async def order_again(database: Database, call: Call, order_id: UUID) -> OrderView:
    """Order a refund that the bank rejected once more, to the same account. Refused once a later one was ordered."""
    async with database.command(call) as tx:
        tx.actor.must_be(Role.PAYER)
        order = await store.get_order(tx, order_id)
        await ledger.lock(tx, [order.from_account])
        answer = await store.find_answer(tx, order_id)
        if answer is None or answer.outcome != "rejected" or order.credit_id is None:
            raise NotRejected()
        if (await store.refunds_of(tx, order.credit_id))[-1] != order.id:
            raise NotRejected()
        source = await ledger.get_account(tx, order.from_account)
        again = await _refund(tx, source, order.credit_id, order.amount_fen, (order.reason, order.document))
        return tx.answer(await show_order(tx, again))


async def deliver(tx: Tx, port: BankPort, work: PaymentDue) -> None:
    """Hand an order to the bank; the bank's books are asked first, so that a second sending never pays twice."""
    if await store.find_answer(tx, work.order_id) is not None:
        return
    found = await port.find(tx, work.order_id)
    if found is not None:
        known = Confirmation(order_id=work.order_id, outcome=found.outcome, bank_ref=found.bank_ref)
        await receive_confirmation(tx, known)
        return
    order = await store.get_order(tx, work.order_id)
    await port.send(tx, Instruction(order.id, await store.payee_of(tx, order), order.amount_fen, order.document))
    again = PaymentDue(order_id=order.id, attempt=work.attempt + 1)
    await tell(tx, again, due_at=tx.now() + work.attempt * RESEND_AFTER, once=f"{order.id}:{again.attempt}")


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
    order = await store.get_order(tx, confirmation.order_id)
    answer: dict[str, object] = {
        "order_id": order.id,
        "outcome": confirmation.outcome,
        "bank_ref": confirmation.bank_ref,
        "answered_at": tx.now(),
    }
    if not await store.add_answer(tx, answer):
        return await _known_answer(tx, confirmation)
    executed = confirmation.outcome == "executed"
    target = (await ledger.bank(tx)).id if executed else order.from_account
    source = await ledger.get_account(tx, order.from_account)
    reason = "bank.executed" if executed else "bank.rejected"
    transfer = Transfer(order.transit_account, target, order.amount_fen)
    await _post(tx, f"answer:{order.id}", (reason, f"bank:{confirmation.bank_ref}"), transfer, source)
    answered = PaymentAnswered(
        order_id=order.id,
        natural_key=order.natural_key,
        outcome=confirmation.outcome,
        bank_ref=confirmation.bank_ref,
        reason=order.reason,
        case_id=order.case_id,
        lot_id=order.lot_id,
    )
    await tell(tx, answered)
    return await show_order(tx, order.id)


async def _known_answer(tx: Tx, confirmation: Confirmation) -> OrderView:
    earlier = await store.find_answer_by_ref(tx, confirmation.order_id, confirmation.bank_ref)
    if earlier.order_id != confirmation.order_id:
        raise BankRefReused(bank_ref=confirmation.bank_ref)
    if (earlier.outcome, earlier.bank_ref) != (confirmation.outcome, confirmation.bank_ref):
        raise OrderAnswered(outcome=earlier.outcome)
    return await show_order(tx, confirmation.order_id)


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


async def show_order(tx: Tx, order_id: UUID) -> OrderView:
    """One payment order without its payee."""
    return order_view(await store.get_order(tx, order_id), await store.find_answer(tx, order_id))


async def instruction_of(tx: Tx, order_id: UUID) -> tuple[Instruction, str]:
    """The order as it goes to the bank, with its payee, and its state: for the slice that made it, and for `verify`."""
    order = await store.get_order(tx, order_id)
    answer = await store.find_answer(tx, order_id)
    instruction = Instruction(order.id, await store.payee_of(tx, order), order.amount_fen, order.document)
    return instruction, answer.outcome if answer else "ordered"


async def orders_from(tx: Tx, account_id: UUID) -> list[OrderView]:
    """The orders that took money from this account, oldest first."""
    return [order_view(order, answer) for order, answer in await store.orders_from(tx, account_id)]


def order_view(order: PaymentOrder, answer: PaymentAnswer | None) -> OrderView:
    return OrderView(
        order_id=order.id,
        amount_fen=order.amount_fen,
        reason=order.reason,
        document=order.document,
        state=answer.outcome if answer else "ordered",
        bank_ref=answer.bank_ref if answer else None,
        ordered_at=beijing(order.ordered_at),
    )


async def _post(tx: Tx, natural_key: str, why: tuple[str, str], transfer: Transfer, owner: Account) -> None:
    await ledger.post(tx, Posting(natural_key, *why, (transfer,), owner.case_id, owner.lot_id))
