"""Who may open a socket and what it may send; what both doors refuse alike (law of the house 9)."""

import asyncio
import base64
import json
import os
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from uuid import UUID, uuid4

import pytest
from sqlalchemy import event, text
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from websockets.protocol import State

from bidding.feed import bids, keepalive
from kernel.actors import Role, platform
from tests.bidding.feed.house import House, serve
from tests.bidding.support import START_FEN, STEP_FEN

pytestmark = pytest.mark.anyio


async def refused_status(house: House, lot_id: object, **options: object) -> int:
    with pytest.raises(InvalidStatus) as refused:
        async with house.watch(str(lot_id), **options):  # type: ignore[arg-type]
            pass
    return refused.value.response.status_code


async def closing_code(house: House, lot_id: UUID, *messages: str | bytes | list[str]) -> int | None:
    """Send messages and tell the code with which the server closes."""
    async with house.watch(lot_id) as client:
        with suppress(ConnectionClosed):
            for message in messages:
                await client.raw.send(message)
            async with asyncio.timeout(5):
                while True:
                    await client.raw.recv()
        return client.raw.close_code


async def test_only_our_own_pages_open_a_socket(database_url: str) -> None:
    """Row 31: refused before the connection is accepted."""
    async with serve(database_url) as house:
        lot_id = await house.open_lot()
        for origin in (None, "null", "https://evil.example", f"{house.origin}.example.com", house.origin + "/"):
            assert await refused_status(house, lot_id, origin=origin) == 403
        both = {"origin": None, "additional_headers": [("Origin", house.origin), ("Origin", "https://evil.example")]}
        assert await refused_status(house, lot_id, **both) == 403


async def test_unknown_lots_drafts_and_odd_paths_are_alike(database_url: str) -> None:
    """Row 40: what is not published is not found, like what does not exist."""
    async with serve(database_url) as house:
        lot_id = await house.open_lot()
        for path in (uuid4(), "x", f"{lot_id}/", str(lot_id).upper(), "..%2f"):
            assert await refused_status(house, path) == 404


async def test_credentials_in_the_query_are_refused(database_url: str) -> None:
    """Row 32: the handshake's cookie is the only credential."""
    async with serve(database_url) as house:
        lot_id = await house.open_lot()
        who = await house.bidder(lot_id)
        token = who.cookie.partition("=")[2]
        for query in (f"?token={token}", f"?session={token}", f"?after=0&token={token}", "?after=0&after=1"):
            assert await refused_status(house, f"{lot_id}{query}") == 400
        assert await refused_status(house, lot_id, additional_headers={"Host": "evil.example"}) == 400


async def test_a_visitor_watches_and_may_not_bid(database_url: str) -> None:
    """Row 33, and row 18: a cookie that was never issued makes a visitor."""
    async with serve(database_url) as house:
        lot_id = await house.open_lot()
        for headers in ({}, {"Cookie": "session=" + "A" * 43}):
            async with house.watch(lot_id, additional_headers=headers) as client:
                key = uuid4()
                answer = await client.bid(START_FEN, key)
                assert (answer["key"], answer["code"]) == (str(key), "sign-in-required")


async def test_sign_out_closes_the_sockets_of_the_session(database_url: str) -> None:
    """Rows 19 and 33: within a second or so, with 4401; other sessions stay."""
    async with serve(database_url) as house:
        lot_id = await house.open_lot()
        leaving, staying = await house.bidder(lot_id), await house.bidder(lot_id)
        async with house.watch(lot_id, leaving) as gone, house.watch(lot_id, staying) as there:
            headers = {"Cookie": leaving.cookie, "Origin": house.origin, "Idempotency-Key": "sign-out-1"}
            assert (await house.http.post("/api/logout", headers=headers)).status_code == 201
            with pytest.raises(ConnectionClosed):
                async with asyncio.timeout(3):
                    while True:
                        await gone.read()
            assert gone.raw.close_code == 4401
            assert (await there.bid(START_FEN))["t"] == "ack"
        assert (await house.bid(leaving, lot_id, {"key": str(uuid4()), "price_fen": START_FEN})).status_code == 401


