"""One frame to many sockets: in slices, gapless for who comes and goes meanwhile, the next frame behind the last."""

import asyncio
import gc
import json
import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from app.bench.client import read_frames
from bidding.desk.models import Lot
from bidding.feed import rooms
from bidding.feed.feed import greeting
from bidding.feed.rooms import Room
from bidding.feed.store import state_of
from kernel.clock import FrozenClock
from kernel.ids import random_id

pytestmark = pytest.mark.anyio

NOW = datetime(2025, 4, 10, 2, tzinfo=UTC)


class Reader:
    """The far end of a socket: what was written to it, and what that says."""

    def __init__(self, *, broken: bool = False) -> None:
        self.bytes = b""
        self.shown = 0
        self._broken = broken

    @property
    def write(self) -> rooms.Write:
        return self._write

    def _write(self, framed: bytes) -> None:
        if self._broken:
            raise RuntimeError("the transport is closed")
        self.bytes += framed

    def show(self, framed: bytes) -> None:
        self.shown += 1
        self.bytes += framed

    @property
    def messages(self) -> list[dict[str, object]]:
        return [json.loads(payload) for _, payload in read_frames(self.bytes)[0]]

    @property
    def spans(self) -> list[tuple[object, object]]:
        return [(told["from"], told["to"]) for told in self.messages if told["t"] == "events"]


def a_room() -> Room:
    lot = Lot(
        lot_id=random_id(),
        title="标的",
        method="auction",
        opens_at=NOW - timedelta(hours=1),
        scheduled_end=NOW + timedelta(days=1),
        start_price_fen=100,
        increment_fen=10,
        deposit_fen=10,
        status="open",
        ends_at=NOW + timedelta(days=1),
        remaining_ms=None,
        opened=True,
        leader_code=None,
        leader_rank=None,
        price_fen=None,
        seq=1,
        bids=0,
        extensions=0,
        admitted=0,
    )
    return Room(lot, state_of(lot), FrozenClock(NOW))


def happen(room: Room, last: int, *, resumed: int = 0) -> None:
    """Events up to `last`: bids, but for the one with number `resumed`."""
    kinds = [(seq, b"resumed" if seq == resumed else b"bid") for seq in range(room.seq + 1, last + 1)]
    events = [(seq, b'{"seq":%d,"kind":"%b"}' % (seq, kind)) for seq, kind in kinds]
    assert room.add(events, msgspec.structs.replace(room.state, seq=last))


async def turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


@asynccontextmanager
async def amid_a_frame(room: Room, readers: list[Reader], last: int) -> AsyncIterator[None]:
    """The body runs when the first of `readers` was sent event `last` and the last of them was not."""
    happen(room, last)
    async with asyncio.timeout(5):
        while not readers[0].spans or readers[0].spans[-1][1] != last:
            await asyncio.sleep(0)
    assert not readers[-1].spans or readers[-1].spans[-1][1] != last
    yield


@pytest.fixture
def slices_of_three(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms, "SLICE", 3)


@pytest.mark.usefixtures("slices_of_three")
async def test_who_comes_amid_a_frame_gets_it_once_and_who_goes_gets_nothing_more() -> None:
    room, readers = a_room(), [Reader() for _ in range(10)]
    for reader in readers:
        room.join(reader)
    newcomer = Reader()
    async with amid_a_frame(room, readers, 3):
        for payload in greeting(room, 1, []):
            newcomer.write(rooms.text_frame(payload))
        room.join(newcomer)
        room.leave(readers[9])
    await turns(10)
    happen(room, 4)
    async with asyncio.timeout(5):
        while len(newcomer.spans) < 2:
            await asyncio.sleep(0.01)
    await turns(10)
    assert newcomer.spans == [(2, 3), (4, 4)]
    assert [reader.spans for reader in readers[:9]] == [[(2, 3), (4, 4)]] * 9
    assert readers[9].bytes == b"", "behind a closing frame nothing follows"


@pytest.mark.usefixtures("slices_of_three")
async def test_a_room_closed_amid_a_frame_keeps_nobody() -> None:
    room, readers = a_room(), [Reader() for _ in range(10)]
    for reader in readers:
        room.join(reader)
    known = weakref.WeakSet(readers)
    async with amid_a_frame(room, readers, 2):
        for gone in readers:
            room.leave(gone)
        readers.clear()
        del gone, reader
        gc.collect()
        assert known, "the frame under way holds them"
        room.close()
        gc.collect()
        assert not known
    await turns(10)


