"""Enforcement fee (W-09, W-20) and the use of a forfeited deposit (W-08)."""

from dataclasses import astuple
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.money import MAX_FEN, Fen
from settlement.completion.errors import DayPassed, NothingToSetOff, SaleNotThere, SetOffUndecided, WrongDay
from settlement.completion.rules import (
    Default,
    ForfeitedDeposit,
    SaleState,
    enforcement_fee,
    require,
    require_future_day,
    set_off_creditor,
    set_off_fen,
    use_forfeited_deposit,
)

FENS = st.integers(0, MAX_FEN).map(Fen)


@pytest.mark.parametrize(
    ("amount_fen", "fee_fen"),
    [
        (0, 50_00),
        (5_000_00, 50_00),
        (10_000_00, 50_00),
        (10_001_00, 50_02),
        (100_000_00, 1_400_00),
        (500_000_00, 7_400_00),
        (1_000_000_00, 12_400_00),
        (5_000_000_00, 52_400_00),
        (10_000_000_00, 77_400_00),
        (12_345_678_90, 79_745_68),
        (32_572_025_00, 99_972_03),
        (100_000_000_00, 167_400_00),
    ],
)
def test_w09(amount_fen: int, fee_fen: int) -> None:
    assert enforcement_fee(Fen(amount_fen)) == fee_fen


@settings(deadline=None)
@given(FENS, FENS)
def test_a_larger_amount_never_pays_a_smaller_fee(one: Fen, other: Fen) -> None:
    assert enforcement_fee(min(one, other)) <= enforcement_fee(max(one, other))


def used(
    first: int, deposit: int, costs: int, resale: int, case_debt: int, related: int
) -> tuple[int, int, int, int, int, int]:
    default = Default(*map(Fen, (first, deposit, costs, resale, case_debt, related)))
    amounts: tuple[int, int, int, int, int, int] = astuple(use_forfeited_deposit(default))
    return amounts


def test_w08a_large_deposit() -> None:
    assert used(1_000_000_00, 300_000_00, 5_000_00, 880_000_00, 160_000_00, 50_000_00) == (
        (5_000_00, 120_000_00, 160_000_00, 15_000_00, 0, 0)
    )


def test_w08b_small_deposit() -> None:
    assert used(8_000_000_00, 510_000_00, 10_000_00, 7_000_000_00, 1_000_000_00, 0) == (
        (10_000_00, 500_000_00, 0, 0, 0, 500_000_00)
    )


def test_w08c_real_shortfall() -> None:
    default = Default(*map(Fen, (1_775_584_80, 100_000_00, 0, 1_451_667_84, 0, 0)))
    assert default.shortfall_fen == 323_916_96
    assert use_forfeited_deposit(default).uncovered_fen == 223_916_96


def test_w08d_resale_higher() -> None:
    assert used(1_000_000_00, 100_000_00, 4_000_00, 1_080_000_00, 90_000_00, 6_000_00) == (
        (4_000_00, 0, 90_000_00, 6_000_00, 0, 0)
    )


def test_w20_what_no_debt_takes_stays_pending() -> None:
    assert used(40_200_000_00, 2_000_000_00, 0, 45_000_000_00, 0, 0) == (0, 0, 0, 0, 2_000_000_00, 0)


def test_the_deposit_may_not_even_cover_the_costs() -> None:
    assert used(100, 10, 30, 90, 0, 0) == (10, 0, 0, 0, 0, 30)


@settings(deadline=None)
@given(st.builds(Default, FENS, FENS, FENS, FENS, FENS, FENS))
def test_every_fen_of_the_deposit_has_one_place(default: Default) -> None:
    use: ForfeitedDeposit = use_forfeited_deposit(default)
    steps = (
        (use.to_costs_fen, default.costs_fen),
        (use.to_shortfall_fen, default.shortfall_fen),
        (use.to_case_debt_fen, default.case_debt_open_fen),
        (use.to_related_debt_fen, default.related_debt_open_fen),
    )
    assert sum(taken for taken, _ in steps) + use.pending_decision_fen == default.deposit_fen
    assert all(0 <= taken <= wanted for taken, wanted in steps)
    for index, (taken, wanted) in enumerate(steps):
        if taken < wanted:  # a step left short leaves nothing for the later ones
            assert not any(later for later, _ in steps[index + 1 :])
            assert use.pending_decision_fen == 0
    assert use.uncovered_fen == (default.costs_fen + default.shortfall_fen - use.to_costs_fen - use.to_shortfall_fen)


@pytest.mark.parametrize("facts", [{}, {"set_off_for": ""}, {"set_off_for": 1}, {"set_off": "李某"}])
def test_a_decision_that_names_no_creditor_sets_nothing_off(facts: dict[str, str | int]) -> None:
    with pytest.raises(SetOffUndecided):
        set_off_creditor(facts)
    assert set_off_creditor(facts | {"set_off_for": "李某"}) == "李某"


@pytest.mark.parametrize(
    ("price", "deposit", "entitlement", "expected"),
    [(100, 10, 1, 1), (100, 10, 89, 89), (100, 10, 90, 90), (100, 10, 100, 90), (100, 0, 100, 100)],
)
def test_a_set_off_goes_up_to_the_balance(price: int, deposit: int, entitlement: int, expected: int) -> None:
    assert set_off_fen(Fen(price), Fen(deposit), Fen(entitlement)) == expected


@pytest.mark.parametrize(("deposit", "entitlement"), [(100, 50), (10, 0)])
def test_without_balance_or_entitlement_there_is_nothing_to_set_off(deposit: int, entitlement: int) -> None:
    with pytest.raises(NothingToSetOff):
        set_off_fen(Fen(100), Fen(deposit), Fen(entitlement))


def test_a_last_day_that_has_passed_is_told_the_earliest_one() -> None:
    with pytest.raises(DayPassed) as caught:
        require_future_day(date(2025, 6, 2), date(2025, 6, 3))
    assert caught.value.code == WrongDay.code
    assert caught.value.detail == "日期 2025-06-02 不得早于 2025-06-03"


def test_the_state_of_a_sale_is_said_in_words() -> None:
    with pytest.raises(SaleNotThere) as caught:
        require(SaleState.HANDED_OVER, SaleState.PAID)
    assert "“已交付”" in caught.value.detail
    assert "handed over" in caught.value.detail_en
    assert caught.value.facts["state"] == "handed_over"
