"""The outbox: told with the change or not at all, handled once in effect, in order, however often it is tried."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from kernel.actors import platform
from kernel.contracts import HoldLifted, HoldPlaced, LotOpened
from kernel.database import Database, Tx
from kernel.ids import ordered_id
from kernel.outbox import BATCH, CLAIM, LEASE, LONGEST_RETRY, Relay, backlog, next_due, tell, tell_all
from tests.support.clocks import wall_clock_off
from tests.support.house import START, frozen, opened

pytestmark = pytest.mark.anyio

LOT = ordered_id()


async def _tell(database: Database, **options: object) -> None:
    async with database.transaction(platform("test")) as tx:
        await tell(tx, LotOpened(lot_id=LOT, at=tx.now()), **options)  # type: ignore[arg-type]


async def _waiting(database: Database) -> int:
    async with database.reading(platform("test")) as tx:
        return (await backlog(tx))[0]


async def test_an_event_reaches_every_handler_once(database_url: str) -> None:
    heard: list[str] = []

    async def first(tx: Tx, event: LotOpened) -> None:
        heard.append(f"first {event.lot_id}")

    async def second(tx: Tx, event: LotOpened) -> None:
        heard.append(f"second {event.lot_id}")

    async with opened(database_url) as database:
        relay = Relay(database)
        relay.on(LotOpened, first)
        relay.on(LotOpened, second)
        await _tell(database)
        await relay.settle()
        await relay.settle()
        assert heard == [f"first {LOT}", f"second {LOT}"]


async def test_what_is_rolled_back_is_not_told(database_url: str) -> None:
    async with opened(database_url) as database:
        with pytest.raises(ZeroDivisionError):
            async with database.transaction(platform("test")) as tx:
                await tell(tx, LotOpened(lot_id=LOT, at=tx.now()))
                raise ZeroDivisionError
        async with database.reading(platform("test")) as tx:
            assert await backlog(tx) == (0, None)


async def test_what_comes_next_is_known_with_and_without_what_is_due_already(database_url: str) -> None:
    hour = timedelta(hours=1)
    async with opened(database_url) as database:
        await _tell(database)
        await _tell(database, due_at=START + hour)
        async with database.reading(platform("test")) as tx:
            assert await next_due(tx) == START
            assert await next_due(tx, after=START) == START + hour
            assert await next_due(tx, after=START + hour) is None


async def test_a_failing_handler_is_tried_again_and_its_neighbour_is_not_repeated(database_url: str) -> None:
    heard: list[str] = []

    async def sound(tx: Tx, event: LotOpened) -> None:
        heard.append("sound")

    async def failing(tx: Tx, event: LotOpened) -> None:
        heard.append("failing")
        if heard.count("failing") == 1:
            raise RuntimeError("once")

    async with opened(database_url) as database:
        relay = Relay(database)
        relay.on(LotOpened, sound)
        relay.on(LotOpened, failing)
        await _tell(database)
        await relay.settle()
        async with database.reading(platform("test")) as tx:
            assert "once" in (await tx.session.execute(text("SELECT last_error FROM kernel.outbox"))).scalar_one()
        async with database.transaction(platform("test")) as tx:
            await tx.session.execute(text("UPDATE kernel.outbox SET retry_at = NULL"))
        await relay.settle()
        assert heard == ["sound", "failing", "failing"]


async def _tell_many(database: Database, lots: list[UUID]) -> None:
    async with database.transaction(platform("test")) as tx:
        await tell_all(tx, [LotOpened(lot_id=lot_id, at=tx.now()) for lot_id in lots])


async def test_events_of_many_things_share_a_transaction_and_each_is_heard_once(database_url: str) -> None:
    heard: list[list[UUID]] = []

    async def many(tx: Tx, events: Sequence[LotOpened]) -> None:
        heard.append([event.lot_id for event in events])

    lots = [ordered_id() for _ in range(5)]
    async with opened(database_url) as database:
        relay = Relay(database)
        relay.on_many(LotOpened, many, at_once=3)
        await _tell_many(database, lots)
        await _tell_many(database, lots[:1])
        assert await relay.sweep() == 5, "the second event of a thing waits for the first"
        assert heard == [lots[:3], lots[3:]]
        await relay.settle()
        assert heard == [lots[:3], lots[3:], lots[:1]]


async def test_what_can_wait_is_handled_once_nothing_else_is_due(database_url: str) -> None:
    heard: list[str] = []

    async def money(tx: Tx, events: Sequence[LotOpened]) -> None:
        heard.extend("money" for _ in events)

    async def figures(tx: Tx, events: Sequence[LotOpened]) -> None:
        heard.extend("figures" for _ in events)

    async with opened(database_url) as database:
        relay = Relay(database)
        relay.on_many(LotOpened, figures, later=True)
        relay.on_many(LotOpened, money)
        number = BATCH + BATCH // 2
        async with database.transaction(platform("test")) as tx:
            await tell_all(tx, [LotOpened(lot_id=ordered_id(), at=tx.now()) for _ in range(number)])
        await relay.settle()
        assert heard == ["money"] * number + ["figures"] * number
        async with database.reading(platform("test")) as tx:
            assert await backlog(tx) == (0, None)


async def test_one_bad_event_among_many_holds_up_nobody_else(database_url: str) -> None:
    lots = [ordered_id() for _ in range(4)]
    bad = lots[1]
    heard: list[UUID] = []

    async def many(tx: Tx, events: Sequence[LotOpened]) -> None:
        for event in events:
            await tx.session.execute(
                text(
                    "INSERT INTO kernel.audit_block (chain, number, link, root, sealed_at)"
                    " VALUES (:chain, 1, '', 0, now())"
                ),
                {"chain": str(event.lot_id)},
            )
        if bad in [event.lot_id for event in events]:
            raise ValueError("this one does not work")

    async def behind(tx: Tx, events: Sequence[LotOpened]) -> None:
        heard.extend(event.lot_id for event in events)

    async with opened(database_url) as database:
        relay = Relay(database)
        relay.on_many(LotOpened, many)
        relay.on_many(LotOpened, behind)
        await _tell_many(database, lots)
        await relay.settle()
        async with database.reading(platform("test")) as tx:
            written = set(await tx.session.scalars(text("SELECT chain FROM kernel.audit_block")))
            waiting = (await tx.session.execute(text("SELECT payload FROM kernel.outbox WHERE done_at IS NULL"))).all()
        assert written == {str(lot_id) for lot_id in lots if lot_id != bad}, "what failed together was undone"
        assert [row.payload["lot_id"] for row in waiting] == [str(bad)]
        assert heard == [lot_id for lot_id in lots if lot_id != bad], "the next handler does not get what failed"


async def test_twenty_thousand_events_at_once_are_claimed_without_their_square(database_url: str) -> None:
    """By what the planner knows the table is empty; the plan must not look at each row for each row.

    Nor may one be kept that was good while there was nothing: a relay asks for hours before thousands of lots end.
    """
    async with opened(database_url) as database:
        async with database.transaction(platform("test")) as tx:
            await tx.session.execute(text("ANALYZE kernel.outbox"))
        relay = Relay(database)
        for _ in range(10):
            assert await relay.sweep() == 0
        await _tell_many(database, [ordered_id() for _ in range(20_000)])
        async with asyncio.timeout(20):  # half a second; with such a plan a minute
            assert await relay.sweep() == BATCH
        async with database.transaction(platform("test")) as tx:
            values = {"now": tx.now(), "lease": LEASE, "longest": LONGEST_RETRY, "most": BATCH}
            explained = text(f"EXPLAIN (ANALYZE, FORMAT JSON) {CLAIM.text}")
            plan = (await tx.session.execute(explained, values)).scalar_one()
        assert _rows_read(plan[0]["Plan"]) < 120_000


def _rows_read(node: dict[str, Any]) -> float:
    own = node["Actual Loops"] * (node["Actual Rows"] + node.get("Rows Removed by Filter", 0))
    return own + sum(_rows_read(child) for child in node.get("Plans", []))


async def test_two_relays_at_once_run_a_handler_once(database_url: str) -> None:
    heard: list[int] = []

    async def slow(tx: Tx, event: LotOpened) -> None:
        heard.append(1)
        await asyncio.sleep(0.05)

    async with opened(database_url) as database:
        relays = [Relay(database), Relay(database)]
        for relay in relays:
            relay.on(LotOpened, slow)
        await _tell(database)
        await asyncio.gather(*(relay.settle() for relay in relays))
        assert heard == [1]


async def test_events_of_one_key_wait_for_an_earlier_one_that_failed(database_url: str) -> None:
    heard: list[str] = []
    asset, case, hold = ordered_id(), ordered_id(), ordered_id()

    async def placed(tx: Tx, event: HoldPlaced) -> None:
        raise RuntimeError("not yet")

    async def lifted(tx: Tx, event: HoldLifted) -> None:
        heard.append("lifted")

    async with opened(database_url) as database:
        relay = Relay(database)
        relay.on(HoldPlaced, placed)
        relay.on(HoldLifted, lifted)
        async with database.transaction(platform("test")) as tx:
            await tell(tx, HoldPlaced(hold_id=hold, asset_id=asset, case_id=case, reason="异议"))
            await tell(tx, HoldLifted(hold_id=hold, asset_id=asset, case_id=case))
        await relay.settle()
        assert heard == []


async def test_due_work_waits_for_platform_time_and_exists_once(database_url: str) -> None:
    heard: list[int] = []

    async def note(tx: Tx, event: LotOpened) -> None:
        heard.append(1)

    async with opened(database_url) as database:
        relay = Relay(database)
        relay.on(LotOpened, note)
        for _ in range(2):
            await _tell(database, due_at=START + timedelta(hours=1), once=str(LOT))
        await relay.settle()
        assert heard == []
        frozen(database).advance(timedelta(hours=1))
        await relay.settle()
        assert heard == [1]


async def test_a_dead_workers_lease_runs_out(database_url: str) -> None:
    heard: list[int] = []

    async def note(tx: Tx, event: LotOpened) -> None:
        heard.append(1)

    async with opened(database_url) as database:
        relay = Relay(database)
        relay.on(LotOpened, note)
        await _tell(database)
        async with database.transaction(platform("dead")) as tx:
            await tx.session.execute(text("UPDATE kernel.outbox SET lease_until = clock_timestamp() + interval '20 s'"))
        await relay.settle()
        assert heard == []
        async with database.transaction(platform("dead")) as tx:
            await tx.session.execute(text("UPDATE kernel.outbox SET lease_until = clock_timestamp() - interval '1 s'"))
        await relay.settle()
        assert heard == [1]


@pytest.mark.parametrize("column", ["lease_until", "retry_at"])
async def test_what_was_put_off_by_a_clock_that_was_ahead_waits_for_nobody(database_url: str, column: str) -> None:
    """The database's clock was an hour ahead for a moment, and a worker died or failed in it."""
    async with opened(database_url) as database:
        await _tell(database)
        for ahead, claimed in (("20 s", 0), ("1 h", 1)):
            async with database.transaction(platform("dead")) as tx:
                moved = f"UPDATE kernel.outbox SET {column} = clock_timestamp() + interval '{ahead}'"
                await tx.session.execute(text(moved))
            assert await Relay(database).sweep() == claimed


