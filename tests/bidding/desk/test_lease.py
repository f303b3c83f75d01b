"""No batch of an older epoch commits after a takeover, and what a desk finds when it becomes one."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from bidding.desk import lease
from bidding.desk.desk import Desk, DeskOptions
from bidding.desk.errors import DeskEnded
from kernel.clock import FrozenClock, SystemClock
from tests.bidding.desk.house import MINUTE, OPENS, SECOND, START, STEP, House, code_of, desk_of, house
from tests.support.keys import KEYRING

pytestmark = pytest.mark.anyio


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


async def half_a_copy(old: Any, copying: asyncio.Event) -> None:
    """A COPY of which the second row never comes, as from a desk that was stopped."""

    async def rows() -> AsyncIterator[bytes]:
        yield b"1\n"
        copying.set()
        await asyncio.Event().wait()

    await old.execute("CREATE TEMP TABLE row (n int8) ON COMMIT DROP")
    await old.copy_to_table("row", source=rows(), format="text", timeout=60)


async def half_an_answer(old: Any, coming: asyncio.Event) -> None:
    """An answer that is never read to its end."""
    asyncio.get_running_loop().call_later(0.1, coming.set)
    old._transport.pause_reading()
    await old.fetch("SELECT repeat('x', 100000) FROM generate_series(1, 1000)", timeout=60)


@pytest.mark.parametrize("ends", [True, False])
@pytest.mark.parametrize("half", [half_a_copy, half_an_answer])
async def test_a_desk_that_stopped_amid_a_statement_keeps_no_lease(
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    ends: bool,
    half: Callable[[Any, asyncio.Event], Awaitable[None]],
) -> None:
    """Its statement timeout is one second, which PostgreSQL does not look at while it waits for the client."""
    if not ends:
        monkeypatch.setattr(lease, "END_STUCK", "SELECT $1::float8")
    async with house(database_url), two_connections(database_url) as (old, new):
        epoch = await lease.take_lease(old, 0, "old", None, standby_after_s=None)
        await lease.begin(old, 0, epoch)
        amid = asyncio.Event()
        stuck = asyncio.ensure_future(half(old, amid))
        await amid.wait()
        await asyncio.sleep(2.2)
        taking = lease.take_lease(new, 0, "new", None, standby_after_s=2.0)
        if ends:
            assert await taking == epoch + 1
        else:
            with pytest.raises(asyncpg.QueryCanceledError):
                await taking
        stuck.cancel()
        await asyncio.gather(stuck, return_exceptions=True)
        old.terminate()


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
