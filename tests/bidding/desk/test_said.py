"""Outages stand in the audit trail as they were recorded: the public availability cannot be edited unseen."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from bidding import verify
from kernel.actors import platform
from kernel.clock import FrozenClock
from kernel.database import Database
from tests.bidding.desk.house import ENDS, MINUTE, SECOND, House, at, desk_of, house, stood_still
from tests.bidding.desk.test_outages import a_gap, closing_lot
from tests.support.intruder import as_superuser

pytestmark = pytest.mark.anyio

OF_OLD = "UPDATE kernel.audit_root SET sealed_at = '{}' WHERE number = 0"
"""Makes the trail begin then: what is older, and untold, is of before it told of outages."""


async def found_in(place: House) -> list[str]:
    database = Database(place.url, FrozenClock(ENDS))
    try:
        async with database.reading(platform("verify")) as tx:
            return [fault for fault in await verify.faults(tx) if "outage" in fault]
    finally:
        await database.close()


async def an_outage(place: House) -> Any:
    """A lot that an outage froze, with a bidder who was connected."""
    lot = await closing_lot(place, timedelta(minutes=5, seconds=3))
    bidder = (await place.row(lot))["leader_registration_id"]
    assert isinstance(place.clock, FrozenClock)
    ingress, came_at = uuid4(), place.clock.now() - SECOND
    await place.db.execute(
        "INSERT INTO bidding.ingress (id, real_at, platform_at, began_at)"
        " VALUES ($1, clock_timestamp(), $2, clock_timestamp())",
        ingress,
        place.clock.now(),
    )
    await place.db.execute(
        "INSERT INTO bidding.ingress_bidder (ingress_id, lot_id, registration_id, came_at) VALUES ($1, $2, $3, $4)",
        *(ingress, lot, bidder, came_at),
    )
    await a_gap(place, 6)
    place.clock.advance(6 * SECOND)
    async with desk_of(place):
        await place.settled(lot, "frozen")
    await as_superuser(place.url, OF_OLD.format("2025-01-01Z"))
    return lot


EDITS = {
    "shorter": "UPDATE bidding.desk_outage SET since = since + interval '1 s'",
    "shorter in real time": "UPDATE bidding.desk_outage SET real_ms = real_ms - 1",
    "another cause": "UPDATE bidding.desk_outage SET cause = 'busy'",
    "fewer lots": "UPDATE bidding.desk_outage SET lots_frozen = 0",
    "another share": "UPDATE bidding.desk_outage SET share = 1",
    "another end": "UPDATE bidding.desk_outage SET until = until - interval '1 s'",
    "taken out": "DELETE FROM bidding.desk_outage",
    "added": "INSERT INTO bidding.desk_outage SELECT share, epoch, until + interval '1 h', since, real_ms, cause,"
    " lots_frozen, of FROM bidding.desk_outage",
    "of other shares": "UPDATE bidding.desk_outage SET of = 2",
    "nobody was connected": "DELETE FROM bidding.outage_seat",
    "somebody else was connected": "UPDATE bidding.outage_seat SET registration_id = gen_random_uuid()",
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS.keys())
async def test_an_edited_outage_shows(database_url: str, edit: str) -> None:
    async with house(database_url) as place:
        await an_outage(place)
        assert await found_in(place) == []
        await as_superuser(place.url, edit)
        assert await found_in(place) != []


async def an_outage_of_one_lot(place: House) -> None:
    """Six seconds and one more of a queue that was full, which froze nothing."""
    async with desk_of(place) as desk:
        lot = await place.lot()
        await place.settled(lot, "open")
        at(place).advance(MINUTE)
        await stood_still(desk)
        await desk._outages.freeze(place.clock.now() - 6 * SECOND, "busy", 6.0, only=[lot])
        at(place).advance(SECOND)
        await desk._outages.end_what_is_over(after_s=0)
    await as_superuser(place.url, OF_OLD.format("2025-01-01Z"))


OF_ONE_LOT = {
    "shorter in real time": "UPDATE bidding.outage_lot SET real_ms = 1",
    "over earlier": "UPDATE bidding.outage_lot SET over_at = over_at - interval '1 ms'",
    "going on": "UPDATE bidding.outage_lot SET over_at = NULL, real_ms = NULL",
    "of another lot": "UPDATE bidding.outage_lot SET lot_id = gen_random_uuid()",
    "of no lot": "DELETE FROM bidding.outage_lot",
}


@pytest.mark.parametrize("edit", OF_ONE_LOT.values(), ids=OF_ONE_LOT.keys())
async def test_an_edited_outage_of_one_lot_shows(database_url: str, edit: str) -> None:
    """Availability tells its length for each lot (docs/evidence.md)."""
    async with house(database_url) as place:
        await an_outage_of_one_lot(place)
        assert await found_in(place) == []
        await as_superuser(place.url, edit)
        assert await found_in(place) != []


async def test_outages_told_without_the_lengths_for_single_lots_are_no_fault(database_url: str) -> None:
    """As first entries were; all else that they say still counts."""
    async with house(database_url) as place:
        await an_outage_of_one_lot(place)
        await as_superuser(
            place.url,
            "UPDATE kernel.audit_entry SET facts = convert_to((convert_from(facts, 'UTF8')::jsonb - 'lengths')::text,"
            " 'UTF8') WHERE action = 'desk.outage'",
        )
        assert await found_in(place) == []
        await as_superuser(place.url, OF_ONE_LOT["over earlier"])
        assert len(await found_in(place)) == 1


async def test_outages_of_before_the_trail_told_of_them_are_no_fault(database_url: str) -> None:
    async with house(database_url) as place:
        await an_outage(place)
        untold = ["DELETE FROM kernel.audit_entry WHERE action = 'desk.outage'"]
        await as_superuser(place.url, *untold)
        assert len(await found_in(place)) == 1
        await as_superuser(place.url, OF_OLD.format("2026-01-01Z"))
        assert await found_in(place) == []
