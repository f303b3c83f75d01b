"""Tables of cases, parties and panel decisions."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from appraisal.cases.rules import PartyKind, PartyRole, Subject
from kernel.database import Base, append_only

ROLES = ", ".join(f"'{role}'" for role in PartyRole)
KINDS = ", ".join(f"'{kind}'" for kind in PartyKind)
SUBJECTS = ", ".join(f"'{subject}'" for subject in Subject)


class EnforcementCase(Base):
    """One enforcement case of one court."""

    __tablename__ = "enforcement_case"
    __table_args__ = (UniqueConstraint("court_id", "case_no"), {"schema": "appraisal"})

    id: Mapped[UUID] = mapped_column(primary_key=True)
    court_id: Mapped[UUID]
    case_no: Mapped[str]
    opened_at: Mapped[datetime]


class Party(Base):
    """A party of one case; the second key lets other tables refer to a party *of that case*."""

    __tablename__ = "party"
    __table_args__ = (
        UniqueConstraint("id", "case_id"),
        UniqueConstraint("case_id", "position"),
        UniqueConstraint("case_id", "ref"),
        CheckConstraint(f"role IN ({ROLES})", "role"),
        CheckConstraint(f"kind IN ({KINDS})", "kind"),
        Index("ix_party_person_id", "person_id", postgresql_where="person_id IS NOT NULL"),
        CheckConstraint("num_nonnulls(account_holder, account_number, account_bank) IN (0, 3)", "account_whole"),
        {"schema": "appraisal"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey(EnforcementCase.id))
    position: Mapped[int]
    ref: Mapped[str]
    role: Mapped[str]
    name: Mapped[str]
    kind: Mapped[str]
    person_id: Mapped[UUID | None]
    account_holder: Mapped[str | None]
    account_number: Mapped[str | None]
    account_bank: Mapped[str | None]


class PanelDecision(Base):
    """What the panel decided; never changed, a new decision takes its place."""

    __tablename__ = "panel_decision"
    __table_args__ = (
        CheckConstraint(f"subject IN ({SUBJECTS})", "subject"),
        CheckConstraint("jsonb_array_length(members) >= 3 AND mod(jsonb_array_length(members), 2) = 1", "panel"),
        Index("ix_panel_decision_case_id", "case_id"),
        {"schema": "appraisal"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey(EnforcementCase.id))
    subject: Mapped[str]
    made_on: Mapped[date]
    members: Mapped[list[str]] = mapped_column(JSONB)
    text: Mapped[str]
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    recorded_at: Mapped[datetime]


append_only(PanelDecision.__table__)
