"""A case account at the bank's counter, and orders out of it."""

from uuid import UUID

from sqlalchemy import func, select

from kernel.actors import platform
from kernel.database import Database, Tx
from settlement.bank import service as bank
from settlement.bank.models import SimulatedOrder
from settlement.bank.rules import Payee
from settlement.bank.simulated import CLOSED_ACCOUNT
from settlement.ledger import service as ledger
from settlement.ledger.models import Account
from settlement.ledger.rules import Kind
from tests.settlement.support import order_payment, within

PAYEE = Payee("申请执行人甲", "6217000000000001", "建设银行")
CLOSED = Payee("已注销", f"{CLOSED_ACCOUNT}1111", "建设银行")


async def case_account(tx: Tx) -> Account:
    return await ledger.open_account(tx, Kind.CASE, "one")


async def case_number(database: Database) -> str:
    number = (await within(database, case_account)).number
    assert number is not None
    return number


async def ordered(database: Database, amount_fen: int, payee: Payee = PAYEE, key: str = "pay-1") -> UUID:
    async def work(tx: Tx) -> UUID:
        return await order_payment(tx, await case_account(tx), payee, amount_fen, key)

    return await within(database, work)


async def state_of(database: Database, order_id: UUID) -> str:
    async with database.reading(platform("test")) as tx:
        return (await bank.show_order(tx, order_id)).state


async def paid_by_bank(database: Database) -> int:
    """What left the house by the simulated bank's own book, in fen."""
    async with database.reading(platform("test")) as tx:
        return int(
            await tx.session.scalar(
                select(func.coalesce(func.sum(SimulatedOrder.amount_fen), 0)).where(
                    SimulatedOrder.outcome == "executed"
                )
            )
            or 0
        )
