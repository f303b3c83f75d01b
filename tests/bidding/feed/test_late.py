"""A late bid is told by how much on both doors, by the server's times (R-BID-10, 11)."""

from datetime import datetime, timedelta
from uuid import uuid4

import msgspec
import pytest
from sqlalchemy import text

from bidding.feed.messages import ServerMessage
from kernel.actors import platform
from tests.bidding.feed.house import serve, until
from tests.bidding.support import START_FEN

pytestmark = pytest.mark.anyio


async def test_socket_and_http_say_how_late(database_url: str) -> None:
    async with serve(database_url) as house:
        lot_id = await house.open_lot()
        who = await house.bidder(lot_id)
        async with house.parts.database.transaction(platform("test")) as tx:
            now_ends = "UPDATE bidding.lot SET ends_at = clock_timestamp() WHERE lot_id = :lot RETURNING ends_at"
            ends_at = await tx.session.scalar(text(now_ends), {"lot": lot_id})
        await until(lambda: house.status(lot_id), "failed")
        async with house.watch(lot_id, who) as bidder:
            told = await bidder.bid(START_FEN)
            assert msgspec.convert(told, ServerMessage)
        answer = await house.bid(who, lot_id, {"key": str(uuid4()), "price_fen": START_FEN})
        assert answer.status_code == 409
        for refusal in (told, answer.json()):
            assert (refusal["code"], refusal["rule"]) == ("after-end", "R-BID-10")
            ended_at, received_at = (datetime.fromisoformat(refusal[name]) for name in ("ended_at", "received_at"))
            assert ended_at == ends_at
            late = timedelta(milliseconds=refusal["arrived_ms_late"])
            assert late == received_at - ended_at > timedelta(0)
            assert str(refusal["arrived_ms_late"]) in refusal["detail"]
