"""Bid plans: whatever was published of a sale comes out of its plan exactly."""

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.demo.plans import EXTENSION, JUMP, SHOW_BEGINS, PlannedBid, ladder, plan
from app.demo.sales import LIVE, SALES, Bidding
from auction.lots.bounds import deposit_band, start_floor
from bidding.desk.rules import JUMP_INCREMENTS

BIDDINGS = [bidding for sale in SALES for bidding in (sale.first, sale.resale) if bidding is not None]


def check(bidding: Bidding, bids: tuple[PlannedBid, ...]) -> None:
    """The plan keeps every number of the sale and every rule of bidding."""
    assert len(bids) == bidding.bids
    assert {bid.bidder for bid in bids} == set(range(bidding.bidders))
    assert (bids[0].price_fen, bids[-1].price_fen) == (bidding.start_fen, bidding.price_fen)
    end = timedelta()
    for bid in bids:
        assert bid.at < end, "a bid after the end"
        end = max(end, bid.at + EXTENSION)
    assert end == timedelta(minutes=bidding.minutes_over)
    for before, bid in pairwise(bids):
        assert bid.at > before.at
        assert bid.bidder != before.bidder, "raises the own lead"
        assert bid.price_fen > before.price_fen
        assert (bid.price_fen - bidding.start_fen) % bidding.increment_fen == 0


@pytest.mark.parametrize("bidding", BIDDINGS, ids=lambda bidding: f"{bidding.price_fen}")
def test_the_plan_of_a_sale_is_what_was_published(bidding: Bidding) -> None:
    bids = plan(bidding)
    check(bidding, bids)
    assert plan(bidding) == bids, "a plan is deterministic"


@pytest.mark.parametrize("bidding", BIDDINGS, ids=lambda bidding: f"{bidding.price_fen}")
def test_a_step_above_the_jump_guard_is_foretold_and_no_other_is_made(bidding: Bidding) -> None:
    prices = ladder(bidding)
    jumps = [
        index
        for index, (before, price) in enumerate(pairwise(prices), 1)
        if price - before > JUMP_INCREMENTS * bidding.increment_fen
    ]
    assert jumps == ([bidding.jump_at] if bidding.jump_at is not None else [])
    assert JUMP > JUMP_INCREMENTS


@given(st.integers(2, 120), st.integers(1, 25), st.data())
def test_any_sale_can_be_planned(bids: int, minutes_over: int, data: st.DataObject) -> None:
    bidders = data.draw(st.integers(2, bids))
    steps = data.draw(st.integers(bids - 1, 20 * bids))
    # One bid alone cannot lead from before the planned end to a later end: the chain needs a bid every five minutes.
    late = bids - bids // 7
    if (timedelta(minutes=minutes_over) - EXTENSION - SHOW_BEGINS) / max(1, late - 1) > EXTENSION:
        return
    bidding = Bidding(70_000, 1_000, 5_000, 70_000 + 1_000 * steps, bids, bidders, minutes_over)
    check(bidding, plan(bidding))


def test_too_many_bids_for_the_price_are_refused() -> None:
    with pytest.raises(ValueError, match="do not lead"):
        plan(Bidding(100, 10, 10, 150, bids=7, bidders=3, minutes_over=4))


@pytest.mark.parametrize("sale", [*SALES, *LIVE], ids=lambda sale: sale.case_no)
def test_terms_keep_the_law(sale: object) -> None:
    for bidding in (sale.first, sale.resale):  # type: ignore[attr-defined]
        if bidding is not None:
            low, high = deposit_band(bidding.start_fen)
            assert low <= bidding.deposit_fen <= high
            assert bidding.start_fen >= start_floor(sale.reference_fen)  # type: ignore[attr-defined]
