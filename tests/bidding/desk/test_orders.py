"""Orders of other use cases around the end, and holds at it (R-HALT-01, 03; R-CLOSE-11; R-CASE-09), with controls."""

import asyncio
from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from bidding.desk import batch, store
from bidding.desk.batch import Book, Entry, Reading, owed
from bidding.desk.rules import Kind
from bidding.desk.submissions import Answer
from tests.bidding.desk.house import (
    ENDS,
    MINUTE,
    MS,
    OPENS,
    SECOND,
    START,
    STEP,
    House,
    at,
    code_of,
    desk_of,
    house,
    put_order,
    verified,
)
from tests.bidding.desk.test_outages import a_gap, close_however_late

pytestmark = pytest.mark.anyio

BEFORE_END = ENDS - 100 * MS
STOPS = [(Kind.SUSPENDED, "suspended"), (Kind.DEFERRED, "suspended"), (Kind.WITHDRAWN, "withdrawn")]


async def put_hold(place: House, lot: UUID) -> None:
    await place.db.execute(
        "INSERT INTO bidding.lot_hold (lot_id, hold_id, reason, placed_at) VALUES ($1, $2, '案外人异议', $3)",
        lot,
        uuid4(),
        OPENS,
    )


async def outcome_of(place: House, order_id: UUID) -> tuple[bool, str | None]:
    """Whether the order was decided, and its refusal."""
    row = await place.db.fetchrow("SELECT decided_at, refusal FROM bidding.lot_command WHERE id = $1", order_id)
    return row["decided_at"] is not None, row["refusal"]


async def led_lot(place: House, desk: Any, **terms: Any) -> tuple[UUID, UUID]:
    lot = await place.lot(**terms)
    bidder = await place.bidder(lot, "B1")
    assert (await desk.submit(place.bid(lot, bidder, START))).accepted
    return lot, bidder


async def next_bid(place: House, desk: Any, lot: UUID, bidder: UUID) -> Answer:
    answer: Answer = await desk.submit(place.bid(lot, bidder, START + STEP, confirm=START + STEP))
    return answer


async def nothing_due(now: datetime) -> list[Any]:
    return []


# -- an order given before the end, and a bid behind it


@pytest.mark.parametrize(("kind", "status"), STOPS)
async def test_a_late_bid_defeats_no_order(
    database_url: str, monkeypatch: pytest.MonkeyPatch, kind: Kind, status: str
) -> None:
    async with house(database_url) as place, desk_of(place) as desk:
        lot, bidder = await led_lot(place, desk)
        at(place).set(BEFORE_END)
        with monkeypatch.context() as patch:
            patch.setattr(desk._session, "find_due", nothing_due)
            order_id = await put_order(place.db, lot, kind, BEFORE_END)
            at(place).set(ENDS + 50 * MS)
            assert code_of(await next_bid(place, desk, lot, bidder)) == (
                "after-end" if kind is Kind.WITHDRAWN else "suspended"
            )
            assert await outcome_of(place, order_id) == (True, None), "decided before the bid, in its batch"
        await asyncio.sleep(0.5)
        row = await place.row(lot)
        assert (row["status"], row["outcome"]) == (status, None)
        stopped = [row for row in await place.submissions(lot) if row["kind"] == kind]
        assert [(row["received_at"], row["key"]) for row in stopped] == [(BEFORE_END, order_id)]
        assert await verified(place.url, place.clock) == []


