"""Figures with their definitions, and the document of `auction calc statistics` in the words of the format."""

from dataclasses import asdict
from itertools import pairwise
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from auction.statistics.rules import (
    HeldRound,
    LotRecord,
    Rates,
    SeriesPoint,
    Stage,
    Statistics,
    SuccessRates,
    Tally,
    percent,
    statistics,
)
from kernel.decoding import Label, PositiveFen, Unusable, Wire

_STAGES: dict[int | str, Stage] = {1: Stage.ROUND_1, 2: Stage.ROUND_2, "sell_off": Stage.SELL_OFF}
_ORDER = list(_STAGES)


class RoundInput(Wire, frozen=True):
    """One sale that was held; fen."""

    round: Literal[1, 2, "sell_off"]
    start_fen: PositiveFen
    result: Literal["sold", "failed"]
    price_fen: PositiveFen | None = None

    def __post_init__(self) -> None:
        if (self.result == "sold") != (self.price_fen is not None):
            raise Unusable(
                "price_fen", "a price exactly where the result is `sold`", "成交的须填写价格，未成交的不得填写"
            )


class LotInput(Wire, frozen=True):
    """A lot with its rounds in order."""

    id: Label
    reference_fen: PositiveFen
    rounds: Annotated[list[RoundInput], Meta(min_length=1, max_length=3)]

    def __post_init__(self) -> None:
        for index, (earlier, later) in enumerate(pairwise(self.rounds), start=1):
            if earlier.result == "sold":
                raise Unusable(f"rounds[{index}]", "no round after the sale", "成交之后没有其他轮次")
            if _ORDER.index(later.round) <= _ORDER.index(earlier.round):
                raise Unusable(f"rounds[{index}].round", "the rounds in order, each once", "轮次依次排列，各一次")

    def record(self) -> LotRecord:
        rounds = (HeldRound(_STAGES[held.round], held.start_fen, held.price_fen) for held in self.rounds)
        return LotRecord(self.reference_fen, tuple(rounds))


class StatisticsInput(Wire, frozen=True):
    """The lots to count."""

    lots: Annotated[list[LotInput], Meta(max_length=100_000)]

    def __post_init__(self) -> None:
        seen: set[str] = set()
        for index, lot in enumerate(self.lots):
            if lot.id in seen:
                raise Unusable(f"lots[{index}].id", "each id only once", "每个编号只出现一次")
            seen.add(lot.id)


def calculate(document: StatisticsInput) -> dict[str, object]:
    """R-STAT-01 to 04 over the lots: rates as percent text, amounts in fen."""
    figures = statistics(Tally.of([lot.record() for lot in document.lots]))
    return {
        "premium_over_start": _percents(figures.premium_over_start),
        "premium_over_reference": _percents(figures.premium_over_reference),
        "success_rate": _percents(figures.success_rate),
        "turnover_fen": figures.turnover_fen,
        "commission_saved_fen": {
            "brackets": figures.commission_brackets_fen,
            "flat_5_percent": figures.commission_flat_fen,
        },
        "rules": ["R-STAT-01", "R-STAT-02", "R-STAT-03", "R-STAT-04", "R-COST-06"],
    }


def _percents(rates: Rates | SuccessRates) -> dict[str, str | None]:
    return {name: percent(rate) for name, rate in asdict(rates).items()}


class Figure(msgspec.Struct, frozen=True):
    """One figure beside its definition. A rate is percent text, an amount is fen; None without a base."""

    key: str
    rule: str
    percent: str | None
    amount_fen: int | None
    definition: str
    definition_en: str


class StatisticsView(msgspec.Struct, frozen=True):
    """Figures over all rounds that ended, by court, kind of asset and year of the end."""

    court: str | None
    kind: str | None
    year: int | None
    items: int
    rounds: int
    sold: int
    defaulted: int
    figures: tuple[Figure, ...]


