"""Premium and success rates, each with its base and method named (R-STAT-01 to 04, R-COST-06).

Figures follow from what rounds add up to, whoever adds (the database, over a country's sales). Invariant: every
figure is a fraction and rounded once, at the end. The law defines none of these rates, so both bases and all three
averages are given side by side.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
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


class By(StrEnum):
    """What a series is told by."""

    MONTH = "month"
    KIND = "kind"
    COURT = "court"
    STAGE = "stage"


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


_UNITS = 10**30
_KNOWN = 10**20
"""Means are right to twenty decimals: a sum of fractions has digits for every sale, too many for a country's. What lies
on the edge of a rounding is a multiple of this unit, so it stays there."""


def premium(base_fen: int, price_fen: int) -> int:
    """The premium rate of a sale over a positive base, in units of 10^-30, rounded down (R-STAT-01)."""
    return (price_fen - base_fen) * _UNITS // base_fen


@dataclass(frozen=True, slots=True)
class Premiums:
    """What sales add up to over one base: amounts in fen, `total` and `middle` in the units of `premium`."""

    sales: int
    bases_fen: int
    prices_fen: int
    total: int
    middle: tuple[int, int]
    """The middle premium twice, or the two in the middle."""

    @classmethod
    def of(cls, sales: Sequence[tuple[int, int]]) -> "Premiums":
        """Of (base, price) pairs with positive bases."""
        premiums = sorted(premium(base, price) for base, price in sales)
        half = len(premiums) // 2
        return cls(
            sales=len(sales),
            bases_fen=sum(base for base, _ in sales),
            prices_fen=sum(price for _, price in sales),
            total=sum(premiums),
            middle=(premiums[(len(premiums) - 1) // 2], premiums[half]) if premiums else (0, 0),
        )

    @property
    def rates(self) -> Rates:
        """Mean, median and weighted premium (R-STAT-01, 02)."""
        if not self.sales:
            return Rates(None, None, None)
        return Rates(
            mean=_known(self.total, self.sales),
            median=_known(sum(self.middle), 2),
            weighted=Fraction(self.prices_fen - self.bases_fen, self.bases_fen),
        )


def _known(units: int, among: int) -> Fraction:
    return Fraction(round(Fraction(units * _KNOWN, among * _UNITS)), _KNOWN)


@dataclass(frozen=True, slots=True)
class Tally:
    """What ended rounds add up to, from which all figures follow. A sale in default or annulled did not sell."""

    items: int
    held: Mapping[Stage, int]
    sold: Mapping[Stage, int]
    outcomes: Mapping[Outcome, int]
    over_start: Premiums
    over_reference: Premiums
    bracket_parts_fen: tuple[int, ...]
    """The parts of the prices that lie in each of `COMMISSION_BRACKETS`."""

    def held_in(self, *stages: Stage) -> int:
        """How many rounds of these stages were held."""
        return sum(self.held.get(stage, 0) for stage in stages)

    @classmethod
    def of(cls, lots: Sequence[LotRecord]) -> "Tally":
        """Premiums count sold lots only; the start is that of the round that sold."""
        held = [round_ for lot in lots for round_ in lot.rounds]
        sales = [
            (lot.reference_fen, round_.start_fen, round_.price_fen)
            for lot in lots
            for round_ in lot.rounds
            if round_.price_fen is not None
        ]
        parts = [bracket_parts(price) for _, _, price in sales]
        return cls(
            items=len(lots),
            held=Counter(round_.stage for round_ in held),
            sold=Counter(round_.stage for round_ in held if round_.sold),
            outcomes={Outcome.SOLD: len(sales), Outcome.FAILED: len(held) - len(sales)},
            over_start=Premiums.of([(start, price) for _, start, price in sales]),
            over_reference=Premiums.of([(reference, price) for reference, _, price in sales]),
            bracket_parts_fen=tuple(map(sum, zip(*parts, strict=True))) if parts else (0,) * len(COMMISSION_BRACKETS),
        )


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


def statistics(tally: Tally) -> Statistics:
    """R-STAT-01 to 04 over what rounds add up to."""
    turnover_fen = tally.over_start.prices_fen
    return Statistics(
        premium_over_start=tally.over_start.rates,
        premium_over_reference=tally.over_reference.rates,
        success_rate=success_rates(tally),
        turnover_fen=Fen(turnover_fen),
        commission_brackets_fen=round_half_up(commission(tally.bracket_parts_fen)),
        commission_flat_fen=round_half_up(Fraction(turnover_fen * FLAT_COMMISSION_PERCENT, 100)),
    )


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


def series_point(tally: Tally) -> SeriesPoint:
    """R-STAT-01 to 03 over one group of rounds; success is sold / held, sell-offs included, defaults not sold."""
    return SeriesPoint(
        rounds=tally.held_in(*Stage),
        sold=tally.outcomes.get(Outcome.SOLD, 0),
        failed=tally.outcomes.get(Outcome.FAILED, 0),
        defaulted=tally.outcomes.get(Outcome.DEFAULTED, 0),
        success=success_rates(tally).rounds,
        premium_over_start=tally.over_start.rates,
        premium_over_reference=tally.over_reference.rates,
        turnover_fen=Fen(tally.over_start.prices_fen),
    )


def success_rates(tally: Tally) -> SuccessRates:
    """R-STAT-03: the same sales over different bases, never mixed. An item sells once, so as many sold as rounds."""
    return SuccessRates(
        items=_share(sum(tally.sold.values()), tally.items),
        rounds=_sold_share(tally, *Stage),
        auctions=_sold_share(tally, Stage.ROUND_1, Stage.ROUND_2),
        round_1=_sold_share(tally, Stage.ROUND_1),
        round_2=_sold_share(tally, Stage.ROUND_2),
        sell_off=_sold_share(tally, Stage.SELL_OFF),
    )


def _sold_share(tally: Tally, *stages: Stage) -> Fraction | None:
    return _share(sum(tally.sold.get(stage, 0) for stage in stages), tally.held_in(*stages))


def _share(part: int, whole: int) -> Fraction | None:
    return Fraction(part, whole) if whole else None


def bracket_parts(price_fen: int) -> tuple[int, ...]:
    """The parts of a price that lie in each of `COMMISSION_BRACKETS`, in fen."""
    parts, lower = [], 0
    for upper, _ in COMMISSION_BRACKETS:
        parts.append(max(0, (price_fen if upper is None else min(price_fen, upper)) - lower))
        lower = upper or lower
    return tuple(parts)


def commission(parts_fen: Sequence[int]) -> Fraction:
    """The highest commission an offline auctioneer could have asked of the buyers, in exact fen (R-COST-06)."""
    return sum((part * rate for part, (_, rate) in zip(parts_fen, COMMISSION_BRACKETS, strict=True)), start=Fraction(0))


def percent(rate: Fraction | None) -> str | None:
    """A rate as percent with two decimals, halves away from zero, never "-0.00"; None stays None."""
    if rate is None:
        return None
    hundredths = round_half_up(rate * 10_000)
    whole, rest = divmod(abs(hundredths), 100)
    return f"{'-' if hundredths < 0 else ''}{whole}.{rest:02d}"
