"""Terms of a lot: worked case W-02, every bound at its edge, and the bounds' exactness."""

from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auction.lots.bounds import (
    SELL_OFF_PERIOD,
    PriceChain,
    check_decision,
    check_terms,
    deposit_band,
    price_chain,
    resale_percent_of,
    second_round_floor,
    start_floor,
)
from auction.lots.errors import (
    BalanceTermMissing,
    BiddingTooShort,
    DecisionDiffers,
    DepositOutOfBand,
    IncrementMissing,
    RoundNotAllowed,
    SecondRoundPriceTooLow,
    SellOffPeriodDiffers,
    SellOffPriceDiffers,
    StartPriceTooLow,
    TermsRefused,
)
from auction.lots.rules import EarlierSale, Round, Status, Terms, check_place_on_road, rounds_after
from kernel.money import MAX_FEN, Fen

REFERENCE = Fen(88_333_333)
FIRST = Terms(
    round=Round.ROUND_1,
    start_price_fen=Fen(61_833_334),
    increment_fen=Fen(100_000),
    deposit_fen=Fen(3_091_667),
    duration=timedelta(hours=24),
    balance_due_days=10,
)
FENS = st.integers(1, MAX_FEN).map(Fen)


def test_w01_floor() -> None:
    assert start_floor(Fen(126_152_267)) == 88_306_587


def test_w02_price_chain() -> None:
    assert price_chain(Fen(100_000_000)) == PriceChain(
        *map(Fen, (70_000_000, 3_500_000, 14_000_000, 56_000_000, 2_800_000, 11_200_000, 56_000_000))
    )
    assert price_chain(REFERENCE) == PriceChain(
        *map(Fen, (61_833_334, 3_091_667, 12_366_666, 49_466_668, 2_473_334, 9_893_333, 49_466_668))
    )


def test_w02_the_second_round_counts_from_the_actual_first_start() -> None:
    chain = price_chain(Fen(100_000_000), Fen(90_000_000))
    assert chain.round_1_min_fen == 70_000_000
    assert (chain.round_1_deposit_min_fen, chain.round_1_deposit_max_fen) == (4_500_000, 18_000_000)
    assert chain.round_2_min_fen == 72_000_000


def test_w02_no_chain_from_below_the_floor() -> None:
    with pytest.raises(StartPriceTooLow) as caught:
        price_chain(REFERENCE, Fen(61_833_333))
    assert caught.value.facts["floor_fen"] == 61_833_334


def test_terms_at_every_bound_are_lawful() -> None:
    check_terms(FIRST, REFERENCE, None)
    check_terms(replace(FIRST, deposit_fen=Fen(12_366_666)), REFERENCE, None)
    check_terms(replace(FIRST, round=Round.RESALE), REFERENCE, None)
    second = replace(FIRST, round=Round.ROUND_2, start_price_fen=Fen(49_466_668), deposit_fen=Fen(2_473_334))
    check_terms(second, REFERENCE, FIRST.start_price_fen)
    sell_off = replace(second, round=Round.SELL_OFF, duration=SELL_OFF_PERIOD)
    check_terms(sell_off, REFERENCE, second.start_price_fen)


@pytest.mark.parametrize(
    ("change", "previous_fen", "refusal", "facts"),
    [
        ({"start_price_fen": 61_833_333}, None, StartPriceTooLow, {"percent": 70, "floor_fen": 61_833_334}),
        (
            {"start_price_fen": 61_833_333, "round": Round.RESALE},
            None,
            StartPriceTooLow,
            {"percent": 70, "floor_fen": 61_833_334},
        ),
        (
            {"start_price_fen": 49_466_667, "round": Round.ROUND_2},
            61_833_334,
            SecondRoundPriceTooLow,
            {"percent": 20, "floor_fen": 49_466_668},
        ),
        (
            {"start_price_fen": 49_466_669, "round": Round.SELL_OFF},
            49_466_668,
            SellOffPriceDiffers,
            {"price_fen": 49_466_668},
        ),
        (
            {"start_price_fen": 61_833_334, "round": Round.SELL_OFF, "duration": SELL_OFF_PERIOD - timedelta(days=1)},
            61_833_334,
            SellOffPeriodDiffers,
            {"days": 60},
        ),
        (
            {"deposit_fen": 3_091_666},
            None,
            DepositOutOfBand,
            {"deposit_min_fen": 3_091_667, "deposit_max_fen": 12_366_666, "min_percent": 5, "max_percent": 20},
        ),
        (
            {"deposit_fen": 12_366_667},
            None,
            DepositOutOfBand,
            {"deposit_min_fen": 3_091_667, "deposit_max_fen": 12_366_666, "min_percent": 5, "max_percent": 20},
        ),
        ({"increment_fen": 0}, None, IncrementMissing, {}),
        ({"duration": timedelta(hours=24, milliseconds=-1)}, None, BiddingTooShort, {"minimum_hours": 24}),
        ({"balance_due_days": 0}, None, BalanceTermMissing, {}),
    ],
)
def test_terms_beyond_a_bound_are_refused_with_it(
    change: dict[str, object], previous_fen: int | None, refusal: type[TermsRefused], facts: dict[str, object]
) -> None:
    previous = None if previous_fen is None else Fen(previous_fen)
    with pytest.raises(refusal) as caught:
        check_terms(replace(FIRST, **change), REFERENCE, previous)  # type: ignore[arg-type]
    assert caught.value.facts == facts
    assert caught.value.rule


