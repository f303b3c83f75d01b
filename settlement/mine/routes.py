"""The door of my place."""

from litestar import get
from litestar.di import NamedDependency

from kernel.actors import Actor, Role
from kernel.database import Database
from kernel.web import allow
from settlement.mine import service
from settlement.mine.schemas import MyAuctions


@get("/api/me/auctions", guards=[allow(Role.BIDDER)])
async def show_mine(database: NamedDependency[Database], actor: NamedDependency[Actor]) -> MyAuctions:
    """One's own registrations: code, deposit, bids, result, balance, papers."""
    return await service.show_mine(database, actor)


ROUTES = [show_mine]
