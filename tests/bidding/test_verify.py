"""`verify` finds nothing in what the desk wrote, and every edit that a superuser makes by hand."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from bidding import verify
from bidding.desk.rules import Kind
from kernel.actors import platform
from kernel.clock import FrozenClock
from kernel.database import Database
from tests.bidding.desk.house import ENDS, MINUTE, OPENS, START, STEP, House, code_of, desk_of, house
from tests.support.intruder import as_superuser

pytestmark = pytest.mark.anyio


async def a_full_life(place: House) -> UUID:
    """A lot with bids, a match, refusals of several kinds, a halt and a close."""
    async with desk_of(place) as desk:
        lot = await place.lot()
        assert isinstance(place.clock, FrozenClock)
        ordinary, other = await place.bidder(lot, "B1"), await place.bidder(lot, "B2")
        senior = await place.bidder(lot, "P1", rank=1)
        pending = await place.bidder(lot, "B3", admitted_at=None)
        for bid in (
            place.bid(lot, ordinary, START - STEP),
            place.bid(lot, ordinary, START),
            place.bid(lot, senior, START),
            place.bid(lot, senior, START),
            place.bid(lot, pending, START + STEP),
            place.bid(lot, other, START + 90 * STEP),
            place.bid(lot, other, START + 90 * STEP, confirm=START + 90 * STEP),
        ):
            await desk.submit(bid)
        await desk.submit(place.order(lot, Kind.SUSPENDED))
        await desk.submit(place.bid(lot, ordinary, START + 91 * STEP))
        await desk.submit(place.order(lot, Kind.RESUMED))
        place.clock.set(ENDS - MINUTE)
        await desk.submit(place.bid(lot, ordinary, START + 91 * STEP))
        place.clock.set(ENDS + timedelta(hours=1))
        row = await place.settled(lot, "closed")
        assert (row["bids"], row["entries"] - row["seq"], row["extensions"]) == (4, 5, 1)
    await place.db.execute("UPDATE bidding.lot SET decided_at = decided_at - interval '1 minute'")
    return lot


async def faults(url: str, clock: FrozenClock) -> list[str]:
    database = Database(url, clock)
    try:
        async with database.reading(platform("verify")) as tx:
            return await verify.faults(tx)
    finally:
        await database.close()


async def test_an_honest_record_verifies(database_url: str) -> None:
    async with house(database_url) as place:
        await a_full_life(place)
        assert await faults(database_url, FrozenClock(ENDS)) == []


EDITS = {
    "price of a bid": "UPDATE bidding.submission SET price_fen = price_fen + 1000 WHERE seq = 2",
    "time of a bid": "UPDATE bidding.submission SET received_at = received_at + interval '1 ms' WHERE seq = 2",
    "ingress of a bid": "UPDATE bidding.submission SET ingress_at = ingress_at - interval '1 s' WHERE seq = 2",
    "bidder of a bid": "UPDATE bidding.submission s SET registration_id = r.id FROM bidding.registration r"
    " WHERE s.seq = 2 AND r.code = 'B2'",
    "key of a bid": "UPDATE bidding.submission SET key = gen_random_uuid() WHERE seq = 2",
    "confirmation": "UPDATE bidding.submission SET confirm_fen = NULL WHERE confirm_fen IS NOT NULL",
    "bytes of a bid": "UPDATE bidding.submission SET event = event || ' ' WHERE seq = 2",
    "link of a bid": "UPDATE bidding.submission SET link = genesis FROM bidding.lot WHERE submission.seq = 2",
    "reason of a halt": "UPDATE bidding.submission SET reason = '另一理由' WHERE kind = 'suspended'",
    "who ordered the halt": "UPDATE bidding.submission SET actor_id = gen_random_uuid() WHERE kind = 'suspended'",
    "a bid taken out": "DELETE FROM bidding.submission WHERE seq = 3",
    "the last bid taken out": "DELETE FROM bidding.submission WHERE seq = (SELECT max(seq) FROM bidding.submission)",
    "a refusal taken out": "DELETE FROM bidding.submission WHERE refusal = 'already-leading'",
    "refusal edited": "UPDATE bidding.submission SET refusal = 'below-minimum' WHERE refusal = 'already-leading'",
    "refused price edited": "UPDATE bidding.submission SET price_fen = 1 WHERE refusal = 'below-start-price'",
    "code of a bidder": "UPDATE bidding.registration SET code = 'B9' WHERE code = 'B1'",
    "admission moved": "UPDATE bidding.registration SET admitted_at = admitted_at + interval '1 h' WHERE code = 'P1'",
    "rank moved": "UPDATE bidding.registration SET priority_rank = NULL WHERE code = 'P1'",
    "rank of somebody who never bid": "UPDATE bidding.registration SET priority_rank = 1 WHERE code = 'B3'",
    "start price": "UPDATE bidding.lot SET start_price_fen = start_price_fen - 1000",
    "increment": "UPDATE bidding.lot SET increment_fen = 500",
    "opening": "UPDATE bidding.lot SET opens_at = opens_at - interval '1 h'",
    "end": "UPDATE bidding.lot SET ends_at = ends_at + interval '1 min'",
    "winner": "UPDATE bidding.lot SET leader_code = 'B2'",
    "winner's registration": "UPDATE bidding.lot SET leader_registration_id = r.id FROM bidding.registration r"
    " WHERE r.code = 'B2'",
    "result": "UPDATE bidding.lot SET outcome = 'failed'",
    "price of the lot": "UPDATE bidding.lot SET price_fen = price_fen + 1000",
    "block of refusals": "UPDATE bidding.refusal_block SET link = sha256('x')",
    "block taken out": "DELETE FROM bidding.refusal_block",
    "beginning of a block": "UPDATE bidding.refusal_block SET first_entry = first_entry - 1",
    "end of a block": "UPDATE bidding.refusal_block SET last_entry = last_entry + 1",
    "refusals that were never many": "UPDATE bidding.lot SET unstored_refusals = 1",
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS.keys())
async def test_an_edit_by_hand_shows(database_url: str, edit: str) -> None:
    async with house(database_url) as place:
        await a_full_life(place)
        await as_superuser(place.url, edit)
        assert await faults(database_url, FrozenClock(ENDS)) != []


async def test_a_rank_set_by_hand_that_wins_shows(database_url: str) -> None:
    """The rules replay what the desk decided by it, so that the rank itself must be held against the court's word."""
    async with house(database_url) as place:
        async with desk_of(place) as desk:
            lot = await place.lot()
            assert isinstance(place.clock, FrozenClock)
            leader, other = await place.bidder(lot, "B1"), await place.bidder(lot, "B2")
            await desk.submit(place.bid(lot, leader, START))
            edit = f"UPDATE bidding.registration SET priority_rank = 1 WHERE id = '{other}'"
            await as_superuser(place.url, edit)
            await desk.submit(place.bid(lot, other, START))
            place.clock.set(ENDS + MINUTE)
            assert (await place.settled(lot, "closed"))["leader_code"] == "B2"
        [found] = await faults(database_url, FrozenClock(ENDS))
        assert found == f"registration {other}: its priority rank is 1, what the court confirmed makes it None"


