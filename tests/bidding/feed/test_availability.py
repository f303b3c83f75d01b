"""The public record says when the platform was not there for a lot, and how many it left outside (R-HALT-02)."""

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from bidding.desk.rules import Kind
from bidding.desk.submissions import Submission
from bidding.feed import store
from kernel.actors import platform
from tests.bidding.feed.house import House, serve
from tests.bidding.support import START_FEN

pytestmark = pytest.mark.anyio


async def availability(house: House, lot_id: UUID) -> dict[str, Any]:
    answer = await house.http.get(f"/api/lots/{lot_id}/availability")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


async def test_a_freeze_shows_with_its_hole_and_who_was_there_as_a_number(database_url: str) -> None:
    async with serve(database_url) as house:
        lot_id = await house.open_lot()
        assert (await availability(house, lot_id))["available_bp"] == 10_000
        desk, database = house.parts.desk, house.parts.database
        async with database.transaction(platform("test")) as tx:
            near = "UPDATE bidding.lot SET ends_at = clock_timestamp() + interval '2 minutes' WHERE lot_id = :lot"
            await tx.session.execute(text(near), {"lot": lot_id})
            await store.keep_attendance(tx, "elsewhere", {lot_id: 57}, tx.now())
        since = desk.now() - timedelta(milliseconds=800)
        await desk._freeze(since, "no-decision", 7.0)
        found = await availability(house, lot_id)
        (hole,), (halt,) = found["holes"], found["halts"]
        assert (hole["cause"], hole["real_ms"], hole["connected"]) == ("no-decision", 7_000, 50), "coarse, not exact"
        assert (halt["kind"], halt["until"], halt["remaining_ms"]) == ("frozen", None, 300_000)
        assert halt["since"] == hole["since"]
        lost = datetime.fromisoformat(hole["until"]) - datetime.fromisoformat(hole["since"])
        assert found["down_ms"] == lost // timedelta(milliseconds=1)
        assert 0 < found["available_bp"] < 10_000
        for kind in (Kind.RESUMED, Kind.WITHDRAWN):
            order = Submission(lot_id=lot_id, kind=kind, key=uuid4(), ingress_at=desk.now(), reason="恢复")
            assert (await desk.submit(order)).accepted
        record = (await house.http.get(f"/api/lots/{lot_id}/record")).json()["availability"]
        assert record["holes"] == found["holes"]
        assert record["halts"][0]["until"] is not None
        assert record == await availability(house, lot_id), "it ends with the lot"


async def test_sockets_are_counted_for_the_record(database_url: str) -> None:
    async with serve(database_url) as house:
        lot_id = await house.open_lot()
        who = await house.bidder(lot_id)
        async with house.watch(lot_id), house.watch(lot_id, who) as bidder:
            assert (await bidder.bid(START_FEN))["t"] == "ack"
            house.parts.feed._next_count_s = 0.0
            async with asyncio.timeout(5):
                while await counted(house, lot_id) != [2]:
                    house.parts.feed._next_count_s = 0.0
                    await asyncio.sleep(0.1)


async def counted(house: House, lot_id: UUID) -> list[int]:
    async with house.parts.database.reading(platform("test")) as tx:
        rows = await tx.session.scalars(
            text("SELECT sockets FROM bidding.attendance WHERE lot_id = :lot"), {"lot": lot_id}
        )
        return list(rows)
