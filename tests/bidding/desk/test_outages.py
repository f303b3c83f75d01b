"""What nobody could decide is frozen for the court, and clocks that part are an outage; each with its control."""

import asyncio
import json
import time
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from bidding.desk import lease, store
from bidding.desk.batch import owed
from bidding.desk.desk import Desk, DeskOptions
from bidding.desk.outages import LONG_AGO, Outages
from bidding.desk.queue import TurnedAway
from bidding.desk.rules import Kind, Method
from bidding.desk.submissions import Submission
from kernel.clock import FrozenClock, SystemClock, monotonic
from kernel.clock_watch import Clocks, ClockWatch
from tests.bidding.desk.house import (
    ENDS,
    MINUTE,
    MS,
    OPENS,
    SECOND,
    START,
    STEP,
    House,
    code_of,
    desk_of,
    house,
    stood_still,
    verified,
)
from tests.support.clocks import wall_clock_off
from tests.support.keys import KEYRING

pytestmark = pytest.mark.anyio


async def a_gap(place: House, real_s: float) -> None:
    """As if the last desk had died `real_s` ago."""
    await place.db.execute(
        "UPDATE bidding.desk_health SET real_at = real_at - make_interval(secs => $1)", float(real_s)
    )
    await place.db.execute("UPDATE bidding.lot SET decided_at = decided_at - make_interval(secs => $1)", float(real_s))


async def last_seen(place: House, at: datetime) -> None:
    """As if the last desk had shown life at `at`, a second ago."""
    await place.db.execute(
        "UPDATE bidding.desk_health SET real_at = clock_timestamp() - interval '1 second', platform_at = $1", at
    )


async def closing_lot(place: House, before_end: timedelta) -> Any:
    """A lot with one bid whose desk stopped `before_end`."""
    lot = await place.lot()
    bidder = await place.bidder(lot, "B1")
    async with desk_of(place) as desk:
        assert isinstance(place.clock, FrozenClock)
        place.clock.set(ENDS - before_end)
        await desk.submit(place.bid(lot, bidder, START))
    return lot


async def test_after_a_long_hole_in_the_last_minutes_the_lot_is_frozen(database_url: str) -> None:
    async with house(database_url) as place:
        lot = await closing_lot(place, timedelta(minutes=5, seconds=3))
        await a_gap(place, 6)
        assert isinstance(place.clock, FrozenClock)
        place.clock.advance(6 * SECOND)
        async with desk_of(place) as desk:
            row = await place.row(lot)
            assert (row["status"], row["remaining_ms"]) == ("frozen", 303_000)
            bidder = row["leader_registration_id"]
            assert code_of(await desk.submit(place.bid(lot, bidder, START))) == "suspended"
            assert (await desk.submit(place.order(lot, Kind.RESUMED))).accepted
            assert (await place.row(lot))["ends_at"] == place.clock.now() + 303 * SECOND
        outage = await place.db.fetchrow("SELECT * FROM bidding.desk_outage")
        assert (outage["cause"], outage["lots_frozen"], outage["until"] - outage["since"]) == ("no-desk", 1, 6 * SECOND)
        assert 6_000 <= outage["real_ms"] <= 9_000


async def test_the_day_of_a_sell_off_is_frozen_like_any_end(database_url: str) -> None:
    """R-SELL-05, R-HALT-02: what ends is the day from the first bid, not the period of sixty."""
    async with house(database_url) as place:
        lot = await place.lot(ends_at=OPENS + timedelta(days=60), method=Method.SELL_OFF)
        assert isinstance(place.clock, FrozenClock)
        async with desk_of(place) as desk:
            await desk.submit(place.bid(lot, await place.bidder(lot, "Q1"), START))
            place.clock.advance(timedelta(days=1) - 5 * MINUTE - 3 * SECOND)
            await desk.submit(place.bid(lot, await place.bidder(lot, "Q2"), START + STEP))
        await a_gap(place, 6)
        place.clock.advance(6 * SECOND)
        async with desk_of(place) as desk:
            row = await place.row(lot)
            assert (row["status"], row["remaining_ms"]) == ("frozen", 303_000)
            place.clock.advance(timedelta(days=2))
            assert (await desk.submit(place.order(lot, Kind.RESUMED))).accepted
            place.clock.advance(303 * SECOND)
            assert (await place.settled(lot, "closed"))["leader_code"] == "Q2"


