"""A plan on a real database: drafted from what is there, decided, served, objected to, confirmed or refused."""

import asyncio
from datetime import date
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from appraisal.api import ServiceMethod
from appraisal.cases.errors import WrongDecision
from appraisal.cases.rules import PartyKind
from appraisal.days import DayInFuture
from kernel.actors import platform
from kernel.database import Database
from kernel.errors import Forbidden, NotFound, Refusal
from settlement.distribution import errors, service
from settlement.distribution.plan_schemas import DecidePlan, PlanView, ServePlan
from tests.appraisal.support import make_claim, make_court, make_decision
from tests.settlement.distribution.road import Road, make_road, parties
from tests.support.house import START, call, opened

pytestmark = pytest.mark.anyio


def lines(plan: PlanView) -> list[tuple[int, str, str, int]]:
    return [(line.level, line.payee.name, line.part, line.amount_fen) for line in plan.lines]


async def refused(kind: type[Refusal], doing: Any) -> Refusal:
    with pytest.raises(kind) as caught:
        await doing
    return caught.value


async def w17(database: Database) -> Road:
    """Pool 500,000.00; A claims 400,000.00, B 600,000.00."""
    road = await make_road(database, *parties("A", "B"))
    await make_claim(database, road.court, road.case, "A", principal_fen=40_000_000)
    await make_claim(database, road.court, road.case, "B", principal_fen=60_000_000)
    await road.bring_money(50_000_000)
    return road


async def test_a_plan_of_one_line_is_a_plan(database_url: str) -> None:
    async with opened(database_url) as database:
        road = await make_road(database)
        await make_claim(database, road.court, road.case, "A", principal_fen=100_00)
        await road.bring_money(60_00)
        plan = await road.draft()
        assert lines(plan) == [(10, "当事人A", "principal", 60_00)]
        assert (plan.version, plan.state, plan.quota) == (1, "draft", "0.6000")
        assert plan.lines[0].law == "民诉法解释 第五百零八条"
        assert plan.lines[0].formula == "60.00 × 100.00 ÷ 100.00"
        assert [recipient.name for recipient in plan.recipients] == ["当事人A", "当事人debtor"]


async def test_w17_clocks_each_run_from_their_own_service(database_url: str) -> None:
    async with opened(database_url) as database:
        road = await w17(database)
        plan = await road.decide(await road.draft())
        assert plan.state == "decided"
        road.pass_days((date(2025, 6, 9) - START.date()).days)
        for ref, day in (("A", date(2025, 6, 3)), ("B", date(2025, 6, 5)), ("debtor", date(2025, 6, 6))):
            wanted = ServePlan(party_id=road.id_of(ref), served_on=day, method=ServiceMethod.MAIL, proof="回执")
            plan = await service.serve_plan(database, call(road.court.clerk), plan.id, wanted)
        assert plan.state == "served"
        assert [recipient.objection_until for recipient in plan.recipients] == [
            "2025-06-18",
            "2025-06-20",
            "2025-06-23",
        ]
        road.pass_days((date(2025, 6, 23) - road.today()).days)
        refusal = await refused(errors.ObjectionPeriodRunning, road.confirm(plan))
        assert refusal.facts["objection_until"] == "2025-06-23"
        assert refusal.law == "民诉法解释 第五百零九条、第五百一十条"
        road.pass_days(1)
        assert (await road.confirm(plan)).state == "confirmed"


async def test_an_objection_in_time_stops_the_plan_and_a_late_one_is_refused(database_url: str) -> None:
    async with opened(database_url) as database:
        road = await w17(database)
        plan = await road.serve_all(await road.decide(await road.draft()))
        until = date.fromisoformat(str(plan.recipients[0].objection_until))
        road.pass_days((until - road.today()).days + 1)
        await refused(errors.ObjectionLate, road.object_to(plan, "A"))
        await refused(errors.ObjectionUndated, road.object_to(plan, "A", on=date(2025, 3, 1)))
        posted_in_time = await road.object_to(plan, "A", on=until)
        assert posted_in_time.state == "objected"
        refusal = await refused(errors.PlanObjected, road.confirm(plan))
        assert refusal.facts["name"] == "当事人A"
        again = await road.draft()
        assert again.version == 2
        await refused(errors.PlanSuperseded, road.object_to(plan, "B"))


async def test_the_way_cannot_be_walked_out_of_order(database_url: str) -> None:
    async with opened(database_url) as database:
        road = await w17(database)
        plan = await road.draft()
        await refused(errors.PlanNotDecided, road.serve(plan, road.id_of("A")))
        await refused(errors.PlanNotDecided, road.confirm(plan))
        await road.decide(plan)
        await refused(errors.PlanDecided, road.decide(plan))
        await refused(errors.NotServed, road.confirm(plan))
        await refused(errors.NotServed, road.object_to(plan, "A"))
        await refused(errors.NotRecipient, road.serve(plan, plan.id))
        await road.serve(plan, road.id_of("A"))
        await refused(errors.ServedBefore, road.serve(plan, road.id_of("A")))
        missing = await refused(errors.NotServed, road.confirm(plan))
        assert missing.facts["waiting_for"] == "当事人B、当事人debtor"
        tomorrow = ServePlan(
            party_id=road.id_of("B"), served_on=date(2025, 3, 4), method=ServiceMethod.DIRECT, proof="回证"
        )
        await refused(DayInFuture, service.serve_plan(database, call(road.court.clerk), plan.id, tomorrow))
        early = ServePlan(
            party_id=road.id_of("B"), served_on=date(2025, 3, 2), method=ServiceMethod.DIRECT, proof="回证"
        )
        await refused(errors.ServedTooEarly, service.serve_plan(database, call(road.court.clerk), plan.id, early))


