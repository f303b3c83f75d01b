"""How the bidders of one lot will bid: who, how much, when; so that count, people and final price come out exactly.

A pure function of what was published of the sale. Bids climb by whole increments from the start price to the final
price. A seventh of them fall on the first day, the others into the last half hour and its extensions, each extension
well within five minutes of the bid before it, so that the real end lies `minutes_over` after the planned one.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from app.demo.sales import Bidding

EXTENSION = timedelta(minutes=5)
SHOW_BEGINS = timedelta(minutes=-29)
LONGEST_GAP = timedelta(minutes=2, seconds=30)
"""Between two bids of the closing chain: half of what the law gives, so that a slow machine breaks no chain."""

FIRST_DAY = timedelta(hours=-22)
FIRST_DAY_GAP = timedelta(minutes=37)
JUMP = 51
"""Increments in one step that the jump guard asks to confirm."""

Stumble = Literal["below-minimum", "confirm-jump"]


@dataclass(frozen=True)
class PlannedBid:
    """One bid, by the `bidder`-th bidder of the lot, `at` before (negative) or after the planned end.

    With a `stumble` the bidder is refused once with that code before the bid is taken.
    """

    bidder: int
    price_fen: int
    at: timedelta
    stumble: Stumble | None = None


def plan(bidding: Bidding) -> tuple[PlannedBid, ...]:
    """All bids of a lot, in order."""
    bidders, prices, times = who(bidding), ladder(bidding), moments(bidding)
    stumbles: dict[int, Stumble] = {}
    if bidding.jump_at is not None:
        stumbles[bidding.jump_at] = "confirm-jump"
    if bidding.too_low_at is not None:
        stumbles[bidding.too_low_at] = "below-minimum"
    return tuple(
        PlannedBid(bidder, price_fen, at, stumbles.get(index))
        for index, (bidder, price_fen, at) in enumerate(zip(bidders, prices, times, strict=True))
    )


def ladder(bidding: Bidding) -> list[int]:
    """Prices in fen: the first bid is the start price, the last the published price, all on the increment's grid."""
    steps, rest = divmod(bidding.price_fen - bidding.start_fen, bidding.increment_fen)
    raises = bidding.bids - 1
    jumps = 1 if bidding.jump_at is not None else 0
    if rest or steps - jumps * JUMP < raises - jumps:
        raise ValueError(f"{bidding.bids} bids do not lead from the start price to the final price")
    sizes = _spread(steps - jumps * JUMP, raises - jumps)
    if bidding.jump_at is not None:
        sizes.insert(bidding.jump_at - 1, JUMP)
    prices = [bidding.start_fen]
    for size in sizes:
        prices.append(prices[-1] + size * bidding.increment_fen)
    return prices


def who(bidding: Bidding) -> list[int]:
    """The bidder of each bid: newcomers over the first four fifths, then the last three fight it out.

    Nobody raises their own lead.
    """
    newcomers_until = max(bidding.bidders, bidding.bids * 4 // 5)
    order: list[int] = []
    seen = 0
    for index in range(bidding.bids):
        rivals = [bidder for bidder in range(max(0, seen - 3), seen) if bidder != order[-1]]
        if seen < bidding.bidders and (not rivals or seen * newcomers_until <= index * bidding.bidders):
            order.append(seen)
            seen += 1
        else:
            order.append(rivals[(index * index + index) // 2 % len(rivals)])
    return order


def moments(bidding: Bidding) -> list[timedelta]:
    """When each bid is made, from the planned end; the last one five minutes before the real end."""
    last = timedelta(minutes=bidding.minutes_over) - EXTENSION
    early = bidding.bids // 7
    late = bidding.bids - early
    gap = min((last - SHOW_BEGINS) / (late - 1), LONGEST_GAP)
    chain = 1 + min(late - 1, -(-(last + timedelta(minutes=4)) // gap))
    begins = last - (chain - 1) * gap
    before = late - chain
    return [
        *(FIRST_DAY + index * FIRST_DAY_GAP for index in range(early)),
        *(SHOW_BEGINS + index * (begins - SHOW_BEGINS) / before for index in range(before)),
        *(begins + index * gap for index in range(chain)),
    ]


def _spread(total: int, parts: int) -> list[int]:
    """`total` cut into whole `parts` that differ by one at most, the larger ones spread evenly."""
    return [total * (index + 1) // parts - total * index // parts for index in range(parts)]
