"""HTTP routes of titled claims."""

from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from appraisal.claims import service
from appraisal.claims.schemas import ClaimView, RegisterClaim
from kernel.actors import COURT_STAFF, Actor, Role
from kernel.database import Call, Database
from kernel.web import allow


@post("/api/cases/{case_id:uuid}/claims", guards=[allow(Role.CLERK)], status_code=201)
async def register_claim(
    database: NamedDependency[Database],
    call: NamedDependency[Call],
    case_id: FromPath[UUID],
    data: JSONBody[RegisterClaim],
) -> ClaimView:
    """Register a creditor's claim under its title (执行依据)."""
    return await service.register_claim(database, call, case_id, data)


@get("/api/cases/{case_id:uuid}/claims", guards=[allow(*COURT_STAFF)])
async def list_claims(
    database: NamedDependency[Database], actor: NamedDependency[Actor], case_id: FromPath[UUID]
) -> tuple[ClaimView, ...]:
    """The claims of one case of one's court, in order of registration."""
    return await service.show_claims(database, actor, case_id)


ROUTES = [register_claim, list_claims]
