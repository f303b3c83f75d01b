"""Tables of bank files, all evidence: every file as it came or went, byte for byte, and what became of its parts.

Who paid stands in the file alone, as in `credit_payer`: no route shows the bytes of a file that came in (R-BID-07).
"""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kernel.database import Base, append_only
from kernel.money import Fen
from settlement.bank_files.rules import MessageKind, Outcome

KINDS = ", ".join(f"'{kind}'" for kind in MessageKind)
OUTCOMES = ", ".join(f"'{outcome}'" for outcome in Outcome)


class BankFile(Base):
    """A message of the bank, once per kind and message id. Balances and their day stand in statements alone."""

    __tablename__ = "bank_file"
    __table_args__ = (
        UniqueConstraint("kind", "message_id"),
        CheckConstraint(f"kind IN ({KINDS})", "kind"),
        CheckConstraint("octet_length(sha256) = 32", "sha256_length"),
        CheckConstraint(
            "num_nonnulls(day, opening_fen, closing_fen) = CASE kind WHEN 'camt.053' THEN 3 ELSE 0 END", "balances"
        ),
        Index("ix_bank_file_day", "day"),
        {"schema": "settlement"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    message_id: Mapped[str]
    sha256: Mapped[bytes]
    content: Mapped[bytes]
    waiting: Mapped[int]
    """Movements announced and not booked by the bank."""
    day: Mapped[date | None]
    opening_fen: Mapped[Fen | None]
    closing_fen: Mapped[Fen | None]
    taken_at: Mapped[datetime]


class BankMovement(Base):
    """A booked movement of a file: what the bank says happened on our account."""

    __tablename__ = "bank_movement"
    __table_args__ = (
        UniqueConstraint("file_id", "reference"),
        CheckConstraint("amount_fen > 0", "amount"),
        Index("ix_bank_movement_reference", "reference"),
        {"schema": "settlement"},
    )

    file_id: Mapped[UUID] = mapped_column(ForeignKey(BankFile.id), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    reference: Mapped[str]
    credit: Mapped[bool]
    amount_fen: Mapped[Fen]
    booked_on: Mapped[date]
    told: Mapped[bytes]
    """Everything the movement says, as JSON: what it is booked by."""


class BankMovementOutcome(Base):
    """What became of a movement, once."""

    __tablename__ = "bank_movement_outcome"
    __table_args__ = (
        CheckConstraint(f"outcome IN ({OUTCOMES})", "outcome"),
        CheckConstraint("(outcome = 'refused') = (code IS NOT NULL)", "code"),
        {"schema": "settlement"},
    )

    file_id: Mapped[UUID] = mapped_column(ForeignKey(BankFile.id), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    outcome: Mapped[str]
    code: Mapped[str | None]
    at: Mapped[datetime]


class PaymentFile(Base):
    """A file of payment orders for the bank; its message id is its own id."""

    __tablename__ = "payment_file"
    __table_args__ = (
        CheckConstraint("octet_length(sha256) = 32", "sha256_length"),
        CheckConstraint("orders > 0 AND total_fen > 0", "not_empty"),
        {"schema": "settlement"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_number: Mapped[str]
    account_holder: Mapped[str]
    account_bank: Mapped[str]
    orders: Mapped[int]
    total_fen: Mapped[Fen]
    sha256: Mapped[bytes]
    content: Mapped[bytes]
    made_at: Mapped[datetime]


class PaymentFileOrder(Base):
    """That an order stands in a file, and in no other: the key is the order."""

    __tablename__ = "payment_file_order"
    __table_args__ = (UniqueConstraint("file_id", "position"), {"schema": "settlement"})

    order_id: Mapped[UUID] = mapped_column(ForeignKey("settlement.payment_order.id"), primary_key=True)
    file_id: Mapped[UUID] = mapped_column(ForeignKey(PaymentFile.id, deferrable=True, initially="DEFERRED"))
    position: Mapped[int]


for _table in (BankFile, BankMovement, BankMovementOutcome, PaymentFile, PaymentFileOrder):
    append_only(_table.__table__)
