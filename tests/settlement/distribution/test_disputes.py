"""Objections on a real database: W-17 to the day and to the fen, and each outcome."""

import pytest

from settlement.distribution import errors
from tests.settlement.distribution.dispute import (
    YUAN,
    faults,
    july,
    june,
    lines,
    objected,
    opposed,
    refused,
    settle,
    sued,
    w17,
)
from tests.settlement.support import money_inside
from tests.support.house import opened

pytestmark = pytest.mark.anyio


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