async def ranks_anew(place: House) -> None:
    """A lot on which the court confirms another rank to a bidder twice: a more junior and a more senior one."""
    async with desk_of(place) as desk:
        lot = await place.lot()
        assert isinstance(place.clock, FrozenClock)
        ordinary, ranked = await place.bidder(lot, "B1"), await place.bidder(lot, "P1", rank=2)
        rival = await place.bidder(lot, "P2", rank=4)

        async def told(bidder: UUID, price: int) -> str:
            return code_of(await desk.submit(place.bid(lot, bidder, price)))

        assert await told(ordinary, START) == await told(ranked, START) == "accepted"
        await place.confirm_anew(ranked, 5)
        assert await told(rival, START + STEP) == "accepted"
        assert await told(ranked, START + STEP) == "cannot-lead"
        await place.confirm_anew(ranked, 3)
        assert await told(ranked, START + STEP) == "accepted"
        place.clock.set(ENDS + MINUTE)
        await place.settled(lot, "closed")
    await place.db.execute("UPDATE bidding.lot SET decided_at = decided_at - interval '1 minute'")


async def test_bids_and_refusals_verify_under_the_rank_that_the_court_had_confirmed_then(database_url: str) -> None:
    async with house(database_url) as place:
        await ranks_anew(place)
        assert await faults(database_url, FrozenClock(ENDS)) == []


