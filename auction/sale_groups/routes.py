"""The court's doors to sale groups."""

from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from auction.sale_groups import service
from auction.sale_groups.schemas import GroupMade, GroupsOfCase, MakeGroup
from kernel.actors import Actor, Role
from kernel.database import Call, Database
from kernel.web import allow


@post("/api/cases/{case_id:uuid}/sale-groups", guards=[allow(Role.JUDGE)], status_code=201)
async def make_group(
    database: NamedDependency[Database], call: NamedDependency[Call], case_id: FromPath[UUID], data: JSONBody[MakeGroup]
) -> GroupMade:
    """State the debt that several lots serve; once it is covered the rest is stopped (R-CLOSE-12)."""
    return await service.make_group(database, call, case_id, data)


@get("/api/cases/{case_id:uuid}/sale-groups", guards=[allow(Role.CLERK, Role.JUDGE, Role.CHIEF)])
async def list_groups(
    database: NamedDependency[Database], actor: NamedDependency[Actor], case_id: FromPath[UUID]
) -> GroupsOfCase:
    """The sale groups of a case, for its court."""
    return await service.list_groups(database, actor, case_id)


ROUTES = [make_group, list_groups]
