"""The way of a plan: decided by the panel, served on everybody, open to objection, confirmed (R-DIST-04, 05).

Invariant: a plan is confirmed only while it still says what the case is, after each recipient's own fifteen days
ran out without an objection. Days are Beijing's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from settlement.distribution.deadlines import Event, deadline
from settlement.distribution.errors import (
    NotRecipient,
    NotServed,
    ObjectionLate,
    ObjectionPeriodRunning,
    ObjectionUndated,
    PlanConfirmed,
    PlanDecided,
    PlanNotDecided,
    PlanObjected,
    PlanStale,
    PlanSuperseded,
    ServedBefore,
    ServedTooEarly,
)
from settlement.distribution.plans import Basis

CHANGEABLE = {
    "proceeds": "案款",
    "costs": "费用",
    "claims": "债权",
    "fee": "执行申请费",
    "debtor": "被执行人类型",
    "debtor_party": "被执行人",
    "debtor_name": "被执行人名称",
    "preference": "首封优先",
}
"""What of a basis may have changed since a plan was drafted, in Chinese."""


class State(StrEnum):
    """How far a plan has come."""

    DRAFT = "draft"
    DECIDED = "decided"
    SERVED = "served"
    OBJECTED = "objected"
    CONFIRMED = "confirmed"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True)
class Served:
    """Service on one recipient, and the last day on which they may object."""

    party_id: UUID
    served_on: date
    objection_until: date
    calendar_known: bool


@dataclass(frozen=True, slots=True)
class Objection:
    """A written objection."""

    party_id: UUID
    objected_on: date
    text: str


@dataclass(frozen=True, slots=True)
class Course:
    """Everything that happened to a plan so far. `recipients` are party ids with names."""

    recipients: Mapping[UUID, str]
    latest_version: int
    version: int
    decided_on: date | None
    services: Mapping[UUID, Served]
    objections: tuple[Objection, ...]
    confirmed: bool

    @property
    def state(self) -> State:
        if self.confirmed:
            return State.CONFIRMED
        if self.version < self.latest_version:
            return State.SUPERSEDED
        if self.objections:
            return State.OBJECTED
        if self.decided_on is None:
            return State.DRAFT
        return State.SERVED if self.recipients.keys() <= self.services.keys() else State.DECIDED


def decide(course: Course) -> None:
    """The panel may decide on a plan once, while it is the latest (R-DIST-04)."""
    _require_open(course)
    if course.decided_on is not None:
        raise PlanDecided()


def serve(course: Course, party_id: UUID, served_on: date) -> Served:
    """Start a recipient's clock: fifteen days, moved off days off (R-DIST-05, R-GEN-03)."""
    _require_open(course)
    if course.decided_on is None:
        raise PlanNotDecided()
    if party_id not in course.recipients:
        raise NotRecipient()
    if earlier := course.services.get(party_id):
        raise ServedBefore(served_on=earlier.served_on.isoformat())
    if served_on < course.decided_on:
        raise ServedTooEarly(served_on=served_on.isoformat(), decided_on=course.decided_on.isoformat())
    last = deadline(Event.PLAN_SERVED, served_on)
    return Served(party_id, served_on, last.on, last.known)


def object_to(course: Course, party_id: UUID, objected_on: date, text: str, today: date) -> Objection:
    """Take a recipient's objection, if it was made within their own clock (R-DIST-05)."""
    _require_open(course)
    if party_id not in course.recipients:
        raise NotRecipient()
    served = course.services.get(party_id)
    if served is None:
        raise NotServed(waiting_for=course.recipients[party_id])
    if not served.served_on <= objected_on <= today:
        raise ObjectionUndated(served_on=served.served_on.isoformat(), today=today.isoformat())
    if objected_on > served.objection_until:
        raise ObjectionLate(objection_until=served.objection_until.isoformat())
    return Objection(party_id, objected_on, text)


def confirm(course: Course, drafted: Basis, current: Basis, today: date) -> None:
    """Let a plan be paid: decided, served on all, every clock run out, no objection, nothing changed (R-DIST-05)."""
    _require_open(course)
    if course.decided_on is None:
        raise PlanNotDecided()
    if course.objections:
        first = course.objections[0]
        raise PlanObjected(name=course.recipients[first.party_id], objected_on=first.objected_on.isoformat())
    missing = [name for party_id, name in course.recipients.items() if party_id not in course.services]
    if missing:
        raise NotServed(waiting_for="、".join(missing))
    for served in course.services.values():
        if today <= served.objection_until:
            raise ObjectionPeriodRunning(
                name=course.recipients[served.party_id], objection_until=served.objection_until.isoformat()
            )
    require_fresh(drafted, current)


def require_fresh(drafted: Basis, current: Basis) -> None:
    """Refuse a plan that no longer says what the case is, naming what changed."""
    changed = [name for name in CHANGEABLE if getattr(drafted, name) != getattr(current, name)]
    if changed:
        raise PlanStale(changed=", ".join(changed), changed_zh="、".join(CHANGEABLE[name] for name in changed))


def _require_open(course: Course) -> None:
    if course.confirmed:
        raise PlanConfirmed()
    if course.version < course.latest_version:
        raise PlanSuperseded(version=course.latest_version)
