"""The short ways of a bid through the socket give what the long ways give, and take nothing else."""

import asyncio
import json
from typing import Any

import pytest
from websockets.client import ClientProtocol
from websockets.protocol import State
from websockets.uri import parse_uri

from bidding.feed import schemas
from bidding.feed.protocol import LiveSocket, small_text
from bidding.feed.schemas import BidMessage, read_message
from kernel.decoding import decode
from kernel.errors import Malformed

KEY = "4e1d5ca4-7d8d-40e7-9043-36eec5924ef1"


def plain(price: object, **more: object) -> bytes:
    return json.dumps({"t": "bid", "key": KEY, "price_fen": price} | more, separators=(",", ":")).encode()


@pytest.mark.parametrize("raw", [plain(1), plain(10**15), plain(35_600_000, confirm=35_600_000)])
def test_a_plain_bid_is_read_alike_on_both_ways(raw: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = decode(raw, BidMessage)

    def never(*_: Any, **__: Any) -> None:
        pytest.fail("the long way was taken")

    monkeypatch.setattr(schemas, "decode", never)
    assert read_message(raw) == wanted


@pytest.mark.parametrize(
    "raw",
    [
        plain(0),
        plain(-1),
        plain("100"),
        plain(100.0),
        plain(10**15 + 1),
        plain(True),
        plain(None),
        plain(100, confirm=101),
        plain(100, received_at="2025-04-10T10:00:00Z"),
        plain(100).replace(b"100", b"1e3"),
        plain(100).replace(b"100", b"0100"),
        plain(100).replace(b'"price_fen":100', b'"price_fen":100,"price_fen":200'),
        plain(100, confirm=100).replace(b'"t":"bid"', b'"t":"bid","t":"bid"'),
        plain(100).replace(KEY.encode(), KEY.upper().encode() + b"x"),
        plain(100).replace(KEY.encode(), b"not-a-key"),
        plain(100).replace(b'"bid"', b'"ack"'),
        plain(100) + b"x",
        plain(100) + b"\n{}",
        b"",
        b"{}",
        b"[]",
    ],
)
def test_what_the_strict_decoder_refuses_is_refused(raw: bytes) -> None:
    with pytest.raises(Malformed):
        decode(raw, BidMessage)
    with pytest.raises(Malformed):
        read_message(raw)


@pytest.mark.parametrize(
    "raw", [b" " + plain(100), plain(100).replace(b",", b", "), plain(100).replace(b"bid", b"b\\u0069d")]
)
def test_other_spellings_of_a_bid_take_the_long_way(raw: bytes) -> None:
    assert read_message(raw).price_fen == 100


def frames(*payloads: bytes, fragment: bool = False) -> bytes:
    """Masked text frames as the library's client writes them."""
    client = ClientProtocol(parse_uri("ws://localhost/"))
    client.state = State.OPEN
    for payload in payloads:
        client.send_text(payload, fin=not fragment)
    return b"".join(client.data_to_send())


def test_a_small_frame_is_unmasked() -> None:
    for size in (0, 1, 2, 3, 4, 5, 100, 124, 125):
        text = bytes(range(32, 96)) * 2
        assert small_text(frames(text[:size])) == text[:size]


@pytest.mark.parametrize(
    "data",
    [
        frames(b"x" * 126),
        frames(b"x" * 200),
        frames(b"bid", b"bid"),
        frames(b"bid", fragment=True),
        frames(b"bid")[:-1],
        frames(b"bid") + b"\x81",
        b"\x82" + frames(b"bid")[1:],
        b"\x81\x03bid",
        b"\x81",
        b"",
        b"\xc1" + frames(b"bid")[1:],
        b"\x81\xfe" + b"m" * 130,
    ],
    ids=lambda data: f"{len(data)} bytes from {data[:1].hex()}",  # masks are random: workers must agree on names
)
def test_anything_else_is_left_to_the_library(data: bytes) -> None:
    assert small_text(data) is None


class Heard:
    """A host that writes down what it hears."""

    def __init__(self) -> None:
        self.texts: list[bytes] = []
        self.handler_tasks: set[Any] = set()

    def receive(self, socket: LiveSocket, raw: bytes) -> None:
        self.texts.append(raw)

    def count(self, socket: LiveSocket) -> None:
        pass

    async def handler(self, socket: LiveSocket) -> None:
        pass

    def left(self, socket: LiveSocket) -> None:
        pass


def opened(heard: Heard) -> LiveSocket:
    """A socket behind its handshake, with a transport that goes nowhere."""
    client, socket = ClientProtocol(parse_uri("ws://localhost/")), LiveSocket(heard, heard, Connections())  # type: ignore[arg-type]
    socket.connection_made(Nowhere())
    client.send_request(client.connect())
    socket.data_received(b"".join(client.data_to_send()))
    assert socket.request is not None
    socket.protocol.send_response(socket.protocol.accept(socket.request))
    return socket


class Connections:
    def __init__(self) -> None:
        self.connections: set[Any] = set()


class Nowhere(asyncio.Transport):
    def write(self, data: Any) -> None:
        pass

    def can_write_eof(self) -> bool:
        return False

    def close(self) -> None:
        pass

    def abort(self) -> None:
        pass

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass


@pytest.mark.anyio
async def test_bids_take_the_short_way_and_everything_between_them_the_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Frames cut anywhere, several in a chunk, pings between: every text is heard once and in order."""
    heard = Heard()
    socket = opened(heard)
    parsed: list[bytes] = []
    receive_data = type(socket.protocol).receive_data

    def spy(self: Any, data: bytes) -> None:
        parsed.append(data)
        receive_data(self, data)

    monkeypatch.setattr(type(socket.protocol), "receive_data", spy)
    socket.data_received(frames(b"one"))
    assert (heard.texts, parsed) == ([b"one"], []), "the library's parser saw nothing"
    whole = frames(b"two")
    for cut in range(1, len(whole)):
        socket.data_received(whole[:cut])
        socket.data_received(whole[cut:])
    assert heard.texts == [b"one"] + [b"two"] * (len(whole) - 1)
    half_a_frame = whole[:2]
    socket.data_received(half_a_frame)
    socket.data_received(whole[2:])
    five = frames(b"five")
    socket.data_received(frames(b"three") + frames(b"four") + five[:4])
    socket.data_received(five[4:])
    socket.data_received(frames(b"six"))
    assert heard.texts[-5:] == [b"two", b"three", b"four", b"five", b"six"]


@pytest.mark.anyio
async def test_a_frame_inside_another_message_is_not_taken_for_a_bid() -> None:
    """A fragment is open: a final text frame behind it is a protocol error, not a bid."""
    heard = Heard()
    socket = opened(heard)
    socket.data_received(frames(b"begun", fragment=True))
    socket.data_received(frames(b"bid"))
    assert heard.texts == []
