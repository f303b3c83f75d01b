"""A party's clocks, and what a party may see of an objection (R-DIST-05, 06).

Invariant: a party sees an objection only as its objector or once notified of it, and another party's opposition only
as the objector who was told of it. Days are Beijing's.
"""

from collections.abc import Set
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from settlement.distribution.deadlines import Event


class ClockState(StrEnum):
    """Whether a party may still act, has acted, or has let the time pass."""

    RUNNING = "running"
    USED = "used"
    PASSED = "passed"


@dataclass(frozen=True, slots=True)
class Clock:
    """A party's own time to do something: from the service that started it to the end of `until`."""

    event: Event
    party_id: UUID
    began_on: date
    until: date
    done_on: date | None = None
    objection_id: UUID | None = None

    def state(self, today: date) -> ClockState:
        if self.done_on is not None:
            return ClockState.USED
        return ClockState.RUNNING if today <= self.until else ClockState.PASSED


@dataclass(frozen=True, slots=True)
class Sight:
    """What of one objection its reader may see."""

    objection: bool
    all_opinions: bool
    """Whether every counter-opinion, or only the reader's own."""


def sight(own: Set[UUID], objector: UUID, notified: Set[UUID], *, told: bool) -> Sight:
    """An objection is its objector's and of those the court notified; the opposition, of the objector once told."""
    objects = objector in own
    return Sight(objection=objects or not own.isdisjoint(notified), all_opinions=objects and told)
