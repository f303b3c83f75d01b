"""Worked cases through the use cases, where only money and claims are needed: W-09, W-11 and W-12."""

from dataclasses import dataclass

import pytest

from settlement.distribution import fee_setting
from settlement.distribution.plan_schemas import PlanView
from tests.appraisal.support import make_claim
from tests.settlement.distribution.road import Road, make_road, parties
from tests.support.house import opened

pytestmark = pytest.mark.anyio

W09 = [
    (5_000_00, 50_00),
    (10_000_00, 50_00),
    (10_001_00, 50_02),
    (100_000_00, 1_400_00),
    (500_000_00, 7_400_00),
    (1_000_000_00, 12_400_00),
    (5_000_000_00, 52_400_00),
    (10_000_000_00, 77_400_00),
    (12_345_678_90, 79_745_68),
    (32_572_025_00, 99_972_03),
    (100_000_000_00, 167_400_00),
]


async def test_w09_the_fee_of_the_brackets_before_and_after_the_court_set_it(database_url: str) -> None:
    """Setting answers with what showing shows, money there or not."""
    async with opened(database_url) as database:
        for amount_fen, fee_fen in W09:
            road = await make_road(database, *parties("A"))
            await make_claim(database, road.court, road.case, "A", principal_fen=amount_fen)
            shown = await fee_setting.show_fee(database, road.maker, road.case.id)
            assert (shown.base_fen, shown.computed_fen) == (amount_fen, fee_fen)


async def test_setting_the_fee_answers_with_what_showing_shows(database_url: str) -> None:
    """What came in is less than the claim: the fee is on what is paid beside it, not on the claim."""
    async with opened(database_url) as database:
        road = await make_road(database, *parties("A"))
        await make_claim(database, road.court, road.case, "A", principal_fen=100_000_00)
        await road.bring_money(60_000_00)
        shown = await fee_setting.show_fee(database, road.maker, road.case.id)
        answered = await road.set_fee(shown.computed_fen, "按规定收取")
        assert (answered.base_fen, answered.computed_fen) == (shown.base_fen, shown.computed_fen)
        again = await fee_setting.show_fee(database, road.maker, road.case.id)
        assert (again.base_fen, again.computed_fen) == (answered.base_fen, answered.computed_fen)
        assert shown.base_fen + shown.computed_fen == 60_000_00
        plan = await road.draft()
        assert plan.fee is not None
        assert (plan.fee.base_fen, plan.fee.computed_fen) == (answered.base_fen, answered.computed_fen)


@dataclass(frozen=True)
class W11:
    money_fen: int
    paid: tuple[int, ...]
    open_fen: int
    surplus_fen: int


@pytest.mark.parametrize(
    "case",
    [
        W11(1_200_000_00, (12_000_00, 80_000_00, 1_000_000_00, 31_150_00), 0, 76_850_00),
        W11(1_100_000_00, (12_000_00, 80_000_00, 1_000_000_00, 8_000_00), 23_150_00, 0),
        W11(1_050_000_00, (12_000_00, 80_000_00, 958_000_00), 73_150_00, 0),
        W11(50_000_00, (12_000_00, 38_000_00), 1_073_150_00, 0),
    ],
)
async def test_w11_order_inside_one_claim(database_url: str, case: W11) -> None:
    async with opened(database_url) as database:
        road = await make_road(database, *parties("A"))
        await make_claim(
            database,
            road.court,
            road.case,
            "A",
            costs_fen=12_000_00,
            interest_fen=80_000_00,
            principal_fen=1_000_000_00,
            doubled_fen=31_150_00,
        )
        await road.bring_money(case.money_fen)
        plan = await road.draft()
        assert tuple(line.amount_fen for line in plan.lines if line.claim_id) == case.paid
        assert (plan.claims[0].open_fen, plan.surplus_fen) == (case.open_fen, case.surplus_fen)


@pytest.mark.parametrize(
    ("money_fen", "claims", "paid"),
    [
        (100_000_00, (100_000_00,) * 3, [33_333_34, 33_333_33, 33_333_33]),
        (
            500_000_00,
            (333_333_33, 250_000_00, 199_999_99, 87_654_32),
            [191_353_65, 143_515_24, 114_812_19, 50_318_92],
        ),
        (100_00, (100_00,) * 7, [14_29] * 4 + [14_28] * 3),
        (700_00, (100_00, 200_00), [100_00, 200_00]),
    ],
)
async def test_w12_pro_rata_with_the_rounding_remainder(
    database_url: str, money_fen: int, claims: tuple[int, ...], paid: list[int]
) -> None:
    async with opened(database_url) as database:
        road = await made(await make_road(database, *parties(*"ABCDEFG"[: len(claims)])), claims)
        await road.bring_money(money_fen)
        plan = await road.draft()
        assert by_claim(plan) == paid
        assert plan.surplus_fen == money_fen - sum(paid)


async def made(road: Road, claims: tuple[int, ...]) -> Road:
    for ref, amount_fen in zip("ABCDEFG", claims, strict=False):
        await make_claim(road.database, road.court, road.case, ref, principal_fen=amount_fen)
    return road


def by_claim(plan: PlanView) -> list[int]:
    return [claim.paid_fen for claim in plan.claims]
