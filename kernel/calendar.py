"""Periods of the law in days: the start day is not counted, a last day off moves to the next working day (R-GEN-03).

Working days are those of the State Council's yearly notices with their make-up working days, as the library
`chinesecalendar` holds them. For a year it does not know, weekends alone decide, and the answer says so: such a
day is provisional until the year's notice is out. Hour-based bidding windows never come here.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import chinese_calendar

SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Due:
    """The last day of a period. `rolled`: it was moved off a day off; `known`: the calendar knew every day asked."""

    on: date
    rolled: bool
    known: bool


def due_on(start: date, days: int) -> Due:
    """The last day of a period of `days` that `start` begins (R-GEN-03; 民事诉讼法 第八十五条)."""
    last = day = start + timedelta(days=days)
    working, known = is_working_day(day)
    while not working:
        day += timedelta(days=1)
        working, day_known = is_working_day(day)
        known = known and day_known
    return Due(day, day != last, known)


def working_days_after(start: date, days: int) -> date:
    """The last of `days` working days after `start`, which is not counted."""
    day = start
    while days:
        day += timedelta(days=1)
        days -= is_working_day(day)[0]
    return day


def is_working_day(day: date) -> tuple[bool, bool]:
    """Whether people work on `day`, and whether the calendar knows or weekends alone decided."""
    try:
        return bool(chinese_calendar.is_workday(day)), True
    except NotImplementedError:
        return day.weekday() < SATURDAY, False
