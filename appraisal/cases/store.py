"""All SQL of cases, parties and panel decisions."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from appraisal.cases.models import EnforcementCase, PanelDecision, Party
from appraisal.cases.rules import Account, Decision, PartyFacts, PartyKind, PartyRole, Subject
from kernel.bulk import any_of
from kernel.database import Tx
from kernel.errors import NotFound
from kernel.ids import ordered_id


async def add_case(tx: Tx, court_id: UUID, case_no: str, opened_at: datetime) -> UUID | None:
    """The new case's id; None when the court has a case of this number.

    ON CONFLICT waits for a case that is being opened at the same time, so that of two only one is made.
    """
    return await tx.session.scalar(
        insert(EnforcementCase)
        .values(id=ordered_id(), court_id=court_id, case_no=case_no, opened_at=opened_at)
        .on_conflict_do_nothing(index_elements=["court_id", "case_no"])
        .returning(EnforcementCase.id)
    )


async def add_parties(tx: Tx, parties: Iterable[PartyFacts]) -> None:
    for position, party in enumerate(parties):
        account = party.account
        tx.session.add(
            Party(
                id=party.id,
                case_id=party.case_id,
                position=position,
                ref=party.ref,
                role=party.role,
                name=party.name,
                kind=party.kind,
                person_id=party.person_id,
                account_holder=account and account.holder,
                account_number=account and account.number,
                account_bank=account and account.bank,
            )
        )
    await tx.session.flush()


async def get_case(tx: Tx, case_id: UUID) -> EnforcementCase:
    case = await tx.session.get(EnforcementCase, case_id)
    if case is None:
        raise NotFound(what="case")
    return case


async def lock_case(tx: Tx, case_id: UUID) -> None:
    """Let nobody else register anything in this case until the transaction ends. Locked before its assets."""
    found = await tx.session.scalar(
        select(EnforcementCase.id).where(EnforcementCase.id == case_id).with_for_update(key_share=True)
    )
    if found is None:
        raise NotFound(what="case")


async def list_cases(tx: Tx, court_id: UUID, after: UUID | None, most: int) -> list[EnforcementCase]:
    """A court's cases, the newest first, from the one behind `after` on."""
    cases = select(EnforcementCase).where(EnforcementCase.court_id == court_id)
    if after is not None:
        cases = cases.where(EnforcementCase.id < after)
    return list(await tx.session.scalars(cases.order_by(EnforcementCase.id.desc()).limit(most)))


async def list_parties(tx: Tx, case_id: UUID) -> tuple[PartyFacts, ...]:
    """The parties in the order they were named."""
    rows = await tx.session.scalars(select(Party).where(Party.case_id == case_id).order_by(Party.position))
    return tuple(_party(row) for row in rows)


async def set_person(tx: Tx, party_id: UUID, person_id: UUID | None) -> None:
    """Link the party with a person, or with nobody."""
    await tx.session.execute(update(Party).where(Party.id == party_id).values(person_id=person_id))


async def cases_of_person(tx: Tx, person_id: UUID) -> Sequence[UUID]:
    """Cases with a party that is linked with this person, newest first."""
    found = select(Party.case_id).where(Party.person_id == person_id).distinct()
    return (await tx.session.scalars(found.order_by(Party.case_id.desc()))).all()


async def add_decision(tx: Tx, decision: Decision, recorded_at: datetime) -> None:
    tx.session.add(
        PanelDecision(
            id=decision.id,
            case_id=decision.case_id,
            subject=decision.subject,
            made_on=decision.made_on,
            members=list(decision.members),
            text=decision.text,
            facts=dict(decision.facts),
            recorded_at=recorded_at,
        )
    )
    await tx.session.flush()


async def get_decision(tx: Tx, decision_id: UUID) -> Decision:
    row = await tx.session.get(PanelDecision, decision_id)
    if row is None:
        raise NotFound(what="decision")
    return _decision(row)


async def list_decisions(tx: Tx, case_id: UUID) -> list[Decision]:
    """All decisions of the case, in the order they were recorded."""
    rows = await tx.session.scalars(
        select(PanelDecision).where(PanelDecision.case_id == case_id).order_by(PanelDecision.id)
    )
    return [_decision(row) for row in rows]


def _party(row: Party) -> PartyFacts:
    account = None
    if row.account_holder is not None and row.account_number is not None and row.account_bank is not None:
        account = Account(row.account_holder, row.account_number, row.account_bank)
    return PartyFacts(
        id=row.id,
        case_id=row.case_id,
        ref=row.ref,
        role=PartyRole(row.role),
        name=row.name,
        kind=PartyKind(row.kind),
        person_id=row.person_id,
        account=account,
    )


def _decision(row: PanelDecision) -> Decision:
    return Decision(
        id=row.id,
        case_id=row.case_id,
        subject=Subject(row.subject),
        made_on=row.made_on,
        members=tuple(row.members),
        text=row.text,
        facts=row.facts,
    )


async def courts_of(tx: Tx, case_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """The court of each of these cases."""
    rows = await tx.session.execute(
        select(EnforcementCase.id, EnforcementCase.court_id).where(EnforcementCase.id.in_(case_ids))
    )
    return {row.id: row.court_id for row in rows}


async def case_numbers(tx: Tx, case_ids: Collection[UUID]) -> dict[UUID, str]:
    """The number of each of these cases."""
    rows = await tx.session.execute(
        select(EnforcementCase.id, EnforcementCase.case_no).where(EnforcementCase.id == any_of(case_ids))
    )
    return {row.id: row.case_no for row in rows}
