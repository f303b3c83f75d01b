"""The table of papers: what was said about what, and the documents that say it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kernel.database import Base, append_only
from settlement.papers.rules import PaperKind

KINDS = ", ".join(f"'{kind}'" for kind in PaperKind)


class PaperRow(Base):
    """One paper; the same thing said again is the same paper. `about` is the lot, plan, batch or case."""

    __tablename__ = "paper"
    __table_args__ = (
        UniqueConstraint("kind", "about", "data_hash"),
        CheckConstraint(f"kind IN ({KINDS})", "kind"),
        CheckConstraint("octet_length(data_hash) = 32", "hash_length"),
        Index("ix_paper_case_id", "case_id"),
        {"schema": "settlement"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    about: Mapped[UUID]
    case_id: Mapped[UUID]
    data: Mapped[bytes]
    data_hash: Mapped[bytes]
    pdf_id: Mapped[UUID]
    html_id: Mapped[UUID]
    made_at: Mapped[datetime]


append_only(PaperRow.__table__)
