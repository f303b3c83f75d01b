"""Tables of payouts. A batch's lines never change; what became of each line's money is a row of its own."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from kernel.database import Base, append_only
from kernel.money import Fen
from settlement.distribution.deadlines import PAYOUT_DAYS
from settlement.distribution.plans import PAYABLE, PayeeKind
from settlement.payouts.rules import Ground, LineState, Route

PAYEE_KINDS = ", ".join(f"'{kind}'" for kind in (*PAYABLE, PayeeKind.REWARD))
GROUNDS = ", ".join(f"'{ground}'" for ground in Ground)
ROUTES = ", ".join(f"'{route}'" for route in Route)
PAYMENT_STATES = ", ".join(f"'{state}'" for state in LineState if state is not LineState.WAITING)


class PayoutBatch(Base):
    """Payments of one plan under one hash, with the three people who signed it (R-ACCT-06)."""

    __tablename__ = "payout_batch"
    __table_args__ = (
        ForeignKeyConstraint(["plan_id", "case_id"], ["settlement.plan.id", "settlement.plan.case_id"]),
        CheckConstraint("octet_length(hash) = 32", "hash_length"),
        CheckConstraint("total_fen > 0", "total"),
        CheckConstraint("(checked_by IS NULL) = (checked_at IS NULL)", "checked_whole"),
        CheckConstraint("(paid_by IS NULL) = (paid_at IS NULL)", "paid_whole"),
        CheckConstraint("paid_by IS NULL OR checked_by IS NOT NULL", "checked_before_paid"),
        CheckConstraint("paid_by IS NULL OR voided_at IS NULL", "paid_or_void"),
        CheckConstraint(
            "checked_by <> made_by AND paid_by <> made_by AND paid_by <> checked_by",
            "three_people",
        ),
        Index(
            "ux_payout_batch_open",
            "plan_id",
            unique=True,
            postgresql_where=text("paid_at IS NULL AND voided_at IS NULL"),
        ),
        Index("ix_payout_batch_case_id", "case_id"),
        {"schema": "settlement"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    plan_id: Mapped[UUID]
    case_id: Mapped[UUID]
    hash: Mapped[bytes]
    total_fen: Mapped[Fen]
    made_by: Mapped[UUID]
    made_at: Mapped[datetime]
    checked_by: Mapped[UUID | None]
    checked_at: Mapped[datetime | None]
    paid_by: Mapped[UUID | None]
    paid_at: Mapped[datetime | None]
    voided_at: Mapped[datetime | None]


class PayoutLineRow(Base):
    """One payment of a batch as it was signed."""

    __tablename__ = "payout_line"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", "amount"),
        CheckConstraint(f"payee_kind IN ({PAYEE_KINDS})", "payee_kind"),
        CheckConstraint(f"route IN ({ROUTES})", "route"),
        CheckConstraint("(payee_kind = 'reward') = (deducted_from IS NOT NULL)", "deducted"),
        {"schema": "settlement"},
    )

    batch_id: Mapped[UUID] = mapped_column(ForeignKey(PayoutBatch.id), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    payee_kind: Mapped[str]
    payee_id: Mapped[UUID]
    holder: Mapped[str]
    number: Mapped[str]
    bank: Mapped[str]
    route: Mapped[str]
    amount_fen: Mapped[Fen]
    reason: Mapped[str]
    deducted_from: Mapped[UUID | None]


class Payment(Base):
    """That a line's money left the case account, and what became of it. One payee is paid once by one plan."""

    __tablename__ = "payment"
    __table_args__ = (
        ForeignKeyConstraint(
            ["batch_id", "position"], ["settlement.payout_line.batch_id", "settlement.payout_line.position"]
        ),
        CheckConstraint(f"state IN ({PAYMENT_STATES})", "state"),
        CheckConstraint("(state = 'ordered') = (settled_at IS NULL)", "settled"),
        Index(
            "ux_payment_once",
            "plan_id",
            "payee_kind",
            "payee_id",
            unique=True,
            postgresql_where=text("state <> 'rejected'"),
        ),
        {"schema": "settlement"},
    )

    batch_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    plan_id: Mapped[UUID]
    payee_kind: Mapped[str]
    payee_id: Mapped[UUID]
    order_id: Mapped[UUID | None] = mapped_column(unique=True)
    """The payment order at the bank; none for the state's fee account, which is ours."""
    state: Mapped[str]
    settled_at: Mapped[datetime | None]


class Withholding(Base):
    """One payee's confirmed money that is not paid yet: deferred or deposited, with approval (R-ACCT-04, 07)."""

    __tablename__ = "withholding"
    __table_args__ = (
        ForeignKeyConstraint(["plan_id", "case_id"], ["settlement.plan.id", "settlement.plan.case_id"]),
        CheckConstraint(f"ground IN ({GROUNDS})", "ground"),
        CheckConstraint("amount_fen > 0", "amount"),
        CheckConstraint("(approved_by IS NULL) = (approved_at IS NULL)", "approved_whole"),
        CheckConstraint("approved_by <> asked_by", "two_people"),
        CheckConstraint("num_nonnulls(ended_on, ended_at, pay_until) IN (0, 3)", "ended_whole"),
        CheckConstraint("ended_at IS NULL OR approved_at IS NOT NULL", "approved_before_ended"),
        Index(
            "ux_withholding_open",
            "plan_id",
            "payee_kind",
            "payee_id",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
        {"schema": "settlement"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    plan_id: Mapped[UUID]
    case_id: Mapped[UUID]
    payee_kind: Mapped[str]
    payee_id: Mapped[UUID]
    payee: Mapped[str]
    ground: Mapped[str]
    reason: Mapped[str]
    amount_fen: Mapped[Fen]
    asked_by: Mapped[UUID]
    asked_at: Mapped[datetime]
    approved_by: Mapped[UUID | None]
    approved_at: Mapped[datetime | None]
    ended_on: Mapped[date | None]
    ended_at: Mapped[datetime | None]
    pay_until: Mapped[date | None]


class RewardRow(Base):
    """A reward that is due, and the creditor who asked for the notice and bears it (R-CASE-06)."""

    __tablename__ = "reward"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", "amount"),
        Index("ix_reward_case_id", "case_id"),
        {"schema": "settlement"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID]
    party_id: Mapped[UUID]
    amount_fen: Mapped[Fen]
    payee_holder: Mapped[str]
    payee_number: Mapped[str]
    payee_bank: Mapped[str]
    document: Mapped[str]
    registered_at: Mapped[datetime]
    registered_by: Mapped[UUID]


class PayoutPolicy(Base):
    """The days within which a court pays out, where it set fewer than the nation's thirty (R-ACCT-03)."""

    __tablename__ = "payout_policy"
    __table_args__ = (CheckConstraint(f"days BETWEEN 1 AND {PAYOUT_DAYS}", "days"), {"schema": "settlement"})

    court_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    days: Mapped[int]
    reason: Mapped[str]
    set_at: Mapped[datetime]
    set_by: Mapped[UUID]


for _table in (PayoutLineRow, RewardRow, PayoutPolicy):
    append_only(_table.__table__)
