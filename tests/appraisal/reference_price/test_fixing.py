"""What a reference price rests on and how long it is valid, by tables (R-REF-03 to 13)."""

from datetime import date

import pytest

from appraisal.reference_price.errors import (
    BasisExpired,
    BasisTooYoung,
    NoPriceBasis,
    NothingToObject,
    ObjectionDecided,
    PriceFixed,
    ValidityTooLong,
)
from appraisal.reference_price.rules import (
    AppraisalReport,
    DatedReport,
    Method,
    Objection,
    Reason,
    ReferencePrice,
    Report,
    appraisal_basis,
    enquiry_basis,
    fix,
    object_to,
    require_unfixed,
    stated_basis,
)
from kernel.ids import ordered_id
from kernel.money import Fen

ASSET = ordered_id()
DAY = date(2025, 3, 3)


def report(platform: str, price_fen: int | None, report_on: date | None = DAY) -> DatedReport:
    price = None if price_fen is None else Fen(price_fen)
    return DatedReport(Report(platform, price), report_on if price_fen is not None else None)


def test_an_enquiry_is_valid_for_a_year_from_the_oldest_report_that_counts() -> None:
    opposed = object_to(report("old", 900, date(2024, 12, 1)), Objection.DISMISSED, None)
    reports = [opposed, report("a", 100, date(2025, 2, 1)), report("b", 201, DAY), report("late", None)]
    price = fix(ASSET, Method.NETWORK_ENQUIRY, enquiry_basis(reports), DAY)
    assert price == ReferencePrice(
        asset_id=ASSET,
        price_fen=Fen(151),
        method=Method.NETWORK_ENQUIRY,
        fixed_on=DAY,
        valid_until=date(2026, 2, 1),
        included=("a", "b"),
        excluded=(("old", Reason.OBJECTED), ("late", Reason.NOT_DELIVERED)),
    )


@pytest.mark.parametrize("reports", [[], [report("a", None)], [object_to(report("a", 100), Objection.UPHELD, None)]])
def test_without_a_report_that_counts_there_is_no_price(reports: list[DatedReport]) -> None:
    with pytest.raises(NoPriceBasis):
        enquiry_basis(reports)


def test_a_report_is_objected_to_once_and_only_if_it_was_delivered() -> None:
    corrected = object_to(report("a", 100), Objection.CORRECTED, Fen(90))
    assert enquiry_basis([corrected]).price_fen == 90
    with pytest.raises(ObjectionDecided):
        object_to(corrected, Objection.UPHELD, None)
    with pytest.raises(NothingToObject):
        object_to(report("a", None), Objection.UPHELD, None)


def test_the_last_appraisal_counts_with_the_validity_it_states() -> None:
    first = AppraisalReport("甲评估", Fen(100), date(2025, 1, 10), date(2026, 1, 9))
    again = AppraisalReport("甲评估", Fen(110), date(2025, 2, 10), date(2025, 8, 10))
    price = fix(ASSET, Method.APPRAISAL, appraisal_basis([first, again]), DAY)
    assert (price.price_fen, price.valid_until) == (110, date(2025, 8, 10))
    with pytest.raises(NoPriceBasis):
        appraisal_basis([])


@pytest.mark.parametrize(("valid_until", "fits"), [(date(2026, 1, 10), True), (date(2026, 1, 11), False)])
def test_an_appraisal_is_valid_for_a_year_at_most(valid_until: date, fits: bool) -> None:
    if fits:
        assert AppraisalReport("甲评估", Fen(100), date(2025, 1, 10), valid_until).valid_until == valid_until
    else:
        with pytest.raises(ValidityTooLong):
            AppraisalReport("甲评估", Fen(100), date(2025, 1, 10), valid_until)


@pytest.mark.parametrize(
    ("fixed_on", "refusal"),
    [
        (date(2025, 1, 9), BasisTooYoung),
        (date(2025, 1, 10), None),
        (date(2025, 8, 10), None),
        (date(2025, 8, 11), BasisExpired),
    ],
)
def test_a_price_is_fixed_while_its_basis_is_valid(fixed_on: date, refusal: type[Exception] | None) -> None:
    basis = appraisal_basis([AppraisalReport("甲评估", Fen(100), date(2025, 1, 10), date(2025, 8, 10))])
    if refusal is None:
        assert fix(ASSET, Method.APPRAISAL, basis, fixed_on).fixed_on == fixed_on
    else:
        with pytest.raises(refusal):
            fix(ASSET, Method.APPRAISAL, basis, fixed_on)


def test_a_stated_price_is_valid_for_a_year() -> None:
    price = fix(ASSET, Method.PARTY_AGREEMENT, stated_basis(Fen(100), date(2024, 2, 29)), date(2024, 2, 29))
    assert price.valid_until == date(2025, 2, 28)


@pytest.mark.parametrize(("today", "fits"), [(date(2026, 3, 3), False), (date(2026, 3, 4), True), (DAY, False)])
def test_a_second_price_follows_only_when_the_first_has_expired(today: date, fits: bool) -> None:
    standing = fix(ASSET, Method.PARTY_AGREEMENT, stated_basis(Fen(100), DAY), DAY)
    require_unfixed(None, today)
    if fits:
        require_unfixed(standing, today)
    else:
        with pytest.raises(PriceFixed):
            require_unfixed(standing, today)