async def test_a_freeze_since_the_silence_before_the_start_is_told_in_whole_milliseconds(database_url: str) -> None:
    """Silence is measured in microseconds; an event that kept them would not be what its bytes say."""
    async with house(database_url) as place:
        lot = await closing_lot(place, 5 * MINUTE)
        assert isinstance(place.clock, FrozenClock)
        place.clock.advance(SECOND / 2)
        async with desk_of(place) as desk:
            await stood_still(desk)
            desk._outages.lively(timedelta(seconds=1, microseconds=234_567))
            await desk._outages.freeze(desk._outages.lively_at, "no-decision", 5.0)
            await place.settled(lot, "frozen")
        (frozen,) = [row for row in await place.submissions(lot) if row["kind"] == "frozen"]
        told = json.loads(frozen["event"])["event"]
        assert told["remaining_ms"] == (await place.row(lot))["remaining_ms"] == 300_735
        assert frozen["since"] == datetime.fromisoformat(told["since"])


async def test_control_a_short_gap_closes_on_time(database_url: str) -> None:
    async with house(database_url) as place:
        lot = await closing_lot(place, 5 * MINUTE)
        await a_gap(place, 3)
        assert isinstance(place.clock, FrozenClock)
        place.clock.set(ENDS + SECOND)
        async with desk_of(place):
            row = await place.row(lot)
            assert (row["status"], row["outcome"], row["ends_at"]) == ("closed", "sold", ENDS), "before the port opens"


async def test_a_long_hole_outside_the_last_minutes_does_not_freeze(database_url: str) -> None:
    async with house(database_url) as place:
        lot = await closing_lot(place, 10 * MINUTE)
        await a_gap(place, 60)
        assert isinstance(place.clock, FrozenClock)
        place.clock.advance(MINUTE)
        async with desk_of(place):
            assert (await place.row(lot))["status"] == "open"


async def test_a_lot_whose_close_nobody_came_to_is_frozen_however_late_the_hole_began(database_url: str) -> None:
    """The last sign of life came with the end, and then nobody for an hour: what waited then, nobody knows."""
    async with house(database_url) as place:
        lot = await closing_lot(place, 5 * MINUTE)
        await place.db.execute(
            "UPDATE bidding.desk_health SET real_at = clock_timestamp() - interval '1 hour', platform_at = $1", ENDS
        )
        await a_gap(place, 3600)
        assert isinstance(place.clock, FrozenClock)
        place.clock.set(ENDS + 60 * MINUTE)
        async with desk_of(place):
            row = await place.row(lot)
            assert (row["status"], row["remaining_ms"]) == ("frozen", 300_000)


def close_however_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """No close counts as overdue."""
    monkeypatch.setattr(Outages, "_overdue_by", lambda _: LONG_AGO)


def stand_still(place: House, real_s: float) -> None:
    """The whole process is stopped for so long, and time goes on."""
    time.sleep(real_s)
    assert isinstance(place.clock, FrozenClock)
    place.clock.advance(timedelta(seconds=real_s))


@pytest.mark.parametrize(("guarded", "status"), [(True, "frozen"), (False, "closed")])
async def test_no_lot_is_closed_a_hole_after_its_end(
    database_url: str, monkeypatch: pytest.MonkeyPatch, guarded: bool, status: str
) -> None:
    """The desk shows life after the end and before the close, and then none; the control measures between signs."""
    if not guarded:
        close_however_late(monkeypatch)
    async with house(database_url) as place, desk_of(place, hole_s=1.0) as desk:
        lot = await place.lot()
        assert isinstance(place.clock, FrozenClock)
        place.clock.set(ENDS - MINUTE)
        await place.settled(lot, "open")
        place.clock.set(ENDS)
        desk._outages.lively()
        stand_still(place, 1.2)
        row = await place.settled(lot, status)
        if status == "frozen":
            assert row["remaining_ms"] == 300_000
            outage = await place.db.fetchrow("SELECT cause, since FROM bidding.desk_outage WHERE lots_frozen = 1")
            assert tuple(outage) == ("overdue", ENDS - MS)


