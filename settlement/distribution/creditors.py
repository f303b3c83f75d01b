"""Use cases of joining the distribution: the court's policy, applications, recognised amounts, the computed fee.

Locking: as in `service`; an application and the plan it may come too late for wait for each other at the case account.
"""

from datetime import date
from uuid import UUID

import msgspec

from appraisal import api as appraisal
from appraisal.api import CaseFacts
from kernel.actors import COURT_STAFF, Actor, Role
from kernel.audit import record
from kernel.clock import beijing_day
from kernel.database import Call, Database, Tx
from kernel.errors import Busy, Forbidden, NotFound
from kernel.ids import ordered_id
from settlement.completion.case_money import served_case
from settlement.distribution import participation, store
from settlement.distribution.claims import Debt
from settlement.distribution.current import application_of, effect_on, rulings_served
from settlement.distribution.errors import ApplicationMisdated, InterestStillRuns
from settlement.distribution.models import ParticipationApplication, Recognition
from settlement.distribution.participation import Application, Policy, with_interest
from settlement.distribution.participation_schemas import (
    ApplicationView,
    ApplyToJoin,
    ParticipationView,
    PolicyView,
    RecogniseClaim,
    RecognisedClaim,
    SetPolicy,
    day,
    parts,
)
from settlement.distribution.service import (
    lock_case_money,
)


async def set_policy(database: Database, call: Call, wanted: SetPolicy) -> PolicyView:
    """Set until when creditors may join, for the chief's court or for one case of it (R-DIST-02, 16)."""
    async with database.command(call) as tx:
        tx.actor.must_be(Role.CHIEF)
        court_id = tx.actor.court_id
        if court_id is None:
            raise Forbidden()
        if wanted.case_id is not None:
            await served_case(tx, wanted.case_id)
        policy: dict[str, object] = {
            "court_id": court_id,
            "number": await store.next_policy_number(tx, court_id),
            "case_id": wanted.case_id,
            "cut_off": wanted.cut_off,
            "fixed_on": wanted.fixed_on,
            "preference_method": wanted.method,
            "preference_percent": wanted.preference_percent,
            "reason": wanted.reason,
            "set_at": tx.now(),
            "set_by": tx.actor.person,
        }
        if not await store.add_policy(tx, policy):
            raise Busy()
        subject, reason = f"court:{court_id}", wanted.reason
        await record(tx, "distribution.set-policy", subject, wanted, case_id=wanted.case_id, reason=reason)
        return tx.answer(PolicyView(wanted.cut_off, day(wanted.fixed_on), wanted.method, wanted.preference_percent))


async def apply_to_join(database: Database, call: Call, case_id: UUID, wanted: ApplyToJoin) -> ApplicationView:
    """Take a creditor's application to join, by the creditor themselves or the clerk for them (R-DIST-01, 02)."""
    async with database.command(call) as tx:
        case = await _case_of_applicant(tx, case_id, wanted.party_id)
        party = case.party(wanted.party_id)
        await lock_case_money(tx, case.id)
        now = tx.now()
        today = beijing_day(now)
        applied_on = wanted.applied_on or today
        if applied_on != today and not _is_clerk_of(tx.actor, case):
            raise ApplicationMisdated(applied_on=applied_on.isoformat(), today=today.isoformat())
        others = [application_of(row) for row in await store.applications_of(tx, case.id)]
        last_day = await _cut_off_on(tx, case, await store.find_policy(tx, case.court_id, case.id))
        taken = Application(party.id, wanted.title_no, applied_on)
        participation.apply(taken, party.role, others, last_day, today)
        application = ParticipationApplication(
            id=ordered_id(),
            case_id=case.id,
            party_id=party.id,
            title_no=wanted.title_no,
            reasons=wanted.reasons,
            applied_on=applied_on,
            cut_off_on=last_day,
            costs_fen=wanted.costs_fen,
            interest_fen=wanted.interest_fen,
            principal_fen=wanted.principal_fen,
            doubled_fen=wanted.doubled_fen,
            recorded_at=now,
            recorded_by=tx.actor.person,
        )
        await store.add_application(tx, application)
        await record(tx, "distribution.apply", f"application:{application.id}", wanted, case_id=case.id)
        return tx.answer(_application_view(case, application))


