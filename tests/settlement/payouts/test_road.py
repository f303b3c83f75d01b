"""W-20a and W-13 to the end: from the hammer over default, resale and plan to the payees' accounts, to the fen."""

from uuid import UUID

import pytest

from appraisal.assets import service as assets
from appraisal.cases.rules import PartyKind
from appraisal.claims.rules import ClaimKind
from kernel.actors import platform
from kernel.database import Database
from kernel.money import Fen
from settlement import verify
from settlement.completion import service as completion
from settlement.completion.sale_schemas import AddCost, PayeeIn
from settlement.distribution.errors import AssetHeld, FeeNotSet
from settlement.payouts import service as payouts
from tests.appraisal.support import make_claim
from tests.auction import support
from tests.settlement.distribution.road import Road, parties, road_of
from tests.settlement.sales import make_market
from tests.settlement.support import money_inside
from tests.support.house import call, opened

pytestmark = pytest.mark.anyio

W20_TERMS = {
    "start_price_fen": Fen(40_000_000_00),
    "increment_fen": Fen(100_000_00),
    "deposit_fen": Fen(2_000_000_00),
}


async def add_cost(road: Road, kind: str, amount_fen: int, lot_id: UUID | None = None) -> None:
    wanted = AddCost(
        kind=kind,  # type: ignore[arg-type]
        name=kind,
        amount_fen=Fen(amount_fen),
        payee=PayeeIn(holder=f"收款人 {kind}", number=f"7000{len(kind)}", bank="某银行"),
        document="缴款书",
        lot_id=lot_id,
    )
    await completion.add_cost(road.database, call(road.maker), road.case.id, wanted)


async def faults(database: Database) -> list[str]:
    async with database.reading(platform("test")) as tx:
        return await verify.faults(tx)


async def test_w20a_to_the_fen(database_url: str) -> None:
    async with opened(database_url) as database:
        place = await support.make_place(
            database,
            parties=parties("applicant", debtor=PartyKind.ENTERPRISE),
            reference_price_fen=Fen(50_000_000_00),
        )
        market, road = make_market(place), road_of(place)
        await make_claim(database, road.court, road.case, "applicant", principal_fen=3_257_202_500)
        first = await support.make_published_lot(place, **W20_TERMS)
        await market.sell(first, 4_020_000_000)
        resale = await market.default(first, **W20_TERMS)
        await market.complete(resale, 4_500_000_000)

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
        assert await faults(database) == []

        await road.paid(plan)
        await market.relay.settle()
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
        assert await money_inside(database) == {"pending": 200_000_000, "state_fee": 9_997_200}
        assert await faults(database) == []


async def test_w13_a_mortgage_partly_covered_shares_with_the_ordinary(database_url: str) -> None:
    async with opened(database_url) as database:
        place = await support.make_place(
            database, parties=parties("applicant", "M", "C"), reference_price_fen=Fen(2_000_000_00)
        )
        market, road = make_market(place), road_of(place)
        secured = {"kind": ClaimKind.SECURED, "asset_id": place.asset_id, "principal_fen": 230_000_000}
        await make_claim(database, road.court, road.case, "M", **secured)  # type: ignore[arg-type]
        await make_claim(database, road.court, road.case, "applicant", principal_fen=40_000_000)
        await make_claim(database, road.court, road.case, "C", principal_fen=27_000_000)
        terms = {"start_price_fen": Fen(150_000_000), "increment_fen": Fen(1_000_000), "deposit_fen": Fen(10_000_000)}
        lot = await support.make_published_lot(place, **terms)
        await market.complete(lot, 200_000_000)
        await add_cost(road, "sale_cost", 3_000_000, lot)
        await road.bring_money(30_000_000)
        await road.set_fee()
        plan = await road.confirmed()
        assert [
            (line.pool == str(place.asset_id), line.level, line.payee.name, line.amount_fen) for line in plan.lines
        ] == [
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
        await market.relay.settle()
        assert await money_inside(database) == {}
        assert await faults(database) == []


async def test_a_hold_stops_confirmation_and_payment(database_url: str) -> None:
    async with opened(database_url) as database:
        place = await support.make_place(database, parties=parties("applicant"), reference_price_fen=Fen(2_000_000_00))
        market, road = make_market(place), road_of(place)
        await make_claim(database, road.court, road.case, "applicant", principal_fen=100)
        terms = {"start_price_fen": Fen(150_000_000), "increment_fen": Fen(1_000_000), "deposit_fen": Fen(10_000_000)}
        await market.complete(await support.make_published_lot(place, **terms), 160_000_000)
        with pytest.raises(FeeNotSet):
            await road.draft()
        await road.set_fee()
        plan = await road.serve_all(await road.decide(await road.draft()))
        road.pass_days(20)
        standing = await support.hold(place)
        with pytest.raises(AssetHeld) as refusal:
            await road.confirm(plan)
        assert refusal.value.rule == "R-CASE-09"
        await assets.lift_hold(database, call(place.judge), standing)
        await road.confirm(plan)
        batch = await road.make(plan)
        await road.check(batch)
        await support.hold(place)
        with pytest.raises(AssetHeld):
            await road.pay(batch)
        assert (await payouts.show_batch(database, road.maker, batch.id)).state == "checked"
