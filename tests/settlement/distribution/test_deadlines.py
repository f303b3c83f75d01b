"""Deadlines: the dates of W-03, W-17 and W-18, holidays with make-up days, and years without a calendar."""

from datetime import date

import pytest

from settlement.distribution.deadlines import PERIODS, Event, deadline


@pytest.mark.parametrize(
    ("event", "on", "due", "rolled"),
    [
        (Event.PLAN_SERVED, date(2025, 6, 3), date(2025, 6, 18), False),
        (Event.PLAN_SERVED, date(2025, 6, 5), date(2025, 6, 20), False),
        (Event.PLAN_SERVED, date(2025, 6, 6), date(2025, 6, 23), True),
        (Event.OBJECTION_NOTICE_SERVED, date(2025, 6, 24), date(2025, 7, 9), False),
        (Event.OBJECTION_NOTICE_SERVED, date(2025, 6, 25), date(2025, 7, 10), False),
        (Event.COUNTER_OPINION_TOLD, date(2025, 7, 11), date(2025, 7, 28), True),
        (Event.ROUND_1_FAILED, date(2025, 4, 9), date(2025, 5, 9), False),
        (Event.ROUND_1_FAILED, date(2025, 4, 10), date(2025, 5, 10), False),
        (Event.APPRAISAL_REPORT_SERVED, date(2025, 9, 26), date(2025, 10, 9), True),
        (Event.APPRAISAL_REPORT_SERVED, date(2025, 9, 23), date(2025, 9, 28), False),
        (Event.MONEY_ARRIVED, date(2025, 6, 2), date(2025, 7, 2), False),
        (Event.PRICE_FIXED, date(2025, 6, 2), date(2025, 6, 12), False),
        (Event.SEALED, date(2025, 6, 2), date(2025, 7, 2), False),
        (Event.SALE_PAID, date(2025, 6, 2), date(2025, 6, 12), False),
        (Event.RULING_SERVED, date(2025, 6, 2), date(2025, 6, 17), False),
    ],
)
def test_deadlines(event: Event, on: date, due: date, rolled: bool) -> None:
    answer = deadline(event, on)
    assert (answer.on, answer.rolled, answer.known) == (due, rolled, True)


def test_every_event_has_a_period() -> None:
    assert set(PERIODS) == set(Event)


@pytest.mark.parametrize("event", Event)
def test_a_year_without_a_calendar_says_so(event: Event) -> None:
    answer = deadline(event, date(2150, 1, 1))
    assert not answer.known
    assert answer.on.weekday() < 5 or event is Event.ROUND_1_FAILED