def test_sentences_speak_yuan() -> None:
    with pytest.raises(StartPriceTooLow) as caught:
        check_terms(replace(FIRST, start_price_fen=Fen(1)), REFERENCE, None)
    assert caught.value.detail == "起拍价不得低于参考价的70%，即 618,333.34 元"
    assert "618,333.34 yuan" in caught.value.detail_en
    assert caught.value.law == "法释〔2016〕18号 第十条"


def test_sentences_take_their_percentages_from_the_bounds() -> None:
    with pytest.raises(DepositOutOfBand) as caught:
        check_terms(replace(FIRST, deposit_fen=Fen(1)), REFERENCE, None)
    assert caught.value.detail == "保证金应为起拍价的5%至20%，即 30,916.67 元至 123,666.66 元"
    assert "5 % to 20 %" in caught.value.detail_en


@pytest.mark.parametrize(
    ("decided", "sentence"),
    [
        ({"deposit_fen": 1_00}, "保证金与合议庭决定不一致，决定为 1.00 元"),
        ({"balance_due_days": 1}, "付款期限与合议庭决定不一致，决定为 1 日"),
    ],
)
def test_a_term_that_differs_is_named(decided: dict[str, str | int], sentence: str) -> None:
    with pytest.raises(DecisionDiffers) as caught:
        check_decision(decided, FIRST)
    assert caught.value.detail == sentence
    assert caught.value.facts["field"] in decided


def test_the_rounds_that_may_follow_are_named() -> None:
    with pytest.raises(RoundNotAllowed) as caught:
        check_place_on_road(Round.SELL_OFF, None, None, price_fixed_on=date(2025, 4, 1), resale_ordered=False)
    assert caught.value.facts["allowed"] == "round_1"
    assert caught.value.detail.endswith("可进行：一拍")
    assert caught.value.detail_en.endswith("possible: round 1")


def test_a_court_may_set_the_floor_of_a_resale() -> None:
    resale = replace(FIRST, round=Round.RESALE, start_price_fen=Fen(49_466_667), deposit_fen=Fen(2_473_334))
    check_terms(resale, REFERENCE, None, resale_percent=56)
    with pytest.raises(StartPriceTooLow):
        check_terms(resale, REFERENCE, None)
    with pytest.raises(StartPriceTooLow):
        check_terms(replace(resale, start_price_fen=Fen(0)), REFERENCE, None, resale_percent=0)
    assert resale_percent_of({"resale_percent": 56}) == 56
    for facts in ({}, {"resale_percent": 0}, {"resale_percent": 101}, {"resale_percent": "56"}):
        assert resale_percent_of(facts) == 70, "what is no percentage sets nothing"


@pytest.mark.parametrize("round_", [Round.ROUND_2, Round.SELL_OFF])
def test_later_rounds_need_the_price_of_the_round_before(round_: Round) -> None:
    with pytest.raises(ValueError, match="failed round"):
        check_terms(replace(FIRST, round=round_), REFERENCE, None)


@settings(deadline=None)
@given(FENS)
def test_minimums_round_up_and_maximums_down(amount: Fen) -> None:
    assert 100 * (start_floor(amount) - 1) < 70 * amount <= 100 * start_floor(amount)
    assert 100 * (second_round_floor(amount) - 1) < 80 * amount <= 100 * second_round_floor(amount)
    low, high = deposit_band(amount)
    assert 100 * (low - 1) < 5 * amount <= 100 * low
    assert 100 * high <= 20 * amount < 100 * (high + 1)


@settings(deadline=None)
@given(FENS)
def test_two_rounds_started_low_end_at_56_percent(reference: Fen) -> None:
    """R-FAIL-01: the floor of the second round is 56 % of the reference, but for two roundings up."""
    second = price_chain(reference).round_2_min_fen
    assert 0 <= 100 * second - 56 * reference < 200


R1, R2, RESALE, SELL_OFF = Round.ROUND_1, Round.ROUND_2, Round.RESALE, Round.SELL_OFF
ENDED = date(2025, 3, 3)


@pytest.mark.parametrize(
    ("round_", "repeats", "status", "then"),
    [
        (R1, R1, Status.FAILED, {R2}),
        (R2, R2, Status.FAILED, {SELL_OFF}),
        (SELL_OFF, SELL_OFF, Status.FAILED, set()),
        (RESALE, R1, Status.FAILED, {R2}),
        (RESALE, R2, Status.FAILED, {SELL_OFF}),
        (RESALE, SELL_OFF, Status.FAILED, {SELL_OFF}),
        (R1, R1, Status.DEFAULTED, {RESALE}),
        (R2, R2, Status.DEFAULTED, {RESALE}),
        (SELL_OFF, SELL_OFF, Status.DEFAULTED, {RESALE}),
        (RESALE, R2, Status.ANNULLED, {RESALE}),
        (R2, R2, Status.SOLD, set()),
    ],
)
def test_which_sale_may_come_next(round_: Round, repeats: Round, status: Status, then: set[Round]) -> None:
    """R-FAIL-01, 02: two auctions and no third, whichever of them was held again after a default."""
    earlier = EarlierSale(UUID(int=1), round_, repeats, status, ENDED)
    assert rounds_after(earlier, ENDED) == then
    anew = {R1} if status is Status.FAILED else set()
    assert rounds_after(earlier, ENDED + timedelta(days=1)) == then | anew, "anew under a later reference price"
