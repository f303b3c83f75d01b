"""Availability: spans as sets of milliseconds, and outages measured whether or not they froze a lot (R-HALT-02)."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bidding.desk import ingresses, lease, shares
from bidding.desk.ingresses import Presence
from bidding.desk.outages import OUTAGE_REASONS, RESUMES
from bidding.desk.rules import Kind
from bidding.evidence import record
from bidding.evidence.availability import Span, availability, merged
from bidding.evidence.schemas import AvailabilityView, CutOffView
from bidding.evidence.store import OF_SINGLE_LOTS
from bidding.feed.errors import RecordSealed
from kernel.actors import Actor, Role, platform
from kernel.clock import FrozenClock, beijing
from kernel.database import Database
from kernel.errors import NotFound
from tests.bidding.desk.house import ENDS, MINUTE, OPENS, SECOND, START, House, desk_of, house, stood_still

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


async def cut_off(place: House, lot_id: UUID, of_court: UUID | None = None) -> CutOffView:
    """As a judge of the lot's court, or of another, sees it."""
    court_id = of_court or (await place.row(lot_id))["court_id"]
    judge = Actor(uuid4(), "法官", frozenset({Role.JUDGE}), court_id, "test")
    database = Database(place.url, place.clock)
    try:
        return await record.show_cut_off(database, judge, lot_id)
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
async def test_all_outages_count_though_the_first_alone_are_listed(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that went on before it froze the lot is kept twice; it takes one place of the list."""
    monkeypatch.setattr(record, "MOST_OUTAGES", 3)
    async with house(database_url) as place:
        lot = await place.lot()
        for n in range(5):
            await outage(place, OPENS + 2 * n * SECOND, OPENS + (2 * n + 1) * SECOND)
        await outage(place, OPENS + HOUR, OPENS + HOUR + SECOND, only=lot)
        await outage(place, OPENS + HOUR, OPENS + HOUR + 3 * SECOND, only=lot)
        found = await shown(place, lot, ENDS)
        assert found.unavailable_ms == 8_000
        assert [one.since for one in found.outages] == [beijing(OPENS + 2 * n * SECOND) for n in range(3)]
        monkeypatch.setattr(record, "MOST_OUTAGES", 6)
        every = await shown(place, lot, ENDS)
        assert (every.unavailable_ms, len(every.outages)) == (8_000, 6)
        assert (every.outages[5].cause, every.outages[5].until) == ("busy", beijing(OPENS + HOUR + 3 * SECOND))


async def outage(place: House, since: datetime, until: datetime, only: UUID | None = None) -> None:
    """An outage as the desk of all lots would have kept it; of `only` one lot if given."""
    await place.db.execute(
        "INSERT INTO bidding.desk_outage (share, epoch, until, since, real_ms, cause, lots_frozen, of)"
        " VALUES (0, 1, $1, $2, 1000, $3, 0, 1)",
        until,
        since,
        "busy" if only else "no-decision",
    )
    if only:
        await place.db.execute(
            "INSERT INTO bidding.outage_lot (share, epoch, until, lot_id, over_at, real_ms)"
            " VALUES (0, 1, $1, $2, $1, 1000)",
            until,
            only,
        )


@pytest.mark.anyio
async def test_a_new_sharing_out_changes_nothing_of_what_was(database_url: str) -> None:
    """What a lot lost stays lost; the outage of a desk that it is given to later is none of its own."""
    async with house(database_url) as place:
        assert isinstance(place.clock, FrozenClock)
        mine, other = await place.lot(), await place.lot()
        while (await place.row(mine))["bucket"] % 2 == 0:
            mine = await place.lot()
        while (await place.row(other))["bucket"] % 2:
            other = await place.lot()
        await shares.change(place.db, 2)
        async with desk_of(place, share=1), desk_of(place, share=0):
            await place.settled(mine, "open")
        await place.db.execute("UPDATE bidding.desk_health SET real_at = real_at - interval '1 h' WHERE share = 1")
        await place.db.execute("UPDATE bidding.lot SET decided_at = decided_at - interval '1 h'")
        place.clock.set(OPENS + HOUR)
        async with desk_of(place, share=1):
            pass
        for number in (2, 1, 3, 2):
            await shares.change(place.db, number)
            told = [(await shown(place, lot, OPENS + 2 * HOUR)).available_ppm for lot in (mine, other)]
            assert told == [500_000, 1_000_000], number


@pytest.mark.anyio
@pytest.mark.parametrize("cause", sorted(OF_SINGLE_LOTS))
async def test_an_outage_of_one_lot_is_measured_once_though_it_goes_on_and_freezes_nothing(
    database_url: str, cause: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bidding.desk.outages.OVER_AFTER_S", 0.0)
    async with house(database_url) as place:
        assert isinstance(place.clock, FrozenClock)
        async with desk_of(place) as desk:
            lot, calm, upcoming = await place.lot(), await place.lot(), await place.lot(OPENS + 3 * HOUR)
            await place.settled(lot, "open")
            await stood_still(desk)
            for minutes in (10, 30, 60):
                place.clock.set(OPENS + minutes * MINUTE)
                await desk._outages.freeze(OPENS, cause, 60.0 * minutes, only=[lot, upcoming])
            going_on = await shown(place, lot, OPENS + HOUR)
            assert (going_on.available_ppm, len(going_on.outages)) == (0, 1)
            place.clock.set(OPENS + 2 * HOUR)
            await desk._outages.end_what_is_over(after_s=0)
        found = await shown(place, lot, OPENS + 2 * HOUR)
        (outage,) = found.outages
        assert (found.available_ppm, outage.cause, outage.real_ms) == (500_000, cause, 3_600_000)
        assert (outage.since, outage.until) == (beijing(OPENS), beijing(OPENS + HOUR))
        for other in (calm, upcoming):
            assert (await shown(place, other, OPENS + 4 * HOUR)).outages == []
        assert await place.db.fetchval("SELECT count(*) FROM bidding.desk_outage") == 1


@pytest.mark.anyio
async def test_one_that_goes_on_until_it_freezes_its_lot_is_told_once(database_url: str) -> None:
    """Its desk died too: the next one knows that it goes on."""
    async with house(database_url) as place:
        assert isinstance(place.clock, FrozenClock)
        async with desk_of(place) as desk:
            lot = await place.lot()
            await place.settled(lot, "open")
            place.clock.set(ENDS - HOUR)
            since = place.clock.now() - MINUTE
            await stood_still(desk)
            await desk._outages.freeze(since, "busy", 60.0, only=[lot])
            desk._outages._going_on = {}  # as if it died without a word
        async with desk_of(place) as desk:
            place.clock.set(ENDS - 4 * MINUTE)
            await stood_still(desk)
            await desk._outages.freeze(since, "busy", 3_420.0, only=[lot])
            assert (await place.row(lot))["status"] == "frozen"
            (outage,) = (await shown(place, lot, ENDS)).outages
            assert (outage.real_ms, outage.since) == (3_420_000, beijing(since))
        kept = await place.db.fetch("SELECT over_at, real_ms FROM bidding.outage_lot ORDER BY until")
        assert [row["over_at"] for row in kept] != [None, None]
        assert len(kept) == 2


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


@pytest.mark.anyio
@pytest.mark.parametrize("cause", ["no-desk", "ingress-missing"])
async def test_an_outage_names_its_cause_and_how_many_it_cut_off(database_url: str, cause: str) -> None:
    """Two of four bidders were connected when it began: one comes back, one does not. One had left, one came later."""
    async with house(database_url) as place:
        assert isinstance(place.clock, FrozenClock)
        lot = await place.lot()
        bidders = [await place.bidder(lot, code) for code in ("B1", "B2", "B3", "B4")]
        back, lost, left, later = ((lot, bidder) for bidder in bidders)
        web, elsewhere = Presence(), Presence()
        db = await lease.connect(database_url, "ingress")
        try:
            async with desk_of(place):
                await place.settled(lot, "open")
                for seat in (back, lost, left):
                    web.come(seat)
                await ingresses.write_sign(db, web, place.clock.now())
                place.clock.set(ENDS - MINUTE)
                web.go(left)
                await ingresses.write_sign(db, web, place.clock.now())
                if cause == "ingress-missing":
                    await db.execute("UPDATE bidding.ingress SET real_at = real_at - interval '6 s'")
                    await place.settled(lot, "frozen")
            if cause == "no-desk":
                last = "UPDATE bidding.desk_health SET real_at = real_at - interval '6 s', platform_at = $1"
                await place.db.execute(last, place.clock.now())
                await place.db.execute("UPDATE bidding.lot SET decided_at = decided_at - interval '6 s'")
            place.clock.advance(6 * SECOND)
            async with desk_of(place) as desk:
                await place.settled(lot, "frozen")
                place.clock.advance(SECOND)
                elsewhere.come(back)
                elsewhere.come(later)
                await ingresses.write_sign(db, elsewhere, place.clock.now())
                (sealed,) = (await shown(place, lot, place.clock.now())).outages
                assert (sealed.cause, sealed.connected, sealed.not_back) == (cause, None, None), "still secret"
                with pytest.raises(RecordSealed):
                    await cut_off(place, lot)
                await desk.submit(place.order(lot, Kind.RESUMED))
                place.clock.advance(10 * MINUTE)
                await db.execute("UPDATE bidding.ingress SET real_at = clock_timestamp()")
                await place.settled(lot, "closed")
        finally:
            await db.close()
        found = await shown(place, lot, place.clock.now())
        (outage,) = found.outages
        assert (outage.cause, outage.connected, outage.not_back) == (cause, 2, 1)
        assert outage.real_ms >= 5_000
        assert found.halts[0].reason == OUTAGE_REASONS[cause] + RESUMES
        (named,) = (await cut_off(place, lot)).outages
        assert (named.cause, named.connected, named.not_back) == (cause, ["B1", "B2"], ["B2"])
        with pytest.raises(NotFound):
            await cut_off(place, lot, of_court=uuid4())
