"""Each party reads the whole plan and only what is their own beside it; nobody else reads anything."""

from datetime import timedelta
from uuid import UUID

import msgspec
import pytest

from appraisal.cases import service as cases
from appraisal.cases.rules import Capacity, PartyKind
from appraisal.cases.schemas import LinkParty, UnlinkParty
from kernel.actors import Actor, Role, visitor
from kernel.database import Database
from kernel.errors import NotFound, SignInRequired
from kernel.ids import ordered_id
from settlement.distribution.plan_schemas import PlanView
from settlement.papers import service as papers
from settlement.parties import service
from settlement.parties.schemas import PartyCase
from settlement.payouts import handlers as payout_handlers
from settlement.payouts import withholding
from settlement.payouts.rules import Ground
from settlement.payouts.schemas import Withhold
from tests.appraisal.support import make_claim
from tests.settlement.distribution.road import Road, make_road, parties
from tests.settlement.support import bank_relay
from tests.support.house import actor, call, opened
from tests.support.people import id_number, make_person, signed_in_as

pytestmark = pytest.mark.anyio

REFS = ("A", "B", "debtor")


async def linked(road: Road, ref: str, number: int) -> Actor:
    """A party's own account: the debtor's themselves, a company's through a representative."""
    name = f"当事人{ref}"
    person_id = await make_person(road.database, f"user-{ref.lower()}", name, number)
    kind = next(party.kind for party in road.case.parties if party.ref == ref)
    capacity = Capacity.SELF if kind is PartyKind.PERSON else Capacity.REPRESENTATIVE
    wanted = LinkParty(
        username=f"user-{ref.lower()}", id_number=id_number(number), capacity=capacity, document="授权委托书"
    )
    await cases.link_party(road.database, call(road.court.clerk), road.case.id, road.id_of(ref), wanted)
    return signed_in_as(person_id, name)


async def town(database: Database) -> tuple[Road, dict[str, Actor]]:
    """Two creditors and a debtor with accounts of their own, and 50,000 fen to share."""
    road = await make_road(database, *parties("A", "B"))
    await make_claim(database, road.court, road.case, "A", principal_fen=40_000)
    await make_claim(database, road.court, road.case, "B", principal_fen=60_000)
    await road.bring_money(50_000)
    return road, {ref: await linked(road, ref, number) for number, ref in enumerate(REFS)}


async def seen(road: Road, who: Actor) -> PartyCase:
    return await service.show_case(road.database, who, road.case.id)


def own_secrets(road: Road, ref: str) -> list[str]:
    """What of a party nobody else may read: bank account, row, account end with its bank."""
    return [f"6222{ref}", str(road.id_of(ref))]


async def test_each_reads_the_plan_once_it_was_served_on_them(database_url: str) -> None:
    async with opened(database_url) as database:
        road, people = await town(database)
        plan = await road.decide(await road.draft())
        for who in people.values():
            assert (await seen(road, who)).plans == ()
        await road.serve(plan, road.id_of("A"))
        first = await seen(road, people["A"])
        assert [(each.version, each.state) for each in first.plans] == [(1, "decided")]
        assert [(line.payee, line.amount_fen, line.own) for line in first.plans[0].lines] == [
            ("当事人A", 20_000, True),
            ("当事人B", 30_000, False),
        ]
        assert [line.document is None for line in first.plans[0].lines] == [False, True]
        for ref in ("B", "debtor"):
            assert (await seen(road, people[ref])).plans == ()
            assert (await service.show_cases(database, people[ref])).cases[0].clocks == ()
        (clock,) = first.clocks
        assert (clock.event, clock.state, clock.days_left, clock.rule) == ("plan_served", "running", 16, "R-DIST-05")
        assert (await service.show_cases(database, people["A"])).cases[0].clocks == (clock,)


async def test_nobody_reads_what_is_another_s_own(database_url: str) -> None:
    """Not the account, the title, the payments or the clock of anybody else, in any field of the answer."""
    async with opened(database_url) as database:
        road, people = await town(database)
        plan = await road.confirmed()
        await road.paid(plan)
        for ref, who in people.items():
            answer = msgspec.json.encode(await seen(road, who)).decode()
            for other in set(REFS) - {ref}:
                for secret in own_secrets(road, other):
                    assert secret not in answer, (ref, secret)
            case = await seen(road, who)
            assert {claim.name for claim in case.claims} <= {f"当事人{ref}"}
            assert {clock.party for clock in case.clocks} == {f"当事人{ref}"}


