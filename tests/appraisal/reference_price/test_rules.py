"""Reference price: worked case W-01 and the edges of validity."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appraisal.reference_price.errors import CorrectedPriceMissing, PriceExpired
from appraisal.reference_price.rules import (
    Objection,
    Reason,
    Report,
    appraisal_fee_base,
    assess,
    enquiry_fee_platforms,
    latest_validity,
    price_still_good,
    require_good_price,
    sell_by,
)
from kernel.money import MAX_FEN, Fen

A = Report("A", Fen(123_456_700))
B = Report("B", Fen(130_000_100))
C = Report("C", Fen(125_000_001))


def objected(report: Report, objection: Objection, corrected_fen: int | None = None) -> Report:
    corrected = None if corrected_fen is None else Fen(corrected_fen)
    return Report(report.platform, report.price_fen, objection, corrected)


@pytest.mark.parametrize(
    ("reports", "price_fen", "included", "excluded"),
    [
        ([A, B, C], 126_152_267, ("A", "B", "C"), ()),
        ([A, B, Report("C", None)], 126_728_400, ("A", "B"), (("C", Reason.NOT_DELIVERED),)),
        ([A, objected(B, Objection.UPHELD), C], 124_228_351, ("A", "C"), (("B", Reason.UPHELD),)),
        ([A, objected(B, Objection.DISMISSED), C], 124_228_351, ("A", "C"), (("B", Reason.OBJECTED),)),
        (
            [A, objected(B, Objection.CORRECTED, 1), Report("C", None)],
            123_456_700,
            ("A",),
            (("B", Reason.OBJECTED), ("C", Reason.NOT_DELIVERED)),
        ),
        (
            [objected(A, Objection.DISMISSED), objected(B, Objection.UPHELD), objected(C, Objection.DISMISSED)],
            124_228_351,
            ("A", "C"),
            (("B", Reason.UPHELD),),
        ),
        (
            [objected(A, Objection.CORRECTED, 100), objected(B, Objection.DISMISSED)],
            65_000_100,
            ("A", "B"),
            (),
        ),
        ([objected(A, Objection.UPHELD)], None, (), (("A", Reason.UPHELD),)),
        ([Report("A", None)], None, (), (("A", Reason.NOT_DELIVERED),)),
        ([], None, (), ()),
    ],
    ids=[
        "a all in time",
        "b one missing",
        "c one objected",
        "dismissed does not count beside an unopposed one",
        "nor does a corrected one",
        "d all objected",
        "corrected counts at its corrected price",
        "all upheld",
        "none delivered",
        "no reports",
    ],
)
def test_w01_means(
    reports: list[Report],
    price_fen: int | None,
    included: tuple[str, ...],
    excluded: tuple[tuple[str, Reason], ...],
) -> None:
    assessment = assess(reports)
    assert assessment.price_fen == price_fen
    assert assessment.included == included
    assert assessment.excluded == excluded


def test_a_corrected_report_needs_its_price() -> None:
    with pytest.raises(CorrectedPriceMissing) as caught:
        objected(A, Objection.CORRECTED)
    assert caught.value.law == "法释〔2018〕15号 第十三条"


def test_w01_enquiry_fee_goes_to_the_closest() -> None:
    assert enquiry_fee_platforms([A, B, C], Fen(124_900_000)) == ("C",)
    tied = [Report("A", Fen(99_000_000)), Report("B", Fen(101_000_000)), Report("C", None)]
    assert enquiry_fee_platforms(tied, Fen(100_000_000)) == ("A", "B")
    assert enquiry_fee_platforms([Report("C", None)], Fen(1)) == ()


def test_w01_appraisal_fee_base() -> None:
    assert appraisal_fee_base(Fen(100_000_000), Fen(91_000_000)) == 91_000_000
    assert appraisal_fee_base(Fen(100_000_000), Fen(110_000_000)) == 100_000_000


@pytest.mark.parametrize(
    ("announced", "sold", "good"),
    [
        (date(2025, 6, 20), None, True),
        (date(2025, 6, 20), date(2025, 12, 15), True),
        (date(2025, 6, 30), date(2025, 12, 30), True),
        (date(2025, 6, 20), date(2025, 12, 31), False),
        (date(2025, 6, 20), date(2026, 1, 5), False),
        (date(2025, 7, 1), None, False),
        (date(2025, 7, 1), date(2025, 8, 1), False),
    ],
)
def test_w01_validity(announced: date, sold: date | None, good: bool) -> None:
    assert price_still_good(date(2025, 6, 30), announced, sold) is good


def test_an_expired_price_is_refused_with_its_dates() -> None:
    require_good_price(date(2025, 6, 30), date(2025, 6, 30))
    with pytest.raises(PriceExpired) as caught:
        require_good_price(date(2025, 6, 30), date(2025, 7, 1))
    assert caught.value.facts == {"valid_until": "2025-06-30", "sell_by": "2025-12-30"}


def test_months_end_with_the_month() -> None:
    assert sell_by(date(2025, 8, 31)) == date(2026, 2, 28)
    assert sell_by(date(2023, 8, 31)) == date(2024, 2, 29)
    assert latest_validity(date(2024, 2, 29)) == date(2025, 2, 28)
    assert latest_validity(date(2024, 12, 31)) == date(2025, 12, 31)


@settings(deadline=None)
@given(
    st.lists(
        st.builds(
            Report,
            st.uuids().map(str),
            st.none() | st.integers(1, MAX_FEN).map(Fen),
            st.sampled_from(Objection),
            st.integers(1, MAX_FEN).map(Fen),
        )
    )
)
def test_every_report_has_one_fate_and_the_price_lies_between_the_counted(reports: list[Report]) -> None:
    assessment = assess(reports)
    fates = [*assessment.included, *(platform for platform, _ in assessment.excluded)]
    assert sorted(fates) == sorted(report.platform for report in reports)
    counted = [r.standing_price_fen for r in reports if r.platform in assessment.included]
    prices = [price for price in counted if price is not None]
    if assessment.price_fen is None:
        assert not prices
    else:
        assert min(prices) <= assessment.price_fen <= max(prices)
        assert abs(2 * (assessment.price_fen * len(prices) - sum(prices))) <= len(prices)
