"""The legal bounds of a lot's terms, round by round (R-BID-01, 03, 08, 09; R-FAIL-01; R-SELL-03; R-CLOSE-04),
and the road from one sale of an asset to the next (R-FAIL-02, R-CLOSE-10).

Invariant: a bound that the law sets as a minimum is rounded up to the fen, a maximum down (R-GEN-04), so
terms that pass here keep the law in exact fractions too.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from uuid import UUID

from auction.lots.errors import (
    AssetOnSale,
    BalanceTermMissing,
    BiddingTooShort,
    DecisionDiffers,
    DepositOutOfBand,
    IncrementMissing,
    PreviousLotDiffers,
    ResaleNotOrdered,
    RoundNotAllowed,
    SecondRoundPriceTooLow,
    SellOffPeriodDiffers,
    SellOffPriceDiffers,
    StartPriceTooLow,
)
from kernel.clock import to_ms
from kernel.money import Fen, round_down, round_up

START_PERCENT = 70
"""Lowest start price of a first round, of the reference price (R-BID-01)."""

SECOND_ROUND_PERCENT = 80
"""Lowest start price of a second round, of the actual start price of the first (R-FAIL-01)."""

DEPOSIT_PERCENT = (5, 20)
"""Lowest and highest deposit, of the start price (R-BID-03)."""

SHORTEST_BIDDING = timedelta(hours=24)
"""R-BID-09."""

SELL_OFF_PERIOD = timedelta(days=60)
"""How long a sell-off waits for its first bid (R-SELL-02, from secondary sources)."""


class Round(StrEnum):
    """Which sale of the asset a lot is; after a failed second round only a sell-off is left (R-FAIL-02)."""

    ROUND_1 = "round_1"
    ROUND_2 = "round_2"
    SELL_OFF = "sell_off"
    RESALE = "resale"


class AssetKind(StrEnum):
    """What kind of thing is sold; anything but movables is announced longer (R-PUB-01)."""

    MOVABLE = "movable"
    IMMOVABLE = "immovable"
    OTHER_RIGHT = "other_right"


class Method(StrEnum):
    """How a lot is sold; sell-off is the method of the round of that name (R-SELL-05)."""

    AUCTION = "auction"
    SELL_OFF = "sell_off"


@dataclass(frozen=True, slots=True)
class Terms:
    """What the panel decides for one round (R-GEN-05); amounts in fen.

    `duration` is the announced bidding time, for a sell-off its period. `balance_due_days` counts from
    the end of bidding; the law names no number, but one must be stated.
    """

    round: Round
    start_price_fen: Fen
    increment_fen: Fen
    deposit_fen: Fen
    duration: timedelta
    balance_due_days: int


@dataclass(frozen=True, slots=True)
class PriceChain:
    """The bounds of all rounds that follow from a reference price and the first start price; fen."""

    round_1_min_fen: Fen
    round_1_deposit_min_fen: Fen
    round_1_deposit_max_fen: Fen
    round_2_min_fen: Fen
    round_2_deposit_min_fen: Fen
    round_2_deposit_max_fen: Fen
    sell_off_fen: Fen


def start_floor(reference_price_fen: Fen, percent: int = START_PERCENT) -> Fen:
    """The lowest start price under a reference price, rounded up (R-BID-01)."""
    return round_up(Fraction(reference_price_fen * percent, 100))


def deposit_band(start_price_fen: Fen) -> tuple[Fen, Fen]:
    """The lowest (rounded up) and highest (rounded down) deposit of a start price (R-BID-03)."""
    low, high = DEPOSIT_PERCENT
    return round_up(Fraction(start_price_fen * low, 100)), round_down(Fraction(start_price_fen * high, 100))


def lowest_start(round_: Round, reference_price_fen: Fen, previous_start_fen: Fen | None) -> Fen:
    """The lowest start price of a round, to be shown beside the field; of a sell-off the only one (R-SELL-03)."""
    if round_ in (Round.ROUND_1, Round.RESALE) or previous_start_fen is None:
        return start_floor(reference_price_fen)
    return second_round_floor(previous_start_fen) if round_ is Round.ROUND_2 else previous_start_fen


def second_round_floor(first_start_fen: Fen) -> Fen:
    """The lowest start price of the second round, rounded up (R-FAIL-01)."""
    return round_up(Fraction(first_start_fen * SECOND_ROUND_PERCENT, 100))


def price_chain(reference_price_fen: Fen, round_1_start_fen: Fen | None = None) -> PriceChain:
    """All rounds started as low as allowed after `round_1_start_fen` (None: the lowest, too).

    Raises `StartPriceTooLow` if that start is below the floor. The sell-off price equals the price at which
    the second round failed (R-SELL-03).
    """
    floor = start_floor(reference_price_fen)
    start = floor if round_1_start_fen is None else round_1_start_fen
    if start < floor:
        raise StartPriceTooLow(percent=START_PERCENT, floor_fen=floor)
    second = second_round_floor(start)
    return PriceChain(floor, *deposit_band(start), second, *deposit_band(second), sell_off_fen=second)


def check_terms(
    terms: Terms,
    reference_price_fen: Fen,
    previous_round_start_fen: Fen | None,
    *,
    resale_percent: int = START_PERCENT,
) -> None:
    """Raise the first refusal that applies to `terms`, with the legal bound among its facts.

    `previous_round_start_fen` is the start price of the round that failed before a second round or
    sell-off; it must be given for these two. No text sets the floor of a resale after default: by default
    it is that of a first round, for R-BID-01 asks a reserve price of every sale; a court that decided
    otherwise sets `resale_percent` of the reference price.
    """
    _check_start_price(terms, reference_price_fen, previous_round_start_fen, resale_percent)
    lowest, highest = deposit_band(terms.start_price_fen)
    if not lowest <= terms.deposit_fen <= highest:
        raise DepositOutOfBand(deposit_min_fen=lowest, deposit_max_fen=highest)
    if terms.increment_fen <= 0:
        raise IncrementMissing()
    if terms.duration < SHORTEST_BIDDING:
        raise BiddingTooShort(minimum_hours=SHORTEST_BIDDING // timedelta(hours=1))
    if terms.round is Round.SELL_OFF and terms.duration != SELL_OFF_PERIOD:
        raise SellOffPeriodDiffers(days=SELL_OFF_PERIOD.days)
    if terms.balance_due_days <= 0:
        raise BalanceTermMissing()


def _check_start_price(
    terms: Terms, reference_price_fen: Fen, previous_start_fen: Fen | None, resale_percent: int
) -> None:
    if terms.round in (Round.ROUND_1, Round.RESALE):
        percent = START_PERCENT if terms.round is Round.ROUND_1 else resale_percent
        floor = start_floor(reference_price_fen, percent)
        if terms.start_price_fen < max(floor, 1):
            raise StartPriceTooLow(percent=percent, floor_fen=floor)
        return
    if previous_start_fen is None:
        raise ValueError(f"{terms.round} follows a failed round, whose start price must be given")
    if terms.round is Round.ROUND_2:
        floor = second_round_floor(previous_start_fen)
        if terms.start_price_fen < floor:
            raise SecondRoundPriceTooLow(floor_fen=floor)
    elif terms.start_price_fen != previous_start_fen:
        raise SellOffPriceDiffers(price_fen=previous_start_fen)


class Status(StrEnum):
    """Where a lot stands. `sold` becomes `defaulted` when the buyer does not pay (R-CLOSE-08), `annulled` when the
    court undoes the sale (R-HALT-04).
    """

    DRAFT = "draft"
    PUBLISHED = "published"
    LIVE = "live"
    SUSPENDED = "suspended"
    FROZEN = "frozen"
    SOLD = "sold"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"
    DEFAULTED = "defaulted"
    ANNULLED = "annulled"

    @property
    def open(self) -> bool:
        """Whether this sale has no outcome yet; an asset has at most one such lot."""
        return self in OPEN

    @property
    def announced(self) -> bool:
        """Whether the announcement is out and the sale has no outcome yet."""
        return self in ANNOUNCED


ANNOUNCED = frozenset({Status.PUBLISHED, Status.LIVE, Status.SUSPENDED, Status.FROZEN})
OPEN = ANNOUNCED | {Status.DRAFT}
UNDONE = frozenset({Status.DEFAULTED, Status.ANNULLED})
"""Sold, and yet to be sold again."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """The decided time of a sale and the panel's decision on its terms; a resale only ordered has none yet."""

    opens_at: datetime
    ends_at: datetime
    decision_id: UUID


