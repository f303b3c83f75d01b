"""Who opens connections and does not ask is given up, and nobody has more of them than an address may."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from app import connections
from tests.bidding.feed.house import House, serve

pytestmark = pytest.mark.anyio

WITHIN_S = 0.5

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "REQUEST_WITHIN_S", WITHIN_S)


@asynccontextmanager
async def connected(site: House) -> AsyncIterator[Streams]:
    host, port = site.origin.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        yield reader, writer
    finally:
        writer.close()


def request(site: House, *, of: str = "GET /health/live", more: str = "") -> bytes:
    return f"{of} HTTP/1.1\r\nHost: {site.origin.removeprefix('http://')}\r\n{more}\r\n".encode()


def login(site: House, size: int) -> bytes:
    more = f"Origin: {site.origin}\r\nContent-Type: application/json\r\nContent-Length: {size}\r\n"
    return request(site, of="POST /api/login", more=more)


async def status(reader: asyncio.StreamReader) -> int:
    """The status of the next answer, which is read to its end."""
    async with asyncio.timeout(20):
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        size = head.partition("content-length: ")[2].partition("\r\n")[0]
        await reader.readexactly(int(size))
    return int(head.split(" ")[1])


async def ended(reader: asyncio.StreamReader) -> bool:
    """Whether the connection is given up in time, with nothing said."""
    try:
        async with asyncio.timeout(20):
            return await reader.read(1) == b""
    except ConnectionResetError:
        return True


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("what", ["nothing", "half a header", "half a body", "blank lines", "a second half"])
async def test_who_owes_a_request_is_given_up(database_url: str, what: str) -> None:
    async with serve(database_url) as site, connected(site) as (reader, writer):
        sent = {
            "nothing": b"",
            "half a header": b"GET /health/live HTTP/1.1\r\nHost: ",
            "half a body": login(site, 50) + b"{",
            "blank lines": request(site) + b"\r\n\r\n",
            "a second half": request(site) + b"GET /health",
        }[what]
        writer.write(sent)
        if sent.startswith(request(site)):
            assert await status(reader) == 200
            writer.write(b"\r\n" if what == "blank lines" else b"/live")
        assert await ended(reader)


@pytest.mark.usefixtures("soon")
async def test_who_asks_and_who_sends_at_a_pace_has_time(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture from a village comes slowly; between two requests the server's own patience counts."""
    monkeypatch.setattr(connections, "LEAST_BYTES_PER_S", 10)
    async with serve(database_url) as site, connected(site) as (reader, writer):
        for _ in range(3):
            writer.write(request(site))
            assert await status(reader) == 200
            await asyncio.sleep(2 * WITHIN_S)
        body = b'{"username":"nobody","password":"nothing at all"}'
        writer.write(login(site, len(body)))
        for at in range(0, len(body), 5):
            writer.write(body[at : at + 5])
            await asyncio.sleep(WITHIN_S / 5)
        assert await status(reader) == 401


async def test_an_address_has_so_many_connections_and_its_sockets_are_counted_apart(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "SPARE", 2)
    async with serve(database_url, sockets_per_address=2) as site:
        lot_id = await site.open_lot()
        async with site.watch(lot_id), site.watch(lot_id), AsyncExitStack() as stack:
            open_ = [await stack.enter_async_context(connected(site)) for _ in range(4)]
            for reader, writer in open_:
                writer.write(request(site))
                assert await status(reader) == 200
            async with connected(site) as (reader, _):
                assert await status(reader) == 429
            open_[0][1].close()
            await open_[0][1].wait_closed()
            await asyncio.sleep(0.1)
            async with connected(site) as (reader, writer):
                writer.write(request(site))
                assert await status(reader) == 200


async def test_connections_of_our_own_proxy_are_not_counted(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "SPARE", 0)
    async with serve(database_url, sockets_per_address=1, proxies="127.0.0.1") as site, AsyncExitStack() as stack:
        for _ in range(3):
            reader, writer = await stack.enter_async_context(connected(site))
            writer.write(request(site))
            assert await status(reader) == 200


def test_the_proxy_in_front_times_them_too() -> None:
    """It reads requests whole before it passes them on, so that none of its own is given up here."""
    text = (Path(__file__).parents[2] / "docs" / "nginx.conf").read_text()
    assert "client_header_timeout" in text
    assert "proxy_request_buffering off" not in text
