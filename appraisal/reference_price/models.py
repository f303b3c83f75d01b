"""Tables of enquiry reports, appraisals and fixed prices.

`pricing` counts the prices of an asset: after one has expired a new round begins with reports of its own.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from appraisal.reference_price.rules import Method, Objection
from kernel.database import Base, append_only
from kernel.money import Fen

OBJECTIONS = ", ".join(f"'{objection}'" for objection in Objection)
METHODS = ", ".join(f"'{method}'" for method in Method)


class EnquiryReport(Base):
    """One platform's answer in one round of pricing."""

    __tablename__ = "enquiry_report"
    __table_args__ = (
        UniqueConstraint("asset_id", "pricing", "platform"),
        CheckConstraint(f"objection IN ({OBJECTIONS})", "objection"),
        CheckConstraint("price_fen > 0 AND corrected_price_fen > 0", "prices_positive"),
        CheckConstraint("price_fen IS NULL OR report_on IS NOT NULL", "delivered_has_day"),
        CheckConstraint("(objection = 'corrected') = (corrected_price_fen IS NOT NULL)", "corrected_has_price"),
        {"schema": "appraisal"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    asset_id: Mapped[UUID] = mapped_column(ForeignKey("appraisal.asset.id"))
    pricing: Mapped[int]
    platform: Mapped[str]
    price_fen: Mapped[Fen | None]
    report_on: Mapped[date | None]
    objection: Mapped[str]
    corrected_price_fen: Mapped[Fen | None]
    recorded_at: Mapped[datetime]


class Appraisal(Base):
    """An appraisal; a corrected one is another row."""

    __tablename__ = "appraisal_report"
    __table_args__ = (
        CheckConstraint("price_fen > 0", "price_positive"),
        CheckConstraint("report_on <= valid_until", "validity"),
        Index("ix_appraisal_report_asset_id", "asset_id", "pricing"),
        {"schema": "appraisal"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    asset_id: Mapped[UUID] = mapped_column(ForeignKey("appraisal.asset.id"))
    pricing: Mapped[int]
    institution: Mapped[str]
    price_fen: Mapped[Fen]
    report_on: Mapped[date]
    valid_until: Mapped[date]
    recorded_at: Mapped[datetime]


class FixedPrice(Base):
    """A reference price as fixed, with the reports that counted and those that did not; never changed."""

    __tablename__ = "reference_price"
    __table_args__ = (
        UniqueConstraint("asset_id", "pricing"),
        CheckConstraint(f"method IN ({METHODS})", "method"),
        CheckConstraint("price_fen > 0", "price_positive"),
        CheckConstraint("fixed_on <= valid_until", "validity"),
        {"schema": "appraisal"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    asset_id: Mapped[UUID] = mapped_column(ForeignKey("appraisal.asset.id"))
    pricing: Mapped[int]
    price_fen: Mapped[Fen]
    method: Mapped[str]
    fixed_on: Mapped[date]
    valid_until: Mapped[date]
    assessment: Mapped[dict[str, Any]] = mapped_column(JSONB)
    fixed_at: Mapped[datetime]


for _table in (Appraisal, FixedPrice):
    append_only(_table.__table__)
