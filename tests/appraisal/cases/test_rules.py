"""Case numbers, parties, panels and decisions as pure rules."""

from datetime import date

import pytest

from appraisal.cases.errors import (
    CaseNumberUnreadable,
    PanelIncomplete,
    PartiesIncomplete,
    PartyNamedTwice,
    WrongDecision,
)
from appraisal.cases.rules import (
    Decision,
    PartyRole,
    Subject,
    canonical_case_no,
    require_decision,
    require_panel,
    require_parties,
)
from appraisal.days import years_after
from kernel.ids import ordered_id

APPLICANT, DEBTOR, CREDITOR = PartyRole.ENFORCEMENT_APPLICANT, PartyRole.DEBTOR, PartyRole.CREDITOR


@pytest.mark.parametrize(
    "text",
    [
        "（2025）沪0115执恢1234号",
        "(2025)沪0115执恢1234号",
        "（２０２５）沪0115执恢1234号",
        "（2025） 沪0115执恢 1234 号",
    ],
)
def test_one_case_has_one_spelling(text: str) -> None:
    assert canonical_case_no(text) == "（2025）沪0115执恢1234号"


@pytest.mark.parametrize("text", ["（2019）最高法执1号", "（2021）沪02执88号之一", "（2018）浙0106执2345号"])
def test_case_numbers_of_all_courts_are_read(text: str) -> None:
    assert canonical_case_no(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "沪0115执恢1234号",
        "（25）沪0115执恢1234号",
        "（1899）沪0115执恢1234号",
        "（2025）沪0115执恢1234",
        "（2025）号",
        "（2025）沪0115_执1号",
        "（2025）沪0115执恢1234号 DROP TABLE",
        "（2025）" + "沪" * 41 + "号",
    ],
)
def test_anything_else_is_no_case_number(text: str) -> None:
    with pytest.raises(CaseNumberUnreadable):
        canonical_case_no(text)


@pytest.mark.parametrize(
    ("roles", "fits"),
    [
        ([APPLICANT, DEBTOR], True),
        ([APPLICANT, APPLICANT, DEBTOR, CREDITOR], True),
        ([APPLICANT], False),
        ([DEBTOR], False),
        ([CREDITOR, DEBTOR], False),
        ([APPLICANT, DEBTOR, DEBTOR], False),
        ([], False),
    ],
)
def test_a_case_has_one_debtor_and_an_applicant(roles: list[PartyRole], fits: bool) -> None:
    parties = [(str(number), role) for number, role in enumerate(roles)]
    if fits:
        require_parties(parties)
    else:
        with pytest.raises(PartiesIncomplete):
            require_parties(parties)


def test_no_two_parties_share_a_reference() -> None:
    with pytest.raises(PartyNamedTwice) as refused:
        require_parties([("a", APPLICANT), ("b", DEBTOR), ("a", CREDITOR)])
    assert refused.value.facts == {"ref": "a"}


@pytest.mark.parametrize(
    ("members", "fits"),
    [("ABC", True), ("ABCDE", True), ("", False), ("A", False), ("AB", False), ("ABCD", False), ("AAB", False)],
)
def test_a_panel_is_odd_and_at_least_three(members: str, fits: bool) -> None:
    if fits:
        require_panel(members)
    else:
        with pytest.raises(PanelIncomplete):
            require_panel(members)


def test_a_decision_serves_its_own_case_and_subject_only() -> None:
    case_id = ordered_id()
    decision = Decision(ordered_id(), case_id, Subject.LOT_TERMS, date(2025, 3, 3), ("A", "B", "C"), "决定", {})
    assert require_decision(decision, case_id, Subject.LOT_TERMS) is decision
    with pytest.raises(WrongDecision):
        require_decision(decision, case_id, Subject.SALE_RULING)
    with pytest.raises(WrongDecision):
        require_decision(decision, ordered_id(), Subject.LOT_TERMS)


@pytest.mark.parametrize(
    ("day", "years", "expected"),
    [
        (date(2023, 3, 1), 2, date(2025, 3, 1)),
        (date(2024, 2, 29), 3, date(2027, 2, 28)),
        (date(2024, 2, 29), 4, date(2028, 2, 29)),
    ],
)
def test_years_end_on_the_same_day(day: date, years: int, expected: date) -> None:
    assert years_after(day, years) == expected
