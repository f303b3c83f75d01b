"""Objections on a real database: W-17 to the day and to the fen, each outcome, and what may not be skipped."""

import asyncio
from datetime import date
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from appraisal.api import ServiceMethod
from kernel.actors import platform
from kernel.database import Database
from kernel.errors import Forbidden, NotFound, Refusal
from settlement import verify
from settlement.distribution import disputes, errors, service
from settlement.distribution.plan_schemas import PlanView, ServePlan
from settlement.payouts import handlers
from tests.appraisal.support import make_claim, make_court
from tests.settlement.distribution.road import Road, make_road, parties
from tests.settlement.support import bank_relay, money_inside
from tests.support.house import call, opened

pytestmark = pytest.mark.anyio

YUAN = 100


async def refused(kind: type[Refusal], doing: Any) -> Refusal:
    with pytest.raises(kind) as caught:
        await doing
    return caught.value


async def faults(database: Database) -> list[str]:
    async with database.reading(platform("verify")) as tx:
        return await verify.faults(tx)


async def settle(database: Database) -> None:
    relay = bank_relay(database)
    handlers.subscribe(relay)
    await relay.settle()


def june(day: int) -> date:
    return date(2025, 6, day)


def july(day: int) -> date:
    return date(2025, 7, day)


def lines(plan: PlanView) -> list[tuple[str, str, int]]:
    return [(line.payee.kind, line.payee.name, line.amount_fen // YUAN) for line in plan.lines]


async def w17(database: Database) -> tuple[Road, PlanView]:
    """Pool 500,000.00, A claims 400,000.00, B 600,000.00; the plan served in June as the worked case says."""
    road = await make_road(database, *parties("A", "B"))
    await make_claim(database, road.court, road.case, "A", principal_fen=400_000 * YUAN)
    await make_claim(database, road.court, road.case, "B", principal_fen=600_000 * YUAN)
    await road.bring_money(500_000 * YUAN)
    plan = await road.decide(await road.draft())
    for ref, day in (("A", june(3)), ("B", june(5)), ("debtor", june(6))):
        road.go_to(day)
        wanted = ServePlan(party_id=road.id_of(ref), served_on=day, method=ServiceMethod.MAIL, proof="回执")
        plan = await service.serve_plan(database, call(road.court.clerk), plan.id, wanted)
    assert [each.objection_until for each in plan.recipients] == ["2025-06-18", "2025-06-20", "2025-06-23"]
    return road, plan


async def objected(database: Database) -> tuple[Road, PlanView]:
    """A says on 06-17 that B's claim is 400,000.00 only; notice reaches B on 06-24 and the debtor on 06-25."""
    road, plan = await w17(database)
    road.go_to(june(17))
    plan = await road.object_to(plan, "A", claim="B", should_be_fen=400_000 * YUAN)
    road.go_to(june(24))
    plan = await road.notify(plan, "B")
    road.go_to(june(25))
    plan = await road.notify(plan, "debtor")
    (objection,) = plan.objections
    assert [(each.name, each.counter_until) for each in objection.notices] == [
        ("当事人B", "2025-07-09"),
        ("当事人debtor", "2025-07-10"),
    ]
    assert (plan.state, objection.stage) == ("objected", "counter_opinion")
    return road, plan


async def opposed(database: Database) -> tuple[Road, PlanView]:
    """B opposes on 07-08; A is told on 07-11 and must sue until 07-28."""
    road, plan = await objected(database)
    road.go_to(july(8))
    plan = await road.oppose(plan, "B")
    road.go_to(july(11))
    plan = await road.tell(plan)
    assert (plan.objections[0].stage, plan.objections[0].sue_until) == ("suit_open", "2025-07-28")
    return road, plan


async def sued(database: Database) -> tuple[Road, PlanView, PlanView]:
    """A sues on 07-25; the plan is resolved: what is undisputed may be paid."""
    road, plan = await opposed(database)
    road.go_to(july(25))
    plan = await road.sue(plan)
    return road, plan, await road.resolve(plan)


async def test_w17_in_suit_the_undisputed_part_is_paid_and_the_disputed_dividend_lies_in_escrow(
    database_url: str,
) -> None:
    async with opened(database_url) as database:
        road, plan, resolved = await sued(database)
        assert (resolved.state, resolved.version, resolved.follows) == ("confirmed", 2, plan.id)
        assert lines(resolved) == [
            ("party", "当事人A", 200_000),
            ("party", "当事人B", 200_000),
            ("escrow", "提存（分配方案异议之诉）", 100_000),
        ]
        assert [line.formula for line in resolved.lines] == [
            "500,000.00 × 400,000.00 ÷ 1,000,000.00",
            "500,000.00 × 400,000.00 ÷ 1,000,000.00",
            "300,000.00 − 200,000.00",
        ]
        assert resolved.escrow_fen == 100_000 * YUAN
        assert await money_inside(database) == {"case": 400_000 * YUAN, "escrow": 100_000 * YUAN}
        await road.paid(resolved)
        await settle(database)
        assert await money_inside(database) == {"escrow": 100_000 * YUAN}
        (rest,) = (await road.account()).remainder
        assert (rest.kind, rest.rule, rest.amount_fen) == ("escrow", "R-DIST-06", 100_000 * YUAN)
        assert await faults(database) == []


@pytest.mark.parametrize(
    ("judged", "released"),
    [
        (400_000, [("当事人A", 50_000_00), ("当事人B", 50_000_00)]),
        (600_000, [("当事人B", 100_000_00)]),
        (500_000, [("当事人A", 22_222_22), ("当事人B", 77_777_78)]),
    ],
)
async def test_w17_the_judgment_gives_the_escrow_out(
    database_url: str, judged: int, released: list[tuple[str, int]]
) -> None:
    """A wins, B wins, or the court finds something between: everybody ends as a plan by the judgment says."""
    async with opened(database_url) as database:
        road, plan, resolved = await sued(database)
        await road.paid(resolved)
        await refused(errors.SuitPending, road.release(resolved))
        await road.judged(plan, "B", judged * YUAN)
        release = await road.release(resolved)
        assert [(line.payee.name, line.amount_fen) for line in release.lines] == released
        assert {line.rule for line in release.lines} == {"R-DIST-06"}
        await refused(errors.NoEscrow, road.release(resolved))
        await road.paid(release)
        await settle(database)
        assert await money_inside(database) == {}
        account = await road.account()
        assert (account.held_fen, account.remainder) == (0, ())
        assert await faults(database) == []
        await road.bring_money(1_000_000 * YUAN)
        later = await road.draft()
        paid_a = 200_000 * YUAN + dict(released).get("当事人A", 0)
        assert [claim.claimed_fen for claim in later.claims] == [
            400_000 * YUAN - paid_a,
            judged * YUAN - (500_000 * YUAN - paid_a),  # what was judged is recognised from then on
        ]


async def test_w17_without_counter_opinion_the_corrected_plan_is_paid(database_url: str) -> None:
    async with opened(database_url) as database:
        road, plan = await objected(database)
        road.go_to(july(10))
        running = await refused(errors.ObjectionsRunning, road.resolve(plan))
        assert running.facts["stage"] == "counter_opinion"
        road.go_to(july(11))
        resolved = await road.resolve(plan)
        assert lines(resolved) == [("party", "当事人A", 250_000), ("party", "当事人B", 250_000)]
        assert (resolved.escrow_fen, resolved.claims[1].claimed_fen) == (0, 400_000 * YUAN)
        await road.paid(resolved)
        await settle(database)
        assert await money_inside(database) == {}
        assert await faults(database) == []


async def test_w17_opposed_but_not_sued_the_original_plan_is_paid(database_url: str) -> None:
    async with opened(database_url) as database:
        road, plan = await opposed(database)
        road.go_to(july(28))
        await refused(errors.PlanObjected, road.confirm(plan))
        await refused(errors.ObjectionsRunning, road.resolve(plan))
        road.go_to(july(29))
        await refused(errors.SuitLate, road.sue(plan))
        await refused(errors.NothingToResolve, road.resolve(plan))
        confirmed = await road.confirm(plan)
        assert lines(confirmed) == [("party", "当事人A", 200_000), ("party", "当事人B", 300_000)]
        assert confirmed.objections[0].stage == "lapsed"
        await road.paid(confirmed)
        await settle(database)
        assert await money_inside(database) == {}
        assert await faults(database) == []


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
        await refused(errors.NotNotified, road.notify(plan, "A"))
        await refused(errors.NotNotified, road.oppose(plan, "B"))
        await refused(errors.NotOpposed, road.tell(plan))
        await refused(errors.NotTold, road.sue(plan))
        await refused(errors.NotSued, road.judged(plan, "B", 500_000 * YUAN))
        await refused(errors.StepMisdated, road.notify(plan, "B", june(5)))
        plan = await road.notify(plan, "B")
        await refused(errors.NotNotified, road.notify(plan, "B"))
        plan = await road.oppose(plan, "B")
        await refused(errors.NotNotified, road.oppose(plan, "B"))
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


async def test_a_judgment_before_the_money_moves_corrects_the_plan(database_url: str) -> None:
    async with opened(database_url) as database:
        road, plan = await opposed(database)
        plan = await road.sue(plan)
        plan = await road.judged(plan, "B", 400_000 * YUAN)
        resolved = await road.resolve(plan)
        assert lines(resolved) == [("party", "当事人A", 250_000), ("party", "当事人B", 250_000)]
        assert await faults(database) == []


async def test_who_wants_more_than_the_plan_says_holds_back_the_others_share_of_it(database_url: str) -> None:
    """B says its own claim is 1,600,000.00: A's share of that lies in escrow, nobody else waits."""
    async with opened(database_url) as database:
        road, plan = await w17(database)
        plan = await road.object_to(plan, "B", claim="B", should_be_fen=1_600_000 * YUAN)
        plan = await road.notify(plan, "A")
        plan = await road.oppose(plan, "A")
        plan = await road.sue(await road.tell(plan))
        road.go_to(june(24))
        resolved = await road.resolve(plan)
        assert lines(resolved) == [
            ("party", "当事人A", 100_000),
            ("escrow", "提存（分配方案异议之诉）", 100_000),
            ("party", "当事人B", 300_000),
        ]
        await road.judged(plan, "B", 1_600_000 * YUAN)
        release = await road.release(resolved)
        assert lines(release) == [("party", "当事人B", 100_000)]
        assert await faults(database) == []


async def test_of_two_suits_the_first_judgment_frees_what_the_second_cannot_touch(
    database_url: str,
) -> None:
    """A says B's claim is 400,000.00, B says A's is 200,000.00; both sue, both are judged."""
    async with opened(database_url) as database:
        road, plan = await w17(database)
        plan = await road.object_to(plan, "A", claim="B", should_be_fen=400_000 * YUAN)
        plan = await road.object_to(plan, "B", claim="A", should_be_fen=200_000 * YUAN)
        for number, other in ((0, "B"), (1, "A")):
            plan = await road.notify(plan, other, objection=number)
            plan = await road.oppose(plan, other, objection=number)
            plan = await road.sue(await road.tell(plan, objection=number), objection=number)
        road.go_to(june(24))
        resolved = await road.resolve(plan)
        assert lines(resolved) == [
            ("party", "当事人A", 100_000),
            ("escrow", "提存（分配方案异议之诉）", 100_000),
            ("party", "当事人B", 200_000),
            ("escrow", "提存（分配方案异议之诉）", 100_000),
        ]
        await refused(errors.SuitPending, road.release(resolved))
        await road.judged(plan, "B", 400_000 * YUAN, objection=0)
        part = await road.release(resolved)
        assert lines(part) == [  # of A's 400,000.00 half is still in suit: 200,000 × 5/8 paid to it, and no fen more
            ("party", "当事人A", 25_000),
            ("escrow", "提存（分配方案异议之诉）", 125_000),
            ("party", "当事人B", 50_000),
        ]
        assert await money_inside(database) == {"case": 375_000 * YUAN, "escrow": 125_000 * YUAN}
        await refused(errors.NoEscrow, road.release(resolved))
        await refused(errors.SuitPending, road.release(part))
        assert await faults(database) == []
        await road.judged(plan, "A", 300_000 * YUAN, objection=1)
        last = await road.release(part)
        assert [(line.payee.name, line.amount_fen) for line in last.lines] == [
            ("当事人A", 214_285_71 - 125_000_00),
            ("当事人B", 285_714_29 - 250_000_00),
        ]
        assert {claim.name: claim.claimed_fen for claim in last.claims} == {
            "当事人A": 300_000 * YUAN,
            "当事人B": 400_000 * YUAN,
        }
        for each in (resolved, part, last):
            await road.paid(each)
        await settle(database)
        assert await money_inside(database) == {}
        assert await faults(database) == []


async def test_a_claim_in_two_suits_waits_for_both(database_url: str) -> None:
    """A and the debtor both say that B's claim is less; the first judgment frees nothing of it."""
    async with opened(database_url) as database:
        road, plan = await w17(database)
        for number, (who, amount, other) in enumerate((("A", 400_000, "debtor"), ("debtor", 300_000, "A"))):
            plan = await road.object_to(plan, who, claim="B", should_be_fen=amount * YUAN)
            for notified in ("B", other):
                plan = await road.notify(plan, notified, objection=number)
            plan = await road.oppose(plan, "B", objection=number)
            plan = await road.sue(await road.tell(plan, objection=number), objection=number)
        road.go_to(june(24))
        resolved = await road.resolve(plan)
        assert resolved.escrow_fen == 150_000 * YUAN
        await road.judged(plan, "B", 500_000 * YUAN, objection=0)
        await refused(errors.SuitPending, road.release(resolved))
        await road.judged(plan, "B", 600_000 * YUAN, objection=1)
        assert [(line.payee.name, line.amount_fen) for line in (await road.release(resolved)).lines] == [
            ("当事人A", 22_222_22),
            ("当事人B", 127_777_78),
        ]
        assert await faults(database) == []


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
