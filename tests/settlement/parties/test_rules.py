"""Clocks at their edges, and who sees what of an objection."""

from datetime import date, timedelta
from uuid import UUID

import pytest

from settlement.distribution.deadlines import Event
from settlement.parties.rules import Clock, ClockState, Sight, sight

A, B, C = (UUID(int=n) for n in range(3))
UNTIL = date(2025, 6, 18)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("today", "done_on", "state"),
    [
        (UNTIL, None, ClockState.RUNNING),
        (UNTIL + DAY, None, ClockState.PASSED),
        (UNTIL + DAY, UNTIL, ClockState.USED),
        (UNTIL - DAY, UNTIL - DAY, ClockState.USED),
    ],
)
def test_a_clock_runs_to_the_end_of_its_last_day(today: date, done_on: date | None, state: ClockState) -> None:
    assert Clock(Event.PLAN_SERVED, A, UNTIL - 15 * DAY, UNTIL, done_on).state(today) is state


@pytest.mark.parametrize(
    ("reader", "notified", "told", "expected"),
    [
        (A, set(), False, Sight(objection=True, all_opinions=False)),
        (A, {B}, True, Sight(objection=True, all_opinions=True)),
        (B, {B}, True, Sight(objection=True, all_opinions=False)),
        (C, {B}, True, Sight(objection=False, all_opinions=False)),
    ],
)
def test_an_objection_is_seen_by_its_objector_and_the_notified(
    reader: UUID, notified: set[UUID], told: bool, expected: Sight
) -> None:
    assert sight({reader}, A, notified, told=told) == expected
