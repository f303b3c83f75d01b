"""Use cases of objections to a plan: take one, notify, oppose, tell, sue, judge; resolve the plan; release its escrow.

Locking: as in `service`; the case account orders everything that happens to the plans of a case. What lies in escrow
stands on an account of its own, which only the plan that gives it out empties (R-DIST-05, 06).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from appraisal import api as appraisal
from appraisal.api import CaseFacts
from kernel.actors import Role
from kernel.audit import record
from kernel.clock import beijing_day
from kernel.database import Call, Database, Tx
from kernel.ids import ordered_id
from kernel.money import Fen
from settlement.completion import case_money
from settlement.distribution import objections, procedure, store
from settlement.distribution.claims import Debt
from settlement.distribution.current import confirmed_plans, current_basis, recognised_claims
from settlement.distribution.drawing import draw
from settlement.distribution.errors import NoEscrow, SuitPending
from settlement.distribution.models import Plan, Recognition
from settlement.distribution.objections import Judgment, ObjectionCourse, combined
from settlement.distribution.plan_schemas import (
    FileSuit,
    JudgeSuit,
    NotifyOfObjection,
    ObjectToPlan,
    OpposeObjection,
    PlanView,
    ResolvePlan,
    TellObjector,
)
from settlement.distribution.plans import Basis, Dispute, Settled
from settlement.distribution.procedure import Course
from settlement.distribution.service import (
    DOCUMENT,
    locked_plan,
    plan_view,
    require_no_bankruptcy,
    require_no_holds,
    served_plan,
    store_plan,
)
from settlement.ledger import service as ledger
from settlement.ledger.models import Account
from settlement.ledger.rules import Kind, Posting, Transfer

NOTICE_OF_OBJECTION = "plan_objection"
NOTICE_OF_OPPOSITION = "counter_opinion"


async def object_to_plan(database: Database, call: Call, plan_id: UUID, wanted: ObjectToPlan) -> PlanView:
    """Record a recipient's written objection with what it says the disputed claims should be (R-DIST-05)."""
    async with database.command(call) as tx:
        tx.actor.must_be(Role.CLERK)
        plan, basis, course = await locked_plan(tx, plan_id)
        now = tx.now()
        procedure.object_to(course, wanted.party_id, wanted.objected_on, beijing_day(now))
        objections.require_disputes(planned_debts(basis), wanted.debts)
        objection = ObjectionCourse(
            id=ordered_id(),
            party_id=wanted.party_id,
            objected_on=wanted.objected_on,
            text=wanted.text,
            disputes=wanted.debts,
            audience=frozenset(),
            notices={},
        )
        await store.add_objection(tx, plan.id, objection, now)
        await record(tx, "distribution.object", f"objection:{objection.id}", wanted, case_id=plan.case_id)
        return tx.answer(await plan_view(tx, plan))


async def notify_of_objection(
    database: Database, call: Call, objection_id: UUID, wanted: NotifyOfObjection
) -> PlanView:
    """Record that the objection was served on one party, which starts that party's fifteen days (R-DIST-05)."""
    async with database.command(call) as tx:
        tx.actor.must_be(Role.CLERK)
        plan, course, objection = await _locked_objection(tx, objection_id)
        procedure.require_open(course)
        now = tx.now()
        notice = objections.notify(objection, wanted.party_id, wanted.served_on, beijing_day(now))
        service_id = await appraisal.record_service(
            tx,
            case_id=plan.case_id,
            addressee_party_id=notice.party_id,
            document=NOTICE_OF_OBJECTION,
            subject=f"objection:{objection.id}",
            served_on=notice.served_on,
            method=wanted.method,
            proof=wanted.proof,
        )
        await store.add_notice(tx, objection.id, notice, service_id, now)
        facts = {"party": str(notice.party_id), "counter_until": notice.counter_until.isoformat()}
        await record(tx, "distribution.notify", f"objection:{objection.id}", facts, case_id=plan.case_id)
        return tx.answer(await plan_view(tx, plan))


