"""HTTP routes of assets, seizures and holds."""

from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from appraisal.assets import service
from appraisal.assets.schemas import (
    AssetView,
    HoldView,
    PlaceHold,
    RegisterAsset,
    RegisterSeizure,
    RenewSeizure,
    SeizureView,
)
from kernel.actors import COURT_STAFF, Actor, Role
from kernel.database import Call, Database
from kernel.web import allow


@post("/api/cases/{case_id:uuid}/assets", guards=[allow(Role.CLERK)], status_code=201)
async def register_asset(
    database: NamedDependency[Database],
    call: NamedDependency[Call],
    case_id: FromPath[UUID],
    data: JSONBody[RegisterAsset],
) -> AssetView:
    """Register an asset of the debtor."""
    return await service.register_asset(database, call, case_id, data)


@get("/api/cases/{case_id:uuid}/assets", guards=[allow(*COURT_STAFF)])
async def list_assets(
    database: NamedDependency[Database], actor: NamedDependency[Actor], case_id: FromPath[UUID]
) -> tuple[AssetView, ...]:
    """The assets of one case of one's court."""
    return await service.show_assets(database, actor, case_id)


@get("/api/assets/{asset_id:uuid}", guards=[allow(*COURT_STAFF)])
async def show_asset(
    database: NamedDependency[Database], actor: NamedDependency[Actor], asset_id: FromPath[UUID]
) -> AssetView:
    """One asset with its seizures, what each is worth today, and the holds that stand."""
    return await service.show_asset(database, actor, asset_id)


@post("/api/assets/{asset_id:uuid}/seizures", guards=[allow(Role.CLERK)], status_code=201)
async def register_seizure(
    database: NamedDependency[Database],
    call: NamedDependency[Call],
    asset_id: FromPath[UUID],
    data: JSONBody[RegisterSeizure],
) -> SeizureView:
    """Register a seizure (查封、扣押、冻结) or a waiting one (轮候)."""
    return await service.register_seizure(database, call, asset_id, data)


@post("/api/seizures/{seizure_id:uuid}/renewals", guards=[allow(Role.CLERK)], status_code=201)
async def renew_seizure(
    database: NamedDependency[Database],
    call: NamedDependency[Call],
    seizure_id: FromPath[UUID],
    data: JSONBody[RenewSeizure],
) -> SeizureView:
    """Renew a seizure (续封) before it lapses."""
    return await service.renew_seizure(database, call, seizure_id, data)


@post("/api/assets/{asset_id:uuid}/holds", guards=[allow(Role.JUDGE)], status_code=201)
async def place_hold(
    database: NamedDependency[Database],
    call: NamedDependency[Call],
    asset_id: FromPath[UUID],
    data: JSONBody[PlaceHold],
) -> HoldView:
    """Forbid the asset's disposal, for example while a third party's objection (案外人异议) is heard."""
    return await service.place_hold(database, call, asset_id, data)


@post("/api/holds/{hold_id:uuid}/lift", guards=[allow(Role.JUDGE)], status_code=201)
async def lift_hold(
    database: NamedDependency[Database], call: NamedDependency[Call], hold_id: FromPath[UUID]
) -> HoldView:
    """Lift a hold."""
    return await service.lift_hold(database, call, hold_id)


ROUTES = [register_asset, list_assets, show_asset, register_seizure, renew_seizure, place_hold, lift_hold]
