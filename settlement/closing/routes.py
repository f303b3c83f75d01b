"""HTTP routes of the daily closing."""

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from kernel.actors import Actor, Role
from kernel.database import Call, Database
from kernel.web import allow
from settlement.closing import service
from settlement.closing.schemas import CloseDay, Closings, ClosingView


@post("/api/bank/closings", guards=[allow(Role.MAKER, Role.CHECKER)], status_code=201)
async def close_day(
    database: NamedDependency[Database], call: NamedDependency[Call], data: JSONBody[CloseDay]
) -> ClosingView:
    """Reconcile a day with the bank's statement (日终对账); every difference has a name, and they add up."""
    return await service.close_day(database, call, data)


@get("/api/bank/closings", guards=[allow(*service.READERS)])
async def show_closings(database: NamedDependency[Database], actor: NamedDependency[Actor]) -> Closings:
    """The last closing of each day, newest first."""
    return await service.show_closings(database, actor)


ROUTES = [close_day, show_closings]
