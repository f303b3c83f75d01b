"""Periods of the law in days (R-GEN-03)."""

from datetime import UTC, date, datetime

import pytest

from kernel.calendar import Due, due_on
from kernel.clock import beijing_day


@pytest.mark.parametrize(
    ("start", "days", "expected"),
    [
        (date(2025, 6, 3), 15, Due(date(2025, 6, 18), False, True)),  # W-17: A
        (date(2025, 6, 5), 15, Due(date(2025, 6, 20), False, True)),  # W-17: B
        (date(2025, 6, 6), 15, Due(date(2025, 6, 23), True, True)),  # W-17: a Saturday
        (date(2025, 7, 11), 15, Due(date(2025, 7, 28), True, True)),  # W-17: the suit
        (date(2025, 9, 16), 15, Due(date(2025, 10, 9), True, True)),  # the eight days of October
        (date(2025, 1, 11), 15, Due(date(2025, 1, 26), False, True)),  # a Sunday that is a make-up working day
        (date(2026, 12, 20), 15, Due(date(2027, 1, 4), False, False)),  # no notice for 2027 yet
        (date(2027, 1, 1), 15, Due(date(2027, 1, 18), True, False)),  # weekends alone decide
    ],
)
def test_last_day_of_a_period(start: date, days: int, expected: Due) -> None:
    assert due_on(start, days) == expected


def test_the_day_is_beijings() -> None:
    assert beijing_day(datetime(2025, 6, 18, 15, 59, 59, tzinfo=UTC)) == date(2025, 6, 18)
    assert beijing_day(datetime(2025, 6, 18, 16, 0, tzinfo=UTC)) == date(2025, 6, 19)
