"""HTTP routes of annulments."""

from uuid import UUID

from litestar import post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from kernel.actors import Role
from kernel.database import Call, Database
from kernel.web import allow
from settlement.annulment import service
from settlement.annulment.schemas import AnnulmentView, AnnulSale


@post("/api/lots/{lot_id:uuid}/annulment", guards=[allow(Role.JUDGE)], status_code=201)
async def annul_sale(
    database: NamedDependency[Database],
    call: NamedDependency[Call],
    lot_id: FromPath[UUID],
    data: JSONBody[AnnulSale],
) -> AnnulmentView:
    """The court annuls the sale (撤销拍卖): the money goes back, the thing is sold again."""
    return await service.annul_sale(database, call, lot_id, data)


ROUTES = [annul_sale]