async def recognise_claim(database: Database, call: Call, case_id: UUID, wanted: RecogniseClaim) -> RecognisedClaim:
    """Record what the court recognises of a claim; its doubled part may be computed up to the ruling's effect.

    Plans drafted before are stale from then on. Refuses `interest-still-runs` while there is no day to stop at.
    """
    async with database.command(call) as tx:
        tx.actor.must_be(Role.JUDGE)
        case = await served_case(tx, case_id)
        claim = next((each for each in await appraisal.list_claims(tx, case.id) if each.id == wanted.claim_id), None)
        if claim is None:
            raise NotFound(what="claim")
        await lock_case_money(tx, case.id)
        debt, arithmetic = wanted.debt, None
        if wanted.interest is not None:
            stop_on = await effect_on(tx, case.id)
            if stop_on is None:
                raise InterestStillRuns()
            debt, arithmetic = with_interest(debt, wanted.interest.terms, stop_on)
        rows = (await store.recognitions_of(tx, case.id)).get(claim.id, [])
        recognition = Recognition(
            claim_id=claim.id,
            number=len(rows) + 1,
            case_id=case.id,
            ground="review",
            document=wanted.document,
            costs_fen=debt.costs_fen,
            interest_fen=debt.interest_fen,
            principal_fen=debt.principal_fen,
            doubled_fen=debt.doubled_fen,
            arithmetic=arithmetic,
            recognised_at=tx.now(),
            recognised_by=tx.actor.person,
        )
        await store.add_recognition(tx, recognition)
        facts = {"number": recognition.number, "ground": "review", "document": wanted.document, "debt": debt}
        await record(tx, "distribution.recognise", f"claim:{claim.id}", facts, case_id=case.id)
        return tx.answer(next(each for each in await claims_of(tx, case) if each.claim_id == claim.id))


async def show_participation(database: Database, actor: Actor, case_id: UUID) -> ParticipationView:
    """Who takes part in the distribution of a case of the reader's court, and with what."""
    async with database.reading(actor) as tx:
        tx.actor.must_be(*COURT_STAFF)
        case = await served_case(tx, case_id)
        policy = await store.find_policy(tx, case.court_id, case.id)
        applications = await store.applications_of(tx, case.id)
        return ParticipationView(
            policy=PolicyView(policy.cut_off, day(policy.fixed_on), policy.preference_method, policy.preference_percent)
            if policy
            else None,
            cut_off_on=day(await _cut_off_on(tx, case, policy)),
            applications=tuple(_application_view(case, row) for row in applications),
            claims=tuple(await claims_of(tx, case)),
        )


async def _case_of_applicant(tx: Tx, case_id: UUID, party_id: UUID) -> CaseFacts:
    """The case, for its clerk or for the party themselves; for anybody else there is no such case."""
    tx.actor.must_be(Role.CLERK, Role.BIDDER)
    case = await appraisal.get_case(tx, case_id)
    own = any(party.id == party_id and party.person_id == tx.actor.person for party in case.parties)
    if not own and not _is_clerk_of(tx.actor, case):
        raise NotFound(what="case")
    return case


def _is_clerk_of(actor: Actor, case: CaseFacts) -> bool:
    return Role.CLERK in actor.roles and actor.court_id == case.court_id


async def _cut_off_on(tx: Tx, case: CaseFacts, policy: Policy | None) -> date | None:
    if policy is None:
        return None
    served = await rulings_served(tx, case.id)
    return participation.cut_off_on(policy, served, await store.first_service_on(tx, case.id))


async def claims_of(tx: Tx, case: CaseFacts) -> list[RecognisedClaim]:
    """The registered claims of a case, each as claimed and as recognised now."""
    policy = await store.find_policy(tx, case.court_id, case.id)
    applications = [application_of(row) for row in await store.applications_of(tx, case.id)]
    recognised = await store.recognitions_of(tx, case.id)
    found = []
    for claim in await appraisal.list_claims(tx, case.id):
        party, rows = case.party(claim.party_id), recognised.get(claim.id)
        last = rows[-1] if rows else None
        claimed = Debt(claim.costs_fen, claim.interest_fen, claim.principal_fen, claim.doubled_fen)
        found.append(
            RecognisedClaim(
                claim_id=claim.id,
                party_id=party.id,
                name=party.name,
                title_no=claim.title_no,
                takes_part=participation.takes_part(policy, party.role, party.id, claim.title_no, applications),
                claimed=parts(claimed),
                recognised=parts(store.debt_of(last) if last else claimed),
                ground=last.ground if last else None,
                document=last.document if last else None,
                arithmetic=msgspec.Raw(last.arithmetic.encode()) if last and last.arithmetic else None,
            )
        )
    return found


def _application_view(case: CaseFacts, row: ParticipationApplication) -> ApplicationView:
    return ApplicationView(
        id=row.id,
        party_id=row.party_id,
        name=case.party(row.party_id).name,
        title_no=row.title_no,
        reasons=row.reasons,
        applied_on=row.applied_on.isoformat(),
        cut_off_on=day(row.cut_off_on),
        costs_fen=row.costs_fen,
        interest_fen=row.interest_fen,
        principal_fen=row.principal_fen,
        doubled_fen=row.doubled_fen,
    )
