"""Proof of distribution: every plan replayed from its basis, its hash rebuilt, its way checked (invariant 25)."""

from uuid import UUID

import msgspec

from kernel.clock import beijing_day
from kernel.database import Tx
from kernel.errors import Malformed
from settlement.distribution import store
from settlement.distribution.deadlines import Event, deadline
from settlement.distribution.models import Plan
from settlement.distribution.plans import Basis, Line, draw, line_bytes, plan_hash
from settlement.distribution.procedure import Course
from settlement.distribution.service import DRAFTED

UNREADABLE = (msgspec.MsgspecError, Malformed, ValueError, KeyError)
"""What a basis raises that no draft has written."""


async def faults(tx: Tx) -> list[str]:
    """Everything in plans that does not verify, one sentence each; empty when all is well."""
    found = []
    audited = await store.audited_hashes(tx, DRAFTED)
    for plan in await store.all_plans(tx):
        name = f"plan {plan.id} (version {plan.version} of case {plan.case_id})"
        if audited.pop(plan.id, None) != plan.hash.hex():
            found.append(f"{name} is not what the audit trail says")
        found += [f"{name} {fault}" for fault in await _broken_plan(tx, plan)]
    return found + [f"plan {plan_id} stands in the audit trail but not among the plans" for plan_id in audited]


async def _broken_plan(tx: Tx, plan: Plan) -> list[str]:
    found = []
    lines = await store.lines_of(tx, plan.id)
    if plan_hash(store.head_of(plan), plan.basis, lines) != plan.hash:
        found.append("does not make its hash: the plan or one of its lines was changed, removed or added")
    if sum(line.amount_fen for line in lines) != plan.proceeds_fen:
        found.append(f"distributes {sum(line.amount_fen for line in lines)} fen of {plan.proceeds_fen}")
    try:
        basis = store.basis_of(plan)
        found += _broken_replay(plan, basis, lines)
    except UNREADABLE as error:
        return [*found, f"has a basis that cannot be read: {error}"]
    return found + await _broken_course(tx, plan, await store.course_of(tx, plan, basis))


def _broken_replay(plan: Plan, basis: Basis, lines: tuple[Line, ...]) -> list[str]:
    drawn = draw(basis)
    sums = (drawn.outcome.proceeds_fen, drawn.outcome.distributed_fen, drawn.outcome.surplus_fen)
    found = []
    if [line_bytes(line) for line in drawn.lines] != [line_bytes(line) for line in lines]:
        found.append("has lines that do not follow from its basis")
    if sums != (plan.proceeds_fen, plan.distributed_fen, plan.surplus_fen):
        found.append("has sums that do not follow from its basis")
    return found


async def _broken_course(tx: Tx, plan: Plan, course: Course) -> list[str]:
    found = [
        f"gives {_name(course, served.party_id)} another last day to object than the law"
        for served in course.services.values()
        if served.calendar_known and served.objection_until != deadline(Event.PLAN_SERVED, served.served_on).on
    ]
    confirmation = await store.find_confirmation(tx, plan.id)
    if confirmation is None:
        return found
    if course.decided_on is None:
        found.append("was confirmed without a decision of the panel")
    if course.objections:
        found.append("was confirmed against an objection")
    if course.recipients.keys() != course.services.keys():
        found.append("was confirmed before it was served on everybody")
    day = beijing_day(confirmation.confirmed_at)
    if any(day <= served.objection_until for served in course.services.values()):
        found.append("was confirmed while somebody could still object")
    return found


def _name(course: Course, party_id: UUID) -> str:
    return course.recipients.get(party_id, str(party_id))
