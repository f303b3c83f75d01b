"""All SQL of distribution."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from uuid import UUID

import msgspec
from sqlalchemy import func, insert, select
from sqlalchemy.dialects.postgresql import insert as insert_or_keep

from kernel.audit import AuditEntry
from kernel.clock import beijing_day
from kernel.database import Tx
from kernel.errors import NotFound
from settlement.distribution.claims import Debt, PreferenceMethod
from settlement.distribution.models import (
    Bankruptcy,
    CounterOpinionRow,
    DisputedClaim,
    JudgedClaim,
    ObjectionNotice,
    ObjectorTold,
    ParticipationApplication,
    ParticipationPolicy,
    Plan,
    PlanConfirmation,
    PlanDecision,
    PlanJudgment,
    PlanLine,
    PlanObjection,
    PlanService,
    PlanSuit,
    Recognition,
    Taking,
)
from settlement.distribution.objections import CounterOpinion, Judgment, Notice, ObjectionCourse, Suit, Told
from settlement.distribution.participation import CutOff, Policy
from settlement.distribution.plans import Basis, Head, Line, PayeeKind, read_basis
from settlement.distribution.procedure import Course, Served


async def add_plan(tx: Tx, plan: Plan, lines: Iterable[Line]) -> None:
    tx.session.add(plan)
    await tx.session.flush()
    await tx.session.execute(insert(PlanLine), [{"plan_id": plan.id, **asdict(line)} for line in lines])


async def get_plan(tx: Tx, plan_id: UUID) -> Plan:
    plan = await tx.session.get(Plan, plan_id)
    if plan is None:
        raise NotFound(what="plan")
    return plan


async def list_plans(tx: Tx, case_id: UUID) -> Sequence[Plan]:
    """The case's plans, latest version first."""
    return (await tx.session.scalars(select(Plan).where(Plan.case_id == case_id).order_by(Plan.version.desc()))).all()


async def latest_version(tx: Tx, case_id: UUID) -> int:
    """0 when there is none."""
    return await tx.session.scalar(select(func.max(Plan.version)).where(Plan.case_id == case_id)) or 0


async def all_plans(tx: Tx) -> Sequence[Plan]:
    return (await tx.session.scalars(select(Plan).order_by(Plan.case_id, Plan.version))).all()


async def lines_of(tx: Tx, plan_id: UUID) -> tuple[Line, ...]:
    """The plan's lines as the columns say."""
    rows = await tx.session.scalars(select(PlanLine).where(PlanLine.plan_id == plan_id).order_by(PlanLine.position))
    return tuple(_line(row) for row in rows)


async def confirmed_plans(tx: Tx, case_id: UUID) -> Sequence[Plan]:
    """The case's confirmed plans, oldest first: what they gave is given."""
    return (
        await tx.session.scalars(
            select(Plan)
            .join(PlanConfirmation, PlanConfirmation.plan_id == Plan.id)
            .where(Plan.case_id == case_id)
            .order_by(Plan.version)
        )
    ).all()


async def takings_of(tx: Tx, case_id: UUID) -> Sequence[Taking]:
    """Takings in satisfaction in the case, oldest first."""
    return (await tx.session.scalars(select(Taking).where(Taking.case_id == case_id).order_by(Taking.id))).all()


async def get_taking(tx: Tx, taking_id: UUID) -> Taking:
    taking = await tx.session.get(Taking, taking_id)
    if taking is None:
        raise NotFound(what="taking")
    return taking


async def lock_taking(tx: Tx, taking_id: UUID) -> Taking:
    taking = await tx.session.get(Taking, taking_id, with_for_update=True, populate_existing=True)
    if taking is None:
        raise NotFound(what="taking")
    return taking