class SeriesRow(msgspec.Struct, frozen=True):
    """One month, kind, court or stage: counts of rounds, rates as percent text (null without a base), fen."""

    key: str
    label: str
    rounds: int
    sold: int
    failed: int
    defaulted: int
    success_percent: str | None
    over_start_mean_percent: str | None
    over_start_median_percent: str | None
    over_start_weighted_percent: str | None
    over_reference_mean_percent: str | None
    over_reference_median_percent: str | None
    over_reference_weighted_percent: str | None
    turnover_fen: int

    @classmethod
    def of(cls, key: str, label: str, point: SeriesPoint) -> "SeriesRow":
        start, reference = point.premium_over_start, point.premium_over_reference
        return cls(
            key=key,
            label=label,
            rounds=point.rounds,
            sold=point.sold,
            failed=point.failed,
            defaulted=point.defaulted,
            success_percent=percent(point.success),
            over_start_mean_percent=percent(start.mean),
            over_start_median_percent=percent(start.median),
            over_start_weighted_percent=percent(start.weighted),
            over_reference_mean_percent=percent(reference.mean),
            over_reference_median_percent=percent(reference.median),
            over_reference_weighted_percent=percent(reference.weighted),
            turnover_fen=point.turnover_fen,
        )


class SeriesView(msgspec.Struct, frozen=True):
    """Rows in order: months by time, the rest by number of rounds; definitions by the names of the columns."""

    by: str
    court: str | None
    kind: str | None
    year: int | None
    rows: tuple[SeriesRow, ...]
    definitions: dict[str, str]
    definitions_en: dict[str, str]


_OVER_START = ("R-STAT-01", "（成交价－成交轮次起拍价）÷该起拍价", "(price - start price of the round that sold) / it")
_OVER_REFERENCE = ("R-STAT-01", "（成交价－参考价）÷参考价", "(price - reference price) / reference price")
_AVERAGES = {
    "mean": ("各成交标的之算术平均", "arithmetic mean of sold lots"),
    "median": ("各成交标的之中位数", "median of sold lots"),
    "weighted": ("按金额加权：合计差额÷合计基数", "weighted by amount: sum of differences / sum of bases"),
}
_SUCCESS = {
    "items": (
        "成交件数÷上拍件数；同一财产各轮次为一件，悔拍后重新拍卖另计一件",
        "items sold / items offered; all rounds of an asset are one item, a resale is another",
    ),
    "rounds": (
        "成交场次÷结束场次，含变卖；悔拍计为未成交",
        "rounds sold / rounds held, sell-offs included; a defaulted sale counts as failed",
    ),
    "auctions": ("成交场次÷结束场次，不含变卖", "rounds sold / rounds held, without sell-offs"),
    "round_1": ("一拍成交场次÷一拍结束场次，含重新拍卖", "first rounds sold / held, resales included"),
    "round_2": ("二拍成交场次÷二拍结束场次", "second rounds sold / held"),
    "sell_off": ("变卖成交场次÷变卖结束场次", "sell-offs sold / held"),
}
_TURNOVER = ("成交价合计，悔拍不计", "sum of prices, without defaulted sales")
_BRACKETS = ("按线下拍卖佣金上限分段计算", "the highest commission of an offline auction, by brackets")
_FLAT = ("成交额的百分之五", "flat 5 % of turnover")


def series_definitions(*, english: bool) -> dict[str, str]:
    """What each column of a series means, by its name (R-STAT-01 to 03)."""
    at = 2 if english else 1
    found = {
        f"over_{base}_{average}_percent": ("; " if english else "；").join((words[at], _AVERAGES[average][at - 1]))
        for base, words in (("start", _OVER_START), ("reference", _OVER_REFERENCE))
        for average in _AVERAGES
    }
    return found | {"success_percent": _SUCCESS["rounds"][at - 1], "turnover_fen": _TURNOVER[at - 1]}


def figures_of(figures: Statistics) -> tuple[Figure, ...]:
    """Every figure beside its base and method, so that none is read for another (R-STAT-01 to 04)."""
    found = []
    for name, rates, (rule, zh, en) in (
        ("premium_over_start", figures.premium_over_start, _OVER_START),
        ("premium_over_reference", figures.premium_over_reference, _OVER_REFERENCE),
    ):
        for average, rate in _percents(rates).items():
            how, how_en = _AVERAGES[average]
            found.append(Figure(f"{name}.{average}", rule, rate, None, f"{zh}；{how}", f"{en}; {how_en}"))
    for base, rate in _percents(figures.success_rate).items():
        found.append(Figure(f"success_rate.{base}", "R-STAT-03", rate, None, *_SUCCESS[base]))
    saved = "commission_saved_fen"
    return (
        *found,
        Figure("turnover_fen", "R-STAT-03", None, figures.turnover_fen, *_TURNOVER),
        Figure(f"{saved}.brackets", "R-COST-06", None, figures.commission_brackets_fen, *_BRACKETS),
        Figure(f"{saved}.flat_5_percent", "R-STAT-04", None, figures.commission_flat_fen, *_FLAT),
    )
