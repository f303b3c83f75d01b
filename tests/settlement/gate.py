"""A gate that holds one use case at the point its lock protects, while another runs to its end there."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import text

from kernel.database import Tx
from settlement.completion import case_money

PATIENCE = "SET LOCAL idle_in_transaction_session_timeout = '30s'"
"""Who stands at a gate is idle for longer than a use case ever is."""


class Gate:
    """Stops whoever first comes through it until it is opened."""

    def __init__(self) -> None:
        self.reached, self.opened = asyncio.Event(), asyncio.Event()

    def after(self, real: Callable[..., Any]) -> Callable[..., Any]:
        """`real`, and then the gate, the first time."""

        async def stopped(*arguments: Any, **named: Any) -> Any:
            found = await real(*arguments, **named)
            if not self.reached.is_set():
                await arguments[0].session.execute(text(PATIENCE))
                self.reached.set()
                await asyncio.wait_for(self.opened.wait(), 20)
            return found

        return stopped

    async def meanwhile(self, first: Any, second: Any) -> Any:
        """`second` runs to its end while `first` stands at the gate; what becomes of `first`."""
        doing = asyncio.create_task(first)
        await asyncio.wait_for(self.reached.wait(), 20)
        await second
        self.opened.set()
        return (await asyncio.gather(doing, return_exceptions=True))[0]


async def unlocked(tx: Tx, case_id: Any) -> Any:
    """What `lock_case_money` gives, without its lock."""
    return await case_money.case_account(tx, case_id)


async def unlocked_asset(tx: Tx, asset_id: UUID, *, shared: bool = False) -> None:
    """In place of the asset's lock."""


async def as_superuser(url: str, *statements: str) -> None:
    """Take protections of the database away, which the application may not."""
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()
