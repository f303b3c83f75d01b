"""HTTP routes of deposits."""

from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from kernel.actors import COURT_STAFF, Actor, Role
from kernel.database import Call, Database
from kernel.web import allow
from settlement.deposits import review, service
from settlement.deposits.schemas import LotDeposits, OwnDeposit, Review, ReviewLot


@get("/api/lots/{lot_id:uuid}/deposit", guards=[allow(Role.BIDDER)])
async def show_own_deposit(
    database: NamedDependency[Database], actor: NamedDependency[Actor], lot_id: FromPath[UUID]
) -> OwnDeposit:
    """The bidder's own deposit (保证金): the account to pay to, what came in, where it stands."""
    return await service.show_own(database, actor, lot_id)


@get("/api/lots/{lot_id:uuid}/deposits", guards=[allow(*COURT_STAFF)])
async def show_lot_deposits(
    database: NamedDependency[Database], actor: NamedDependency[Actor], lot_id: FromPath[UUID]
) -> LotDeposits:
    """All deposits of a lot for its court: amounts and states, never payers."""
    return await service.show_lot(database, actor, lot_id)


@post("/api/lots/{lot_id:uuid}/reviews", guards=[allow(Role.JUDGE)], status_code=201)
async def review_lot(
    database: NamedDependency[Database], call: NamedDependency[Call], lot_id: FromPath[UUID], data: JSONBody[ReviewLot]
) -> Review:
    """Report bidders of a finished lot with a payer or an address in common, for the court to look at."""
    return await review.review_lot(database, call, lot_id, data)


ROUTES = [show_own_deposit, show_lot_deposits, review_lot]
