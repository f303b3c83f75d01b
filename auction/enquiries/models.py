"""The table of enquiries."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from auction.enquiries.rules import EnquiryKind, EnquiryState
from kernel.database import Base


class Enquiry(Base):
    """One question or request to view. The id is random: it is the number that the court calls it by."""

    __tablename__ = "enquiry"
    __table_args__ = (
        CheckConstraint(f"kind IN ({', '.join(repr(str(kind)) for kind in EnquiryKind)})", "kind"),
        CheckConstraint(f"state IN ({', '.join(repr(str(state)) for state in EnquiryState)})", "state"),
        CheckConstraint("(state = 'waiting') = (answer IS NULL)", "answer_of_state"),
        CheckConstraint("(answer IS NULL) = (answered_at IS NULL)", "answer_has_time"),
        CheckConstraint("published <= (kind = 'question' AND answer IS NOT NULL)", "published_is_answered_question"),
        Index("ix_enquiry_lot_id", "lot_id", "asked_at"),
        Index("ix_enquiry_person_id", "person_id", "asked_at"),
        Index("ix_enquiry_waiting", "court_id", "asked_at", postgresql_where=text("state = 'waiting'")),
        {"schema": "auction"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    lot_id: Mapped[UUID] = mapped_column(ForeignKey("auction.lot.id"))
    court_id: Mapped[UUID]
    person_id: Mapped[UUID]
    """Who asked; shown to nobody, and read for that person's own list alone."""
    kind: Mapped[str]
    words: Mapped[str]
    state: Mapped[str]
    asked_at: Mapped[datetime]
    answer: Mapped[str | None]
    answered_at: Mapped[datetime | None]
    published: Mapped[bool] = mapped_column(server_default=text("false"))
    """Whether question and answer stand on the lot's page for everybody."""
