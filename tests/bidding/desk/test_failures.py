"""What the desk does when the database, a row, another desk or time itself misbehaves; each race with its control."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest

from bidding.desk import lease, store
from bidding.desk.desk import Desk, DeskOptions
from bidding.desk.errors import DeskEnded
from bidding.desk.rules import Kind
from bidding.desk.watch import Clocks, ClockWatch
from kernel.clock import FrozenClock, SystemClock, monotonic
from tests.bidding.desk.house import ENDS, MINUTE, MS, OPENS, SECOND, START, STEP, House, code_of, codes, desk_of, house
from tests.support.keys import KEYRING

pytestmark = pytest.mark.anyio

# -- the lease: no batch of an older epoch commits after a takeover


@asynccontextmanager
async def two_connections(url: str) -> AsyncIterator[tuple[Any, Any]]:
    old, new = await lease.connect(url), await lease.connect(url)
    try:
        yield old, new
    finally:
        await old.close()
        await new.close()


async def taken_before_commit(old: Any, new: Any, check: str) -> bool:
    """Whether a new desk gets the lease while a batch of the old one is in flight, which then commits."""
    epoch = await lease.take_lease(old, 0, "old", None, standby_after_s=None)
    assert await old.execute(check.format(0, epoch)) == "SELECT 1"
    taking = asyncio.create_task(lease.take_lease(new, 0, "new", None, standby_after_s=None))
    await asyncio.sleep(0.3)
    taken = taking.done()
    await old.execute("COMMIT")
    assert await taking == epoch + 1
    return taken


async def test_a_takeover_waits_for_the_batch_in_flight(database_url: str) -> None:
    async with two_connections(database_url) as (old, new):
        assert not await taken_before_commit(old, new, lease.BEGIN_UNDER_LEASE)


async def test_a_batch_that_waited_for_a_takeover_does_not_begin(database_url: str) -> None:
    async with two_connections(database_url) as (old, new):
        epoch = await lease.take_lease(old, 0, "old", None, standby_after_s=None)
        await new.execute("BEGIN")
        await lease.take_lease(new, 0, "new", None, standby_after_s=None)
        beginning = asyncio.create_task(lease.begin(old, 0, epoch))
        await asyncio.sleep(0.2)
        assert not beginning.done()
        await new.execute("COMMIT")
        with pytest.raises(DeskEnded):
            await beginning
        await old.execute("ROLLBACK")


async def test_control_a_plain_select_lets_an_old_batch_commit_after_the_takeover(database_url: str) -> None:
    plain = lease.BEGIN_UNDER_LEASE.replace(" FOR SHARE", "")
    async with two_connections(database_url) as (old, new):
        assert await taken_before_commit(old, new, plain)


async def test_a_foreign_epoch_ends_the_desk(database_url: str) -> None:
    async with house(database_url) as place, desk_of(place) as desk:
        lot = await place.lot()
        bidder = await place.bidder(lot, "B1")
        ended = asyncio.Event()
        desk.on_ended.append(ended.set)
        async with desk_of(place) as new:
            late = await desk.submit(place.bid(lot, bidder, START))
            assert code_of(late) == "busy", "nothing is decided under an old epoch"
            async with asyncio.timeout(2):
                await ended.wait()
            assert not desk.serving
            assert code_of(await new.submit(place.bid(lot, bidder, START))) == "accepted"
        assert (await place.row(lot))["entries"] == 2


async def test_a_batch_begun_under_an_old_epoch_is_refused(database_url: str) -> None:
    async with two_connections(database_url) as (old, new):
        epoch = await lease.take_lease(old, 0, "old", None, standby_after_s=None)
        await lease.take_lease(new, 0, "new", None, standby_after_s=None)
        with pytest.raises(DeskEnded):
            await lease.begin(old, 0, epoch)
        await old.execute("ROLLBACK")


async def test_a_sign_of_life_from_the_future_is_none(database_url: str) -> None:
    """It was written while the database's clock was an hour ahead, then the desk died: the hole is seen all the same.

    The control is the same death without the stepped clock: back within the five seconds, nothing is frozen.
    """
    for ahead, status in ((timedelta(0), "closed"), (timedelta(hours=1), "frozen")):
        async with house(database_url, SystemClock()) as place:
            async with desk_of(place):
                now = place.clock.now()
                lot = await place.lot(now - 60 * MINUTE, now + 3 * SECOND)
                await place.settled(lot, "open")
            await place.db.execute(
                "UPDATE bidding.desk_health SET real_at = clock_timestamp() + $1::interval - interval '2.5 s'", ahead
            )
            await place.db.execute("UPDATE bidding.lot SET decided_at = decided_at + $1::interval", ahead)
            async with desk_of(place):
                await place.settled(lot, status)


async def test_a_standby_takes_over_after_two_silent_seconds(database_url: str) -> None:
    async with house(database_url) as place:
        async with desk_of(place):
            pass
        silent = "clock_timestamp() - interval '2 seconds'"
        await place.db.execute(f"UPDATE bidding.desk_health SET real_at = {silent}")
        await place.db.execute(f"UPDATE bidding.desk_lease SET holder = 'dead', taken_at = {silent}")
        standby = Desk(database_url, place.clock, KEYRING, DeskOptions())
        await standby.start()
        assert standby.serving
        await standby.stop()
        assert await place.db.fetchval("SELECT epoch FROM bidding.desk_lease") == 2


async def test_the_clock_of_a_new_desk_starts_after_all_stamps(database_url: str) -> None:
    async with house(database_url, FrozenClock(OPENS + MINUTE)) as place:
        async with desk_of(place) as desk:
            lot = await place.lot()
            bidder = await place.bidder(lot, "B1")
            await desk.submit(place.bid(lot, bidder, START))
        behind = House(database_url, FrozenClock(OPENS), place.db)
        async with desk_of(behind) as desk:
            assert desk.now() == OPENS + MINUTE, "it stands still until its clock has caught up"
            await desk.submit(behind.bid(lot, bidder, START + STEP, confirm=START + STEP))
        received = [row["received_at"] for row in await place.submissions(lot)]
        assert received == sorted(received)


# -- failures of the data and of the database

POISON = START + 7 * STEP

MAKE_POISON = f"""
    CREATE FUNCTION bidding.poison() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        RAISE EXCEPTION 'poison' USING ERRCODE = 'check_violation';
    END $$;
    CREATE TRIGGER poison BEFORE INSERT ON bidding.submission FOR EACH ROW
        WHEN (NEW.seq IS NOT NULL AND NEW.price_fen = {POISON}) EXECUTE FUNCTION bidding.poison();
