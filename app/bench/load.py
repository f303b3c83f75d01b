"""The load generator: a process of its own with one real WebSocket for each bidder and watcher.

Each bidder has one unanswered bid at most. Prices come from one counter per lot, one increment further at each send,
always with `confirm`. Every acknowledgement is kept and written to a file, to be looked up in the database afterwards.
Frames are made and read by hand, since the generator shares two cores with what it measures.
"""

import asyncio
import gc
import os
import secrets
import sys
import time
from collections import deque
from pathlib import Path
from typing import NamedTuple, cast

import msgspec

from app.serve import run

try:
    from websockets.speedups import apply_mask
except ImportError:  # no wheel for this system
    from websockets.utils import apply_mask

DRAIN_S = 5.0
"""How long to wait at the end for answers that are still out."""

_TEXT, _CLOSE, _PING = 0x81, 0x88, 0x89


class Plan(msgspec.Struct, frozen=True):
    """What to do. `bidders` are (lot index, session token); `rate` 0 is as fast as answers come."""

    host: str
    port: int
    lots: list[str]
    bidders: list[tuple[int, str]]
    watchers: int
    rate: int
    warm_up_s: float
    seconds: float
    start_fen: int
    increment_fen: int
    acks_file: str

    def target(self, lot: int) -> "Target":
        return Target(self.host, self.port, self.lots[lot])


class Outcome(msgspec.Struct):
    """What was seen. Counts and latencies are those of the measured seconds; acks on file are all."""

    accepted: int = 0
    refused: int = 0
    refusals: dict[str, int] = msgspec.field(default_factory=dict)
    measured_s: float = 0.0
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    unanswered: int = 0
    acks_on_file: int = 0
    watched_events: int = 0
    cpu_s: float = 0.0


class _Ack(msgspec.Struct):
    key: str
    seq: int


class _Refused(msgspec.Struct):
    key: str | None
    code: str


class _Events(msgspec.Struct):
    to: int
    from_: int = msgspec.field(name="from")


_read_ack = msgspec.json.Decoder(_Ack).decode
_read_refused = msgspec.json.Decoder(_Refused).decode
_read_events = msgspec.json.Decoder(_Events).decode


