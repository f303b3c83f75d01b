"""HTTP routes of the reference price."""

from typing import Annotated
from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, PathParameter

from appraisal.reference_price import service
from appraisal.reference_price.schemas import (
    AppraisalView,
    DecideObjection,
    FixPrice,
    PricingView,
    RecordAppraisal,
    RecordReport,
    ReferencePriceView,
    ReportView,
)
from kernel.actors import COURT_STAFF, Actor, Role
from kernel.database import Call, Database
from kernel.web import allow


@post("/api/assets/{asset_id:uuid}/reports", guards=[allow(Role.CLERK)], status_code=201)
async def record_report(
    database: NamedDependency[Database],
    call: NamedDependency[Call],
    asset_id: FromPath[UUID],
    data: JSONBody[RecordReport],
) -> ReportView:
    """Record a platform's answer to the network enquiry (网络询价), or that it gave none in time."""
    return await service.record_report(database, call, asset_id, data)


@post("/api/assets/{asset_id:uuid}/reports/{platform:str}/objection", guards=[allow(Role.CLERK)], status_code=201)
async def decide_objection(
    database: NamedDependency[Database],
    call: NamedDependency[Call],
    asset_id: FromPath[UUID],
    platform: Annotated[str, PathParameter(max_length=64)],
    data: JSONBody[DecideObjection],
) -> ReportView:
    """Record what became of the objection to a platform's report."""
    return await service.decide_objection(database, call, asset_id, platform, data)


@post("/api/assets/{asset_id:uuid}/appraisal", guards=[allow(Role.CLERK)], status_code=201)
async def record_appraisal(
    database: NamedDependency[Database],
    call: NamedDependency[Call],
    asset_id: FromPath[UUID],
    data: JSONBody[RecordAppraisal],
) -> AppraisalView:
    """Record an appraisal (委托评估)."""
    return await service.record_appraisal(database, call, asset_id, data)


@post("/api/assets/{asset_id:uuid}/reference-price", guards=[allow(Role.JUDGE)], status_code=201)
async def fix_price(
    database: NamedDependency[Database],
    call: NamedDependency[Call],
    asset_id: FromPath[UUID],
    data: JSONBody[FixPrice],
) -> ReferencePriceView:
    """Fix the reference price (参考价) from what was recorded, or as parties or an authority stated it."""
    return await service.fix_price(database, call, asset_id, data)


@get("/api/assets/{asset_id:uuid}/reference-price", guards=[allow(*COURT_STAFF)])
async def show_pricing(
    database: NamedDependency[Database], actor: NamedDependency[Actor], asset_id: FromPath[UUID]
) -> PricingView:
    """The reference price with the reports and appraisals it rests on."""
    return await service.show_pricing(database, actor, asset_id)


ROUTES = [record_report, decide_objection, record_appraisal, fix_price, show_pricing]
