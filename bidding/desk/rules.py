"""One lot as a state machine: R-BID-08 to 11, R-PRIO-02 to 04, R-SELL-05, R-HALT-01 to 03, R-CLOSE-11.

`decide_…` takes the state, a command and the time at which it entered the platform's queue, and answers with the
event that follows or with the first refusal that applies. `evolve` takes an event and gives the state after it.
Replaying a lot's events through `evolve` gives its row exactly (invariant 13); the desk, `auction calc bidding`
and `auction verify` share this module, so there is no second opinion.

The state is a value. Structs of msgspec stand in for frozen dataclasses, because a bid is decided here some
hundred thousand times a second. Times are aware UTC in whole milliseconds, amounts are fen.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from bidding.desk import errors
from kernel.errors import Refusal
from kernel.money import Fen

EXTENSION = timedelta(minutes=5)
"""A bid in the last five minutes moves the end to five minutes after itself (R-BID-10)."""

LEAST = timedelta(milliseconds=1)
"""What is left of a lot that stands still although its end has come."""

SELL_OFF_BIDDING = timedelta(hours=24)
"""How long bidding runs from the first bid of a sell-off (R-SELL-05)."""

JUMP_INCREMENTS = 50
JUMP_SHARE = (3, 2)
"""A bid over 50 increments above the price, or over 3/2 of it, is asked for twice (jump guard, a convention)."""


class Word(StrEnum):
    """Words of the wire. They hash as the strings they are: Enum's own hash is a Python call, paid at each look-up."""

    __hash__ = str.__hash__


class Method(Word):
    """How a lot is sold: by auction (拍卖) or, after two failed rounds, by sell-off (变卖)."""

    AUCTION = "auction"
    SELL_OFF = "sell_off"


class Status(Word):
    """Where a lot stands. Time runs only while it is upcoming or open."""

    UPCOMING = "upcoming"
    OPEN = "open"
    SUSPENDED = "suspended"
    FROZEN = "frozen"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"
    ANNULLED = "annulled"


class Kind(Word):
    """Kinds of events; a command bears the name of the event that it asks for."""

    OPENED = "opened"
    BID = "bid"
    SUSPENDED = "suspended"
    DEFERRED = "deferred"
    FROZEN = "frozen"
    RESUMED = "resumed"
    WITHDRAWN = "withdrawn"
    CLOSED = "closed"


RUNNING = frozenset({Status.UPCOMING, Status.OPEN})
HALTED = frozenset({Status.SUSPENDED, Status.FROZEN})
FINISHED = frozenset({Status.CLOSED, Status.WITHDRAWN, Status.ANNULLED})

GRAPH: dict[Kind, frozenset[Status]] = {
    Kind.OPENED: frozenset({Status.UPCOMING}),
    Kind.BID: frozenset({Status.OPEN}),
    Kind.SUSPENDED: RUNNING,
    Kind.DEFERRED: RUNNING,
    Kind.FROZEN: RUNNING,
    Kind.RESUMED: HALTED,
    Kind.WITHDRAWN: RUNNING | HALTED,
    Kind.CLOSED: frozenset({Status.OPEN}),
}
"""From which statuses an event of each kind may follow (invariant 14)."""


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What was published. `scheduled_end` is the planned end, of a sell-off the end of its period."""

    method: Method
    opens_at: datetime
    scheduled_end: datetime
    start_price_fen: Fen
    increment_fen: Fen


class LotState(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One lot after its first `seq` events. `ends_at` is None while the lot is halted, `remaining` otherwise."""

    terms: Terms
    status: Status
    ends_at: datetime | None
    remaining: timedelta | None = None
    opened: bool = False
    leader: str | None = None
    leader_rank: int | None = None
    price_fen: Fen | None = None
    seq: int = 0
    bids: int = 0
    extensions: int = 0
    resumed_at: datetime | None = None
    """When it last ran on after a halt."""


class Bidder(msgspec.Struct, frozen=True, gc=False):
    """Who bids: the code shown to all, and the rank of a priority purchaser (1 is the most senior)."""

    code: str
    rank: int | None = None


