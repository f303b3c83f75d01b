"""The way of a plan: decided by the panel, served on all, open to objection, confirmed or resolved (R-DIST-04, 05).

Invariant: a plan is paid only while it still says what the case is, after each recipient's own fifteen days ran out and
every objection has ended or become a suit. Days are Beijing's.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from settlement.distribution.claims import Debt
from settlement.distribution.deadlines import Event, deadline
from settlement.distribution.errors import (
    AcceptanceMisdated,
    NothingToResolve,
    NotRecipient,
    NotServed,
    ObjectionLate,
    ObjectionPeriodRunning,
    ObjectionsRunning,
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
from settlement.distribution.objections import STAGE_ZH, ObjectionCourse, Stage, combined
from settlement.distribution.plans import Basis, Dispute

CHANGEABLE = {
    "proceeds": "案款",
    "costs": "费用",
    "claims": "债权",
    "fee": "执行申请费",
    "debtor": "被执行人类型",
    "debtor_party": "被执行人",
    "debtor_name": "被执行人名称",
    "preference": "首封优先",
    "set_offs": "抵销",
}
"""What of a basis may have changed since a plan was drafted, in Chinese."""

RESOLVED = frozenset({Stage.UNOPPOSED, Stage.LAPSED, Stage.SUED, Stage.JUDGED})
"""Stages at which an objection no longer keeps the plan waiting."""


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
class Resolution:
    """What the objections of a plan come to: claims to correct, and claims in suit (R-DIST-05, 06)."""

    corrections: Mapping[UUID, Debt]
    disputes: tuple[Dispute, ...]


@dataclass(frozen=True, slots=True)
class Course:
    """Everything that happened to a plan so far. `recipients` are party ids with names."""

    recipients: Mapping[UUID, str]
    latest_version: int
    version: int
    decided_on: date | None
    services: Mapping[UUID, Served]
    objections: tuple[ObjectionCourse, ...]
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
    require_open(course)
    if course.decided_on is not None:
        raise PlanDecided()


def serve(course: Course, party_id: UUID, served_on: date) -> Served:
    """Start a recipient's clock: fifteen days, moved off days off (R-DIST-05, R-GEN-03)."""
    require_open(course)
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


def object_to(course: Course, party_id: UUID, objected_on: date, today: date) -> None:
    """Let a recipient's objection be taken, if it was made within their own clock (R-DIST-05)."""
    require_open(course)
    if party_id not in course.recipients:
        raise NotRecipient()
    served = course.services.get(party_id)
    if served is None:
        raise NotServed(waiting_for=course.recipients[party_id])
    if not served.served_on <= objected_on <= today:
        raise ObjectionUndated(served_on=served.served_on.isoformat(), today=today.isoformat())
    if objected_on > served.objection_until:
        raise ObjectionLate(objection_until=served.objection_until.isoformat())


def require_accepted(accepted_on: date, today: date) -> None:
    """A bankruptcy stops the case once a court has accepted it, not before (R-DIST-17)."""
    if accepted_on > today:
        raise AcceptanceMisdated(today=today.isoformat())


def confirm(course: Course, drafted: Basis, current: Basis, today: date) -> None:
    """Let a plan be paid as it stands: decided, served on all, every clock run out, nothing changed (R-DIST-05).

    Objections stand in its way until their objectors have let the time to sue pass.
    """
    require_open(course)
    if course.decided_on is None:
        raise PlanNotDecided()
    for objection in course.objections:
        if objection.stage(today) is not Stage.LAPSED:
            name = course.recipients[objection.party_id]
            raise PlanObjected(name=name, objected_on=objection.objected_on.isoformat())
    _require_clocks_run_out(course, today)
    require_fresh(drafted, current)


def resolve(course: Course, drafted: Basis, current: Basis, today: date) -> Resolution:
    """What an objected plan turns into, once every clock ran out and every objection ended or is in suit (R-DIST-05).

    Unopposed objections and judgments correct their claims, suits keep theirs in dispute; lapsed ones change nothing.
    """
    require_open(course)
    for objection in course.objections:
        stage = objection.stage(today)
        if stage not in RESOLVED:
            name = course.recipients[objection.party_id]
            raise ObjectionsRunning(name=name, stage=stage, stage_zh=STAGE_ZH[stage])
    _require_clocks_run_out(course, today)
    require_fresh(drafted, current)
    planned = {UUID(each.claim.id): each.debt for each in drafted.claims}
    found: defaultdict[UUID, list[Debt]] = defaultdict(list)
    disputes: list[Dispute] = []
    for objection in course.objections:
        stage = objection.stage(today)
        if stage is Stage.SUED:
            disputes += [Dispute(objection.id, claim_id, debt) for claim_id, debt in objection.disputes.items()]
        elif stage is not Stage.LAPSED:
            ends = objection.judgment.claims if objection.judgment else objection.disputes
            for claim_id, debt in ends.items():
                found[claim_id].append(debt)
    if not found and not disputes:
        raise NothingToResolve()
    return Resolution({each: combined(planned[each], debts) for each, debts in found.items()}, tuple(disputes))


def _require_clocks_run_out(course: Course, today: date) -> None:
    missing = [name for party_id, name in course.recipients.items() if party_id not in course.services]
    if missing:
        raise NotServed(waiting_for="、".join(missing))
    for served in course.services.values():
        if today <= served.objection_until:
            raise ObjectionPeriodRunning(
                name=course.recipients[served.party_id], objection_until=served.objection_until.isoformat()
            )


def require_fresh(drafted: Basis, current: Basis) -> None:
    """Refuse a plan that no longer says what the case is, naming what changed."""
    changed = [name for name in CHANGEABLE if _compared(drafted, name) != _compared(current, name)]
    if changed:
        raise PlanStale(changed=", ".join(changed), changed_zh="、".join(CHANGEABLE[name] for name in changed))


def _compared(basis: Basis, name: str) -> object:
    """What of a basis must stay the same; of the fee what the court set, since the computed figure follows the rest."""
    if name == "fee" and basis.fee is not None:
        return basis.fee.set_fen, basis.fee.reason
    return getattr(basis, name)


def require_open(course: Course) -> None:
    """Refuse what can only be done to the latest version while it is not confirmed."""
    if course.confirmed:
        raise PlanConfirmed()
    if course.version < course.latest_version:
        raise PlanSuperseded(version=course.latest_version)
