"""HTTP routes of payouts and of the case account."""

from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from kernel.actors import COURT_STAFF, Actor, Role
from kernel.database import Call, Database
from kernel.web import allow
from settlement.payouts import account, service, withholding
from settlement.payouts.schemas import (
    AccountView,
    EndWithholding,
    PayoutPolicyView,
    PayoutView,
    RegisterReward,
    RewardView,
    SetPayoutPolicy,
    Sign,
    Withhold,
    WithholdingView,
)


@post("/api/plans/{plan_id:uuid}/payouts", guards=[allow(Role.MAKER)], status_code=201)
async def make_batch(
    database: NamedDependency[Database], call: NamedDependency[Call], plan_id: FromPath[UUID]
) -> PayoutView:
    """Make the batch (制单) that pays a confirmed plan; its hash covers payee, account and amount of all lines."""
    return await service.make_batch(database, call, plan_id)


@get("/api/payouts/{batch_id:uuid}", guards=[allow(*COURT_STAFF)])
async def show_batch(
    database: NamedDependency[Database], actor: NamedDependency[Actor], batch_id: FromPath[UUID]
) -> PayoutView:
    """A batch with its lines, signatures and the state of every payment."""
    return await service.show_batch(database, actor, batch_id)


@post("/api/payouts/{batch_id:uuid}/check", guards=[allow(Role.CHECKER, Role.CHIEF)], status_code=201)
async def check_batch(
    database: NamedDependency[Database], call: NamedDependency[Call], batch_id: FromPath[UUID], data: JSONBody[Sign]
) -> PayoutView:
    """Check and approve the batch (复核审批): another person than the maker, giving its hash."""
    return await service.check_batch(database, call, batch_id, data)


@post("/api/payouts/{batch_id:uuid}/pay", guards=[allow(Role.PAYER)], status_code=201)
async def pay_batch(
    database: NamedDependency[Database], call: NamedDependency[Call], batch_id: FromPath[UUID], data: JSONBody[Sign]
) -> PayoutView:
    """Pay the batch (支付): a third person, giving its hash."""
    return await service.pay_batch(database, call, batch_id, data)


@get("/api/cases/{case_id:uuid}/account", guards=[allow(*COURT_STAFF)])
async def show_account(
    database: NamedDependency[Database], actor: NamedDependency[Actor], case_id: FromPath[UUID]
) -> AccountView:
    """The case account (执行案款账户): statement with running balance, and why money is still there."""
    return await account.show_account(database, actor, case_id)


@post("/api/plans/{plan_id:uuid}/withholdings", guards=[allow(Role.MAKER)], status_code=201)
async def withhold(
    database: NamedDependency[Database], call: NamedDependency[Call], plan_id: FromPath[UUID], data: JSONBody[Withhold]
) -> WithholdingView:
    """Ask that a payee's money is deferred (延缓发放) or deposited in escrow (提存); the chief approves it."""
    return await withholding.withhold(database, call, plan_id, data)


@post("/api/withholdings/{withholding_id:uuid}/approve", guards=[allow(Role.CHIEF)], status_code=201)
async def approve_withholding(
    database: NamedDependency[Database], call: NamedDependency[Call], withholding_id: FromPath[UUID]
) -> WithholdingView:
    """Approve it: the money leaves the case account for an account of its own."""
    return await withholding.approve_withholding(database, call, withholding_id)


@post("/api/withholdings/{withholding_id:uuid}/end", guards=[allow(Role.MAKER)], status_code=201)
async def end_withholding(
    database: NamedDependency[Database],
    call: NamedDependency[Call],
    withholding_id: FromPath[UUID],
    data: JSONBody[EndWithholding],
) -> WithholdingView:
    """Record that the ground ended: the money is back and is paid within ten days."""
    return await withholding.end_withholding(database, call, withholding_id, data)


@post("/api/cases/{case_id:uuid}/rewards", guards=[allow(Role.MAKER)], status_code=201)
async def register_reward(
    database: NamedDependency[Database],
    call: NamedDependency[Call],
    case_id: FromPath[UUID],
    data: JSONBody[RegisterReward],
) -> RewardView:
    """Register a reward (悬赏奖金), deducted from the creditor who asked for the notice alone."""
    return await withholding.register_reward(database, call, case_id, data)


@post("/api/payout-policy", guards=[allow(Role.CHIEF)], status_code=201)
async def set_payout_policy(
    database: NamedDependency[Database], call: NamedDependency[Call], data: JSONBody[SetPayoutPolicy]
) -> PayoutPolicyView:
    """Set the court's own limit for payouts in days, at most thirty."""
    return await withholding.set_policy(database, call, data)


ROUTES = [
    make_batch,
    show_batch,
    check_batch,
    pay_batch,
    show_account,
    withhold,
    approve_withholding,
    end_withholding,
    register_reward,
    set_payout_policy,
]
