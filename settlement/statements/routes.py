"""HTTP routes of statements and figures."""

from typing import Annotated
from uuid import UUID

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from kernel.actors import COURT_STAFF, Actor, Role
from kernel.database import Database
from kernel.web import allow, anyone
from settlement.statements import service
from settlement.statements.schemas import CaseMoney, PayeeStatement, StatementView

Year = Annotated[int | None, QueryParameter(ge=2000, le=2199)]


@get("/api/lots/{lot_id:uuid}/account", guards=[allow()])
async def show_lot(
    database: NamedDependency[Database], actor: NamedDependency[Actor], lot_id: FromPath[UUID]
) -> StatementView:
    """The account of a lot's price (成交款), for its buyer, or who takes the thing in satisfaction, and the court."""
    return await service.show_lot(database, actor, lot_id)


@get("/api/lots/{lot_id:uuid}/deposit/account", guards=[allow(Role.BIDDER)])
async def show_own_deposit(
    database: NamedDependency[Database], actor: NamedDependency[Actor], lot_id: FromPath[UUID]
) -> StatementView:
    """The movements of the bidder's own deposit (保证金流水)."""
    return await service.show_own_deposit(database, actor, lot_id)


@get("/api/registrations/{registration_id:uuid}/account", guards=[allow(*COURT_STAFF)])
async def show_registration(
    database: NamedDependency[Database], actor: NamedDependency[Actor], registration_id: FromPath[UUID]
) -> StatementView:
    """The movements of a deposit for the court, once bidding has ended."""
    return await service.show_registration(database, actor, registration_id)


@get("/api/cases/{case_id:uuid}/parties/{party_id:uuid}/payments", guards=[allow()])
async def show_payee(
    database: NamedDependency[Database],
    actor: NamedDependency[Actor],
    case_id: FromPath[UUID],
    party_id: FromPath[UUID],
) -> PayeeStatement:
    """What a party is paid (收款人对账单): for that party and the court."""
    return await service.show_payee(database, actor, case_id, party_id)


@get("/api/statistics/case-money", guards=[anyone])
async def show_case_money(database: NamedDependency[Database], year: Year = None) -> CaseMoney:
    """Case money (执行案款) by court and quarter: received, paid out, on case accounts, and held over 30 days."""
    return await service.show_case_money(database, year)


ROUTES = [show_lot, show_own_deposit, show_registration, show_payee, show_case_money]
