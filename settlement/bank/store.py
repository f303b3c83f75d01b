"""All SQL of the bank's counter and of the simulated bank."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import func, or_, select, text
from sqlalchemy.dialects.postgresql import insert as insert_or_keep

from kernel.audit import AuditEntry
from kernel.bulk import add_new_rows
from kernel.database import Tx
from kernel.errors import NotFound
from kernel.money import Fen
from settlement.bank.models import (
    Credit,
    CreditAside,
    CreditClaim,
    CreditMatch,
    CreditPayer,
    PaymentAnswer,
    PaymentOrder,
    SimulatedOrder,
    SimulatedTransfer,
)
from settlement.bank.rules import Arrival, Payee
from settlement.ledger.models import Account
from settlement.ledger.rules import Kind


async def add_credit(tx: Tx, credit: dict[str, object], payer: dict[str, object]) -> bool:
    """Write credit and payer; False when the bank reference is known (waits for a notice in flight)."""
    row = insert_or_keep(Credit).values(**credit).on_conflict_do_nothing(index_elements=["bank_ref"])
    if (await tx.session.execute(row.returning(Credit.id))).first() is None:
        return False
    tx.session.add(CreditPayer(credit_id=credit["id"], **payer))
    await tx.session.flush()
    return True


async def get_credit_by_ref(tx: Tx, bank_ref: str) -> tuple[Credit, CreditPayer]:
    row = await tx.session.execute(
        select(Credit, CreditPayer)
        .join(CreditPayer, CreditPayer.credit_id == Credit.id)
        .where(Credit.bank_ref == bank_ref)
    )
    credit, payer = row.one()
    return credit, payer


async def get_credit(tx: Tx, credit_id: UUID) -> Credit:
    credit = await tx.session.get(Credit, credit_id)
    if credit is None:
        raise NotFound(what="credit")
    return credit


async def get_payer(tx: Tx, credit_id: UUID) -> CreditPayer:
    return await tx.session.get_one(CreditPayer, credit_id)


async def payers_under(tx: Tx, bank_refs: Collection[str]) -> dict[str, str]:
    """Who paid the credits with these references."""
    rows = await tx.session.execute(
        select(Credit.bank_ref, CreditPayer.payer_name)
        .join(CreditPayer, CreditPayer.credit_id == Credit.id)
        .where(Credit.bank_ref.in_(bank_refs))
    )
    return {row.bank_ref: row.payer_name for row in rows}


async def unmatched_payers(tx: Tx, account_id: UUID) -> dict[UUID, str]:
    """Who paid each credit that stands on the account by its number alone."""
    rows = await tx.session.execute(
        select(Credit.id, CreditPayer.payer_name)
        .join(CreditPayer, CreditPayer.credit_id == Credit.id)
        .outerjoin(CreditAside, CreditAside.credit_id == Credit.id)
        .where(Credit.account_id == account_id, CreditAside.credit_id.is_(None))
        .order_by(Credit.received_at, Credit.id)
    )
    return {row[0]: row[1] for row in rows}


async def payer_accounts(tx: Tx, account_ids: Collection[UUID]) -> dict[UUID, set[str]]:
    """From which accounts money was sent to these accounts' numbers, matched by hand or not."""
    rows = await tx.session.execute(
        select(Credit.account_id, CreditPayer.payer_account)
        .join(CreditPayer, CreditPayer.credit_id == Credit.id)
        .where(Credit.account_id.in_(account_ids))
        .distinct()
    )
    found: dict[UUID, set[str]] = {account_id: set() for account_id in account_ids}
    for account_id, payer_account in rows:
        found[account_id].add(payer_account)
    return found


async def add_aside(tx: Tx, aside: dict[str, object]) -> bool:
    """Write that the credit waits in the queue; False when it does already."""
    row = insert_or_keep(CreditAside).values(**aside).on_conflict_do_nothing().returning(CreditAside.credit_id)
    return (await tx.session.execute(row)).first() is not None


