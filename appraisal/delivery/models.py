"""Table of served documents."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from appraisal.delivery.rules import ServiceMethod
from kernel.database import Base, append_only

METHODS = ", ".join(f"'{method}'" for method in ServiceMethod)


class DocumentService(Base):
    """One service on one party of the case; never changed, a repeated service is another row."""

    __tablename__ = "document_service"
    __table_args__ = (
        ForeignKeyConstraint(["party_id", "case_id"], ["appraisal.party.id", "appraisal.party.case_id"]),
        CheckConstraint(f"method IN ({METHODS})", "method"),
        Index("ix_document_service_subject", "subject", "id"),
        Index("ix_document_service_case_id", "case_id", "id"),
        {"schema": "appraisal"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID]
    party_id: Mapped[UUID]
    document: Mapped[str]
    subject: Mapped[str]
    method: Mapped[str]
    served_on: Mapped[date]
    proof: Mapped[str]
    recorded_at: Mapped[datetime]


append_only(DocumentService.__table__)
