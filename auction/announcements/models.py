"""Tables of announcements: what the court fills in while a lot is a draft, and the frozen announcement itself."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Identity, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from auction.announcements.rules import CHECKLIST, DocumentKind, NoticeStatus
from kernel.database import Base, append_only


class ChecklistText(Base):
    """The text of one item that must be shown (R-PUB-03, R-PUB-04)."""

    __tablename__ = "checklist_text"
    __table_args__ = (
        CheckConstraint(f"item IN ({', '.join(repr(item.key) for item in CHECKLIST)})", "item"),
        {"schema": "auction"},
    )

    lot_id: Mapped[UUID] = mapped_column(ForeignKey("auction.lot.id"), primary_key=True)
    item: Mapped[str] = mapped_column(primary_key=True)
    content: Mapped[str]
    written_at: Mapped[datetime]


class SaleNotice(Base):
    """How one party or known priority purchaser learned of the sale (R-PUB-05)."""

    __tablename__ = "sale_notice"
    __table_args__ = (
        CheckConstraint(
            f"outcome IN ({', '.join(repr(str(s)) for s in NoticeStatus if s is not NoticeStatus.PENDING)})", "outcome"
        ),
        {"schema": "auction"},
    )

    lot_id: Mapped[UUID] = mapped_column(ForeignKey("auction.lot.id"), primary_key=True)
    party_id: Mapped[UUID] = mapped_column(primary_key=True)
    outcome: Mapped[str]
    day: Mapped[date]
    proof: Mapped[str]
    recorded_at: Mapped[datetime]


class LotDocument(Base):
    """A document of a lot; it is public from the day its lot is announced."""

    __tablename__ = "lot_document"
    __table_args__ = (
        CheckConstraint(f"kind IN ({', '.join(repr(str(kind)) for kind in DocumentKind)})", "kind"),
        UniqueConstraint("document_id"),
        {"schema": "auction"},
    )

    lot_id: Mapped[UUID] = mapped_column(ForeignKey("auction.lot.id"), primary_key=True)
    position: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    document_id: Mapped[UUID]
    kind: Mapped[str]
    name: Mapped[str]
    media_type: Mapped[str]
    size: Mapped[int]
    sha256: Mapped[bytes]


class Announcement(Base):
    """The published announcement. `version` is the SHA-256 of `content`; bidders accept that version (R-BID-16)."""

    __tablename__ = "announcement"
    __table_args__ = (
        CheckConstraint("version = encode(sha256(content), 'hex')", "version_of_content"),
        {"schema": "auction"},
    )

    lot_id: Mapped[UUID] = mapped_column(ForeignKey("auction.lot.id"), primary_key=True)
    version: Mapped[str]
    content: Mapped[bytes]
    published_at: Mapped[datetime]
    published_by: Mapped[UUID]


append_only(Announcement.__table__)