@pytest.mark.usefixtures("slices_of_three")
async def test_the_next_frame_waits_for_the_last_socket_and_takes_all_that_happened() -> None:
    """A process short of time conflates more; frames never overtake each other."""
    room, readers = a_room(), [Reader() for _ in range(10)]
    for reader in readers:
        room.join(reader)
    async with amid_a_frame(room, readers, 2):
        happen(room, 3)
        room.tick()
        happen(room, 5)
        assert readers[0].spans == [(2, 2)]
    async with asyncio.timeout(5):
        while any(reader.spans != [(2, 2), (3, 5)] for reader in readers):
            await asyncio.sleep(0.01)
    kinds = {tuple(told["t"] for told in reader.messages) for reader in readers}
    assert kinds == {("events", "events", "tick")}, "one order for all, and the tick goes with a frame"


async def test_a_tick_waits_for_no_frame_that_does_not_come() -> None:
    room, reader = a_room(), Reader()
    room.join(reader)
    happen(room, 2)
    await turns(3)
    room.tick()
    assert [told["t"] for told in reader.messages] == ["events"]
    async with asyncio.timeout(5):
        while len(reader.messages) < 2:
            await asyncio.sleep(0.01)
    await asyncio.sleep(rooms.TICK_WAITS_S)
    assert [told["t"] for told in reader.messages] == ["events", "tick"]
    room.tick()
    assert [told["t"] for told in reader.messages] == ["events", "tick", "tick"], "a quiet room ticks at once"


async def test_a_dead_transport_harms_nobody_else() -> None:
    room, readers = a_room(), [Reader(), Reader(broken=True), Reader()]
    for reader in readers:
        room.join(reader)
    room.tick()
    assert [len(reader.messages) for reader in readers] == [1, 0, 1]
    assert readers[1] not in room
    room.tick()
    assert [len(reader.messages) for reader in readers] == [2, 0, 2]


@pytest.mark.usefixtures("slices_of_three")
async def test_who_begins_to_bid_amid_a_frame_misses_nothing() -> None:
    room, readers = a_room(), [Reader() for _ in range(10)]
    for reader in readers:
        room.join(reader)
    async with amid_a_frame(room, readers, 2):
        room.takes_bids_of(readers[9])
    await turns(10)
    happen(room, 3)
    async with asyncio.timeout(5):
        while readers[9].spans != [(2, 2), (3, 3)]:
            await asyncio.sleep(0.01)
    assert readers[9].shown == 1, "from then on a frame may wait for the answer"
    assert readers[0].shown == 0


async def test_a_new_picture_is_told_to_all_and_goes_on_from_there() -> None:
    room, reader = a_room(), Reader()
    room.join(reader)
    room.restart(msgspec.structs.replace(room.state, seq=5_000))
    happen(room, 5_001)
    async with asyncio.timeout(5):
        while not reader.spans:
            await asyncio.sleep(0.01)
    assert [told["t"] for told in reader.messages] == ["snapshot", "events"]
    assert (reader.messages[0]["seq"], reader.spans) == (5_000, [(5_001, 5_001)])


async def test_of_a_flood_nothing_but_bids_is_left_out() -> None:
    """Fifty events fit a frame. Of more it tells the last ten, and before them all that changes more than the price."""
    room, reader = a_room(), Reader()
    room.join(reader)
    for last, resumed, told in (
        (51, 0, [*range(2, 52)]),
        (102, 0, [*range(93, 103)]),
        (302, 150, [150, *range(293, 303)]),
        (502, 500, [*range(493, 503)]),
    ):
        happen(room, last, resumed=resumed)
        async with asyncio.timeout(5):
            while not reader.spans or reader.spans[-1][1] != last:
                await asyncio.sleep(0.01)
        events = reader.messages[-1]["events"]
        assert isinstance(events, list)
        assert [event["seq"] for event in events] == told
    assert reader.spans == [(2, 51), (52, 102), (103, 302), (303, 502)]
