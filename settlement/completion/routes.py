"""HTTP routes of completion."""

from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from kernel.actors import COURT_STAFF, Actor, Role
from kernel.database import Call, Database
from kernel.web import allow, anyone
from settlement.completion import case_money, defaults, service
from settlement.completion.sale_schemas import (
    AddCost,
    CaseCosts,
    CaseNumber,
    Confirmation,
    CostView,
    Coverage,
    DeclareDefault,
    DefaultDeclared,
    DefaultUses,
    DefaultUseView,
    HandOver,
    NameRelatedDebt,
    OrderShortfall,
    RuleSale,
    SaleView,
    ServeRuling,
)


@get("/api/lots/{lot_id:uuid}/sale", guards=[allow()])
async def show_sale(
    database: NamedDependency[Database], actor: NamedDependency[Actor], lot_id: FromPath[UUID]
) -> SaleView:
    """A sale on its way (成交后履行), for the buyer and the court."""
    return await service.show_sale(database, actor, lot_id)


@get("/api/lots/{lot_id:uuid}/confirmation", guards=[anyone])
async def show_confirmation(
    database: NamedDependency[Database], actor: NamedDependency[Actor], lot_id: FromPath[UUID]
) -> Confirmation:
    """The confirmation of the sale (成交确认书) with the buyer's real name, open to everybody."""
    return await service.show_confirmation(database, actor, lot_id)


@post("/api/lots/{lot_id:uuid}/ruling", guards=[allow(Role.JUDGE)], status_code=201)
async def rule_sale(
    database: NamedDependency[Database],
    call: NamedDependency[Call],
    lot_id: FromPath[UUID],
    data: JSONBody[RuleSale],
) -> SaleView:
    """The sale ruling (成交裁定) after full payment."""
    return await service.rule_sale(database, call, lot_id, data)


@post("/api/lots/{lot_id:uuid}/ruling-service", guards=[allow(Role.CLERK)], status_code=201)
async def serve_ruling(
    database: NamedDependency[Database],
    call: NamedDependency[Call],
    lot_id: FromPath[UUID],
    data: JSONBody[ServeRuling],
) -> SaleView:
    """The ruling was served on the buyer: title passes, the price reaches the case account."""
    return await service.serve_ruling(database, call, lot_id, data)


@post("/api/lots/{lot_id:uuid}/handover", guards=[allow(Role.CLERK)], status_code=201)
async def hand_over(
    database: NamedDependency[Database],
    call: NamedDependency[Call],
    lot_id: FromPath[UUID],
    data: JSONBody[HandOver],
) -> SaleView:
    """The thing was handed over (交付)."""
    return await service.hand_over(database, call, lot_id, data)


@post("/api/lots/{lot_id:uuid}/default", guards=[allow(Role.JUDGE)], status_code=201)
async def declare_default(
    database: NamedDependency[Database],
    call: NamedDependency[Call],
    lot_id: FromPath[UUID],
    data: JSONBody[DeclareDefault],
) -> DefaultDeclared:
    """The buyer defaulted (悔拍): the deposit is forfeited and a resale ordered."""
    return await defaults.declare_default(database, call, lot_id, data)


@post("/api/lots/{lot_id:uuid}/shortfall-order", guards=[allow(Role.JUDGE)], status_code=201)
async def order_shortfall(
    database: NamedDependency[Database],
    call: NamedDependency[Call],
    lot_id: FromPath[UUID],
    data: JSONBody[OrderShortfall],
) -> DefaultUseView:
    """The court orders the defaulting buyer to make good what the deposit left uncovered (责令补交差价)."""
    return await defaults.order_shortfall(database, call, lot_id, data)


@post("/api/lots/{lot_id:uuid}/related-debts", guards=[allow(Role.JUDGE)], status_code=201)
async def name_related_debt(
    database: NamedDependency[Database],
    call: NamedDependency[Call],
    lot_id: FromPath[UUID],
    data: JSONBody[NameRelatedDebt],
) -> DefaultUseView:
    """The panel names a debt connected with the property, which the rest of a forfeited deposit pays."""
    return await defaults.name_related_debt(database, call, lot_id, data)


@post("/api/cases/{case_id:uuid}/account", guards=[allow(Role.CLERK, Role.MAKER)], status_code=201)
async def open_account(
    database: NamedDependency[Database], call: NamedDependency[Call], case_id: FromPath[UUID]
) -> CaseNumber:
    """Open the case account (一案一账号) before any money comes, for the documents that name it."""
    return await case_money.open_account(database, call, case_id)


@post("/api/cases/{case_id:uuid}/costs", guards=[allow(Role.MAKER)], status_code=201)
async def add_cost(
    database: NamedDependency[Database],
    call: NamedDependency[Call],
    case_id: FromPath[UUID],
    data: JSONBody[AddCost],
) -> CostView:
    """Register a cost of the case."""
    return await case_money.add_cost(database, call, case_id, data)


@get("/api/cases/{case_id:uuid}/costs", guards=[allow(*COURT_STAFF)])
async def show_costs(
    database: NamedDependency[Database], actor: NamedDependency[Actor], case_id: FromPath[UUID]
) -> CaseCosts:
    """The costs of a case and its enforcement fee."""
    return await case_money.show_costs(database, actor, case_id)


@get("/api/cases/{case_id:uuid}/coverage", guards=[allow(*COURT_STAFF)])
async def show_coverage(
    database: NamedDependency[Database], actor: NamedDependency[Actor], case_id: FromPath[UUID]
) -> Coverage:
    """Whether the case's sales cover debt and costs, and which lots to stop then."""
    return await case_money.show_coverage(database, actor, case_id)


@get("/api/cases/{case_id:uuid}/default-use", guards=[allow(*COURT_STAFF)])
async def show_default_uses(
    database: NamedDependency[Database], actor: NamedDependency[Actor], case_id: FromPath[UUID]
) -> DefaultUses:
    """How forfeited deposits are used in four steps; what they do not cover is shown and never charged."""
    return await defaults.show_default_uses(database, actor, case_id)


ROUTES = [
    show_sale,
    show_confirmation,
    rule_sale,
    serve_ruling,
    hand_over,
    declare_default,
    order_shortfall,
    name_related_debt,
    open_account,
    add_cost,
    show_costs,
    show_coverage,
    show_default_uses,
]
