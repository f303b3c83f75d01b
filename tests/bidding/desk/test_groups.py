"""Lots that serve one debt: once it is covered the rest is stopped, in the transaction of the close (R-CLOSE-12)."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from bidding.desk import lease, store
from bidding.desk.batch import Entry, owed
from bidding.desk.desk import Desk
from bidding.desk.errors import DeskEnded
from bidding.desk.groups import must_wait, stop_key, to_stop
from bidding.desk.rules import Kind, LotState, Method, Status, Terms, published
from bidding.desk.session import Session
from kernel.money import Fen
from tests.bidding.desk.house import (
    ENDS,
    MINUTE,
    OPENS,
    SECOND,
    START,
    STEP,
    House,
    at,
    code_of,
    desk_of,
    house,
    verified,
)
from tests.bidding.desk.test_outages import a_gap
from tests.support.keys import KEYRING

pytestmark = pytest.mark.anyio

GAP = 10 * MINUTE


async def led_lots(place: House, desk: Desk, group: UUID, count: int = 3) -> list[UUID]:
    """Lots of a group that end ten minutes apart, each led at the start price."""
    lots = [await place.lot(ends_at=ENDS + number * GAP, group_id=group) for number in range(count)]
    for lot in lots:
        assert (await desk.submit(place.bid(lot, await place.bidder(lot, "B1"), START))).accepted
    return lots


async def statuses(place: House, lots: list[UUID]) -> list[str]:
    return [str((await place.row(lot))["status"]) for lot in lots]


async def sold_fen(place: House, group: UUID) -> int:
    return int(await place.db.fetchval("SELECT sold_fen FROM bidding.sale_group WHERE group_id = $1", group))


async def test_the_rest_is_stopped_once_the_debt_is_covered(database_url: str) -> None:
    async with house(database_url) as place, desk_of(place) as desk:
        group = await place.group(2 * START)
        lots = await led_lots(place, desk, group)
        alone = await place.lot(ends_at=ENDS + 3 * GAP)
        await place.settled(alone, "open")
        at(place).set(ENDS)
        await place.settled(lots[0], "closed")
        assert await statuses(place, lots) == ["closed", "open", "open"], "half the debt is open"
        at(place).set(ENDS + GAP)
        row = await place.settled(lots[1], "closed")
        assert await statuses(place, [*lots, alone]) == ["closed", "closed", "withdrawn", "open"]
        stopped = (await place.submissions(lots[2]))[-1]
        assert (stopped["kind"], stopped["key"], stopped["actor_id"]) == ("withdrawn", stop_key(lots[2]), None)
        assert stopped["received_at"] == row["closed_at"]
        assert await sold_fen(place, group) == 2 * START
        bidder = (await place.row(lots[2]))["leader_registration_id"]
        assert code_of(await desk.submit(place.bid(lots[2], bidder, START + STEP))) == "after-end"
        told = await place.db.fetch("SELECT topic, key FROM kernel.outbox ORDER BY id")
        assert ("LotWithdrawn", f"lot:{lots[2]}") in [(row["topic"], row["key"]) for row in told]
        assert await verified(place.url, place.clock) == []


async def test_with_the_debtors_consent_the_rest_is_sold_as_well(database_url: str) -> None:
    async with house(database_url) as place, desk_of(place) as desk:
        group = await place.group(START, consented_at=OPENS)
        lots = await led_lots(place, desk, group, 2)
        at(place).set(ENDS + GAP)
        await place.settled(lots[1], "closed")
        assert await statuses(place, lots) == ["closed", "closed"]
        assert await sold_fen(place, group) == 2 * START
        assert await verified(place.url, place.clock) == []


async def test_consent_counts_from_its_own_time(database_url: str) -> None:
    async with house(database_url) as place, desk_of(place) as desk:
        group = await place.group(START, consented_at=ENDS + SECOND)
        lots = await led_lots(place, desk, group, 2)
        at(place).set(ENDS)
        await place.settled(lots[0], "closed")
        assert await statuses(place, lots) == ["closed", "withdrawn"]


async def test_overdue_closes_take_effect_in_the_order_of_their_ends(database_url: str) -> None:
    """Both ends have passed: the later lot is stopped by the earlier one, although its own end is over."""
    async with house(database_url) as place:
        async with desk_of(place) as desk:
            group = await place.group(START)
            lots = await led_lots(place, desk, group)
        at(place).set(ENDS + 3 * GAP)
        async with desk_of(place):
            assert await statuses(place, lots) == ["closed", "withdrawn", "withdrawn"], "before the port opens"
            assert await sold_fen(place, group) == START
            assert await verified(place.url, place.clock) == []


async def test_lots_that_end_at_the_same_instant_stay_sold(database_url: str) -> None:
    async with house(database_url) as place, desk_of(place) as desk:
        group = await place.group(START)
        lots = [await place.lot(group_id=group) for _ in range(2)]
        for lot in lots:
            await desk.submit(place.bid(lot, await place.bidder(lot, "B1"), START))
        at(place).set(ENDS)
        for lot in lots:
            assert (await place.settled(lot, "closed"))["outcome"] == "sold"
        assert await sold_fen(place, group) == 2 * START
        assert await verified(place.url, place.clock) == []


async def test_a_lot_frozen_by_an_outage_holds_up_nobody_and_is_stopped_once_the_debt_is_covered(
    database_url: str,
) -> None:
    """R-HALT-02 beside R-CLOSE-12: it has no end any more, so the others of its group do not wait for it."""
    async with house(database_url) as place:
        group = await place.group(START)
        async with desk_of(place) as desk:
            lots = await led_lots(place, desk, group, 2)
            at(place).set(ENDS - MINUTE)
        await a_gap(place, 6)
        at(place).advance(6 * SECOND)
        async with desk_of(place):
            assert await statuses(place, lots) == ["frozen", "open"]
            at(place).set(ENDS + GAP)
            await place.settled(lots[1], "closed")
            assert await statuses(place, lots) == ["withdrawn", "closed"]
            assert await sold_fen(place, group) == START
            assert await verified(place.url, place.clock) == []


async def test_halted_and_unopened_lots_of_the_group_are_stopped_too(database_url: str) -> None:
    async with house(database_url) as place, desk_of(place) as desk:
        group = await place.group(START)
        (first,) = await led_lots(place, desk, group, 1)
        halted, later = [
            await place.lot(group_id=group, ends_at=ENDS + GAP),
            await place.lot(group_id=group, opens_at=ENDS + GAP, ends_at=ENDS + timedelta(days=2)),
        ]
        assert (await desk.submit(place.order(halted, Kind.DEFERRED))).accepted
        at(place).set(ENDS)
        await place.settled(first, "closed")
        assert await statuses(place, [halted, later]) == ["withdrawn", "withdrawn"]
        assert await verified(place.url, place.clock) == []


async def test_a_failed_lot_brings_nothing(database_url: str) -> None:
    async with house(database_url) as place, desk_of(place) as desk:
        group = await place.group(START)
        failing = await place.lot(group_id=group)
        (led,) = await led_lots(place, desk, group, 1)
        await place.db.execute("UPDATE bidding.lot SET ends_at = $2 WHERE lot_id = $1", led, ENDS + GAP)
        await place.settled(failing, "open")
        at(place).set(ENDS)
        assert (await place.settled(failing, "closed"))["outcome"] == "failed"
        assert (await place.row(led))["status"] == "open"
        assert await sold_fen(place, group) == 0


# -- the group's lock: two desks close lots of one group at the same time


async def close_at_once(place: House, lots: list[UUID], monkeypatch: pytest.MonkeyPatch) -> None:
    """Two sessions under leases of their own close one lot each; the second begins while the first is in flight."""
    quick = store.write

    async def slow(*args: Any) -> None:
        await quick(*args)
        await asyncio.sleep(0.4)

    monkeypatch.setattr(store, "write", slow)
    first, second = Session(place.url, 0, KEYRING), Session(place.url, 1, KEYRING)
    for session, name in ((first, "first"), (second, "second")):
        await session.take_lease(name, None, None)
    second.part = first.part  # what a bucket of their own keeps apart, for one
    try:
        closing = [asyncio.create_task(first.write(close_of(place, lots[0]), place.clock.now(), 1, lambda _: True))]
        await asyncio.sleep(0.2)
        closing.append(
            asyncio.create_task(second.write(close_of(place, lots[1]), place.clock.now(), 1, lambda _: True))
        )
        await asyncio.gather(*closing)
    finally:
        await first.close()
        await second.close()


def close_of(place: House, lot: UUID) -> list[Entry]:
    """The close that a lot owes, as a queue holds it."""
    sent = owed(lot, Kind.CLOSED, place.clock.now())
    return [Entry(sent, sent.address, place.clock.now())]


async def three_due(place: House) -> tuple[UUID, list[UUID]]:
    """Two lots whose ends have passed, which together cover the debt, and a third that is to be stopped."""
    async with desk_of(place) as desk:
        group = await place.group(2 * START)
        lots = await led_lots(place, desk, group)
    at(place).set(ENDS + GAP)
    return group, lots


async def test_two_desks_cannot_count_past_each_other(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with house(database_url) as place:
        group, lots = await three_due(place)
        await close_at_once(place, lots[:2], monkeypatch)
        assert await sold_fen(place, group) == 2 * START
        assert await statuses(place, lots) == ["closed", "closed", "withdrawn"]
        assert await verified(place.url, place.clock) == []


async def test_control_without_the_groups_lock_a_sale_is_lost_and_the_rest_runs_on(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "LOCK_GROUPS", store.LOCK_GROUPS.replace("FOR NO KEY UPDATE", ""))
    async with house(database_url) as place:
        group, lots = await three_due(place)
        await close_at_once(place, lots[:2], monkeypatch)
        assert await sold_fen(place, group) == START
        assert await statuses(place, lots) == ["closed", "closed", "open"]
        (fault,) = await verified(place.url, place.clock)
        assert f"it says {START} fen were sold, its lots say {2 * START}" in fault


# -- what verify sees


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("UPDATE bidding.sale_group SET sold_fen = sold_fen - 1", "fen were sold"),
        ("UPDATE bidding.sale_group SET target_fen = 2 * sold_fen", "although the debt was not covered"),
        ("UPDATE bidding.sale_group SET target_fen = 1", "although the debt was covered"),
    ],
)
async def test_verify_sees_a_group_that_was_edited(database_url: str, change: str, said: str) -> None:
    async with house(database_url) as place:
        _, lots = await three_due(place)
        async with desk_of(place):
            assert await statuses(place, lots) == ["closed", "closed", "withdrawn"]
        await place.db.execute(change)
        found = await verified(place.url, place.clock)
        assert found
        assert any(said in fault for fault in found)


# -- the pure part


def state(ends_at: Any, status: Status = Status.OPEN) -> LotState:
    terms = Terms(
        method=Method.AUCTION, opens_at=OPENS, scheduled_end=ENDS, start_price_fen=Fen(START), increment_fen=Fen(STEP)
    )
    return replace(published(terms), status=status, ends_at=ends_at)


def test_a_close_waits_for_what_ended_before_it() -> None:
    low, high = UUID(int=1), UUID(int=2)
    assert must_wait(high, ENDS, {low: state(ENDS)}, ENDS), "the same instant: by lot id"
    assert not must_wait(low, ENDS, {high: state(ENDS)}, ENDS)
    assert must_wait(low, ENDS, {high: state(ENDS - SECOND)}, ENDS)
    assert not must_wait(low, ENDS, {high: state(ENDS - SECOND, Status.CLOSED)}, ENDS)
    assert not must_wait(low, ENDS, {high: state(None, Status.SUSPENDED)}, ENDS)


def test_what_a_covered_debt_stops() -> None:
    lots = {
        UUID(int=1): state(ENDS),
        UUID(int=2): state(ENDS + SECOND),
        UUID(int=3): state(None, Status.FROZEN),
        UUID(int=4): state(ENDS + SECOND, Status.CLOSED),
    }
    assert to_stop(ENDS, lots.items()) == [UUID(int=2), UUID(int=3)]


async def test_the_lease_comes_before_the_groups(database_url: str) -> None:
    """A batch of an old desk takes no group's lock: it stops at the lease."""
    async with house(database_url) as place:
        _, lots = await three_due(place)
        old = Session(database_url, 0, KEYRING)
        await old.take_lease("old", None, None)
        newer = await lease.connect(database_url)
        await lease.take_lease(newer, 0, "new", None, standby_after_s=None)
        await newer.close()
        with pytest.raises(DeskEnded):
            await old.write(close_of(place, lots[0]), place.clock.now(), 1, lambda _: True)
        await old.close()


async def test_lots_of_one_group_have_one_desk(database_url: str) -> None:
    """However many desks there are: they are decided, and locked, together."""
    async with house(database_url) as place:
        group = await place.group(2 * START)
        lots = [await place.lot(group_id=group) for _ in range(3)]
        buckets = {(await place.row(lot))["bucket"] for lot in lots}
        assert buckets == {group.int % 4096}
        alone = await place.lot()
        assert (await place.row(alone))["bucket"] == alone.int % 4096
