"""Premium and success rates, each with its base and method named (R-STAT-01 to 04, R-COST-06).

Invariant: every figure is computed in exact fractions over all lots and rounded once, at the end. The law
defines none of these rates, so both bases and all three averages are given side by side.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from auction.lots.rules import Round
from kernel.money import Fen, round_half_up

FLAT_COMMISSION_PERCENT = 5
"""What court news multiplies turnover with (R-STAT-04)."""

_YUAN = 100
COMMISSION_BRACKETS: tuple[tuple[int | None, Fraction], ...] = (
    (2_000_000 * _YUAN, Fraction(5, 100)),
    (10_000_000 * _YUAN, Fraction(3, 100)),
    (50_000_000 * _YUAN, Fraction(2, 100)),
    (100_000_000 * _YUAN, Fraction(1, 100)),
    (None, Fraction(5, 1000)),
)
"""Caps of the auctioneer's commission offline: upper edge in fen and rate of the part below it (R-COST-06)."""


class Stage(StrEnum):
    """Which sale of a lot was held."""

    ROUND_1 = "round_1"
    ROUND_2 = "round_2"
    SELL_OFF = "sell_off"


class Outcome(StrEnum):
    """How a round ended. A sale in default or annulled is shown as such and counts as failed."""

    SOLD = "sold"
    FAILED = "failed"
    DEFAULTED = "defaulted"
    ANNULLED = "annulled"


def stage_of(round_: Round) -> Stage:
    """Where a round stands in its item; a resale after default is another item, at its beginning."""
    return Stage.ROUND_1 if round_ is Round.RESALE else Stage(round_.value)


@dataclass(frozen=True, slots=True)
class HeldRound:
    """One sale that was held: its start price and, if it sold, its price; fen."""

    stage: Stage
    start_fen: Fen
    price_fen: Fen | None

    @property
    def sold(self) -> bool:
        return self.price_fen is not None


@dataclass(frozen=True, slots=True)
class LotRecord:
    """A lot with the rounds held for it, in order; only the last can have sold. Reference price in fen."""

    reference_fen: Fen
    rounds: tuple[HeldRound, ...]


@dataclass(frozen=True, slots=True)
class Rates:
    """A premium rate as a fraction of its base; all None if nothing was sold (R-STAT-02)."""

    mean: Fraction | None
    median: Fraction | None
    weighted: Fraction | None


@dataclass(frozen=True, slots=True)
class SuccessRates:
    """Sold ÷ offered by item, by round held, without sell-offs, and by stage; None without a base (R-STAT-03)."""

    items: Fraction | None
    rounds: Fraction | None
    auctions: Fraction | None
    round_1: Fraction | None
    round_2: Fraction | None
    sell_off: Fraction | None


@dataclass(frozen=True, slots=True)
class Statistics:
    """All figures of a set of lots; amounts in fen, rounded half up."""

    premium_over_start: Rates
    premium_over_reference: Rates
    success_rate: SuccessRates
    turnover_fen: Fen
    commission_brackets_fen: Fen
    commission_flat_fen: Fen


def statistics(lots: Sequence[LotRecord]) -> Statistics:
    """R-STAT-01 to 04 over `lots`. Premiums count sold lots only; the start is that of the round that sold."""
    sales = [
        (lot.reference_fen, held.start_fen, held.price_fen)
        for lot in lots
        for held in lot.rounds
        if held.price_fen is not None
    ]
    turnover = sum(price for _, _, price in sales)
    return Statistics(
        premium_over_start=premium_rates([(start, price) for _, start, price in sales]),
        premium_over_reference=premium_rates([(reference, price) for reference, _, price in sales]),
        success_rate=success_rates(lots),
        turnover_fen=Fen(turnover),
        commission_brackets_fen=round_half_up(sum((commission(p) for _, _, p in sales), Fraction(0))),
        commission_flat_fen=round_half_up(Fraction(turnover * FLAT_COMMISSION_PERCENT, 100)),
    )


