"""Tables of deposits. All are evidence: a deposit's way shows in the rows that were added."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kernel.database import Base, append_only
from kernel.money import Fen
from settlement.deposits.rules import Outcome, Part, Stage

STAGES = ", ".join(f"'{stage}'" for stage in Stage)
PARTS = ", ".join(f"'{part}'" for part in Part)
OUTCOMES = ", ".join(f"'{outcome}'" for outcome in Outcome)


class Deposit(Base):
    """What one registration owes as deposit, and the account that takes it. Never a person."""

    __tablename__ = "deposit"
    __table_args__ = (
        CheckConstraint("due_fen >= 0", "due"),
        CheckConstraint("announced_fen >= 0", "announced"),
        Index("ix_deposit_lot_id", "lot_id", "registration_id"),
        {"schema": "settlement"},
    )

    registration_id: Mapped[UUID] = mapped_column(primary_key=True)
    lot_id: Mapped[UUID]
    case_id: Mapped[UUID]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("settlement.account.id"), unique=True)
    due_fen: Mapped[Fen]
    announced_fen: Mapped[Fen]
    """The lot's announced deposit; in a sell-off less than what is due (R-SELL-04)."""
    opened_at: Mapped[datetime]


class Hold(Base):
    """Money of a deposit that is bound: while bidding, then to the price of the winner."""

    __tablename__ = "hold"
    __table_args__ = (
        UniqueConstraint("registration_id", "stage", "part"),
        CheckConstraint(f"stage IN ({STAGES})", "stage"),
        CheckConstraint(f"part IN ({PARTS})", "part"),
        CheckConstraint("amount_fen > 0", "amount"),
        {"schema": "settlement"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    registration_id: Mapped[UUID] = mapped_column(ForeignKey(Deposit.registration_id))
    stage: Mapped[str]
    part: Mapped[str]
    amount_fen: Mapped[Fen]
    held_at: Mapped[datetime]


class HoldEnd(Base):
    """How a hold ended. One row per hold is all there can be."""

    __tablename__ = "hold_end"
    __table_args__ = (CheckConstraint(f"outcome IN ({OUTCOMES})", "outcome"), {"schema": "settlement"})

    hold_id: Mapped[UUID] = mapped_column(ForeignKey(Hold.id), primary_key=True)
    outcome: Mapped[str]
    document: Mapped[str]
    ended_at: Mapped[datetime]


for _table in (Deposit, Hold, HoldEnd):
    append_only(_table.__table__)
