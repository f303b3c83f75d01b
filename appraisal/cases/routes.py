"""HTTP routes of cases and panel decisions."""

from typing import Annotated
from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from appraisal.cases import service
from appraisal.cases.schemas import (
    CaseList,
    CaseView,
    DecisionView,
    LinkParty,
    OpenCase,
    PartyView,
    RecordDecision,
    UnlinkParty,
)
from kernel.actors import COURT_STAFF, Actor, Role
from kernel.database import Call, Database
from kernel.web import allow


@post("/api/cases", guards=[allow(Role.CLERK)], status_code=201)
async def open_case(
    database: NamedDependency[Database], call: NamedDependency[Call], data: JSONBody[OpenCase]
) -> CaseView:
    """Open an enforcement case of the clerk's court with its parties."""
    return await service.open_case(database, call, data)


@get("/api/cases", guards=[allow(*COURT_STAFF)])
async def list_cases(
    database: NamedDependency[Database],
    actor: NamedDependency[Actor],
    after: Annotated[UUID | None, QueryParameter()] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=100)] = 50,
) -> CaseList:
    """The cases of one's court, newest first; `after` is the cursor of the page before."""
    return await service.show_cases(database, actor, after, limit)


@get("/api/cases/{case_id:uuid}", guards=[allow(*COURT_STAFF)])
async def show_case(
    database: NamedDependency[Database], actor: NamedDependency[Actor], case_id: FromPath[UUID]
) -> CaseView:
    """One case of one's court with parties and panel decisions."""
    return await service.show_case(database, actor, case_id)


@post("/api/cases/{case_id:uuid}/parties/{party_id:uuid}/link", guards=[allow(Role.CLERK)], status_code=201)
async def link_party(
    database: NamedDependency[Database],
    call: NamedDependency[Call],
    case_id: FromPath[UUID],
    party_id: FromPath[UUID],
    data: JSONBody[LinkParty],
) -> PartyView:
    """Link a party with the real-name account of the party or its representative, who may then read the case."""
    return await service.link_party(database, call, case_id, party_id, data)


@post("/api/cases/{case_id:uuid}/parties/{party_id:uuid}/unlink", guards=[allow(Role.CLERK)], status_code=201)
async def unlink_party(
    database: NamedDependency[Database],
    call: NamedDependency[Call],
    case_id: FromPath[UUID],
    party_id: FromPath[UUID],
    data: JSONBody[UnlinkParty],
) -> PartyView:
    """Part a party from the account that it was linked with."""
    return await service.unlink_party(database, call, case_id, party_id, data)


@post("/api/cases/{case_id:uuid}/decisions", guards=[allow(Role.JUDGE)], status_code=201)
async def record_decision(
    database: NamedDependency[Database],
    call: NamedDependency[Call],
    case_id: FromPath[UUID],
    data: JSONBody[RecordDecision],
) -> DecisionView:
    """Record a decision of the collegial panel (合议庭决定)."""
    return await service.record_decision(database, call, case_id, data)


ROUTES = [open_case, list_cases, show_case, link_party, unlink_party, record_decision]
