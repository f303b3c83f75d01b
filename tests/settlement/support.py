"""What the tests of settlement share: a relay with the simulated bank, notices, and books that must verify."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID

from kernel.actors import Role, platform
from kernel.database import Database, Tx
from kernel.money import Fen
from kernel.outbox import Relay
from settlement.bank import jobs as bank_jobs
from settlement.bank import service as bank
from settlement.bank.rules import Payee, Wanted
from settlement.bank.schemas import CreditNotice, CreditView
from settlement.ledger import service as ledger
from settlement.ledger import verify as ledger_verify
from settlement.ledger.models import Account
from tests.support.house import actor, call

T = TypeVar("T")

BOOKED_AT = datetime(2025, 3, 2, 2, 0, tzinfo=UTC)
MACHINE = actor(Role.MACHINE, name="bank")


def bank_relay(database: Database) -> Relay:
    """A relay whose payment orders go to the simulated bank."""
    relay = Relay(database)
    bank_jobs.subscribe(relay)
    return relay


def notice(
    bank_ref: str, account_no: str, amount_fen: int, payer: str = "王小明", account: str = "6222000011112222"
) -> CreditNotice:
    """A credit notice as the bank's machine sends it."""
    return CreditNotice(
        bank_ref=bank_ref,
        account_no=account_no,
        amount_fen=Fen(amount_fen),
        payer_name=payer,
        payer_account=account,
        booked_at=BOOKED_AT,
    )


async def credit(database: Database, sent: CreditNotice) -> CreditView:
    """The bank's machine sends the notice under a fresh idempotency key."""
    return await bank.book_credit(database, call(MACHINE), sent)


async def within(database: Database, work: Callable[[Tx], Awaitable[T]]) -> T:
    """Run `work` in one writing transaction of the platform."""
    async with database.transaction(platform("test")) as tx:
        return await work(tx)


async def order_payment(tx: Tx, source: Account, payee: Payee, amount_fen: int, key: str) -> UUID:
    """Order one payment out of an account."""
    wanted = Wanted(key, payee, Fen(amount_fen), reason="test.payout", document="plan:1")
    [order_id] = await bank.order_payments(tx, source, [wanted])
    return order_id


async def beside(
    database: Database, first: Callable[[Tx], Awaitable[object]], second: Callable[[Tx], Awaitable[T]]
) -> T:
    """Run `second` from when `first` has done its work until after its commit: locks decide what it reads meanwhile."""
    async with database.transaction(platform("test")) as tx:
        await first(tx)
        waiting = asyncio.create_task(within(database, second))
        await asyncio.wait({waiting}, timeout=0.5)
    return await waiting


async def read_balances(tx: Tx, ids: Collection[UUID]) -> dict[UUID, int]:
    """For controls: what accounts hold, without the lock."""
    return {account_id: await ledger.balance(tx, account_id) for account_id in ids}


async def balance_of(database: Database, natural_key: str) -> int:
    """What the account under this natural key holds, in fen; 0 when nobody opened it."""
    async with database.reading(platform("test")) as tx:
        account = await ledger.store.find_account(tx, natural_key)
        return await ledger.balance(tx, account.id) if account else 0


async def money_inside(database: Database) -> dict[str, int]:
    """Balances of all holder accounts that hold anything, summed by kind."""
    async with database.reading(platform("test")) as tx:
        found: dict[str, int] = {}
        for account in await ledger.store.all_accounts(tx):
            if account.balance_fen:
                found[account.kind] = found.get(account.kind, 0) + account.balance_fen
        return found


async def ledger_faults(database: Database) -> list[str]:
    """What `verify` finds in the books."""
    async with database.reading(platform("test")) as tx:
        return await ledger_verify.faults(tx)
