"""HTTP routes of the bank's counter."""

from uuid import UUID

from litestar import get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from kernel.actors import Actor, Role
from kernel.database import Call, Database
from kernel.web import allow
from settlement.bank import service, simulated
from settlement.bank.errors import NoSimulatedBank
from settlement.bank.schemas import (
    ClaimCredit,
    Confirmation,
    CreditNotice,
    CreditView,
    MakeTransfer,
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
    return await service.confirm(database, call, data)


@get("/api/bank/orders", guards=[allow(Role.MACHINE)])
async def show_waiting(database: NamedDependency[Database], actor: NamedDependency[Actor]) -> WaitingOrders:
    """Payment orders that wait for the bank, with their payees."""
    return await service.show_waiting(database, actor)


@post("/api/bank/orders/{order_id:uuid}/again", guards=[allow(Role.PAYER)], status_code=201)
async def order_again(
    database: NamedDependency[Database], call: NamedDependency[Call], order_id: FromPath[UUID]
) -> OrderView:
    """Order a refund that the bank rejected once more, to the same account."""
    return await service.order_again(database, call, order_id)


@get("/api/bank/unidentified", guards=[allow(Role.MAKER, Role.CHECKER, Role.PAYER, Role.AUDITOR)])
async def show_unidentified(database: NamedDependency[Database], actor: NamedDependency[Actor]) -> UnidentifiedCredits:
    """Money that arrived on a number we do not know (不明款项)."""
    return await service.show_unidentified(database, actor)


@post("/api/bank/credits/{credit_id:uuid}/claim", guards=[allow(Role.MAKER)], status_code=201)
async def claim_credit(
    database: NamedDependency[Database],
    call: NamedDependency[Call],
    credit_id: FromPath[UUID],
    data: JSONBody[ClaimCredit],
) -> CreditView:
    """Match an unidentified credit by hand to one of our accounts (认领)."""
    return await service.claim_credit(database, call, credit_id, data)


@post("/api/bank/credits/{credit_id:uuid}/return", guards=[allow(Role.MAKER)], status_code=201)
async def return_credit(
    database: NamedDependency[Database],
    call: NamedDependency[Call],
    credit_id: FromPath[UUID],
    data: JSONBody[ReturnCredit],
) -> OrderView:
    """Send an unidentified credit back to the account that paid it (退回)."""
    return await service.return_credit(database, call, credit_id, data)


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
    claim_credit,
    return_credit,
    make_transfer,
]
