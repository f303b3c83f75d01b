"""Proof of distribution: every plan replayed from its basis, its hash rebuilt, its way checked (invariant 25)."""

from datetime import date
from uuid import UUID

import msgspec

from kernel.clock import beijing_day
from kernel.database import Tx
from kernel.errors import Malformed
from settlement.distribution import store
from settlement.distribution.deadlines import Event, deadline
from settlement.distribution.drawing import draw
from settlement.distribution.models import Plan
from settlement.distribution.objections import ObjectionCourse, Stage
from settlement.distribution.plans import Basis, Line, PayeeKind, basis_bytes, line_bytes, plan_hash
from settlement.distribution.procedure import RESOLVED, Course
from settlement.distribution.service import DRAFTED
from settlement.ledger import service as ledger
from settlement.ledger.rules import Kind

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
    found += [f"plan {plan_id} stands in the audit trail but not among the plans" for plan_id in audited]
    return found + await _broken_escrows(tx)


async def _broken_escrows(tx: Tx) -> list[str]:
    """Each escrow account of a plan holds what the plan keeps back, until the plan that gives it out is confirmed."""
    found = []
    plans = {plan.id: plan for plan in await store.all_plans(tx) if await store.find_confirmation(tx, plan.id)}
    try:
        released = {basis.settles.plan_id for basis in map(store.basis_of, plans.values()) if basis.settles}
    except UNREADABLE:
        return []  # said of that plan already
    for plan in plans.values():
        lines = await store.lines_of(tx, plan.id)
        kept = sum(line.amount_fen for line in lines if line.payee_kind is PayeeKind.ESCROW)
        account = await ledger.find_account(tx, Kind.ESCROW, f"plan:{plan.id}")
        held = ledger.stored_balance(account) if account else 0
        if held != (0 if plan.id in released else kept):
            found.append(f"the escrow of plan {plan.id} holds {held} fen where the plan keeps {kept}")
    return found


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
    sums = (drawn.proceeds_fen, drawn.distributed_fen, drawn.surplus_fen)
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
    for objection in course.objections:
        found += [f"has an objection {objection.id} that {fault}" for fault in _broken_objection(course, objection)]
    confirmation = await store.find_confirmation(tx, plan.id)
    if confirmation is None:
        return found
    day, basis = beijing_day(confirmation.confirmed_at), store.basis_of(plan)
    if course.decided_on is None:
        found.append("was confirmed without a decision of the panel")
    if basis.follows is not None:
        return found + await _broken_successor(tx, basis.follows, basis, day)
    if any(objection.stage(day) is not Stage.LAPSED for objection in course.objections):
        found.append("was confirmed against an objection")
    return found + _broken_clocks(course, day)


async def _broken_successor(tx: Tx, follows: UUID, basis: Basis, day: date) -> list[str]:
    """Faults of a plan that was confirmed without service of its own, since it follows from one that was served."""
    before = await store.get_plan(tx, follows)
    earlier = store.basis_of(before)
    course = await store.course_of(tx, before, earlier)
    if basis.settles is not None:
        if basis.settles.plan_id != follows or basis_bytes(basis.settles.basis) != before.basis:
            return ["gives out an escrow that another plan keeps"]
        return await _broken_release(tx, earlier, basis)
    found = [fault + " (as the plan that it follows)" for fault in _broken_clocks(course, day)]
    if any(objection.stage(day) not in RESOLVED for objection in course.objections):
        found.append("was made while an objection was still running")
    suits = {each.id for each in course.objections if each.suit is not None}
    if not suits >= {dispute.objection_id for dispute in basis.disputes}:
        found.append("keeps money in escrow for which there is no suit")
    return found


async def _broken_release(tx: Tx, earlier: Basis, basis: Basis) -> list[str]:
    """Faults of a plan that gives an escrow out: a claim leaves the dispute only when its suits are all decided."""
    still = {dispute.claim_id for dispute in basis.disputes}
    found = []
    for dispute in earlier.disputes:
        objected = await store.plan_of_objection(tx, dispute.objection_id)
        judged = await store.objections_of(tx, objected.id, store.basis_of(objected))
        suit = next((each for each in judged if each.id == dispute.objection_id), None)
        if dispute.claim_id not in still and (suit is None or suit.judgment is None):
            found.append("gives out an escrow whose suit is not decided")
    suits = {(dispute.objection_id, dispute.claim_id) for dispute in earlier.disputes}
    if not suits >= {(dispute.objection_id, dispute.claim_id) for dispute in basis.disputes}:
        found.append("keeps money in escrow for which there is no suit")
    return found


def _broken_clocks(course: Course, day: date) -> list[str]:
    found = []
    if course.recipients.keys() != course.services.keys():
        found.append("was confirmed before it was served on everybody")
    if any(day <= served.objection_until for served in course.services.values()):
        found.append("was confirmed while somebody could still object")
    return found


def _broken_objection(course: Course, objection: ObjectionCourse) -> list[str]:
    found = [
        f"gives {_name(course, notice.party_id)} another last day for a counter-opinion than the law"
        for notice in objection.notices.values()
        if notice.calendar_known and notice.counter_until != _last(Event.OBJECTION_NOTICE_SERVED, notice.served_on)
    ]
    served = course.services.get(objection.party_id)
    if served is None or not served.served_on <= objection.objected_on <= served.objection_until:
        found.append("was not made within its party's clock")
    if any(each.made_on > objection.notices[each.party_id].counter_until for each in objection.counter_opinions):
        found.append("was opposed too late")
    told, suit = objection.told, objection.suit
    if told and told.calendar_known and told.sue_until != _last(Event.COUNTER_OPINION_TOLD, told.told_on):
        found.append("gives its objector another last day to sue than the law")
    if suit and (told is None or not told.told_on <= suit.filed_on <= told.sue_until):
        found.append("was sued over too late or too early")
    if objection.judgment and objection.judgment.claims.keys() != objection.disputes.keys():
        found.append("was judged on other claims than are in dispute")
    return found


def _last(event: Event, on: date) -> date:
    return deadline(event, on).on


def _name(course: Course, party_id: UUID) -> str:
    return course.recipients.get(party_id, str(party_id))
