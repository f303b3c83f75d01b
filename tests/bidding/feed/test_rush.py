"""Everybody comes back at once (row 43): turns at the door, bidders first, limits that a rush cannot pass."""

import asyncio
import gc
import weakref
from contextlib import AsyncExitStack
from http import HTTPStatus
from random import uniform
from uuid import UUID

import pytest
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus

from app.bench.client import SWITCHED, opening
from app.open_files import raise_open_files
from bidding.feed import keepalive
from bidding.feed.admission import RETRY_AFTER_S
from bidding.feed.turns import Turns
from kernel.actors import Actor
from kernel.errors import Busy
from tests.bidding.feed.house import House, Person, serve
from tests.bidding.support import START_FEN

pytestmark = pytest.mark.anyio


class Visits:
    """Who had a turn, in order; each stays until told to go."""

    def __init__(self, turns: Turns) -> None:
        self.order: list[str] = []
        self._turns = turns
        self._gone: dict[str, asyncio.Event] = {}

    def come(self, name: str, *, bidder: bool) -> asyncio.Task[None]:
        self._gone[name] = asyncio.Event()
        return asyncio.create_task(self._visit(name, bidder))

    async def _visit(self, name: str, bidder: bool) -> None:
        async with self._turns.turn(bidder=bidder):
            self.order.append(name)
            await self._gone[name].wait()

    async def go(self, name: str) -> None:
        self._gone[name].set()
        for _ in range(5):
            await asyncio.sleep(0)


async def test_bidders_go_before_visitors() -> None:
    visits = Visits(Turns(at_once=1))
    tasks = [visits.come("first", bidder=False)]
    for name in ("visitor 1", "bidder 1", "visitor 2", "bidder 2"):
        await asyncio.sleep(0)
        tasks.append(visits.come(name, bidder=name.startswith("bidder")))
    await asyncio.sleep(0)
    for name in ("first", "bidder 1", "bidder 2", "visitor 1", "visitor 2"):
        await visits.go(name)
    await asyncio.gather(*tasks)
    assert visits.order == ["first", "bidder 1", "bidder 2", "visitor 1", "visitor 2"]


async def test_too_many_and_too_long_are_turned_away() -> None:
    visits = Visits(Turns(at_once=1, most_waiting=1, wait_s=0.1))
    inside, waiting = visits.come("inside", bidder=True), visits.come("waiting", bidder=True)
    await asyncio.sleep(0)
    with pytest.raises(Busy):
        await visits.come("one too many", bidder=True)
    with pytest.raises(Busy):
        await waiting
    await visits.go("inside")
    await inside
    again = visits.come("again", bidder=False)
    await visits.go("again")
    await again
    assert visits.order == ["inside", "again"], "who gave up keeps no place"


async def test_a_turn_that_comes_as_one_gives_up_is_passed_on() -> None:
    visits = Visits(Turns(at_once=1))
    inside, leaving, next_one = (visits.come(name, bidder=True) for name in ("inside", "leaving", "next"))
    await asyncio.sleep(0)
    visits._gone["inside"].set()
    while not inside.done():
        await asyncio.sleep(0)
    leaving.cancel()  # its turn has been given to it, and it has not run yet
    await visits.go("next")
    await asyncio.gather(inside, leaving, next_one, return_exceptions=True)
    assert visits.order[-1] == "next"


async def test_a_rush_from_one_address_cannot_pass_its_limit(database_url: str) -> None:
    """All are at the door before the first is inside: they are counted there, not when they enter."""
    async with serve(database_url, sockets_per_address=4, sockets_per_person=1) as house:
        lot_id = await house.open_lot()
        who = await house.bidder(lot_id)
        resolve, together = house.parts.identity.resolve, asyncio.Event()
        coming = 0

        async def slowly(cookie: str | None, source: str) -> Actor | None:
            nonlocal coming
            coming += 1
            if coming == 4:
                together.set()
            await together.wait()
            return await resolve(cookie, source)

        house.parts.identity.resolve = slowly  # type: ignore[method-assign]
        async with AsyncExitStack() as stack:
            hints = await asyncio.gather(*(_come(stack, house, lot_id, who) for _ in range(12)))
            assert hints.count(None) == 1
            assert {*hints} <= {None, *range(RETRY_AFTER_S[0], RETRY_AFTER_S[1] + 1)}
            house.parts.identity.resolve = resolve  # type: ignore[method-assign]
        visitors = {"additional_headers": {"Cookie": "session=" + "A" * 43}}
        async with AsyncExitStack() as stack:
            hints = await asyncio.gather(*(_come(stack, house, lot_id, **visitors) for _ in range(12)))
            assert hints.count(None) == 4


