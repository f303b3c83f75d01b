"""What a dispute over a plan may not skip: its order, its days, one at a time, its own court, and rows as they were."""

import asyncio
from datetime import date
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from kernel.actors import platform
from kernel.errors import Forbidden, NotFound
from settlement import verify
from settlement.distribution import disputes, errors, service
from settlement.distribution.plan_schemas import PlanView
from tests.appraisal.support import make_court
from tests.settlement.distribution.dispute import YUAN, faults, july, june, objected, opposed, refused, sued, w17
from tests.settlement.distribution.road import Road
from tests.settlement.support import money_inside
from tests.support.house import call, opened

pytestmark = pytest.mark.anyio


async def test_papers_that_reach_the_court_late_but_were_made_in_time_count(database_url: str) -> None:
    async with opened(database_url) as database:
        road, plan = await objected(database)
        road.go_to(july(14))
        await refused(errors.CounterLate, road.oppose(plan, "B", july(10)))
        await refused(errors.StepMisdated, road.oppose(plan, "B", july(15)))
        plan = await road.oppose(plan, "B", july(9))
        assert plan.objections[0].stage == "opposed"
        plan = await road.tell(plan)
        road.go_to(date(2025, 8, 20))
        assert (await road.sue(plan, july(29))).objections[0].stage == "sued"


async def test_steps_of_an_objection_cannot_be_taken_out_of_order(database_url: str) -> None:
    async with opened(database_url) as database:
        road, plan = await w17(database)
        await refused(errors.NothingDisputed, road.object_to(plan, "A", claim="B", should_be_fen=600_000 * YUAN))
        plan = await road.object_to(plan, "A", claim="B", should_be_fen=400_000 * YUAN)
        await refused(errors.ObjectionPartyMismatch, road.notify(plan, "A"))
        await refused(errors.ObjectionPartyMismatch, road.oppose(plan, "B"))
        await refused(errors.NotOpposed, road.tell(plan))
        await refused(errors.NotTold, road.sue(plan))
        await refused(errors.NotSued, road.judged(plan, "B", 500_000 * YUAN))
        await refused(errors.StepMisdated, road.notify(plan, "B", june(5)))
        plan = await road.notify(plan, "B")
        await refused(errors.ObjectionPartyMismatch, road.notify(plan, "B"))
        plan = await road.oppose(plan, "B")
        await refused(errors.ObjectionPartyMismatch, road.oppose(plan, "B"))
        plan = await road.tell(plan)
        await refused(errors.ObjectionAnswered, road.tell(plan))
        await refused(errors.ObjectionAnswered, road.notify(plan, "debtor"))
        await refused(errors.ObjectionAnswered, road.oppose(plan, "debtor"))
        plan = await road.sue(plan)
        await refused(errors.ObjectionAnswered, road.sue(plan))
        await refused(errors.ObjectionPeriodRunning, road.resolve(plan))
        await refused(errors.NoEscrow, road.release(plan))
        for beyond in (399_999, 600_001):
            refusal = await refused(errors.JudgmentOutOfRange, road.judged(plan, "B", beyond * YUAN))
            assert refusal.facts["least_fen"] == 400_000 * YUAN
        await road.judged(plan, "B", 500_000 * YUAN)
        await refused(errors.ObjectionAnswered, road.judged(plan, "B", 500_000 * YUAN))


async def test_two_resolutions_at_once_make_one_plan_and_two_releases_one_payment(database_url: str) -> None:
    async with opened(database_url) as database:
        road, plan = await opposed(database)
        plan = await road.sue(plan)
        outcomes = await asyncio.gather(*[road.resolve(plan) for _ in range(3)], return_exceptions=True)
        (resolved,) = [each for each in outcomes if isinstance(each, PlanView)]
        assert sum(isinstance(each, errors.PlanSuperseded) for each in outcomes) == 2
        await road.judged(plan, "B", 400_000 * YUAN)
        outcomes = await asyncio.gather(*[road.release(resolved) for _ in range(3)], return_exceptions=True)
        assert sum(isinstance(each, PlanView) for each in outcomes) == 1
        assert sum(isinstance(each, errors.NoEscrow) for each in outcomes) == 2
        assert await money_inside(database) == {"case": 500_000 * YUAN}
        assert await faults(database) == []