async def test_a_bid_in_a_rank_that_the_court_never_confirmed_shows_though_it_was_put_back(database_url: str) -> None:
    async with house(database_url) as place:
        async with desk_of(place) as desk:
            lot = await place.lot()
            assert isinstance(place.clock, FrozenClock)
            leader, rival = await place.bidder(lot, "P1", rank=2), await place.bidder(lot, "P2", rank=3)
            await desk.submit(place.bid(lot, leader, START))
            edit = "UPDATE bidding.registration SET priority_rank = {} WHERE code = 'P2'"
            await as_superuser(place.url, edit.format(1))
            await desk.submit(place.bid(lot, rival, START))
            await as_superuser(place.url, edit.format(3))
            place.clock.set(ENDS + MINUTE)
            assert (await place.settled(lot, "closed"))["leader_code"] == "P2"
        assert [fault for fault in await faults(database_url, FrozenClock(ENDS)) if "should have been refused" in fault]


async def test_a_bid_added_by_hand_shows(database_url: str) -> None:
    async with house(database_url) as place:
        lot = await a_full_life(place)
        columns = await place.db.fetchval(
            "SELECT string_agg(column_name, ', ') FROM information_schema.columns"
            " WHERE table_schema = 'bidding' AND table_name = 'submission'"
            " AND column_name NOT IN ('entry', 'seq', 'key')"
        )
        await as_superuser(
            place.url,
            f"INSERT INTO bidding.submission (entry, seq, key, {columns})"
            f" SELECT 99, 99, '{uuid4()}', {columns} FROM bidding.submission WHERE seq = 2 AND lot_id = '{lot}'",
        )
        assert await faults(database_url, FrozenClock(ENDS)) != []


async def test_a_submission_of_no_lot_shows(database_url: str) -> None:
    async with house(database_url) as place:
        await a_full_life(place)
        await as_superuser(place.url, f"UPDATE bidding.submission SET lot_id = '{uuid4()}' WHERE seq = 2")
        assert any("does not exist" in fault for fault in await faults(database_url, FrozenClock(ENDS)))


async def test_the_append_only_table_refuses_ordinary_edits(database_url: str) -> None:
    async with house(database_url) as place:
        await a_full_life(place)
        for statement in ("UPDATE bidding.submission SET price_fen = 1", "DELETE FROM bidding.submission"):
            with pytest.raises(Exception, match="append-only"):
                await place.db.execute(statement)


async def test_a_storm_of_bids_from_many_lots_verifies(database_url: str) -> None:
    async with house(database_url, FrozenClock(OPENS)) as place, desk_of(place) as desk:
        submitted: list[Any] = []
        for _ in range(5):
            lot = await place.lot()
            bidders = [await place.bidder(lot, f"B{number}") for number in range(8)]
            for number in range(60):
                price = START + (number - number % 3) * STEP
                submitted.append(desk.submit(place.bid(lot, bidders[number % 8], price, confirm=price)))
        answers = await asyncio.gather(*submitted)
        assert 0 < sum(answer.accepted for answer in answers) < len(answers)
        await asyncio.sleep(1.5)
        await place.db.execute("UPDATE bidding.lot SET decided_at = decided_at - interval '1 minute'")
        assert await faults(database_url, FrozenClock(OPENS)) == []
