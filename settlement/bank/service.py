"""Use cases of the bank's counter: book what arrives, order what leaves; what the bank does with orders: `answers`.

Locking: the business row of the caller first (registration, sale, plan), then the account that money leaves, then the
order's key, then the accounts of the entry. An order's money stands on the payee account of its lot or case until the
bank answers.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec

from kernel.actors import Role
from kernel.audit import Said, chain_of, record_each
from kernel.clock import beijing, beijing_day, day_begins
from kernel.database import Call, Database, Tx
from kernel.ids import ordered_id
from kernel.money import Fen
from kernel.outbox import tell, tell_all
from settlement.bank import store
from settlement.bank.errors import (
    BankRefReused,
    NotRejected,
)
from settlement.bank.models import PaymentAnswer, PaymentOrder
from settlement.bank.rules import Instruction, Payee, Wanted, refunds_due
from settlement.bank.schemas import (
    CreditNotice,
    CreditView,
    MoneyArrived,
    OrderView,
    PaymentsDue,
)
from settlement.bank.store import NewOrder
from settlement.ledger import service as ledger
from settlement.ledger.errors import PostingDiffers
from settlement.ledger.models import Account
from settlement.ledger.rules import NUMBERED, Kind, Posting, Transfer
from settlement.ledger.service import Owner


class Source(NamedTuple):
    """An account that money leaves, and for whom it is held."""

    id: UUID
    case_id: UUID | None
    lot_id: UUID | None
    registration_id: UUID | None

    @classmethod
    def of(cls, account: Account) -> "Source":
        return cls(account.id, account.case_id, account.lot_id, account.registration_id)

    @property
    def way(self) -> UUID:
        """Whose money is on its way together with this account's: the lot's, else the case's, else its own."""
        return self.lot_id or self.case_id or self.id


class Outgoing(NamedTuple):
    """A payment to be ordered out of an account: to a payee, or back to the account that paid a credit."""

    source: Source
    natural_key: str
    amount_fen: Fen
    reason: str
    document: str
    credit_id: UUID | None = None
    payee: Payee | None = None


SAME = ("from_account", "credit_id", "payee_holder", "payee_number", "payee_bank", "amount_fen", "reason", "document")
"""What makes two orders under one natural key the same."""


class Excess(NamedTuple):
    """An account of which all that was paid in beyond `keep_fen` goes back."""

    source: Source
    keep_fen: int
    reason: str
    document: str


AT_ONCE = 100
"""Orders handed over, or answers told, in one event: a batch of a thousand is ten, and none holds locks for long."""


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
    await post(tx, f"credit:{notice.bank_ref}", ("bank.credit", f"bank:{notice.bank_ref}"), transfer, account)
    await tell_arrival(tx, account, credit_id)
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
    if _told_by_day(booked) != _told_by_day(notice):
        raise BankRefReused(bank_ref=notice.bank_ref)
    account = await ledger.get_account(tx, credit.account_id)
    return CreditView(credit.id, credit.amount_fen, account.kind != Kind.UNIDENTIFIED)


def _told_by_day(notice: CreditNotice) -> CreditNotice:
    """What must agree when a credit is told again: a statement knows the day of booking, and no hour."""
    return msgspec.structs.replace(notice, booked_at=day_begins(beijing_day(notice.booked_at)))


async def tell_arrival(tx: Tx, account: Account, credit_id: UUID) -> None:
    """Tell whoever owns a numbered account that a credit is on it."""
    if account.kind in NUMBERED:
        arrived = MoneyArrived(
            account_id=account.id,
            kind=account.kind,
            credit_id=credit_id,
            lot_id=account.lot_id,
            registration_id=account.registration_id,
        )
        await tell(tx, arrived)


async def set_aside(tx: Tx, account: Account, credit_ids: Collection[UUID], reason: str) -> None:
    """Move credits of an account to the unidentified queue, each once, to be matched by hand; both get locked."""
    queue = await ledger.unidentified(tx)
    await ledger.lock(tx, [account.id, queue.id])
    for credit_id in credit_ids:
        credit = await store.get_credit(tx, credit_id)
        if await store.add_aside(tx, {"credit_id": credit_id, "reason": reason, "at": tx.now()}):
            transfer = Transfer(account.id, queue.id, credit.amount_fen)
            await post(tx, f"aside:{credit_id}", ("bank.set-aside", f"bank:{credit.bank_ref}"), transfer, account)


async def payers_of(tx: Tx, account_id: UUID) -> dict[UUID, str]:
    """Who paid each credit of an account that nobody matched by hand; no answer from outside may hold it."""
    return await store.unmatched_payers(tx, account_id)


async def payer_accounts(tx: Tx, account_ids: Collection[UUID]) -> dict[UUID, set[str]]:
    """From which accounts these accounts were paid: asked for a review after a sale, told to nobody."""
    return await store.payer_accounts(tx, account_ids)


