"""Tables of distribution, all append-only: a changed plan is a new version, its state is what happened to it."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from kernel.database import Base, append_only
from kernel.money import Fen
from settlement.distribution.participation import CutOff
from settlement.distribution.plans import PayeeKind
from settlement.distribution.satisfaction import TakingState

PAYEE_KINDS = ", ".join(f"'{kind}'" for kind in PayeeKind if kind is not PayeeKind.REWARD)
TAKING_STATES = ", ".join(f"'{state}'" for state in TakingState)
CUT_OFFS = ", ".join(f"'{each}'" for each in CutOff)
NO_NEGATIVE_PART = "least(costs_fen, interest_fen, principal_fen, doubled_fen) >= 0"


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


class Taking(Base):
    """A creditor takes a thing in satisfaction (以物抵债) at the price of its failed round (R-FAIL-03, 04)."""

    __tablename__ = "taking"
    __table_args__ = (
        CheckConstraint(f"state IN ({TAKING_STATES})", "state"),
        CheckConstraint("entitlement_fen >= 0 AND pay_in_fen >= 0 AND price_fen > 0", "amounts"),
        CheckConstraint("entitlement_fen + pay_in_fen = price_fen", "sums"),
        CheckConstraint("(state IN ('paid', 'served')) = (paid_at IS NOT NULL)", "paid"),
        CheckConstraint("(state = 'served') = (served_on IS NOT NULL)", "served"),
        CheckConstraint("(state = 'lapsed') = (lapsed_at IS NOT NULL)", "lapsed"),
        Index("ux_taking_open_lot", "lot_id", unique=True, postgresql_where=text("state <> 'lapsed'")),
        Index("ix_taking_case_id", "case_id"),
        {"schema": "settlement"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    lot_id: Mapped[UUID]
    case_id: Mapped[UUID]
    asset_id: Mapped[UUID]
    title: Mapped[str]
    party_id: Mapped[UUID]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("settlement.account.id"))
    price_fen: Mapped[Fen]
    entitlement_fen: Mapped[Fen]
    pay_in_fen: Mapped[Fen]
    due_on: Mapped[date]
    decision_id: Mapped[UUID]
    state: Mapped[str]
    decided_at: Mapped[datetime]
    paid_at: Mapped[datetime | None]
    ruling_due_on: Mapped[date | None]
    ruling_decision_id: Mapped[UUID | None]
    served_on: Mapped[date | None]
    service_method: Mapped[str | None]
    service_proof: Mapped[str | None]
    lapsed_at: Mapped[datetime | None]


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


class DisputedClaim(Base):
    """What an objector says that a claim of the plan should be, by its parts (R-DIST-05)."""

    __tablename__ = "disputed_claim"
    __table_args__ = (CheckConstraint(NO_NEGATIVE_PART, "no_negative_part"), {"schema": "settlement"})

    objection_id: Mapped[UUID] = mapped_column(ForeignKey(PlanObjection.id), primary_key=True)
    claim_id: Mapped[UUID] = mapped_column(primary_key=True)
    costs_fen: Mapped[Fen]
    interest_fen: Mapped[Fen]
    principal_fen: Mapped[Fen]
    doubled_fen: Mapped[Fen]


class ObjectionNotice(Base):
    """Notice of an objection to one party, with that party's own clock (R-DIST-05)."""

    __tablename__ = "objection_notice"
    __table_args__ = (
        CheckConstraint("counter_until >= served_on + 15", "fifteen_days"),
        {"schema": "settlement"},
    )

    objection_id: Mapped[UUID] = mapped_column(ForeignKey(PlanObjection.id), primary_key=True)
    party_id: Mapped[UUID] = mapped_column(primary_key=True)
    service_id: Mapped[UUID]
    """The proof of service, in appraisal."""
    served_on: Mapped[date]
    counter_until: Mapped[date]
    calendar_known: Mapped[bool]
    recorded_at: Mapped[datetime]


class CounterOpinionRow(Base):
    """A party's written opposition to an objection (R-DIST-05)."""

    __tablename__ = "counter_opinion"
    __table_args__ = (
        ForeignKeyConstraint(
            ["objection_id", "party_id"],
            ["settlement.objection_notice.objection_id", "settlement.objection_notice.party_id"],
        ),
        {"schema": "settlement"},
    )

    objection_id: Mapped[UUID] = mapped_column(primary_key=True)
    party_id: Mapped[UUID] = mapped_column(primary_key=True)
    made_on: Mapped[date]
    text: Mapped[str]
    recorded_at: Mapped[datetime]


class ObjectorTold(Base):
    """That the objector was told of the opposition, which starts the time to sue (R-DIST-05)."""

    __tablename__ = "objector_told"
    __table_args__ = (
        CheckConstraint("sue_until >= told_on + 15", "fifteen_days"),
        {"schema": "settlement"},
    )

    objection_id: Mapped[UUID] = mapped_column(ForeignKey(PlanObjection.id), primary_key=True)
    service_id: Mapped[UUID]
    told_on: Mapped[date]
    sue_until: Mapped[date]
    calendar_known: Mapped[bool]
    recorded_at: Mapped[datetime]


class PlanSuit(Base):
    """The objector's suit over the plan (分配方案异议之诉)."""

    __tablename__ = "plan_suit"
    __table_args__ = ({"schema": "settlement"},)

    objection_id: Mapped[UUID] = mapped_column(ForeignKey(ObjectorTold.objection_id), primary_key=True)
    filed_on: Mapped[date]
    suit_no: Mapped[str]
    recorded_at: Mapped[datetime]