class Load:
    """All sockets of the run, the price counters, and what came back."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.prices = [plan.start_fen] * len(plan.lots)
        self.acks: list[tuple[int, str, int, int]] = []
        """(lot index, key, seq, price)."""
        self.latencies: list[float] = []
        self.outcome = Outcome()
        self.begin = self.end = float("inf")
        self.sending = False
        self.idle: deque[Bidder] = deque()

    def next_price(self, lot: int) -> int:
        price = self.prices[lot]
        self.prices[lot] = price + self.plan.increment_fen
        return price

    def answered(self, bidder: "Bidder", accepted: bool, code: str = "") -> None:
        now = time.perf_counter()
        if self.begin <= now < self.end:
            if accepted:
                self.outcome.accepted += 1
                self.latencies.append(now - bidder.sent_at)
            else:
                self.outcome.refused += 1
                self.outcome.refusals[code] = self.outcome.refusals.get(code, 0) + 1
        if not self.sending:
            return
        if self.plan.rate:
            self.idle.append(bidder)
        else:
            bidder.send()

    async def pace(self) -> None:
        """With a rate: let idle bidders send, so many a second in all."""
        started, sent = time.perf_counter(), 0
        while self.sending:
            due = int((time.perf_counter() - started) * self.plan.rate) - sent
            for _ in range(min(due, len(self.idle))):
                self.idle.popleft().send()
            sent += due
            await asyncio.sleep(0.001)


class Target(NamedTuple):
    """Where a socket goes: the live feed of one lot."""

    host: str
    port: int
    lot: str


class Client(asyncio.Protocol):
    """The client half of RFC 6455, as far as the live feed needs it."""

    def __init__(self, target: Target, token: str | None) -> None:
        self.open: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.target = target
        self._token = token
        self._buffer = b""
        self._upgraded = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport = cast(asyncio.Transport, transport)  # uvloop's is none by class
        host = f"{self.target.host}:{self.target.port}"
        lines = [
            f"GET /live/lots/{self.target.lot} HTTP/1.1",
            f"Host: {host}",
            f"Origin: http://{host}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Version: 13",
            *([f"Cookie: session={self._token}"] if self._token else []),
        ]
        transport.write(("\r\n".join(lines) + "\r\n\r\n").encode())

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer + data if self._buffer else data
        at = 0
        if not self._upgraded:
            end = buffer.find(b"\r\n\r\n")
            if end < 0:
                self._buffer = buffer
                return
            if not buffer.startswith(b"HTTP/1.1 101"):
                self._fail(buffer[:200].decode(errors="replace"))
                return
            self._upgraded, at = True, end + 4
            self.open.set_result(None)
        size = len(buffer)
        while size - at >= 2:
            length, body = buffer[at + 1], at + 2
            if length == 126:
                length, body = int.from_bytes(buffer[at + 2 : at + 4]), at + 4
            elif length == 127:
                length, body = int.from_bytes(buffer[at + 2 : at + 10]), at + 10
            if size < body + length:
                break
            self._frame(buffer[at], buffer[body : body + length])
            at = body + length
        self._buffer = buffer[at:]

    def _frame(self, head: int, payload: bytes) -> None:
        if head == _TEXT:
            self.message(payload)
        elif head == _PING:
            self._write(0x8A, payload)
        elif head == _CLOSE:
            self._fail(f"closed by the server: {payload!r}")

    def text(self, payload: bytes) -> None:
        """Send a text message."""
        self._write(_TEXT, payload)

    def _write(self, head: int, payload: bytes) -> None:
        mask = secrets.token_bytes(4)
        self._transport.write(bytes((head, 0x80 | len(payload))) + mask + apply_mask(payload, mask))

    def _fail(self, why: str) -> None:
        if not self.open.done():
            self.open.set_exception(ConnectionError(why))
        else:
            sys.exit(f"load: {why}")

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail("the connection was lost")

    def message(self, payload: bytes) -> None:
        raise TypeError

    def close(self) -> None:
        self._fail = lambda why: None  # type: ignore[method-assign]
        self._transport.close()


class Bidder(Client):
    """Sends a bid, waits for its answer, sends the next."""

    def __init__(self, load: Load, lot: int, token: str) -> None:
        super().__init__(load.plan.target(lot), token)
        self._load = load
        self._lot = lot
        noise = secrets.token_hex(10)
        self._prefix = f"{noise[:8]}-{noise[8:12]}-4{noise[12:15]}-8{noise[15:18]}-"
        self._number = 0
        self._price = 0
        self.key = ""
        self.sent_at = 0.0
        self.waiting = False

    def send(self) -> None:
        self._number += 1
        self.key = key = f"{self._prefix}{self._number:012x}"
        self._price = price = self._load.next_price(self._lot)
        self.waiting = True
        self.sent_at = time.perf_counter()
        self.text(b'{"t":"bid","key":"%b","price_fen":%d,"confirm":%d}' % (key.encode(), price, price))

    def message(self, payload: bytes) -> None:
        if payload.startswith(b'{"t":"ack"'):
            ack = _read_ack(payload)
            assert ack.key == self.key
            self._load.acks.append((self._lot, ack.key, ack.seq, self._price))
            self.waiting = False
            self._load.answered(self, True)
        elif payload.startswith(b'{"t":"refused"'):
            refused = _read_refused(payload)
            assert refused.key == self.key, refused
            self.waiting = False
            self._load.answered(self, False, refused.code)


class Watcher(Client):
    """Only looks; counts the events it was told of."""

    def __init__(self, load: Load, lot: int) -> None:
        super().__init__(load.plan.target(lot), None)
        self._load = load

    def message(self, payload: bytes) -> None:
        if payload.startswith(b'{"t":"events"'):
            events = _read_events(payload)
            self._load.outcome.watched_events += events.to - events.from_ + 1


async def connect(socket: Client) -> None:
    """Open a socket; returns behind its handshake."""
    await asyncio.get_running_loop().create_connection(lambda: socket, socket.target.host, socket.target.port)
    await asyncio.wait_for(socket.open, 30)


async def bid(plan: Plan) -> Outcome:
    """Run the plan."""
    load = Load(plan)
    bidders = [Bidder(load, lot, session) for lot, session in plan.bidders]
    watchers = [Watcher(load, number % len(plan.lots)) for number in range(plan.watchers)]
    for socket in [*bidders, *watchers]:
        await connect(socket)
    gc.collect()
    gc.disable()
    load.sending = True
    pacing = asyncio.create_task(load.pace()) if plan.rate else None
    load.begin = time.perf_counter() + plan.warm_up_s
    load.end = load.begin + plan.seconds
    for bidder in bidders:
        if plan.rate:
            load.idle.append(bidder)
        else:
            bidder.send()
    await asyncio.sleep(plan.warm_up_s)
    cpu_before = time.process_time()
    await asyncio.sleep(plan.seconds)
    load.outcome.cpu_s = round(time.process_time() - cpu_before, 2)
    load.sending = False
    if pacing is not None:
        await pacing
    for _ in range(int(DRAIN_S / 0.05)):
        if not any(bidder.waiting for bidder in bidders):
            break
        await asyncio.sleep(0.05)
    load.outcome.unanswered = sum(bidder.waiting for bidder in bidders)
    for open_socket in [*bidders, *watchers]:
        open_socket.close()
    return finish(load)


def finish(load: Load) -> Outcome:
    """Write the acknowledgements down and sum up."""
    outcome, latencies = load.outcome, sorted(load.latencies)
    outcome.measured_s = load.plan.seconds
    if latencies:
        outcome.p50_ms = round(latencies[len(latencies) // 2] * 1000, 2)
        outcome.p99_ms = round(latencies[len(latencies) * 99 // 100] * 1000, 2)
    lines = (f"{load.plan.lots[lot]}\t{key}\t{seq}\t{price}\n" for lot, key, seq, price in load.acks)
    Path(load.plan.acks_file).write_text("".join(lines))
    outcome.acks_on_file = len(load.acks)
    return outcome


def main() -> None:
    """Plan as JSON on standard input, outcome as JSON on standard output."""
    plan = msgspec.json.decode(sys.stdin.buffer.read(), type=Plan)
    outcome: list[Outcome] = []

    async def play() -> None:
        outcome.append(await bid(plan))

    run(play())
    os.write(1, msgspec.json.encode(outcome[0]) + b"\n")


if __name__ == "__main__":
    main()
