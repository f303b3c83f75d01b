"""Refusals that a dead desk left unsealed are sealed by the next one, however long ago their lot ended."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest

from bidding.desk import sealing
from bidding.desk.rules import Kind
from tests.bidding.desk.house import ENDS, START, House, at, code_of, desk_of, house, put_order

pytestmark = pytest.mark.anyio

LONG = 3 * sealing.LOOK_BACK
Leaves = Callable[[House, UUID], Awaitable[None]]
"""How a lot comes to have one refusal that nobody sealed."""


async def late_bid(place: House, lot: UUID, status: str) -> None:
    async with desk_of(place) as desk:
        await place.settled(lot, status)
        assert code_of(await desk.submit(place.bid(lot, await place.bidder(lot, "B1"), START))) == "after-end"


async def a_bid_long_after_the_close(place: House, lot: UUID) -> None:
    at(place).set(ENDS)
    async with desk_of(place):
        await place.settled(lot, "closed")
    at(place).advance(LONG)
    await late_bid(place, lot, "closed")


async def a_bid_after_an_order_of_long_ago(place: House, lot: UUID) -> None:
    await put_order(place.db, lot, Kind.WITHDRAWN, place.clock.now())
    at(place).advance(LONG)
    await late_bid(place, lot, "withdrawn")


async def an_order_of_long_ago_behind_another(place: House, lot: UUID) -> None:
    await put_order(place.db, lot, Kind.WITHDRAWN, place.clock.now())
    await put_order(place.db, lot, Kind.WITHDRAWN, place.clock.now())
    at(place).advance(LONG)
    async with desk_of(place):
        await place.settled(lot, "withdrawn")


@pytest.mark.parametrize(
    "leave", [a_bid_long_after_the_close, a_bid_after_an_order_of_long_ago, an_order_of_long_ago_behind_another]
)
async def test_what_a_dead_desk_left_unsealed_is_sealed_by_the_next(
    database_url: str, monkeypatch: pytest.MonkeyPatch, leave: Leaves
) -> None:
    async def died(*_: object) -> None:
        """Before the second was over in which it would have sealed."""

    async with house(database_url) as place:
        lot = await place.lot()
        async with desk_of(place):
            await place.settled(lot, "open")
        with monkeypatch.context() as patch:
            patch.setattr(sealing, "seal", died)
            await leave(place, lot)
        row = await place.row(lot)
        assert row["entries"] == row["seq"] + 1
        assert await place.db.fetchval("SELECT count(*) FROM bidding.refusal_block") == 0, "control"
        async with desk_of(place), asyncio.timeout(10):
            while not await place.db.fetchval("SELECT count(*) FROM bidding.refusal_block"):
                await asyncio.sleep(0.05)
