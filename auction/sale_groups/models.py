"""The table of sale groups."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from kernel.database import Base, append_only
from kernel.money import MAX_FEN, Fen


class SaleGroup(Base):
    """What the court stated before the first publication; bidding counts what the lots sell for."""

    __tablename__ = "sale_group"
    __table_args__ = (
        CheckConstraint(f"target_fen BETWEEN 1 AND {MAX_FEN}", "target"),
        Index("ix_sale_group_case_id", "case_id"),
        {"schema": "auction"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID]
    court_id: Mapped[UUID]
    target_fen: Mapped[Fen]
    """Debt and costs that the group serves."""
    decision_id: Mapped[UUID]
    made_at: Mapped[datetime]


append_only(SaleGroup.__table__)
