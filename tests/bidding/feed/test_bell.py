"""The bell between processes on a real Redis: quick while it lives, harmless when it dies, back by itself."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import pytest
import uvicorn
from redis.asyncio import Redis
from structlog.testing import capture_logs

from app.asgi import create_app
from app.platform import Platform
from app.serve import Server
from bidding.feed import bell
from bidding.feed.bell import CHANNEL, Bell
from kernel.clock import SystemClock
from kernel.settings import load
from tests.bidding.feed.house import Client, House, free_port, serve, until
from tests.bidding.support import START_FEN, STEP_FEN
from tests.support.keys import SIGNING_KEYS
from tests.support.valkey import Valkey

pytestmark = pytest.mark.anyio

QUICK_S = 0.45
"""Well below the second in which a room compares itself with the database."""


@asynccontextmanager
async def second_process(house: House, redis_url: str) -> AsyncIterator[House]:
    """Another web process over the same database and Redis, whose desk has not started."""
    settings = load(
        {},
        database_url=house.parts.settings.database_url,
        redis_url=redis_url,
        port=free_port(),
        signing_keys=SIGNING_KEYS,
    )
    parts = Platform(str(settings.database_url), settings, SystemClock())
    config = uvicorn.Config(
        create_app(parts), port=settings.port, ws=parts.live_protocol, lifespan="off", log_config=None
    )
    server = Server(config)
    async with parts.feed.running():
        serving = asyncio.create_task(server.serve())
        try:

            async def started() -> bool:
                return server.started

            await until(started, True)
            yield House(parts, house.http)
        finally:
            server.should_exit = True
            await serving
            await parts.database.close()


async def delay(bidder: Client, watcher: Client, price_fen: int) -> float:
    """Seconds from the acknowledgement of a bid to its event at the other process."""
    loop = asyncio.get_running_loop()
    answer = await bidder.bid(price_fen)
    assert answer["t"] == "ack", answer
    acknowledged = loop.time()
    while (await watcher.next("events"))["to"] < answer["seq"]:
        pass
    return loop.time() - acknowledged


async def test_the_bell_is_quick_and_its_death_only_slows(database_url: str, redis_server: Valkey) -> None:
    """Row 83."""
    async with serve(database_url, redis_url=redis_server.url) as house:
        lot_id = await house.open_lot()
        who = await house.bidder(lot_id)
        async with (
            second_process(house, redis_server.url) as other,
            house.watch(lot_id, who) as bidder,
            other.watch(lot_id) as watcher,
        ):
            prices = itertools.count(START_FEN, STEP_FEN)
            assert max(await several(bidder, watcher, prices)) < QUICK_S

            redis_server.kill()
            slow = await several(bidder, watcher, prices)
            assert QUICK_S < max(slow) < 2.5

            redis_server.start()
            async with asyncio.timeout(10):
                while max(await several(bidder, watcher, prices)) >= QUICK_S:
                    pass

            redis_server.pause()
            assert (await bidder.bid(next(prices)))["t"] == "ack"
            redis_server.resume()


async def several(bidder: Client, watcher: Client, prices: "itertools.count[int]") -> list[float]:
    """Six bids at odd moments of the second."""
    delays = []
    for _ in range(6):
        await asyncio.sleep(0.13)
        delays.append(await delay(bidder, watcher, next(prices)))
    return delays


async def test_a_process_without_desk_takes_no_bids(database_url: str, redis_url: str) -> None:
    """A second process on the same database answers `busy`, and the key may be sent to the desk."""
    async with serve(database_url, redis_url=redis_url) as house:
        lot_id: UUID = await house.open_lot()
        who = await house.bidder(lot_id)
        async with second_process(house, redis_url) as other, other.watch(lot_id, who) as socket:
            assert (await socket.bid(START_FEN))["code"] == "busy"


NO_RINGS = (b"hello", b"", b"\xff\xfe 1", b"%b one" % str(uuid4()).encode(), b"%b" % str(uuid4()).encode(), b"1 1")


async def test_what_is_no_ring_is_passed_over_and_told_once(redis_url: str) -> None:
    """One foreign message ended the bell of a process for good, and all its screens were a second late."""
    async with listening(redis_url) as (heard, foreign, bell_of_others):
        with capture_logs() as told:
            for message in NO_RINGS:
                await foreign.publish(CHANNEL, message)
            lot_id = uuid4()
            bell_of_others.ring(lot_id, 7)
            assert await asyncio.wait_for(heard.get(), 10) == (lot_id, 7)
        assert [entry["event"] for entry in told] == ["bell.not-a-ring"]


async def test_the_bell_outlives_whoever_hears_it(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of ours in one ring is told, and the next one is heard."""
    monkeypatch.setattr(bell, "RETRY_S", 0.01)
    async with listening(redis_url) as (heard, _, bell_of_others):
        bad, lot_id = uuid4(), uuid4()
        heard.refused = bad
        with capture_logs() as told:
            bell_of_others.ring(bad, 1)
            async with asyncio.timeout(10):
                while heard.empty():
                    bell_of_others.ring(lot_id, 8)
                    await asyncio.sleep(0.05)
        assert heard.get_nowait() == (lot_id, 8)
        assert [entry["event"] for entry in told] == ["bell.lost"]


class Heard(asyncio.Queue[tuple[UUID, int]]):
    """Rings as they are heard; one of the lot `refused` is a fault."""

    refused: UUID | None = None

    def hear(self, lot_id: UUID, seq: int) -> None:
        if lot_id == self.refused:
            raise RuntimeError("a fault of ours")
        self.put_nowait((lot_id, seq))


@asynccontextmanager
async def listening(redis_url: str) -> AsyncIterator[tuple[Heard, Redis, Bell]]:
    """A bell that is heard already, another client of the same channel, and the bell of another process."""
    heard = Heard()
    async with Redis.from_url(redis_url) as foreign, asyncio.TaskGroup() as group:
        ours, theirs = Bell(redis_url, heard.hear), Bell(redis_url)
        running = [group.create_task(one.run()) for one in (ours, theirs)]
        async with asyncio.timeout(10):
            while not (await foreign.pubsub_numsub(CHANNEL))[0][1]:
                await asyncio.sleep(0.02)
        yield heard, foreign, theirs
        assert not any(task.done() for task in running)
        for task in running:
            task.cancel()
