"""A process without a desk follows the database's clock: whatever the machine's says, due work waits."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from app.platform import Platform
from kernel.actors import platform
from kernel.audit import record_all
from kernel.clock import SystemClock
from kernel.clock_watch import Clocks, ClockWatch, read_database_clock
from kernel.contracts import DueWork
from kernel.database import Tx
from kernel.outbox import tell
from kernel.settings import load
from tests.support.clocks import wall_clock_off
from tests.support.keys import SIGNING_KEYS

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def steady_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that says otherwise than the machine is believed after half a second, not ten."""
    monkeypatch.setattr("kernel.clock_watch.STEADY_S", 0.5)


SECRET = "a-secret-of-at-least-thirty-two-characters"
HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)


class Deadline(DueWork, frozen=True, kw_only=True):
    """Due work of this test."""

    name: str

    @property
    def key(self) -> str:
        return self.name


class Worker:
    """The parts of `auction worker`, and what it has done."""

    def __init__(self, url: str, folder: Path) -> None:
        self.parts = Platform(
            url, load({}, database_url=url, signing_keys=SIGNING_KEYS, anchor_dir=str(folder)), SystemClock()
        )
        self.parts.relay.on(Deadline, self._pass)
        self.passed: list[str] = []

    async def _pass(self, tx: Tx, event: Deadline) -> None:
        self.passed.append(event.name)

    async def owe(self, name: str, within: timedelta) -> None:
        """Due work at a moment of the database's clock."""
        async with self.parts.database.transaction(platform("test")) as tx:
            now = (await tx.session.execute(text("SELECT clock_timestamp()"))).scalar_one()
            await tell(tx, Deadline(name=name), due_at=now + within)

    async def has_passed(self, name: str) -> None:
        async with asyncio.timeout(5):
            while name not in self.passed:
                await asyncio.sleep(0.02)


@asynccontextmanager
async def working(url: str, folder: Path, *, follows: bool = True) -> AsyncIterator[Worker]:
    """A worker that began on a machine whose clock is an hour ahead, over a deadline in a minute's time."""
    with wall_clock_off(HOUR):
        worker = Worker(url, folder)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(worker.parts.database.close)
            await worker.owe("in a minute", MINUTE)
            if follows:
                await stack.enter_async_context(worker.parts.following())
            await stack.enter_async_context(worker.parts.working())
            yield worker


async def test_no_deadline_passes_early_by_a_wrong_clock(database_url: str, tmp_path: Path) -> None:
    async with working(database_url, tmp_path) as worker:
        await worker.owe("now", timedelta())
        await worker.has_passed("now")
        await asyncio.sleep(1.2)
        assert worker.passed == ["now"]


async def test_without_following_it_would(database_url: str, tmp_path: Path) -> None:
    """The control of the test above."""
    async with working(database_url, tmp_path, follows=False) as worker:
        await worker.has_passed("in a minute")


async def test_nothing_due_is_done_while_the_clocks_are_parted(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with working(database_url, tmp_path) as worker:
        relay = worker.parts.relay
        with monkeypatch.context() as patch:
            patch.setattr(ClockWatch, "compare", lambda *_: Clocks.PARTED)
            async with asyncio.timeout(5):
                while not relay.paused:
                    await asyncio.sleep(0.02)
            await asyncio.sleep(0.3)  # a sweep that had begun before goes to its end
            await worker.owe("now", timedelta())
            await asyncio.sleep(1.2)
            assert worker.passed == []
        await worker.has_passed("now")


async def test_a_web_process_asks_no_wrong_clock(database_url: str, tmp_path: Path) -> None:
    more: dict[str, Any] = {"signing_keys": SIGNING_KEYS, "anchor_dir": str(tmp_path)}
    settings = load({}, database_url=database_url, role="web", desk_secret=SECRET, **more)
    with wall_clock_off(HOUR):
        web = Platform(database_url, settings, SystemClock())
        async with web.running():
            assert abs(web.clock.now() - await read_database_clock(web.database)) < SECOND


async def test_all_that_waits_is_sealed_and_while_much_is_due_later(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kernel.audit.MOST_SEALED", 2)
    parts = Worker(database_url, tmp_path).parts
    quiet = parts._when_quiet(parts._seal)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(parts.database.close)
        async with parts.database.transaction(platform("test")) as tx:
            await record_all(tx, "test.act", {f"thing:{number}": {} for number in range(5)})

        async def unsealed() -> int:
            async with parts.database.reading(platform("test")) as tx:
                return int(await tx.session.scalar(text("SELECT count(*) FROM kernel.audit_unsealed")) or 0)

        parts.relay._much.set()
        await quiet()
        assert await unsealed() == 5, "money first"
        monkeypatch.setattr("app.platform.WAITS_S", 0.0)
        await quiet()
        assert await unsealed() == 0, "not for ever, and then all of it"
