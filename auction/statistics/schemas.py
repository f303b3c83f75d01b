"""The document of `auction calc statistics`: strict input, and the output in the words of the format."""

from dataclasses import asdict
from itertools import pairwise
from typing import Annotated, Literal

from msgspec import Meta

from auction.statistics.rules import (
    HeldRound,
    LotRecord,
    Rates,
    Stage,
    SuccessRates,
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
            raise Unusable("price_fen", "expected a price exactly where the result is `sold`")


class LotInput(Wire, frozen=True):
    """A lot with its rounds in order."""

    id: Label
    reference_fen: PositiveFen
    rounds: Annotated[list[RoundInput], Meta(min_length=1, max_length=3)]

    def __post_init__(self) -> None:
        for index, (earlier, later) in enumerate(pairwise(self.rounds), start=1):
            if earlier.result == "sold":
                raise Unusable(f"rounds[{index}]", "expected no round after the sale")
            if _ORDER.index(later.round) <= _ORDER.index(earlier.round):
                raise Unusable(f"rounds[{index}].round", "expected the rounds in order, each once")

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
                raise Unusable(f"lots[{index}].id", "expected each id only once")
            seen.add(lot.id)


def calculate(document: StatisticsInput) -> dict[str, object]:
    """R-STAT-01 to 04 over the lots: rates as percent text, amounts in fen."""
    figures = statistics([lot.record() for lot in document.lots])
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
