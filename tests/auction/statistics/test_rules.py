"""Premium and success statistics: worked case W-07 with the published figures it checks."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auction.statistics.rules import (
    HeldRound,
    LotRecord,
    Premiums,
    Rates,
    Stage,
    Statistics,
    Tally,
    bracket_parts,
    commission,
    percent,
)
from auction.statistics.rules import statistics as figures_of
from kernel.money import Fen


def held(stage: Stage, start_yuan: int, price_yuan: int | None = None) -> HeldRound:
    return HeldRound(stage, Fen(start_yuan * 100), None if price_yuan is None else Fen(price_yuan * 100))


def lot(reference_yuan: int, *rounds: HeldRound) -> LotRecord:
    return LotRecord(Fen(reference_yuan * 100), rounds)


W07 = [
    lot(1_000_000, held(Stage.ROUND_1, 700_000, 910_000)),
    lot(500_000, held(Stage.ROUND_1, 350_000), held(Stage.ROUND_2, 280_000, 280_000)),
    lot(80_000, held(Stage.ROUND_1, 56_000, 123_200)),
    lot(
        2_000_000,
        held(Stage.ROUND_1, 1_400_000),
        held(Stage.ROUND_2, 1_120_000),
        held(Stage.SELL_OFF, 1_120_000),
    ),
]


def statistics(lots: list[LotRecord]) -> Statistics:
    return figures_of(Tally.of(lots))


def premium_rates(sales: list[tuple[int, int]]) -> Rates:
    return Premiums.of(sales).rates


def shown(rates: Rates) -> tuple[str | None, str | None, str | None]:
    return percent(rates.mean), percent(rates.median), percent(rates.weighted)


def test_w07() -> None:
    figures = statistics(W07)
    assert shown(figures.premium_over_start) == ("50.00", "30.00", "26.76")
    assert shown(figures.premium_over_reference) == ("0.33", "-9.00", "-16.89")
    success = figures.success_rate
    assert percent(success.items) == "75.00"
    assert percent(success.rounds) == "42.86"
    assert percent(success.auctions) == "50.00"
    assert percent(success.round_1) == "50.00"
    assert percent(success.round_2) == "50.00"
    assert percent(success.sell_off) == "0.00"
    assert figures.turnover_fen == 131_320_000
    assert figures.commission_brackets_fen == 6_566_000
    assert figures.commission_flat_fen == 6_566_000


def test_w07_commission_of_a_large_lot() -> None:
    figures = statistics([lot(12_000_000, held(Stage.ROUND_1, 12_000_000, 12_000_000))])
    assert figures.commission_brackets_fen == 38_000_000
    assert figures.commission_flat_fen == 60_000_000


@pytest.mark.parametrize(
    ("base_yuan", "price_yuan", "rate"),
    [
        (300, 8_500, "2733.33"),
        (500, 2_600, "420.00"),
        (1_650_000, 6_890_000, "317.58"),
        (199_900, 330_900, "65.53"),
        (50_000, 67_000, "34.00"),
        (280_000, 356_000, "27.14"),
    ],
)
def test_w07_published_premiums(base_yuan: int, price_yuan: int, rate: str) -> None:
    assert shown(premium_rates([(base_yuan, price_yuan)])) == (rate, rate, rate)


def many(sold: int, items: int, rounds: int) -> list[LotRecord]:
    """`items` lots of which `sold` were sold, over `rounds` rounds in all."""
    second = rounds - items
    lots = [lot(1, held(Stage.ROUND_1, 1, 1)) for _ in range(sold)]
    lots += [lot(1, held(Stage.ROUND_1, 1), held(Stage.ROUND_2, 1)) for _ in range(second)]
    return lots + [lot(1, held(Stage.ROUND_1, 1)) for _ in range(items - sold - second)]


@pytest.mark.parametrize(
    ("sold", "items", "rounds", "by_item", "by_round"),
    [(67, 96, 119, "69.79", "56.30"), (10, 18, 18, "55.56", "55.56")],
)
def test_w07_published_success_rates(sold: int, items: int, rounds: int, by_item: str, by_round: str) -> None:
    success = statistics(many(sold, items, rounds)).success_rate
    assert (percent(success.items), percent(success.rounds)) == (by_item, by_round)


def test_w07_published_commission_share() -> None:
    assert percent(Fraction(780_000, 25_453_000)) == "3.06"


def test_without_a_base_there_is_no_rate() -> None:
    figures = statistics([])
    assert shown(figures.premium_over_start) == (None, None, None)
    assert figures.success_rate.items is None
    assert figures.turnover_fen == figures.commission_brackets_fen == figures.commission_flat_fen == 0
    failed = statistics([lot(1, held(Stage.ROUND_1, 1))])
    assert shown(failed.premium_over_reference) == (None, None, None)
    assert percent(failed.success_rate.items) == "0.00"
    assert failed.success_rate.sell_off is None


def test_the_median_of_an_even_number_is_the_middle_of_two() -> None:
    assert percent(premium_rates([(100, 110), (100, 125), (100, 100), (100, 190)]).median) == "17.50"


@pytest.mark.parametrize(
    ("rate", "text"),
    [
        (Fraction(-1, 30_000), "0.00"),
        (Fraction(-1, 20_000), "-0.01"),
        (Fraction(1, 20_000), "0.01"),
        (Fraction(-9, 100), "-9.00"),
        (Fraction(-1, 1000), "-0.10"),
        (Fraction(0), "0.00"),
        (Fraction(10_005, 1_000_000), "1.00"),
        (Fraction(10_050, 1_000_000), "1.01"),
    ],
)
def test_percent_rounds_halves_away_from_zero(rate: Fraction, text: str) -> None:
    assert percent(rate) == text


@pytest.mark.parametrize(
    ("price_yuan", "commission_yuan"),
    [(2_000_000, 100_000), (10_000_000, 340_000), (50_000_000, 1_140_000), (100_000_000, 1_640_000)],
)
def test_commission_at_the_bracket_edges(price_yuan: int, commission_yuan: int) -> None:
    assert commission(bracket_parts(price_yuan * 100)) == commission_yuan * 100


SALES = st.lists(st.tuples(st.integers(1, 10**15), st.integers(1, 10**15)), min_size=1, max_size=20)
ROUND_SALES = st.lists(
    st.tuples(st.sampled_from((3, 7, 16, 625, 30_000)), st.integers(1, 30_000)), min_size=1, max_size=6
)
"""Bases whose rates fall on the edge of a rounding, alone or together (1/3 and 2/3)."""


@settings(deadline=None)
@given(st.one_of(SALES, ROUND_SALES))
def test_averages_are_shown_as_exact_fractions_would_be(sales: list[tuple[int, int]]) -> None:
    """An oracle that carries every fraction, which no country's sales could be carried by."""
    exact = sorted(Fraction(price - base, base) for base, price in sales)
    half = len(exact) // 2
    rates = premium_rates(sales)
    assert percent(rates.mean) == percent(sum(exact, Fraction(0)) / len(exact))
    assert percent(rates.median) == percent((exact[(len(exact) - 1) // 2] + exact[half]) / 2)
    assert rates.mean is not None
    assert exact[0] - Fraction(1, 10**20) <= rates.mean <= exact[-1] + Fraction(1, 10**20)


def test_as_many_sales_as_the_calculator_takes_are_averaged() -> None:
    """With a denominator for each sale an exact sum would have a million digits."""
    sales = [(1_000_003 + 2 * number, 2_000_006 + 4 * number) for number in range(99_999)]
    assert shown(premium_rates([*sales, (100, 350)])) == ("100.00", "100.00", "100.00")


@settings(deadline=None)
@given(st.integers(0, 10**15))
def test_the_bracket_commission_never_exceeds_five_percent(price_fen: int) -> None:
    parts = bracket_parts(price_fen)
    assert sum(parts) == price_fen
    assert commission(parts) <= Fraction(price_fen * 5, 100)
