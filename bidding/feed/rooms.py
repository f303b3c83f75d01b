"""A room: one lot's picture and latest events in memory, and the sockets that look at it.

Invariant 32: what a socket has been sent is gapless. Events join `seq` in order or not at all (a gap is mended from the
database); they are sent in frames at most every 50 ms, and a newcomer is shown the picture as of the last frame, so
that the next one follows on it.

Thousands get the same bytes: each is one call of its transport's `write`, with nothing of ours between. They go out in
slices, with a turn of the event loop between two, so that a bid waits for one slice at most; and the next frame begins
when the last socket has been sent the one before, so that a process short of time sends fewer and larger frames.
"""

import asyncio
import operator
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Protocol
from uuid import UUID

from bidding.desk.models import Lot
from bidding.desk.rules import Kind, LotState, Status
from bidding.feed.rules import Countdown, coarse, countdown, shown
from bidding.feed.schemas import LotView, events_frame, kind_of, snapshot_frame, tick_frame
from kernel.clock import Clock, beijing

FRAME_EVERY_S = 0.05
FRAME_EVENTS = 50
FLOOD_EVENTS = 10
"""Of a frame over more than fifty events: the latest, beside all that are no bids. Nobody reads a thousand a second."""
NOTABLE_EVENTS = FRAME_EVENTS - FLOOD_EVENTS
FLOOD_EVERY_S = 0.2
"""Behind such a frame, so that the flood leaves the process time for the bids."""
TICK_WAITS_S = 0.15
"""For a frame to go with, while frames come often: a second write to each of thousands would hold the next bid up."""
RING_EVENTS = 2_000
SLICE = 500
"""Sockets written to in one turn of the event loop."""

_SHORT, _MEDIUM = 126, 65_536

Write = Callable[[bytes], object]


class Socket(Protocol):
    """What a room asks of a connection."""

    @property
    def write(self) -> Write:
        """Write a framed message straight to the transport."""

    def show(self, framed: bytes) -> None:
        """Write a framed message, now or with the answer that is about to come."""


def text_frame(payload: bytes) -> bytes:
    """`payload` as an unmasked text frame (RFC 6455), made once for all who get it."""
    size = len(payload)
    if size < _SHORT:
        return bytes((0x81, size)) + payload
    if size < _MEDIUM:
        return b"\x81\x7e" + size.to_bytes(2, "big") + payload
    return b"\x81\x7f" + size.to_bytes(8, "big") + payload