class Happening(StrEnum):
    """What bidding or settlement tells of a published lot."""

    OPENED = "opened"
    SUSPENDED = "suspended"
    FROZEN = "frozen"
    RESUMED = "resumed"
    WITHDRAWN = "withdrawn"
    SOLD = "sold"
    FAILED = "failed"


_HALTED = frozenset({Status.SUSPENDED, Status.FROZEN})
_TRANSITIONS: Mapping[Happening, tuple[frozenset[Status], Status]] = {
    Happening.OPENED: (frozenset({Status.PUBLISHED}), Status.LIVE),
    Happening.SUSPENDED: (frozenset({Status.PUBLISHED, Status.LIVE, Status.FROZEN}), Status.SUSPENDED),
    Happening.FROZEN: (frozenset({Status.PUBLISHED, Status.LIVE, Status.SUSPENDED}), Status.FROZEN),
    Happening.RESUMED: (_HALTED, Status.LIVE),
    Happening.WITHDRAWN: (ANNOUNCED, Status.WITHDRAWN),
    Happening.SOLD: (ANNOUNCED, Status.SOLD),
    Happening.FAILED: (ANNOUNCED, Status.FAILED),
}


def next_status(status: Status, happening: Happening, *, opened: bool) -> Status | None:
    """The status after `happening`; None if it says nothing new, as when it is told a second time.

    A lot that was suspended before bidding opened goes back to `published`.
    """
    before, after = _TRANSITIONS[happening]
    if status not in before:
        return None
    if happening is Happening.RESUMED and not opened:
        return Status.PUBLISHED
    return after


