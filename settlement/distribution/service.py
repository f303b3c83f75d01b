"""Use cases of distribution: draft a plan, let the panel decide it, serve it, confirm it; objections: `disputes`.

Locking: the assets whose money it is (shared, so that no hold slips in), then the case account, which everything that
moves or promises the case's money locks; so plans, credits and payouts of one case have an order.
"""

from collections.abc import Collection
from uuid import UUID

from appraisal import api as appraisal
from kernel.actors import COURT_STAFF, Actor, Role
from kernel.audit import record
from kernel.clock import beijing, beijing_day
from kernel.database import Call, Database, Tx
from kernel.ids import ordered_id
from settlement.completion import case_money, defaults
from settlement.completion.case_money import CASE_MONEY, served_case
from settlement.distribution import procedure, store
from settlement.distribution.current import current_basis
from settlement.distribution.drawing import draw
from settlement.distribution.errors import (
    AssetHeld,
    BankruptcyAccepted,
    FeeNotSet,
    NoClaims,
    NothingToDistribute,
)
from settlement.distribution.models import Bankruptcy, Plan
from settlement.distribution.plan_schemas import (
    AcceptBankruptcy,
    BankruptcyView,
    DecidePlan,
    PlanList,
    PlanRow,
    PlanView,
    PoolView,
    ServePlan,
)
from settlement.distribution.plan_views import claim_views, fee_view, line_views, objection_views, recipient_views
from settlement.distribution.plans import (
    Basis,
    Head,
    basis_bytes,
    plan_hash,
)
from settlement.distribution.procedure import Course
from settlement.distribution.schemas import four_decimals
from settlement.ledger import service as ledger
from settlement.ledger.models import Account

DOCUMENT = "distribution_plan"
DRAFTED = "distribution.draft"


async def draft_plan(database: Database, call: Call, case_id: UUID) -> PlanView:
    """Draft the next version of the case's plan from its money, costs and claims (R-DIST-03, 04, 08).

    Forfeited deposits are used first as far as costs and claims now ask for it (R-CLOSE-08). Refuses
    `nothing-to-distribute` without new money, `no-claims` without creditors, `fee-not-set` without the enforcement fee.
    """
    async with database.command(call) as tx:
        tx.actor.must_be(Role.MAKER)
        case = await served_case(tx, case_id)
        await defaults.settle_default_use(tx, case.id)  # locks defaulted sales, which come before accounts
        await lock_case_money(tx, case.id)
        await require_no_bankruptcy(tx, case.id)
        basis = await current_basis(tx, case)
        if not basis.claims:
            raise NoClaims()
        if not basis.proceeds:
            raise NothingToDistribute()
        if basis.fee is None:
            raise FeeNotSet()
        return tx.answer(await plan_view(tx, await store_plan(tx, case.id, basis)))


async def store_plan(tx: Tx, case_id: UUID, basis: Basis) -> Plan:
    """The next version of the case's plan, drawn from `basis`. The case's money is locked by the caller."""
    now = tx.now()
    drawn, stored = draw(basis), basis_bytes(basis)
    head = Head(ordered_id(), case_id, await store.latest_version(tx, case_id) + 1, now, tx.actor.person)
    plan = Plan(
        id=head.id,
        case_id=case_id,
        version=head.version,
        made_at=now,
        made_by=head.made_by,
        basis=stored,
        proceeds_fen=drawn.proceeds_fen,
        distributed_fen=drawn.distributed_fen,
        surplus_fen=drawn.surplus_fen,
        hash=plan_hash(head, stored, drawn.lines),
    )
    await store.add_plan(tx, plan, drawn.lines)
    facts = {"version": plan.version, "hash": plan.hash.hex(), "proceeds_fen": plan.proceeds_fen}
    await record(tx, DRAFTED, f"plan:{plan.id}", facts, case_id=case_id)
    return plan


async def decide_plan(database: Database, call: Call, plan_id: UUID, wanted: DecidePlan) -> PlanView:
    """Record that the panel decided the plan as it stands (R-DIST-04)."""
    async with database.command(call) as tx:
        tx.actor.must_be(Role.JUDGE)
        plan, basis, course = await locked_plan(tx, plan_id)
        procedure.decide(course)
        decision = await appraisal.get_decision(tx, wanted.decision_id, case_id=plan.case_id, subject=DOCUMENT)
        procedure.require_fresh(basis, await current_basis(tx, await appraisal.get_case(tx, plan.case_id)))
        await store.add_decision(tx, plan.id, decision.id, tx.now())
        facts = {"decision": str(decision.id), "hash": plan.hash.hex()}
        await record(tx, "distribution.decide", f"plan:{plan.id}", facts, case_id=plan.case_id)
        return tx.answer(await plan_view(tx, plan))


