"""The desk on a real database: order, keys, eligibility, court orders, due work."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import msgspec
import pytest

from bidding.desk.batch import MAX_STORED_REFUSALS
from bidding.desk.desk import Desk, DeskOptions
from bidding.desk.errors import DeskElsewhere
from bidding.desk.rules import Kind, Method
from kernel.clock import FrozenClock
from kernel.contracts import LotEndMoved
from kernel.money import yuan
from tests.bidding.desk.house import (
    ENDS,
    MINUTE,
    MS,
    OPENS,
    SECOND,
    START,
    STEP,
    code_of,
    codes,
    desk_of,
    house,
    put_order,
)
from tests.support.keys import KEYRING

pytestmark = pytest.mark.anyio


async def test_a_bid_is_stored_before_it_is_answered(database_url: str) -> None:
    async with house(database_url) as place, desk_of(place) as desk:
        lot = await place.lot()
        bidder = await place.bidder(lot, "A1234")
        answer = await desk.submit(place.bid(lot, bidder, START))
        assert (code_of(answer), answer.seq) == ("accepted", 2), "the opening is the first event"
        row = await place.row(lot)
        assert (row["status"], row["leader_code"], row["price_fen"]) == ("open", "A1234", START)
        assert (row["seq"], row["entries"], row["bids"], row["link"]) == (2, 2, 1, answer.link)
        assert await place.kinds(lot) == ["opened", "bid"]


async def test_the_event_names_the_code_and_never_the_registration(database_url: str) -> None:
    async with house(database_url) as place, desk_of(place) as desk:
        lot = await place.lot()
        bidder = await place.bidder(lot, "A1234", rank=2)
        bid = place.bid(lot, bidder, START)
        answer = await desk.submit(bid)
        assert answer.event is not None
        assert msgspec.json.decode(answer.event) == {
            "seq": 2,
            "kind": "bid",
            "at": "2025-04-10T10:00:00.000+08:00",
            "code": "A1234",
            "rank": 2,
            "price_fen": START,
            "ends_at": "2025-04-11T10:00:00.000+08:00",
            "extended": False,
        }
        for row in await place.submissions(lot):
            assert str(bidder).encode() not in row["event"]
            assert str(bid.key).encode() not in row["event"]


# -- races and keys (attacks 41, 42, 58, 59, 75 to 78)


async def test_of_thirty_equal_bids_in_one_millisecond_one_is_accepted(database_url: str) -> None:
    async with house(database_url) as place, desk_of(place) as desk:
        lot = await place.lot()
        bidders = [await place.bidder(lot, f"B{number}") for number in range(30)]
        answers = await asyncio.gather(*(desk.submit(place.bid(lot, bidder, START)) for bidder in bidders))
        assert sorted(codes(answers)) == ["accepted"] + ["below-minimum"] * 29
        assert answers[0].accepted, "the first to enter"
        assert (await place.row(lot))["entries"] == 31


async def test_the_same_key_in_parallel_is_one_bid_with_equal_answers(database_url: str) -> None:
    async with house(database_url) as place, desk_of(place) as desk:
        lot = await place.lot()
        bid = place.bid(lot, await place.bidder(lot, "B1"), START)
        first, second = await asyncio.gather(desk.submit(bid), desk.submit(bid))
        third = await desk.submit(bid)
        assert first == second == third
        assert (await place.row(lot))["bids"] == 1


async def test_a_refusal_under_a_key_is_given_again(database_url: str) -> None:
    async with house(database_url) as place, desk_of(place) as desk:
        lot = await place.lot()
        bid = place.bid(lot, await place.bidder(lot, "B1"), START - STEP)
        first, again = await desk.submit(bid), await desk.submit(bid)
        assert codes([first, again]) == ["below-start-price"] * 2
        assert first.refusal is not None
        assert again.refusal is not None
        assert first.refusal.facts == again.refusal.facts == {"minimum_fen": START}
        assert first.refusal.detail == again.refusal.detail == f"出价低于起拍价，当前最低应价为 {yuan(START)} 元"
        assert (await place.row(lot))["entries"] == 2


@pytest.mark.parametrize("waiting", [True, False])
async def test_a_key_with_another_price_is_refused(database_url: str, waiting: bool) -> None:
    async with house(database_url) as place, desk_of(place) as desk:
        lot = await place.lot()
        bidder, key = await place.bidder(lot, "B1"), uuid4()
        first = asyncio.ensure_future(desk.submit(place.bid(lot, bidder, START, key=key)))
        await (asyncio.sleep(0) if waiting else first)
        second = await desk.submit(place.bid(lot, bidder, START + STEP, key=key))
        assert codes([await first, second]) == ["accepted", "key-reused"]
        assert (await place.row(lot))["price_fen"] == START


async def test_a_key_with_a_confirmation_added_is_another_payload(database_url: str) -> None:
    async with house(database_url) as place, desk_of(place) as desk:
        lot = await place.lot()
        bidder, key, high = await place.bidder(lot, "B1"), uuid4(), START + 60 * STEP
        guarded = await desk.submit(place.bid(lot, bidder, high, key=key))
        same_key = await desk.submit(place.bid(lot, bidder, high, key=key, confirm=high))
        new_key = await desk.submit(place.bid(lot, bidder, high, confirm=high))
        assert codes([guarded, same_key, new_key]) == ["confirm-jump", "key-reused", "accepted"]


async def test_two_bidders_may_use_the_same_key(database_url: str) -> None:
    async with house(database_url) as place, desk_of(place) as desk:
        lot, key = await place.lot(), uuid4()
        one, two = await place.bidder(lot, "B1"), await place.bidder(lot, "B2")
        answers = [
            await desk.submit(place.bid(lot, one, START, key=key)),
            await desk.submit(place.bid(lot, two, START + STEP, key=key)),
        ]
        assert codes(answers) == ["accepted", "accepted"]


@pytest.mark.parametrize(("offset", "wanted"), [(-MS, "accepted"), (0 * MS, "after-end"), (MS, "after-end")])
async def test_a_bid_around_the_end(database_url: str, offset: timedelta, wanted: str) -> None:
    async with house(database_url) as place, desk_of(place) as desk:
        lot = await place.lot()
        bidder = await place.bidder(lot, "B1")
        assert isinstance(place.clock, FrozenClock)
        place.clock.set(ENDS + offset)
        assert code_of(await desk.submit(place.bid(lot, bidder, START))) == wanted
        if wanted == "accepted":
            row = await place.row(lot)
            assert (row["ends_at"], row["extensions"]) == (ENDS + offset + 5 * MINUTE, 1)


@pytest.mark.parametrize(("before_end", "moved"), [(301, 0), (300, 0), (299, 1)])
async def test_the_edge_of_the_last_five_minutes(database_url: str, before_end: int, moved: int) -> None:
    async with house(database_url) as place, desk_of(place) as desk:
        lot = await place.lot()
        bidder = await place.bidder(lot, "B1")
        assert isinstance(place.clock, FrozenClock)
        place.clock.set(ENDS - before_end * SECOND)
        await desk.submit(place.bid(lot, bidder, START))
        assert (await place.row(lot))["ends_at"] == ENDS + moved * SECOND


# -- who may bid


async def test_who_is_eligible(database_url: str) -> None:
    async with house(database_url) as place, desk_of(place) as desk:
        lot, other = await place.lot(), await place.lot()
        pending = await place.bidder(lot, "B1", admitted_at=None)
        later = await place.bidder(lot, "B2", admitted_at=OPENS + MS)
        elsewhere = await place.bidder(other, "B3")
        released = await place.bidder(lot, "B4")
        await place.db.execute("UPDATE bidding.registration SET state = 'released' WHERE id = $1", released)
        now = await place.bidder(lot, "B5", admitted_at=OPENS)
        asked = [pending, later, elsewhere, released, uuid4(), now]
        answers = [await desk.submit(place.bid(lot, one, START)) for one in asked]
        assert codes(answers) == ["not-eligible"] * 5 + ["accepted"]


async def test_a_bid_on_an_unknown_lot_leaves_nothing(database_url: str) -> None:
    async with house(database_url) as place, desk_of(place) as desk:
        answer = await desk.submit(place.bid(uuid4(), uuid4(), START))
        assert code_of(answer) == "not-found"
        assert await place.db.fetchval("SELECT count(*) FROM bidding.submission") == 0


async def test_after_a_thousand_stored_refusals_the_next_are_counted(database_url: str) -> None:
    async with house(database_url) as place, desk_of(place) as desk:
        lot = await place.lot()
        noisy, other = await place.bidder(lot, "B1"), await place.bidder(lot, "B2")
        bids = [place.bid(lot, noisy, START - STEP) for _ in range(MAX_STORED_REFUSALS + 5)]
        answers = codes(await asyncio.gather(*(desk.submit(bid) for bid in bids)))
        assert answers == ["below-start-price"] * MAX_STORED_REFUSALS + ["rate-limited"] * 5
        row = await place.row(lot)
        assert (row["entries"], row["unstored_refusals"]) == (1 + MAX_STORED_REFUSALS, 5)
        assert code_of(await desk.submit(place.bid(lot, noisy, START))) == "accepted", "a good bid still counts"
        assert code_of(await desk.submit(place.bid(lot, other, START))) == "below-minimum", "and others are stored"
    async with house(database_url) as place, desk_of(place) as desk:
        assert code_of(await desk.submit(place.bid(lot, noisy, START))) == "rate-limited", "a new desk counts anew"


async def test_a_full_queue_is_busy_and_keeps_nothing(database_url: str) -> None:
    async with house(database_url) as place, desk_of(place, queue=3) as desk:
        lot = await place.lot()
        bidder = await place.bidder(lot, "B1")
        bids = [place.bid(lot, bidder, START + n * STEP, confirm=START + n * STEP) for n in range(5)]
        suspend = place.order(lot, Kind.SUSPENDED)
        *answers, suspended = await asyncio.gather(*(desk.submit(one) for one in [*bids, suspend]))
        assert codes(answers) == ["accepted"] * 3 + ["busy"] * 2
        assert code_of(suspended) == "accepted", "the court is never turned away"
        assert (await place.row(lot))["entries"] == 1 + 3 + 1


# -- the court's commands and the desk's own


async def test_suspension_and_resume_keep_the_time_and_are_told(database_url: str) -> None:
    async with house(database_url) as place, desk_of(place) as desk:
        lot = await place.lot()
        bidder = await place.bidder(lot, "B1")
        assert isinstance(place.clock, FrozenClock)
        place.clock.set(ENDS - 10 * MINUTE)
        assert (await desk.submit(place.order(lot, Kind.SUSPENDED, "案外人异议"))).accepted
        row = await place.row(lot)
        assert (row["status"], row["ends_at"], row["remaining_ms"]) == ("suspended", None, 600_000)
        assert code_of(await desk.submit(place.bid(lot, bidder, START))) == "suspended"
        place.clock.advance(timedelta(days=2))
        assert code_of(await desk.submit(place.order(lot, Kind.SUSPENDED))) == "suspended"
        assert (await desk.submit(place.order(lot, Kind.RESUMED))).accepted
        assert (await place.row(lot))["ends_at"] == place.clock.now() + 10 * MINUTE
        assert code_of(await desk.submit(place.order(lot, Kind.RESUMED))) == "not-suspended"
        told = await place.db.fetch("SELECT topic, payload FROM kernel.outbox ORDER BY id")
        assert [row["topic"] for row in told] == ["LotOpened", "LotSuspended", "LotResumed"]
        assert msgspec.json.decode(told[1]["payload"])["reason"] == "案外人异议"


async def test_a_withdrawal_stands_between_the_bids_of_its_batch(database_url: str) -> None:
    async with house(database_url) as place, desk_of(place) as desk:
        lot = await place.lot()
        before, behind = [await place.bidder(lot, code) for code in ("B1", "B2")]
        queued = [
            place.bid(lot, before, START),
            place.order(lot, Kind.WITHDRAWN, "债务已清偿"),
            place.bid(lot, behind, START + STEP),
        ]
        answers = await asyncio.gather(*(desk.submit(sent) for sent in queued))
        assert codes(answers) == ["accepted", "accepted", "after-end"]
        rows = await place.submissions(lot)
        assert [row["refusal"] for row in rows] == [None, None, None, "after-end"], "the opening, and what was queued"
        assert len({row["batch"] for row in rows if row["seq"]}) == 1, "one batch decided them"
        row = await place.row(lot)
        assert (row["status"], row["leader_code"], row["outcome"]) == ("withdrawn", "B1", None)


async def test_a_priority_purchasers_match_stands_through_a_deferral(database_url: str) -> None:
    """R-PRIO-02: nobody bids meanwhile, and afterwards the same price is no bid against the match."""
    async with house(database_url) as place, desk_of(place) as desk:
        lot = await place.lot()
        ordinary, senior = await place.bidder(lot, "B1"), await place.bidder(lot, "P00001", rank=1)
        assert codes([await desk.submit(place.bid(lot, who, START)) for who in (ordinary, senior)]) == ["accepted"] * 2
        assert isinstance(place.clock, FrozenClock)
        place.clock.set(ENDS - MINUTE)
        assert (await desk.submit(place.order(lot, Kind.DEFERRED))).accepted
        assert code_of(await desk.submit(place.bid(lot, senior, START))) == "suspended"
        place.clock.advance(timedelta(days=3))
        assert (await desk.submit(place.order(lot, Kind.RESUMED))).accepted
        row = await place.row(lot)
        assert (row["leader_code"], row["leader_rank"]) == ("P00001", 1)
        assert row["ends_at"] == place.clock.now() + MINUTE
        assert code_of(await desk.submit(place.bid(lot, ordinary, START))) == "below-minimum"
        assert (await desk.submit(place.bid(lot, ordinary, START + STEP))).accepted
        assert (await desk.submit(place.bid(lot, senior, START + STEP))).accepted
        row = await place.row(lot)
        assert (row["leader_code"], row["ends_at"]) == ("P00001", place.clock.now() + 5 * MINUTE)


async def test_a_lot_suspended_before_its_opening_opens_when_resumed(database_url: str) -> None:
    async with house(database_url, FrozenClock(OPENS - MINUTE)) as place, desk_of(place) as desk:
        lot = await place.lot()
        assert (await desk.submit(place.order(lot, Kind.SUSPENDED))).accepted
        assert isinstance(place.clock, FrozenClock)
        place.clock.set(OPENS + MINUTE)
        await asyncio.sleep(0.4)
        assert (await place.row(lot))["status"] == "suspended"
        assert (await desk.submit(place.order(lot, Kind.RESUMED))).accepted
        row = await place.settled(lot, "open")
        assert row["ends_at"] == ENDS + MINUTE
        assert await place.kinds(lot) == ["suspended", "resumed", "opened"]


async def test_a_lot_opens_and_closes_by_itself(database_url: str) -> None:
    async with house(database_url, FrozenClock(OPENS - MS)) as place, desk_of(place) as desk:
        lot, empty = await place.lot(), await place.lot()
        bidder = await place.bidder(lot, "B1")
        assert code_of(await desk.submit(place.bid(lot, bidder, START))) == "not-open"
        assert isinstance(place.clock, FrozenClock)
        place.clock.set(OPENS)
        await place.settled(lot, "open")
        await desk.submit(place.bid(lot, bidder, START))
        place.clock.set(ENDS + 3 * SECOND)
        sold, failed = await place.settled(lot, "closed"), await place.settled(empty, "closed")
        assert (sold["outcome"], sold["ends_at"], sold["closed_at"]) == ("sold", ENDS, ENDS + 3 * SECOND)
        assert (failed["outcome"], failed["price_fen"]) == ("failed", None)
        payloads = await place.db.fetch("SELECT payload FROM kernel.outbox WHERE topic = 'LotClosed' ORDER BY id")
        told = {one["lot_id"]: one for one in (msgspec.json.decode(row["payload"]) for row in payloads)}
        assert told[str(lot)]["registration_id"] == str(bidder)
        assert (told[str(lot)]["status"], told[str(lot)]["price_fen"], told[str(lot)]["bids"]) == ("sold", START, 1)
        assert (told[str(empty)]["status"], told[str(empty)]["registration_id"]) == ("failed", None)


async def test_the_close_decides_first_what_entered_before_the_end(database_url: str) -> None:
    """A bid in the queue at the last millisecond moves the end; the close behind it does nothing (invariant 8)."""
    async with house(database_url) as place, desk_of(place) as desk:
        lot = await place.lot()
        bidder = await place.bidder(lot, "B1")
        assert isinstance(place.clock, FrozenClock)
        place.clock.set(ENDS - MS)
        late = asyncio.ensure_future(desk.submit(place.bid(lot, bidder, START)))
        await asyncio.sleep(0)
        place.clock.set(ENDS + SECOND)
        assert (await late).accepted
        await asyncio.sleep(0.5)
        row = await place.row(lot)
        assert (row["status"], row["ends_at"]) == ("open", ENDS - MS + 5 * MINUTE)
        place.clock.set(ENDS + 5 * MINUTE)
        assert (await place.settled(lot, "closed"))["outcome"] == "sold"
        assert await place.kinds(lot) == ["opened", "bid", "closed"]


async def test_a_sell_off_runs_a_day_from_its_first_bid(database_url: str) -> None:
    async with house(database_url) as place, desk_of(place) as desk:
        lot = await place.lot(ends_at=OPENS + timedelta(days=60), method=Method.SELL_OFF)
        bidder = await place.bidder(lot, "Q1")
        assert isinstance(place.clock, FrozenClock)
        place.clock.advance(timedelta(days=59, hours=23))
        await desk.submit(place.bid(lot, bidder, START))
        row = await place.row(lot)
        assert (row["ends_at"], row["extensions"]) == (place.clock.now() + timedelta(hours=24), 0)


async def test_moved_ends_are_told_to_the_minute(database_url: str) -> None:
    """The first bid of a sell-off at once (R-SELL-05), of many extensions (R-BID-10) one for each minute they reach."""
    async with house(database_url) as place, desk_of(place) as desk:
        lot = await place.lot(ends_at=OPENS + timedelta(days=60), method=Method.SELL_OFF)
        bidders = [await place.bidder(lot, f"Q{number}") for number in (1, 2)]
        assert isinstance(place.clock, FrozenClock)
        first = place.clock.now()
        bids_at = [
            first,
            first + MINUTE,
            *(first + timedelta(days=1) - 5 * MINUTE + n * 9 * SECOND for n in range(1, 11)),
        ]
        for number, moment in enumerate(bids_at):
            place.clock.set(moment)
            assert (await desk.submit(place.bid(lot, bidders[number % 2], START + number * STEP))).accepted
        assert (await place.row(lot))["extensions"] == 10
        rows = await place.db.fetch("SELECT payload FROM kernel.outbox WHERE topic = 'LotEndMoved' ORDER BY id")
        told = [msgspec.convert(msgspec.json.decode(row["payload"]), LotEndMoved).ends_at for row in rows]
        day = first + timedelta(days=1)
        assert [ends_at - day for ends_at in told] == [timedelta(0), 63 * SECOND]


async def test_an_order_of_another_use_case_is_taken_within_a_second(database_url: str) -> None:
    async with house(database_url) as place, desk_of(place) as desk:
        lot = await place.lot()
        bidder = await place.bidder(lot, "B1")
        await desk.submit(place.bid(lot, bidder, START))
        command = await put_order(place.db, lot, Kind.WITHDRAWN, OPENS)
        await place.settled(lot, "withdrawn", within_s=1)
        done = await place.db.fetchrow("SELECT * FROM bidding.lot_command WHERE id = $1", command)
        assert (done["refusal"], done["decided_at"]) == (None, OPENS)
        assert code_of(await desk.submit(place.bid(lot, bidder, START + STEP))) == "after-end"


async def test_the_close_waits_for_an_order_given_before_the_end(database_url: str) -> None:
    """A hold written a moment before the end halts the lot, although the desk hears of it after the end."""
    async with house(database_url) as place:
        lot = await place.lot()
        bidder = await place.bidder(lot, "B1")
        async with desk_of(place) as desk:
            await desk.submit(place.bid(lot, bidder, START))
        await put_order(place.db, lot, Kind.SUSPENDED, ENDS - SECOND)
        assert isinstance(place.clock, FrozenClock)
        place.clock.set(ENDS + SECOND)
        async with desk_of(place):
            row = await place.settled(lot, "suspended")
            assert row["remaining_ms"] == 1_000


async def test_a_held_lot_is_not_resumed(database_url: str) -> None:
    async with house(database_url) as place, desk_of(place) as desk:
        lot = await place.lot()
        await desk.submit(place.order(lot, Kind.SUSPENDED))
        await place.db.execute(
            "INSERT INTO bidding.lot_hold (lot_id, hold_id, reason, placed_at) VALUES ($1, $2, '案外人异议', $3)",
            lot,
            uuid4(),
            OPENS,
        )
        assert code_of(await desk.submit(place.order(lot, Kind.RESUMED))) == "asset-held"
        await place.db.execute("UPDATE bidding.lot_hold SET lifted_at = $1", OPENS)
        assert (await desk.submit(place.order(lot, Kind.RESUMED))).accepted


async def test_a_wait_before_the_queue_is_counted_as_a_platform_fault(database_url: str) -> None:
    async with house(database_url) as place, desk_of(place) as desk:
        lot = await place.lot()
        bidder = await place.bidder(lot, "B1")
        prompt = place.bid(lot, bidder, START, ingress_at=OPENS - 500 * MS)
        late = place.bid(lot, bidder, START + STEP, confirm=START + STEP, ingress_at=OPENS - 501 * MS)
        await desk.submit(prompt)
        assert (await place.row(lot))["late_entries"] == 0
        await desk.submit(late)
        assert (await place.row(lot))["late_entries"] == 1


# -- one desk


async def test_a_second_desk_takes_no_bids(database_url: str) -> None:
    async with house(database_url) as place, desk_of(place) as desk:
        lot = await place.lot()
        bidder = await place.bidder(lot, "B1")
        second = Desk(database_url, place.clock, KEYRING, DeskOptions())
        with pytest.raises(DeskElsewhere):
            await second.start()
        assert code_of(await second.submit(place.bid(lot, bidder, START))) == "busy"
        await second.stop()
        assert code_of(await desk.submit(place.bid(lot, bidder, START))) == "accepted"


async def test_a_desk_stops_with_nothing_undecided(database_url: str) -> None:
    async with house(database_url) as place:
        lot = await place.lot()
        bidder = await place.bidder(lot, "B1")
        async with desk_of(place) as desk:
            waiting = [
                asyncio.ensure_future(desk.submit(place.bid(lot, bidder, START + n * STEP, confirm=START + n * STEP)))
                for n in range(50)
            ]
            await asyncio.sleep(0)
        assert codes(await asyncio.gather(*waiting)) == ["accepted"] * 50
        assert code_of(await desk.submit(place.bid(lot, bidder, START))) == "busy"


async def test_many_lots_that_end_at_one_instant_all_close(database_url: str) -> None:
    async with house(database_url) as place, desk_of(place):
        lots = [await place.lot() for _ in range(300)]
        assert isinstance(place.clock, FrozenClock)
        place.clock.set(ENDS)
        for lot in lots:
            assert (await place.settled(lot, "closed", within_s=20))["outcome"] == "failed"
        closed = "SELECT count(*), count(DISTINCT lot_id) FROM bidding.submission WHERE kind = 'closed'"
        assert tuple(await place.db.fetchrow(closed)) == (300, 300)
        assert await place.db.fetchval("SELECT count(*) FROM kernel.outbox WHERE topic = 'LotClosed'") == 300