async def payers_under(tx: Tx, bank_refs: Collection[str]) -> dict[str, str]:
    """Who paid the credits with these references of the bank, once they are case money and no bidder's secret."""
    return await store.payers_under(tx, bank_refs)


async def payers_by_ref(tx: Tx) -> dict[str, tuple[str, str]]:
    """Name and account of who paid each credit, by the bank's reference: for `verify` alone."""
    return {
        credit.bank_ref: (payer.payer_name, payer.payer_account) for credit, payer, _ in await store.all_credits(tx)
    }


async def aside_fen(tx: Tx, account_id: UUID) -> Fen:
    """What was paid on the account's number and waits to be matched by hand, in fen."""
    return await store.aside_fen(tx, account_id)


async def credited_fen(tx: Tx, account_id: UUID) -> Fen:
    """All that payers ever paid into the account, in fen; what went back is not taken off."""
    return Fen(sum(arrival.amount_fen for arrival in (await store.arrivals(tx, [account_id]))[account_id]))


async def order_payments(tx: Tx, source: Account, wanted: Sequence[Wanted]) -> list[UUID]:
    """Order payments out of one account, each once per natural key, with few statements for all; returns their ids.

    The money leaves the account at once and is on its way (`Kind.PAYEE`) until the bank answers; `PaymentsAnswered` is
    told then, and a rejected payment is back on the account. Raises `InsufficientBalance`, and `PostingDiffers` when
    a key was used with other content.
    """
    await ledger.lock_balances(tx, [source.id])
    of = Source.of(source)
    return await _order_all(
        tx,
        [
            Outgoing(of, each.natural_key, each.amount_fen, each.reason, each.document, payee=each.payee)
            for each in wanted
        ],
    )


async def refund_above(tx: Tx, account: Account, keep_fen: int, reason: str, document: str) -> Fen:
    """Order back what was paid into the account beyond `keep_fen`, each fen to the account that paid it.

    Returns what was ordered now. The account is locked, so that two refunds of one account never run at once.
    """
    await ledger.lock_balances(tx, [account.id])
    return Fen(await refund_excess(tx, [Excess(Source.of(account), keep_fen, reason, document)]))


async def refund_excess(tx: Tx, excesses: Sequence[Excess]) -> int:
    """The same for many accounts, each once, which the caller has locked; returns the sum."""
    by_account = {each.source.id: each for each in excesses}
    orders = []
    for account_id, arrivals in (await store.arrivals(tx, by_account)).items():
        source, keep_fen, reason, document = by_account[account_id]
        due = refunds_due(arrivals, keep_fen)
        for arrival in arrivals:
            if (amount_fen := due.get(arrival.credit_id)) is not None:
                key = f"refund:{arrival.credit_id}:{arrival.refunds + 1}"
                orders.append(Outgoing(source, key, amount_fen, reason, document, arrival.credit_id))
    await _order_all(tx, orders)
    return sum(order.amount_fen for order in orders)


async def refunded_fen(tx: Tx, account_id: UUID) -> int:
    """What of the account's credits was ordered back and not rejected, in fen."""
    return sum(arrival.refunded_fen for arrival in (await store.arrivals(tx, [account_id]))[account_id])


async def refund(tx: Tx, account: Account, credit_id: UUID, amount_fen: Fen, why: tuple[str, str]) -> UUID:
    """Order a part of a credit back to the account that paid it; `why` is reason and document."""
    await ledger.lock_balances(tx, [account.id])
    natural_key = f"refund:{credit_id}:{len(await store.refunds_of(tx, credit_id)) + 1}"
    return (await _order_all(tx, [Outgoing(Source.of(account), natural_key, amount_fen, *why, credit_id)]))[0]


async def _order_all(tx: Tx, wanted: Sequence[Outgoing]) -> list[UUID]:
    """Write orders by their natural keys and move their money; an order under a key that is taken is left as it is.

    The caller has locked the accounts that the money leaves.
    """
    if not wanted:
        return []
    owners = {each.source.way: Owner(each.source.case_id, each.source.lot_id) for each in wanted}
    opened = await ledger.open_accounts(tx, Kind.PAYEE, {str(way): owner for way, owner in owners.items()})
    transits = dict(zip(owners, opened, strict=True))
    now = tx.now()
    orders = {each.natural_key: _new_order(each, transits[each.source.way], now) for each in wanted}
    fresh = await store.add_orders(tx, list(orders.values()))
    ids = {natural_key: order.id for natural_key, order in orders.items()}
    if taken := orders.keys() - fresh:
        for natural_key, earlier in (await store.orders_by_key(tx, taken)).items():
            if any(getattr(earlier, name) != getattr(orders[natural_key], name) for name in SAME):
                raise PostingDiffers()
            ids[natural_key] = earlier.id
    await _send_off(tx, [order for natural_key, order in orders.items() if natural_key in fresh])
    return list(ids.values())


