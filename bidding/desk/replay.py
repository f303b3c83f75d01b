"""`auction calc bidding`: replays one lot from its terms and commands.

The same rules as the desk, without what belongs to the live platform alone: no jump guard, no admission, no
24-hour minimum, and the opening and the close are not written down as commands.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import pairwise
from typing import Annotated, Any

from msgspec import UNSET, Meta, UnsetType

from bidding.desk import rules
from bidding.desk.rules import Bidder, Event, Kind, LotState, Method, Terms
from kernel.clock import beijing
from kernel.decoding import FenIn, Label, Moment, PositiveFen, Unusable, Wire
from kernel.errors import Refusal

ALWAYS = frozenset({"R-BID-09", "R-BID-10", "R-BID-11"})
"""Every replay needs these: the opening, the end, and the platform's time as the time of a bid."""


class LotInput(Wire, frozen=True):
    """The terms. An auction has a `scheduled_end`, a sell-off a `period_end`."""

    method: Method
    opens_at: Moment
    start_price_fen: PositiveFen
    increment_fen: PositiveFen
    scheduled_end: Moment | UnsetType = UNSET
    period_end: Moment | UnsetType = UNSET

    def __post_init__(self) -> None:
        ends = {Method.AUCTION: "scheduled_end", Method.SELL_OFF: "period_end"}
        wanted = ends.pop(self.method)
        (other,) = ends.values()
        if getattr(self, other) is not UNSET:
            raise Unusable(other, f"`{wanted}` in its place for method `{self.method}`", f"此方式改填 {wanted}")
        end = getattr(self, wanted)
        if end is UNSET:
            raise Unusable(wanted, f"a value, method `{self.method}` needs it", "此方式必填")
        if end <= self.opens_at:
            raise Unusable(wanted, "a time after `opens_at`", "晚于开始时间")

    @property
    def terms(self) -> Terms:
        end = self.scheduled_end if self.method is Method.AUCTION else self.period_end
        assert end is not UNSET
        return Terms(
            method=self.method,
            opens_at=self.opens_at,
            scheduled_end=end,
            start_price_fen=self.start_price_fen,
            increment_fen=self.increment_fen,
        )


class BidderInput(Wire, frozen=True):
    """A bidder code, with the rank of a priority purchaser."""

    code: Label
    priority_rank: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None


class BidInput(Wire, frozen=True, tag_field="type", tag="bid"):
    """A bid; any code may be named, an unknown one is refused by the replay."""

    at: Moment
    code: Label
    price_fen: FenIn


class SuspendInput(Wire, frozen=True, tag_field="type", tag="suspend"):
    """The court halts the lot."""

    at: Moment


class ResumeInput(Wire, frozen=True, tag_field="type", tag="resume"):
    """The lot runs on."""

    at: Moment


CommandInput = BidInput | SuspendInput | ResumeInput


class BiddingInput(Wire, frozen=True):
    """One lot, its bidders, and the commands in order of arrival."""

    lot: LotInput
    bidders: list[BidderInput]
    commands: list[CommandInput]

    def __post_init__(self) -> None:
        codes: set[str] = set()
        for index, bidder in enumerate(self.bidders):
            if bidder.code in codes:
                raise Unusable(
                    f"bidders[{index}].code", "a code that no earlier bidder has", "与此前各竞买人不同的代码"
                )
            codes.add(bidder.code)
        for index, (before, after) in enumerate(pairwise(self.commands), start=1):
            if after.at < before.at:
                raise Unusable(
                    f"commands[{index}].at", "a time not before that of the command before", "不早于前一条的时间"
                )


def calculate(document: BiddingInput) -> dict[str, Any]:
    """Every command's answer and the outcome of the lot, as `formats.md` says."""
    bidders = {bidder.code: Bidder(bidder.code, bidder.priority_rank) for bidder in document.bidders}
    state = rules.published(document.lot.terms)
    answers, grounds = [], set(ALWAYS)
    for command in document.commands:
        state = opened(state, command.at)
        decision = _decide(state, command, bidders)
        if isinstance(decision, Event):
            grounds |= grounds_of(state, decision)
            state = rules.evolve(state, decision)
            answers.append({"result": "accepted"} | _standing(state))
        else:
            grounds |= {decision.rule} if decision.rule else set()
            least = {name: value for name, value in decision.facts.items() if name == "minimum_fen"}
            answers.append({"result": "refused", "refusal": decision.code} | least | _standing(state))
    return {"commands": answers, "outcome": _outcome(state), "rules": _in_order(grounds | _closing_grounds(state))}


def opened(state: LotState, at: datetime) -> LotState:
    """The state with its opening written, if that is due."""
    event = rules.decide_open(state, at)
    return rules.evolve(state, event) if event else state


def grounds_of(before: LotState, event: Event) -> set[str]:
    """The rules behind one event."""
    match event.kind:
        case Kind.SUSPENDED | Kind.DEFERRED:
            return {"R-HALT-01", "R-HALT-03"}
        case Kind.RESUMED:
            return {"R-HALT-03"}
        case Kind.FROZEN:
            return {"R-HALT-02", "R-HALT-03"}
        case Kind.WITHDRAWN:
            return {"R-CLOSE-11"}
        case Kind.BID:
            found = {"R-BID-08", "R-BID-11"}
            if event.extended:
                found.add("R-BID-10")
            if event.price_fen == before.price_fen:
                found |= {"R-PRIO-02", "R-PRIO-03"}
            if before.leader is None and before.terms.method is Method.SELL_OFF:
                found.add("R-SELL-05")
            return found
        case Kind.OPENED | Kind.CLOSED:
            return {"R-BID-09", "R-BID-10"}


def _decide(state: LotState, command: CommandInput, bidders: dict[str, Bidder]) -> Event | Refusal:
    if isinstance(command, BidInput):
        bid = rules.Bid(bidders.get(command.code), command.price_fen)
        return rules.decide_offer(state, bid, command.at)
    decide: Callable[[LotState, datetime], Event | Refusal] = (
        rules.decide_suspend if isinstance(command, SuspendInput) else rules.decide_resume
    )
    return decide(state, command.at)


def _standing(state: LotState) -> dict[str, object]:
    ends_at = beijing(state.ends_at) if state.ends_at else None
    return {"leader": state.leader, "price_fen": state.price_fen, "ends_at": ends_at}


def _outcome(state: LotState) -> dict[str, object]:
    """A lot that is not halted closes by itself at its end."""
    if state.ends_at is None:
        found: dict[str, object] = {"status": "suspended", "winner": None, "price_fen": None, "ended_at": None}
    else:
        status = "sold" if state.leader else "failed"
        found = {"status": status, "winner": state.leader, "price_fen": state.price_fen}
        found["ended_at"] = beijing(state.ends_at)
    return found | {"extensions": state.extensions}


def _closing_grounds(state: LotState) -> set[str]:
    if state.ends_at is None:
        return {"R-HALT-03"}
    return {"R-BID-02"} if state.leader else {"R-FAIL-01"}


def _in_order(grounds: Iterable[str]) -> list[str]:
    return sorted(grounds)
