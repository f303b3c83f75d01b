"""What the desk does when a row or the database misbehaves."""

import asyncio
from typing import Any

import asyncpg
import pytest

from bidding.desk.session import Session
from tests.bidding.desk.house import START, STEP, code_of, codes, desk_of, house

pytestmark = pytest.mark.anyio


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
    # A COPY that is cut off leaves a future of the driver's behind that nobody reads: a complaint, and no loss.
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
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


def lose_a_commit(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """From now on the connection dies just behind a commit, once."""
    execute, lost = asyncpg.Connection.execute, list[str]()

    async def lose_the_answer(self: Any, query: str, *args: Any, **options: Any) -> str:
        outcome: str = await execute(self, query, *args, **options)
        if query == "COMMIT" and not lost and not self.is_closed():
            lost.append(query)
            self.terminate()
            raise ConnectionResetError("behind the commit")
        return outcome

    monkeypatch.setattr(asyncpg.Connection, "execute", lose_the_answer)
    return lost


async def test_a_commit_of_unknown_outcome_is_found_by_its_key(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The batch is tried again and finds its own row."""
    async with house(database_url) as place, desk_of(place) as desk:
        lot = await place.lot()
        bid = place.bid(lot, await place.bidder(lot, "B1"), START)
        lost = lose_a_commit(monkeypatch)
        answer = await desk.submit(bid)
        assert (code_of(answer), lost) == ("accepted", ["COMMIT"])
        row = await place.row(lot)
        assert (row["bids"], row["seq"], answer.seq) == (1, 2, 2)


@pytest.mark.parametrize("doubts", [True, False])
async def test_a_refusal_behind_a_commit_of_unknown_outcome_is_sealed(
    database_url: str, monkeypatch: pytest.MonkeyPatch, doubts: bool
) -> None:
    """The batch that is tried again only finds it; the control forgets that it may have been written."""
    if not doubts:
        monkeypatch.setattr(Session, "_doubt", lambda *_: None)
    async with house(database_url) as place, desk_of(place) as desk:
        lot = await place.lot()
        low = place.bid(lot, await place.bidder(lot, "B1"), START - STEP)
        await place.settled(lot, "open")
        lost = lose_a_commit(monkeypatch)
        assert (code_of(await desk.submit(low)), lost) == ("below-start-price", ["COMMIT"])
        await asyncio.sleep(1.5)
        assert await place.db.fetchval("SELECT count(*) FROM bidding.refusal_block") == (1 if doubts else 0)
