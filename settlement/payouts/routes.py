"""HTTP routes of payouts and of the case account."""

from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from kernel.actors import Actor, Role
from kernel.database import Call, Database
from kernel.web import allow
from settlement.distribution.service import STAFF
from settlement.payouts import service
from settlement.payouts.schemas import AccountView, PayoutView, Sign


@post("/api/plans/{plan_id:uuid}/payouts", guards=[allow(Role.MAKER)], status_code=201)
async def make_batch(
    database: NamedDependency[Database], call: NamedDependency[Call], plan_id: FromPath[UUID]
) -> PayoutView:
    """Make the batch (制单) that pays a confirmed plan; its hash covers payee, account and amount of all lines."""
    return await service.make_batch(database, call, plan_id)


@get("/api/payouts/{batch_id:uuid}", guards=[allow(*STAFF)])
async def show_batch(
    database: NamedDependency[Database], actor: NamedDependency[Actor], batch_id: FromPath[UUID]
) -> PayoutView:
    """A batch with its lines, signatures and the state of every payment."""
    return await service.show_batch(database, actor, batch_id)


@post("/api/payouts/{batch_id:uuid}/check", guards=[allow(Role.CHECKER)], status_code=201)
async def check_batch(
    database: NamedDependency[Database], call: NamedDependency[Call], batch_id: FromPath[UUID], data: JSONBody[Sign]
) -> PayoutView:
    """Check the batch (复核): another person than the maker, giving its hash."""
    return await service.check_batch(database, call, batch_id, data)


@post("/api/payouts/{batch_id:uuid}/pay", guards=[allow(Role.PAYER)], status_code=201)
async def pay_batch(
    database: NamedDependency[Database], call: NamedDependency[Call], batch_id: FromPath[UUID], data: JSONBody[Sign]
) -> PayoutView:
    """Pay the batch (支付): a third person, giving its hash."""
    return await service.pay_batch(database, call, batch_id, data)


@get("/api/cases/{case_id:uuid}/account", guards=[allow(*STAFF)])
async def show_account(
    database: NamedDependency[Database], actor: NamedDependency[Actor], case_id: FromPath[UUID]
) -> AccountView:
    """The case account (执行案款账户): statement with running balance, and why money is still there."""
    return await service.show_account(database, actor, case_id)


ROUTES = [make_batch, show_batch, check_batch, pay_batch, show_account]
