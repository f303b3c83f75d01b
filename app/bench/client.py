"""The client half of RFC 6455, as far as the live feed needs it.

Frames are made and read by hand, since a load generator shares the cores with what it measures.
"""

import asyncio
import os
import secrets
import sys
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterator
from typing import NamedTuple, TypeVar, cast

import msgspec

from app.serve import run

try:
    from websockets.speedups import apply_mask
except ImportError:  # no wheel for this system
    from websockets.utils import apply_mask

TEXT, CLOSE, PING, PONG = 0x81, 0x88, 0x89, 0x8A
SWITCHED = b"HTTP/1.1 101"
CONNECT_WITHIN_S = 30

Plan = TypeVar("Plan")


def play(kind: type[Plan], bid: Callable[[Plan], Awaitable[object]]) -> None:
    """A load generator's whole life: its plan as JSON on standard input, what came of it on standard output."""
    plan = msgspec.json.decode(sys.stdin.buffer.read(), type=kind)
    outcome: list[object] = []

    async def played() -> None:
        outcome.append(await bid(plan))

    run(played())
    os.write(1, msgspec.json.encode(outcome[0]) + b"\n")


class Target(NamedTuple):
    """Where a socket goes: the live feed of one lot."""

    host: str
    port: int
    lot: str


class Client(asyncio.Protocol, ABC):
    """One client of the live feed. `open` is done behind its handshake; what is wrong later ends the process."""

    def __init__(self, target: Target, token: str | None) -> None:
        self.open: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.target = target
        self._token = token
        self._buffer = b""
        self._upgraded = False

    async def connect(self) -> None:
        """Open the socket; returns behind its handshake."""
        await asyncio.get_running_loop().create_connection(lambda: self, self.target.host, self.target.port)
        await asyncio.wait_for(self.open, CONNECT_WITHIN_S)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport = cast(asyncio.Transport, transport)  # uvloop's is none by class
        host, port, lot = self.target
        transport.write(opening(host, port, f"/live/lots/{lot}", self._token))

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer + data if self._buffer else data
        at = 0
        if not self._upgraded:
            end = buffer.find(b"\r\n\r\n")
            if end < 0:
                self._buffer = buffer
                return
            if not buffer.startswith(SWITCHED):
                self._fail(buffer[:200].decode(errors="replace"))
                return
            self._upgraded, at = True, end + 4
            self.open.set_result(None)
        frames, at = read_frames(buffer, at)
        for head, payload in frames:
            self._frame(head, payload)
        self._buffer = buffer[at:]

    def text(self, payload: bytes) -> None:
        """Send a text message of at most 125 bytes."""
        self._transport.write(masked(TEXT, payload))

    @abstractmethod
    def message(self, payload: bytes) -> None:
        """A text message came."""

    def close(self) -> None:
        self._fail = lambda why: None  # type: ignore[method-assign]
        self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail("the connection was lost")

    def _frame(self, head: int, payload: bytes) -> None:
        if head == TEXT:
            self.message(payload)
        elif head == PING:
            self._transport.write(masked(PONG, payload))
        elif head == CLOSE:
            self._fail(f"closed by the server: {payload!r}")

    def _fail(self, why: str) -> None:
        if not self.open.done():
            self.open.set_exception(ConnectionError(why))
        else:
            sys.exit(f"load: {why}")


def opening(host: str, port: int, path: str, token: str | None = None) -> bytes:
    """The request that opens a socket from our own page, signed in if there is a session token."""
    lines = [
        f"GET {path} HTTP/1.1",
        f"Host: {host}:{port}",
        f"Origin: http://{host}:{port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
        *([f"Cookie: session={token}"] if token else []),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _masks() -> Iterator[bytes]:
    """Random masks; the system is asked once for a thousand of them."""
    while True:
        noise = secrets.token_bytes(4_000)
        for at in range(0, len(noise), 4):
            yield noise[at : at + 4]


_next_mask = _masks().__next__


def masked(head: int, payload: bytes) -> bytes:
    """A frame with a payload of at most 125 bytes."""
    mask = _next_mask()
    return bytes((head, 0x80 | len(payload))) + mask + apply_mask(payload, mask)


def read_frames(buffer: bytes, at: int = 0) -> tuple[list[tuple[int, bytes]], int]:
    """The whole frames in `buffer` from `at` on, each as first byte and payload, and where the rest begins."""
    frames, size = [], len(buffer)
    while size - at >= 2:
        length, body = buffer[at + 1], at + 2
        if length == 126:
            length, body = int.from_bytes(buffer[at + 2 : at + 4]), at + 4
        elif length == 127:
            length, body = int.from_bytes(buffer[at + 2 : at + 10]), at + 10
        if size < body + length:
            break
        frames.append((buffer[at], buffer[body : body + length]))
        at = body + length
    return frames, at


def percentiles_ms(delays: list[float]) -> tuple[float, float]:
    """The median and the 99th percentile, in milliseconds; 0 where there is nothing."""
    if not delays:
        return 0.0, 0.0
    delays = sorted(delays)
    return round(delays[len(delays) // 2] * 1000, 2), round(delays[len(delays) * 99 // 100] * 1000, 2)