class PlanJudgment(Base):
    """The final judgment of a suit over the plan."""

    __tablename__ = "plan_judgment"
    __table_args__ = ({"schema": "settlement"},)

    objection_id: Mapped[UUID] = mapped_column(ForeignKey(PlanSuit.objection_id), primary_key=True)
    effective_on: Mapped[date]
    document: Mapped[str]
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[UUID]


class JudgedClaim(Base):
    """What the judgment found a disputed claim to be, by its parts (R-DIST-06)."""

    __tablename__ = "judged_claim"
    __table_args__ = (
        ForeignKeyConstraint(
            ["objection_id", "claim_id"],
            ["settlement.disputed_claim.objection_id", "settlement.disputed_claim.claim_id"],
        ),
        CheckConstraint(NO_NEGATIVE_PART, "no_negative_part"),
        {"schema": "settlement"},
    )

    objection_id: Mapped[UUID] = mapped_column(ForeignKey(PlanJudgment.objection_id), primary_key=True)
    claim_id: Mapped[UUID] = mapped_column(primary_key=True)
    costs_fen: Mapped[Fen]
    interest_fen: Mapped[Fen]
    principal_fen: Mapped[Fen]
    doubled_fen: Mapped[Fen]


class Recognition(Base):
    """What the court recognises of a claim, by its parts, beside what was claimed; the last one counts (R-DIST-01).

    `arithmetic` is JSON text and tells how the doubled part was computed, where it was (R-INT-02 to 04).
    """

    __tablename__ = "recognition"
    __table_args__ = (
        CheckConstraint(NO_NEGATIVE_PART, "no_negative_part"),
        CheckConstraint("ground IN ('review', 'objection', 'judgment')", "ground"),
        CheckConstraint("number >= 1", "number"),
        Index("ix_recognition_case_id", "case_id"),
        {"schema": "settlement"},
    )

    claim_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    case_id: Mapped[UUID]
    ground: Mapped[str]
    document: Mapped[str]
    costs_fen: Mapped[Fen]
    interest_fen: Mapped[Fen]
    principal_fen: Mapped[Fen]
    doubled_fen: Mapped[Fen]
    arithmetic: Mapped[str | None]
    recognised_at: Mapped[datetime]
    recognised_by: Mapped[UUID]


class ParticipationPolicy(Base):
    """A court's policy on joining, or that for one of its cases, which goes first; the last counts (R-DIST-02)."""

    __tablename__ = "participation_policy"
    __table_args__ = (
        CheckConstraint(f"cut_off IN ({CUT_OFFS})", "cut_off"),
        CheckConstraint("(cut_off = 'fixed_date') = (fixed_on IS NOT NULL)", "fixed_on"),
        CheckConstraint("preference_method IN ('pool_percent', 'share_uplift')", "preference_method"),
        CheckConstraint("(preference_method IS NULL) = (preference_percent IS NULL)", "preference_whole"),
        CheckConstraint("preference_percent BETWEEN 1 AND 100", "preference_percent"),
        {"schema": "settlement"},
    )

    court_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    case_id: Mapped[UUID | None]
    cut_off: Mapped[str]
    fixed_on: Mapped[date | None]
    preference_method: Mapped[str | None]
    preference_percent: Mapped[int | None]
    reason: Mapped[str]
    set_at: Mapped[datetime]
    set_by: Mapped[UUID]


class ParticipationApplication(Base):
    """A creditor's application to join with title, reasons and what is claimed (R-DIST-02)."""

    __tablename__ = "participation_application"
    __table_args__ = (
        UniqueConstraint("case_id", "party_id", "title_no"),
        CheckConstraint(NO_NEGATIVE_PART, "no_negative_part"),
        CheckConstraint("applied_on <= cut_off_on", "in_time"),
        {"schema": "settlement"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID]
    party_id: Mapped[UUID]
    title_no: Mapped[str]
    reasons: Mapped[str]
    applied_on: Mapped[date]
    cut_off_on: Mapped[date | None]
    """The last day as it stood then; none while it was open."""
    costs_fen: Mapped[Fen]
    interest_fen: Mapped[Fen]
    principal_fen: Mapped[Fen]
    doubled_fen: Mapped[Fen]
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[UUID]


class Bankruptcy(Base):
    """That a court accepted the debtor's bankruptcy: from then on nothing of the case is paid out (R-DIST-17)."""

    __tablename__ = "bankruptcy"
    __table_args__ = ({"schema": "settlement"},)

    case_id: Mapped[UUID] = mapped_column(primary_key=True)
    accepted_on: Mapped[date]
    court: Mapped[str]
    document: Mapped[str]
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[UUID]


class PlanConfirmation(Base):
    """That the plan may be paid: nobody objected in time, or what the objections came to stands in it."""

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


for _table in (
    Plan,
    PlanLine,
    PlanDecision,
    PlanService,
    PlanObjection,
    PlanConfirmation,
    DisputedClaim,
    ObjectionNotice,
    CounterOpinionRow,
    ObjectorTold,
    PlanSuit,
    PlanJudgment,
    JudgedClaim,
    Recognition,
    ParticipationPolicy,
    ParticipationApplication,
    Bankruptcy,
):
    append_only(_table.__table__)