async def test_strangers_and_other_courts_find_no_case(database_url: str) -> None:
    async with opened(database_url) as database:
        road, people = await town(database)
        other = await make_road(database, *parties("A", "B"))
        court = (road.court.clerk, road.court.judge, road.maker, road.checker, road.payer)
        for who in (*court, actor(Role.BIDDER), actor(Role.CLERK, court=ordered_id()), actor(Role.AUDITOR)):
            with pytest.raises(NotFound):
                await seen(road, who)
            assert (await service.show_cases(database, who)).cases == ()
        for who in people.values():
            with pytest.raises(NotFound):
                await seen(other, who)
        with pytest.raises(SignInRequired):
            await seen(road, visitor("test"))
        with pytest.raises(SignInRequired):
            await service.show_cases(database, visitor("test"))


async def test_who_is_no_longer_linked_reads_no_more(database_url: str) -> None:
    async with opened(database_url) as database:
        road, people = await town(database)
        wanted = UnlinkParty(reason="委托解除")
        await cases.unlink_party(database, call(road.court.clerk), road.case.id, road.id_of("A"), wanted)
        with pytest.raises(NotFound):
            await seen(road, people["A"])
        assert (await seen(road, people["B"])).case_id == road.case.id


async def test_an_objection_with_its_clocks_is_seen_step_by_step(database_url: str) -> None:
    """W-17 as each of the three sees it."""
    async with opened(database_url) as database:
        road, people = await town(database)
        plan = await road.serve_all(await road.decide(await road.draft()))
        plan = await road.object_to(plan, "A", claim="B", should_be_fen=40_000)
        assert await objections(road, people) == {"A": [0], "B": None, "debtor": None}
        assert (await seen(road, people["A"])).clocks[0].state == "used"
        plan = await road.notify(plan, "B")
        assert await objections(road, people) == {"A": [0], "B": [0], "debtor": None}
        plan = await road.oppose(await road.notify(plan, "debtor"), "B")
        assert await objections(road, people) == {"A": [0], "B": [1], "debtor": [0]}
        plan = await road.tell(plan)
        assert await objections(road, people) == {"A": [1], "B": [1], "debtor": [0]}
        assert await running(road, people) == {
            "A": ["counter_opinion_told"],
            "B": ["plan_served"],
            "debtor": ["objection_notice_served", "plan_served"],
        }
        plan = await road.sue(plan)
        road.pass_days(20)
        assert await running(road, people) == {"A": [], "B": [], "debtor": []}
        kept = await road.resolve(plan)
        for ref, due_fen in (("A", 20_000), ("B", 20_000)):
            case = await seen(road, people[ref])
            assert [(each.version, each.state, each.escrow_fen) for each in case.plans] == [
                (2, "confirmed", 10_000),
                (1, "superseded", 0),
            ]
            assert (case.statement.due_fen, case.statement.open_fen) == (due_fen, due_fen)
        await road.judged(plan, "B", 60_000)
        await road.release(kept)
        assert (await seen(road, people["B"])).statement.due_fen == 30_000


async def objections(road: Road, people: dict[str, Actor]) -> dict[str, list[int] | None]:
    """For each party how many counter-opinions they see of each objection; None where they see no objection."""
    found: dict[str, list[int] | None] = {}
    for ref, who in people.items():
        shown = (await seen(road, who)).plans[0].objections
        found[ref] = [len(each.opinions) for each in shown] or None
    return found


async def running(road: Road, people: dict[str, Actor]) -> dict[str, list[str]]:
    """The clocks that run for each party, those of the plan's service left out once used."""
    return {
        ref: sorted(clock.event for clock in (await service.show_cases(road.database, who)).cases[0].clocks)
        for ref, who in people.items()
    }


