"""HTTP routes of served documents."""

from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from appraisal.delivery import service
from appraisal.delivery.schemas import RecordService, ServiceView
from kernel.actors import COURT_STAFF, Actor, Role
from kernel.database import Call, Database
from kernel.web import allow


@post("/api/cases/{case_id:uuid}/services", guards=[allow(Role.CLERK)], status_code=201)
async def record_service(
    database: NamedDependency[Database],
    call: NamedDependency[Call],
    case_id: FromPath[UUID],
    data: JSONBody[RecordService],
) -> ServiceView:
    """Record that a document was served on a party (送达), with its proof."""
    return await service.record_party_service(database, call, case_id, data)


@get("/api/cases/{case_id:uuid}/services", guards=[allow(*COURT_STAFF)])
async def list_services(
    database: NamedDependency[Database], actor: NamedDependency[Actor], case_id: FromPath[UUID]
) -> tuple[ServiceView, ...]:
    """Everything served in one case of one's court."""
    return await service.show_services(database, actor, case_id)


ROUTES = [record_service, list_services]
