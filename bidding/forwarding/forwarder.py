"""The web process's end: what it receives goes to the desk of each lot, over one ordered connection per share.

A submission waits here until it has its answer. When the connection breaks, or the lease has another holder (a desk
that was stopped keeps its connections open), everything without an answer goes to the new desk in the old order, under
the old keys. What found no desk for ten seconds is answered `busy`: its bidder asks by the key, or sends again.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Iterator
from itertools import count
from uuid import UUID

import msgspec
import structlog
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from bidding.desk import ingresses, lease, shares
from bidding.desk.ingresses import Presence
from bidding.desk.queue import Reply
from bidding.desk.shares import Seat
from bidding.desk.submissions import Address, Answer, Submission, address
from bidding.forwarding.door import PATH, PING_S
from bidding.forwarding.schemas import MAX_ANSWERS_BYTES, MAX_SUBMISSIONS, encode, forwarded, read_told
from kernel.clock import Clock, monotonic
from kernel.errors import Busy, NotFound

log = structlog.get_logger("forwarding")

LOOK_EVERY_S = 0.25
"""How often the leases are read: a desk that moved is followed within this."""

SIGN_EVERY_S = 1.0
HEAR_EVERY_S = 0.5
HEARD_WITHIN_S = 2.0
"""A desk that has said nothing for so long, not even to pings, is out of reach."""

WAITS_S = 0.5
"""Whoever bids without a socket counts as connected once the bid has waited so long."""

RETRY_S = 0.1
CONNECT_WITHIN_S = 1.0
HOLD_S = 10.0
MOST_PLACES = 100_000


class Pending(msgspec.Struct, eq=False):
    """A submission without an answer."""

    number: int
    sent: Submission
    reply: Reply
    since_s: float


class Line:
    """The way to the desk of one share: submissions in order of arrival, and the connection of the moment."""

    def __init__(self, share: int, secret: str) -> None:
        self.seat = Seat(share)
        self.waiting: dict[int, Pending] = {}
        """Everything without an answer, in order; what was sent and what was not."""
        self._unsent: list[Pending] = []
        self.heard_s = 0.0
        """When the desk last said something (monotonic seconds)."""
        self._headers = {"Authorization": f"Bearer {secret}"}
        self._wake = asyncio.Event()
        self._talking: asyncio.Task[None] | None = None

    def put(self, pending: Pending) -> None:
        """Let a submission join; it leaves with all others that came in the same moment."""
        self.waiting[pending.number] = pending
        self._unsent.append(pending)
        self._wake.set()

    def seats(self, before_s: float) -> Iterator[ingresses.Seat]:
        """Lots and registrations of bids that wait since before that moment."""
        for pending in self.waiting.values():
            if pending.since_s > before_s:
                return
            if pending.sent.registration_id is not None:
                yield pending.sent.lot_id, pending.sent.registration_id

    def follow(self, seat: Seat) -> None:
        """Go to the holder of the lease, if that is another one than before."""
        if (seat.epoch, seat.address) != (self.seat.epoch, self.seat.address):
            self.close()
            self.seat = seat
            if seat.address is not None:
                self._talking = asyncio.create_task(self._talk_for_ever(seat), name="forward")

    def close(self) -> None:
        """Leave the desk that is talked to."""
        if self._talking is not None:
            self._talking.cancel()
            self._talking = None

    async def _talk_for_ever(self, seat: Seat) -> None:
        uri = f"ws://{seat.address}" + PATH.format(share=seat.share, epoch=seat.epoch)
        said = ""
        while True:
            try:
                await self._talk(uri)
            except (OSError, TimeoutError, WebSocketException) as error:
                if said != (said := type(error).__name__):  # ten times a second the same says nothing new
                    log.warning("forwarding.broken", share=seat.share, epoch=seat.epoch, error=str(error))
            except Exception:
                log.exception("forwarding.failed", share=seat.share)
            await asyncio.sleep(RETRY_S)

    async def _talk(self, uri: str) -> None:
        connection = await connect(
            uri,
            additional_headers=self._headers,
            compression=None,
            max_size=MAX_ANSWERS_BYTES,
            open_timeout=CONNECT_WITHIN_S,
            ping_interval=PING_S,
            ping_timeout=PING_S,
            proxy=None,
        )
        self.heard_s = monotonic()
        self._unsent = list(self.waiting.values())
        self._wake.set()
        sending = asyncio.create_task(self._send(connection), name="forward-send")
        hearing = asyncio.create_task(self._hear(connection), name="forward-hear")
        try:
            while True:
                frame = await connection.recv(decode=False)
                self.heard_s = monotonic()
                for told in read_told(frame):
                    if (pending := self.waiting.pop(told.number, None)) is not None:
                        pending.reply(told.answer(pending.sent.key))
        finally:
            for task in (sending, hearing):
                task.cancel()
            await asyncio.gather(sending, hearing, return_exceptions=True)
            connection.transport.abort()

    async def _hear(self, connection: ClientConnection) -> None:
        """Ask for an echo again and again, whether anything is said or not."""
        while True:
            await (await connection.ping())
            self.heard_s = monotonic()
            await asyncio.sleep(HEAR_EVERY_S)

    async def _send(self, connection: ClientConnection) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            unsent, self._unsent = self._unsent, []
            for start in range(0, len(unsent), MAX_SUBMISSIONS):
                part = unsent[start : start + MAX_SUBMISSIONS]
                await connection.send(encode([forwarded(one.number, one.sent) for one in part]))


class Forwarder:
    """Stands where a desk would stand for the feed of a web process. At most `limit` submissions wait."""

    def __init__(self, dsn: str, clock: Clock, secret: str, limit: int) -> None:
        self.presence = Presence()
        """Who is connected here; kept by the feed."""
        self._dsn = dsn
        self._clock = clock
        self._secret = secret
        self._limit = limit
        self._numbers = count(1)
        self._lines: list[Line] = []
        self._keys: Counter[Address] = Counter()
        self._waiting = 0
        self._places: dict[UUID, int] = {}
        self._unplaced: list[Pending] = []
        self._wake = asyncio.Event()
        self._db: lease.Connection | None = None
        self._next_sign_s = 0.0
        self._cut_off = True

    # -- what the feed asks of a desk

    def enter(self, sent: Submission, reply: Reply) -> None:
        """Send a submission on; `reply` is called with its answer, at once if too many wait."""
        if self._waiting >= self._limit:
            reply(Answer(sent.key, refusal=Busy()))
            return
        where = sent.address
        self._keys[where] += 1
        self._waiting += 1

        def answered(answer: Answer) -> None:
            self._waiting -= 1
            self._keys[where] -= 1
            if not self._keys[where]:
                del self._keys[where]
            reply(answer)

        self._place(Pending(next(self._numbers), sent, answered, monotonic()))

    async def submit(self, sent: Submission) -> Answer:
        """The answer to a submission. A caller that gives up waiting changes nothing: the key finds the answer."""
        answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self.enter(sent, lambda answer: None if answered.done() else answered.set_result(answer))
        return await answered

    def waits(self, sent_as: tuple[UUID, UUID | None, UUID]) -> bool:
        """Whether a submission of this process under this (lot, registration, key) has no answer yet."""
        return address(*sent_as) in self._keys

    # -- the way to the desks

    async def run(self) -> None:
        """Follow the leases and give signs of life until cancelled."""
        try:
            while True:
                try:
                    await self._look()
                except Exception as error:
                    log.warning("forwarding.look-failed", error=repr(error))
                    self._forget_connection()
                self._give_up_old()
                with contextlib.suppress(TimeoutError):  # `wait_for` may lose a cancellation that meets the bell
                    async with asyncio.timeout(LOOK_EVERY_S):
                        await self._wake.wait()
                self._wake.clear()
        finally:
            for line in self._lines:
                line.close()
            self._forget_connection()

    async def _look(self) -> None:
        if self._db is None or self._db.is_closed():
            self._db = await lease.connect(self._dsn, "ingress")
        seats = await shares.seats(self._db)
        if len(seats) != len(self._lines):
            self._share_out(len(seats))
        for seat, line in zip(seats, self._lines, strict=True):
            line.follow(seat)
        if self._unplaced:
            await self._find_places(self._db)
        was_cut_off, self._cut_off = self._cut_off, self._hears_nothing()
        if monotonic() >= self._next_sign_s or (was_cut_off and not self._cut_off):
            self._next_sign_s = monotonic() + SIGN_EVERY_S
            await self._sign(self._db)

    def _hears_nothing(self) -> bool:
        """Whether a desk is out of reach: then what is taken here may wait for as long as a hole."""
        before_s = monotonic() - HEARD_WITHIN_S
        return not self._lines or any(line.heard_s < before_s for line in self._lines)

    async def _sign(self, db: lease.Connection) -> None:
        """A sign of life."""
        before_s = monotonic()
        waiting = {seat for line in self._lines for seat in line.seats(before_s - WAITS_S)}
        await ingresses.write_sign(db, self.presence, self._clock.now(), cut_off=self._cut_off, waiting=waiting)

    def _share_out(self, of: int) -> None:
        """The lots are shared out anew: what waits goes to the new desks in its old order."""
        waiting = sorted((one for line in self._lines for one in line.waiting.values()), key=lambda one: one.number)
        for line in self._lines:
            line.close()
        self._lines = [Line(share, self._secret) for share in range(of)]
        for pending in waiting:
            self._place(pending)

    def _place(self, pending: Pending) -> None:
        bucket = self._places.get(pending.sent.lot_id)
        if bucket is not None and self._lines:
            self._lines[bucket % len(self._lines)].put(pending)
        else:
            self._unplaced.append(pending)
            self._wake.set()

    async def _find_places(self, db: lease.Connection) -> None:
        asked = {one.sent.lot_id for one in self._unplaced}
        found = await shares.buckets(db, asked)
        if len(self._places) > MOST_PLACES:
            self._places.clear()
        self._places |= found
        unplaced, self._unplaced = self._unplaced, []
        for pending in unplaced:
            if pending.sent.lot_id in asked - found.keys():
                pending.reply(Answer(pending.sent.key, refusal=NotFound(what="lot")))
            else:
                self._place(pending)

    def _give_up_old(self) -> None:
        """Answer `busy` to what has waited too long; should its answer come yet, the key finds it."""
        before_s = monotonic() - HOLD_S
        for line in self._lines:
            for pending in list(line.waiting.values()):
                if pending.since_s > before_s:
                    break
                del line.waiting[pending.number]
                pending.reply(Answer(pending.sent.key, refusal=Busy()))
        old = [one for one in self._unplaced if one.since_s <= before_s]
        self._unplaced = [one for one in self._unplaced if one.since_s > before_s]
        for pending in old:
            pending.reply(Answer(pending.sent.key, refusal=Busy()))

    def _forget_connection(self) -> None:
        if self._db is not None:
            self._db.terminate()
            self._db = None