@pytest.mark.parametrize(("guarded", "status"), [(True, "frozen"), (False, "closed")])
async def test_two_pauses_add_up_to_a_hole(
    database_url: str, monkeypatch: pytest.MonkeyPatch, guarded: bool, status: str
) -> None:
    """The process stands still; it finds the close, and then cannot decide it. Each alone is no hole."""
    if not guarded:
        close_however_late(monkeypatch)
    async with house(database_url) as place, desk_of(place, hole_s=2.0) as desk:
        lot = await place.lot()
        assert isinstance(place.clock, FrozenClock)
        place.clock.set(ENDS - MINUTE)
        await place.settled(lot, "open")
        async with place.db.transaction():
            await place.db.execute("SELECT 1 FROM bidding.lot WHERE lot_id = $1 FOR UPDATE", lot)
            place.clock.set(ENDS - 10 * MS)
            stand_still(place, 1.5)
            while not desk.waits((lot, None, owed(lot, Kind.CLOSED, ENDS).key)):
                await asyncio.sleep(0.01)
            await asyncio.sleep(1.5)
            place.clock.advance(1.5 * SECOND)
        assert (await place.settled(lot, status))["status"] == status


@pytest.mark.parametrize(("guarded", "status"), [(True, "frozen"), (False, "closed")])
async def test_a_desk_that_takes_over_does_not_know_what_paused_the_one_before(
    database_url: str, monkeypatch: pytest.MonkeyPatch, guarded: bool, status: str
) -> None:
    """That one woke up four seconds behind the end, showed life and was stopped; a second later the next one starts."""
    if not guarded:
        monkeypatch.setattr(Outages, "taken_over", lambda self, ago, _: self.lively(ago))
    async with house(database_url) as place:
        lot = await closing_lot(place, timedelta(minutes=10))
        await last_seen(place, ENDS + 5 * SECOND)
        assert isinstance(place.clock, FrozenClock)
        place.clock.set(ENDS + 6 * SECOND)
        async with desk_of(place):
            row = await place.row(lot)
            assert row["status"] == status
            assert status == "frozen" or row["closed_at"] == ENDS + 6 * SECOND


async def test_what_is_overdue_is_frozen_as_of_its_own_end(database_url: str) -> None:
    async with house(database_url) as place:
        async with desk_of(place):
            lots = {await place.lot(ends_at=end): end for end in (ENDS, ENDS + 300 * MS, ENDS + 4 * SECOND)}
            for lot in lots:
                await place.settled(lot, "open")
        await last_seen(place, ENDS + 9 * SECOND)
        assert isinstance(place.clock, FrozenClock)
        place.clock.set(ENDS + 10 * SECOND)
        async with desk_of(place):
            pass
        outages = await place.db.fetch(
            "SELECT since, lots_frozen FROM bidding.desk_outage WHERE cause = 'overdue' ORDER BY since"
        )
        assert [tuple(row) for row in outages] == [(ENDS - MS, 2), (ENDS + 4 * SECOND - MS, 1)]
        for lot in lots:
            assert (await place.row(lot))["remaining_ms"] == 300_000
        assert await verified(database_url) == []


POISON = """
    CREATE FUNCTION bidding.poison() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'poison' USING ERRCODE = 'check_violation'; END $$;
    CREATE TRIGGER poison BEFORE INSERT ON bidding.submission FOR EACH ROW
        WHEN (NEW.seq IS NOT NULL AND NEW.lot_id = '%s') EXECUTE FUNCTION bidding.poison();
"""