async def test_control_without_reading_the_orders_a_late_bid_defeats_them(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing_stops(db: Any, lot_ids: Collection[UUID], reading: Reading) -> None:
        """As if the batch asked for no orders."""

    monkeypatch.setattr(store, "read_stops", nothing_stops)
    async with house(database_url) as place, desk_of(place) as desk:
        lot, bidder = await led_lot(place, desk)
        at(place).set(BEFORE_END)
        with monkeypatch.context() as patch:
            patch.setattr(desk._session, "find_due", nothing_due)
            order_id = await put_order(place.db, lot, Kind.SUSPENDED, BEFORE_END)
            at(place).set(ENDS + 50 * MS)
            assert code_of(await next_bid(place, desk, lot, bidder)) == "after-end"
        assert (await place.settled(lot, "closed"))["outcome"] == "sold"
        assert await outcome_of(place, order_id) == (True, "after-end")


async def test_a_bid_that_waits_for_the_order_to_be_committed_is_behind_it(database_url: str) -> None:
    """The order's transaction holds the lot before the end and commits after it; the late bid's batch waits."""
    async with house(database_url) as place, desk_of(place) as desk:
        lot, bidder = await led_lot(place, desk)
        at(place).set(BEFORE_END)
        court = await asyncpg.connect(database_url)
        async with court.transaction():
            await court.execute("SELECT FROM bidding.lot WHERE lot_id = $1 FOR UPDATE", lot)
            await put_order(court, lot, Kind.SUSPENDED, BEFORE_END)
            at(place).set(ENDS + 50 * MS)
            late = asyncio.ensure_future(next_bid(place, desk, lot, bidder))
            await asyncio.sleep(0.3)
        await court.close()
        assert code_of(await late) == "suspended"
        row = await place.row(lot)
        assert (row["status"], row["remaining_ms"]) == ("suspended", 100)


async def test_an_order_in_the_batch_of_the_late_bid_is_decided_once(database_url: str) -> None:
    """It stands in the queue behind the bid, is read for it, and then answered under its key; the close is let go."""
    async with house(database_url) as place, desk_of(place) as desk:
        lot, bidder = await led_lot(place, desk)
        order_id = await put_order(place.db, lot, Kind.SUSPENDED, BEFORE_END)
        order = store.ordered(await place.db.fetchrow("SELECT * FROM bidding.lot_command"))
        at(place).set(ENDS + 50 * MS)
        answers: list[Answer] = []
        for sent in (place.bid(lot, bidder, START + STEP), order, owed(lot, Kind.CLOSED, ENDS + 50 * MS)):
            desk.enter(sent, answers.append)
        async with asyncio.timeout(5):
            while desk._queue._by_key:
                await asyncio.sleep(0.02)
        assert [code_of(answer) for answer in answers] == ["suspended", "accepted"]
        assert await place.kinds(lot) == ["opened", "bid", "suspended"]
        assert await outcome_of(place, order_id) == (True, None)
        assert (await place.row(lot))["entries"] == 4, "nothing is stored twice"
        assert await verified(place.url, place.clock) == []


async def test_a_bid_that_entered_in_time_stays_ahead_of_the_order(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One batch brings a bid from before the end and one from behind it: the order falls between them."""
    async with house(database_url) as place, desk_of(place) as desk:
        lot, bidder = await led_lot(place, desk)
        other = await place.bidder(lot, "B2")
        monkeypatch.setattr(desk._session, "find_due", nothing_due)
        at(place).set(ENDS - 6 * MINUTE)
        await put_order(place.db, lot, Kind.SUSPENDED, ENDS - 6 * MINUTE)
        at(place).set(ENDS - 5 * MINUTE - SECOND)
        in_time = asyncio.ensure_future(next_bid(place, desk, lot, bidder))
        await asyncio.sleep(0)
        at(place).set(ENDS)
        late = asyncio.ensure_future(desk.submit(place.bid(lot, other, START + 2 * STEP)))
        assert [code_of(await answer) for answer in (in_time, late)] == ["accepted", "suspended"]
        row = await place.row(lot)
        assert (row["status"], row["remaining_ms"]) == ("suspended", 301_000), "counted from the bid before it"


async def test_an_order_after_the_end_changes_nothing(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with house(database_url) as place, desk_of(place) as desk:
        lot, bidder = await led_lot(place, desk)
        at(place).set(ENDS + 50 * MS)
        with monkeypatch.context() as patch:
            patch.setattr(desk._session, "find_due", nothing_due)
            order_id = await put_order(place.db, lot, Kind.WITHDRAWN, ENDS)
            refusal = (await next_bid(place, desk, lot, bidder)).refusal
            assert refusal is not None
            assert (refusal.code, refusal.facts["arrived_ms_late"]) == ("after-end", 50)
            assert await outcome_of(place, order_id) == (False, None)
        assert (await place.settled(lot, "closed"))["outcome"] == "sold"
        assert await outcome_of(place, order_id) == (True, "after-end")


async def test_several_orders_go_in_the_order_in_which_they_were_given(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with house(database_url) as place, desk_of(place) as desk:
        lot, bidder = await led_lot(place, desk)
        at(place).set(ENDS)
        monkeypatch.setattr(desk._session, "find_due", nothing_due)
        await put_order(place.db, lot, Kind.WITHDRAWN, BEFORE_END + 10 * MS)
        await put_order(place.db, lot, Kind.SUSPENDED, BEFORE_END)
        assert code_of(await next_bid(place, desk, lot, bidder)) == "after-end"
        assert await place.kinds(lot) == ["opened", "bid", "suspended", "withdrawn"]


async def test_a_lot_stopped_before_its_end_counts_nothing_for_its_group(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with house(database_url) as place, desk_of(place) as desk:
        group = await place.group(START)
        (first, bidder), (second, _) = [
            await led_lot(place, desk, ends_at=ends_at, group_id=group) for ends_at in (ENDS, ENDS + MINUTE)
        ]
        at(place).set(ENDS)
        with monkeypatch.context() as patch:
            patch.setattr(desk._session, "find_due", nothing_due)
            await put_order(place.db, first, Kind.WITHDRAWN, BEFORE_END)
            assert code_of(await next_bid(place, desk, first, bidder)) == "after-end"
        at(place).set(ENDS + MINUTE)
        assert (await place.settled(second, "closed"))["outcome"] == "sold"
        assert await verified(place.url, place.clock) == []


# -- a resume that nobody could decide at once


async def suspended_lot(place: House) -> UUID:
    """A lot halted with two minutes left, whose desk is gone."""
    async with desk_of(place) as desk:
        lot, _ = await led_lot(place, desk)
        at(place).set(ENDS - 2 * MINUTE)
        assert (await desk.submit(place.order(lot, Kind.SUSPENDED))).accepted
    return lot


async def resumed_without_a_desk(place: House) -> UUID:
    """The court resumes the lot while no desk decides; three minutes later the next one is about to start."""
    lot = await suspended_lot(place)
    at(place).advance(10 * MINUTE)
    await put_order(place.db, lot, Kind.RESUMED, place.clock.now())
    await a_gap(place, 600)
    at(place).advance(3 * MINUTE)
    return lot


async def test_a_lot_resumed_without_a_desk_runs_from_the_next_ones_decision(database_url: str) -> None:
    async with house(database_url) as place:
        lot = await resumed_without_a_desk(place)
        async with desk_of(place):
            row = await place.row(lot)
            assert (row["status"], row["ends_at"]) == ("open", place.clock.now() + 2 * MINUTE)
            resumed = (await place.submissions(lot))[-1]
            assert (resumed["kind"], resumed["received_at"]) == ("resumed", place.clock.now())
            assert resumed["ingress_at"] == place.clock.now() - 3 * MINUTE, "when it was ordered is kept"
        assert await verified(place.url, place.clock) == []


async def test_control_from_its_order_the_lot_would_close_before_the_port_opens(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def by_order(entry: Entry, book: Book, reading: Reading) -> datetime:
        return entry.sent.requested_at or entry.received_at

    async with house(database_url) as place:
        lot = await resumed_without_a_desk(place)
        monkeypatch.setattr(batch, "_time_of_entry", by_order)
        close_however_late(monkeypatch)  # the guard behind would freeze it
        async with desk_of(place):
            row = await place.row(lot)
            assert (row["status"], row["ends_at"]) == ("closed", place.clock.now() - MINUTE)


async def test_a_resume_that_waits_for_the_database_runs_from_its_decision(database_url: str) -> None:
    """The stamp is not enough: here the desk has it in its queue for longer than the lot has left."""
    async with house(database_url) as place:
        lot = await suspended_lot(place)
        async with desk_of(place) as desk:
            bidder = (await place.row(lot))["leader_registration_id"]
            other = await asyncpg.connect(database_url)
            async with other.transaction():
                await other.execute("SELECT FROM bidding.lot WHERE lot_id = $1 FOR UPDATE", lot)
                resume = asyncio.ensure_future(desk.submit(place.order(lot, Kind.RESUMED)))
                await asyncio.sleep(0)
                early = asyncio.ensure_future(next_bid(place, desk, lot, bidder))
                await asyncio.sleep(0.3)
                at(place).advance(3 * MINUTE)
                await asyncio.sleep(1)  # the lock's timeout: the batch is tried again
            await other.close()
            assert (await resume).accepted
            assert (await place.row(lot))["ends_at"] == place.clock.now() + 2 * MINUTE
            assert code_of(await early) == "suspended", "it entered while nobody could know that the lot runs"
            assert code_of(await next_bid(place, desk, lot, bidder)) == "accepted"
        assert await verified(place.url, place.clock) == []


async def test_a_resume_that_is_refused_takes_no_later_order_past_the_end(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lot that runs cannot be resumed: such an order counts from its giving, like any other."""
    async with house(database_url) as place, desk_of(place) as desk:
        lot, _ = await led_lot(place, desk)
        at(place).set(ENDS + SECOND)
        async with place.db.transaction():
            await put_order(place.db, lot, Kind.RESUMED, BEFORE_END)
            await put_order(place.db, lot, Kind.SUSPENDED, BEFORE_END + MS)
        row = await place.settled(lot, "suspended")
        assert row["remaining_ms"] == 99


# -- a hold at the end


async def test_a_held_lot_is_not_concluded_at_its_end(database_url: str) -> None:
    async with house(database_url) as place, desk_of(place) as desk:
        lot, bidder = await led_lot(place, desk)
        await put_hold(place, lot)
        at(place).set(ENDS + MS)
        row = await place.settled(lot, "suspended")
        assert (row["remaining_ms"], row["outcome"], row["leader_code"]) == (1, None, "B1")
        halted = (await place.submissions(lot))[-1]
        assert (halted["kind"], halted["reason"], halted["actor_id"]) == ("suspended", "案外人异议", None)
        told = await place.db.fetch("SELECT topic FROM kernel.outbox ORDER BY id")
        assert [row["topic"] for row in told] == ["LotOpened", "LotSuspended"]
        at(place).advance(MINUTE)
        assert code_of(await next_bid(place, desk, lot, bidder)) == "suspended"
        assert code_of(await desk.submit(place.order(lot, Kind.RESUMED))) == "asset-held"
        await place.db.execute("UPDATE bidding.lot_hold SET lifted_at = $1", ENDS)
        assert (await desk.submit(place.order(lot, Kind.RESUMED))).accepted
        at(place).advance(MS)
        row = await place.settled(lot, "closed")
        assert (row["outcome"], row["bids"]) == ("sold", 1), "its time was over: nobody could bid any more"
        assert await verified(place.url, place.clock) == []


async def test_a_held_lot_that_is_resumed_and_held_again_stands_still_again(database_url: str) -> None:
    async with house(database_url) as place, desk_of(place) as desk:
        lot, _ = await led_lot(place, desk)
        await put_hold(place, lot)
        at(place).set(ENDS)
        await place.settled(lot, "suspended")
        await place.db.execute("UPDATE bidding.lot_hold SET lifted_at = $1", ENDS)
        assert (await desk.submit(place.order(lot, Kind.RESUMED))).accepted
        await put_hold(place, lot)
        at(place).advance(SECOND)
        await place.settled(lot, "suspended")
        assert await place.kinds(lot) == ["opened", "bid", "suspended", "resumed", "suspended"]
        assert (await desk.submit(place.order(lot, Kind.WITHDRAWN))).accepted
        assert await verified(place.url, place.clock) == []


async def test_a_hold_on_one_lot_keeps_no_other_of_its_group_waiting(database_url: str) -> None:
    async with house(database_url) as place, desk_of(place) as desk:
        group = await place.group(2 * START)
        (held, _), (other, _) = [
            await led_lot(place, desk, ends_at=ends_at, group_id=group) for ends_at in (ENDS, ENDS + MINUTE)
        ]
        await put_hold(place, held)
        at(place).set(ENDS + MINUTE)
        assert (await place.settled(other, "closed"))["outcome"] == "sold"
        assert (await place.row(held))["status"] == "suspended"
        assert await verified(place.url, place.clock) == []


async def test_control_a_lifted_hold_stops_no_close(database_url: str) -> None:
    async with house(database_url) as place, desk_of(place) as desk:
        lot, _ = await led_lot(place, desk)
        await put_hold(place, lot)
        await place.db.execute("UPDATE bidding.lot_hold SET lifted_at = $1", ENDS - SECOND)
        at(place).set(ENDS)
        assert (await place.settled(lot, "closed"))["outcome"] == "sold"