async def oppose_objection(database: Database, call: Call, objection_id: UUID, wanted: OpposeObjection) -> PlanView:
    """Record a party's counter-opinion (R-DIST-05)."""
    async with database.command(call) as tx:
        tx.actor.must_be(Role.CLERK)
        plan, course, objection = await _locked_objection(tx, objection_id)
        procedure.require_open(course)
        now = tx.now()
        opinion = objections.oppose(objection, wanted.party_id, wanted.made_on, wanted.text, beijing_day(now))
        await store.add_counter_opinion(tx, objection.id, opinion, now)
        await record(tx, "distribution.oppose", f"objection:{objection.id}", wanted, case_id=plan.case_id)
        return tx.answer(await plan_view(tx, plan))


async def tell_objector(database: Database, call: Call, objection_id: UUID, wanted: TellObjector) -> PlanView:
    """Record that the objector was told of the opposition, which starts their time to sue (R-DIST-05)."""
    async with database.command(call) as tx:
        tx.actor.must_be(Role.CLERK)
        plan, course, objection = await _locked_objection(tx, objection_id)
        procedure.require_open(course)
        now = tx.now()
        told = objections.tell_objector(objection, wanted.told_on, beijing_day(now))
        service_id = await appraisal.record_service(
            tx,
            case_id=plan.case_id,
            addressee_party_id=objection.party_id,
            document=NOTICE_OF_OPPOSITION,
            subject=f"objection:{objection.id}",
            served_on=told.told_on,
            method=wanted.method,
            proof=wanted.proof,
        )
        await store.add_told(tx, objection.id, told, service_id, now)
        facts = {"sue_until": told.sue_until.isoformat()}
        await record(tx, "distribution.tell-objector", f"objection:{objection.id}", facts, case_id=plan.case_id)
        return tx.answer(await plan_view(tx, plan))


async def file_suit(database: Database, call: Call, objection_id: UUID, wanted: FileSuit) -> PlanView:
    """Record that the objector sued in time (R-DIST-05)."""
    async with database.command(call) as tx:
        tx.actor.must_be(Role.CLERK)
        plan, course, objection = await _locked_objection(tx, objection_id)
        procedure.require_open(course)
        now = tx.now()
        suit = objections.sue(objection, wanted.filed_on, wanted.suit_no, beijing_day(now))
        await store.add_suit(tx, objection.id, suit, now)
        await record(tx, "distribution.sue", f"objection:{objection.id}", wanted, case_id=plan.case_id)
        return tx.answer(await plan_view(tx, plan))


async def judge_suit(database: Database, call: Call, objection_id: UUID, wanted: JudgeSuit) -> PlanView:
    """Record the final judgment of a suit over the plan (R-DIST-06)."""
    async with database.command(call) as tx:
        tx.actor.must_be(Role.JUDGE)
        plan, _, objection = await _locked_objection(tx, objection_id)
        now = tx.now()
        planned = planned_debts((await _plan_in_suit(tx, plan, objection.id)) or store.basis_of(plan))
        judgment = Judgment(wanted.effective_on, wanted.document, wanted.debts)
        objections.judge(objection, planned, judgment, beijing_day(now))
        await store.add_judgment(tx, objection.id, judgment, now)
        await record(tx, "distribution.judge", f"objection:{objection.id}", wanted, case_id=plan.case_id)
        return tx.answer(await plan_view(tx, plan))


async def resolve_plan(database: Database, call: Call, plan_id: UUID, wanted: ResolvePlan) -> PlanView:
    """Turn an objected plan into the version that may be paid (R-DIST-05, 06).

    Claims are corrected where nobody opposed an objection or a judgment came; of claims in suit the undisputed part
    is to be paid, the dividend on the disputed part moves to escrow. Answers with that version, confirmed.
    """
    async with database.command(call) as tx:
        tx.actor.must_be(Role.JUDGE)
        await require_no_holds(tx, store.basis_of(await served_plan(tx, plan_id)))
        plan, basis, course = await locked_plan(tx, plan_id)
        await require_no_bankruptcy(tx, plan.case_id)
        case = await appraisal.get_case(tx, plan.case_id)
        resolution = procedure.resolve(course, basis, await current_basis(tx, case), beijing_day(tx.now()))
        await _recognise(tx, case, plan, basis, resolution.corrections, ground="objection")
        corrected = replace(await current_basis(tx, case), follows=plan.id, disputes=resolution.disputes)
        new = await _store_confirmed(tx, case, corrected, wanted)
        await _move_to_escrow(tx, new, draw(corrected).escrow_fen)
        facts = {"follows": str(plan.id), "corrected": len(resolution.corrections), "in_suit": len(resolution.disputes)}
        await record(tx, "distribution.resolve", f"plan:{new.id}", facts, case_id=plan.case_id)
        return tx.answer(await plan_view(tx, new))


