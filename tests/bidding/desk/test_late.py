"""Bids that come too late are told by how much, and there is one end that they can be late for (R-BID-10, 11)."""

import ast
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bidding.desk.errors import ArrivedLate
from bidding.desk.rules import Kind
from kernel.clock import FrozenClock, beijing
from tests.bidding.desk.house import ENDS, MINUTE, MS, SECOND, START, STEP, code_of, desk_of, house

pytestmark = pytest.mark.anyio

BIDDING = Path(__file__).parents[3] / "bidding"


@pytest.mark.parametrize("late", [0 * MS, MS, 1_500 * MS])
async def test_a_late_bid_is_told_by_how_much(database_url: str, late: timedelta) -> None:
    async with house(database_url) as place, desk_of(place) as desk:
        lot = await place.lot()
        bidder = await place.bidder(lot, "B1")
        assert isinstance(place.clock, FrozenClock)
        place.clock.set(ENDS + late)
        bid = place.bid(lot, bidder, START)
        answer = await desk.submit(bid)
        assert answer.refusal is not None
        assert (answer.refusal.code, answer.refusal.rule) == ("after-end", "R-BID-10")
        told = {
            "arrived_ms_late": late // MS,
            "received_at": beijing(ENDS + late),
            "ended_at": beijing(ENDS),
        }
        assert answer.refusal.facts == told
        assert f"{late // MS} 毫秒" in answer.refusal.detail
        assert f"{late // MS} ms after the end" in answer.refusal.detail_en
        await place.settled(lot, "closed")
        place.clock.advance(MINUTE)
        again = await desk.submit(bid)
        assert again.refusal is not None
        assert again.refusal.facts == told, "the stored answer tells the first arrival"
        later = (await desk.submit(place.bid(lot, bid.registration_id or lot, START))).refusal
        assert isinstance(later, ArrivedLate)
        assert later.facts["arrived_ms_late"] == (late + MINUTE) // MS, "the same end, also once it is closed"


async def test_a_withdrawn_lot_has_no_end_to_be_late_for(database_url: str) -> None:
    async with house(database_url) as place, desk_of(place) as desk:
        lot = await place.lot()
        bidder = await place.bidder(lot, "B1")
        assert (await desk.submit(place.order(lot, Kind.WITHDRAWN))).accepted
        refusal = (await desk.submit(place.bid(lot, bidder, START))).refusal
        assert refusal is not None
        assert (refusal.code, refusal.facts) == ("after-end", {})


# -- one end


async def test_the_desk_knows_no_end_but_that_of_the_lots_row(database_url: str) -> None:
    """The planned end may say what it likes; move the row's end, and bid, close and lateness move with it."""
    async with house(database_url) as place, desk_of(place) as desk:
        lots = [await place.lot() for _ in range(2)]
        bidders = [await place.bidder(lot, "B1") for lot in lots]
        for lot, bidder in zip(lots, bidders, strict=True):
            assert (await desk.submit(place.bid(lot, bidder, START))).accepted
        planned, moved = lots
        await place.db.execute("UPDATE bidding.lot SET scheduled_end = $2 WHERE lot_id = $1", planned, ENDS + MINUTE)
        await place.db.execute("UPDATE bidding.lot SET ends_at = $2 WHERE lot_id = $1", moved, ENDS + MINUTE)
        assert isinstance(place.clock, FrozenClock)
        place.clock.set(ENDS)
        price = START + STEP
        late, early = [
            await desk.submit(place.bid(lot, bidder, price, confirm=price))
            for lot, bidder in zip(lots, bidders, strict=True)
        ]
        assert late.refusal is not None
        assert late.refusal.facts["ended_at"] == beijing(ENDS)
        assert code_of(early) == "accepted"
        assert (await place.settled(planned, "closed"))["ends_at"] == ENDS
        assert (await place.row(moved))["ends_at"] == ENDS + 5 * MINUTE, "extended by its own end"
        place.clock.set(ENDS + 5 * MINUTE - SECOND)
        assert (await place.row(moved))["status"] == "open"


HELD_AGAINST_AN_END = {
    ("desk/rules.py", "end_has_come"): "the one place where an arrival is held against an end",
    ("desk/rules.py", "hit_by_outage"): "an outage, not an arrival",
    ("desk/rules.py", "_end_after_bid"): "one end with another",
    ("desk/groups.py", "must_wait"): "the order of closes",
    ("desk/groups.py", "to_stop"): "one end with another",
    ("desk/verify.py", "group_faults"): "one end with another",
    ("desk/store.py", "_lot_row"): "an implication between two facts, not an order in time",
}


READS_WHAT_WAS_PLANNED = {("evidence/reading.py", "read_terms")}
"""Terms from a stranger's file: that they open before they end."""


def comparisons() -> Iterator[tuple[str, str, ast.Compare]]:
    """Every ordering of two things anywhere in bidding: file, innermost function, comparison."""
    for path in sorted(BIDDING.rglob("*.py")):
        for function in ast.walk(ast.parse(path.read_text())):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                for node in ast.walk(function):
                    if isinstance(node, ast.Compare) and any(isinstance(op, ORDER) for op in node.ops):
                        yield str(path.relative_to(BIDDING)), function.name, node


ORDER = ast.Lt | ast.LtE | ast.Gt | ast.GtE


def names_in(node: ast.AST) -> set[str]:
    return {
        found.attr if isinstance(found, ast.Attribute) else found.id
        for found in ast.walk(node)
        if isinstance(found, ast.Attribute | ast.Name)
    }


def test_an_arrival_is_held_against_an_end_in_one_place() -> None:
    found = {(file, function) for file, function, node in comparisons() if "ends_at" in names_in(node)}
    assert found == HELD_AGAINST_AN_END.keys(), "ask `end_has_come`, or name the reason"
    planned = {(file, function) for file, function, node in comparisons() if "scheduled_end" in names_in(node)}
    assert planned == READS_WHAT_WAS_PLANNED, "the planned end decides nothing"