async def test_without_the_lock_two_resolutions_both_pass_the_rules(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: with the case account unlocked both see the plan open, and a unique key alone lets one stand."""
    both = asyncio.Barrier(2)

    async def not_locked(tx: Any, case_id: Any) -> Any:
        return await service.case_money.case_account(tx, case_id)

    async def together(tx: Any, case: Any) -> Any:
        found = await read(tx, case)
        if not waited.get(id(tx)):
            waited[id(tx)] = True
            await asyncio.wait_for(both.wait(), 5)
        return found

    async with opened(database_url) as database:
        road, plan = await opposed(database)
        plan = await road.sue(plan)
        read, waited = disputes.current_basis, dict[int, bool]()
        monkeypatch.setattr(service, "lock_case_money", not_locked)
        monkeypatch.setattr(disputes, "current_basis", together)
        outcomes = await asyncio.gather(*[road.resolve(plan) for _ in range(2)], return_exceptions=True)
        assert sum(isinstance(each, PlanView) for each in outcomes) == 1
        assert sum(isinstance(each, DBAPIError) for each in outcomes) == 1


async def test_objections_of_another_court_do_not_exist(database_url: str) -> None:
    async with opened(database_url) as database:
        road, plan = await objected(database)
        stranger = await make_court(database)
        foreign = Road(database, stranger, road.case, road.maker, road.checker, road.payer)
        for doing in (foreign.notify(plan, "B"), foreign.oppose(plan, "B"), foreign.tell(plan), foreign.sue(plan)):
            assert (await refused(NotFound, doing)).facts["what"] == "objection"
        await refused(NotFound, foreign.judged(plan, "B", 1))
        wrong = await road._resolution()
        await refused(Forbidden, disputes.resolve_plan(database, call(road.maker), plan.id, wrong))


TAMPERINGS = [
    (
        "objection_notice",
        "UPDATE settlement.objection_notice SET counter_until = counter_until + 1",
        "another last day",
    ),
    ("objector_told", "UPDATE settlement.objector_told SET sue_until = sue_until + 1", "another last day to sue"),
    ("plan_suit", "UPDATE settlement.plan_suit SET filed_on = filed_on + 30", "too late or too early"),
    ("plan_suit", "DELETE FROM settlement.plan_suit", "there is no suit"),
    ("plan_objection", "UPDATE settlement.plan_objection SET objected_on = '2025-07-01'", "its party's clock"),
    ("counter_opinion", "UPDATE settlement.counter_opinion SET made_on = '2025-07-20'", "opposed too late"),
    ("account", "UPDATE settlement.account SET balance_fen = 1 WHERE kind = 'escrow'", "the escrow of plan"),
    (
        "plan_line",
        "UPDATE settlement.plan_line SET payee_kind = 'party' WHERE payee_kind = 'escrow'",
        "does not make its hash",
    ),
]


async def test_a_dispute_changed_by_hand_is_found(database_url: str) -> None:
    class Undone(Exception):
        pass

    async with opened(database_url) as database:
        await sued(database)
        assert await faults(database) == []
        for table, statement, expected in TAMPERINGS:
            found: list[str] = []
            with pytest.raises(Undone):
                async with database.transaction(platform("thief")) as tx:
                    await tx.session.execute(text(f"ALTER TABLE settlement.{table} DISABLE TRIGGER ALL"))
                    changed = await tx.session.execute(text(f"{statement} RETURNING 1"))
                    assert changed.all(), statement
                    found = await verify.faults(tx)
                    raise Undone
            assert any(expected in fault for fault in found), (statement, found)


@pytest.mark.parametrize(
    "table",
    [
        "disputed_claim",
        "objection_notice",
        "counter_opinion",
        "objector_told",
        "plan_suit",
        "judged_claim",
        "recognition",
    ],
)
async def test_dispute_rows_cannot_be_changed(database_url: str, table: str) -> None:
    async with opened(database_url) as database:
        with pytest.raises(DBAPIError, match="append-only"):
            async with database.transaction(platform("test")) as tx:
                await tx.session.execute(text(f"DELETE FROM settlement.{table}"))
