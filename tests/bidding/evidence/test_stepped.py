"""Heads that a process signed while its clock was wrong: they stay in the log, and nothing is counted by them."""

from datetime import timedelta
from uuid import UUID

import pytest

from bidding.evidence import rules, service, store, verify
from kernel.actors import platform
from kernel.clock import FrozenClock, real_now
from kernel.database import Database
from tests.bidding.desk.house import ENDS, MINUTE, House, desk_of, house
from tests.bidding.evidence.test_log import age
from tests.support.clocks import wall_clock_off
from tests.support.house import opened
from tests.support.keys import KEYRING

pytestmark = pytest.mark.anyio

HOURS = timedelta(hours=2)


async def log_all_off(place: House, by: timedelta) -> int:
    """The sweep of a process whose clock, of the platform and of the wall, is wrong by so much."""
    async with opened(place.url, place.clock.now() + by) as database:
        with wall_clock_off(by):
            return await service.log_all(database, KEYRING)


async def about_to_end(place: House) -> UUID:
    """A lot that ends in a minute."""
    lot = await place.lot()
    async with desk_of(place):
        assert isinstance(place.clock, FrozenClock)
        await place.settled(lot, "open")
        place.clock.set(ENDS - MINUTE)
    return lot


async def close(place: House, lot: UUID) -> None:
    """The lot ends; the log must know it by now."""
    async with desk_of(place):
        assert isinstance(place.clock, FrozenClock)
        place.clock.set(ENDS)
        await place.settled(lot, "closed")
    await place.db.execute("UPDATE bidding.lot SET decided_at = decided_at - interval '2 minutes'")


async def unlogged(database: Database) -> list[str]:
    async with database.reading(platform("verify")) as tx:
        return [fault for fault in await verify.faults(tx) if "its end is not in the log" in fault]


async def heads(place: House) -> int:
    count: int = await place.db.fetchval("SELECT count(*) FROM bidding.log_head")
    return count


async def test_a_head_from_the_future_hides_no_end(database_url: str) -> None:
    async with house(database_url) as place, opened(database_url, ENDS) as database:
        lot = await about_to_end(place)
        assert await log_all_off(place, HOURS) == 1
        await close(place, lot)
        assert await unlogged(database) == [f"lot {lot}: its end is not in the log"]
        async with database.reading(platform("test")) as tx:
            last = await store.last_head(tx)
            assert last is not None
            assert last.at - place.clock.now() > rules.LOOK_BACK
            assert await store.find_heads(tx, store.ENDED, last.at - rules.LOOK_BACK) == [], "control: counted by it"
        assert await service.log_ended(database, KEYRING) == 1
        assert await unlogged(database) == []
        assert await service.log_ended(database, KEYRING) == 0


@pytest.mark.parametrize("by", [HOURS, -HOURS])
async def test_a_wrong_clock_puts_no_head_off_and_makes_no_flood_of_them(database_url: str, by: timedelta) -> None:
    async with house(database_url) as place, opened(database_url, place.clock.now()) as database:
        await place.lot()
        assert await service.log_all(database, KEYRING) == 1
        await age(place)
        counts = []
        for _ in range(4):
            await log_all_off(place, by)
            await service.log_all(database, KEYRING)
            counts.append(await heads(place))
        assert counts[0] == 3, "each of the two is due by its own clock"
        assert counts[1] <= 4, "the one ahead may answer once"
        assert counts[1:] == [counts[1]] * 3, "and then both rest"
        await age(place)
        await service.log_all(database, KEYRING)
        assert await heads(place) == counts[1] + 1, "ten minutes later again"
        async with database.reading(platform("verify")) as tx:
            assert await verify.faults(tx) == [], "the log grows from its newest head, whatever time that tells"


async def test_a_head_from_the_future_accuses_nobody_of_an_end_just_now(database_url: str) -> None:
    async with house(database_url) as place, opened(database_url, ENDS) as database:
        lot = await about_to_end(place)
        await log_all_off(place, HOURS)
        await close(place, lot)
        await place.db.execute("UPDATE bidding.lot SET decided_at = $1", real_now())
        assert await unlogged(database) == []


async def test_of_more_ends_than_a_head_holds_none_is_left_over(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever sweeps was away for longer than one looks back; the head over the first of them is of today."""
    monkeypatch.setattr(store, "MOST_ENTRIES", 2)
    async with house(database_url) as place, opened(database_url, ENDS + HOURS) as database:
        lots = [await place.lot() for _ in range(5)]
        async with desk_of(place):
            assert isinstance(place.clock, FrozenClock)
            await place.settled(lots[-1], "open")
            place.clock.set(ENDS)
            for lot in lots:
                await place.settled(lot, "closed")
        for _ in range(3):
            await service.log_ended(database, KEYRING)
        assert await place.db.fetchval("SELECT count(*) FROM bidding.log_entry") == 5
