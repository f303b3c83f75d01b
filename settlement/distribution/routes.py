"""HTTP routes of distribution plans."""

from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from kernel.actors import Actor, Role
from kernel.database import Call, Database
from kernel.web import allow
from settlement.distribution import service
from settlement.distribution.plan_schemas import (
    DecidePlan,
    ObjectToPlan,
    PlanList,
    PlanView,
    ServePlan,
)


@post("/api/cases/{case_id:uuid}/plans", guards=[allow(Role.MAKER)], status_code=201)
async def draft_plan(
    database: NamedDependency[Database], call: NamedDependency[Call], case_id: FromPath[UUID]
) -> PlanView:
    """Draft the next version of the distribution plan (分配方案) from the case's money, costs and claims."""
    return await service.draft_plan(database, call, case_id)


@get("/api/cases/{case_id:uuid}/plans", guards=[allow(*service.STAFF)])
async def list_plans(
    database: NamedDependency[Database], actor: NamedDependency[Actor], case_id: FromPath[UUID]
) -> PlanList:
    """The plans of a case, latest version first."""
    return await service.show_plans(database, actor, case_id)


@get("/api/plans/{plan_id:uuid}", guards=[allow(*service.STAFF)])
async def show_plan(
    database: NamedDependency[Database], actor: NamedDependency[Actor], plan_id: FromPath[UUID]
) -> PlanView:
    """A plan with its lines, each with level, rule, article and arithmetic, and every recipient's clock."""
    return await service.show_plan(database, actor, plan_id)


@post("/api/plans/{plan_id:uuid}/decide", guards=[allow(Role.JUDGE)], status_code=201)
async def decide_plan(
    database: NamedDependency[Database],
    call: NamedDependency[Call],
    plan_id: FromPath[UUID],
    data: JSONBody[DecidePlan],
) -> PlanView:
    """Record the panel's decision on the plan."""
    return await service.decide_plan(database, call, plan_id, data)


@post("/api/plans/{plan_id:uuid}/services", guards=[allow(Role.CLERK)], status_code=201)
async def serve_plan(
    database: NamedDependency[Database], call: NamedDependency[Call], plan_id: FromPath[UUID], data: JSONBody[ServePlan]
) -> PlanView:
    """Record service (送达) of the plan on one recipient, which starts that recipient's fifteen days."""
    return await service.serve_plan(database, call, plan_id, data)


@post("/api/plans/{plan_id:uuid}/objections", guards=[allow(Role.CLERK)], status_code=201)
async def object_to_plan(
    database: NamedDependency[Database],
    call: NamedDependency[Call],
    plan_id: FromPath[UUID],
    data: JSONBody[ObjectToPlan],
) -> PlanView:
    """Record a recipient's written objection (方案异议)."""
    return await service.object_to_plan(database, call, plan_id, data)


@post("/api/plans/{plan_id:uuid}/confirm", guards=[allow(Role.JUDGE)], status_code=201)
async def confirm_plan(
    database: NamedDependency[Database], call: NamedDependency[Call], plan_id: FromPath[UUID]
) -> PlanView:
    """Let the plan be paid: every clock ran out, nobody objected, nothing changed, no hold stands."""
    return await service.confirm_plan(database, call, plan_id)


ROUTES = [draft_plan, list_plans, show_plan, decide_plan, serve_plan, object_to_plan, confirm_plan]
