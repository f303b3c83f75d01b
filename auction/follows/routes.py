"""The doors of follows, each for the person who asks."""

from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from auction.follows import service
from auction.follows.schemas import Followed, Following
from kernel.actors import Actor, Role
from kernel.database import Call, Database
from kernel.web import allow


@post("/api/lots/{lot_id:uuid}/follow", guards=[allow(Role.BIDDER)], status_code=201)
async def follow(database: NamedDependency[Database], call: NamedDependency[Call], lot_id: FromPath[UUID]) -> Following:
    """Follow a lot (关注)."""
    return await service.follow(database, call, lot_id)


@post("/api/lots/{lot_id:uuid}/unfollow", guards=[allow(Role.BIDDER)], status_code=201)
async def unfollow(
    database: NamedDependency[Database], call: NamedDependency[Call], lot_id: FromPath[UUID]
) -> Following:
    """Follow a lot no longer."""
    return await service.unfollow(database, call, lot_id)


@get("/api/me/follows", guards=[allow(Role.BIDDER)])
async def show_followed(database: NamedDependency[Database], actor: NamedDependency[Actor]) -> Followed:
    """The lots one follows, the latest first."""
    return await service.show_followed(database, actor)


ROUTES = [follow, unfollow, show_followed]