@pytest.mark.parametrize("guarded", [True, False])
@pytest.mark.parametrize("gap_s", [1, 6])
async def test_a_lot_that_cannot_be_frozen_stops_no_other(
    database_url: str, monkeypatch: pytest.MonkeyPatch, guarded: bool, gap_s: int
) -> None:
    """Of five overdue lots the rows of one fail on what they hold; in the control that desk never starts."""
    if not guarded:
        monkeypatch.setattr("bidding.desk.outages.is_data_fault", lambda _: False)
    async with house(database_url) as place:
        lots = [await place.lot() for _ in range(5)]
        running, later = await place.lot(ends_at=ENDS + 60 * MINUTE), await place.lot(ENDS + MINUTE, ENDS + 90 * MINUTE)
        async with desk_of(place):
            for lot in (*lots, running):
                await place.settled(lot, "open")
        bidder = await place.bidder(running, "B1")
        await place.db.execute(POISON % lots[2])
        await last_seen(place, ENDS + 20 * SECOND)
        await a_gap(place, gap_s)
        assert isinstance(place.clock, FrozenClock)
        place.clock.set(ENDS + 30 * SECOND)
        if not guarded:
            desk = Desk(place.url, place.clock, KEYRING, DeskOptions(exclusive=True))
            with pytest.raises(asyncpg.CheckViolationError):
                await desk.start()
            await desk.stop()
            return
        async with desk_of(place) as desk:
            statuses = [(await place.row(lot))["status"] for lot in lots]
            assert statuses == ["frozen", "frozen", "open", "frozen", "frozen"]
            assert await place.db.fetchval("SELECT sum(lots_frozen) FROM bidding.desk_outage") == 4
            assert (await desk.submit(place.bid(running, bidder, START))).accepted
            place.clock.set(ENDS + MINUTE)
            await place.settled(later, "open")


async def test_many_lots_that_close_late_are_no_outage(database_url: str) -> None:
    """A desk that never pauses is only busy: the time that it takes is nobody's loss."""
    async with house(database_url) as place, desk_of(place, hole_s=2.0):
        lot = await place.lot()
        assert isinstance(place.clock, FrozenClock)
        place.clock.set(ENDS - MINUTE)
        await place.settled(lot, "open")
        await asyncio.sleep(1.2)
        place.clock.set(ENDS + MINUTE)
        assert (await place.settled(lot, "closed"))["outcome"] == "failed"