"""


async def test_a_poison_bid_harms_nobody_else(database_url: str) -> None:
    async with house(database_url) as place, desk_of(place) as desk:
        await place.db.execute(MAKE_POISON)
        lot, other = await place.lot(), await place.lot()
        bidders = [await place.bidder(lot, f"B{number}") for number in range(10)]
        elsewhere = await place.bidder(other, "C1")
        bids = [place.bid(lot, bidder, START + n * STEP) for n, bidder in enumerate(bidders)]
        bids.insert(5, place.bid(other, elsewhere, START))
        answers = codes(await asyncio.gather(*(desk.submit(bid) for bid in bids)))
        assert answers == ["accepted"] * 8 + ["not-processable"] + ["accepted"] * 2
        refused = [row for row in await place.submissions(lot) if row["refusal"]]
        assert [(row["refusal"], row["price_fen"]) for row in refused] == [("not-processable", POISON)]
        row = await place.row(lot)
        assert (row["bids"], row["price_fen"]) == (9, START + 9 * STEP)
        assert code_of(await desk.submit(bids[8])) == "not-processable", "the stored answer is given again"


async def test_a_copy_of_a_waiting_key_waits_with_it(database_url: str) -> None:
    async with house(database_url) as place, desk_of(place) as desk:
        lot = await place.lot()
        bid = place.bid(lot, await place.bidder(lot, "B1"), START)
        async with place.db.transaction():
            await place.db.execute("SELECT 1 FROM bidding.lot WHERE lot_id = $1 FOR UPDATE", lot)
            first = asyncio.ensure_future(desk.submit(bid))
            await asyncio.sleep(0.1)
            second = asyncio.ensure_future(desk.submit(bid))
            await asyncio.sleep(0.1)
            assert not first.done()
            assert desk.waits((bid.lot_id, bid.registration_id, bid.key))
        assert await first == await second
        assert not desk.waits((bid.lot_id, bid.registration_id, bid.key))


async def test_a_lock_that_times_out_is_no_poison(database_url: str) -> None:
    async with house(database_url) as place, desk_of(place) as desk:
        lot = await place.lot()
        bid = place.bid(lot, await place.bidder(lot, "B1"), START)
        async with place.db.transaction():
            await place.db.execute("SELECT 1 FROM bidding.lot WHERE lot_id = $1 FOR UPDATE", lot)
            waiting = asyncio.ensure_future(desk.submit(bid))
            await asyncio.sleep(1.3)
            assert not waiting.done()
        assert code_of(await waiting) == "accepted"


async def test_a_lost_connection_is_no_poison(database_url: str) -> None:
    async with house(database_url) as place, desk_of(place) as desk:
        lot = await place.lot()
        bidder = await place.bidder(lot, "B1")
        for number in range(5):
            price = START + number * STEP
            waiting = asyncio.ensure_future(desk.submit(place.bid(lot, bidder, price, confirm=price)))
            await asyncio.sleep(0.0005 * number)
            await place.db.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'desk' AND datname = current_database()"
            )
            assert code_of(await waiting) == "accepted"
        assert (await place.row(lot))["bids"] == 5


async def test_a_commit_of_unknown_outcome_is_found_by_its_key(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection dies just behind the commit: the batch is tried again and finds its own row."""
    async with house(database_url) as place, desk_of(place) as desk:
        lot = await place.lot()
        bid = place.bid(lot, await place.bidder(lot, "B1"), START)
        execute, lost = asyncpg.Connection.execute, []

        async def lose_the_answer(self: Any, query: str, *args: Any, **options: Any) -> str:
            outcome: str = await execute(self, query, *args, **options)
            if query == "COMMIT" and not lost and not self.is_closed():
                lost.append(query)
                self.terminate()
                raise ConnectionResetError("behind the commit")
            return outcome

        monkeypatch.setattr(asyncpg.Connection, "execute", lose_the_answer)
        answer = await desk.submit(bid)
        assert (code_of(answer), lost) == ("accepted", ["COMMIT"])
        row = await place.row(lot)
        assert (row["bids"], row["seq"], answer.seq) == (1, 2, 2)


