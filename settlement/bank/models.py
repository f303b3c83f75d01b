"""Tables of the bank's counter, and those of the simulated bank, which plays the world outside.

Who paid a credit stands in `credit_payer` alone: before the close that name must not stand beside a lot (R-BID-07).
A refund therefore names its credit, not its payee.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from kernel.database import Base, append_only
from kernel.money import Fen


class Credit(Base):
    """Money that the bank says has arrived, once per bank reference."""

    __tablename__ = "credit"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", "amount"),
        Index("ix_credit_account_id", "account_id"),
        {"schema": "settlement"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    bank_ref: Mapped[str] = mapped_column(unique=True)
    account_no: Mapped[str]
    """As the payer wrote it."""
    account_id: Mapped[UUID] = mapped_column(ForeignKey("settlement.account.id"))
    """The account with that number, or the unidentified queue."""
    amount_fen: Mapped[Fen]
    booked_at: Mapped[datetime]
    received_at: Mapped[datetime]


class CreditPayer(Base):
    """Who paid a credit, and from which account."""

    __tablename__ = "credit_payer"
    __table_args__ = ({"schema": "settlement"},)

    credit_id: Mapped[UUID] = mapped_column(ForeignKey(Credit.id), primary_key=True)
    payer_name: Mapped[str]
    payer_account: Mapped[str]


class CreditAside(Base):
    """A credit on one of our numbers that waits to be matched by hand all the same, and why."""

    __tablename__ = "credit_aside"
    __table_args__ = ({"schema": "settlement"},)

    credit_id: Mapped[UUID] = mapped_column(ForeignKey(Credit.id), primary_key=True)
    reason: Mapped[str]
    at: Mapped[datetime]


class CreditMatch(Base):
    """A maker's proposal for an unidentified credit; the last one of a credit counts."""

    __tablename__ = "credit_match"
    __table_args__ = (
        CheckConstraint("octet_length(hash) = 32", "hash_length"),
        Index("ix_credit_match_credit_id", "credit_id", "id"),
        {"schema": "settlement"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    credit_id: Mapped[UUID] = mapped_column(ForeignKey(Credit.id))
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("settlement.account.id"))
    """Null: send it back to the payer."""
    reason: Mapped[str]
    hash: Mapped[bytes]
    made_by: Mapped[UUID]
    made_at: Mapped[datetime]


class CreditClaim(Base):
    """An unidentified credit that two people matched by hand to an account, or sent back (R-ACCT-02)."""

    __tablename__ = "credit_claim"
    __table_args__ = (
        CheckConstraint("num_nonnulls(match_id, made_by, checked_by) IN (0, 3)", "matched_whole"),
        CheckConstraint("made_by <> checked_by", "two_people"),
        Index("ix_credit_claim_account_id", "account_id"),
        {"schema": "settlement"},
    )

    credit_id: Mapped[UUID] = mapped_column(ForeignKey(Credit.id), primary_key=True)
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("settlement.account.id"))
    """Null: sent back to the payer."""
    reason: Mapped[str]
    match_id: Mapped[UUID | None] = mapped_column(ForeignKey(CreditMatch.id), unique=True)
    """Null, as the two people, in claims from before two were asked for."""
    made_by: Mapped[UUID | None]
    checked_by: Mapped[UUID | None]
    claimed_at: Mapped[datetime]


class PaymentOrder(Base):
    """Money ordered out of an account; until the bank answers it stands on a payee account of this order."""

    __tablename__ = "payment_order"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", "amount"),
        CheckConstraint("(credit_id IS NULL) = (payee_number IS NOT NULL)", "payee_or_payer"),
        CheckConstraint("(payee_number IS NULL) = (payee_holder IS NULL)", "payee_whole"),
        CheckConstraint("(payee_number IS NULL) = (payee_bank IS NULL)", "payee_bank"),
        Index("ix_payment_order_credit_id", "credit_id"),
        Index("ix_payment_order_from_account", "from_account"),
        {"schema": "settlement"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    natural_key: Mapped[str] = mapped_column(unique=True)
    from_account: Mapped[UUID] = mapped_column(ForeignKey("settlement.account.id"))
    transit_account: Mapped[UUID] = mapped_column(ForeignKey("settlement.account.id"))
    credit_id: Mapped[UUID | None] = mapped_column(ForeignKey(Credit.id))
    """A refund goes to the account that paid this credit."""
    payee_holder: Mapped[str | None]
    payee_number: Mapped[str | None]
    payee_bank: Mapped[str | None]
    amount_fen: Mapped[Fen]
    reason: Mapped[str]
    document: Mapped[str]
    case_id: Mapped[UUID | None]
    lot_id: Mapped[UUID | None]
    ordered_at: Mapped[datetime]


class PaymentAnswer(Base):
    """What the bank did with an order: one answer, one bank reference."""

    __tablename__ = "payment_answer"
    __table_args__ = (CheckConstraint("outcome IN ('executed', 'rejected')", "outcome"), {"schema": "settlement"})

    order_id: Mapped[UUID] = mapped_column(ForeignKey(PaymentOrder.id), primary_key=True)
    outcome: Mapped[str]
    bank_ref: Mapped[str] = mapped_column(unique=True)
    answered_at: Mapped[datetime]


class SimulatedOrder(Base):
    """The simulated bank's own book of orders: it decides on receipt and reports later."""

    __tablename__ = "simulated_order"
    __table_args__ = ({"schema": "settlement"},)

    order_id: Mapped[UUID] = mapped_column(primary_key=True)
    payee_number: Mapped[str]
    amount_fen: Mapped[Fen]
    outcome: Mapped[str]
    bank_ref: Mapped[str] = mapped_column(unique=True)


class SimulatedTransfer(Base):
    """Somebody went to their bank and paid into one of our accounts."""

    __tablename__ = "simulated_transfer"
    __table_args__ = (CheckConstraint("amount_fen > 0", "amount"), {"schema": "settlement"})

    id: Mapped[UUID] = mapped_column(primary_key=True)
    bank_ref: Mapped[str] = mapped_column(unique=True)
    from_account: Mapped[str]
    payer_name: Mapped[str]
    to_account_no: Mapped[str]
    amount_fen: Mapped[Fen]
    made_at: Mapped[datetime]


for _table in (
    Credit,
    CreditPayer,
    CreditAside,
    CreditMatch,
    CreditClaim,
    PaymentOrder,
    PaymentAnswer,
    SimulatedOrder,
    SimulatedTransfer,
):
    append_only(_table.__table__)
