"""The demo's dates keep the law whatever the day it runs on, holidays included."""

from datetime import date, timedelta

import pytest

from app.demo.filing import BALANCE_DUE_DAYS
from app.demo.schedule import after_sale, announcement_days, at, moment_day, next_working_day, road_to, windows
from auction.announcements.rules import earliest_start, notify_by
from auction.lots.rules import Round
from kernel.calendar import due_on, is_working_day
from settlement.completion.rules import balance_due_at

EVERY_DAY = [date(2025, 9, 1) + timedelta(days=days) for days in range(480)]


def paid_out_on(sold_on: date) -> date:
    """The day of the payouts: after everybody's fifteen days for the plan."""
    return next_working_day(due_on(after_sale(sold_on).planned, 15).on)


@pytest.mark.parametrize("movable", [True, False])
def test_the_road_to_a_sale_goes_forward_on_working_days(movable: bool) -> None:
    for today in EVERY_DAY:
        opens_on = moment_day(windows(today)[0].opens_at)
        road = road_to(opens_on, movable=movable)
        days = [road.filed, road.seized, road.reported, road.priced, road.drafted, road.published, opens_on]
        assert days == sorted(set(days)), today
        assert all(is_working_day(day)[0] for day in days), today
        assert road.drafted <= notify_by(road.published), today
        assert earliest_start(road.published, Round.ROUND_1, movable=movable) <= opens_on, today
        assert (road.priced - road.reported).days >= 5, "R-REF-12: five days to object"


def test_a_resale_fits_between_the_windows() -> None:
    for today in EVERY_DAY:
        first, second = windows(today)
        overdue_on = moment_day(balance_due_at(first.ends_at, BALANCE_DUE_DAYS))
        published, drafted = announcement_days(moment_day(second.opens_at), movable=False)
        assert next_working_day(overdue_on) < drafted <= notify_by(published), today


def test_the_last_payout_lies_before_the_day_of_the_demo() -> None:
    for today in EVERY_DAY:
        assert paid_out_on(moment_day(windows(today)[1].ends_at)) < today


def test_what_follows_a_sale_is_in_time() -> None:
    for today in EVERY_DAY:
        for window in windows(today):
            sold_on = moment_day(window.ends_at)
            days = after_sale(sold_on)
            assert at(days.paid, 11) < balance_due_at(window.ends_at, BALANCE_DUE_DAYS), "R-CLOSE-04"
            assert days.ruled <= due_on(days.paid, 10).on, "R-CLOSE-05"
            assert days.handed_over <= due_on(days.ruled, 15).on, "R-CLOSE-06"
            assert days.handed_over >= days.planned, "the script plans in the morning"
            assert paid_out_on(sold_on) <= days.ruled + timedelta(days=30), "R-ACCT-03"
