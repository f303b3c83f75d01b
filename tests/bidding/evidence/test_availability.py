"""Availability: spans as sets of milliseconds, and outages measured whether or not they froze a lot (R-HALT-02)."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bidding.desk.rules import Kind
from bidding.evidence import record
from bidding.evidence.availability import Span, availability, merged
from bidding.evidence.schemas import AvailabilityView
from kernel.actors import platform
from kernel.clock import FrozenClock, beijing
from kernel.database import Database
from kernel.errors import NotFound
from tests.bidding.desk.house import ENDS, MINUTE, OPENS, SECOND, START, House, desk_of, house

ZERO = datetime(2025, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def span(since: int, until: int) -> Span:
    """A span in milliseconds after nothing in particular."""
    return Span(ZERO + timedelta(milliseconds=since), ZERO + timedelta(milliseconds=until))


spans = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)).map(sorted), max_size=6)


@given(st.tuples(st.integers(0, 60), st.integers(0, 60)).map(sorted), spans, spans)
def test_spans_are_sets_of_milliseconds(whole: list[int], halts: list[list[int]], outages: list[list[int]]) -> None:
    halted = {at for since, until in halts for at in range(since, until)}
    lost = {at for since, until in outages for at in range(since, until)}
    running = set(range(*whole)) - halted
    found = availability(span(*whole), [span(*one) for one in halts], [span(*one) for one in outages])
    assert (found.running_ms, found.unavailable_ms) == (len(running), len(running & lost))
    assert found.available_ppm == ((len(running) - len(running & lost)) * 10**6 // len(running) if running else None)


def test_an_outage_noticed_twice_counts_once() -> None:
    assert merged([span(5, 9), span(1, 3), span(1, 6), span(9, 9)]) == [span(1, 9)]


async def shown(place: House, lot_id: object, now: datetime) -> AvailabilityView:
    database = Database(place.url, FrozenClock(now))
    try:
        return await record.show_availability(database, platform("test"), lot_id)  # type: ignore[arg-type]
    finally:
        await database.close()


@pytest.mark.anyio
async def test_a_lot_without_trouble_is_wholly_available(database_url: str) -> None:
    async with house(database_url) as place:
        async with desk_of(place) as desk:
            lot = await place.lot()
            await desk.submit(place.bid(lot, await place.bidder(lot, "B1"), START))
        found = await shown(place, lot, OPENS + HOUR)
        assert (found.running_ms, found.unavailable_ms, found.available_ppm) == (3_600_000, 0, 1_000_000)
        assert (found.outages, found.halts, found.until) == ([], [], beijing(OPENS + HOUR))
        before = await shown(place, lot, OPENS - HOUR)
        assert (before.running_ms, before.available_ppm) == (0, None)
        with pytest.raises(NotFound):
            await shown(place, uuid4(), OPENS)


@pytest.mark.anyio
async def test_a_desk_that_was_away_in_the_middle_is_measured_though_nothing_froze(database_url: str) -> None:
    async with house(database_url) as place:
        assert isinstance(place.clock, FrozenClock)
        lot = await place.lot()
        async with desk_of(place):
            await place.settled(lot, "open")
        await place.db.execute("UPDATE bidding.desk_health SET real_at = real_at - interval '1 h'")
        await place.db.execute("UPDATE bidding.lot SET decided_at = decided_at - interval '1 h'")
        place.clock.set(OPENS + HOUR)
        async with desk_of(place):
            assert (await place.row(lot))["status"] == "open", "far from its end"
        found = await shown(place, lot, OPENS + 2 * HOUR)
        (outage,) = found.outages
        assert outage.cause == "no-desk"
        assert 3_600_000 <= outage.real_ms < 3_700_000
        assert (found.running_ms, found.unavailable_ms, found.available_ppm) == (7_200_000, 3_600_000, 500_000)


@pytest.mark.anyio
async def test_halts_are_told_and_take_no_availability(database_url: str) -> None:
    async with house(database_url) as place, desk_of(place) as desk:
        assert isinstance(place.clock, FrozenClock)
        lot = await place.lot()
        await place.settled(lot, "open")
        await desk.submit(place.order(lot, Kind.SUSPENDED, "案外人异议"))
        place.clock.set(OPENS + HOUR)
        await desk.submit(place.order(lot, Kind.RESUMED))
        place.clock.set(ENDS - MINUTE)
        await desk.submit(place.order(lot, Kind.SUSPENDED))
        found = await shown(place, lot, ENDS - MINUTE + 30 * SECOND)
        first, second = found.halts
        assert (first.kind, first.at, first.until) == ("suspended", beijing(OPENS), beijing(OPENS + HOUR))
        assert (first.reason, second.until) == ("案外人异议", None)
        assert found.running_ms == (ENDS - MINUTE - OPENS - HOUR) / timedelta(milliseconds=1)
        assert found.available_ppm == 1_000_000