async def test_five_seconds_without_a_decision_freeze_before_anything_else(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The desk hangs in the closing minutes; what waited is refused `suspended` and stored (invariant 12)."""
    async with house(database_url) as place, desk_of(place, hole_s=1.0) as desk:
        lot, calm = await place.lot(), await place.lot(ends_at=ENDS + 60 * MINUTE)
        bidder, other = await place.bidder(lot, "B1"), await place.bidder(calm, "B1")
        assert isinstance(place.clock, FrozenClock)
        place.clock.set(ENDS - 4 * MINUTE)
        await desk.submit(place.bid(lot, bidder, START))
        real_begin, broken = lease.begin, [True]

        async def hang(*args: Any) -> None:
            if broken[0]:
                raise ConnectionResetError("no database")
            await real_begin(*args)

        monkeypatch.setattr(lease, "begin", hang)
        price = START + STEP
        waiting = asyncio.ensure_future(desk.submit(place.bid(lot, bidder, price, confirm=price)))
        elsewhere = asyncio.ensure_future(desk.submit(place.bid(calm, other, START)))
        monkeypatch.setattr(desk._session, "find_due", hang)
        await asyncio.sleep(1.4)
        place.clock.advance(2 * SECOND)
        broken[0] = False
        assert code_of(await waiting) == "suspended"
        assert code_of(await elsewhere) == "accepted", "lots outside their last minutes go on"
        row = await place.row(lot)
        assert (row["status"], row["bids"]) == ("frozen", 1)
        assert (await place.submissions(lot))[-1]["refusal"] == "suspended"
        assert await place.kinds(lot) == ["opened", "bid", "frozen"]
        received = [one["received_at"] for one in await place.submissions(lot) if one["seq"]]
        assert received == sorted(received)
        monkeypatch.undo()


async def test_a_decision_dates_from_the_lock_and_not_from_a_slow_commit(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found by the model: else two decisions could lie a hole and a commit apart, and nobody would have noticed."""
    async with house(database_url) as place, desk_of(place) as desk:
        lot = await place.lot()
        bidder = await place.bidder(lot, "B1")
        await place.settled(lot, "open")
        quick, silent_s = store.write, []

        async def slow(*args: Any) -> None:
            await quick(*args)
            await asyncio.sleep(0.5)

        monkeypatch.setattr(store, "write", slow)
        desk.on_committed.append(lambda *_: silent_s.append(monotonic() - desk._outages._lively_s))
        assert (await desk.submit(place.bid(lot, bidder, START))).accepted
        assert silent_s[0] >= 0.5
        monkeypatch.undo()


async def test_control_a_shorter_hang_loses_nothing(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with house(database_url) as place, desk_of(place, hole_s=5.0) as desk:
        lot = await place.lot()
        bidder = await place.bidder(lot, "B1")
        assert isinstance(place.clock, FrozenClock)
        place.clock.set(ENDS - 4 * MINUTE)
        real_begin, broken = lease.begin, [True]

        async def hang(*args: Any) -> None:
            if broken[0]:
                raise ConnectionResetError("no database")
            await real_begin(*args)

        monkeypatch.setattr(lease, "begin", hang)
        waiting = asyncio.ensure_future(desk.submit(place.bid(lot, bidder, START)))
        await asyncio.sleep(1.0)
        broken[0] = False
        assert code_of(await waiting) == "accepted"
        assert (await place.row(lot))["status"] == "open"


async def test_a_freeze_gives_no_time_back_that_stood_still(database_url: str) -> None:
    """A bid of before a halt of an hour comes in behind it (R-HALT-03); the row and the events agree on the resume."""
    async with house(database_url) as place:
        async with desk_of(place) as desk:
            lot = await place.lot()
            bidder = await place.bidder(lot, "B1")
            assert (await desk.submit(place.bid(lot, bidder, START))).accepted
            assert isinstance(place.clock, FrozenClock)
            place.clock.set(ENDS - 4 * MINUTE)
            sent_at = place.clock.now()
            assert (await desk.submit(place.order(lot, Kind.SUSPENDED))).accepted
            place.clock.advance(60 * MINUTE)
            assert (await desk.submit(place.order(lot, Kind.RESUMED))).accepted
            assert (await place.row(lot))["resumed_at"] == place.clock.now()
            place.clock.advance(SECOND)
            late = place.bid(lot, bidder, START + STEP, confirm=START + STEP, ingress_at=sent_at)
            assert code_of(await desk.submit(late)) == "suspended"
            row = await place.row(lot)
            assert (row["status"], row["remaining_ms"]) == ("frozen", 300_000)
        assert await verified(database_url) == []
        await place.db.execute("UPDATE bidding.lot SET resumed_at = resumed_at - interval '1 hour'")
        (fault,) = await verified(database_url)
        assert "resumed_at" in fault, "the control"


async def test_bidders_turned_away_for_long_freeze_their_lot(database_url: str) -> None:
    async with house(database_url) as place, desk_of(place, queue=0, hole_s=0.4):
        lot, calm = await place.lot(), await place.lot()
        bidder = await place.bidder(lot, "B1")
        await place.settled(lot, "open")
        assert isinstance(place.clock, FrozenClock)
        place.clock.set(ENDS - MINUTE)
    async with house(database_url, place.clock) as place, desk_of(place, queue=0, hole_s=0.4) as desk:
        for _ in range(12):
            assert code_of(await desk.submit(place.bid(lot, bidder, START))) == "busy"
            await asyncio.sleep(0.05)
        row = await place.settled(lot, "frozen")
        assert row["remaining_ms"] == 300_000
        assert await place.db.fetchval("SELECT cause FROM bidding.desk_outage") == "busy"
        assert (await place.row(calm))["status"] == "open"


async def test_a_bid_that_is_taken_while_others_are_looked_at_ends_the_turning_away(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with house(database_url) as place, desk_of(place) as desk:
        await stood_still(desk)
        turned_away, now_s, asked = desk._queue.turned_away, monotonic(), []
        for _ in range(3):
            turned_away[uuid4()] = TurnedAway(OPENS, now_s - 6, now_s)

        async def taken_meanwhile(outages: Outages, *_: Any, only: list[UUID]) -> set[UUID]:
            asked.extend(only)
            turned_away.pop(next((lot for lot in turned_away if lot not in asked), None), None)
            return set()

        monkeypatch.setattr(Outages, "freeze", taken_meanwhile)
        await desk._outages._freeze_where_busy()
        assert len(asked) == 2, "the bid of the second was taken"


# -- clocks


@pytest.mark.parametrize(("recovered_s", "status"), [(1.0, "frozen"), (0.0, "open")])
async def test_a_single_batch_between_two_gaps_ends_no_outage(
    database_url: str, monkeypatch: pytest.MonkeyPatch, recovered_s: float, status: str
) -> None:
    """Neither gap is a hole, but a lot that waited through both was undecided for longer; the control counts each."""
    monkeypatch.setattr("bidding.desk.outages.RECOVERED_S", recovered_s)
    async with house(database_url) as place, desk_of(place, hole_s=3.0) as desk:
        lot = await place.lot()
        bidder = await place.bidder(lot, "B1")
        assert isinstance(place.clock, FrozenClock)
        place.clock.set(ENDS - MINUTE)
        await place.settled(lot, "open")
        for price in (START, START + STEP):
            bid = await undecided(place, desk, place.bid(lot, bidder, price, confirm=price), 1.8)
        assert ("accepted" if status == "open" else "suspended") == bid
        assert (await place.row(lot))["status"] == status


async def undecided(place: House, desk: Desk, bid: Submission, real_s: float) -> str:
    """What becomes of a bid that comes while the desk's statements fail for so long."""
    async with place.db.transaction():
        await place.db.execute("LOCK TABLE bidding.lot IN ACCESS EXCLUSIVE MODE")
        waiting = asyncio.create_task(desk.submit(bid))
        await asyncio.sleep(real_s)
        assert isinstance(place.clock, FrozenClock)
        place.clock.advance(timedelta(seconds=real_s))
    return code_of(await waiting)


async def test_a_step_taken_over_freezes_what_it_jumped_past(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end lies behind the platform clock all at once: without the freeze the lot would be closed early."""
    async with house(database_url, SystemClock()) as place:
        now = place.clock.now()
        lot = await place.lot(now - 60 * MINUTE, now + 30 * MINUTE)
        async with desk_of(place) as desk:
            await place.settled(lot, "open")
            hour = timedelta(hours=1)
            monkeypatch.setattr(ClockWatch, "compare", lambda *_: Clocks.SETTLED)
            monkeypatch.setattr("kernel.clock_watch.follow", lambda clock, at: clock.discipline(at + hour))
            row = await place.settled(lot, "frozen")
            assert row["remaining_ms"] >= 29 * 60_000
            assert desk.now() > now + 59 * MINUTE


@pytest.mark.parametrize("steady_s", [3.0, 0.0])
async def test_no_desk_begins_while_machine_and_database_tell_other_times(
    database_url: str, monkeypatch: pytest.MonkeyPatch, steady_s: float
) -> None:
    """One of them may be off for a moment; the control believes the database at once."""
    monkeypatch.setattr("kernel.clock_watch.STEADY_S", steady_s)
    with wall_clock_off(-60 * MINUTE):
        async with house(database_url, SystemClock()) as place:
            begun_s = monotonic()
            async with desk_of(place) as desk:
                assert (monotonic() - begun_s >= 3.0) == (steady_s > 0)
                database_now = await place.db.fetchval("SELECT clock_timestamp()")
                assert abs(desk.now() - database_now) < SECOND


async def test_parted_clocks_freeze_what_is_about_to_end(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with house(database_url) as place, desk_of(place) as desk:
        lot, calm = await place.lot(), await place.lot(ends_at=ENDS + 60 * MINUTE)
        assert isinstance(place.clock, FrozenClock)
        place.clock.set(ENDS - MINUTE)
        await asyncio.sleep(1.3)
        assert (await place.row(lot))["status"] == "open"
        monkeypatch.setattr(ClockWatch, "compare", lambda *_: Clocks.PARTED)
        row = await place.settled(lot, "frozen")
        assert row["remaining_ms"] == 300_000
        assert await place.db.fetchval("SELECT cause FROM bidding.desk_outage") == "clock-offset"
        assert (await place.row(calm))["status"] == "open"
        assert desk.serving