async def release_escrow(database: Database, call: Call, plan_id: UUID, wanted: ResolvePlan) -> PlanView:
    """Give out what the judgments free of a plan's escrow; what is still in suit stays in one (R-DIST-06).

    With the last judgment everybody ends with what the judgments leave them. Answers with the plan that says so,
    confirmed. Refuses `suit-pending` where no claim's suits are all decided.
    """
    async with database.command(call) as tx:
        tx.actor.must_be(Role.JUDGE)
        await require_no_holds(tx, store.basis_of(await served_plan(tx, plan_id)))
        plan, basis, course = await locked_plan(tx, plan_id)
        await require_no_bankruptcy(tx, plan.case_id)
        case = await appraisal.get_case(tx, plan.case_id)
        if not course.confirmed or not basis.disputes or await _is_released(tx, plan):
            raise NoEscrow()
        outcome = await _judged(tx, basis)
        await _recognise(tx, case, plan, basis, outcome.found, ground="judgment")
        claims = tuple(each.of(outcome.found.get(UUID(each.claim.id), each.debt)) for each in basis.claims)
        settles = Settled(plan.id, basis)
        freed = replace(basis, claims=claims, disputes=outcome.pending, follows=plan.id, settles=settles)
        new = await _store_confirmed(tx, case, freed, wanted)
        kept_fen = draw(freed).escrow_fen
        await _move_from_escrow(tx, plan, new, kept_fen)
        facts = {"settles": str(plan.id), "escrow_fen": new.proceeds_fen, "still_in_escrow_fen": kept_fen}
        await record(tx, "distribution.release", f"plan:{new.id}", facts, case_id=plan.case_id)
        return tx.answer(await plan_view(tx, new))


async def escrow_account(tx: Tx, plan_id: UUID, case_id: UUID) -> Account:
    """Where the disputed part of a plan is kept (R-DIST-06)."""
    return await ledger.open_account(tx, Kind.ESCROW, f"plan:{plan_id}", case_id=case_id)


def planned_debts(basis: Basis) -> dict[UUID, Debt]:
    """What the plan takes each of its claims to be."""
    return {UUID(each.claim.id): each.debt for each in basis.claims}


async def _locked_objection(tx: Tx, objection_id: UUID) -> tuple[Plan, Course, ObjectionCourse]:
    """The objection of the actor's court with its plan, under the lock of the case's money."""
    found = await store.plan_of_objection(tx, objection_id)
    tx.actor.must_serve((await appraisal.get_case(tx, found.case_id)).court_id, "objection")
    plan, _, course = await locked_plan(tx, found.id)
    return plan, course, next(each for each in course.objections if each.id == objection_id)


