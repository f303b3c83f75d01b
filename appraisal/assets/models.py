"""Tables of assets, seizures, disposals and holds."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from appraisal.assets.rules import AssetKind, Measure, Way
from kernel.database import Base

KINDS = ", ".join(f"'{kind}'" for kind in AssetKind)
MEASURES = ", ".join(f"'{measure}'" for measure in Measure)
WAYS = ", ".join(f"'{way}'" for way in Way)


class Asset(Base):
    """A thing or right of the debtor; the second key lets other tables refer to an asset *of that case*."""

    __tablename__ = "asset"
    __table_args__ = (
        UniqueConstraint("id", "case_id"),
        CheckConstraint(f"kind IN ({KINDS})", "kind"),
        Index("ix_asset_case_id", "case_id"),
        {"schema": "appraisal"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("appraisal.enforcement_case.id"))
    court_id: Mapped[UUID]
    kind: Mapped[str]
    title: Mapped[str]
    description: Mapped[str]
    place: Mapped[str]
    details: Mapped[dict[str, Any]] = mapped_column(JSONB)
    registered_at: Mapped[datetime]


class AssetSeizure(Base):
    """A seizure for a party of the asset's case; its rank among those of the asset is the order of registration."""

    __tablename__ = "asset_seizure"
    __table_args__ = (
        ForeignKeyConstraint(["asset_id", "case_id"], ["appraisal.asset.id", "appraisal.asset.case_id"]),
        ForeignKeyConstraint(["party_id", "case_id"], ["appraisal.party.id", "appraisal.party.case_id"]),
        UniqueConstraint("asset_id", "rank"),
        CheckConstraint(f"measure IN ({MEASURES})", "measure"),
        CheckConstraint("rank >= 1", "rank"),
        CheckConstraint("from_on < to_on", "period"),
        CheckConstraint("ended_by IS NULL OR ended_on IS NOT NULL", "ended_by_has_day"),
        {"schema": "appraisal"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    asset_id: Mapped[UUID]
    case_id: Mapped[UUID]
    party_id: Mapped[UUID]
    measure: Mapped[str]
    from_on: Mapped[date]
    to_on: Mapped[date]
    rank: Mapped[int]
    waiting: Mapped[bool]
    ended_on: Mapped[date | None]
    ended_by: Mapped[UUID | None] = mapped_column(ForeignKey("appraisal.asset_disposal.id"))


class AssetDisposal(Base):
    """A sale or taking of the asset; one stands at a time. It is undone when a taking lapses or a sale is annulled."""

    __tablename__ = "asset_disposal"
    __table_args__ = (
        ForeignKeyConstraint(["asset_id", "case_id"], ["appraisal.asset.id", "appraisal.asset.case_id"]),
        CheckConstraint(f"way IN ({WAYS})", "way"),
        CheckConstraint("undone_at >= begun_at", "undone_after_begun"),
        Index("uq_asset_disposal_standing", "asset_id", unique=True, postgresql_where=text("undone_at IS NULL")),
        {"schema": "appraisal"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    asset_id: Mapped[UUID]
    case_id: Mapped[UUID]
    way: Mapped[str]
    begun_at: Mapped[datetime]
    passed_on: Mapped[date | None]
    undone_at: Mapped[datetime | None]


class AssetHold(Base):
    """A hold on disposal; it stands until `lifted_at` is set, once."""

    __tablename__ = "asset_hold"
    __table_args__ = (
        ForeignKeyConstraint(["asset_id", "case_id"], ["appraisal.asset.id", "appraisal.asset.case_id"]),
        CheckConstraint("lifted_at >= placed_at", "lifted_after_placed"),
        Index("ix_asset_hold_standing", "asset_id", postgresql_where=text("lifted_at IS NULL")),
        {"schema": "appraisal"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    asset_id: Mapped[UUID]
    case_id: Mapped[UUID]
    reason: Mapped[str]
    ground: Mapped[str]
    placed_at: Mapped[datetime]
    lifted_at: Mapped[datetime | None]
