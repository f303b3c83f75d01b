"""The dates of the demo: whatever the law gives time for gets it, on working days, and the last payout lies behind us.

Pure functions of the day on which the demo runs. All first sales end in one window of bidding, all resales in a second
one; what comes before is counted back from the opening, what comes after follows from what happened.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from auction.announcements.rules import NOTICE_LEAD, notice_period
from auction.lots.rules import Round
from kernel.calendar import is_working_day
from kernel.clock import BEIJING

OPENING = time(10)
LAST_WINDOW_BEFORE_TODAY = 45
"""Days from the opening of the resales to the day of the demo: payment, ruling, fifteen days for the plan, holidays."""

BETWEEN_WINDOWS = 75
"""Days between the two windows: balance overdue, default decided, parties told, thirty days of announcement."""


@dataclass(frozen=True)
class Window:
    """Bidding from 10:00 of one working day to 10:00 of the next (R-BID-09)."""

    opens_at: datetime
    ends_at: datetime


@dataclass(frozen=True)
class Road:
    """The days before bidding: filing, seizure, price report, price fixed, draft with notices, announcement."""

    filed: date
    seized: date
    reported: date
    priced: date
    drafted: date
    published: date


@dataclass(frozen=True)
class Aftermath:
    """The days after a sale: balance paid, ruling made and served, plan drafted and served, thing handed over."""

    paid: date
    ruled: date
    planned: date
    handed_over: date


def windows(today: date) -> tuple[Window, Window]:
    """The windows of first sales and resales of a demo that runs `today`."""
    second = _window_before(today - timedelta(days=LAST_WINDOW_BEFORE_TODAY))
    first = _window_before(moment_day(second.opens_at) - timedelta(days=BETWEEN_WINDOWS))
    return first, second


def road_to(opens_on: date, *, movable: bool) -> Road:
    """The way to a first sale that opens on a day; R-PUB-01, R-PUB-05 and R-REF-12 counted back from it."""
    published, drafted = announcement_days(opens_on, movable=movable)
    priced = on_or_before(drafted - timedelta(days=2))
    reported = on_or_before(priced - timedelta(days=8))
    seized = on_or_before(reported - timedelta(days=10))
    return Road(on_or_before(seized - timedelta(days=5)), seized, reported, priced, drafted, published)


def after_sale(sold_on: date) -> Aftermath:
    """The way from the hammer to the plan, well within ten days for the ruling and fifteen for the handover.

    The buyer may pay on a day off, as the days of the announcement do not roll (R-CLOSE-04).
    """
    paid = sold_on + timedelta(days=4)
    ruled = next_working_day(paid)
    return Aftermath(paid, ruled, next_working_day(ruled), on_or_after(ruled + timedelta(days=6)))


def announcement_days(opens_on: date, *, movable: bool) -> tuple[date, date]:
    """The last working days to publish a sale and, before that, to tell the parties."""
    published = on_or_before(opens_on - notice_period(Round.ROUND_1, movable=movable) - timedelta(days=1))
    return published, on_or_before(published - NOTICE_LEAD)


def on_or_before(day: date) -> date:
    """The last working day not after `day`."""
    while not is_working_day(day)[0]:
        day -= timedelta(days=1)
    return day


def on_or_after(day: date) -> date:
    """The first working day not before `day`."""
    while not is_working_day(day)[0]:
        day += timedelta(days=1)
    return day


def next_working_day(day: date) -> date:
    """The first working day after `day`."""
    return on_or_after(day + timedelta(days=1))


def at(day: date, hour: int, minute: int = 0) -> datetime:
    """A time of day in Beijing."""
    return datetime.combine(day, time(hour, minute), BEIJING)


def moment_day(moment: datetime) -> date:
    """The calendar day in Beijing."""
    return moment.astimezone(BEIJING).date()


def _window_before(day: date) -> Window:
    """The last window whose two days are working days and that opens on `day` or before."""
    while not (is_working_day(day)[0] and is_working_day(day + timedelta(days=1))[0]):
        day -= timedelta(days=1)
    opens_at = datetime.combine(day, OPENING, BEIJING)
    return Window(opens_at, opens_at + timedelta(days=1))
