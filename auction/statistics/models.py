"""The table of held rounds: what statistics are computed from, one row as each lot ends."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from auction.statistics.rules import Outcome, Stage
from kernel.database import Base
from kernel.money import Fen


class EndedRound(Base):
    """One sale that was held to its end; withdrawn ones were not. A sale in default counts as failed."""

    __tablename__ = "ended_round"
    __table_args__ = (
        CheckConstraint(f"stage IN ({', '.join(repr(str(stage)) for stage in Stage)})", "stage"),
        CheckConstraint(f"outcome IN ({', '.join(repr(str(outcome)) for outcome in Outcome)})", "outcome"),
        CheckConstraint("(outcome = 'failed') = (price_fen IS NULL)", "price_of_sale"),
        CheckConstraint("reference_fen > 0 AND start_fen > 0", "bases"),
        CheckConstraint("num_nulls(price_fen, over_start, over_reference) IN (0, 3)", "premiums_of_price"),
        Index("ix_ended_round_filter", "court_id", "asset_kind", "year"),
        {"schema": "auction"},
    )

    lot_id: Mapped[UUID] = mapped_column(primary_key=True)
    item_id: Mapped[UUID]
    court_id: Mapped[UUID]
    asset_kind: Mapped[str]
    year: Mapped[int]
    """The year in China in which the round ended."""
    stage: Mapped[str]
    reference_fen: Mapped[Fen]
    start_fen: Mapped[Fen]
    outcome: Mapped[str]
    price_fen: Mapped[Fen | None]
    """Of a sale, also one that fell into default afterwards."""
    over_start: Mapped[Decimal | None]
    """The premium of that price by `rules.premium`, so that the database can add premiums and find their middle."""
    over_reference: Mapped[Decimal | None]
    ended_at: Mapped[datetime]