@dataclass(frozen=True, slots=True)
class CountedRound:
    """One ended round as series count it; `price_fen` of a sale that stands, in fen."""

    stage: Stage
    outcome: Outcome
    reference_fen: Fen
    start_fen: Fen
    price_fen: Fen | None


@dataclass(frozen=True, slots=True)
class SeriesPoint:
    """The rounds of one month, kind, court or stage. Premiums count sales that stand (R-STAT-01, 02)."""

    rounds: int
    sold: int
    failed: int
    defaulted: int
    success: Fraction | None
    premium_over_start: Rates
    premium_over_reference: Rates
    turnover_fen: Fen


def series_point(rounds: Sequence[CountedRound]) -> SeriesPoint:
    """R-STAT-01 to 03 over one group of rounds; success is sold / held, sell-offs included, defaults not sold."""
    sales = [(held.reference_fen, held.start_fen, held.price_fen) for held in rounds if held.price_fen is not None]
    outcomes = [held.outcome for held in rounds]
    return SeriesPoint(
        rounds=len(rounds),
        sold=outcomes.count(Outcome.SOLD),
        failed=outcomes.count(Outcome.FAILED),
        defaulted=outcomes.count(Outcome.DEFAULTED),
        success=_share(outcome is Outcome.SOLD for outcome in outcomes),
        premium_over_start=premium_rates([(start, price) for _, start, price in sales]),
        premium_over_reference=premium_rates([(reference, price) for reference, _, price in sales]),
        turnover_fen=Fen(sum(price for _, _, price in sales)),
    )


def premium_rates(sales: Sequence[tuple[int, int]]) -> Rates:
    """Mean, median and weighted premium of (base, price) pairs with positive bases (R-STAT-01, 02)."""
    if not sales:
        return Rates(None, None, None)
    rates = sorted(Fraction(price - base, base) for base, price in sales)
    bases = sum(base for base, _ in sales)
    middle = len(rates) // 2
    return Rates(
        mean=sum(rates, Fraction(0)) / len(rates),
        median=rates[middle] if len(rates) % 2 else (rates[middle - 1] + rates[middle]) / 2,
        weighted=Fraction(sum(price for _, price in sales) - bases, bases),
    )


def success_rates(lots: Sequence[LotRecord]) -> SuccessRates:
    """R-STAT-03: the same sales over different bases, never mixed."""
    held = [round_ for lot in lots for round_ in lot.rounds]
    return SuccessRates(
        items=_share(any(round_.sold for round_ in lot.rounds) for lot in lots),
        rounds=_share(round_.sold for round_ in held),
        auctions=_share(round_.sold for round_ in held if round_.stage is not Stage.SELL_OFF),
        round_1=_share(round_.sold for round_ in held if round_.stage is Stage.ROUND_1),
        round_2=_share(round_.sold for round_ in held if round_.stage is Stage.ROUND_2),
        sell_off=_share(round_.sold for round_ in held if round_.stage is Stage.SELL_OFF),
    )


def commission(price_fen: int) -> Fraction:
    """The highest commission an offline auctioneer could have asked of the buyer, in exact fen (R-COST-06)."""
    total, lower = Fraction(0), 0
    for upper, rate in COMMISSION_BRACKETS:
        top = price_fen if upper is None else min(price_fen, upper)
        total += max(0, top - lower) * rate
        lower = top
    return total


def percent(rate: Fraction | None) -> str | None:
    """A rate as percent with two decimals, halves away from zero, never "-0.00"; None stays None."""
    if rate is None:
        return None
    hundredths = round_half_up(rate * 10_000)
    whole, rest = divmod(abs(hundredths), 100)
    return f"{'-' if hundredths < 0 else ''}{whole}.{rest:02d}"


def _share(outcomes: Iterable[bool]) -> Fraction | None:
    counted = list(outcomes)
    return Fraction(sum(counted), len(counted)) if counted else None