def _new_order(wanted: Outgoing, transit: UUID, now: datetime) -> NewOrder:
    source, payee = wanted.source, wanted.payee
    return NewOrder(
        id=ordered_id(),
        natural_key=wanted.natural_key,
        from_account=source.id,
        transit_account=transit,
        credit_id=wanted.credit_id,
        payee_holder=payee.holder if payee else None,
        payee_number=payee.number if payee else None,
        payee_bank=payee.bank if payee else None,
        amount_fen=wanted.amount_fen,
        reason=wanted.reason,
        document=wanted.document,
        case_id=source.case_id,
        lot_id=source.lot_id,
        ordered_at=now,
    )


async def _send_off(tx: Tx, orders: Sequence[NewOrder]) -> None:
    """Move the money of new orders onto its way, and let the bank have them, some at a time."""
    postings = [
        Posting(
            f"order:{order.id}",
            order.reason,
            order.document,
            (Transfer(order.from_account, order.transit_account, order.amount_fen),),
            order.case_id,
            order.lot_id,
        )
        for order in orders
    ]
    await ledger.post_all(tx, postings)
    said = [
        Said(
            chain_of(order.case_id),
            f"payment:{order.id}",
            {"amount_fen": order.amount_fen, "reason": order.reason, "natural_key": order.natural_key},
        )
        for order in orders
    ]
    await record_each(tx, "bank.order", said)
    await tell_all(tx, [PaymentsDue(order_ids=some, attempt=1) for some in _some([order.id for order in orders])])


def _some(order_ids: Sequence[UUID]) -> list[tuple[UUID, ...]]:
    """Orders as they are worked on together."""
    return [tuple(order_ids[start : start + AT_ONCE]) for start in range(0, len(order_ids), AT_ONCE)]


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
        again = await refund(tx, source, order.credit_id, order.amount_fen, (order.reason, order.document))
        return tx.answer(await show_order(tx, again))


async def show_order(tx: Tx, order_id: UUID) -> OrderView:
    """One payment order without its payee."""
    return order_view(await store.get_order(tx, order_id), await store.find_answer(tx, order_id))


async def instruction_of(tx: Tx, order_id: UUID) -> tuple[Instruction, str]:
    """The order as it goes to the bank, with its payee, and its state: for the slice that made it, and for `verify`."""
    order = await store.get_order(tx, order_id)
    answer = await store.find_answer(tx, order_id)
    instruction = Instruction(order.id, await store.payee_of(tx, order), order.amount_fen, order.document)
    return instruction, answer.outcome if answer else "ordered"


async def find_order(tx: Tx, order_id: UUID) -> OrderView | None:
    """The payment order with this id, if there is one."""
    order = await store.find_order(tx, order_id)
    return order_view(order, await store.find_answer(tx, order_id)) if order else None


async def orders_by_id(tx: Tx, order_ids: Collection[UUID]) -> dict[UUID, Instruction]:
    """Those of these orders that exist, as they go to the bank."""
    found = await store.orders_with_payees(tx, order_ids)
    return {order.id: Instruction(order.id, payee, order.amount_fen, order.document) for order, payee in found.values()}


async def instructions_of(tx: Tx, order_ids: Collection[UUID]) -> list[Instruction]:
    """Orders as they go to the bank, with their payees, in the order of `order_ids`."""
    found = await store.orders_with_payees(tx, order_ids)
    return [
        Instruction(order.id, payee, order.amount_fen, order.document)
        for order, payee in (found[order_id] for order_id in order_ids)
    ]


async def lock_for(tx: Tx, *, numbers: Iterable[str], order_ids: Collection[UUID]) -> None:
    """Lock every account that credits on these numbers and answers to these orders move, all at once, by id."""
    accounts = {account.id for number in set(numbers) if (account := await ledger.find_by_number(tx, number))}
    for order, _ in (await store.orders_with_payees(tx, order_ids)).values():
        accounts |= {order.from_account, order.transit_account}
    await ledger.lock(tx, [*accounts, (await ledger.unidentified(tx)).id])


async def orders_from(tx: Tx, account_id: UUID) -> list[OrderView]:
    """The orders that took money from this account, oldest first."""
    return [order_view(order, answer) for order, answer in await store.orders_from(tx, account_id)]


def order_view(order: PaymentOrder, answer: PaymentAnswer | None) -> OrderView:
    """An order and what became of it: the bank's answer, or `ordered` until there is one."""
    return OrderView(
        order_id=order.id,
        amount_fen=order.amount_fen,
        reason=order.reason,
        document=order.document,
        state=answer.outcome if answer else "ordered",
        bank_ref=answer.bank_ref if answer else None,
        ordered_at=beijing(order.ordered_at),
    )


async def post(tx: Tx, natural_key: str, why: tuple[str, str], transfer: Transfer, owner: Account) -> None:
    """Book one transfer of the bank's counter, for the case and lot of its account; `why` is reason and document."""
    await ledger.post(tx, Posting(natural_key, *why, (transfer,), owner.case_id, owner.lot_id))
