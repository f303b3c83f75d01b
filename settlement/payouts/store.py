"""All SQL of payouts."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import insert as insert_or_keep

from kernel.clock import beijing_day
from kernel.database import Tx
from kernel.errors import NotFound
from kernel.money import Fen
from settlement.distribution.plans import PayeeKind
from settlement.payouts.models import Payment, PayoutBatch, PayoutLineRow, PayoutPolicy, RewardRow, Withholding
from settlement.payouts.rules import LineState, Payee, PayoutLine, Route, Signatures, WithholdingCourse


async def add_batch(tx: Tx, batch: PayoutBatch, lines: Sequence[PayoutLine]) -> None:
    tx.session.add(batch)
    await tx.session.flush()
    await tx.session.execute(insert(PayoutLineRow), [{"batch_id": batch.id, **asdict(line)} for line in lines])


async def get_batch(tx: Tx, batch_id: UUID) -> PayoutBatch:
    """The batch as it is now: what was read before a lock was waited for is read again."""
    batch = await tx.session.get(PayoutBatch, batch_id, populate_existing=True)
    if batch is None:
        raise NotFound(what="batch")
    return batch


async def batches_of(tx: Tx, plan_id: UUID) -> Sequence[PayoutBatch]:
    """The plan's batches, oldest first."""
    return (
        await tx.session.scalars(select(PayoutBatch).where(PayoutBatch.plan_id == plan_id).order_by(PayoutBatch.id))
    ).all()


async def all_batches(tx: Tx) -> Sequence[PayoutBatch]:
    return (await tx.session.scalars(select(PayoutBatch).order_by(PayoutBatch.id))).all()


async def lines_of(tx: Tx, batch_id: UUID) -> tuple[PayoutLine, ...]:
    rows = await tx.session.scalars(
        select(PayoutLineRow).where(PayoutLineRow.batch_id == batch_id).order_by(PayoutLineRow.position)
    )
    return tuple(_line(row) for row in rows)


async def payments_of(tx: Tx, batch_id: UUID) -> dict[int, Payment]:
    """What became of the batch's lines, by position; lines without a row wait."""
    rows = await tx.session.scalars(select(Payment).where(Payment.batch_id == batch_id))
    return {row.position: row for row in rows}


async def paid_of(tx: Tx, plan_id: UUID) -> frozenset[Payee]:
    """Payees of the plan whose money left the case account and was not rejected."""
    rows = await tx.session.execute(
        select(Payment.payee_kind, Payment.payee_id).where(
            Payment.plan_id == plan_id, Payment.state != LineState.REJECTED
        )
    )
    return frozenset((PayeeKind(row.payee_kind), row.payee_id) for row in rows)


async def add_payments(
    tx: Tx, batch: PayoutBatch, orders: Mapping[PayoutLine, UUID | None], *, settled_at: datetime | None = None
) -> None:
    """Write that the lines' money left; the database refuses a second payment to a payee of one plan."""
    state = LineState.ORDERED if settled_at is None else LineState.EXECUTED
    rows = [
        {
            "batch_id": batch.id,
            "position": line.position,
            "plan_id": batch.plan_id,
            "payee_kind": line.payee_kind,
            "payee_id": line.payee_id,
            "order_id": order_id,
            "state": state,
            "settled_at": settled_at,
        }
        for line, order_id in orders.items()
    ]
    await tx.session.execute(insert(Payment), rows)


async def begun_of(tx: Tx, plan_id: UUID) -> frozenset[Payee]:
    """Payees of the plan whom money was ever ordered for, rejected or not: their deductions are fixed."""
    rows = await tx.session.execute(select(Payment.payee_kind, Payment.payee_id).where(Payment.plan_id == plan_id))
    return frozenset((PayeeKind(row.payee_kind), row.payee_id) for row in rows)


async def rewards_of(tx: Tx, case_id: UUID) -> Sequence[RewardRow]:
    """The case's rewards in order of registration."""
    rows = await tx.session.scalars(select(RewardRow).where(RewardRow.case_id == case_id).order_by(RewardRow.id))
    return rows.all()


