"""One live socket: the `websockets` connection that uvicorn's `ws=` hook mounts (tried and pinned; a test holds it).

A bid is one small unfragmented text frame, handled where the frame is parsed, with no queue and no task between. What
is not that closes the socket with the code that says so: 1003 binary, 1007 bad UTF-8, 1008 fragments, 1009 too large.
Extensions, compression among them, are not offered.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol
from uuid import UUID

from websockets.asyncio.server import ServerConnection
from websockets.frames import DATA_OPCODES, CloseCode, Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import Event, State
from websockets.server import ServerProtocol

from bidding.feed.rooms import Room, text_frame
from bidding.feed.schemas import MAX_FRAME_BYTES
from kernel.actors import Actor

try:
    from websockets.speedups import apply_mask
except ImportError:  # no wheel for this system
    from websockets.utils import apply_mask

CLOSE_WITHIN_S = 2

_FINAL_TEXT, _MASKED = 0x81, 0x80
_PING = b"\x89\x00"
_COUNTED = (Opcode.PING, Opcode.PONG)
"""Control frames that nobody asked for count like messages."""
_ENDED = (State.CLOSING, State.CLOSED)
_SMALL_HEAD, _SMALL_SIZE = 6, 125

DEAD_SESSION = 4401
SLOW_READER = 4408
TOO_MANY_MESSAGES = 4429


class Host(Protocol):
    """Who hears what clients say."""

    def receive(self, socket: "LiveSocket", raw: bytes) -> None:
        """Deal with one text message."""

    def over_limit(self, socket: "LiveSocket") -> object:
        """Count a frame against the sender's limit."""


class Server(Protocol):
    """The feed, as its connections see it; `websockets` asks more of it."""

    def left(self, socket: "LiveSocket") -> None:
        """The connection is gone."""


