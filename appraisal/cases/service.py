"""Use cases of cases: open one, record a panel decision, look them up. A court sees its own cases only."""

from collections.abc import Collection
from dataclasses import replace
from uuid import UUID

from appraisal.cases import store
from appraisal.cases.errors import CaseNumberTaken, IdentityDiffers, NotLinked
from appraisal.cases.rules import (
    Account,
    CaseFacts,
    Decision,
    PartyFacts,
    PartyRole,
    Subject,
    canonical_case_no,
    require_decision,
    require_panel,
    require_parties,
    require_same_person,
)
from appraisal.cases.schemas import (
    CaseLine,
    CaseList,
    CaseView,
    DecisionView,
    LinkParty,
    OpenCase,
    PartyIn,
    PartyView,
    RecordDecision,
    UnlinkParty,
    case_view,
    decision_view,
    party_view,
)
from appraisal.days import require_come
from kernel.actors import COURT_STAFF, Actor, Role
from kernel.audit import record
from kernel.clock import beijing
from kernel.contracts import HelperLinked
from kernel.database import Call, Database, Tx
from kernel.errors import Forbidden
from kernel.identity.service import court_name, find_confirmed
from kernel.ids import ordered_id
from kernel.outbox import tell


async def open_case(database: Database, call: Call, wanted: OpenCase) -> CaseView:
    """Open a case of the clerk's court with its parties. One case per number and court."""
    async with database.command(call) as tx:
        tx.actor.must_be(Role.CLERK)
        court_id = own_court(tx.actor)
        case_no = canonical_case_no(wanted.case_no)
        require_parties([(party.ref, party.role) for party in wanted.parties])
        case_id = await store.add_case(tx, court_id, case_no, tx.now())
        if case_id is None:
            raise CaseNumberTaken(case_no=case_no)
        await store.add_parties(tx, [_party(case_id, party) for party in wanted.parties])
        view = case_view(await get_case(tx, case_id), [])
        await record(tx, "cases.open", f"case:{case_id}", view, case_id=case_id)
        return tx.answer(view)


async def record_decision(database: Database, call: Call, case_id: UUID, wanted: RecordDecision) -> DecisionView:
    """Record what the panel decided (R-GEN-05); a judge does, and the decision can never be changed."""
    async with database.command(call) as tx:
        tx.actor.must_be(Role.JUDGE)
        case = await get_served_case(tx, case_id)
        now = tx.now()
        require_panel(wanted.members)
        require_come("made_on", wanted.made_on, now)
        decision = Decision(
            id=ordered_id(),
            case_id=case.id,
            subject=wanted.subject,
            made_on=wanted.made_on,
            members=wanted.members,
            text=wanted.text,
            facts=wanted.facts,
        )
        await store.add_decision(tx, decision, now)
        view = decision_view(decision)
        await record(tx, "cases.decide", f"decision:{decision.id}", view, case_id=case.id)
        return tx.answer(view)


async def link_party(database: Database, call: Call, case_id: UUID, party_id: UUID, wanted: LinkParty) -> PartyView:
    """Let an account read the case as this party; the clerk has seen who it is, and an earlier link ends (R-BID-04).

    Refuses `identity-differs` unless user name and confirmed identity number belong to one account in use.
    """
    async with database.command(call) as tx:
        tx.actor.must_be(Role.CLERK)
        case = await lock_served_case(tx, case_id)
        party = case.party(party_id)
        found = await find_confirmed(tx, wanted.username, wanted.id_number)
        if found is None:
            raise IdentityDiffers()
        person_id, real_name = found
        require_same_person(party, real_name, wanted.capacity)
        await store.set_person(tx, party.id, person_id)
        if party.role is PartyRole.HELPER:
            await tell(tx, HelperLinked(case_id=case.id))
        facts = {"person": str(person_id), "capacity": wanted.capacity, "document": wanted.document}
        await record(tx, "cases.link-party", f"party:{party.id}", facts, case_id=case.id)
        return tx.answer(party_view(replace(party, person_id=person_id)))