async def find_aside(tx: Tx, credit_id: UUID) -> CreditAside | None:
    return await tx.session.get(CreditAside, credit_id)


async def aside_fen(tx: Tx, account_id: UUID) -> Fen:
    """What was paid on the account's number and waits to be matched by hand, in fen."""
    total = await tx.session.scalar(
        select(func.coalesce(func.sum(Credit.amount_fen), 0))
        .join(CreditAside, CreditAside.credit_id == Credit.id)
        .outerjoin(CreditClaim, CreditClaim.credit_id == Credit.id)
        .where(Credit.account_id == account_id, CreditClaim.credit_id.is_(None))
    )
    return Fen(int(total or 0))


async def get_match(tx: Tx, match_id: UUID) -> CreditMatch:
    match = await tx.session.get(CreditMatch, match_id)
    if match is None:
        raise NotFound(what="match")
    return match


async def latest_match(tx: Tx, credit_id: UUID) -> CreditMatch | None:
    """The last proposal for the credit."""
    found = select(CreditMatch).where(CreditMatch.credit_id == credit_id).order_by(CreditMatch.id.desc()).limit(1)
    return (await tx.session.scalars(found)).first()


async def all_matches(tx: Tx) -> Sequence[CreditMatch]:
    return (await tx.session.scalars(select(CreditMatch).order_by(CreditMatch.id))).all()


async def find_claim(tx: Tx, credit_id: UUID) -> CreditClaim | None:
    """How the credit was settled, as of the newest snapshot."""
    return await tx.session.get(CreditClaim, credit_id, populate_existing=True)


async def all_claims(tx: Tx) -> Sequence[CreditClaim]:
    return (await tx.session.scalars(select(CreditClaim).order_by(CreditClaim.credit_id))).all()


async def all_credits(tx: Tx) -> Sequence[tuple[Credit, CreditPayer, CreditAside | None]]:
    """Every credit with who paid it, oldest first."""
    rows = await tx.session.execute(
        select(Credit, CreditPayer, CreditAside)
        .join(CreditPayer, CreditPayer.credit_id == Credit.id)
        .outerjoin(CreditAside, CreditAside.credit_id == Credit.id)
        .order_by(Credit.id)
    )
    return [(credit, payer, aside) for credit, payer, aside in rows]


async def all_orders(tx: Tx) -> Sequence[tuple[PaymentOrder, PaymentAnswer | None]]:
    """Every order with the bank's answer, oldest first."""
    rows = await tx.session.execute(
        select(PaymentOrder, PaymentAnswer)
        .outerjoin(PaymentAnswer, PaymentAnswer.order_id == PaymentOrder.id)
        .order_by(PaymentOrder.id)
    )
    return [(order, answer) for order, answer in rows]


async def all_transfers(tx: Tx) -> dict[str, SimulatedTransfer]:
    """What people paid in at the simulated bank, by the bank's reference."""
    return {row.bank_ref: row for row in await tx.session.scalars(select(SimulatedTransfer))}


async def audited_matches(tx: Tx) -> list[tuple[str, str]]:
    """What the audit trail says was proposed: subject and hash, oldest first."""
    rows = await tx.session.execute(
        select(AuditEntry.subject, AuditEntry.facts).where(AuditEntry.action == "bank.propose").order_by(AuditEntry.id)
    )
    return [(row.subject, msgspec.json.decode(row.facts)["hash"]) for row in rows]


async def add_claim(tx: Tx, claim: dict[str, object]) -> bool:
    """Write the claim; False when the credit was claimed or returned before."""
    row = insert_or_keep(CreditClaim).values(**claim).on_conflict_do_nothing().returning(CreditClaim.credit_id)
    return (await tx.session.execute(row)).first() is not None