async def serve_plan(database: Database, call: Call, plan_id: UUID, wanted: ServePlan) -> PlanView:
    """Record service on one recipient, which starts that recipient's fifteen days (R-DIST-05)."""
    async with database.command(call) as tx:
        tx.actor.must_be(Role.CLERK)
        plan, _, course = await locked_plan(tx, plan_id)
        served = procedure.serve(course, wanted.party_id, wanted.served_on)
        service_id = await appraisal.record_service(
            tx,
            case_id=plan.case_id,
            addressee_party_id=served.party_id,
            document=DOCUMENT,
            subject=f"plan:{plan.id}",
            served_on=served.served_on,
            method=wanted.method,
            proof=wanted.proof,
        )
        await store.add_service(tx, plan.id, served, service_id, tx.now())
        facts = {"party": str(served.party_id), "objection_until": served.objection_until.isoformat()}
        await record(tx, "distribution.serve", f"plan:{plan.id}", facts, case_id=plan.case_id)
        return tx.answer(await plan_view(tx, plan))


async def confirm_plan(database: Database, call: Call, plan_id: UUID) -> PlanView:
    """Let the plan be paid as it stands, once every recipient's clock ran out and no objection is left (R-DIST-05).

    Holds are asked again (R-CASE-09), and the plan must still say what the case is: else `plan-stale`.
    """
    async with database.command(call) as tx:
        tx.actor.must_be(Role.JUDGE)
        plan = await served_plan(tx, plan_id)
        await require_no_holds(tx, store.basis_of(plan))
        plan, basis, course = await locked_plan(tx, plan_id)
        await require_no_bankruptcy(tx, plan.case_id)
        now = tx.now()
        current = await current_basis(tx, await appraisal.get_case(tx, plan.case_id))
        procedure.confirm(course, basis, current, beijing_day(now))
        await store.add_confirmation(tx, plan, now)
        facts = {"version": plan.version, "hash": plan.hash.hex()}
        await record(tx, "distribution.confirm", f"plan:{plan.id}", facts, case_id=plan.case_id)
        return tx.answer(await plan_view(tx, plan))


async def show_plan(database: Database, actor: Actor, plan_id: UUID) -> PlanView:
    """One plan of the reader's court."""
    async with database.reading(actor) as tx:
        tx.actor.must_be(*COURT_STAFF)
        return await plan_view(tx, await served_plan(tx, plan_id))


async def show_plans(database: Database, actor: Actor, case_id: UUID) -> PlanList:
    """The plans of a case of the reader's court, latest version first."""
    async with database.reading(actor) as tx:
        tx.actor.must_be(*COURT_STAFF)
        case = await served_case(tx, case_id)
        rows = []
        for plan in await store.list_plans(tx, case.id):
            course = await store.course_of(tx, plan, store.basis_of(plan))
            made_at, hash_ = beijing(plan.made_at), plan.hash.hex()
            rows.append(
                PlanRow(plan.id, plan.version, course.state, made_at, plan.proceeds_fen, plan.surplus_fen, hash_)
            )
        return PlanList(tuple(rows))


async def served_plan(tx: Tx, plan_id: UUID) -> Plan:
    """The plan, if the actor's court serves its case; else there is no such plan."""
    plan = await store.get_plan(tx, plan_id)
    tx.actor.must_serve((await appraisal.get_case(tx, plan.case_id)).court_id, "plan")
    return plan


async def served_parties(tx: Tx, plan_id: UUID) -> frozenset[UUID]:
    """The parties that the plan was served on, or the plan that it follows from: who may read it as it stands."""
    plan = await store.get_plan(tx, plan_id)
    basis = store.basis_of(plan)
    served = frozenset((await store.course_of(tx, plan, basis)).services)
    return served | await served_parties(tx, basis.follows) if basis.follows else served