async def _come(
    stack: AsyncExitStack, house: House, lot_id: UUID, who: Person | None = None, **more: object
) -> int | None:
    """None if the socket opened, else the time after which to come again."""
    try:
        await stack.enter_async_context(house.watch(lot_id, who, **more))
    except InvalidStatus as refused:
        return int(refused.response.headers["Retry-After"])
    return None


async def test_those_sent_away_together_are_told_different_times(database_url: str) -> None:
    async with serve(database_url, sockets_per_address=1) as house:
        lot_id = await house.open_lot()
        hints = set()
        async with house.watch(lot_id):
            for _ in range(12):
                with pytest.raises(InvalidStatus) as refused:
                    async with house.watch(lot_id):
                        pass
                assert refused.value.response.status_code == HTTPStatus.TOO_MANY_REQUESTS
                hints.add(refused.value.response.headers["Retry-After"])
        assert len(hints) > 1


RUSH = 2_000


@pytest.mark.slow
async def test_two_thousand_come_back_at_once(database_url: str) -> None:
    """All are served within the limits, and a bidder among them is not kept from bidding."""
    if raise_open_files() < 2 * RUSH + 500:
        pytest.skip("so many files may not be open here (ulimit -Hn)")
    async with serve(database_url, sockets_per_address=RUSH + 50) as house:
        lot_id = await house.open_lot()
        who = await house.bidder(lot_id)
        port = house.parts.settings.port
        request = opening("127.0.0.1", port, f"/live/lots/{lot_id}")
        writers: list[asyncio.StreamWriter] = []
        crowd = house.parts.feed.crowd
        entered_before_the_bid = 0

        async def come_back() -> None:
            """As the page does: again after a while if it is sent away or cut off."""
            while True:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(request)
                try:
                    head = await reader.readuntil(b"\r\n\r\n")
                except (asyncio.IncompleteReadError, ConnectionError):
                    head = b""
                if head.startswith(SWITCHED):
                    writers.append(writer)
                    return
                assert head.startswith(b"HTTP/1.1 503") or not head, head
                writer.close()
                await asyncio.sleep(uniform(0.3, 1.0))

        async def bid() -> None:
            nonlocal entered_before_the_bid
            while True:
                try:
                    async with house.watch(lot_id, who, open_timeout=60) as bidder:
                        assert (await bidder.bid(START_FEN))["t"] == "ack"
                        entered_before_the_bid = len(writers)
                        return
                except (InvalidStatus, InvalidMessage, ConnectionClosed, OSError):
                    await asyncio.sleep(0.3)

        async with asyncio.timeout(300):
            async with asyncio.TaskGroup() as rush:
                rush.create_task(bid())
                for _ in range(RUSH):
                    rush.create_task(come_back())
        assert entered_before_the_bid < RUSH, "the bid did not wait for the last of them"
        assert len(writers) == RUSH
        assert len(house.parts.feed.handler_tasks) < 10, "an open socket keeps no task"
        known = weakref.WeakSet(crowd.sockets)
        assert len(known) >= RUSH
        for writer in writers:
            writer.transport.abort()
        async with asyncio.timeout(60):
            while crowd.sockets:
                await asyncio.sleep(0.05)
        assert not house.parts.feed.rooms
        gc.collect()
        assert len(known) == 0, "nothing keeps a socket that is gone"


async def test_who_answers_pings_stays(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other half of row 37: asked again and again, and never closed for it."""
    asked = 0
    ask = keepalive.LiveSocket.ask_for_life

    def counted(socket: keepalive.LiveSocket) -> None:
        nonlocal asked
        asked += 1
        ask(socket)

    monkeypatch.setattr(keepalive.LiveSocket, "ask_for_life", counted)
    monkeypatch.setattr(keepalive, "PING_EVERY_S", 1.0)
    monkeypatch.setattr(keepalive, "PONG_WITHIN_S", 0.9)
    async with serve(database_url) as house:
        lot_id = await house.open_lot()
        async with house.watch(lot_id) as one, house.watch(lot_id) as other:
            async with asyncio.timeout(60):
                while asked < 6:
                    await one.read()
                    await other.read()
            assert (await one.next("tick"))["seq"] == 1
