"""Clocks that part are noticed, a step that stays is taken over, and nobody asks a clock that follows nothing yet."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from kernel.clock import FrozenClock, SystemClock
from kernel.clock_watch import Clocks, ClockWatch, following, read_database_clock
from kernel.database import Database
from tests.support.clocks import wall_clock_off

NOON = datetime(2025, 4, 10, 4, tzinfo=UTC)
HOUR, SECOND, MS = timedelta(hours=1), timedelta(seconds=1), timedelta(milliseconds=1)


def test_slow_answers_are_no_jump() -> None:
    """Each was read at some moment of the wait for it, and nobody knows at which."""
    watch = ClockWatch(FrozenClock(NOON))
    assert watch.compare(0.0, NOON, 3.0) is Clocks.TOGETHER
    assert watch.compare(3.0, NOON + 3 * SECOND, 3.05) is Clocks.TOGETHER, "the first was read at its beginning"
    assert watch.compare(4.0, NOON + 6 * SECOND, 4.05) is Clocks.PARTED, "a jump is one all the same"


def test_clocks_that_part_by_half_a_second_are_noticed() -> None:
    watch = ClockWatch(FrozenClock(NOON))

    def parted(before_s: float, database_now: datetime, after_s: float) -> bool:
        return watch.compare(before_s, database_now, after_s) is Clocks.PARTED

    assert not parted(0.0, NOON, 0.0)
    assert not parted(1.0, NOON + SECOND + 400 * MS, 1.0), "slewing is followed"
    assert not parted(2.0, NOON + 2 * SECOND + 400 * MS, 2.0)
    assert parted(3.0, NOON + HOUR, 3.0), "a jump ahead"
    assert parted(4.0, NOON + HOUR + SECOND, 4.0), "and it stays one"
    assert not parted(5.0, NOON + 5 * SECOND + 400 * MS, 5.0)
    assert parted(6.0, NOON - 10 * SECOND, 6.0), "a jump back"
    assert not parted(6.0, NOON + 7 * SECOND, 9.0), "a slow answer is no jump"
    assert not parted(10.0, NOON + 10 * SECOND + 300 * MS, 10.0), "nor does it bend the line"


def test_a_step_that_stays_is_taken_over_after_ten_steady_seconds() -> None:
    watch = ClockWatch(FrozenClock(NOON))
    watch.compare(0.0, NOON, 0.0)
    seen = [watch.compare(float(second), NOON + HOUR + second * SECOND, float(second)) for second in range(1, 14)]
    assert seen == [Clocks.PARTED] * 10 + [Clocks.SETTLED] + [Clocks.TOGETHER] * 2
    wandering = [watch.compare(20.0 + n, NOON - n * HOUR, 20.0 + n) for n in range(12)]
    assert set(wandering) == {Clocks.PARTED}, "a clock that jumps about is never taken over"


@pytest.mark.anyio
@pytest.mark.parametrize("by", [HOUR, -HOUR])
async def test_a_database_that_is_off_at_the_first_look_is_not_followed(by: timedelta) -> None:
    """A desk that took over while the database's clock was stepped once closed lots an hour early."""
    clock = SystemClock()
    watch, before = ClockWatch(clock), clock.reading()
    assert await watch.look(says(before + by)) is Clocks.PARTED
    assert await watch.look(says(clock.reading())) is Clocks.TOGETHER
    assert clock.now() - before < SECOND


@pytest.mark.anyio
async def test_without_the_machines_own_clock_it_would_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control of the test above."""
    clock = SystemClock()
    watch, before = ClockWatch(clock), clock.reading()
    monkeypatch.setattr(watch, "_anchor", None)
    assert await watch.look(says(before + HOUR)) is Clocks.TOGETHER
    assert clock.now() - before >= HOUR


async def says(moment: datetime) -> datetime:
    """The database's answer."""
    return moment


@pytest.mark.anyio
@pytest.mark.parametrize("by", [HOUR, -HOUR])
async def test_a_wrong_clock_follows_before_anybody_asks_it(
    database_url: str, by: timedelta, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kernel.clock_watch.STEADY_S", 0.5)
    with wall_clock_off(by):
        database = Database(database_url, SystemClock())
        try:
            seen: list[Clocks] = []
            async with following(database, seen.append):
                off = database.clock.now() - await read_database_clock(database)
                assert abs(off) < SECOND
                async with asyncio.timeout(5):
                    while seen[-1] is not Clocks.TOGETHER:
                        await asyncio.sleep(0.02)
            assert list(dict.fromkeys(seen)) == [Clocks.PARTED, Clocks.SETTLED, Clocks.TOGETHER]
        finally:
            await database.close()


@pytest.mark.anyio
async def test_asked_before_it_follows_a_clock_that_is_ahead_stands_still(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of the test above."""
    monkeypatch.setattr("kernel.clock_watch.STEADY_S", 0.5)
    with wall_clock_off(HOUR):
        database = Database(database_url, SystemClock())
    try:
        database.clock.now()
        async with following(database, lambda _: None):
            assert database.clock.now() - await read_database_clock(database) > HOUR - SECOND
    finally:
        await database.close()


@pytest.mark.anyio
async def test_before_the_database_has_answered_nothing_begins() -> None:
    database = Database("postgresql://127.0.0.1:1/nowhere", SystemClock())
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5), following(database, lambda _: None):
            pytest.fail("nobody knows what time it is")
    await database.close()