async def plans_served_on(tx: Tx, case_id: UUID, party_ids: Collection[UUID]) -> list[PlanView]:
    """The plans that one of these parties may read, latest version first."""
    return [
        await plan_view(tx, plan)
        for plan in await store.list_plans(tx, case_id)
        if not (await served_parties(tx, plan.id)).isdisjoint(party_ids)
    ]


async def lock_case_money(tx: Tx, case_id: UUID) -> Account:
    """The case account, locked: nobody else moves or promises the case's money until the transaction ends."""
    account = await case_money.case_account(tx, case_id)
    return (await ledger.lock(tx, [account.id]))[account.id]


async def require_no_bankruptcy(tx: Tx, case_id: UUID) -> None:
    """Refuse to distribute or pay once a court accepted the debtor's bankruptcy (R-DIST-17). Ask under the lock."""
    accepted = await store.find_bankruptcy(tx, case_id)
    if accepted is not None:
        raise BankruptcyAccepted(court=accepted.court, accepted_on=accepted.accepted_on.isoformat())


async def accept_bankruptcy(database: Database, call: Call, case_id: UUID, wanted: AcceptBankruptcy) -> BankruptcyView:
    """Record that a court accepted the debtor's bankruptcy, which stops distribution and payouts at once (R-DIST-17).

    What was paid out before stays; a payment in flight at the bank counts as paid.
    """
    async with database.command(call) as tx:
        tx.actor.must_be(Role.JUDGE)
        case = await served_case(tx, case_id)
        await lock_case_money(tx, case.id)
        await require_no_bankruptcy(tx, case.id)
        now = tx.now()
        procedure.require_accepted(wanted.accepted_on, beijing_day(now))
        bankruptcy = Bankruptcy(
            case_id=case.id,
            accepted_on=wanted.accepted_on,
            court=wanted.court,
            document=wanted.document,
            recorded_at=now,
            recorded_by=tx.actor.person,
        )
        await store.add_bankruptcy(tx, bankruptcy)
        await record(tx, "distribution.bankruptcy", f"case:{case.id}", wanted, case_id=case.id)
        view = BankruptcyView(case.id, wanted.accepted_on.isoformat(), wanted.court, wanted.document, beijing(now))
        return tx.answer(view)


async def require_no_holds(tx: Tx, basis: Basis) -> None:
    """Refuse to distribute or pay the proceeds of a thing on hold (R-CASE-09); none can be placed meanwhile."""
    assets = sorted(UUID(proceeds.pool) for proceeds in basis.proceeds if proceeds.pool != CASE_MONEY)
    for asset_id in assets:
        await appraisal.require_no_hold(tx, asset_id, AssetHeld)


async def locked_plan(tx: Tx, plan_id: UUID) -> tuple[Plan, Basis, Course]:
    """The plan of the actor's court with what happened to it, under the lock of its case's money."""
    plan = await served_plan(tx, plan_id)
    await lock_case_money(tx, plan.case_id)
    basis = store.basis_of(plan)
    return plan, basis, await store.course_of(tx, plan, basis)


async def plan_view(tx: Tx, plan: Plan) -> PlanView:
    """The whole plan, read back from its rows."""
    basis, lines = store.basis_of(plan), await store.lines_of(tx, plan.id)
    drawn, course = draw(basis), await store.course_of(tx, plan, basis)
    decision = await store.find_decision(tx, plan.id)
    confirmation = await store.find_confirmation(tx, plan.id)
    return PlanView(
        id=plan.id,
        case_id=plan.case_id,
        version=plan.version,
        state=course.state,
        made_at=beijing(plan.made_at),
        hash=plan.hash.hex(),
        debtor_kind=basis.debtor,
        proceeds_fen=plan.proceeds_fen,
        distributed_fen=plan.distributed_fen,
        surplus_fen=plan.surplus_fen,
        escrow_fen=drawn.escrow_fen,
        follows=basis.follows,
        quota=None if drawn.outcome.quota is None else four_decimals(drawn.outcome.quota),
        rules=drawn.outcome.rules,
        pools=tuple(PoolView(each.pool, each.name, each.amount_fen) for each in basis.proceeds),
        fee=fee_view(basis.fee),
        lines=line_views(basis, lines),
        claims=claim_views(basis, drawn),
        recipients=recipient_views(course),
        objections=objection_views(course, beijing_day(tx.now())),
        decision_id=decision.decision_id if decision else None,
        confirmed_at=beijing(confirmation.confirmed_at) if confirmation else None,
    )