async def _plan_in_suit(tx: Tx, plan: Plan, objection_id: UUID) -> Basis | None:
    """The basis of the plan whose escrow waits for this objection's judgment, if the plan was resolved before it."""
    for later in await confirmed_plans(tx, plan.case_id):
        if any(dispute.objection_id == objection_id for dispute in later.basis.disputes):
            return later.basis
    return None


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What the suits have come to: claims of which all are decided, and disputes over the others as they now stand."""

    found: Mapping[UUID, Debt]
    pending: tuple[Dispute, ...]


async def _judged(tx: Tx, basis: Basis) -> _Outcome:
    """What the judgments found the disputed claims to be; refuses while no claim has all of its suits decided.

    Of a claim with several suits a judgment that came narrows what is in dispute, and the claim waits for the others.
    """
    planned, found, waiting = planned_debts(basis), dict[UUID, list[Debt]](), dict[UUID, str]()
    narrowed: list[Dispute] = []
    for dispute in basis.disputes:
        objected = await store.plan_of_objection(tx, dispute.objection_id)
        course = await store.course_of(tx, objected, store.basis_of(objected))
        objection = next(each for each in course.objections if each.id == dispute.objection_id)
        if objection.judgment is None:
            waiting[dispute.claim_id] = course.recipients[objection.party_id]
            narrowed.append(dispute)
            continue
        debt = objection.judgment.claims[dispute.claim_id]
        found.setdefault(dispute.claim_id, []).append(debt)
        narrowed.append(replace(dispute, debt=debt))
    decided = {each: combined(planned[each], debts) for each, debts in found.items() if each not in waiting}
    if not decided:
        raise SuitPending(name=next(iter(waiting.values())))
    return _Outcome(decided, tuple(dispute for dispute in narrowed if dispute.claim_id in waiting))


async def _is_released(tx: Tx, plan: Plan) -> bool:
    later = await confirmed_plans(tx, plan.case_id)
    return any(each.basis.settles and each.basis.settles.plan_id == plan.id for each in later)


async def _recognise(
    tx: Tx, case: CaseFacts, plan: Plan, basis: Basis, found: Mapping[UUID, Debt], *, ground: str
) -> None:
    """Write what is now recognised of whole claims, where `found` says what is open of them in the plan."""
    planned, rows = planned_debts(basis), await store.recognitions_of(tx, case.id)
    for each in await recognised_claims(tx, case):
        claim_id = UUID(each.claim.id)
        if claim_id not in found:
            continue
        paid = [getattr(each.debt, part) - getattr(planned[claim_id], part) for part in objections.PARTS]
        whole = {
            part: Fen(before + getattr(found[claim_id], part))
            for part, before in zip(objections.PARTS, paid, strict=True)
        }
        recognition = Recognition(
            claim_id=claim_id,
            number=len(rows.get(claim_id, ())) + 1,
            case_id=case.id,
            ground=ground,
            document=f"plan:{plan.id}",
            arithmetic=None,
            recognised_at=tx.now(),
            recognised_by=tx.actor.person,
            **whole,
        )
        await store.add_recognition(tx, recognition)
        facts = {"number": recognition.number, "ground": ground, **whole}
        await record(tx, "distribution.recognise", f"claim:{claim_id}", facts, case_id=case.id)


async def _store_confirmed(tx: Tx, case: CaseFacts, basis: Basis, wanted: ResolvePlan) -> Plan:
    decision = await appraisal.get_decision(tx, wanted.decision_id, case_id=case.id, subject=DOCUMENT)
    plan = await store_plan(tx, case.id, basis)
    now = tx.now()
    await store.add_decision(tx, plan.id, decision.id, now)
    await store.add_confirmation(tx, plan, now)
    return plan


async def _move_to_escrow(tx: Tx, plan: Plan, amount_fen: Fen) -> None:
    if amount_fen:
        case, escrow = await case_money.case_account(tx, plan.case_id), await escrow_account(tx, plan.id, plan.case_id)
        transfer = (Transfer(case.id, escrow.id, amount_fen),)
        key = f"escrow:{plan.id}"
        await ledger.post(tx, Posting(key, "distribution.escrow", f"plan:{plan.id}", transfer, plan.case_id))


async def _move_from_escrow(tx: Tx, settled: Plan, new: Plan, kept_fen: Fen) -> None:
    """Empty the escrow of the plan that is settled: into the case account, and what is still in suit into a new one."""
    case, escrow = await case_money.case_account(tx, new.case_id), await escrow_account(tx, settled.id, new.case_id)
    wanted = [(case, new.proceeds_fen - kept_fen)]
    if kept_fen:
        wanted.append((await escrow_account(tx, new.id, new.case_id), kept_fen))
    transfers = tuple(Transfer(escrow.id, to.id, Fen(amount_fen)) for to, amount_fen in wanted if amount_fen)
    key = f"escrow-release:{settled.id}"
    await ledger.post(tx, Posting(key, "distribution.release", f"plan:{new.id}", transfers, new.case_id))
