"""The legal bounds of a lot's terms, round by round (R-BID-01, 03, 08, 09; R-FAIL-01; R-SELL-02, 03; R-CLOSE-04).

Invariant: a bound that the law sets as a minimum is rounded up to the fen, a maximum down (R-GEN-04), so
terms that pass here keep the law in exact fractions too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction

from auction.lots.errors import (
    BalanceTermMissing,
    BiddingTooShort,
    DecisionDiffers,
    DepositOutOfBand,
    IncrementMissing,
    SecondRoundPriceTooLow,
    SellOffPeriodDiffers,
    SellOffPriceDiffers,
    StartPriceTooLow,
)
from auction.lots.rules import Round, Terms
from kernel.money import Fen, round_down, round_up, yuan

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


def lowest_start(
    round_: Round, reference_price_fen: Fen, previous_start_fen: Fen | None, resale_percent: int = START_PERCENT
) -> Fen:
    """The lowest start price of a round, to be shown beside the field; of a sell-off the only one (R-SELL-03)."""
    if round_ in (Round.ROUND_1, Round.RESALE) or previous_start_fen is None:
        return start_floor(reference_price_fen, resale_percent if round_ is Round.RESALE else START_PERCENT)
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
    it is that of a first round, for R-BID-01 asks a reserve price of every sale; a panel that decides
    otherwise sets `resale_percent` of the reference price (`resale_percent_of`).
    """
    _check_start_price(terms, reference_price_fen, previous_round_start_fen, resale_percent)
    lowest, highest = deposit_band(terms.start_price_fen)
    if not lowest <= terms.deposit_fen <= highest:
        percents = {"min_percent": DEPOSIT_PERCENT[0], "max_percent": DEPOSIT_PERCENT[1]}
        raise DepositOutOfBand(deposit_min_fen=lowest, deposit_max_fen=highest, **percents)
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
            raise SecondRoundPriceTooLow(percent=100 - SECOND_ROUND_PERCENT, floor_fen=floor)
    elif terms.start_price_fen != previous_start_fen:
        raise SellOffPriceDiffers(price_fen=previous_start_fen)


def resale_percent_of(facts: Mapping[str, str | int]) -> int:
    """The floor of a resale in percent of the reference price: the decision's fact `resale_percent`, a setting for what
    the law leaves open; without a whole number from 1 to 100 that of a first round.
    """
    decided = facts.get("resale_percent")
    return decided if isinstance(decided, int) and 1 <= decided <= 100 else START_PERCENT


DECIDABLE = {
    "start_price_fen": "起拍价",
    "increment_fen": "增价幅度",
    "deposit_fen": "保证金",
    "balance_due_days": "付款期限",
}
"""Terms that a panel's decision may name, in Chinese."""


def check_decision(facts: Mapping[str, str | int], terms: Terms) -> None:
    """Refuse terms that differ from a value the panel's decision names (R-GEN-05)."""
    for name, name_zh in DECIDABLE.items():
        if name in facts and facts[name] != getattr(terms, name):
            decided = facts[name]
            raise DecisionDiffers(
                field=name, field_zh=name_zh, decided=str(decided), decided_zh=_decided_zh(name, decided)
            )


def _decided_zh(name: str, decided: str | int) -> str:
    if isinstance(decided, str):
        return decided
    return f"{yuan(decided)} 元" if name.endswith("_fen") else f"{decided} 日"
