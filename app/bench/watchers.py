"""Thousands of sockets that only look: a process of its own, as lean as can be, that keeps when each frame came.

A frame is the same bytes for all who get it, so a chunk that was seen before is known without being read again. The
process opens its sockets, says `ready`, looks until it is told by whom and when was sent what it saw, and sums up.
"""

import contextlib
import gc
import os
import select
import socket
import sys
import time
from array import array

import msgspec

from app.bench.client import CLOSE, PING, PONG, SWITCHED, TEXT, masked, opening, percentiles_ms, read_frames
from app.open_files import raise_open_files

AT_ONCE = 100
"""Handshakes in flight."""

OPEN_WITHIN_S = 300.0
CHUNK_BYTES = 65_536
NEVER = -1
"""What follows on nothing."""


class Look(msgspec.Struct, frozen=True):
    """What to open. With `numbered` every message counts as an event whose number its first eight bytes tell."""

    host: str
    port: int
    path: str
    sockets: int
    numbered: bool = False


class Ready(msgspec.Struct, frozen=True):
    """All sockets are open; how long that took."""

    connect_s: float


class Sent(msgspec.Struct, frozen=True):
    """The measured span, and when each event that falls into it was sent, by its number."""

    begin_s: float
    end_s: float
    events: dict[int, float]


class Seen(msgspec.Struct):
    """What came in the measured span. `missing`: events that did not come to a watcher, `gaps`: breaks in `seq`."""

    frames: int = 0
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    last_p50_ms: float = 0.0
    last_p99_ms: float = 0.0
    """Until the last watcher had it."""
    gaps: int = 0
    missing: int = 0
    lost_sockets: int = 0
    cpu_s: float = 0.0
    messages: list[tuple[float, int]] = []
    """When each message first came, in seconds after the begin, and its bytes without the frame's head."""


class _Events(msgspec.Struct, tag_field="t", tag="events"):
    to: int
    from_: int = msgspec.field(name="from")


class _Tick(msgspec.Struct, tag_field="t", tag="tick"):
    seq: int


class _Snapshot(msgspec.Struct, tag_field="t", tag="snapshot"):
    seq: int


_read = msgspec.json.Decoder(_Events | _Tick | _Snapshot).decode


class Chunk:
    """The bytes of one or more whole frames, the events in them, and when they came."""

    __slots__ = ("came", "first", "last", "payloads")

    def __init__(self, payloads: list[bytes], numbered: bool) -> None:
        self.payloads = payloads
        self.came = array("d")
        self.first = self.last = 0
        """Events `first` to `last`; a tick or snapshot says that `first` would come next."""
        for payload in payloads:
            first, last = _number(payload) if numbered else _span(payload)
            if not self.first:
                self.first = first
            elif first != self.last + 1:
                self.first = NEVER  # a gap inside
            self.last = last


def _number(payload: bytes) -> tuple[int, int]:
    return int(payload[:8]), int(payload[:8])


def _span(payload: bytes) -> tuple[int, int]:
    told = _read(payload)
    return (told.from_, told.to) if isinstance(told, _Events) else (told.seq + 1, told.seq)