class Bid(msgspec.Struct, frozen=True, gc=False):
    """An offer. `bidder` is None when nobody admitted stands behind it."""

    bidder: Bidder | None
    price_fen: Fen
    confirm: Fen | None = None


class Event(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What happened to the lot, with everything `evolve` needs and nothing about persons.

    `at` is the time of entry of the command that caused it, `ends_at` the end after it. `remaining` is the time
    kept by a halt, `since` the beginning of the outage behind a freeze, `sold` the result of a close.
    """

    seq: int
    kind: Kind
    at: datetime
    ends_at: datetime | None = None
    code: str | None = None
    rank: int | None = None
    price_fen: Fen | None = None
    extended: bool = False
    remaining: timedelta | None = None
    since: datetime | None = None
    sold: bool | None = None


def published(terms: Terms) -> LotState:
    """A lot before its first event."""
    return LotState(terms=terms, status=Status.UPCOMING, ends_at=terms.scheduled_end)


def ended(state: LotState, at: datetime) -> bool:
    """Whether the lot takes nothing more: it is finished, or its end has come."""
    return state.status in FINISHED or end_has_come(state.ends_at, at)


def shows_another_minute(before: datetime, after: datetime) -> bool:
    """Whether a clock without seconds shows another end: who is not watching live is told of no finer move.

    Without a state of its own it lets through one of thousands of bids a second, and none is owed after a crash.
    """
    return before is not after and before.replace(second=0, microsecond=0) != after.replace(second=0, microsecond=0)


def end_has_come(ends_at: datetime | None, at: datetime) -> bool:
    """Whether a lot's end has come by `at`; the instant of the end is too late (R-BID-10). None: it stands still.

    The one place where an arrival is held against an end, and `ends_at` of bidding's lot is the one end there is:
    desk, registration, deposits and pages cannot disagree.
    """
    return ends_at is not None and at >= ends_at


def overdue(state: LotState, at: datetime) -> bool:
    """Whether the lot's end has come and nothing has decided it yet."""
    return state.status in RUNNING and end_has_come(state.ends_at, at)


def due(state: LotState, at: datetime) -> Kind | None:
    """What the lot owes by the mere passing of time: its opening or its close."""
    if state.status is Status.UPCOMING and at >= state.terms.opens_at:
        return Kind.OPENED
    if state.status is Status.OPEN and ended(state, at):
        return Kind.CLOSED
    return None


def lowest_bid(state: LotState, bidder: Bidder) -> Fen:
    """The lowest price that this bidder could bid now (R-BID-08, R-PRIO-02)."""
    if state.price_fen is None:
        return state.terms.start_price_fen
    if _leads_by_match(state, bidder):
        return state.price_fen
    return Fen(state.price_fen + state.terms.increment_fen)


def decide_open(state: LotState, at: datetime) -> Event | None:
    """The opening (R-BID-09), once its time has come and if it has not been written yet."""
    if due(state, at) is not Kind.OPENED:
        return None
    return Event(seq=state.seq + 1, kind=Kind.OPENED, at=at, ends_at=state.ends_at)


def decide_bid(state: LotState, bid: Bid, at: datetime) -> Event | Refusal:
    """A bid at the live desk: the law of `decide_offer`, and last of all the jump guard (R-BID-13)."""
    decision = decide_offer(state, bid, at, stranger=errors.NotEligible)
    if isinstance(decision, Event) and bid.confirm != bid.price_fen and _unusual(state, decision):
        return errors.ConfirmJump()
    return decision


def decide_offer(
    state: LotState, bid: Bid, at: datetime, *, stranger: Callable[[], Refusal] = errors.UnknownCode
) -> Event | Refusal:
    """A bid by law alone (R-BID-08 to 11, R-PRIO-02, 03); the refusal is the first that applies.

    The order is fixed, since `auction calc bidding` answers by it: a finished lot, before the opening, at or after the
    end, halted, nobody admitted (`stranger`), below the start price, an equal price that does not lead, too low, off
    the grid.
    """
    terms, bidder, price = state.terms, bid.bidder, bid.price_fen
    if state.status in FINISHED:
        return _after_end(state, at)
    if at < terms.opens_at:
        return errors.NotOpen()
    if ended(state, at):
        return _after_end(state, at)
    if state.status in HALTED:
        return errors.Suspended()
    if bidder is None:
        return stranger()
    if price < terms.start_price_fen:
        return errors.BelowStartPrice(minimum_fen=lowest_bid(state, bidder))
    if state.price_fen is not None and (refusal := _against_leader(state, bidder, price)):
        return refusal
    if (price - terms.start_price_fen) % terms.increment_fen:
        return errors.OffIncrement()
    ends_at, extended = _end_after_bid(state, at)
    return Event(
        seq=state.seq + 1,
        kind=Kind.BID,
        at=at,
        ends_at=ends_at,
        code=bidder.code,
        rank=bidder.rank,
        price_fen=price,
        extended=extended,
    )


def decide_suspend(state: LotState, at: datetime, kind: Kind = Kind.SUSPENDED) -> Event | Refusal:
    """The court halts the lot and its remaining time is kept (R-HALT-01, 03); time before the opening does not run.

    By a ruling the lot is suspended (中止), by a decision it is deferred (暂缓): two events, one standing still.
    """
    if ended(state, at):
        return errors.AfterEnd()
    if state.ends_at is None:
        return errors.Suspended()
    remaining = state.ends_at - max(at, state.terms.opens_at)
    return Event(seq=state.seq + 1, kind=kind, at=at, remaining=remaining)


def decide_hold(state: LotState, at: datetime) -> Event | None:
    """A lot whose asset is held has ended but is not concluded (R-CASE-09): it stands still in place of its close.

    Nothing is left of its time; a millisecond is the least that is kept. The court resumes it, which closes it, or
    withdraws it.
    """
    if due(state, at) is not Kind.CLOSED:
        return None
    return Event(seq=state.seq + 1, kind=Kind.SUSPENDED, at=at, remaining=LEAST)


def decide_freeze(state: LotState, at: datetime, since: datetime) -> Event | None:
    """The platform halts a running lot after an outage that began at `since`; at least five minutes are left.

    R-HALT-02. The end may have passed during the outage: it was then never decided, and the court resumes the lot.
    None if the outage could not change the result (`hit_by_outage`). Time that stood still within the outage is not
    left a second time (R-HALT-03): what was left when the lot was halted is what it was resumed with.
    """
    if not hit_by_outage(state, since, at):
        return None
    assert state.ends_at is not None
    remaining = max(state.ends_at - max(since, runs_since(state)), EXTENSION)
    return Event(seq=state.seq + 1, kind=Kind.FROZEN, at=at, remaining=remaining, since=since)


def decide_resume(state: LotState, at: datetime) -> Event | Refusal:
    """A halted lot runs on for the time that it had left (R-HALT-03)."""
    if state.remaining is None:
        return errors.AfterEnd() if ended(state, at) else errors.NotSuspended()
    ends_at = max(at, state.terms.opens_at) + state.remaining
    return Event(seq=state.seq + 1, kind=Kind.RESUMED, at=at, ends_at=ends_at)


def decide_withdraw(state: LotState, at: datetime, *, covered: bool = False) -> Event | Refusal:
    """The sale is stopped for good before a result (R-CLOSE-11).

    `covered`: its group stops it (R-CLOSE-12), by a close that came before its own end, even if that has passed since.
    """
    if state.status in FINISHED or (not covered and ended(state, at)):
        return errors.AfterEnd()
    return Event(seq=state.seq + 1, kind=Kind.WITHDRAWN, at=at)


def decide_close(state: LotState, at: datetime) -> Event | None:
    """The end: the highest bid wins, without one the lot has failed (R-BID-10, R-FAIL-01).

    None while time is left, since a bid may have moved the end after the close was asked for.
    """
    if due(state, at) is not Kind.CLOSED:
        return None
    return Event(
        seq=state.seq + 1,
        kind=Kind.CLOSED,
        at=at,
        ends_at=state.ends_at,
        code=state.leader,
        price_fen=state.price_fen,
        sold=state.leader is not None,
    )


def evolve(state: LotState, event: Event) -> LotState:
    """The state after `event`. The graph of statuses is asserted here for whoever replays."""
    assert event.seq == state.seq + 1, f"event {event.seq} after {state.seq}"
    assert state.status in GRAPH[event.kind], f"{event.kind} in {state.status}"
    seq = event.seq
    match event.kind:
        case Kind.BID:
            return replace(
                state,
                seq=seq,
                bids=state.bids + 1,
                leader=event.code,
                leader_rank=event.rank,
                price_fen=event.price_fen,
                ends_at=event.ends_at,
                extensions=state.extensions + event.extended,
            )
        case Kind.OPENED:
            return replace(state, seq=seq, status=Status.OPEN, opened=True)
        case Kind.SUSPENDED | Kind.DEFERRED:
            return replace(state, seq=seq, status=Status.SUSPENDED, ends_at=None, remaining=event.remaining)
        case Kind.FROZEN:
            return replace(state, seq=seq, status=Status.FROZEN, ends_at=None, remaining=event.remaining)
        case Kind.RESUMED:
            status = Status.OPEN if state.opened else Status.UPCOMING
            return replace(state, seq=seq, status=status, ends_at=event.ends_at, remaining=None, resumed_at=event.at)
        case Kind.WITHDRAWN:
            return replace(state, seq=seq, status=Status.WITHDRAWN, remaining=None)
        case Kind.CLOSED:
            return replace(state, seq=seq, status=Status.CLOSED)


def runs_since(state: LotState) -> datetime:
    """Since when the time of a running lot runs without a break: its opening, or the last resume behind it."""
    opens_at, resumed_at = state.terms.opens_at, state.resumed_at
    return opens_at if resumed_at is None else max(opens_at, resumed_at)


def hit_by_outage(state: LotState, since: datetime, until: datetime) -> bool:
    """Whether the result may be due to nobody deciding from `since` to `until` (R-HALT-02).

    So it is when the outage began before the end, reached into the last five minutes, and the lot's time ran.
    """
    if state.status not in RUNNING or state.ends_at is None:
        return False
    return since < state.ends_at and until > max(state.ends_at - EXTENSION, runs_since(state))


def _after_end(state: LotState, at: datetime) -> Refusal:
    """By how much a bid came too late; a lot that was withdrawn has no end to be late for."""
    if state.status is Status.WITHDRAWN or state.ends_at is None:
        return errors.AfterEnd()
    return errors.ArrivedLate.by(at, state.ends_at)


def _leads_by_match(state: LotState, bidder: Bidder) -> bool:
    if bidder.rank is None or bidder.code == state.leader:
        return False
    return state.leader_rank is None or bidder.rank < state.leader_rank


def _against_leader(state: LotState, bidder: Bidder, price: Fen) -> Refusal | None:
    """Why `price` does not beat the leader; a priority purchaser's price above the leader's is left to the grid."""
    assert state.price_fen is not None
    if price == state.price_fen:
        if bidder.code == state.leader:
            return errors.AlreadyLeading()
        if bidder.rank is not None:
            return None if _leads_by_match(state, bidder) else errors.CannotLead()
    lowest = state.price_fen if bidder.rank is not None else state.price_fen + state.terms.increment_fen
    return errors.BelowMinimum(minimum_fen=lowest_bid(state, bidder)) if price < lowest else None


def _end_after_bid(state: LotState, at: datetime) -> tuple[datetime, bool]:
    """The end after a bid at `at`, and whether that is an extension (R-BID-10, R-SELL-05)."""
    assert state.ends_at is not None
    if state.terms.method is Method.SELL_OFF and state.leader is None:
        return at + SELL_OFF_BIDDING, False
    moved = at + EXTENSION
    return (moved, True) if moved > state.ends_at else (state.ends_at, False)


def _unusual(state: LotState, event: Event) -> bool:
    """Whether an accepted bid asks to be confirmed: a jump, or a raise of one's own lead."""
    assert event.price_fen is not None
    base = state.price_fen if state.price_fen is not None else state.terms.start_price_fen
    if event.code == state.leader:
        return True
    more, of = JUMP_SHARE
    return event.price_fen - base > JUMP_INCREMENTS * state.terms.increment_fen or event.price_fen * of > base * more
