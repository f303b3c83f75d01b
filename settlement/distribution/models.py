"""Tables of distribution, all append-only: a changed plan is a new version, its state is what happened to it."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kernel.database import Base, append_only
from kernel.money import Fen
from settlement.distribution.plans import PayeeKind

PAYEE_KINDS = ", ".join(f"'{kind}'" for kind in PayeeKind)


class Plan(Base):
    """One version of a case's distribution plan. `basis` holds the exact bytes its lines follow from."""

    __tablename__ = "plan"
    __table_args__ = (
        UniqueConstraint("case_id", "version"),
        UniqueConstraint("id", "case_id"),
        CheckConstraint("version >= 1", "version"),
        CheckConstraint("distributed_fen >= 0 AND surplus_fen >= 0", "no_negative_sum"),
        CheckConstraint("distributed_fen + surplus_fen = proceeds_fen", "sums"),
        CheckConstraint("octet_length(hash) = 32", "hash_length"),
        {"schema": "settlement"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID]
    version: Mapped[int]
    made_at: Mapped[datetime]
    made_by: Mapped[UUID]
    basis: Mapped[bytes]
    proceeds_fen: Mapped[Fen]
    distributed_fen: Mapped[Fen]
    surplus_fen: Mapped[Fen]
    hash: Mapped[bytes]


class PlanLine(Base):
    """One line of a plan; with the plan's head and basis its bytes make the plan's hash."""

    __tablename__ = "plan_line"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", "amount"),
        CheckConstraint("level BETWEEN 1 AND 13", "level"),
        CheckConstraint(f"payee_kind IN ({PAYEE_KINDS})", "payee_kind"),
        {"schema": "settlement"},
    )

    plan_id: Mapped[UUID] = mapped_column(ForeignKey(Plan.id), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    level: Mapped[int]
    rule: Mapped[str]
    law: Mapped[str | None]
    pool: Mapped[str | None]
    payee_kind: Mapped[str]
    payee_id: Mapped[UUID]
    payee: Mapped[str]
    claim_id: Mapped[UUID | None]
    part: Mapped[str]
    amount_fen: Mapped[Fen]
    arithmetic: Mapped[str]


class PlanDecision(Base):
    """That the panel decided the plan as it stands."""

    __tablename__ = "plan_decision"
    __table_args__ = ({"schema": "settlement"},)

    plan_id: Mapped[UUID] = mapped_column(ForeignKey(Plan.id), primary_key=True)
    decision_id: Mapped[UUID]
    decided_at: Mapped[datetime]
    decided_by: Mapped[UUID]


class PlanService(Base):
    """Service of the plan on one recipient, with that recipient's own clock (R-DIST-05)."""

    __tablename__ = "plan_service"
    __table_args__ = (
        CheckConstraint("objection_until >= served_on + 15", "fifteen_days"),
        {"schema": "settlement"},
    )

    plan_id: Mapped[UUID] = mapped_column(ForeignKey(Plan.id), primary_key=True)
    party_id: Mapped[UUID] = mapped_column(primary_key=True)
    service_id: Mapped[UUID]
    """The proof of service, in appraisal."""
    served_on: Mapped[date]
    objection_until: Mapped[date]
    calendar_known: Mapped[bool]
    """False: no notice of working days for that year was out, so weekends alone moved the day."""
    recorded_at: Mapped[datetime]


class PlanObjection(Base):
    """A written objection to the plan by one recipient (R-DIST-05)."""

    __tablename__ = "plan_objection"
    __table_args__ = (
        ForeignKeyConstraint(
            ["plan_id", "party_id"], ["settlement.plan_service.plan_id", "settlement.plan_service.party_id"]
        ),
        Index("ix_plan_objection_plan_id", "plan_id"),
        {"schema": "settlement"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    plan_id: Mapped[UUID]
    party_id: Mapped[UUID]
    objected_on: Mapped[date]
    text: Mapped[str]
    recorded_at: Mapped[datetime]


class PlanConfirmation(Base):
    """That the plan may be paid: nobody objected in time."""

    __tablename__ = "plan_confirmation"
    __table_args__ = (
        ForeignKeyConstraint(["plan_id", "case_id"], ["settlement.plan.id", "settlement.plan.case_id"]),
        Index("ix_plan_confirmation_case_id", "case_id"),
        {"schema": "settlement"},
    )

    plan_id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID]
    confirmed_at: Mapped[datetime]
    confirmed_by: Mapped[UUID]


for _table in (Plan, PlanLine, PlanDecision, PlanService, PlanObjection, PlanConfirmation):
    append_only(_table.__table__)
