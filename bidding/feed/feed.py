"""The live feed of one process: its rooms, who may enter them, and bids that come through them.

`publish` takes the desk's events behind each commit. Every second each room ticks, readers that cannot keep up are
closed, rooms are compared with the database (a lost message heals), and sockets of ended sessions are closed by one
query for all. A socket is a window: nothing here decides anything or is the only place where something stands.
"""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import parse_qsl
from uuid import UUID

import structlog
from msgspec import UNSET
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode
from websockets.http11 import Request, Response

from bidding.desk.batch import Book
from bidding.desk.errors import NotEligible
from bidding.desk.ingresses import Presence
from bidding.desk.queue import Reply
from bidding.desk.rules import Kind
from bidding.desk.submissions import Answer, Submission
from bidding.feed import store
from bidding.feed.bell import Bell
from bidding.feed.protocol import (
    DEAD_SESSION,
    SLOW_READER,
    TOO_MANY_MESSAGES,
    LiveSocket,
    live_protocol,
)
from bidding.feed.rooms import RING_EVENTS, Room, frames
from bidding.feed.schemas import BidMessage, PlaceBid, answer_frame, key_in, read_message, refused_frame
from bidding.registration.errors import PasswordRequired
from bidding.registration.service import registrations_of, standing
from kernel.actors import Actor, platform
from kernel.database import Database
from kernel.errors import Busy, Malformed, NotFound, RateLimited, Refusal, SignInRequired
from kernel.identity.service import open_sessions
from kernel.limits import Limits
from kernel.observability import LIVE_SOCKETS
from kernel.settings import Settings
from kernel.web import ForeignOrigin, origin_allowed, source_of

log = structlog.get_logger("feed")

PATH = re.compile(r"/live/lots/([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})", re.ASCII)
SEQ = re.compile(r"[0-9]{1,18}", re.ASCII)

HANDSHAKE_WITHIN_S = 5.0
REACH_WITHIN_S, REACH_EVERY_S = 3.0, 0.02
HANDSHAKES_AT_ONCE = 4
"""Openings that may ask the database at a time: ten thousand reconnects must not starve the bids."""

MOST_SEATED = 2_000
"""Newcomers looked up at a time, each second."""

MOST_UNSENT_BYTES = 1_048_576
RESUME_EVENTS = 1_000
RETRY_AFTER_S = 5
STRIKES = 100
"""Messages over the limit that are answered `rate-limited` before the socket is closed."""


class Doorkeeper(Protocol):
    """Who resolves a session cookie: the identity door of the process."""

    async def resolve(self, cookie_header: str | None, source: str) -> Actor | None: ...


class Decides(Protocol):
    """Who gives answers: the desk of this process, or the way to the desks of others."""

    def enter(self, sent: Submission, reply: Reply) -> None: ...

    async def submit(self, sent: Submission) -> Answer: ...

    def waits(self, sent_as: tuple[UUID, UUID | None, UUID]) -> bool: ...


