"""What becomes of a deposit (R-BID-05, 06; R-CLOSE-02, 03, 08; R-SELL-06).

Invariants: a deposit is held whole or not at all; each hold ends exactly once, applied, released or forfeited. The
winner's deposit is held twice in a row: for bidding, until the close applies it to the price, then for the price, until
the sale is paid (applied) or the buyer defaults (forfeited). A sell-off prepayment is two holds: the announced deposit,
which a default forfeits, and the rest, which it does not.
"""

from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from kernel.money import Fen


class Stage(StrEnum):
    """What a hold secures."""

    BID = "bid"
    PRICE = "price"


class Part(StrEnum):
    """The announced deposit, or what a sell-off bidder prepays beyond it."""

    DEPOSIT = "deposit"
    REST = "rest"


class Outcome(StrEnum):
    """How a hold ended."""

    APPLIED = "applied"
    RELEASED = "released"
    FORFEITED = "forfeited"


OUTCOME_ZH = {Outcome.APPLIED: "已抵作价款", Outcome.RELEASED: "已退还", Outcome.FORFEITED: "不予退还"}


class State(StrEnum):
    """A deposit as its bidder and the court see it."""

    EXEMPT = "exempt"
    AWAITING = "awaiting"
    HELD = "held"
    APPLIED = "applied"
    RELEASED = "released"
    FORFEITED = "forfeited"
    LAPSED = "lapsed"
    """Bidding ended before the deposit was complete; what came in goes back."""


class HoldFacts(NamedTuple):
    """One hold; `outcome` is None while it lasts."""

    id: UUID
    stage: Stage
    part: Part
    amount_fen: Fen
    outcome: Outcome | None


def parts_of(due_fen: Fen, announced_fen: Fen) -> dict[Part, Fen]:
    """How what a bidder paid splits into holds: the announced deposit first (R-SELL-06)."""
    deposit = Fen(min(due_fen, announced_fen))
    both = {Part.DEPOSIT: deposit, Part.REST: Fen(due_fen - deposit)}
    return {part: amount for part, amount in both.items() if amount}


def to_keep(due_fen: Fen, holds: Sequence[HoldFacts], *, may_wait: bool) -> int | None:
    """How much of what was paid in stays; None: all of it, until the deposit is complete.

    `may_wait`: bidding still takes deposits. A held deposit keeps what is due, also once it was applied to the
    price; what was released goes back. A deposit not held stays only while it may still be completed.
    """
    if holds:
        return sum(hold.amount_fen for hold in holds if hold.stage is Stage.BID) - released_fen(holds)
    return None if may_wait and due_fen else 0


def released_fen(holds: Sequence[HoldFacts]) -> int:
    """What of the holds goes back to the payer, in fen."""
    return sum(hold.amount_fen for hold in holds if hold.outcome is Outcome.RELEASED)


def state_of(due_fen: Fen, holds: Sequence[HoldFacts], *, over: bool) -> State:
    """Where the deposit stands, as told by its announced part; `over`: bidding takes no more deposits."""
    if not due_fen:
        return State.EXEMPT
    ours = [hold for hold in holds if hold.part is Part.DEPOSIT]
    if not ours:
        return State.LAPSED if over else State.AWAITING
    last = max(ours, key=lambda hold: hold.stage is Stage.PRICE)
    if last.outcome is None:
        return State.HELD if last.stage is Stage.BID else State.APPLIED
    return State(last.outcome)


def in_common(marks: Mapping[str, Collection[str]]) -> tuple[tuple[str, ...], ...]:
    """Groups of codes that share a mark, each group once, in order."""
    holders: dict[str, set[str]] = {}
    for code, its in marks.items():
        for mark in its:
            holders.setdefault(mark, set()).add(code)
    return tuple(sorted({tuple(sorted(codes)) for codes in holders.values() if len(codes) > 1}))
