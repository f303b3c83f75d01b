"""`auction verify`: replays and checks everything the database says, and prints what does not hold."""

import asyncio
import sys

from sqlalchemy import text

from app.rehearsal import as_marked, clock_of
from app.serve import database_of
from bidding import verify as bidding_verify
from kernel import audit
from kernel.actors import platform
from kernel.database import Database, Tx
from kernel.settings import Settings
from settlement import verify as settlement_verify

PATIENCE = text("SET LOCAL idle_in_transaction_session_timeout = '5min'")
"""Replaying takes its time between two readings, and holds no lock."""


async def faults(tx: Tx) -> list[str]:
    """One sentence for each thing that does not verify: audit trail, lots and chains, ledger, plans and payouts."""
    await tx.session.execute(PATIENCE)
    return [*await audit.faults(tx), *await bidding_verify.faults(tx), *await settlement_verify.faults(tx)]


async def _verify(settings: Settings) -> list[str]:
    async with database_of(settings, lambda line: print(line, file=sys.stderr)) as url:
        database = Database(url, clock_of(settings))
        try:
            async with database.reading(platform("verify")) as tx:
                return await faults(tx)
        finally:
            await database.close()


def main_verify(settings: Settings) -> int:
    """Print every fault; exit code 1 if there is any."""
    found = asyncio.run(_verify(as_marked(settings)))
    for fault in found:
        print(fault)
    print(f"{len(found)} faults found" if found else "verified: no fault found")
    return 1 if found else 0
