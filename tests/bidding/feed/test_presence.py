"""Who is connected to a process that is everything, and who is gone before they were let in."""

import asyncio
import socket
import struct

import pytest
import uvloop

from tests.bidding.feed.house import serve, until

HERE = "SELECT count(*) FROM bidding.ingress_bidder WHERE went_at IS NULL"


@pytest.mark.anyio
async def test_one_process_alone_knows_who_is_connected_as_well(database_url: str) -> None:
    """What an outage's record counts. Without an admission nobody is a bidder: the control."""
    async with serve(database_url) as house:
        lot_id = await house.open_lot()
        bidder, visitor = await house.bidder(lot_id), await house.sign_in()

        async def here() -> int:
            async with house.parts.database.engine.connect() as db:
                return int((await db.exec_driver_sql(HERE)).scalar_one())

        async with house.watch(lot_id, visitor), house.watch(lot_id, bidder):
            await until(here, 1)
        await until(here, 0)


def test_whoever_is_gone_before_they_are_let_in_is_no_fault(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """On the loop that serves: it knows no address of a connection that is closed."""

    async def scenario() -> None:
        async with serve(database_url) as house:
            lot_id = await house.open_lot()
            port = house.parts.settings.port
            opening = (
                f"GET /live/lots/{lot_id} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: {house.origin}\r\n"
                "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            ).encode()
            for _ in range(30):  # the server runs in this thread: it sees neither before all have gone
                client = socket.create_connection(("127.0.0.1", port))
                client.sendall(opening)
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                client.close()
            await asyncio.sleep(1)
            async with house.watch(lot_id) as there:
                assert (await there.read())["t"] == "snapshot"

    uvloop.run(scenario())
    assert "process_request failed" not in caplog.text
