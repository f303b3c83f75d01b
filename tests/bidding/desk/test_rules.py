"""The lot's state machine: invariants under random commands, the jump guard, freezes, the extension storm."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from bidding.desk import rules
from bidding.desk.rules import Bid, Bidder, Event, Kind, LotState, Method, Status, Terms
from kernel.errors import Refusal
from kernel.money import Fen

OPENS = datetime(2025, 4, 10, 2, tzinfo=UTC)
MS = timedelta(milliseconds=1)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
START, STEP = Fen(100_000), Fen(1_000)
FIVE = timedelta(minutes=5)


def terms(method: Method = Method.AUCTION, hours: int = 24) -> Terms:
    return Terms(
        method=method,
        opens_at=OPENS,
        scheduled_end=OPENS + timedelta(hours=hours),
        start_price_fen=START,
        increment_fen=STEP,
    )


def bid(code: str, price: int, confirm: int | None = None, rank: int | None = None) -> Bid:
    return Bid(Bidder(code, rank), Fen(price), None if confirm is None else Fen(confirm))


def accept(decision: Event | Refusal | None, state: LotState) -> LotState:
    assert isinstance(decision, Event), getattr(decision, "code", decision)
    return rules.evolve(state, decision)


def opened(method: Method = Method.AUCTION) -> LotState:
    state = rules.published(terms(method))
    return accept(rules.decide_open(state, OPENS), state)


def code_of(decision: Event | Refusal) -> str:
    return decision.code if isinstance(decision, Refusal) else "accepted"


# -- invariants 1 to 6 and 13 to 15 under random commands

BIDDERS = [Bidder("B1"), Bidder("B2"), Bidder("P1a", 1), Bidder("P1b", 1), Bidder("P2", 2), None]
PAUSES = [timedelta(0), MS, SECOND, MINUTE, FIVE - MS, FIVE, FIVE + MS, timedelta(hours=5), timedelta(hours=19)]

commands = st.lists(
    st.tuples(
        st.sampled_from(["bid"] * 8 + ["suspend", "defer", "resume", "freeze", "withdraw"]),
        st.sampled_from(PAUSES),
        st.sampled_from(BIDDERS),
        st.integers(-2, 60),
        st.sampled_from([0, 0, 0, 1, STEP - 1]),
        st.booleans(),
    ),
    max_size=40,
)


def run(method: Method, script: list[tuple[str, timedelta, Bidder | None, int, int, bool]]) -> list[Event]:
    """Plays a script as the desk does: what is due first, then the command; returns the events."""
    state = rules.published(terms(method))
    at, events = OPENS - timedelta(hours=6), []

    def take(decision: Event | Refusal | None) -> None:
        nonlocal state
        if isinstance(decision, Event):
            check_event(state, decision)
            events.append(decision)
            state = rules.evolve(state, decision)

    for name, pause, bidder, steps, off, sure in script:
        at += pause
        take(rules.decide_open(state, at))
        take(rules.decide_close(state, at))
        base = state.price_fen if state.price_fen is not None else START
        price = Fen(max(0, base + steps * STEP + off))
        match name:
            case "bid":
                take(rules.decide_bid(state, Bid(bidder, price, price if sure else None), at))
            case "suspend":
                take(rules.decide_suspend(state, at))
            case "defer":
                take(rules.decide_suspend(state, at, Kind.DEFERRED))
            case "resume":
                take(rules.decide_resume(state, at))
            case "freeze":
                take(rules.decide_freeze(state, at, at - pause - timedelta(seconds=steps + 5)))
            case _:
                take(rules.decide_withdraw(state, at))
    if state.ends_at is not None:
        take(rules.decide_open(state, state.ends_at))
        take(rules.decide_close(state, state.ends_at))
    check_end(state, events)
    return events


def check_event(before: LotState, event: Event) -> None:
    """What must hold, and what must not, at each step."""
    after = rules.evolve(before, event)
    assert event.seq == before.seq + 1
    assert before.status in rules.GRAPH[event.kind]
    assert (after.ends_at is None) == (after.status in rules.HALTED) or after.status is Status.WITHDRAWN
    if event.kind is not Kind.BID:
        assert (after.leader, after.price_fen) == (before.leader, before.price_fen)
        return
    price, end_before = event.price_fen, before.ends_at
    assert price is not None
    assert end_before is not None
    assert event.ends_at is not None
    assert before.terms.opens_at <= event.at < end_before
    assert price >= START
    assert (price - START) % STEP == 0
    if before.price_fen is not None and price == before.price_fen:
        assert event.rank is not None
        assert before.leader_rank is None or event.rank < before.leader_rank
    elif before.price_fen is not None:
        assert price >= before.price_fen + STEP
    if before.terms.method is Method.SELL_OFF and before.leader is None:
        assert event.ends_at == event.at + timedelta(hours=24)
    else:
        assert event.ends_at == max(end_before, event.at + FIVE)
        assert event.extended == (event.ends_at != end_before)


def check_end(state: LotState, events: list[Event]) -> None:
    """One close at most and nothing behind it; the replay gives the same state; halts keep the time."""
    kinds = [event.kind for event in events]
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert kinds.count(Kind.CLOSED) <= 1
    assert not {Kind.CLOSED, Kind.WITHDRAWN}.intersection(kinds[:-1])
    assert all(before.at <= after.at for before, after in pairwise(events))
    replayed = rules.published(state.terms)
    kept, ran_from = None, OPENS
    for event in events:
        if event.kind is Kind.RESUMED:
            assert event.ends_at is not None
            ran_from = max(event.at, OPENS)
            assert event.ends_at - ran_from == kept
        if event.kind is Kind.FROZEN:
            assert event.remaining is not None
            assert replayed.ends_at is not None
            assert event.remaining <= max(FIVE, replayed.ends_at - ran_from), "no time comes back that stood still"
        replayed, kept = rules.evolve(replayed, event), event.remaining
        assert event.kind is not Kind.FROZEN or (event.remaining is not None and event.remaining >= FIVE)
    assert replayed == state
    last = events[-1] if events else None
    if last is not None and last.kind is Kind.CLOSED:
        assert (last.sold, last.code, last.price_fen) == (state.leader is not None, state.leader, state.price_fen)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(list(Method)), commands)
def test_invariants_hold_under_any_commands(
    method: Method, script: list[tuple[str, timedelta, Bidder | None, int, int, bool]]
) -> None:
    run(method, script)


def test_the_random_commands_reach_every_kind_of_event() -> None:
    """Control of the test above: a script that reaches them all passes the same checks."""
    quick, slow = SECOND, timedelta(hours=5)
    script = [
        ("suspend", timedelta(hours=7), None, 0, 0, False),
        ("resume", slow, None, 0, 0, False),
        ("defer", quick, None, 0, 0, False),
        ("resume", quick, None, 0, 0, False),
        ("bid", quick, BIDDERS[0], 0, 0, False),
        ("bid", quick, BIDDERS[4], 0, 0, False),
        ("bid", quick, BIDDERS[2], 0, 0, False),
        ("freeze", timedelta(hours=22, minutes=58), None, 0, 0, False),
        ("resume", quick, None, 0, 0, False),
    ]
    kinds = {event.kind for event in run(Method.AUCTION, script)}
    withdrawn = {event.kind for event in run(Method.AUCTION, [*script, ("withdraw", quick, None, 0, 0, False)])}
    assert kinds | withdrawn == set(Kind)


# -- the jump guard: last of all checks, and only at the desk


@pytest.mark.parametrize(
    ("price", "confirm", "answer"),
    [
        (START + 50 * STEP, None, "accepted"),
        (START + 51 * STEP, None, "confirm-jump"),
        (START + 51 * STEP, START + 51 * STEP, "accepted"),
        (START + 51 * STEP, START, "confirm-jump"),
        (START + 51 * STEP + 1, None, "off-increment"),
    ],
)
def test_jump_of_a_first_bid(price: int, confirm: int | None, answer: str) -> None:
    assert code_of(rules.decide_bid(opened(), bid("B1", price, confirm), OPENS)) == answer


@pytest.mark.parametrize(("steps", "answer"), [(5, "accepted"), (6, "confirm-jump")])
def test_jump_over_one_and_a_half_times_the_price(steps: int, answer: str) -> None:
    cheap = Terms(
        method=Method.AUCTION,
        opens_at=OPENS,
        scheduled_end=OPENS + timedelta(hours=24),
        start_price_fen=Fen(1_000),
        increment_fen=Fen(100),
    )
    state = rules.published(cheap)
    state = accept(rules.decide_open(state, OPENS), state)
    assert code_of(rules.decide_bid(state, bid("B1", 1_000 + steps * 100), OPENS)) == answer


def test_raising_ones_own_lead_asks_for_confirmation() -> None:
    state = accept(rules.decide_bid(opened(), bid("B1", START), OPENS), opened())
    raised = bid("B1", START + STEP)
    assert code_of(rules.decide_bid(state, raised, OPENS)) == "confirm-jump"
    assert code_of(rules.decide_bid(state, bid("B1", START + STEP, START + STEP), OPENS)) == "accepted"
    assert code_of(rules.decide_offer(state, raised, OPENS)) == "accepted", "the law alone allows it"
    assert code_of(rules.decide_bid(state, bid("B2", START + STEP), OPENS)) == "accepted"


def test_an_equal_bid_of_a_priority_purchaser_needs_no_confirmation() -> None:
    state = accept(rules.decide_bid(opened(), bid("B1", START), OPENS), opened())
    assert code_of(rules.decide_bid(state, bid("P1", START, rank=1), OPENS)) == "accepted"


# -- the closing instant, halts, freezes


@pytest.mark.parametrize(("offset", "answer"), [(-MS, "accepted"), (MS * 0, "after-end"), (MS, "after-end")])
def test_the_end_is_the_first_instant_too_late(offset: timedelta, answer: str) -> None:
    at = OPENS + timedelta(hours=24) + offset
    assert code_of(rules.decide_bid(opened(), bid("B1", START), at)) == answer


@pytest.mark.parametrize(("offset", "moved"), [(-MS, MS * 0), (MS * 0, MS * 0), (MS, MS)])
def test_the_edge_of_the_closing_window(offset: timedelta, moved: timedelta) -> None:
    end = OPENS + timedelta(hours=24)
    state = accept(rules.decide_bid(opened(), bid("B1", START), end - FIVE + offset), opened())
    assert state.ends_at == end + moved
    assert state.extensions == bool(moved)


def test_a_close_asked_for_too_early_does_nothing() -> None:
    assert rules.decide_close(opened(), OPENS + timedelta(hours=24) - MS) is None
    assert rules.decide_close(rules.published(terms()), OPENS - MS) is None


@pytest.mark.parametrize("status", [Status.CLOSED, Status.WITHDRAWN, Status.ANNULLED])
def test_a_finished_lot_takes_nothing(status: Status) -> None:
    state = replace(opened(), status=status)
    assert code_of(rules.decide_bid(state, bid("B1", START), OPENS)) == "after-end"
    assert code_of(rules.decide_suspend(state, OPENS)) == "after-end"
    assert code_of(rules.decide_resume(state, OPENS)) == "after-end"
    assert code_of(rules.decide_withdraw(state, OPENS)) == "after-end"
    assert rules.decide_freeze(state, OPENS, OPENS) is None
    assert rules.decide_open(state, OPENS) is None
    assert rules.decide_close(state, OPENS + timedelta(days=9)) is None


def test_a_stranger_is_not_eligible_at_the_desk() -> None:
    assert code_of(rules.decide_bid(opened(), Bid(None, START), OPENS)) == "not-eligible"


def test_a_freeze_keeps_the_time_from_the_beginning_of_the_outage() -> None:
    end = OPENS + timedelta(hours=24)
    state = accept(rules.decide_freeze(opened(), end + MINUTE, end - 20 * MINUTE), opened())
    assert (state.status, state.remaining) == (Status.FROZEN, 20 * MINUTE)
    assert code_of(rules.decide_bid(state, bid("B1", START), end + MINUTE)) == "suspended"
    state = accept(rules.decide_resume(state, end + timedelta(days=3)), state)
    assert (state.status, state.ends_at) == (Status.OPEN, end + timedelta(days=3) + 20 * MINUTE)


def test_a_freeze_leaves_at_least_five_minutes() -> None:
    end = OPENS + timedelta(hours=24)
    state = accept(rules.decide_freeze(opened(), end + MINUTE, end - SECOND), opened())
    assert state.remaining == FIVE


@pytest.mark.parametrize(("left", "kept"), [(2 * MINUTE, FIVE), (20 * MINUTE, 20 * MINUTE)])
def test_a_freeze_does_not_count_time_that_stood_still_as_left(left: timedelta, kept: timedelta) -> None:
    """The outage began before the lot was halted for an hour; what the court resumed it with is all that is left."""
    end = OPENS + timedelta(hours=24)
    halted = accept(rules.decide_suspend(opened(), end - left), opened())
    resumed = accept(rules.decide_resume(halted, end - left + timedelta(hours=1)), halted)
    assert resumed.ends_at is not None
    frozen = accept(rules.decide_freeze(resumed, resumed.ends_at - SECOND, end - left), resumed)
    assert (frozen.status, frozen.remaining) == (Status.FROZEN, kept)
    before = accept(rules.decide_freeze(resumed, resumed.ends_at - SECOND, resumed.ends_at - 10 * SECOND), resumed)
    assert before.remaining == FIVE, "the control: an outage behind the resume counts from its beginning"


@pytest.mark.parametrize(
    ("since", "until", "hit"),
    [
        (-FIVE - MINUTE, -FIVE, False),
        (-FIVE - MINUTE, -FIVE + MS, True),
        (-MS, MINUTE, True),
        (MS * 0, MINUTE, False),
        (-timedelta(hours=30), timedelta(hours=30), True),
    ],
)
def test_which_outages_freeze_a_lot(since: timedelta, until: timedelta, hit: bool) -> None:
    end = OPENS + timedelta(hours=24)
    assert rules.hit_by_outage(opened(), end + since, end + until) is hit


def test_an_outage_does_not_touch_a_halted_lot() -> None:
    end = OPENS + timedelta(hours=24)
    state = accept(rules.decide_suspend(opened(), end - MINUTE), opened())
    assert not rules.hit_by_outage(state, end - MINUTE, end + MINUTE)


def test_an_extension_storm_ends_at_the_exact_instant() -> None:
    """31,674 extensions, as seen in Beijing in 2024."""
    state = opened()
    end = state.ends_at
    assert end is not None
    for number in range(31_674):
        at = end - MS
        state = accept(rules.decide_bid(state, bid(f"B{number % 2}", START + number * STEP), at), state)
        end = at + FIVE
        assert state.ends_at == end
    assert state.extensions == 31_674
    assert end == OPENS + timedelta(hours=24) + 31_674 * (FIVE - MS)