class LiveSocket(ServerConnection):
    """A connection to one lot. `actor` is None for a visitor, `registration_id` known once a bid was resolved."""

    room: Room
    actor: Actor | None = None
    source: str = "unknown"
    sender: str = ""
    """Whose limit its messages count against."""
    after: int | None = None
    registration_id: UUID | None = None
    seat: tuple[UUID, UUID] | None = None
    """Lot and registration, once it is known that a bidder is behind it."""
    undecided = 0
    """Bids in the desk's queue."""
    strikes = 0
    of_address = False
    """Counted among those of its address."""
    of_person: UUID | None = None
    """Counted among those of this person."""
    counted = False
    """Counted among the sockets of the process, and kept by its room."""
    owes_pong = False
    _ending = False
    _held = b""
    _at_rest = False
    """Known to stand between two messages: nothing went to the library's parser since that was seen."""

    def __init__(self, host: Host, server: Server, server_state: Any) -> None:
        self._host = host
        self._feed = server
        self._uvicorn = server_state
        super().__init__(
            ServerProtocol(max_size=MAX_FRAME_BYTES),
            server,  # type: ignore[arg-type]  # it has what a connection asks of its server
            ping_interval=None,  # one sweep asks all sockets of the process
            close_timeout=CLOSE_WITHIN_S,
            max_queue=1,
        )

    @property
    def is_open(self) -> bool:
        return self.protocol.state is State.OPEN

    @property
    def write(self) -> Callable[[bytes], object]:
        """The transport's own; only for sockets that are open and never hold a frame back."""
        return self.transport.write

    def enter(self) -> None:
        """Join the room. What the opening needed is let go, for there are thousands of us."""
        self.room.join(self)
        self.request = self.response = None

    def ask_for_life(self) -> None:
        """Ping; the answer is seen where it is parsed."""
        self.owes_pong = True
        self.write_text(_PING)

    def write_text(self, framed: bytes) -> None:
        """Write an already framed message; a connection that is closing gets nothing more."""
        if self._held:
            framed, self._held = self._held + framed, b""
        if self.protocol.state is State.OPEN:
            self.transport.write(framed)

    def show(self, framed: bytes) -> None:
        """Write a frame of events; a bidder whose answer is on its way gets it together with that, in one piece."""
        if self.undecided and not self._held:
            self._held = framed
        else:
            self.write_text(framed)

    def say(self, payload: bytes) -> None:
        """Send one text message to this socket."""
        self.write_text(text_frame(payload))

    def end(self, code: int, reason: str) -> None:
        """Close with a code at once, without waiting for anybody; the connection is gone two seconds later."""
        if self.protocol.state is State.OPEN:
            self.protocol.fail(code, reason)
            self.send_data()

    def send_data(self) -> None:
        """Write what the library has to say. Behind a closing frame nothing follows, and the end is not waited for."""
        super().send_data()
        if self.counted and not self._ending and self.protocol.state in _ENDED:
            self._ending = True
            self.room.leave(self)
            self.loop.call_later(CLOSE_WITHIN_S, self.transport.abort)

    def data_received(self, data: bytes) -> None:
        """A chunk that is just one small text frame, as every bid is, is read here; all else goes the library's way."""
        raw = small_text(data) if self._between_frames() else None
        if raw is None:
            self._at_rest = False
            super().data_received(data)
        elif raw.isascii() or _is_utf8(raw):
            self._host.receive(self, raw)
        else:
            self.end(CloseCode.INVALID_DATA, "text is UTF-8")

    def _between_frames(self) -> bool:
        """Whether the library's parser waits for the first byte of a frame, with no message half read."""
        protocol = self.protocol
        if protocol.state is not State.OPEN:
            return False
        if self._at_rest:
            return True
        if protocol.reader.buffer or protocol.current_size is not None:
            return False
        waits_in: Any = protocol.parser
        while inner := getattr(waits_in, "gi_yieldfrom", None):
            waits_in = inner
        self._at_rest = bool(waits_in.__name__ == "at_eof")
        return self._at_rest

    def process_event(self, event: Event) -> None:
        """Handle a message where it is parsed; the opening request and pongs go their usual way."""
        if isinstance(event, Request):
            super().process_event(event)
        elif isinstance(event, Frame) and self.protocol.state is State.OPEN:
            if event.opcode in DATA_OPCODES:
                self._receive(event)
            elif event.opcode is Opcode.PONG and self.owes_pong:
                self.owes_pong = False
            elif event.opcode in _COUNTED:
                self._host.over_limit(self)

    def _receive(self, frame: Frame) -> None:
        if frame.opcode is Opcode.TEXT and frame.fin:
            raw = bytes(frame.data)
            if _is_utf8(raw):
                self._host.receive(self, raw)
            else:
                self.end(CloseCode.INVALID_DATA, "text is UTF-8")
        elif frame.opcode is Opcode.TEXT:
            self.end(CloseCode.POLICY_VIOLATION, "one frame per message")
        else:
            self.end(CloseCode.UNSUPPORTED_DATA, "text only")

    # uvicorn keeps the set of open connections and shuts them down itself.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._uvicorn.connections.add(self)
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._uvicorn.connections.discard(self)
        super().connection_lost(exc)
        self._feed.left(self)

    def shutdown(self) -> None:
        """uvicorn stops: say so, and go."""
        self.end(CloseCode.SERVICE_RESTART, "restart")


def small_text(data: bytes) -> bytes | None:
    """The text in `data`, if that is exactly one final masked text frame of at most 125 bytes (RFC 6455, 5.2)."""
    size = len(data) - _SMALL_HEAD
    if not 0 <= size <= _SMALL_SIZE or data[0] != _FINAL_TEXT or data[1] != _MASKED | size:
        return None
    return apply_mask(data[_SMALL_HEAD:], data[2:_SMALL_HEAD])


def live_protocol(host: Host, server: Server) -> Callable[..., LiveSocket]:
    """The factory for uvicorn's `ws=` hook."""

    def make(config: Any, server_state: Any, app_state: Any, _loop: Any = None) -> LiveSocket:
        return LiveSocket(host, server, server_state)

    return make


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


__all__ = ["DEAD_SESSION", "SLOW_READER", "TOO_MANY_MESSAGES", "Host", "LiveSocket", "Server", "live_protocol"]
