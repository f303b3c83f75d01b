"""HTTP routes of cases and panel decisions."""

from typing import Annotated
from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from appraisal.cases import service
from appraisal.cases.schemas import CaseList, CaseView, DecisionView, OpenCase, RecordDecision
from kernel.actors import Actor, Role
from kernel.database import Call, Database
from kernel.web import allow


@post("/api/cases", guards=[allow(Role.CLERK)], status_code=201)
async def open_case(
    database: NamedDependency[Database], call: NamedDependency[Call], data: JSONBody[OpenCase]
) -> CaseView:
    """Open an enforcement case of the clerk's court with its parties."""
    return await service.open_case(database, call, data)


@get("/api/cases", guards=[allow(*service.STAFF)])
async def list_cases(
    database: NamedDependency[Database],
    actor: NamedDependency[Actor],
    after: Annotated[UUID | None, QueryParameter()] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=100)] = 50,
) -> CaseList:
    """The cases of one's court, newest first; `after` is the cursor of the page before."""
    return await service.show_cases(database, actor, after, limit)


@get("/api/cases/{case_id:uuid}", guards=[allow(*service.STAFF)])
async def show_case(
    database: NamedDependency[Database], actor: NamedDependency[Actor], case_id: FromPath[UUID]
) -> CaseView:
    """One case of one's court with parties and panel decisions."""
    return await service.show_case(database, actor, case_id)


@post("/api/cases/{case_id:uuid}/decisions", guards=[allow(Role.JUDGE)], status_code=201)
async def record_decision(
    database: NamedDependency[Database],
    call: NamedDependency[Call],
    case_id: FromPath[UUID],
    data: JSONBody[RecordDecision],
) -> DecisionView:
    """Record a decision of the collegial panel (合议庭决定)."""
    return await service.record_decision(database, call, case_id, data)


ROUTES = [open_case, list_cases, show_case, record_decision]
