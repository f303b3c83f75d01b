"""W-13 to W-15 and W-20 on the whole road, from the hammer over the plan to the payees' accounts, to the fen."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from appraisal.assets import service as assets
from appraisal.assets.rules import AssetKind
from appraisal.cases.rules import PartyKind
from appraisal.claims.rules import ClaimKind
from kernel.actors import platform
from kernel.database import Database
from kernel.money import Fen
from settlement import verify
from settlement.completion import case_money
from settlement.completion.sale_schemas import AddCost, Coverage, PayeeIn
from settlement.distribution.errors import AssetHeld, FeeNotSet
from settlement.payouts import handlers
from settlement.payouts import service as payouts
from tests.appraisal.support import make_asset, make_claim
from tests.auction.support import TENANT, hold
from tests.settlement.distribution.road import Road, parties, road_of
from tests.settlement.hall import Hall, hall
from tests.settlement.support import money_inside
from tests.support.house import call

pytestmark = pytest.mark.anyio

W20 = {"start_price_fen": Fen(4_000_000_000), "increment_fen": Fen(10_000_000), "deposit_fen": Fen(200_000_000)}
HOME = {"start_price_fen": Fen(150_000_000), "increment_fen": Fen(1_000_000), "deposit_fen": Fen(10_000_000)}


@asynccontextmanager
async def case_of(url: str, *creditors: str, debtor: PartyKind = PartyKind.PERSON) -> AsyncIterator[tuple[Hall, Road]]:
    """A case with these creditors; its asset may start at 40,000,000.00 or at 1,500,000.00."""
    reference = Fen(5_000_000_000) if debtor is PartyKind.ENTERPRISE else Fen(200_000_000)
    everybody = (*parties(*creditors, debtor=debtor), TENANT)
    async with hall(url, parties=everybody, reference_price_fen=reference) as place:
        handlers.subscribe(place.relay)
        yield place, road_of(place.place)


async def complete(place: Hall, lot_id: UUID, price_fen: int) -> None:
    """Sold, paid, and the ruling served: the price is in the case account."""
    await place.pay_balance(await place.sold(lot_id, price_fen), lot_id)
    await place.rule_and_serve(lot_id)


async def add_cost(road: Road, kind: Any, amount_fen: int, lot_id: UUID) -> None:
    payee = PayeeIn(holder=f"收款人 {kind}", number=f"7000{len(kind)}", bank="某银行")
    wanted = AddCost(kind=kind, name=kind, amount_fen=Fen(amount_fen), payee=payee, document="缴款书", lot_id=lot_id)
    await case_money.add_cost(road.database, call(road.maker), road.case.id, wanted)


async def faults(database: Database) -> list[str]:
    async with database.reading(platform("verify")) as tx:
        return await verify.faults(tx)


async def test_w20a_to_the_fen(database_url: str) -> None:
    async with case_of(database_url, "applicant", debtor=PartyKind.ENTERPRISE) as (place, road):
        await make_claim(road.database, road.court, road.case, "applicant", principal_fen=3_257_202_500)
        first = await place.lot(**W20)
        await place.sold(first, 4_020_000_000)
        place.pass_days(11)
        resale = (await place.default(first)).resale_lot_id
        opens_at = road.database.clock.now() + timedelta(days=40)
        when = {"opens_at": opens_at, "scheduled_end": opens_at + timedelta(days=1)}
        await place.publish_resale(first, resale, **W20, **when)
        await complete(place, resale, 4_500_000_000)

        await add_cost(road, "sale_taxes", 1_017_826_623, resale)
        await add_cost(road, "sale_cost", 3_000_000, resale)
        await road.set_fee(9_997_200, "按整元收取")
        plan = await road.confirmed()
        assert [(line.level, line.part, line.amount_fen) for line in plan.lines] == [
            (1, "sale_cost", 3_000_000),
            (1, "enforcement_fee", 9_997_200),
            (2, "sale_taxes", 1_017_826_623),
            (10, "principal", 3_257_202_500),
            (13, "surplus", 211_973_677),
        ]
        assert plan.fee is not None
        assert (plan.fee.base_fen, plan.fee.computed_fen) == (3_257_202_500, 9_997_203)
        assert (plan.fee.set_fen, plan.fee.reason) == (9_997_200, "按整元收取")
        assert await faults(road.database) == []

        await road.paid(plan)
        await place.relay.settle()
        account = await road.account()
        assert [(line.amount_fen, line.balance_fen) for line in account.statement] == [
            (4_500_000_000, 4_500_000_000),
            (-3_000_000, 4_497_000_000),
            (-9_997_200, 4_487_002_800),
            (-1_017_826_623, 3_469_176_177),
            (-3_257_202_500, 211_973_677),
            (-211_973_677, 0),
        ]
        assert (account.balance_fen, account.held_fen) == (0, 200_000_000)
        (rest,) = account.remainder
        assert (rest.kind, rest.amount_fen, rest.rule) == ("pending", 200_000_000, "R-CLOSE-10")
        assert await money_inside(road.database) == {"pending": 200_000_000, "state_fee": 9_997_200}
        assert await faults(road.database) == []


async def test_w13_a_mortgage_partly_covered_shares_with_the_ordinary(database_url: str) -> None:
    async with case_of(database_url, "applicant", "M", "C") as (place, road):
        asset_id, secured = place.place.asset_id, ClaimKind.SECURED
        claim = {"kind": secured, "asset_id": asset_id, "principal_fen": 230_000_000}
        await make_claim(road.database, road.court, road.case, "M", **claim)  # type: ignore[arg-type]
        await make_claim(road.database, road.court, road.case, "applicant", principal_fen=40_000_000)
        await make_claim(road.database, road.court, road.case, "C", principal_fen=27_000_000)
        lot_id = await place.lot(**HOME)
        await complete(place, lot_id, 200_000_000)
        await add_cost(road, "sale_cost", 3_000_000, lot_id)
        await road.bring_money(30_000_000)
        await road.set_fee()
        plan = await road.confirmed()
        assert [(line.pool == str(asset_id), line.level, line.payee.name, line.amount_fen) for line in plan.lines] == [
            (True, 1, "收款人 sale_cost", 3_000_000),
            (True, 7, "当事人M", 197_000_000),
            (False, 10, "当事人M", 9_900_000),
            (False, 10, "当事人applicant", 12_000_000),
            (False, 10, "当事人C", 8_100_000),
        ]
        assert plan.quota == "0.3000"
        batch = await road.paid(plan)
        assert [(line.holder, line.amount_fen) for line in batch.lines] == [
            ("收款人 sale_cost", 3_000_000),
            ("当事人M", 206_900_000),
            ("当事人applicant", 12_000_000),
            ("当事人C", 8_100_000),
        ]
        await place.relay.settle()
        assert await money_inside(road.database) == {}
        assert await faults(road.database) == []


async def test_a_hold_stops_confirmation_and_payment(database_url: str) -> None:
    async with case_of(database_url, "applicant") as (place, road):
        await make_claim(road.database, road.court, road.case, "applicant", principal_fen=100)
        await complete(place, await place.lot(**HOME), 160_000_000)
        with pytest.raises(FeeNotSet):
            await road.draft()
        await road.set_fee()
        plan = await road.serve_all(await road.decide(await road.draft()))
        road.pass_days(20)
        standing = await hold(place.place)
        with pytest.raises(AssetHeld) as refusal:
            await road.confirm(plan)
        assert refusal.value.rule == "R-CASE-09"
        await assets.lift_hold(road.database, call(road.court.judge), standing)
        await road.confirm(plan)
        batch = await road.make(plan)
        await road.check(batch)
        await hold(place.place)
        with pytest.raises(AssetHeld):
            await road.pay(batch)
        assert (await payouts.show_batch(road.database, road.maker, batch.id)).state == "checked"


async def test_w14_the_whole_waterfall_of_an_only_home(database_url: str) -> None:
    async with case_of(database_url, "applicant", "M", "B", "T") as (place, road):
        asset_id, database, court, case = place.place.asset_id, road.database, road.court, road.case
        await make_claim(database, court, case, "applicant", principal_fen=800_000_00, doubled_fen=30_000_00)
        await make_claim(database, court, case, "B", principal_fen=400_000_00, doubled_fen=20_000_00)
        mortgage = {"kind": ClaimKind.SECURED, "asset_id": asset_id, "rank_on": date(2020, 5, 1)}
        await make_claim(database, court, case, "M", principal_fen=1_800_000_00, **mortgage)  # type: ignore[arg-type]
        for owed, on in ((50_000_00, date(2019, 1, 1)), (40_000_00, date(2021, 1, 1))):
            await make_claim(database, court, case, "T", kind=ClaimKind.TAX, principal_fen=owed, rank_on=on)
        lot_id = await place.lot(**HOME)
        await complete(place, lot_id, 3_000_000_00)
        await add_cost(road, "sale_cost", 52_000_00, lot_id)
        await add_cost(road, "sale_taxes", 90_000_00, lot_id)
        await add_cost(road, "rent_carve_out", 216_000_00, lot_id)
        await road.set_fee()
        plan = await road.draft()
        assert [(line.level, line.payee.name, line.amount_fen) for line in plan.lines] == [
            (1, "收款人 sale_cost", 52_000_00),
            (2, "收款人 sale_taxes", 90_000_00),
            (3, "收款人 rent_carve_out", 216_000_00),
            (6, "当事人T", 50_000_00),
            (7, "当事人M", 1_800_000_00),
            (8, "当事人T", 40_000_00),
            (10, "当事人applicant", 501_333_33),
            (10, "当事人B", 250_666_67),
        ]
        assert plan.quota == "0.6267"
        assert [claim.open_fen for claim in plan.claims][:2] == [298_666_67 + 30_000_00, 149_333_33 + 20_000_00]
        assert await faults(database) == []


async def test_w20b_sales_that_cover_debt_and_costs_stop_the_other_lots(database_url: str) -> None:
    """Debt 1,000,000.00, costs 20,000.00; L1 650,000.00, then L2 400,000.00: L3 stops, 30,000.00 to the debtor."""
    everybody = (*parties("applicant"), TENANT)
    async with hall(database_url, parties=everybody, reference_price_fen=Fen(900_000_00)) as place:
        road = road_of(place.place)
        await make_claim(road.database, road.court, road.case, "applicant", principal_fen=1_000_000_00)
        await place.cost(20_000_00)
        await road.set_fee()

        async def lot(start_fen: int, opens_in: int, asset_id: UUID | None = None) -> UUID:
            opens_at = road.database.clock.now() + timedelta(days=opens_in)
            terms = {"asset_id": asset_id} if asset_id else {}
            return await place.lot(
                start_price_fen=Fen(start_fen),
                increment_fen=Fen(1_000_00),
                deposit_fen=Fen(start_fen // 10),
                opens_at=opens_at,
                scheduled_end=opens_at + timedelta(days=1),
                **terms,
            )

        async def another() -> UUID:
            made = await make_asset(
                road.database, road.court, road.case, price_fen=500_000_00, kind=AssetKind.MOVABLE, title="机器一台"
            )
            return made.id

        async def coverage() -> Coverage:
            return await case_money.show_coverage(road.database, road.court.clerk, road.case.id)

        first, second = await lot(640_000_00, 40), await lot(390_000_00, 60, await another())
        third = await lot(390_000_00, 90, await another())
        assert await coverage() == Coverage(road.case.id, 0, 1_000_000_00, 20_000_00, False, 0, (), "R-CLOSE-12")
        await complete(place, first, 650_000_00)
        found = await coverage()
        assert (found.sold_fen, found.covered, found.to_stop) == (650_000_00, False, ())
        await complete(place, second, 400_000_00)
        found = await coverage()
        assert (found.sold_fen, found.covered, found.surplus_fen) == (1_050_000_00, True, 30_000_00)
        assert found.to_stop == (third,)
        plan = await road.draft()
        assert (plan.surplus_fen, plan.lines[-1].payee.name) == (30_000_00, "当事人debtor")


async def test_w20b_a_first_sale_that_suffices_stops_both_others(database_url: str) -> None:
    """L1 alone sells for 1,020,000.00; a fen less and nothing stops."""
    everybody = (*parties("applicant"), TENANT)
    async with hall(database_url, parties=everybody, reference_price_fen=Fen(900_000_00)) as place:
        road = road_of(place.place)
        await make_claim(road.database, road.court, road.case, "applicant", principal_fen=1_000_000_00)
        await place.cost(20_000_00)
        made = await make_asset(
            road.database, road.court, road.case, price_fen=500_000_00, kind=AssetKind.MOVABLE, title="机器一台"
        )
        others = [
            await place.lot(start_price_fen=Fen(700_000_00), deposit_fen=Fen(70_000_00)),
            await place.lot(asset_id=made.id, start_price_fen=Fen(390_000_00), deposit_fen=Fen(39_000_00)),
        ]
        await road.bring_money(1_019_999_99)
        found = await case_money.show_coverage(road.database, road.court.clerk, road.case.id)
        assert (found.covered, found.to_stop) == (False, ())
        await road.bring_money(1)
        found = await case_money.show_coverage(road.database, road.court.clerk, road.case.id)
        assert (found.sold_fen, found.covered, found.to_stop) == (1_020_000_00, True, tuple(others))


@pytest.mark.parametrize(
    ("x_sealed_on", "ordinary"),
    [
        (date(2023, 2, 1), [("applicant", 350_000_00), ("Y", 230_000_00)]),
        (date(2024, 2, 20), [("Y", 400_000_00), ("Z", 180_000_00)]),
    ],
)
async def test_w15_an_enterprise_pays_its_mortgage_and_then_in_order_of_sealing(
    database_url: str, x_sealed_on: date, ordinary: list[tuple[str, int]]
) -> None:
    """Sold 900,000.00, costs 20,000.00, mortgage 300,000.00; then X (the applicant), Y, or Y, Z if its seal lapsed."""
    everybody = (*parties("applicant", "Y", "Z", "M", debtor=PartyKind.ENTERPRISE), TENANT)
    async with hall(database_url, parties=everybody, reference_price_fen=Fen(1_000_000_00)) as place:
        road = road_of(place.place)
        asset_id = place.place.asset_id
        for ref, fen, day in (
            ("applicant", 350_000_00, x_sealed_on),
            ("Y", 400_000_00, date(2023, 5, 3)),
            ("Z", 200_000_00, date(2024, 1, 8)),
        ):
            await make_claim(road.database, road.court, road.case, ref, principal_fen=fen, sealed_on=day)
        await make_claim(
            road.database,
            road.court,
            road.case,
            "M",
            kind=ClaimKind.SECURED,
            asset_id=asset_id,
            principal_fen=300_000_00,
        )
        lot_id = await place.lot(start_price_fen=Fen(800_000_00), deposit_fen=Fen(80_000_00))
        await complete(place, lot_id, 900_000_00)
        await add_cost(road, "sale_cost", 20_000_00, lot_id)
        await road.set_fee()
        plan = await road.draft()
        assert [(line.payee.name, line.amount_fen) for line in plan.lines] == [
            ("收款人 sale_cost", 20_000_00),
            ("当事人M", 300_000_00),
            *((f"当事人{ref}", fen) for ref, fen in ordinary),
        ]
        assert {line.rule for line in plan.lines[2:]} == {"R-DIST-08"}