async def test_behind_our_proxy_each_address_has_its_own_sockets(database_url: str) -> None:
    """Row 9, the socket's door."""
    async with serve(database_url, sockets_per_address=1, proxies="127.0.0.1") as house:
        lot_id = await house.open_lot()

        def told(address: str) -> dict[str, object]:
            return {"additional_headers": {"X-Forwarded-For": f"1.2.3.4, {address}"}}

        async with house.watch(lot_id, **told("198.51.100.1")), house.watch(lot_id, **told("198.51.100.2")):
            assert await refused_status(house, lot_id, **told("198.51.100.2")) == 429


async def test_not_admitted_and_not_unlocked(database_url: str) -> None:
    async with serve(database_url) as house:
        lot_id = await house.open_lot()
        stranger = await house.sign_in()
        locked, unlock = await house.locked_bidder(lot_id)
        async with house.watch(lot_id, stranger) as one, house.watch(lot_id, locked) as other:
            assert (await one.bid(START_FEN))["code"] == "not-eligible"
            key = uuid4()
            assert (await other.bid(START_FEN, key))["code"] == "password-required"
            over_http = await house.bid(locked, lot_id, {"key": str(key), "price_fen": START_FEN})
            assert (over_http.status_code, over_http.json()["code"]) == (409, "password-required")
            await unlock()
            assert (await other.bid(START_FEN, key))["t"] == "ack"


