"""Use cases of parties: a person reads the cases in which the court linked them with a party, and no other."""

from datetime import date
from uuid import UUID

from appraisal import api as appraisal
from appraisal.api import CaseFacts, PartyFacts
from kernel.actors import Actor
from kernel.clock import beijing_day
from kernel.database import Database, Tx
from kernel.errors import NotFound
from settlement.distribution import creditors
from settlement.distribution import service as distribution
from settlement.distribution.plan_schemas import PlanView
from settlement.distribution.plans import PayeeKind
from settlement.papers import service as papers
from settlement.parties.rules import ClockState
from settlement.parties.schemas import (
    ClockView,
    OwnCase,
    OwnCases,
    OwnStatement,
    PartyCase,
    clock_view,
    clocks_of,
    own_party,
    read_plan,
    statement,
)
from settlement.payouts import account
from settlement.payouts.schemas import WithholdingView
from settlement.statements import service as statements
from settlement.statements.schemas import PaymentView


async def show_cases(database: Database, actor: Actor) -> OwnCases:
    """The reader's cases, newest first, with the clocks that run for them."""
    async with database.reading(actor) as tx:
        today = beijing_day(tx.now())
        return OwnCases(
            tuple([await _in_short(tx, case, today) for case in await appraisal.cases_of_person(tx, actor.person)])
        )


async def show_case(database: Database, actor: Actor, case_id: UUID) -> PartyCase:
    """One case of the reader: what was served on them, what is paid to them, until when they may act."""
    async with database.reading(actor) as tx:
        case = await appraisal.get_case(tx, case_id)
        own = _own(case, actor)
        if not own:
            raise NotFound(what="case")
        ids = {party.id for party in own}
        plans = await distribution.plans_served_on(tx, case.id, ids)
        pay_by, local_pay_by = await account.pay_by(tx, case)
        today = beijing_day(tx.now())
        return PartyCase(
            case_id=case.id,
            case_no=case.case_no,
            court=case.court_name,
            today=today.isoformat(),
            parties=tuple(own_party(party) for party in own),
            clocks=_clocks(plans, own, today),
            plans=tuple(read_plan(plan, ids) for plan in plans),
            claims=tuple(claim for claim in await creditors.claims_of(tx, case) if claim.party_id in ids),
            statement=await _statement(tx, case.id, own, plans),
            pay_by=pay_by,
            local_pay_by=local_pay_by,
            papers=tuple(await papers.papers_of_parties(tx, case.id, ids)),
        )


async def _in_short(tx: Tx, case: CaseFacts, today: date) -> OwnCase:
    own = _own(case, tx.actor)
    plans = await distribution.plans_served_on(tx, case.id, {party.id for party in own})
    clocks = tuple(clock for clock in _clocks(plans, own, today) if clock.state is ClockState.RUNNING)
    return OwnCase(case.id, case.case_no, case.court_name, tuple(own_party(party) for party in own), clocks)


def _own(case: CaseFacts, actor: Actor) -> list[PartyFacts]:
    """The parties of the case that the reader is linked with; somebody may be several."""
    return [party for party in case.parties if party.person_id == actor.person]


def _clocks(plans: list[PlanView], own: list[PartyFacts], today: date) -> tuple[ClockView, ...]:
    """The reader's clocks, the first to end first among those that run, then the others, latest first."""
    names = {party.id: party.name for party in own}
    found = [
        clock_view(clock, names[clock.party_id], today) for plan in plans for clock in clocks_of(plan, names.keys())
    ]
    found.sort(key=lambda clock: clock.until, reverse=True)
    running = [clock for clock in reversed(found) if clock.state is ClockState.RUNNING]
    return (*running, *(clock for clock in found if clock.state is not ClockState.RUNNING))


async def _statement(tx: Tx, case_id: UUID, own: list[PartyFacts], plans: list[PlanView]) -> OwnStatement:
    payments: list[PaymentView] = []
    withholdings: list[WithholdingView] = []
    deducted_fen = 0
    for party in own:
        payments += await statements.payments_of(tx, case_id, party.id)
        withholdings += await account.withheld_from(tx, case_id, (PayeeKind.PARTY, party.id))
        deducted_fen += await account.deducted_from(tx, case_id, party.id)
    return statement(plans, {party.id for party in own}, tuple(payments), tuple(withholdings), deducted_fen)