class Feed:
    """The rooms of this process. `running` keeps its seconds, `protocol` is what uvicorn mounts."""

    def __init__(self, database: Database, desk: Decides, settings: Settings, identity: Doorkeeper) -> None:
        self.desk = desk
        self.presence = Presence()
        self.handler_tasks: set[asyncio.Task[None]] = set()
        self.limits = Limits({"message": (settings.bids_per_minute, 60)})
        self._database = database
        self._settings = settings
        self._identity = identity
        self._origin = settings.origin
        self._host = settings.origin.partition("://")[2]
        self._rooms: dict[UUID, Room] = {}
        self._sockets: set[LiveSocket] = set()
        self._newcomers: set[LiveSocket] = set()
        """Signed-in sockets of which it is not known yet whether they are a bidder's."""
        self._of_person: Counter[UUID] = Counter()
        self._of_address: Counter[str] = Counter()
        self._openings = asyncio.Semaphore(HANDSHAKES_AT_ONCE)
        self._refilling: set[UUID] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False
        self._bell = Bell(settings.redis_url, self._rung) if settings.redis_url else None

    @property
    def protocol(self) -> Callable[..., LiveSocket]:
        """The factory for uvicorn's `ws=`."""
        return live_protocol(self)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Tick, heal and listen while the body runs; then close every socket."""
        self._spawn(self._every_second(self._tick))
        self._spawn(self._every_second(self._check))
        if self._bell is not None:
            self._spawn(self._bell.run())
        try:
            yield
        finally:
            self._closing = True
            for socket in tuple(self._sockets):
                socket.shutdown()
            for task in tuple(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, *self.handler_tasks, return_exceptions=True)

    # -- events

    def publish(self, lot_id: UUID, events: list[tuple[int, bytes]], book: Book) -> None:
        """Take a commit's events; called by the desk, so it returns at once."""
        if not events:
            return
        room = self._rooms.get(lot_id)
        if room is not None and not room.add(events, book.state):
            self._refill(room)
        if self._bell is not None:
            self._bell.ring(lot_id, events[-1][0])

    def _rung(self, lot_id: UUID, seq: int) -> None:
        room = self._rooms.get(lot_id)
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

    async def _every_second(self, work: Callable[[], Awaitable[None]]) -> None:
        loop = asyncio.get_running_loop()
        next_s = loop.time()
        while True:
            next_s = max(next_s + 1, loop.time())
            await asyncio.sleep(next_s - loop.time())
            try:
                await work()
            except Exception:
                log.exception("feed.second-failed")

    async def _tick(self) -> None:
        for room in self._rooms.values():
            room.tick()
        for socket in tuple(self._sockets):
            if socket.transport.get_write_buffer_size() > MOST_UNSENT_BYTES:
                socket.end(SLOW_READER, "slow")

    async def _check(self) -> None:
        """Compare rooms with the database and sessions with their sockets, one query each."""
        try:
            await self._heal()
            await self._end_dead_sessions()
            await self._seat_newcomers()
        except Refusal as refusal:
            log.warning("feed.check-failed", code=refusal.code)

    async def _seat_newcomers(self) -> None:
        """Keep who of a lot's bidders is connected: no lot is decided over the heads of bidders who are cut off."""
        newcomers = [socket for socket in self._newcomers if socket.counted][:MOST_SEATED]
        if not newcomers:
            return
        seats = {(socket.room.lot_id, socket.actor.person) for socket in newcomers if socket.actor}
        found = await registrations_of(self._database, platform("feed"), seats)
        for socket in newcomers:
            self._newcomers.discard(socket)
            assert socket.actor is not None
            registration_id = found.get((socket.room.lot_id, socket.actor.person))
            if registration_id is not None and socket.counted:
                socket.seat = socket.room.lot_id, registration_id
                self.presence.come(socket.seat)

    async def _heal(self) -> None:
        if not self._rooms:
            return
        async with self._database.reading(platform("feed")) as tx:
            seqs = await store.last_seqs(tx, list(self._rooms))
        for lot_id, seq in seqs:
            self._rung(lot_id, seq)

    async def _end_dead_sessions(self) -> None:
        sessions = {socket.actor.session_id for socket in self._sockets if socket.actor and socket.actor.session_id}
        if not sessions:
            return
        alive = await open_sessions(self._database, sessions)
        for socket in tuple(self._sockets):
            if socket.actor and socket.actor.session_id in sessions - alive:
                socket.end(DEAD_SESSION, "session ended")

    # -- the door

    def is_serving(self) -> bool:
        """Asked by `websockets` before it accepts."""
        return not self._closing

    async def handler(self, socket: LiveSocket) -> None:
        """A connection from its handshake to its end."""
        try:
            async with asyncio.timeout(HANDSHAKE_WITHIN_S):
                await socket.handshake(self._admit, server_header=None)
                if socket.is_open:
                    await self._enter(socket)
            if socket.is_open:
                socket.start_keepalive()
                await socket.wait_closed()
            else:
                async with asyncio.timeout(HANDSHAKE_WITHIN_S):
                    await socket.wait_closed()
        except (ConnectionClosed, TimeoutError):
            pass
        except Refusal as refusal:
            socket.end(CloseCode.TRY_AGAIN_LATER, refusal.code)
        except Exception:
            log.exception("feed.socket-failed")
            socket.end(CloseCode.INTERNAL_ERROR, "")
        finally:
            self._leave(socket)
            if not socket.is_open:
                socket.transport.abort()
            task = asyncio.current_task()
            assert task is not None
            self.handler_tasks.discard(task)

    async def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        """None to accept, else the refusal, given before the connection is accepted."""
        assert isinstance(connection, LiveSocket)
        if connection.transport.is_closing():  # gone while it waited for us, and uvloop knows no address any more
            return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "gone\n")
        try:
            lot_id, after = _wanted(request, self._host, self._origin)
            connection.after = after
            forwarded = request.headers.get_all("X-Forwarded-For")
            connection.source = source_of(_address(connection), forwarded, self._settings.trusted_proxies)
            self._check_room_for(self._of_address[connection.source], self._settings.sockets_per_address)
            connection.actor = await self._resolve(request, connection.source)
            if connection.actor is not None:
                self._check_room_for(self._of_person[connection.actor.person], self._settings.sockets_per_person)
            connection.room = await self._room(lot_id)
        except Refusal as refusal:
            return connection.respond(HTTPStatus(refusal.status), f"{refusal.code}: {refusal.detail_en}\n")
        self._count_in(connection)
        return None

    def _check_room_for(self, sockets: int, most: int) -> None:
        if sockets >= most:
            raise RateLimited(retry_after_s=RETRY_AFTER_S)

    async def _resolve(self, request: Request, source: str) -> Actor | None:
        """Who is behind the handshake's cookie; the only credential, and one that is not ours makes a visitor."""
        cookies = request.headers.get_all("Cookie")
        if not cookies:
            return None
        async with self._openings:
            return await self._identity.resolve("; ".join(cookies), source)

    async def _room(self, lot_id: UUID) -> Room:
        """The room of a published lot; a draft is not found, like what does not exist."""
        room = self._rooms.get(lot_id)
        if room is not None:
            return room
        async with self._openings, self._database.reading(platform("feed")) as tx:
            lot = await store.find_lot(tx, lot_id)
        if lot is None:
            raise NotFound(what="lot")
        return self._rooms.setdefault(lot_id, Room(lot, store.state_of(lot), self._database.clock))

    async def _enter(self, socket: LiveSocket) -> None:
        """Tell what was missed since `after`, or the whole picture, and join: nothing can happen in between."""
        room = socket.room
        if socket.after is not None and socket.after > room.sent_seq:
            await self._reach(room, socket.after)
        older = await self._older(room, socket.after)
        for payload in greeting(room, socket.after, older):
            socket.say(payload)
        room.sockets.add(socket)
        if socket.actor is not None:
            self._newcomers.add(socket)

    async def _reach(self, room: Room, after: int) -> None:
        """Catch up with a newcomer who comes from a process that was ahead of this one: no picture ever goes back.

        Refuses `busy` if that takes too long. A number that never was is nothing to wait for.
        """
        async with self._openings, self._database.reading(platform("feed")) as tx:
            lot = await store.find_lot(tx, room.lot_id)
        deadline = asyncio.get_running_loop().time() + REACH_WITHIN_S
        while lot is not None and room.sent_seq < after <= lot.seq:
            if asyncio.get_running_loop().time() > deadline:
                raise Busy()
            self._refill(room)
            await asyncio.sleep(REACH_EVERY_S)

    async def _older(self, room: Room, after: int | None) -> list[tuple[int, bytes]]:
        """Events behind `after` that memory has forgotten, if they are few enough to be told one by one."""
        if after is None or not 0 <= room.sent_seq - after <= RESUME_EVENTS or room.recent(after) is not None:
            return []
        async with self._openings, self._database.reading(platform("feed")) as tx:
            return await store.events_after(tx, room.lot_id, after, RESUME_EVENTS)

    def _count_in(self, socket: LiveSocket) -> None:
        socket.counted = True
        person_id = socket.actor.person_id if socket.actor else None
        socket.sender = str(person_id) if person_id else f"{socket.source} {id(socket)}"
        socket.room.holders.add(socket)
        self._sockets.add(socket)
        LIVE_SOCKETS.inc()
        self._of_address[socket.source] += 1
        if person_id:
            self._of_person[person_id] += 1

    def _leave(self, socket: LiveSocket) -> None:
        if not socket.counted:
            return
        socket.counted = False
        self._sockets.discard(socket)
        LIVE_SOCKETS.dec()
        _count_out(self._of_address, socket.source)
        if socket.actor and socket.actor.person_id:
            _count_out(self._of_person, socket.actor.person_id)
        self._newcomers.discard(socket)
        if socket.seat is not None:
            self.presence.go(socket.seat)
        room = socket.room
        room.sockets.discard(socket)
        room.holders.discard(socket)
        if not room.holders:
            room.close()
            del self._rooms[room.lot_id]

    def desk_ended(self) -> None:
        """The desk of this process is one no more; another process decides now: the pages connect again and find it."""
        for socket in tuple(self._sockets):
            socket.end(CloseCode.SERVICE_RESTART, "desk moved")

    # -- bids

    def receive(self, socket: LiveSocket, raw: bytes) -> None:
        """One message of a client: decode it strictly and answer it, now or when the desk has decided."""
        refusal: Refusal | None = self.over_limit(socket)
        if refusal is None:
            try:
                self._bid(socket, read_message(raw))
            except Malformed as malformed:
                refusal = malformed
        if refusal is not None:
            socket.say(refused_frame(key_in(raw), refusal))

    def over_limit(self, socket: LiveSocket) -> RateLimited | None:
        """Count a message against its sender's limit; who goes on past it is closed."""
        try:
            self.limits.spend("message", socket.sender)
        except RateLimited as refusal:
            socket.strikes += 1
            if socket.strikes > STRIKES:
                socket.end(TOO_MANY_MESSAGES, "too many messages")
            return refusal
        return None

    def _bid(self, socket: LiveSocket, message: BidMessage) -> None:
        if socket.actor is None:
            socket.say(refused_frame(message.key, SignInRequired()))
        elif socket.registration_id is None:
            self._spawn(self._resolve_and_bid(socket, socket.actor, message))
        else:
            self._enter_bid(socket, message, socket.registration_id)

    async def _resolve_and_bid(self, socket: LiveSocket, actor: Actor, message: BidMessage) -> None:
        """The first bid of a socket: find out who it is. An open door stays open, a closed one is asked again."""
        try:
            socket.registration_id = await self.door(actor, socket.room.lot_id)
        except Refusal as refusal:
            socket.say(refused_frame(message.key, refusal))
        else:
            self._enter_bid(socket, message, socket.registration_id)

    def _enter_bid(self, socket: LiveSocket, message: BidMessage, registration_id: UUID) -> None:
        lot_id = socket.room.lot_id

        def reply(answer: Answer) -> None:
            socket.undecided -= 1
            socket.say(answer_frame(lot_id, answer))

        socket.undecided += 1
        self.desk.enter(self.submission(lot_id, registration_id, message), reply)

    async def door(self, actor: Actor, lot_id: UUID) -> UUID:
        """The bidder's own registration, if the bid password was entered in this login session.

        Refuses `not-eligible` where there is no registration, and `password-required`; neither uses up the key.
        """
        found = await standing(self._database, actor, lot_id)
        if found is None:
            raise NotEligible()
        if not found.unlocked:
            raise PasswordRequired()
        return found.registration_id

    def submission(self, lot_id: UUID, registration_id: UUID, bid: PlaceBid) -> Submission:
        """A bid as it enters the desk's queue, stamped with its arrival here."""
        return Submission(
            lot_id=lot_id,
            kind=Kind.BID,
            key=bid.key,
            ingress_at=self._database.clock.now(),
            registration_id=registration_id,
            price_fen=bid.price_fen,
            confirm_fen=None if bid.confirm is UNSET else bid.confirm,
        )

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


def _wanted(request: Request, host: str, origin: str) -> tuple[UUID, int | None]:
    """The lot and the `seq` that a handshake asks for; refuses foreign pages, and credentials in the query."""
    if request.headers.get_all("Host") != [host]:
        raise Malformed(path="Host", expected=host)
    origins = request.headers.get_all("Origin")
    if len(origins) != 1 or not origin_allowed(origins[0], origin):
        raise ForeignOrigin()
    path, _, query = request.path.partition("?")
    found = PATH.fullmatch(path)
    if found is None:
        raise NotFound(what="lot")
    asked = parse_qsl(query, keep_blank_values=True)
    if query and [name for name, _ in asked] != ["after"]:
        raise Malformed(path="query", expected="`after`, once, and nothing else")
    after = asked[0][1] if asked else ""
    return UUID(found[1]), int(after) if SEQ.fullmatch(after) else None


def _address(connection: ServerConnection) -> str:
    address = connection.remote_address
    return str(address[0]) if isinstance(address, tuple) else "local"


def _count_out(counter: Counter[Any], who: object) -> None:
    counter[who] -= 1
    if not counter[who]:
        del counter[who]