# -- outages


async def a_gap(place: House, real_s: float) -> None:
    """As if the last desk had died `real_s` ago."""
    await place.db.execute(
        "UPDATE bidding.desk_health SET real_at = real_at - make_interval(secs => $1)", float(real_s)
    )
    await place.db.execute("UPDATE bidding.lot SET decided_at = decided_at - make_interval(secs => $1)", float(real_s))


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


async def test_a_lot_that_ended_before_the_hole_is_closed(database_url: str) -> None:
    async with house(database_url) as place:
        lot = await closing_lot(place, 5 * MINUTE)
        await place.db.execute(
            "UPDATE bidding.desk_health SET real_at = clock_timestamp() - interval '1 hour', platform_at = $1", ENDS
        )
        await a_gap(place, 3600)
        assert isinstance(place.clock, FrozenClock)
        place.clock.set(ENDS + 60 * MINUTE)
        async with desk_of(place):
            assert (await place.row(lot))["outcome"] == "sold"


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


# -- clocks


def test_slow_answers_are_no_jump() -> None:
    """Each was read at some moment of the wait for it, and nobody knows at which."""
    watch = ClockWatch()
    assert watch.look(0.0, OPENS, 3.0) is Clocks.TOGETHER
    assert watch.look(3.0, OPENS + 3 * SECOND, 3.05) is Clocks.TOGETHER, "the first was read at its beginning"
    assert watch.look(4.0, OPENS + 6 * SECOND, 4.05) is Clocks.PARTED, "a jump is one all the same"


def test_clocks_that_part_by_half_a_second_are_noticed() -> None:
    watch = ClockWatch()

    def parted(before_s: float, database_now: datetime, after_s: float) -> bool:
        return watch.look(before_s, database_now, after_s) is Clocks.PARTED

    assert not parted(0.0, OPENS, 0.0)
    assert not parted(1.0, OPENS + SECOND + 400 * MS, 1.0), "slewing is followed"
    assert not parted(2.0, OPENS + 2 * SECOND + 400 * MS, 2.0)
    assert parted(3.0, OPENS + timedelta(hours=1), 3.0), "a jump ahead"
    assert parted(4.0, OPENS + timedelta(hours=1, seconds=1), 4.0), "and it stays one"
    assert not parted(5.0, OPENS + 5 * SECOND + 400 * MS, 5.0)
    assert parted(6.0, OPENS - 10 * SECOND, 6.0), "a jump back"
    assert not parted(6.0, OPENS + 7 * SECOND, 9.0), "a slow answer is no jump"
    assert not parted(10.0, OPENS + 10 * SECOND + 300 * MS, 10.0), "nor does it bend the line"


def test_a_step_that_stays_is_taken_over_after_ten_steady_seconds() -> None:
    watch, hour = ClockWatch(), timedelta(hours=1)
    watch.look(0.0, OPENS, 0.0)
    seen = [watch.look(float(second), OPENS + hour + second * SECOND, float(second)) for second in range(1, 14)]
    assert seen == [Clocks.PARTED] * 10 + [Clocks.SETTLED] + [Clocks.TOGETHER] * 2
    wandering = [watch.look(20.0 + n, OPENS - n * hour, 20.0 + n) for n in range(12)]
    assert set(wandering) == {Clocks.PARTED}, "a clock that jumps about is never taken over"


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
            monkeypatch.setattr(ClockWatch, "look", lambda *_: Clocks.SETTLED)
            monkeypatch.setattr("bidding.desk.desk.follow", lambda clock, at: clock.discipline(at + hour))
            row = await place.settled(lot, "frozen")
            assert row["remaining_ms"] >= 29 * 60_000
            assert desk.now() > now + 59 * MINUTE


async def test_parted_clocks_freeze_what_is_about_to_end(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with house(database_url) as place, desk_of(place) as desk:
        lot, calm = await place.lot(), await place.lot(ends_at=ENDS + 60 * MINUTE)
        assert isinstance(place.clock, FrozenClock)
        place.clock.set(ENDS - MINUTE)
        await asyncio.sleep(1.3)
        assert (await place.row(lot))["status"] == "open"
        monkeypatch.setattr(ClockWatch, "look", lambda *_: Clocks.PARTED)
        row = await place.settled(lot, "frozen")
        assert row["remaining_ms"] == 300_000
        assert await place.db.fetchval("SELECT cause FROM bidding.desk_outage") == "clock-offset"
        assert (await place.row(calm))["status"] == "open"
        assert desk.serving