async def unidentified(tx: Tx) -> Sequence[tuple[Credit, CreditPayer, CreditAside | None]]:
    """Credits that wait to be matched by hand, oldest first."""
    rows = await tx.session.execute(
        select(Credit, CreditPayer, CreditAside)
        .join(CreditPayer, CreditPayer.credit_id == Credit.id)
        .join(Account, Account.id == Credit.account_id)
        .outerjoin(CreditClaim, CreditClaim.credit_id == Credit.id)
        .outerjoin(CreditAside, CreditAside.credit_id == Credit.id)
        .where(
            or_(Account.kind == Kind.UNIDENTIFIED, CreditAside.credit_id.is_not(None)),
            CreditClaim.credit_id.is_(None),
        )
        .order_by(Credit.received_at, Credit.id)
    )
    return [(credit, payer, aside) for credit, payer, aside in rows]


ARRIVALS = text(
    """
    SELECT coalesce(m.account_id, c.account_id) AS account_id, c.id, c.amount_fen, r.fen, r.orders
    FROM settlement.credit c
    LEFT JOIN settlement.credit_claim m ON m.credit_id = c.id
    LEFT JOIN settlement.credit_aside a ON a.credit_id = c.id
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(o.amount_fen) FILTER (WHERE n.outcome IS DISTINCT FROM 'rejected'), 0)::bigint AS fen,
               count(*) AS orders
        FROM settlement.payment_order o LEFT JOIN settlement.payment_answer n ON n.order_id = o.id
        WHERE o.credit_id = c.id) r
    WHERE c.id IN (
        SELECT id FROM settlement.credit WHERE account_id = ANY(CAST(:accounts AS uuid[]))
        UNION
        SELECT credit_id FROM settlement.credit_claim WHERE account_id = ANY(CAST(:accounts AS uuid[])))
      AND coalesce(m.account_id, c.account_id) = ANY(CAST(:accounts AS uuid[]))
      AND (a.credit_id IS NULL OR m.account_id IS NOT NULL)
    ORDER BY coalesce(m.claimed_at, c.received_at), c.id
    """
)


async def arrivals(tx: Tx, account_ids: Collection[UUID]) -> dict[UUID, list[Arrival]]:
    """The credits of accounts, those claimed for them by hand included, in order of arrival."""
    found: dict[UUID, list[Arrival]] = {account_id: [] for account_id in account_ids}
    for row in await tx.session.execute(ARRIVALS, {"accounts": list(account_ids)}):
        account_id, *arrival = row
        found[account_id].append(Arrival(*arrival))
    return found


async def refunds_of(tx: Tx, credit_id: UUID) -> Sequence[UUID]:
    """The orders that gave parts of the credit back, first to last."""
    rows = await tx.session.scalars(
        select(PaymentOrder.id)
        .where(PaymentOrder.credit_id == credit_id)
        .order_by(func.length(PaymentOrder.natural_key), PaymentOrder.natural_key)
    )
    return rows.all()


class NewOrder(NamedTuple):
    """A payment order to be written; it goes to the payee, or to who paid the credit."""

    id: UUID
    natural_key: str
    from_account: UUID
    transit_account: UUID
    credit_id: UUID | None
    payee_holder: str | None
    payee_number: str | None
    payee_bank: str | None
    amount_fen: Fen
    reason: str
    document: str
    case_id: UUID | None
    lot_id: UUID | None
    ordered_at: datetime


async def add_orders(tx: Tx, orders: Sequence[NewOrder]) -> set[str]:
    """Write orders; returns the natural keys that were free (waits for an order in flight)."""
    columns = NewOrder._fields
    return await add_new_rows(tx, PaymentOrder, columns, orders, returning="natural_key", unless="natural_key")


async def get_order(tx: Tx, order_id: UUID) -> PaymentOrder:
    order = await tx.session.get(PaymentOrder, order_id)
    if order is None:
        raise NotFound(what="payment order")
    return order


async def find_order(tx: Tx, order_id: UUID) -> PaymentOrder | None:
    return await tx.session.get(PaymentOrder, order_id)