async def deductions_of(tx: Tx, case_id: UUID) -> dict[tuple[UUID, UUID], Fen]:
    """What was deducted for rewards by payouts that were paid: (plan, reward) -> fen."""
    rows = await tx.session.execute(
        select(PayoutBatch.plan_id, PayoutLineRow.payee_id, PayoutLineRow.amount_fen)
        .join(PayoutBatch, PayoutBatch.id == PayoutLineRow.batch_id)
        .where(
            PayoutBatch.case_id == case_id,
            PayoutBatch.paid_at.is_not(None),
            PayoutLineRow.payee_kind == PayeeKind.REWARD,
        )
    )
    return {(row.plan_id, row.payee_id): row.amount_fen for row in rows}


async def add_reward(tx: Tx, reward: RewardRow) -> None:
    tx.session.add(reward)
    await tx.session.flush()


async def add_withholding(tx: Tx, withholding: Withholding) -> None:
    tx.session.add(withholding)
    await tx.session.flush()


async def get_withholding(tx: Tx, withholding_id: UUID) -> Withholding:
    """As it is now: what was read before a lock was waited for is read again."""
    found = await tx.session.get(Withholding, withholding_id, populate_existing=True)
    if found is None:
        raise NotFound(what="withholding")
    return found


async def withholdings_of(tx: Tx, case_id: UUID) -> Sequence[Withholding]:
    """The case's withholdings, oldest first."""
    rows = await tx.session.scalars(select(Withholding).where(Withholding.case_id == case_id).order_by(Withholding.id))
    return rows.all()


async def withheld_of(tx: Tx, plan_id: UUID) -> frozenset[Payee]:
    """Payees of the plan whose money is withheld with approval now."""
    rows = await tx.session.execute(
        select(Withholding.payee_kind, Withholding.payee_id).where(
            Withholding.plan_id == plan_id, Withholding.approved_at.is_not(None), Withholding.ended_at.is_(None)
        )
    )
    return frozenset((PayeeKind(row.payee_kind), row.payee_id) for row in rows)


async def all_withholdings(tx: Tx) -> Sequence[Withholding]:
    return (await tx.session.scalars(select(Withholding).order_by(Withholding.id))).all()


async def find_payout_policy(tx: Tx, court_id: UUID) -> PayoutPolicy | None:
    """The court's own limit as last set."""
    return await tx.session.scalar(
        select(PayoutPolicy).where(PayoutPolicy.court_id == court_id).order_by(PayoutPolicy.number.desc()).limit(1)
    )


async def add_payout_policy(tx: Tx, policy: dict[str, object]) -> bool:
    """Write the policy; False when another took its number meanwhile."""
    row = insert_or_keep(PayoutPolicy).values(**policy).on_conflict_do_nothing().returning(PayoutPolicy.number)
    return (await tx.session.execute(row)).first() is not None


async def lock_payments_of_orders(tx: Tx, order_ids: Collection[UUID]) -> Sequence[Payment]:
    """The payments behind payment orders, locked in a fixed order; orders that are no payouts have none."""
    found = select(Payment).where(Payment.order_id.in_(order_ids)).order_by(Payment.order_id).with_for_update()
    return (await tx.session.scalars(found)).all()


async def orders_open(tx: Tx, case_id: UUID) -> Sequence[UUID]:
    """Payment orders of the case whose outcome is not noted yet."""
    rows = await tx.session.scalars(
        select(Payment.order_id)
        .join(PayoutBatch, PayoutBatch.id == Payment.batch_id)
        .where(PayoutBatch.case_id == case_id, Payment.state == LineState.ORDERED)
    )
    return [order_id for order_id in rows if order_id is not None]


def signatures_of(batch: PayoutBatch) -> Signatures:
    """Who signed the batch so far."""
    return Signatures(batch.made_by, batch.checked_by, batch.paid_by, batch.voided_at is not None)


def course_of(withholding: Withholding) -> WithholdingCourse:
    """How far the withholding has come."""
    return WithholdingCourse(
        payee=(PayeeKind(withholding.payee_kind), withholding.payee_id),
        asked_by=withholding.asked_by,
        approved_on=beijing_day(withholding.approved_at) if withholding.approved_at else None,
        ended=withholding.ended_at is not None,
    )


def _line(row: PayoutLineRow) -> PayoutLine:
    return PayoutLine(
        position=row.position,
        payee_kind=PayeeKind(row.payee_kind),
        payee_id=row.payee_id,
        holder=row.holder,
        number=row.number,
        bank=row.bank,
        route=Route(row.route),
        amount_fen=row.amount_fen,
        reason=row.reason,
        deducted_from=row.deducted_from,
    )