class Room:
    """One lot. `seq` and `state` are the latest known here, `sent_seq` and `sent_state` what the sockets have seen."""

    def __init__(self, lot: Lot, state: LotState, clock: Clock) -> None:
        self.lot_id: UUID = lot.lot_id
        self.holders: set[Socket] = set()
        """Sockets for which the room is kept: those in it, and those still at the door."""
        self.admitted = lot.admitted
        self._lot = lot
        self._clock = clock
        self._writes: dict[Socket, Write] = {}
        """The sockets in the room, and how each is written to."""
        self._under_way: list[tuple[Socket, Write]] = []
        self._next_frame_s = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._ticker: asyncio.TimerHandle | None = None
        self._frame_due = self._tick_due = self._tick_alone = False
        self._messages: list[bytes] = []
        self._reset(state)

    def __contains__(self, socket: Socket) -> bool:
        return socket in self._writes

    def join(self, socket: Socket) -> None:
        """From the next frame on; nothing that is under way comes to it, since it was told of that already."""
        self._writes[socket] = socket.write

    def leave(self, socket: Socket) -> None:
        """At once, also in the middle of a frame."""
        self._writes.pop(socket, None)

    def takes_bids_of(self, socket: Socket) -> None:
        """Somebody bids through this socket: a frame may wait for the answer, to leave with it in one piece."""
        if socket in self._writes:
            self._writes[socket] = socket.show

    def _reset(self, state: LotState) -> None:
        self.state = self.sent_state = state
        self.seq = self.sent_seq = state.seq
        self._ring: deque[tuple[int, bytes]] = deque(maxlen=RING_EVENTS)
        self._notable: list[tuple[int, bytes]] = []
        """Unsent events that are no bids."""

    def add(self, events: Iterable[tuple[int, bytes]], state: LotState) -> bool:
        """Take events and the state after them. False if some before them are missing: nothing was taken."""
        new = [one for one in events if one[0] > self.seq]
        if not new:
            return True
        if new[0][0] != self.seq + 1:
            return False
        for place, (seq, event) in enumerate(new):
            if (kind := kind_of(event)) != Kind.BID:
                new[place] = seq, shown(seq, kind, event)
                self._notable.append(new[place])
        self._ring.extend(new)
        self.seq, self.state = new[-1][0], state
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_at(max(loop.time(), self._next_frame_s), self._time_for_frame)
        return True

    def restart(self, state: LotState) -> None:
        """Show a new picture to all, when too much is missing to be told event by event."""
        self._reset(state)
        self.broadcast(self.snapshot())

    def snapshot(self) -> bytes:
        """The picture after the last frame."""
        return snapshot_frame(
            self.sent_seq,
            view_of(self._lot, self.sent_state, self.admitted),
            beijing(self._clock.now()),
            self._left(),
            self._clock.rate,
        )

    def recent(self, after: int) -> list[tuple[int, bytes]] | None:
        """Sent events behind `after`; None if memory does not reach back so far."""
        first = self._ring[0][0] if self._ring else self.seq + 1
        if after + 1 < first:
            return None
        return [(seq, event) for seq, event in self._ring if after < seq <= self.sent_seq]

    def tick(self) -> None:
        """The sign of life of this second: with the next frame if frames come often, else at once."""
        self._tick_due = True
        loop = asyncio.get_running_loop()
        if loop.time() < self._next_frame_s + TICK_WAITS_S:
            self._ticker = loop.call_later(TICK_WAITS_S, self._time_for_tick)
        else:
            self._time_for_tick()

    def broadcast(self, payload: bytes) -> None:
        """Send one message to every socket of the room."""
        self._messages.append(payload)
        self._send_next()

    def close(self) -> None:
        """Nobody looks any more: nothing is sent on, and what was under way keeps nobody who is gone."""
        self._under_way.clear()
        for timer in (self._timer, self._ticker):
            if timer is not None:
                timer.cancel()

    def _time_for_tick(self) -> None:
        self._tick_alone = self._tick_due
        self._send_next()

    def _time_for_frame(self) -> None:
        self._timer = None
        self._frame_due = True
        self._send_next()

    def _send_next(self) -> None:
        """Begin what is due, unless earlier messages are still under way."""
        if self._under_way:
            return
        payloads, self._messages = self._messages, []
        if self._frame_due:
            self._frame_due = False
            self._next_frame_s = asyncio.get_running_loop().time() + (FLOOD_EVERY_S if self._floods else FRAME_EVERY_S)
            if self.seq > self.sent_seq:
                payloads.append(self._frame())
        if self._tick_alone or (self._tick_due and payloads):
            self._tick_due = self._tick_alone = False
            payloads.append(self._tick())
        if payloads:
            self._under_way = list(self._writes.items())
            self._send_slice(b"".join(map(text_frame, payloads)), iter(self._under_way))

    def _send_slice(self, framed: bytes, rest: Iterator[tuple[Socket, Write]]) -> None:
        inside = self._writes
        for socket, write in islice(rest, SLICE):
            if socket in inside:
                try:
                    write(framed)
                except RuntimeError:  # the transport is gone, and we are about to hear of it
                    self.leave(socket)
        if operator.length_hint(rest):
            asyncio.get_running_loop().call_soon(self._send_slice, framed, rest)
        elif self._under_way:
            self._under_way = []
            self._send_next()

    def _tick(self) -> bytes:
        watchers, bidders = coarse(len(self._writes)), coarse(self.admitted)
        return tick_frame(self.sent_seq, self._left(), watchers, bidders, self._clock.rate)

    def _frame(self) -> bytes:
        """The events since the last frame, which is now this one. Of a flood nothing but bids is left out."""
        first, last = self.sent_seq + 1, self.seq
        told = self._latest(FLOOD_EVENTS if self._floods else last - first + 1)
        if self._floods:
            told = [one for one in self._notable if one[0] < told[0][0]][-NOTABLE_EVENTS:] + told
        self.sent_seq, self.sent_state, self._notable = last, self.state, []
        return events_frame(first, last, [event for _, event in told])

    @property
    def _floods(self) -> bool:
        return self.seq - self.sent_seq > FRAME_EVENTS

    def _latest(self, count: int) -> list[tuple[int, bytes]]:
        return list(islice(reversed(self._ring), count))[::-1]

    def _left(self) -> Countdown:
        state = self.sent_state
        kept_ms = None if state.remaining is None else int(state.remaining.total_seconds() * 1000)
        return countdown(state.terms.opens_at, state.ends_at, kept_ms, self._clock.now())


def frames(events: Sequence[tuple[int, bytes]]) -> list[bytes]:
    """All of `events` in frames of at most fifty, for one who comes back."""
    parts = [events[start : start + FRAME_EVENTS] for start in range(0, len(events), FRAME_EVENTS)]
    return [events_frame(part[0][0], part[-1][0], [event for _, event in part]) for part in parts]


def view_of(lot: Lot, state: LotState, admitted: int | None = None) -> LotView:
    """The lot as everybody may see it: published terms and the state after some event."""
    outcome = None
    if state.status is Status.CLOSED:
        outcome = "sold" if state.leader else "failed"
    return LotView(
        lot_id=lot.lot_id,
        title=lot.title,
        method=lot.method,
        status=state.status,
        outcome=outcome,
        opens_at=beijing(lot.opens_at),
        scheduled_end=beijing(lot.scheduled_end),
        ends_at=beijing(state.ends_at) if state.ends_at else None,
        start_price_fen=lot.start_price_fen,
        increment_fen=lot.increment_fen,
        deposit_fen=lot.deposit_fen,
        price_fen=state.price_fen,
        leader=state.leader,
        leader_rank=state.leader_rank,
        bids=state.bids,
        extensions=state.extensions,
        bidders=coarse(lot.admitted if admitted is None else admitted),
    )