class Watchers:
    """All sockets of the process."""

    def __init__(self, look: Look) -> None:
        self.look = look
        self.seen = Seen()
        self._poll = select.epoll()
        self._sockets: dict[int, socket.socket] = {}
        self._rest: dict[int, bytes] = {}
        self._last: dict[int, int] = {}
        self._chunks: dict[bytes, Chunk] = {}

    def open_all(self) -> None:
        """Open every socket, some at a time; raises ConnectionError for one that is refused."""
        waiting: dict[int, socket.socket] = {}
        deadline = time.monotonic() + OPEN_WITHIN_S
        request = opening(self.look.host, self.look.port, self.look.path)
        while len(self._sockets) < self.look.sockets:
            for _ in range(min(AT_ONCE - len(waiting), self.look.sockets - len(self._sockets) - len(waiting))):
                raw = socket.create_connection((self.look.host, self.look.port))
                raw.sendall(request)
                raw.setblocking(False)
                waiting[raw.fileno()] = raw
                self._poll.register(raw, select.EPOLLIN)
            for fd, _ in self._poll.poll(1):
                data = os.read(fd, CHUNK_BYTES)
                if fd in waiting:
                    self._sockets[fd] = waiting.pop(fd)
                    head, end, data = data.partition(b"\r\n\r\n")
                    if not head.startswith(SWITCHED) or not end:
                        raise ConnectionError(head[:200].decode(errors="replace"))
                if data:
                    self._take(fd, data, time.perf_counter())
            if time.monotonic() > deadline:
                raise ConnectionError(f"only {len(self._sockets)} sockets opened")

    def look_until_told(self) -> bytes:
        """Take what comes until there is a line on standard input; returns it."""
        self._poll.register(0, select.EPOLLIN)
        read, now = os.read, time.perf_counter
        chunks, rest, last = self._chunks, self._rest, self._last
        while True:
            for fd, _ in self._poll.poll():
                if fd == 0:
                    return sys.stdin.buffer.readline()
                try:
                    data = read(fd, CHUNK_BYTES)
                except OSError:
                    data = b""
                chunk = chunks.get(data)
                if chunk is None or fd in rest:
                    self._take(fd, data, now())
                    continue
                chunk.came.append(now())
                if last.get(fd, chunk.first - 1) + 1 != chunk.first:
                    self.seen.gaps += 1
                last[fd] = chunk.last

    def _take(self, fd: int, data: bytes, now: float) -> None:
        """A chunk that was not seen before, or what follows on half a frame."""
        if not data:
            self._lose(fd)
            return
        buffer = self._rest.pop(fd, b"") + data
        frames, end = read_frames(buffer)
        if end < len(buffer):
            self._rest[fd] = buffer[end:]
        payloads = []
        for head, payload in frames:
            if head == TEXT:
                payloads.append(payload)
            elif head == PING:
                self._sockets[fd].send(masked(PONG, payload))
            elif head == CLOSE:
                self._lose(fd)
        if payloads:
            whole = buffer[:end] if len(payloads) == len(frames) else b"".join(payloads)
            chunk = self._chunks.get(whole)
            if chunk is None:
                chunk = self._chunks[whole] = Chunk(payloads, self.look.numbered)
            chunk.came.append(now)
            if self._last.get(fd, chunk.first - 1) + 1 != chunk.first:
                self.seen.gaps += 1
            self._last[fd] = chunk.last

    def _lose(self, fd: int) -> None:
        if fd in self._sockets:
            self.seen.lost_sockets += 1
            with contextlib.suppress(OSError):
                self._poll.unregister(fd)
            self._sockets.pop(fd).close()

    def sum_up(self, sent: Sent) -> Seen:
        """The figures of the measured span."""
        delays: list[float] = []
        first_came: dict[bytes, float] = {}
        came_to: dict[int, int] = dict.fromkeys(sent.events, 0)
        last_came: dict[int, float] = {}
        for chunk in self._chunks.values():
            inside = [when for when in chunk.came if sent.begin_s <= when < sent.end_s]
            self.seen.frames += len(chunk.payloads) * len(inside)
            for payload in chunk.payloads if inside else ():
                first_came[payload] = min(first_came.get(payload, sent.end_s), *inside)
            for seq in range(chunk.first, chunk.last + 1) if chunk.first != NEVER else ():
                at = sent.events.get(seq)
                if at is None:
                    continue
                delays += [when - at for when in chunk.came]
                came_to[seq] += len(chunk.came)
                last_came[seq] = max(last_came.get(seq, 0.0), *chunk.came)
        until_last = [last_came[seq] - at for seq, at in sent.events.items() if seq in last_came]
        self.seen.missing = sum(max(0, self.look.sockets - count) for count in came_to.values())
        self.seen.p50_ms, self.seen.p99_ms = percentiles_ms(delays)
        self.seen.last_p50_ms, self.seen.last_p99_ms = percentiles_ms(until_last)
        self.seen.messages = sorted((when - sent.begin_s, len(payload)) for payload, when in first_came.items())
        self.seen.cpu_s = round(time.process_time(), 2)
        return self.seen


def main() -> None:
    """What to open and what was sent, a line of JSON each on standard input; ready and outcome on standard output."""
    raise_open_files()
    watchers = Watchers(msgspec.json.decode(sys.stdin.buffer.readline(), type=Look))
    started = time.perf_counter()
    watchers.open_all()
    os.write(1, msgspec.json.encode(Ready(round(time.perf_counter() - started, 2))) + b"\n")
    gc.collect()
    gc.disable()
    sent = msgspec.json.decode(watchers.look_until_told(), type=Sent)
    os.write(1, msgspec.json.encode(watchers.sum_up(sent)) + b"\n")


if __name__ == "__main__":
    main()