async def test_a_statement_says_where_each_fen_is(database_url: str) -> None:
    async with opened(database_url) as database:
        road, people = await town(database)
        plan = await road.confirmed()
        before = (await seen(road, people["A"])).statement
        assert (before.due_fen, before.open_fen, before.payments) == (20_000, 20_000, ())
        await withhold(road, plan, "B")
        await road.paid(plan)
        ordered = (await seen(road, people["A"])).statement
        assert (ordered.ordered_fen, ordered.open_fen) == (20_000, 0)
        relay = bank_relay(database)
        payout_handlers.subscribe(relay)
        await relay.settle()
        paid = await seen(road, people["A"])
        assert (paid.statement.executed_fen, paid.statement.open_fen) == (20_000, 0)
        assert [each.account_end for each in paid.statement.payments] == ["222A"]
        kept = await seen(road, people["B"])
        assert (kept.statement.withheld_fen, kept.statement.open_fen) == (30_000, 0)
        assert [each.state for each in kept.statement.withholdings] == ["approved"]
        nothing = (await seen(road, people["debtor"])).statement
        assert (nothing.due_fen, nothing.payments, nothing.withholdings) == (0, (), ())


async def withhold(road: Road, plan: PlanView, ref: str) -> None:
    wanted = Withhold(payee_kind="party", payee_id=road.id_of(ref), ground=Ground.NOT_COLLECTED, reason="经通知未领取")
    asked = await withholding.withhold(road.database, call(road.maker), plan.id, wanted)
    await withholding.approve_withholding(road.database, call(road.court.staff(Role.CHIEF)), asked.id)


async def test_papers_served_on_a_party_are_theirs_to_read(database_url: str) -> None:
    async with opened(database_url) as database:
        road, people = await town(database)
        plan = await road.decide(await road.draft())
        paper = await papers.write_plan(database, call(road.court.clerk), plan.id)
        assert (await seen(road, people["A"])).papers == ()
        with pytest.raises(NotFound):
            await papers.read_pdf(database, people["A"], paper.id)
        plan = await road.serve_all(plan)
        for who in people.values():
            assert [each.id for each in (await seen(road, who)).papers] == [paper.id]
            assert (await papers.read_pdf(database, who, paper.id)).content.startswith(b"%PDF")
        plan = await road.object_to(plan, "A", claim="B", should_be_fen=40_000)
        plan = await road.notify(await road.notify(plan, "B"), "debtor")
        road.pass_days(40)
        corrected = await road.resolve(plan)
        second = await papers.write_plan(database, call(road.court.clerk), corrected.id)
        batch = await road.paid(corrected)
        await papers.write_payout_form(database, call(road.maker), batch.id)
        await papers.write_case_account(database, call(road.maker), road.case.id)
        for who in people.values():
            assert [each.id for each in (await seen(road, who)).papers] == [second.id, paper.id]


async def test_the_surplus_is_the_debtor_s_to_follow(database_url: str) -> None:
    async with opened(database_url) as database:
        road, people = await town(database)
        await road.bring_money(60_000)
        await road.paid(await road.confirmed())
        case = await seen(road, people["debtor"])
        assert (case.statement.due_fen, case.statement.ordered_fen) == (10_000, 10_000)
        assert [line.own for line in case.plans[0].lines] == [False, False, True]
        assert case.pay_by is None
        road.pass_days(1)
        await road.bring_money(5)
        due = (await seen(road, people["debtor"])).pay_by
        assert due is not None
        assert due >= (road.today() + timedelta(days=30)).isoformat()


async def test_one_person_may_stand_for_two_parties(database_url: str) -> None:
    async with opened(database_url) as database:
        road, people = await town(database)
        wanted = LinkParty(
            username="user-a", id_number=id_number(0), capacity=Capacity.REPRESENTATIVE, document="授权委托书"
        )
        await cases.link_party(database, call(road.court.clerk), road.case.id, road.id_of("B"), wanted)
        await road.serve_all(await road.decide(await road.draft()))
        case = await seen(road, people["A"])
        assert [party.name for party in case.parties] == ["当事人A", "当事人B"]
        assert len(case.clocks) == 2
        with pytest.raises(NotFound):
            await seen(road, people["B"])
        assert isinstance(case.case_id, UUID)