async def test_a_lease_is_as_long_whatever_clock_its_worker_had(database_url: str) -> None:
    """It died with its clock an hour ahead: what it had claimed waits half a minute, not an hour."""
    left = text("SELECT lease_until - clock_timestamp(), retry_at - clock_timestamp() FROM kernel.outbox")

    async def die(tx: Tx, event: LotOpened) -> None:
        async with database.reading(platform("test")) as other:
            leases.append((await other.session.execute(left)).one()[0])
        raise RuntimeError

    async with opened(database_url) as database:
        leases: list[timedelta] = []
        relay = Relay(database)
        relay.on(LotOpened, die)
        await _tell(database)
        with wall_clock_off(timedelta(hours=1)):
            await relay.sweep()
        async with database.reading(platform("test")) as tx:
            retry = (await tx.session.execute(left)).one()[1]
        assert leases[0] <= LEASE
        assert retry < timedelta(minutes=1)


@pytest.mark.parametrize("hurries", [True, False])
async def test_helpers_give_way_and_one_sweep_goes_on(
    database_url: str, monkeypatch: pytest.MonkeyPatch, hurries: bool
) -> None:
    monkeypatch.setattr("kernel.outbox.GIVES_WAY_TIMES", 10_000)
    heard = at_once = most_at_once = 0

    async def hear(tx: Tx, events: Sequence[LotOpened]) -> None:
        nonlocal heard, at_once, most_at_once
        at_once += 1
        most_at_once = max(most_at_once, at_once)
        await asyncio.sleep(0.1)
        at_once -= 1
        heard += len(events)

    async with opened(database_url) as database:
        await _tell_many(database, [ordered_id() for _ in range(6 * BATCH)])
        relay = Relay(database, gives_way=lambda: hurries)
        relay.on_many(LotOpened, hear)
        running = asyncio.create_task(relay.run())
        try:
            async with asyncio.timeout(30):
                while heard < 6 * BATCH or await _waiting(database):  # nor is the last sweep cut off as it commits
                    await asyncio.sleep(0.01)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
    assert (most_at_once == 1) is hurries


async def test_a_cancelled_relay_ends_although_the_bell_rings_at_that_moment(database_url: str) -> None:
    async with opened(database_url) as database:
        relay = Relay(database)
        for _ in range(5):
            running = asyncio.create_task(relay.run())
            await asyncio.sleep(0.05)
            relay.ring()
            await asyncio.sleep(0)  # the bell is heard, the relay has not gone on yet
            running.cancel()
            _, pending = await asyncio.wait([running], timeout=2)
            assert not pending