async def orders_with_payees(tx: Tx, order_ids: Collection[UUID]) -> dict[UUID, tuple[PaymentOrder, Payee]]:
    """Orders with where they go, those that exist."""
    rows = await tx.session.execute(
        select(PaymentOrder, CreditPayer)
        .outerjoin(CreditPayer, CreditPayer.credit_id == PaymentOrder.credit_id)
        .where(PaymentOrder.id.in_(order_ids))
    )
    return {order.id: (order, _payee(order, payer)) for order, payer in rows}


async def orders_by_key(tx: Tx, natural_keys: Collection[str]) -> dict[str, PaymentOrder]:
    """The orders under these natural keys."""
    rows = await tx.session.scalars(select(PaymentOrder).where(PaymentOrder.natural_key.in_(natural_keys)))
    return {row.natural_key: row for row in rows}


async def payee_of(tx: Tx, order: PaymentOrder) -> Payee:
    """Where the order goes: its payee, or the account that paid the credit it gives back."""
    payer = await tx.session.get_one(CreditPayer, order.credit_id) if order.credit_id else None
    return _payee(order, payer)


def _payee(order: PaymentOrder, payer: CreditPayer | None) -> Payee:
    if payer is not None:
        return Payee(payer.payer_name, payer.payer_account, "")
    assert order.payee_holder is not None
    assert order.payee_number is not None
    return Payee(order.payee_holder, order.payee_number, order.payee_bank or "")


async def orders_from(tx: Tx, account_id: UUID) -> Sequence[tuple[PaymentOrder, PaymentAnswer | None]]:
    """The orders that took money from this account, oldest first, with the bank's answers."""
    rows = await tx.session.execute(
        select(PaymentOrder, PaymentAnswer)
        .outerjoin(PaymentAnswer, PaymentAnswer.order_id == PaymentOrder.id)
        .where(PaymentOrder.from_account == account_id)
        .order_by(PaymentOrder.ordered_at, PaymentOrder.id)
    )
    return [(order, answer) for order, answer in rows]


async def waiting_orders(tx: Tx, most: int) -> Sequence[PaymentOrder]:
    rows = await tx.session.scalars(
        select(PaymentOrder)
        .outerjoin(PaymentAnswer, PaymentAnswer.order_id == PaymentOrder.id)
        .where(PaymentAnswer.order_id.is_(None))
        .order_by(PaymentOrder.ordered_at, PaymentOrder.id)
        .limit(most)
    )
    return rows.all()


async def add_answers(tx: Tx, answers: Sequence[dict[str, object]]) -> set[UUID]:
    """Write the bank's answers; returns the orders that had none, and whose reference was not used."""
    written = insert_or_keep(PaymentAnswer).on_conflict_do_nothing().returning(PaymentAnswer.order_id)
    return set(await tx.session.scalars(written, answers))


async def answers_of(tx: Tx, order_ids: Collection[UUID]) -> dict[UUID, PaymentAnswer]:
    """The bank's answers to these orders, of those that have one."""
    rows = await tx.session.scalars(select(PaymentAnswer).where(PaymentAnswer.order_id.in_(order_ids)))
    return {row.order_id: row for row in rows}


async def find_answer(tx: Tx, order_id: UUID) -> PaymentAnswer | None:
    return await tx.session.get(PaymentAnswer, order_id)


async def add_simulated_orders(tx: Tx, orders: Sequence[dict[str, object]]) -> list[UUID]:
    """Write orders into the simulated bank's book; returns those that did not stand there already."""
    row = insert_or_keep(SimulatedOrder).on_conflict_do_nothing().returning(SimulatedOrder.order_id)
    return list(await tx.session.scalars(row, orders))


async def simulated_orders(tx: Tx, order_ids: Collection[UUID]) -> Sequence[SimulatedOrder]:
    return (await tx.session.scalars(select(SimulatedOrder).where(SimulatedOrder.order_id.in_(order_ids)))).all()


async def get_simulated_transfer(tx: Tx, transfer_id: UUID) -> SimulatedTransfer:
    return await tx.session.get_one(SimulatedTransfer, transfer_id)
