"""The court's doors to drafts of lots."""

from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from auction.lots import after_failure, service
from auction.lots.schemas import AfterFailureView, CreditorsAsked, LotRows, LotSaved, LotTerms
from kernel.actors import COURT_STAFF, Actor, Role
from kernel.database import Call, Database
from kernel.web import allow


@post("/api/lots", guards=[allow(Role.CLERK)], status_code=201)
async def draft_lot(
    database: NamedDependency[Database], call: NamedDependency[Call], data: JSONBody[LotTerms]
) -> LotSaved:
    """Draft a round, resale or sell-off of an asset with the terms the panel decided (R-GEN-05)."""
    return await service.draft_lot(database, call, data)


@post("/api/lots/{lot_id:uuid}/terms", guards=[allow(Role.CLERK)], status_code=201)
async def change_terms(
    database: NamedDependency[Database], call: NamedDependency[Call], lot_id: FromPath[UUID], data: JSONBody[LotTerms]
) -> LotSaved:
    """Replace the terms of a draft; refused once the announcement is out (R-PUB-02)."""
    return await service.change_terms(database, call, lot_id, data)


@get(
    "/api/cases/{case_id:uuid}/lots",
    guards=[allow(*COURT_STAFF)],
)
async def list_case_lots(
    database: NamedDependency[Database], actor: NamedDependency[Actor], case_id: FromPath[UUID]
) -> LotRows:
    """All lots of a case for its court, drafts among them."""
    return await service.list_case_lots(database, actor, case_id)


@post("/api/lots/{lot_id:uuid}/creditors-asked", guards=[allow(Role.CLERK)], status_code=201)
async def record_creditors_asked(
    database: NamedDependency[Database],
    call: NamedDependency[Call],
    lot_id: FromPath[UUID],
    data: JSONBody[CreditorsAsked],
) -> AfterFailureView:
    """Record that creditors were asked about taking in satisfaction after the second round failed (R-SELL-01)."""
    return await after_failure.record_creditors_asked(database, call, lot_id, data)


ROUTES = [draft_lot, change_terms, list_case_lots, record_creditors_asked]
