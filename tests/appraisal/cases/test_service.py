"""Cases on a real database: idempotent, one number per court, closed to other courts, audited."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from msgspec.structs import replace
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from appraisal.cases import service
from appraisal.cases.errors import (
    CaseNumberTaken,
    IdentityDiffers,
    NotLinked,
    PanelIncomplete,
    PartyNamedOtherwise,
    WrongDecision,
)
from appraisal.cases.models import EnforcementCase
from appraisal.cases.rules import Capacity, PartyRole, Subject
from appraisal.cases.schemas import CaseView, LinkParty, OpenCase, RecordDecision, UnlinkParty
from appraisal.days import DayInFuture
from kernel import audit
from kernel.actors import Role, platform
from kernel.audit import AuditEntry
from kernel.database import AlreadyAnswered, Database
from kernel.errors import Forbidden, KeyReused, NotFound, Refusal
from kernel.ids import ordered_id
from kernel.outbox import Outbox
from tests.appraisal.support import (
    APPLICANT,
    DEBTOR,
    PANEL,
    PARTIES,
    Court,
    make_case,
    make_court,
    make_decision,
    party_of,
    today,
)
from tests.support.house import actor, call
from tests.support.people import id_number, make_person

pytestmark = pytest.mark.anyio

CASE_NO = "（2025）沪0115执恢1234号"


async def count_cases(database: Database) -> int | None:
    async with database.reading(platform("test")) as tx:
        return await tx.session.scalar(select(func.count()).select_from(EnforcementCase))


async def test_a_case_is_opened_with_its_parties_and_read_again(database: Database, court: Court) -> None:
    case = await make_case(database, court, case_no=CASE_NO)
    shown = await service.show_case(database, court.judge, case.id)
    assert shown == case
    assert (shown.case_no, shown.court) == (CASE_NO, court.name)
    assert [party.ref for party in shown.parties] == ["applicant", "debtor", "creditor"]
    async with database.reading(platform("test")) as tx:
        facts = await service.get_case(tx, case.id)
    assert (facts.debtor.name, facts.applicant.name) == (DEBTOR.name, APPLICANT.name)
    assert facts.applicant.account is not None
    assert APPLICANT.account is not None
    assert facts.applicant.account.number == APPLICANT.account.number


async def test_the_opening_is_audited_in_the_case_s_chain(database: Database, court: Court) -> None:
    case = await make_case(database, court)
    async with database.reading(platform("test")) as tx:
        entry = (await tx.session.scalars(select(AuditEntry).where(AuditEntry.chain == f"case:{case.id}"))).one()
        assert await audit.faults(tx) == []
    assert (entry.action, entry.actor_id, entry.subject) == ("cases.open", court.clerk.person_id, f"case:{case.id}")


def link(party: str, number: str, capacity: Capacity = Capacity.SELF) -> LinkParty:
    return LinkParty(username=party, id_number=number, capacity=capacity, document="居民身份证，原件核对")


async def test_a_party_is_linked_with_the_account_of_that_very_person(database: Database, court: Court) -> None:
    case = await make_case(database, court)
    debtor, bank = party_of(case, "debtor"), party_of(case, "applicant")
    person = await make_person(database, "debtor-zhang", DEBTOR.name, 1)
    linked = await service.link_party(
        database, call(court.clerk), case.id, debtor.id, link("Debtor-Zhang", id_number(1))
    )
    assert linked.linked
    agent = await make_person(database, "agent-li", "李代理", 2)
    as_agent = link("agent-li", id_number(2).lower(), Capacity.REPRESENTATIVE)
    await service.link_party(database, call(court.clerk), case.id, bank.id, as_agent)
    async with database.reading(platform("test")) as tx:
        facts = await service.get_case(tx, case.id)
        assert (facts.debtor.person_id, facts.applicant.person_id) == (person, agent)
        assert [each.id for each in await service.cases_of_person(tx, agent)] == [case.id]
        assert await audit.faults(tx) == []
    wanted = UnlinkParty(reason="委托解除")
    await service.unlink_party(database, call(court.clerk), case.id, bank.id, wanted)
    async with database.reading(platform("test")) as tx:
        assert await service.cases_of_person(tx, agent) == []
    with pytest.raises(NotLinked):
        await service.unlink_party(database, call(court.clerk), case.id, bank.id, wanted)


async def test_bidding_is_told_of_a_helper_and_of_nobody_by_name(database: Database, court: Court) -> None:
    """Helpers may not buy (R-BID-14); who they are is asked of the case, where an ended link counts no more."""
    helper = replace(DEBTOR, ref="helper", role=PartyRole.HELPER, name="张助理")
    case = await make_case(database, court, parties=(*PARTIES, helper))
    clerk, party = court.clerk, party_of(case, "helper")
    person = await make_person(database, "helper", "张助理", 1)
    await make_person(database, "agent-li", "李代理", 2)
    await service.link_party(database, call(clerk), case.id, party.id, link("helper", id_number(1)))
    as_agent = link("agent-li", id_number(2), Capacity.REPRESENTATIVE)
    await service.link_party(database, call(clerk), case.id, party_of(case, "applicant").id, as_agent)
    async with database.reading(platform("test")) as tx:
        assert await service.helpers_of(tx, case.id) == {person}
        told = (await tx.session.execute(select(Outbox.topic, Outbox.payload))).all()
    assert [tuple(row) for row in told] == [("HelperLinked", {"case_id": str(case.id)})]
    await service.unlink_party(database, call(clerk), case.id, party.id, UnlinkParty(reason="委托解除"))
    async with database.reading(platform("test")) as tx:
        assert await service.helpers_of(tx, case.id) == set()


async def test_nobody_is_linked_by_a_name_alone(database: Database, court: Court) -> None:
    case = await make_case(database, court)
    debtor, bank = party_of(case, "debtor").id, party_of(case, "applicant").id
    await make_person(database, "same-name", DEBTOR.name, 1)
    await make_person(database, "somebody", "李某", 2)
    wrong: list[tuple[UUID, LinkParty, type[Refusal]]] = [
        (debtor, link("same-name", id_number(2)), IdentityDiffers),
        (debtor, link("nobody-here", id_number(1)), IdentityDiffers),
        (debtor, link(court.clerk.name, id_number(1)), IdentityDiffers),
        (debtor, link("somebody", id_number(2)), PartyNamedOtherwise),
        (bank, link("somebody", id_number(2)), PartyNamedOtherwise),
        (ordered_id(), link("somebody", id_number(2)), NotFound),
    ]
    for party_id, wanted, refusal in wrong:
        with pytest.raises(refusal):
            await service.link_party(database, call(court.clerk), case.id, party_id, wanted)
    elsewhere = actor(Role.CLERK, court=ordered_id())
    with pytest.raises(NotFound):
        await service.link_party(database, call(elsewhere), case.id, debtor, link("same-name", id_number(1)))
    with pytest.raises(Forbidden):
        await service.link_party(database, call(court.judge), case.id, debtor, link("same-name", id_number(1)))
    async with database.reading(platform("test")) as tx:
        assert [party.person_id for party in (await service.get_case(tx, case.id)).parties] == [None] * 3


async def test_the_same_call_again_gets_the_same_answer(database: Database, court: Court) -> None:
    wanted = OpenCase(case_no=CASE_NO, parties=PARTIES)
    case = await service.open_case(database, call(court.clerk, "key-00001"), wanted)
    with pytest.raises(AlreadyAnswered) as repeated:
        await service.open_case(database, call(court.clerk, "key-00001"), wanted)
    assert str(case.id).encode() in repeated.value.answer
    with pytest.raises(KeyReused):
        await service.open_case(database, call(court.clerk, "key-00001", b"other"), wanted)
    assert await count_cases(database) == 1


async def test_of_two_equal_calls_at_once_one_opens_the_case(database: Database, court: Court) -> None:
    wanted = OpenCase(case_no=CASE_NO, parties=PARTIES)
    both = await asyncio.gather(
        *(service.open_case(database, call(court.clerk, "key-00001"), wanted) for _ in range(2)),
        return_exceptions=True,
    )
    assert {type(one) for one in both} == {CaseView, AlreadyAnswered}
    assert await count_cases(database) == 1


async def test_of_two_cases_with_one_number_at_once_one_is_opened(database: Database, court: Court) -> None:
    spellings = (CASE_NO, "(2025)沪0115执恢1234号")
    both = await asyncio.gather(
        *(make_case(database, court, case_no=spelling) for spelling in spellings), return_exceptions=True
    )
    assert {type(one) for one in both} == {CaseView, CaseNumberTaken}
    assert await count_cases(database) == 1


async def test_two_courts_may_use_the_same_number(database: Database, court: Court) -> None:
    other = await make_court(database)
    await make_case(database, court, case_no=CASE_NO)
    await make_case(database, other, case_no=CASE_NO)
    assert await count_cases(database) == 2


async def test_another_court_finds_nothing(database: Database, court: Court) -> None:
    other = await make_court(database)
    case = await make_case(database, court)
    with pytest.raises(NotFound):
        await service.show_case(database, other.clerk, case.id)
    with pytest.raises(NotFound):
        await make_decision(database, other, case)
    assert (await service.show_cases(database, other.clerk, None, 50)).cases == ()


async def test_only_the_right_role_acts(database: Database, court: Court) -> None:
    case = await make_case(database, court)
    wanted = OpenCase(case_no="（2025）沪0115执2号", parties=PARTIES)
    with pytest.raises(Forbidden):
        await service.open_case(database, call(court.judge), wanted)
    with pytest.raises(Forbidden):
        await service.open_case(database, call(actor(Role.CLERK)), wanted)
    decision = RecordDecision(subject=Subject.LOT_TERMS, made_on=today(database), members=PANEL, text="x")
    with pytest.raises(Forbidden):
        await service.record_decision(database, call(court.clerk), case.id, decision)
    with pytest.raises(Forbidden):
        await service.show_case(database, actor(Role.BIDDER, court=court.id), case.id)


async def test_cases_are_listed_newest_first_page_by_page(database: Database, court: Court) -> None:
    ids = [(await make_case(database, court)).id for _ in range(3)]
    first = await service.show_cases(database, court.clerk, None, 2)
    rest = await service.show_cases(database, court.clerk, first.next_after, 2)
    assert {line.id for line in first.cases + rest.cases} == set(ids)
    assert [line.id for line in first.cases + rest.cases] == sorted(ids, reverse=True)
    assert (len(first.cases), rest.next_after) == (2, None)


async def test_a_decision_is_found_for_its_case_and_subject_only(database: Database, court: Court) -> None:
    case = await make_case(database, court)
    other = await make_case(database, court)
    made = await make_decision(database, court, case, "lot_terms", {"start_price_fen": 70_000_000, "round": "一拍"})
    async with database.reading(platform("test")) as tx:
        decision = await service.get_decision(tx, made.id, case_id=case.id, subject="lot_terms")
        assert decision.facts == {"start_price_fen": 70_000_000, "round": "一拍"}
        assert decision.members == PANEL
        with pytest.raises(WrongDecision):
            await service.get_decision(tx, made.id, case_id=case.id, subject="sale_ruling")
        with pytest.raises(WrongDecision):
            await service.get_decision(tx, made.id, case_id=other.id, subject="lot_terms")
        with pytest.raises(NotFound):
            await service.get_decision(tx, case.id, case_id=case.id, subject="lot_terms")
    assert (await service.show_case(database, court.clerk, case.id)).decisions == (made,)


async def test_a_panel_too_small_and_a_day_to_come_are_refused(database: Database, court: Court) -> None:
    case = await make_case(database, court)
    small = RecordDecision(subject=Subject.LOT_TERMS, made_on=today(database), members=PANEL[:2], text="x")
    with pytest.raises(PanelIncomplete):
        await service.record_decision(database, call(court.judge), case.id, small)
    early = RecordDecision(
        subject=Subject.LOT_TERMS,
        made_on=today(database) + timedelta(days=1),
        members=PANEL,
        text="x",
    )
    with pytest.raises(DayInFuture):
        await service.record_decision(database, call(court.judge), case.id, early)


@pytest.mark.parametrize(
    "change", ["UPDATE appraisal.panel_decision SET text = 'other'", "DELETE FROM appraisal.panel_decision"]
)
async def test_a_decision_cannot_be_changed(database: Database, court: Court, change: str) -> None:
    await make_decision(database, court, await make_case(database, court))
    with pytest.raises(DBAPIError, match="append-only"):
        async with database.transaction(platform("test")) as tx:
            await tx.session.execute(text(change))