async def unlink_party(database: Database, call: Call, case_id: UUID, party_id: UUID, wanted: UnlinkParty) -> PartyView:
    """End what an account may read as this party: a mandate was withdrawn, or the link was a mistake."""
    async with database.command(call) as tx:
        tx.actor.must_be(Role.CLERK)
        case = await lock_served_case(tx, case_id)
        party = case.party(party_id)
        if party.person_id is None:
            raise NotLinked(name=party.name)
        await store.set_person(tx, party.id, None)
        facts = {"person": str(party.person_id)}
        await record(tx, "cases.unlink-party", f"party:{party.id}", facts, case_id=case.id, reason=wanted.reason)
        return tx.answer(party_view(replace(party, person_id=None)))


async def show_case(database: Database, actor: Actor, case_id: UUID) -> CaseView:
    """One case of the reader's court, with parties and decisions."""
    async with database.reading(actor) as tx:
        tx.actor.must_be(*COURT_STAFF)
        case = await get_served_case(tx, case_id)
        return case_view(case, await store.list_decisions(tx, case.id))


async def show_cases(database: Database, actor: Actor, after: UUID | None, limit: int) -> CaseList:
    """The cases of the reader's court, newest first, `limit` at a time."""
    async with database.reading(actor) as tx:
        tx.actor.must_be(*COURT_STAFF)
        rows = await store.list_cases(tx, own_court(tx.actor), after, limit + 1)
        lines = tuple(CaseLine(row.id, row.case_no, beijing(row.opened_at)) for row in rows[:limit])
        return CaseList(lines, lines[-1].id if len(rows) > limit else None)


async def get_case(tx: Tx, case_id: UUID) -> CaseFacts:
    """The case with its parties. Whether the caller may see it is the caller's question."""
    case = await store.get_case(tx, case_id)
    return CaseFacts(
        id=case.id,
        court_id=case.court_id,
        court_name=await court_name(tx, case.court_id),
        case_no=case.case_no,
        parties=await store.list_parties(tx, case.id),
    )


async def list_parties(tx: Tx, case_id: UUID) -> tuple[PartyFacts, ...]:
    """The parties of the case in the order they were named."""
    return await store.list_parties(tx, case_id)


async def helpers_of(tx: Tx, case_id: UUID) -> frozenset[UUID]:
    """The persons whom the court has linked with helpers of the case (辅助机构), who may not buy in it (R-BID-14)."""
    parties = await store.list_parties(tx, case_id)
    return frozenset(party.person_id for party in parties if party.person_id and party.role is PartyRole.HELPER)


async def cases_of_person(tx: Tx, person_id: UUID) -> list[CaseFacts]:
    """The cases in which this person is linked with a party, newest first."""
    return [await get_case(tx, case_id) for case_id in await store.cases_of_person(tx, person_id)]


async def court_names(tx: Tx, case_ids: Collection[UUID]) -> dict[UUID, str]:
    """The name of the court of each of these cases: for figures that name no case."""
    courts = await store.courts_of(tx, case_ids)
    names = {court_id: await court_name(tx, court_id) for court_id in set(courts.values())}
    return {case_id: names[court_id] for case_id, court_id in courts.items()}


async def case_numbers(tx: Tx, case_ids: Collection[UUID]) -> dict[UUID, str]:
    """The number of each of these cases."""
    return await store.case_numbers(tx, case_ids)


async def get_served_case(tx: Tx, case_id: UUID) -> CaseFacts:
    """The case, if the actor's court serves it; else there is no such case."""
    case = await get_case(tx, case_id)
    tx.actor.must_serve(case.court_id, "case")
    return case


async def lock_served_case(tx: Tx, case_id: UUID) -> CaseFacts:
    """The same, with its row locked: what is numbered within the case is numbered one after the other."""
    await store.lock_case(tx, case_id)
    return await get_served_case(tx, case_id)


async def get_decision(tx: Tx, decision_id: UUID, *, case_id: UUID, subject: str) -> Decision:
    """The panel decision `decision_id`; refuses one made in another case or on another subject (R-GEN-05)."""
    return require_decision(await store.get_decision(tx, decision_id), case_id, Subject(subject))


def own_court(actor: Actor) -> UUID:
    """The court the actor belongs to; refuses staff of none."""
    if actor.court_id is None:
        raise Forbidden()
    return actor.court_id


def _party(case_id: UUID, wanted: PartyIn) -> PartyFacts:
    account = wanted.account
    return PartyFacts(
        id=ordered_id(),
        case_id=case_id,
        ref=wanted.ref,
        role=wanted.role,
        name=wanted.name,
        kind=wanted.kind,
        person_id=None,
        account=Account(account.holder, account.number, account.bank) if account else None,
    )