async def test_thousands_who_bid_at_once_are_looked_up_together(database_url: str) -> None:
    """The first bids of many sockets wait for one query and not for one each; each gets its own answer."""
    async with serve(database_url) as house, AsyncExitStack() as stack:
        lot_id = await house.open_lot()
        people = [*[await house.bidder(lot_id) for _ in range(12)], await house.sign_in()]
        sockets = [await stack.enter_async_context(house.watch(lot_id, who)) for who in people]
        asked: list[str] = []
        engine = house.parts.database.engine.sync_engine
        event.listen(engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
        answers = await asyncio.gather(*(one.bid(START_FEN + n * STEP_FEN) for n, one in enumerate(sockets)))
        assert {answer.get("code", "accepted") for answer in answers[:12]} <= {"accepted", "below-minimum"}
        assert answers[12]["code"] == "not-eligible"
        assert len([one for one in asked if "bidding.unlock" in one]) <= 6, "each for itself would be thirteen"


async def test_a_stolen_session_bids_for_nobody_from_elsewhere(database_url: str) -> None:
    """Row 28: from another network the bid password is asked for again; within one an address may change."""
    async with serve(database_url, proxies="127.0.0.1") as house:
        lot_id = await house.open_lot()
        who = await house.bidder(lot_id)

        def from_(address: str) -> dict[str, object]:
            return {"additional_headers": {"Cookie": who.cookie, "X-Forwarded-For": address}}

        key = uuid4()
        async with house.watch(lot_id, **from_("198.51.100.1")) as thief:
            assert (await thief.bid(START_FEN, key))["code"] == "password-required"
        async with house.watch(lot_id, **from_("127.0.0.9")) as owner:
            assert (await owner.bid(START_FEN, key))["t"] == "ack"


MALFORMED: list[dict[str, object]] = [
    {"price_fen": "1000000"},
    {"price_fen": 1000000.0},
    {"price_fen": True},
    {"price_fen": None},
    {"price_fen": 0},
    {"price_fen": -1},
    {"price_fen": 2**63},
    {"price_fen": 10**22},
    {"confirm": START_FEN + 1},
    {"confirm": None},
    {"received_at": "2025-01-01T00:00:00+08:00"},
    {"seq": 3},
    {"key": "not-a-uuid"},
]


async def test_a_malformed_bid_is_refused_on_both_doors(database_url: str) -> None:
    """Rows 1, 2, 4, 45, 49, 60: never a 500, nothing recorded, and the socket stays open."""
    async with serve(database_url) as house:
        lot_id = await house.open_lot()
        who = await house.bidder(lot_id)
        async with house.watch(lot_id, who) as client:
            for fields in MALFORMED:
                body: dict[str, object] = {"key": str(uuid4()), "price_fen": START_FEN} | fields
                await client.raw.send(json.dumps({"t": "bid"} | body))
                answer = await client.next("refused", "ack")
                assert (answer["t"], answer["code"]) == ("refused", "malformed"), fields
                assert answer["key"] == (None if "key" in fields else body["key"])
                over_http = await house.bid(who, lot_id, body)
                assert (over_http.status_code, over_http.json()["code"]) == (400, "malformed"), fields
            assert (await client.bid(START_FEN))["t"] == "ack"
        async with house.parts.database.reading(platform("test")) as tx:
            stored = (await tx.session.execute(text("SELECT count(*) FROM bidding.submission"))).scalar_one()
        assert stored == 2  # the opening and the good bid


UNREADABLE = [
    "",
    "{",
    "[]",
    "null",
    "1e999",
    '{"t":"bid"}',
    '{"t":"snapshot","seq":1}',
    '{"t":"bid","t":"bid"}',
    '{"t":"bid","key":"00000000-0000-4000-8000-000000000000","price_fen":1,"price_fen":2}',
    '{"t":"tick","seq":9,"remaining_ms":0,"watchers":1}',
    "[" * 2_000,
    '"\\ud800"',
    "\ufeff{}",
    "１００",
]


async def test_unreadable_frames_get_one_answer_and_harm_nothing(database_url: str) -> None:
    """Rows 3, 5, 6, 13, 45."""
    async with serve(database_url) as house:
        lot_id = await house.open_lot()
        async with house.watch(lot_id) as client:
            for raw in UNREADABLE:
                await client.raw.send(raw)
                assert (await client.next("refused"))["code"] == "malformed", raw
            assert (await client.bid(START_FEN))["code"] == "sign-in-required"


async def test_frames_that_are_no_small_text_close_the_socket(database_url: str) -> None:
    """Row 34: each with the code that says what was wrong."""
    async with serve(database_url) as house:
        lot_id = await house.open_lot()
        assert await closing_code(house, lot_id, b"binary") == 1003
        assert await closing_code(house, lot_id, "x" * 4_097) == 1009
        assert await closing_code(house, lot_id, "x" * 70_000) == 1009
        assert await closing_code(house, lot_id, ["a"] * 100) == 1008
        async with raw_socket(house, lot_id) as (reader, writer):
            writer.write(masked(0x81, b"\xff\xfe"))
            assert await close_code_of(reader) == 1007


NO_FRAMES = {
    "unmasked": b"\x81\x02{}",
    "a reserved bit": b"\xc1\x82\0\0\0\0{}",
    "a reserved opcode": b"\x83\x82\0\0\0\0{}",
    "a continuation of nothing": b"\x80\x82\0\0\0\0{}",
}


async def test_what_is_no_frame_of_the_protocol_closes_the_socket(database_url: str) -> None:
    async with serve(database_url) as house:
        lot_id = await house.open_lot()
        for sent in NO_FRAMES.values():
            async with raw_socket(house, lot_id) as (reader, writer):
                writer.write(sent)
                assert await close_code_of(reader) == 1002


async def test_compression_is_not_offered(database_url: str) -> None:
    async with serve(database_url) as house:
        lot_id = await house.open_lot()
        async with house.watch(lot_id, extensions=[ClientPerMessageDeflateFactory()]) as client:
            assert client.raw.protocol.extensions == []
            assert (await client.read())["t"] == "snapshot"


async def test_a_flood_is_limited_then_closed_and_others_are_unharmed(database_url: str) -> None:
    """Row 35."""
    async with serve(database_url, bids_per_minute=10) as house:
        lot_id = await house.open_lot()
        loud, quiet = await house.bidder(lot_id), await house.bidder(lot_id)
        async with house.watch(lot_id, loud) as flood, house.watch(lot_id, quiet) as other:
            codes: list[object] = []
            with suppress(ConnectionClosed):
                while len(codes) < 1_000:
                    codes.append((await flood.bid(START_FEN - 1)).get("code"))
            assert flood.raw.close_code == 4429
            assert codes[:10] == ["below-start-price"] * 10
            assert set(codes[11:]) == {"rate-limited"}
            assert len(codes) <= 115
            assert (await other.bid(START_FEN))["t"] == "ack"
            limited = await house.bid(loud, lot_id, {"key": str(uuid4()), "price_fen": START_FEN})
            assert limited.status_code == 429
            assert int(limited.headers["retry-after"]) > 0


async def test_sockets_are_limited_per_person_and_per_address(database_url: str) -> None:
    async with serve(database_url, sockets_per_person=2, sockets_per_address=4) as house:
        lot_id = await house.open_lot()
        who = await house.bidder(lot_id)
        async with house.watch(lot_id, who), house.watch(lot_id, who):
            assert await refused_status(house, lot_id, person=who) == 429
            async with house.watch(lot_id), house.watch(lot_id):
                assert await refused_status(house, lot_id) == 429
        async with house.watch(lot_id, who) as again:
            assert (await again.read())["t"] == "snapshot"


async def test_a_reader_that_never_reads_is_closed(database_url: str) -> None:
    """Row 36: its unsent bytes are bounded, and the others do not notice."""
    async with serve(database_url) as house:
        lot_id = await house.open_lot()
        feed = house.parts.feed
        async with raw_socket(house, lot_id, receive_buffer=4_096) as (_, writer):
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            async with house.watch(lot_id) as other:
                await other.read()
                room = feed.rooms[lot_id]
                slow = next(s for s in feed.crowd.sockets if s.remote_address[1] == port_of(writer))
                async with asyncio.timeout(10):
                    while slow.is_open:
                        room.broadcast(b'{"t":"noise","x":"%b"}' % (b"x" * 60_000))
                        assert slow.transport.get_write_buffer_size() < 16_000_000
                        await asyncio.sleep(0.01)
                    while slow in room:
                        await asyncio.sleep(0.01)
                assert (await other.next("tick"))["seq"] == 1
                other.raw.transport.abort()  # with so much unread, a polite goodbye takes ten seconds


async def test_pongs_that_nobody_asked_for_count_like_messages(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Row 35, in the frames that say least: a million of them cost as much as a million bids that are refused."""
    monkeypatch.setattr(bids, "STRIKES", 3)
    monkeypatch.setattr(keepalive, "PING_EVERY_S", 0.05)
    monkeypatch.setattr(keepalive, "PONG_WITHIN_S", 0.04)
    async with serve(database_url, bids_per_minute=5) as house:
        lot_id = await house.open_lot()
        async with house.watch(lot_id) as honest:
            for _ in range(3):
                await honest.next("tick")
            assert honest.raw.state is State.OPEN, "control: whoever answers is not counted"
        monkeypatch.setattr(keepalive, "PING_EVERY_S", 60)
        async with raw_socket(house, lot_id) as (reader, writer):
            writer.write(masked(0x8A, b"") * 20)
            assert await close_code_of(reader) == 4429


async def test_half_open_connections_are_freed(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Row 37: nobody answers the pings."""
    monkeypatch.setattr(keepalive, "PING_EVERY_S", 0.2)
    monkeypatch.setattr(keepalive, "PONG_WITHIN_S", 0.2)
    async with serve(database_url) as house:
        lot_id = await house.open_lot()
        async with raw_socket(house, lot_id):
            assert len(house.parts.feed.crowd.sockets) == 1
            async with asyncio.timeout(5):
                while house.parts.feed.crowd.sockets:
                    await asyncio.sleep(0.05)
        assert not house.parts.feed.rooms


async def test_sockets_hold_no_database_connection(database_url: str) -> None:
    """Row 44: a hundred sockets, eight connections in the pool, none of them in use."""
    async with serve(database_url) as house:
        lot_id = await house.open_lot()
        async with asyncio.TaskGroup() as group:
            leave = asyncio.Event()
            inside = [asyncio.Event() for _ in range(100)]

            async def stay(entered: asyncio.Event) -> None:
                async with house.watch(lot_id) as client:
                    await client.read()
                    entered.set()
                    await leave.wait()

            for entered in inside:
                group.create_task(stay(entered))
            await asyncio.gather(*(entered.wait() for entered in inside))
            pool = house.parts.database.engine.pool
            assert pool.checkedout() <= 1  # type: ignore[attr-defined]  # the check of this second, perhaps
            assert (await house.http.get(f"/api/lots/{lot_id}/events")).status_code == 200
            leave.set()


async def test_the_tick_rounds_the_number_of_watchers(database_url: str) -> None:
    """Row 86: exact numbers would tell who came and went."""
    async with serve(database_url) as house:
        lot_id = await house.open_lot()
        async with asyncio.TaskGroup() as group:
            leave = asyncio.Event()

            async def stay() -> None:
                async with house.watch(lot_id) as client:
                    await leave.wait()
                    assert client.raw

            for _ in range(24):
                group.create_task(stay())
            async with house.watch(lot_id) as client:
                async with asyncio.timeout(10):
                    while (tick := await client.next("tick"))["watchers"] != 20:
                        assert tick["watchers"] in (0, 10)
                leave.set()


async def test_a_stop_tells_every_page(database_url: str) -> None:
    async with serve(database_url) as house:
        lot_id = await house.open_lot()
        client_context = house.watch(lot_id)
        client = await client_context.__aenter__()
        await client.read()
    with pytest.raises(ConnectionClosed):
        await client.next("nothing")
    assert client.raw.close_code == 1012
    await client_context.__aexit__(None, None, None)


async def test_wrong_methods_and_roles_over_http(database_url: str) -> None:
    """Rows 15, 16, 20: state changes are POSTs of our own pages by those who may."""
    async with serve(database_url) as house:
        lot_id = await house.open_lot()
        judge = await house.sign_in(Role.JUDGE, court="other")
        who = await house.bidder(lot_id)
        bid = {"key": str(uuid4()), "price_fen": START_FEN}
        assert (await house.bid(judge, lot_id, bid)).status_code == 403
        foreign = {"Cookie": who.cookie, "Origin": "https://evil.example"}
        assert (await house.http.post(f"/api/lots/{lot_id}/bids", json=bid, headers=foreign)).status_code == 403
        assert (await house.http.get(f"/api/lots/{lot_id}/bids")).status_code == 405
        for query in ("limit=0", "limit=1000000000", "after=-1", "after=x", "after=0&after=1"):
            assert (await house.http.get(f"/api/lots/{lot_id}/events?{query}")).status_code == 400
        order = {"reason": "案外人异议", "decision_id": str(uuid4())}
        headers = {"Cookie": judge.cookie, "Origin": house.origin, "Idempotency-Key": "suspend-0001"}
        foreign_court = await house.http.post(f"/api/lots/{lot_id}/suspend", json=order, headers=headers)
        assert (foreign_court.status_code, foreign_court.json()["code"]) == (404, "not-found")
        as_bidder = headers | {"Cookie": who.cookie}
        assert (await house.http.post(f"/api/lots/{lot_id}/suspend", json=order, headers=as_bidder)).status_code == 403
        sealed = await house.http.get(f"/api/lots/{lot_id}/record")
        assert (sealed.status_code, sealed.json()["code"]) == (409, "record-sealed")
        assert START_FEN % STEP_FEN == 0


def port_of(writer: asyncio.StreamWriter) -> int:
    port: int = writer.get_extra_info("sockname")[1]
    return port


@asynccontextmanager
async def raw_socket(
    house: House, lot_id: UUID, receive_buffer: int | None = None
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A handshake by hand, and then a client that does nothing by itself."""
    raw = socket.socket()
    if receive_buffer:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    raw.connect(("127.0.0.1", house.parts.settings.port))
    reader, writer = await asyncio.open_connection(sock=raw)
    key = base64.b64encode(os.urandom(16)).decode()
    host = house.origin.partition("://")[2]
    writer.write(
        f"GET /live/lots/{lot_id} HTTP/1.1\r\nHost: {host}\r\nOrigin: {house.origin}\r\nConnection: Upgrade\r\n"
        f"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
    )
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101"), head
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


def masked(first: int, payload: bytes) -> bytes:
    """A client's frame, masked with zeros."""
    return bytes((first, 0x80 | len(payload))) + bytes(4) + payload


async def close_code_of(reader: asyncio.StreamReader) -> int:
    """Read the server's frames until it closes; returns the code."""
    while True:
        first, size = await reader.readexactly(2)
        length = size
        if size == 126:
            length = int.from_bytes(await reader.readexactly(2), "big")
        payload = await reader.readexactly(length)
        if first == 0x88:
            return int.from_bytes(payload[:2], "big")
