"""The demo's time: it waits for those who act, stops where something falls due, and never passes the real time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta

import pytest

from app.demo.stage import OutOfTime, Stage
from kernel.actors import platform
from kernel.clock import Pace, ScaledClock, real_now, to_ms
from kernel.contracts import DueWork
from kernel.database import Database
from kernel.outbox import Relay, tell

BEGIN = datetime(2025, 3, 3, 1, 0, tzinfo=UTC)
DAY = timedelta(days=1)


class Reminder(DueWork, frozen=True, kw_only=True):
    """Due work of this test."""

    @property
    def key(self) -> str:
        return "reminder"


@asynccontextmanager
async def conducted(url: str, begin: datetime = BEGIN) -> AsyncIterator[tuple[Stage, "asyncio.Task[None]"]]:
    """A stage whose clock stands at `begin` and is being moved."""
    clock = ScaledClock(Pace(to_ms(real_now()), to_ms(begin), 1, to_ms(begin), 1))
    database = Database(url, clock)
    stage = Stage(database, clock)
    conducting = asyncio.create_task(stage.conduct())
    try:
        yield stage, conducting
    finally:
        conducting.cancel()
        with suppress(asyncio.CancelledError, OutOfTime):
            await conducting
        await database.close()


pytestmark = pytest.mark.anyio


async def test_steps_come_in_order_and_at_their_time(database_url: str) -> None:
    seen: list[tuple[int, timedelta]] = []

    async def act(number: int, at: datetime) -> None:
        async with stage.at(at):
            seen.append((number, stage.clock.now() - at))

    async with conducted(database_url) as (stage, _):
        await asyncio.gather(act(3, BEGIN + 90 * DAY), act(1, BEGIN + DAY), act(2, BEGIN + 2 * DAY))
    assert [number for number, _ in seen] == [1, 2, 3]
    assert all(timedelta() <= late < timedelta(minutes=5) for _, late in seen)


async def test_time_does_not_race_while_somebody_acts(database_url: str) -> None:
    async with conducted(database_url) as (stage, _):
        waiting = asyncio.create_task(stage.at(BEGIN + 30 * DAY).__aenter__())
        async with stage.at(BEGIN + DAY):
            await asyncio.sleep(0.5)
            assert stage.clock.now() < BEGIN + DAY + timedelta(hours=1)
            assert not waiting.done()
        await asyncio.wait_for(waiting, 5)


async def test_the_race_stops_at_due_work_until_it_is_done(database_url: str) -> None:
    handled: list[datetime] = []

    async def handle(tx: object, work: Reminder) -> None:
        handled.append(stage.clock.now())

    async with conducted(database_url) as (stage, _):
        relay = Relay(stage.database)
        relay.on(Reminder, handle)
        async with stage.database.transaction(platform("test")) as tx:
            await tell(tx, Reminder(), due_at=BEGIN + 10 * DAY)
        relaying = asyncio.create_task(relay.run())
        async with stage.at(BEGIN + 20 * DAY):
            assert handled, "the race went past due work"
        relaying.cancel()
    assert handled[0] - (BEGIN + 10 * DAY) < timedelta(minutes=5)


async def test_a_script_that_outlasts_the_real_time_is_stopped(database_url: str) -> None:
    async with conducted(database_url) as (stage, conducting):
        late = asyncio.create_task(stage.at(real_now() + DAY).__aenter__())
        with pytest.raises(OutOfTime):
            await asyncio.wait_for(conducting, 5)
        late.cancel()


async def test_arrived_the_clock_is_the_real_one(database_url: str) -> None:
    async with conducted(database_url) as (stage, conducting):
        async with stage.at(real_now()):
            conducting.cancel()
        stage.arrive()
        await asyncio.sleep(0.05)
        assert abs(real_now() - stage.clock.now()) < timedelta(seconds=1)
        assert stage.clock.rate == 1