async def find_taking_of(tx: Tx, lot_id: UUID) -> Taking | None:
    """The newest taking of the lot, one that did not lapse first."""
    rows = select(Taking).where(Taking.lot_id == lot_id)
    return (
        await tx.session.scalars(rows.order_by(Taking.lapsed_at.is_(None).desc(), Taking.id.desc()).limit(1))
    ).first()


async def find_confirmation(tx: Tx, plan_id: UUID) -> PlanConfirmation | None:
    return await tx.session.get(PlanConfirmation, plan_id)


async def find_decision(tx: Tx, plan_id: UUID) -> PlanDecision | None:
    return await tx.session.get(PlanDecision, plan_id)


async def course_of(tx: Tx, plan: Plan, basis: Basis) -> Course:
    """Everything that happened to the plan so far."""
    decision = await find_decision(tx, plan.id)
    services = await tx.session.scalars(
        select(PlanService).where(PlanService.plan_id == plan.id).order_by(PlanService.recorded_at)
    )
    return Course(
        recipients=basis.recipients,
        latest_version=await latest_version(tx, plan.case_id),
        version=plan.version,
        decided_on=beijing_day(decision.decided_at) if decision else None,
        services={row.party_id: _served(row) for row in services},
        objections=await objections_of(tx, plan.id, basis),
        confirmed=await find_confirmation(tx, plan.id) is not None,
    )


async def add_decision(tx: Tx, plan_id: UUID, decision_id: UUID, at: datetime) -> None:
    tx.session.add(PlanDecision(plan_id=plan_id, decision_id=decision_id, decided_at=at, decided_by=tx.actor.person))
    await tx.session.flush()


async def add_service(tx: Tx, plan_id: UUID, served: Served, service_id: UUID, at: datetime) -> None:
    tx.session.add(PlanService(plan_id=plan_id, service_id=service_id, recorded_at=at, **asdict(served)))
    await tx.session.flush()


async def add_objection(tx: Tx, plan_id: UUID, objection: ObjectionCourse, at: datetime) -> None:
    tx.session.add(
        PlanObjection(
            id=objection.id,
            plan_id=plan_id,
            party_id=objection.party_id,
            objected_on=objection.objected_on,
            text=objection.text,
            recorded_at=at,
        )
    )
    await tx.session.flush()
    await tx.session.execute(insert(DisputedClaim), _by_claim(objection.id, objection.disputes))


async def plan_of_objection(tx: Tx, objection_id: UUID) -> Plan:
    """The plan that the objection is about; refuses an unknown one."""
    objection = await tx.session.get(PlanObjection, objection_id)
    if objection is None:
        raise NotFound(what="objection")
    return await get_plan(tx, objection.plan_id)


async def objections_of(tx: Tx, plan_id: UUID, basis: Basis) -> tuple[ObjectionCourse, ...]:
    """The plan's objections with all that followed, in the order they were recorded."""
    rows = await tx.session.scalars(
        select(PlanObjection).where(PlanObjection.plan_id == plan_id).order_by(PlanObjection.id)
    )
    return tuple([await _objection(tx, row, basis) for row in rows.all()])