async def test_a_confirmed_plan_stands(database_url: str) -> None:
    async with opened(database_url) as database:
        road = await w17(database)
        plan = await road.confirmed()
        for doing in (road.confirm(plan), road.decide(plan), road.object_to(plan, "A"), road.serve(plan, plan.id)):
            await refused(errors.PlanConfirmed, doing)
        await refused(errors.NothingToDistribute, road.draft())


async def test_only_a_decision_on_this_plan_of_this_case_carries(database_url: str) -> None:
    async with opened(database_url) as database:
        road = await w17(database)
        plan = await road.draft()
        other = await make_decision(database, road.court, road.case, "sale_ruling")
        wanted = DecidePlan(decision_id=other.id)
        await refused(WrongDecision, service.decide_plan(database, call(road.court.judge), plan.id, wanted))


async def test_without_money_or_creditors_there_is_no_plan(database_url: str) -> None:
    async with opened(database_url) as database:
        road = await make_road(database)
        await refused(errors.NoClaims, road.draft())
        await make_claim(database, road.court, road.case, "A", principal_fen=1)
        await refused(errors.NothingToDistribute, road.draft())


async def test_money_or_claims_that_came_since_make_a_plan_stale(database_url: str) -> None:
    async with opened(database_url) as database:
        road = await w17(database)
        plan = await road.serve_all(await road.decide(await road.draft()))
        road.pass_days(20)
        await road.bring_money(1)
        refusal = await refused(errors.PlanStale, road.confirm(plan))
        assert refusal.facts["changed"] == "proceeds"
        await make_claim(database, road.court, road.case, "B", principal_fen=5)
        refusal = await refused(errors.PlanStale, road.confirm(plan))
        assert refusal.facts["changed"] == "proceeds, claims"
        assert "案款、债权" in refusal.detail


async def test_a_second_plan_gives_only_what_came_since_for_what_is_still_owed(database_url: str) -> None:
    async with opened(database_url) as database:
        road = await w17(database)
        await road.confirmed()
        await road.bring_money(60_000_000)
        second = await road.draft()
        assert lines(second) == [
            (10, "当事人A", "principal", 20_000_000),
            (10, "当事人B", "principal", 30_000_000),
            (13, "当事人debtor", "surplus", 10_000_000),
        ]


async def test_w15_an_enterprise_pays_in_order_of_sealing(database_url: str) -> None:
    async with opened(database_url) as database:
        road = await make_road(database, *parties("X", "Y", "Z", debtor=PartyKind.ENTERPRISE))
        for ref, fen, sealed_on in (
            ("X", 35_000_000, date(2023, 2, 1)),
            ("Y", 40_000_000, date(2023, 5, 3)),
            ("Z", 20_000_000, date(2024, 1, 8)),
        ):
            await make_claim(database, road.court, road.case, ref, principal_fen=fen, sealed_on=sealed_on)
        await road.bring_money(58_000_000)
        plan = await road.draft()
        assert lines(plan) == [(10, "当事人X", "principal", 35_000_000), (10, "当事人Y", "principal", 23_000_000)]
        assert plan.quota is None
        assert {line.rule for line in plan.lines} == {"R-DIST-08"}
        assert [claim.open_fen for claim in plan.claims] == [0, 17_000_000, 20_000_000]


async def test_officers_of_another_court_see_no_plan(database_url: str) -> None:
    async with opened(database_url) as database:
        road = await w17(database)
        plan = await road.draft()
        stranger = await make_court(database)
        wanted = DecidePlan(decision_id=plan.id)
        await refused(NotFound, service.decide_plan(database, call(stranger.judge), plan.id, wanted))
        await refused(NotFound, service.show_plan(database, stranger.judge, plan.id))
        await refused(NotFound, service.show_plans(database, stranger.judge, road.case.id))
        await refused(Forbidden, service.draft_plan(database, call(road.court.judge), road.case.id))
        await refused(Forbidden, service.confirm_plan(database, call(road.maker), plan.id))


async def test_drafts_made_at_once_get_versions_one_after_the_other(database_url: str) -> None:
    async with opened(database_url) as database:
        road = await w17(database)
        plans = await asyncio.gather(*[road.draft() for _ in range(5)])
        assert sorted(plan.version for plan in plans) == [1, 2, 3, 4, 5]
        shown = await service.show_plans(database, road.maker, road.case.id)
        assert [row.state for row in shown.plans] == ["draft", *["superseded"] * 4]


async def test_a_confirmation_and_an_objection_at_once_have_an_order(database_url: str) -> None:
    async with opened(database_url) as database:
        road = await w17(database)
        plan = await road.serve_all(await road.decide(await road.draft()))
        until = road.today()
        road.pass_days(20)
        outcomes = await asyncio.gather(road.confirm(plan), road.object_to(plan, "A", on=until), return_exceptions=True)
        refusals = [outcome for outcome in outcomes if isinstance(outcome, Refusal)]
        assert len(refusals) == 1
        assert isinstance(refusals[0], errors.PlanConfirmed | errors.PlanObjected)


@pytest.mark.parametrize(
    "table", ["plan", "plan_line", "plan_decision", "plan_service", "plan_objection", "plan_confirmation"]
)
async def test_plan_rows_cannot_be_changed(database_url: str, table: str) -> None:
    async with opened(database_url) as database:
        with pytest.raises(DBAPIError, match="append-only"):
            async with database.transaction(platform("test")) as tx:
                await tx.session.execute(text(f"DELETE FROM settlement.{table}"))
