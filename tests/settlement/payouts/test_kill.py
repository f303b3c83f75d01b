"""A payout whose process is killed at any step: sent again under the same keys, everybody is paid once."""

import asyncio
import signal
import subprocess
import sys

import pytest
from sqlalchemy import text

from kernel.actors import platform
from kernel.database import Database
from settlement import verify
from settlement.payouts import service
from tests.settlement.payouts.child import STEPS, Officers, pay_out
from tests.settlement.payouts.test_service import two_creditors
from tests.settlement.support import money_inside
from tests.support.house import opened

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

PAID_BY_THE_BANK = text("SELECT payee_number, amount_fen FROM settlement.simulated_order ORDER BY payee_number")


def run_killed(*arguments: object) -> None:
    """The payout in a process of its own, which must die by the hand of its step."""
    child = [sys.executable, "-m", "tests.settlement.payouts.child", *map(str, arguments)]
    died = subprocess.run(child, capture_output=True, timeout=120, check=False)
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()


async def paid_by_the_bank(database: Database) -> list[tuple[str, int]]:
    async with database.reading(platform("test")) as tx:
        return [(row.payee_number, row.amount_fen) for row in await tx.session.execute(PAID_BY_THE_BANK)]


@pytest.mark.parametrize("step", STEPS)
async def test_a_payout_killed_at_any_step_pays_everybody_once(database_url: str, step: str) -> None:
    async with opened(database_url) as database:
        road = await two_creditors(database)
        plan = await road.confirmed()
        officers = Officers(road.maker, road.checker, road.payer)
        people = [each.person for each in (road.maker, road.checker, road.payer)]
        await asyncio.to_thread(run_killed, database_url, step, plan.id, road.court.id, *people)
        batch_id = await pay_out(database, officers, plan.id)
        assert await paid_by_the_bank(database) == [("6222A", 20_000), ("6222B", 30_000), ("6222debtor", 10_000)]
        shown = await service.show_batch(database, road.maker, batch_id)
        assert {line.state for line in shown.lines} == {"executed"}
        assert await money_inside(database) == {}
        async with database.reading(platform("verify")) as tx:
            assert await verify.faults(tx) == []
