"""Table of titled claims."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from appraisal.claims.rules import ClaimKind
from kernel.database import Base, append_only
from kernel.money import MAX_FEN, Fen

KINDS = ", ".join(f"'{kind}'" for kind in ClaimKind)


class Claim(Base):
    """A claim as registered: never changed, so that a plan made from it can be made again."""

    __tablename__ = "titled_claim"
    __table_args__ = (
        ForeignKeyConstraint(["party_id", "case_id"], ["appraisal.party.id", "appraisal.party.case_id"]),
        ForeignKeyConstraint(["asset_id", "case_id"], ["appraisal.asset.id", "appraisal.asset.case_id"]),
        UniqueConstraint("case_id", "position"),
        UniqueConstraint("party_id", "title_no", "kind", "asset_id", postgresql_nulls_not_distinct=True),
        CheckConstraint(f"kind IN ({KINDS})", "kind"),
        CheckConstraint("least(costs_fen, interest_fen, principal_fen, doubled_fen) >= 0", "no_negative_part"),
        CheckConstraint(
            f"costs_fen + interest_fen + principal_fen + doubled_fen BETWEEN 1 AND {MAX_FEN}", "total_in_bounds"
        ),
        {"schema": "appraisal"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID]
    party_id: Mapped[UUID]
    position: Mapped[int]
    kind: Mapped[str]
    asset_id: Mapped[UUID | None]
    title_no: Mapped[str]
    rank_on: Mapped[date | None]
    sealed_on: Mapped[date | None]
    costs_fen: Mapped[Fen]
    interest_fen: Mapped[Fen]
    principal_fen: Mapped[Fen]
    doubled_fen: Mapped[Fen]
    registered_at: Mapped[datetime]


append_only(Claim.__table__)
