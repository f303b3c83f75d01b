"""All SQL of distribution."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import func, insert, select

from kernel.audit import AuditEntry
from kernel.clock import beijing_day
from kernel.database import Tx
from kernel.errors import NotFound
from kernel.ids import ordered_id
from settlement.distribution.models import (
    Plan,
    PlanConfirmation,
    PlanDecision,
    PlanLine,
    PlanObjection,
    PlanService,
)
from settlement.distribution.plans import Basis, Head, Line, PayeeKind, read_basis
from settlement.distribution.procedure import Course, Objection, Served


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
    objections = await tx.session.scalars(
        select(PlanObjection).where(PlanObjection.plan_id == plan.id).order_by(PlanObjection.id)
    )
    return Course(
        recipients=basis.recipients,
        latest_version=await latest_version(tx, plan.case_id),
        version=plan.version,
        decided_on=beijing_day(decision.decided_at) if decision else None,
        services={row.party_id: _served(row) for row in services},
        objections=tuple(Objection(row.party_id, row.objected_on, row.text) for row in objections),
        confirmed=await find_confirmation(tx, plan.id) is not None,
    )


async def add_decision(tx: Tx, plan_id: UUID, decision_id: UUID, at: datetime) -> None:
    tx.session.add(PlanDecision(plan_id=plan_id, decision_id=decision_id, decided_at=at, decided_by=tx.actor.person))
    await tx.session.flush()


async def add_service(tx: Tx, plan_id: UUID, served: Served, service_id: UUID, at: datetime) -> None:
    tx.session.add(PlanService(plan_id=plan_id, service_id=service_id, recorded_at=at, **asdict(served)))
    await tx.session.flush()


async def add_objection(tx: Tx, plan_id: UUID, objection: Objection, at: datetime) -> None:
    tx.session.add(PlanObjection(id=ordered_id(), plan_id=plan_id, recorded_at=at, **asdict(objection)))
    await tx.session.flush()


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
