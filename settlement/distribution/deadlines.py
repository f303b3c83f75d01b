"""The periods that run from an event, for the plan and for all that leads to it (R-GEN-03 and the table below).

Invariant: the day of the event is not counted, and a period that ends on a day off ends on the next working
day, unless it is a latest start, which is a day of its own choosing and never moves.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from kernel.calendar import Due, due_on, is_working_day
from settlement.completion.rules import HANDOVER_DAYS, RULING_DAYS

PAYOUT_DAYS = 30
"""Days to pay money out after it arrived; a court may set fewer for itself, never more (R-ACCT-03)."""


class Event(StrEnum):
    """What starts a period."""

    PLAN_SERVED = "plan_served"
    OBJECTION_NOTICE_SERVED = "objection_notice_served"
    COUNTER_OPINION_TOLD = "counter_opinion_told"
    ROUND_1_FAILED = "round_1_failed"
    APPRAISAL_REPORT_SERVED = "appraisal_report_served"
    MONEY_ARRIVED = "money_arrived"
    PRICE_FIXED = "price_fixed"
    SEALED = "sealed"
    SALE_PAID = "sale_paid"
    RULING_SERVED = "ruling_served"


@dataclass(frozen=True, slots=True)
class Period:
    """Days after the event, and the rule that gives them."""

    days: int
    rule: str
    rolls: bool = True


PERIODS: Mapping[Event, Period] = {
    Event.PLAN_SERVED: Period(15, "R-DIST-05"),
    Event.OBJECTION_NOTICE_SERVED: Period(15, "R-DIST-05"),
    Event.COUNTER_OPINION_TOLD: Period(15, "R-DIST-05"),
    Event.ROUND_1_FAILED: Period(30, "R-FAIL-01", rolls=False),
    Event.APPRAISAL_REPORT_SERVED: Period(5, "R-REF-12"),
    Event.MONEY_ARRIVED: Period(PAYOUT_DAYS, "R-ACCT-03"),
    Event.PRICE_FIXED: Period(10, "R-REF-14"),
    Event.SEALED: Period(30, "R-REF-01"),
    Event.SALE_PAID: Period(RULING_DAYS, "R-CLOSE-05"),
    Event.RULING_SERVED: Period(HANDOVER_DAYS, "R-CLOSE-06"),
}


def deadline(event: Event, on: date) -> Due:
    """The last day of the period that `event` on `on` starts."""
    period = PERIODS[event]
    if period.rolls:
        return due_on(on, period.days)
    last = on + timedelta(days=period.days)
    _, known = is_working_day(last)
    return Due(last, rolled=False, known=known)
