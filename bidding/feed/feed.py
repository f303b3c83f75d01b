"""The live feed of one process: its rooms, the sockets that enter them, and the seconds in which both are kept right.

`publish` takes the desk's events behind each commit. Every second each room ticks, readers that cannot keep up are
closed, rooms are compared with the database (a lost message heals), and sockets of ended sessions are closed by one
query for all. A socket is a window: nothing here decides anything or is the only place where something stands.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import structlog
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode

from bidding.desk.batch import Book
from bidding.feed import store
from bidding.feed.admission import Admission, Doorkeeper
from bidding.feed.bell import Bell
from bidding.feed.bids import Bids, Decides
from bidding.feed.crowd import Crowd
from bidding.feed.keepalive import SWEEP_EVERY_S
from bidding.feed.protocol import LiveSocket, live_protocol
from bidding.feed.rooms import RING_EVENTS, Room, frames
from bidding.feed.turns import Turns
from kernel.actors import platform
from kernel.database import Database
from kernel.errors import Busy, NotFound, Refusal
from kernel.settings import Settings

log = structlog.get_logger("feed")

HANDSHAKE_WITHIN_S = 10.0
GOODBYE_WITHIN_S = 5.0
REACH_WITHIN_S, REACH_EVERY_S = 3.0, 0.02
RESUME_EVENTS = 1_000


class Feed:
    """The rooms of this process. `running` keeps its seconds, `protocol` is what uvicorn mounts."""

    def __init__(self, database: Database, desk: Decides, settings: Settings, identity: Doorkeeper) -> None:
        self.desk = desk
        self.bids = Bids(database, desk, settings.bids_per_minute, self._spawn)
        self.crowd = Crowd(database, settings)
        self.rooms: dict[UUID, Room] = {}
        self.handler_tasks: set[asyncio.Task[None]] = set()
        self._database = database
        self._turns = Turns()
        self._admission = Admission(settings, identity, self.crowd, self._turns, self._room)
        self._refilling: set[UUID] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False
        self._bell = Bell(settings.redis_url, self._rung) if settings.redis_url else None

    @property
    def protocol(self) -> Callable[..., LiveSocket]:
        """The factory for uvicorn's `ws=`."""
        return live_protocol(self.bids, self)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Tick, heal and listen while the body runs; then close every socket."""
        self._spawn(self._every(1.0, self._tick))
        self._spawn(self._every(1.0, self._check))
        self._spawn(self._every(SWEEP_EVERY_S, self.crowd.ask_for_life))
        if self._bell is not None:
            self._spawn(self._bell.run())
        try:
            yield
        finally:
            self._closing = True
            for socket in tuple(self.crowd.sockets):
                socket.shutdown()
            for task in tuple(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, *self.handler_tasks, return_exceptions=True)

    # -- events

    def publish(self, lot_id: UUID, events: list[tuple[int, bytes]], book: Book) -> None:
        """Take a commit's events; called by the desk, so it returns at once."""
        if not events:
            return
        room = self.rooms.get(lot_id)
        if room is not None and not room.add(events, book.state):
            self._refill(room)
        if self._bell is not None:
            self._bell.ring(lot_id, events[-1][0])

    def _rung(self, lot_id: UUID, seq: int) -> None:
        room = self.rooms.get(lot_id)
        if room is not None and room.seq < seq:
            self._refill(room)

    def _refill(self, room: Room) -> None:
        """Read what a room lacks from the database, once at a time."""
        if room.lot_id not in self._refilling:
            self._refilling.add(room.lot_id)
            self._spawn(self._read_missing(room))

    async def _read_missing(self, room: Room) -> None:
        try:
            async with self._database.reading(platform("feed")) as tx:
                lot = await store.find_lot(tx, room.lot_id)
                assert lot is not None
                missing = lot.seq - room.seq
                events = await store.events_after(tx, room.lot_id, room.seq, RING_EVENTS) if missing > 0 else []
            state = store.state_of(lot)
            if missing > RING_EVENTS or not room.add(events, state):
                room.restart(state)
        except Refusal as refusal:
            log.warning("feed.refill-failed", lot_id=str(room.lot_id), code=refusal.code)
        finally:
            self._refilling.discard(room.lot_id)

    # -- seconds

    async def _every(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        loop = asyncio.get_running_loop()
        next_s = loop.time()
        while True:
            next_s = max(next_s + seconds, loop.time())
            await asyncio.sleep(next_s - loop.time())
            try:
                await work()
            except Exception:
                log.exception("feed.second-failed")

    async def _tick(self) -> None:
        for room in self.rooms.values():
            room.tick()
        self.crowd.end_slow()

    async def _check(self) -> None:
        """Compare rooms with the database and sessions with their sockets, one query each."""
        try:
            await self._heal()
            await self.crowd.end_dead_sessions()
            await self.crowd.seat_newcomers()
        except Refusal as refusal:
            log.warning("feed.check-failed", code=refusal.code)

    async def _heal(self) -> None:
        if not self.rooms:
            return
        async with self._database.reading(platform("feed")) as tx:
            seqs = await store.last_seqs(tx, list(self.rooms))
        for lot_id, seq, admitted in seqs:
            self._rung(lot_id, seq)
            if lot_id in self.rooms:
                self.rooms[lot_id].admitted = admitted

    # -- sockets

    def is_serving(self) -> bool:
        """Asked by `websockets` before it accepts."""
        return not self._closing

    async def handler(self, socket: LiveSocket) -> None:
        """The opening of a connection. One that is open then needs no task: what it says and its end are called."""
        try:
            async with asyncio.timeout(HANDSHAKE_WITHIN_S):
                await socket.handshake(self._admission.admit, server_header=None)
                if socket.is_open:
                    await self._enter(socket)
            if not socket.is_open:
                async with asyncio.timeout(GOODBYE_WITHIN_S):
                    await socket.wait_closed()
        except (ConnectionClosed, TimeoutError):
            if socket.is_open:
                socket.end(CloseCode.TRY_AGAIN_LATER, "busy")
        except Refusal as refusal:
            socket.end(CloseCode.TRY_AGAIN_LATER, refusal.code)
        except Exception:
            log.exception("feed.socket-failed")
            socket.end(CloseCode.INTERNAL_ERROR, "")
        finally:
            if not socket.is_open:
                self.left(socket)
                socket.transport.abort()
            task = asyncio.current_task()
            assert task is not None
            self.handler_tasks.discard(task)

    async def _room(self, lot_id: UUID) -> Room:
        """The room of a published lot; a draft is not found, like what does not exist."""
        room = self.rooms.get(lot_id)
        if room is not None:
            return room
        async with self._database.reading(platform("feed")) as tx:
            lot = await store.find_lot(tx, lot_id)
        if lot is None:
            raise NotFound(what="lot")
        return self.rooms.setdefault(lot_id, Room(lot, store.state_of(lot), self._database.clock))

    async def _enter(self, socket: LiveSocket) -> None:
        """Tell what was missed since `after`, or the whole picture, and join: nothing can happen in between."""
        room = socket.room
        if socket.after is not None and socket.after > room.sent_seq:
            await self._reach(socket, socket.after)
        older = await self._older(socket)
        for payload in greeting(room, socket.after, older):
            socket.say(payload)
        if socket.is_open:
            socket.enter()
            self.crowd.greeted(socket)

    async def _reach(self, socket: LiveSocket, after: int) -> None:
        """Catch up with a newcomer who comes from a process that was ahead of this one: no picture ever goes back.

        Refuses `busy` if that takes too long. A number that never was is nothing to wait for.
        """
        room = socket.room
        async with (
            self._turns.turn(bidder=socket.actor is not None),
            self._database.reading(platform("feed")) as tx,
        ):
            lot = await store.find_lot(tx, room.lot_id)
        deadline = asyncio.get_running_loop().time() + REACH_WITHIN_S
        while lot is not None and room.sent_seq < after <= lot.seq:
            if asyncio.get_running_loop().time() > deadline:
                raise Busy()
            self._refill(room)
            await asyncio.sleep(REACH_EVERY_S)

    async def _older(self, socket: LiveSocket) -> list[tuple[int, bytes]]:
        """Events that it missed and memory has forgotten, if they are few enough to be told one by one."""
        room, after = socket.room, socket.after
        if after is None or not 0 <= room.sent_seq - after <= RESUME_EVENTS or room.recent(after) is not None:
            return []
        async with (
            self._turns.turn(bidder=socket.actor is not None),
            self._database.reading(platform("feed")) as tx,
        ):
            return await store.events_after(tx, room.lot_id, after, RESUME_EVENTS)

    def left(self, socket: LiveSocket) -> None:
        """A connection is gone, and with the last one its room."""
        if self.crowd.go(socket) and not socket.room.holders:
            socket.room.close()
            del self.rooms[socket.room.lot_id]

    def desk_ended(self) -> None:
        """The desk of this process is one no more; another process decides now: the pages connect again and find it."""
        for socket in tuple(self.crowd.sockets):
            socket.end(CloseCode.SERVICE_RESTART, "desk moved")

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def greeting(room: Room, after: int | None, older: Sequence[tuple[int, bytes]]) -> list[bytes]:
    """What a newcomer is sent: the events behind `after`, or a snapshot if they cannot all be told or never were."""
    if after is None or after > room.sent_seq:
        return [room.snapshot()]
    events = [(seq, event) for seq, event in older if seq <= room.sent_seq]
    newer = room.recent(events[-1][0] if events else after)
    return [room.snapshot()] if newer is None else frames([*events, *newer])
