"""No accepted bid lost, none after the end, one close, no close inside a hole: in every order of events."""

import pytest

from bidding.desk import rules
from bidding.desk.rules import Bid, Bidder, Event, LotState, Method, Status, Terms, published
from kernel.errors import Refusal
from kernel.money import Fen
from tests.bidding.desk.house import OPENS, START, STEP
from tests.bidding.desk.model import (
    GUARDS,
    RESUME,
    STOP,
    WINDOW,
    Bounds,
    Guard,
    Lot,
    is_hit,
    stops,
    takes,
    violation,
    with_bid,
    with_resume,
)

DEATHS = Bounds(until=3, ends=2, bids=1, crashes=1)
"""A process may die, the other takes over, and the bidder sends again."""

LONG = Bounds(until=4, ends=2, bids=1, crashes=0)
"""Two holes in a row, an extension, and a close that is late."""

SHORT = Bounds(until=2, ends=1, bids=1, crashes=1)
"""As `DEATHS`, with one hole at most."""

CROWDED = Bounds(until=2, ends=1, bids=2, crashes=0)
"""Two bidders around the end."""


RELAYED = Bounds(until=2, ends=2, bids=2, crashes=0)
"""Two bidders, one at the old desk and one at the new."""

RESUMED = Bounds(until=3, ends=1, bids=1, crashes=0, order=RESUME)
"""The court resumes what was frozen, while a desk decides or while none does."""

STOPPED = Bounds(until=3, ends=2, bids=1, crashes=1, order=STOP)
"""The court halts the lot around its end, and a bidder is late."""


@pytest.mark.parametrize(
    ("bounds", "states"),
    [(DEATHS, 10_000), (LONG, 10_000), (CROWDED, 10_000), (RELAYED, 10_000), (RESUMED, 10_000), (STOPPED, 10_000)],
)
def test_no_order_of_events_breaks_a_property(bounds: Bounds, states: int) -> None:
    found = violation(bounds)
    assert (found.property, found.story) == ("", ())
    assert found.states > states, "the walk went through the states that it is about"


@pytest.mark.parametrize(
    ("without", "bounds", "broken"),
    [
        ({Guard.COMMIT_FIRST}, DEATHS, "an accepted bid is lost"),
        ({Guard.LEASE_SHARED, Guard.LOTS_LOCKED}, CROWDED, "an accepted bid is lost"),
        ({Guard.KEYS_KEPT}, DEATHS, "a bid is decided twice"),
        ({Guard.END_EXCLUDED}, DEATHS, "accepted at or after the end"),
        ({Guard.STAMPED_AT_ENTRY}, DEATHS, "entered in time, refused as late"),
        ({Guard.LEASE_SHARED}, SHORT, "entered in time, refused as late"),
        ({Guard.LEASE_CHECKED}, SHORT, "entered in time, refused as late"),
        ({Guard.ONE_QUEUE}, DEATHS, "entered in time, refused as late"),
        ({Guard.END_READ_AGAIN}, DEATHS, "closed early"),
        ({Guard.LEASE_CHECKED, Guard.CLOSED_ONCE}, SHORT, "closed twice"),
        ({Guard.HOLE_AT_TAKEOVER}, DEATHS, "closed inside a hole"),
        ({Guard.HOLE_IN_PLACE}, DEATHS, "closed inside a hole"),
        ({Guard.CLOCK_TAKEN_OVER}, RELAYED, "time falls along the chain"),
        ({Guard.NOT_BEFORE_RESUME}, RESUMED, "accepted inside a halt"),
        ({Guard.RESUME_QUEUED, Guard.NOT_BEFORE_RESUME}, RESUMED, "accepted inside a halt"),
        ({Guard.RESUMED_AT_DECISION}, RESUMED, "a resumed lot ran unseen"),
        ({Guard.CLOSE_WAITS}, STOPPED, "closed over an order"),
        ({Guard.LATE_BIDS_WAIT}, STOPPED, "ordered before the end, refused as late"),
        ({Guard.WINDOW_AFTER_FREEZE}, RESUMED, "less than the closing minutes after a freeze"),
    ],
    ids=lambda value: "+".join(sorted(value)) if isinstance(value, set) else None,
)
def test_without_a_guard_a_property_breaks(without: set[Guard], bounds: Bounds, broken: str) -> None:
    """The mutations: each protection taken away has its story. Two of them cover for each other and go together."""
    found = violation(bounds, GUARDS - without, only=broken)
    assert found.property == broken
    assert found.story


def test_every_guard_is_taken_away_once() -> None:
    (mark,) = test_without_a_guard_a_property_breaks.pytestmark  # type: ignore[attr-defined]
    assert set().union(*(row[0] for row in mark.args[1])) == GUARDS


# -- the model says what the rules say: a tick is half of the five minutes

TICK = rules.EXTENSION / WINDOW


def real(lot: Lot) -> LotState:
    """The lot of the model as the rules know it."""
    terms = Terms(
        method=Method.AUCTION,
        opens_at=OPENS,
        scheduled_end=OPENS + lot.ends * TICK,
        start_price_fen=Fen(START),
        increment_fen=Fen(STEP),
    )
    state = rules.evolve(published(terms), Event(seq=1, kind=rules.Kind.OPENED, at=OPENS))
    if lot.status == "closed":
        return rules.evolve(state, Event(seq=2, kind=rules.Kind.CLOSED, at=OPENS))
    if lot.status == "frozen":
        return rules.evolve(state, Event(seq=2, kind=rules.Kind.FROZEN, at=OPENS, remaining=rules.EXTENSION))
    return state


ANSWERS = {"after-end": "late", "suspended": "halted"}


@pytest.mark.parametrize("status", ["open", "frozen", "closed"])
@pytest.mark.parametrize("ends", range(1, 5))
def test_the_model_decides_as_the_rules_do(status: str, ends: int) -> None:
    lot = Lot(status, ends)
    state = real(lot)
    for at in range(7):
        told = rules.decide_offer(state, Bid(Bidder("B1"), Fen(START)), OPENS + at * TICK)
        assert takes(lot, at, GUARDS) == (ANSWERS[told.code] if isinstance(told, Refusal) else "accepted")
        if isinstance(told, Event):
            assert told.ends_at == OPENS + with_bid(lot, 0, at).ends * TICK
        halted = rules.decide_suspend(state, OPENS + at * TICK)
        assert stops(lot, at) == isinstance(halted, Event)
        due = rules.decide_close(state, OPENS + at * TICK) is not None
        assert due == (lot.status == "open" and at >= lot.ends)
        for since in range(at):
            hit = rules.hit_by_outage(state, OPENS + since * TICK, OPENS + at * TICK)
            opened = at > 0 or state.status is not Status.OPEN
            assert not opened or hit == is_hit(lot, since, at), (since, at)


@pytest.mark.parametrize("ends", range(1, 5))
def test_the_model_freezes_and_resumes_as_the_rules_do(ends: int) -> None:
    for since in range(ends):
        for at in range(max(1, ends - WINDOW + 1), 7):
            froze = rules.decide_freeze(real(Lot("open", ends)), OPENS + at * TICK, OPENS + since * TICK)
            if froze is None:
                assert not is_hit(Lot("open", ends), since, at)
                continue
            told = rules.decide_resume(rules.evolve(real(Lot("open", ends)), froze), OPENS + 7 * TICK)
            assert isinstance(told, Event)
            frozen = Lot("frozen", ends, left=ends - since)
            assert told.ends_at == OPENS + with_resume(frozen, 7, GUARDS).ends * TICK, (since, at)