@dataclass(frozen=True, slots=True)
class EarlierSale:
    """The latest sale of the same asset that was not withdrawn. `ended_on` is a day in China."""

    lot_id: UUID
    round: Round
    status: Status
    ended_on: date | None


def rounds_after(earlier: EarlierSale | None, price_fixed_on: date) -> frozenset[Round]:
    """Which sale may come next (R-FAIL-01, R-FAIL-02, R-CLOSE-10).

    One sell-off follows two failed auctions, a resale follows a default or an annulment. After any
    failure the whole road may begin anew, but only under a reference price that was fixed later.
    """
    if earlier is None:
        return frozenset({Round.ROUND_1})
    if earlier.status in UNDONE:
        return frozenset({Round.RESALE})
    if earlier.status is not Status.FAILED or earlier.ended_on is None:
        return frozenset()
    anew = frozenset({Round.ROUND_1} if price_fixed_on > earlier.ended_on else ())
    match earlier.round:
        case Round.ROUND_1 | Round.RESALE:
            return anew | {Round.ROUND_2}
        case Round.ROUND_2:
            return anew | {Round.SELL_OFF}
        case Round.SELL_OFF:
            return anew


def check_place_on_road(
    round_: Round,
    named: UUID | None,
    earlier: EarlierSale | None,
    *,
    price_fixed_on: date,
    resale_ordered: bool,
) -> None:
    """Refuse a lot that does not follow from the asset's latest sale, or that names another one as its previous.

    `resale_ordered` tells whether a resale was ordered before, so that the bar on the defaulting buyer is
    known and travels on (R-CLOSE-10).
    """
    if earlier is not None and earlier.status.open:
        raise AssetOnSale(lot_id=str(earlier.lot_id))
    allowed = rounds_after(earlier, price_fixed_on)
    if round_ not in allowed:
        raise RoundNotAllowed(allowed=", ".join(sorted(allowed)) or "-")
    expected = earlier.lot_id if earlier is not None and round_ is not Round.ROUND_1 else None
    if named != expected:
        raise PreviousLotDiffers(previous_lot_id=str(expected) if expected else None)
    if round_ is Round.RESALE and not resale_ordered:
        raise ResaleNotOrdered()


def check_decision(facts: Mapping[str, str | int], terms: Terms) -> None:
    """Refuse terms that differ from a value the panel's decision names (R-GEN-05)."""
    decided: dict[str, int] = {
        "start_price_fen": terms.start_price_fen,
        "increment_fen": terms.increment_fen,
        "deposit_fen": terms.deposit_fen,
        "balance_due_days": terms.balance_due_days,
    }
    for name, value in decided.items():
        if name in facts and facts[name] != value:
            raise DecisionDiffers(field=name, decided=str(facts[name]))


_AFTER_ALL_ENDS = 10**14
"""Later than any end in milliseconds, so that ended lots come after running ones."""


def ends_rank(status: Status, ends_at: datetime) -> int:
    """The place in the order `ends soonest`: running lots by their end, then ended ones, the latest first."""
    end_ms = to_ms(ends_at)
    return end_ms if status.open else _AFTER_ALL_ENDS - end_ms


def discount_bp(start_price_fen: Fen, reference_price_fen: Fen) -> int:
    """How far the start price is below the reference price, in basis points, rounded down."""
    return 10_000 - -(-start_price_fen * 10_000 // reference_price_fen)


_NO_LIMIT = frozenset({"", "无", "否", "不限购", "no", "none"})


def purchase_limited(details: Mapping[str, str]) -> bool:
    """Whether local purchase limits apply to the asset, by what was found out about it (R-HOME-01)."""
    return details.get("purchase_limit", "").strip().lower() not in _NO_LIMIT


_NO_LOAN = ("无", "否", "不", "no")


def loan_available(details: Mapping[str, str]) -> bool:
    """Whether a bank lends for the asset (可贷款); what says nothing, or says that none does, offers no loan."""
    words = details.get("loan", "").strip().lower()
    return words != "" and not words.startswith(_NO_LOAN)


def searchable(words: str) -> str:
    """Text as the catalogue compares it: full-width as half-width, no capitals."""
    return unicodedata.normalize("NFKC", words).lower()