async def _objection(tx: Tx, row: PlanObjection, basis: Basis) -> ObjectionCourse:
    notices = await tx.session.scalars(
        select(ObjectionNotice)
        .where(ObjectionNotice.objection_id == row.id)
        .order_by(ObjectionNotice.recorded_at, ObjectionNotice.party_id)
    )
    opinions = await tx.session.scalars(
        select(CounterOpinionRow)
        .where(CounterOpinionRow.objection_id == row.id)
        .order_by(CounterOpinionRow.recorded_at, CounterOpinionRow.party_id)
    )
    told = await tx.session.get(ObjectorTold, row.id)
    suit = await tx.session.get(PlanSuit, row.id)
    judgment = await tx.session.get(PlanJudgment, row.id)
    disputed = await tx.session.scalars(
        select(DisputedClaim).where(DisputedClaim.objection_id == row.id).order_by(DisputedClaim.claim_id)
    )
    judged = await tx.session.scalars(
        select(JudgedClaim).where(JudgedClaim.objection_id == row.id).order_by(JudgedClaim.claim_id)
    )
    return ObjectionCourse(
        id=row.id,
        party_id=row.party_id,
        objected_on=row.objected_on,
        text=row.text,
        disputes={each.claim_id: debt_of(each) for each in disputed},
        audience=frozenset(basis.recipients) - {row.party_id},
        notices={
            each.party_id: Notice(each.party_id, each.served_on, each.counter_until, each.calendar_known)
            for each in notices
        },
        counter_opinions=tuple(CounterOpinion(each.party_id, each.made_on, each.text) for each in opinions),
        told=Told(told.told_on, told.sue_until, told.calendar_known) if told else None,
        suit=Suit(suit.filed_on, suit.suit_no) if suit else None,
        judgment=Judgment(judgment.effective_on, judgment.document, {each.claim_id: debt_of(each) for each in judged})
        if judgment
        else None,
    )


async def add_notice(tx: Tx, objection_id: UUID, notice: Notice, service_id: UUID, at: datetime) -> None:
    tx.session.add(ObjectionNotice(objection_id=objection_id, service_id=service_id, recorded_at=at, **asdict(notice)))
    await tx.session.flush()


async def add_counter_opinion(tx: Tx, objection_id: UUID, opinion: CounterOpinion, at: datetime) -> None:
    tx.session.add(CounterOpinionRow(objection_id=objection_id, recorded_at=at, **asdict(opinion)))
    await tx.session.flush()


async def add_told(tx: Tx, objection_id: UUID, told: Told, service_id: UUID, at: datetime) -> None:
    tx.session.add(ObjectorTold(objection_id=objection_id, service_id=service_id, recorded_at=at, **asdict(told)))
    await tx.session.flush()


async def add_suit(tx: Tx, objection_id: UUID, suit: Suit, at: datetime) -> None:
    tx.session.add(PlanSuit(objection_id=objection_id, recorded_at=at, **asdict(suit)))
    await tx.session.flush()


async def add_judgment(tx: Tx, objection_id: UUID, judgment: Judgment, at: datetime) -> None:
    tx.session.add(
        PlanJudgment(
            objection_id=objection_id,
            effective_on=judgment.effective_on,
            document=judgment.document,
            recorded_at=at,
            recorded_by=tx.actor.person,
        )
    )
    await tx.session.flush()
    await tx.session.execute(insert(JudgedClaim), _by_claim(objection_id, judgment.claims))


async def recognitions_of(tx: Tx, case_id: UUID) -> dict[UUID, list[Recognition]]:
    """What the court recognised of each claim of the case, first to last; claims without a row stand as registered."""
    found: dict[UUID, list[Recognition]] = {}
    rows = await tx.session.scalars(
        select(Recognition).where(Recognition.case_id == case_id).order_by(Recognition.claim_id, Recognition.number)
    )
    for row in rows:
        found.setdefault(row.claim_id, []).append(row)
    return found


async def add_recognition(tx: Tx, recognition: Recognition) -> None:
    tx.session.add(recognition)
    await tx.session.flush()


async def find_policy(tx: Tx, court_id: UUID, case_id: UUID) -> Policy | None:
    """The policy that holds for a case: its own, else its court's; None where the court has set none."""
    row = await tx.session.scalar(
        select(ParticipationPolicy)
        .where(
            ParticipationPolicy.court_id == court_id,
            ParticipationPolicy.case_id.is_(None) | (ParticipationPolicy.case_id == case_id),
        )
        .order_by(ParticipationPolicy.case_id.is_(None), ParticipationPolicy.number.desc())
        .limit(1)
    )
    if row is None:
        return None
    method = PreferenceMethod(row.preference_method) if row.preference_method else None
    return Policy(CutOff(row.cut_off), row.fixed_on, method, row.preference_percent)


