"""HTTP routes of the bank's counter."""

from uuid import UUID

from litestar import get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from kernel.actors import Actor, Role
from kernel.database import Call, Database
from kernel.web import allow
from settlement.bank import answers, matching, service, simulated
from settlement.bank.errors import NoSimulatedBank, OrdersLeaveInFiles
from settlement.bank.schemas import (
    CheckMatch,
    ClaimCredit,
    Confirmation,
    CreditNotice,
    CreditView,
    MakeTransfer,
    MatchView,
    OrderView,
    ReturnCredit,
    TransferAccepted,
    UnidentifiedCredits,
    WaitingOrders,
)


@post("/api/bank/credits", guards=[allow(Role.MACHINE)], status_code=201)
async def book_credit(
    database: NamedDependency[Database], call: NamedDependency[Call], data: JSONBody[CreditNotice]
) -> CreditView:
    """A bank's credit notice (到账通知): booked once per bank reference."""
    return await service.book_credit(database, call, data)


@post("/api/bank/confirmations", guards=[allow(Role.MACHINE)], status_code=201)
async def confirm_payment(
    database: NamedDependency[Database], call: NamedDependency[Call], data: JSONBody[Confirmation]
) -> OrderView:
    """A bank's answer to a payment order (付款回执)."""
    return await answers.confirm(database, call, data)


@get("/api/bank/orders", guards=[allow(Role.MACHINE)])
async def show_waiting(
    database: NamedDependency[Database], actor: NamedDependency[Actor], state: State
) -> WaitingOrders:
    """Payment orders that wait for the bank, with their payees; refused where they leave in files."""
    if state["settings"].bank_account is not None:
        raise OrdersLeaveInFiles()
    return await answers.show_waiting(database, actor)


@post("/api/bank/orders/{order_id:uuid}/again", guards=[allow(Role.PAYER)], status_code=201)
async def order_again(
    database: NamedDependency[Database], call: NamedDependency[Call], order_id: FromPath[UUID]
) -> OrderView:
    """Order a refund that the bank rejected once more, to the same account."""
    return await service.order_again(database, call, order_id)


@get("/api/bank/unidentified", guards=[allow(Role.MAKER, Role.CHECKER, Role.PAYER, Role.AUDITOR)])
async def show_unidentified(
    database: NamedDependency[Database], actor: NamedDependency[Actor], state: State
) -> UnidentifiedCredits:
    """Money that waits to be matched by hand (不明款项), with what makers proposed and what is overdue."""
    return await matching.show_unidentified(database, actor, state["settings"].claim_days)


@post("/api/bank/credits/{credit_id:uuid}/claim", guards=[allow(Role.MAKER)], status_code=201)
async def propose_claim(
    database: NamedDependency[Database],
    call: NamedDependency[Call],
    credit_id: FromPath[UUID],
    data: JSONBody[ClaimCredit],
) -> MatchView:
    """Propose to match an unidentified credit to one of our accounts (认领); a checker signs the hash."""
    return await matching.propose_claim(database, call, credit_id, data)


@post("/api/bank/credits/{credit_id:uuid}/return", guards=[allow(Role.MAKER)], status_code=201)
async def propose_return(
    database: NamedDependency[Database],
    call: NamedDependency[Call],
    credit_id: FromPath[UUID],
    data: JSONBody[ReturnCredit],
) -> MatchView:
    """Propose to send an unidentified credit back to the account that paid it (退回); a checker signs the hash."""
    return await matching.propose_return(database, call, credit_id, data)


@post("/api/bank/matches/{match_id:uuid}/check", guards=[allow(Role.CHECKER)], status_code=201)
async def check_match(
    database: NamedDependency[Database],
    call: NamedDependency[Call],
    match_id: FromPath[UUID],
    data: JSONBody[CheckMatch],
) -> MatchView:
    """Check what a maker proposed for a credit (复核): another person, giving its hash. The money moves."""
    return await matching.check_match(database, call, match_id, data)


@post("/api/simulated-bank/transfers", guards=[allow()], status_code=201)
async def make_transfer(
    database: NamedDependency[Database], call: NamedDependency[Call], state: State, data: JSONBody[MakeTransfer]
) -> TransferAccepted:
    """The world outside: a person pays at their own bank. Only where the simulated bank is switched on."""
    if not state["settings"].simulated_bank:
        raise NoSimulatedBank()
    return await simulated.make_transfer(database, call, data)


ROUTES = [
    book_credit,
    confirm_payment,
    show_waiting,
    order_again,
    show_unidentified,
    propose_claim,
    propose_return,
    check_match,
    make_transfer,
]