async def add_policy(tx: Tx, policy: dict[str, object]) -> bool:
    """Write the policy; False when another took its number meanwhile."""
    row = insert_or_keep(ParticipationPolicy).values(**policy).on_conflict_do_nothing()
    return (await tx.session.execute(row.returning(ParticipationPolicy.number))).first() is not None


async def next_policy_number(tx: Tx, court_id: UUID) -> int:
    latest = select(func.max(ParticipationPolicy.number)).where(ParticipationPolicy.court_id == court_id)
    return (await tx.session.scalar(latest) or 0) + 1


async def find_bankruptcy(tx: Tx, case_id: UUID) -> Bankruptcy | None:
    """The acceptance on record, as of this moment: what was read before a lock was waited for is read again."""
    return await tx.session.get(Bankruptcy, case_id, populate_existing=True)


async def add_bankruptcy(tx: Tx, bankruptcy: Bankruptcy) -> None:
    tx.session.add(bankruptcy)
    await tx.session.flush()


async def add_application(tx: Tx, application: ParticipationApplication) -> None:
    tx.session.add(application)
    await tx.session.flush()


async def applications_of(tx: Tx, case_id: UUID) -> Sequence[ParticipationApplication]:
    """The case's applications in the order they were made."""
    rows = await tx.session.scalars(
        select(ParticipationApplication)
        .where(ParticipationApplication.case_id == case_id)
        .order_by(ParticipationApplication.id)
    )
    return rows.all()


async def first_service_on(tx: Tx, case_id: UUID) -> date | None:
    """The first day on which a plan of the case was served on anybody."""
    return await tx.session.scalar(
        select(func.min(PlanService.served_on))
        .join(Plan, Plan.id == PlanService.plan_id)
        .where(Plan.case_id == case_id)
    )


def debt_of(row: DisputedClaim | JudgedClaim | Recognition | ParticipationApplication) -> Debt:
    """The parts of a claim as a row says."""
    return Debt(row.costs_fen, row.interest_fen, row.principal_fen, row.doubled_fen)


def _by_claim(objection_id: UUID, claims: Mapping[UUID, Debt]) -> list[dict[str, object]]:
    return [{"objection_id": objection_id, "claim_id": claim_id, **asdict(debt)} for claim_id, debt in claims.items()]


async def add_confirmation(tx: Tx, plan: Plan, at: datetime) -> None:
    tx.session.add(
        PlanConfirmation(plan_id=plan.id, case_id=plan.case_id, confirmed_at=at, confirmed_by=tx.actor.person)
    )
    await tx.session.flush()


async def audited_hashes(tx: Tx, action: str) -> dict[UUID, str]:
    """What the audit trail says was drafted: plan -> hash."""
    rows = await tx.session.execute(
        select(AuditEntry.subject, AuditEntry.facts).where(AuditEntry.action == action).order_by(AuditEntry.id)
    )
    return {UUID(row.subject.removeprefix("plan:")): msgspec.json.decode(row.facts)["hash"] for row in rows}


def basis_of(plan: Plan) -> Basis:
    """The plan's basis as stored."""
    return read_basis(plan.basis)


def head_of(plan: Plan) -> Head:
    """The plan's head as the columns say."""
    return Head(plan.id, plan.case_id, plan.version, plan.made_at, plan.made_by)


def _served(row: PlanService) -> Served:
    return Served(row.party_id, row.served_on, row.objection_until, row.calendar_known)


def _line(row: PlanLine) -> Line:
    return Line(
        position=row.position,
        level=row.level,
        rule=row.rule,
        law=row.law,
        pool=row.pool,
        payee_kind=PayeeKind(row.payee_kind),
        payee_id=row.payee_id,
        payee=row.payee,
        claim_id=row.claim_id,
        part=row.part,
        amount_fen=row.amount_fen,
        arithmetic=row.arithmetic,
    )
