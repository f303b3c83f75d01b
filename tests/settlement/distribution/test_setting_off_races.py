"""Prices set off by several at once, each race with its control; and what is changed by hand shows."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from appraisal.assets import service as assets
from appraisal.assets.rules import AssetKind
from appraisal.assets.schemas import RegisterAsset
from settlement.completion import errors, set_offs, store
from settlement.completion import service as completion
from settlement.completion.sale_schemas import SaleView
from settlement.distribution import current, setting_off
from settlement.distribution.errors import SatisfactionShort
from tests.auction.support import REFERENCE_PRICE, fix_price
from tests.settlement.completion.defaulting import faults
from tests.settlement.distribution.buying import (
    BALANCE,
    DEPOSIT,
    PRICE,
    SET_OFF,
    Bought,
    bought,
    claim,
    link,
    of_creditors,
)
from tests.settlement.distribution.road import road_of
from tests.settlement.gate import Gate
from tests.settlement.hall import Hall, hall
from tests.settlement.support import money_inside
from tests.settlement.tampering import faults as faults_in
from tests.settlement.tampering import found_after
from tests.support.house import call, frozen, opened

pytestmark = pytest.mark.anyio


# -- several at once


async def two_things(place: Hall) -> tuple[Bought, UUID]:
    """李某, the only creditor with 100,000.00 open, bought two things for 80,000.00 each."""
    wanted = RegisterAsset(
        kind=AssetKind.MOVABLE, title="挂车一辆", description="车况良好", place="上海市", details={"occupation": "空置"}
    )
    other = await assets.register_asset(place.database, call(place.court.clerk), place.case_id, wanted)
    await fix_price(replace(place.place, asset_id=other.id), REFERENCE_PRICE)
    await claim(place, "creditor", 100_000_00)
    await road_of(place.place).set_fee()
    first = await place.lot()
    second = await place.lot(asset_id=other.id)
    buyer = await place.admitted(first, "李某")
    own = await place.register(buyer, second)
    await place.pay(buyer, own.account_no, own.due_fen)
    for lot_id in (first, second):
        await place.sell(lot_id, (buyer, PRICE))
        await place.relay.settle()
    await link(place, "creditor", buyer)
    return Bought(place, first, buyer), second


async def test_two_prices_at_once_set_one_claim_off_once(database_url: str) -> None:
    async with hall(database_url) as place:
        won, second = await two_things(place)
        sales = await asyncio.gather(won.set_off(), won.set_off(second))
        assert sorted(sale.set_off_fen for sale in sales) == [20_000_00, PRICE - DEPOSIT]
        assert sorted(sale.state for sale in sales) == ["awaiting_balance", "paid"]
        for lot_id in (won.lot_id, second):
            missing_fen = (await completion.show_sale(place.database, won.buyer.actor, lot_id)).missing_fen
            if missing_fen:
                await place.pay_balance(won.buyer, lot_id)
            await place.rule_and_serve(lot_id)
        plan = await road_of(place.place).draft()
        set_off = sum(line.amount_fen for line in plan.lines if line.payee.kind == "set_off")
        assert (plan.proceeds_fen, set_off) == (2 * PRICE, 93_000_00)
        assert await faults(place) == []


async def test_control_without_the_lock_of_the_cases_money_one_claim_is_set_off_twice(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate()
    async with hall(database_url) as place:
        won, second = await two_things(place)
        monkeypatch.setattr(set_offs, "locked_sale", store.lock_sale)
        monkeypatch.setattr(setting_off, "bases_around", gate.after(current.bases_around))
        late = await gate.meanwhile(won.set_off(), won.set_off(second))
        assert late.set_off_fen == PRICE - DEPOSIT, "as if the other had not taken it already"
        for lot_id in (won.lot_id, second):
            await place.rule_and_serve(lot_id)
        with pytest.raises(SatisfactionShort) as refused:
            await road_of(place.place).draft()
        assert refused.value.facts["missing_fen"] == 46_000_00, "no plan is left that the money covers"


async def test_ordered_three_times_at_once_it_is_ordered_once(database_url: str) -> None:
    async with of_creditors(database_url) as place:
        won = await bought(place)
        outcomes = await asyncio.gather(*[won.set_off() for _ in range(3)], return_exceptions=True)
        assert sum(isinstance(each, SaleView) for each in outcomes) == 1, outcomes
        assert sum(isinstance(each, errors.SetOffOrdered) for each in outcomes) == 2, outcomes
        assert (await won.sale()).missing_fen == BALANCE


async def test_payment_against_the_order_one_comes_first(database_url: str) -> None:
    async with of_creditors(database_url) as place:
        won = await bought(place)
        await asyncio.gather(won.pay(PRICE - DEPOSIT), won.set_off(), return_exceptions=True)
        await place.relay.settle()
        sale = await won.sale()
        assert (sale.state, sale.set_off_fen, await money_inside(place.database)) in [
            ("paid", 0, {"lot": PRICE}),
            ("paid", SET_OFF, {"lot": PRICE - SET_OFF}),
        ]
        assert await faults(place) == []


async def test_control_unlocked_a_price_that_is_paid_is_set_off_afterwards(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate()
    async with of_creditors(database_url) as place:
        won = await bought(place)

        async def paid_meanwhile() -> None:
            await won.pay(PRICE - DEPOSIT)
            frozen(place.database).advance(timedelta(hours=1))

        monkeypatch.setattr(set_offs, "locked_sale", store.get_sale)
        monkeypatch.setattr(setting_off, "bases_around", gate.after(current.bases_around))
        late = await gate.meanwhile(won.set_off(), paid_meanwhile())
        assert isinstance(late, SaleView), late
        found = await faults(place)
        assert found == [f"the set-off of the price of lot {won.lot_id} was ordered after the balance was paid or due"]


# -- verified


async def test_a_changed_set_off_shows(database_url: str) -> None:
    async with of_creditors(database_url) as place:
        won = await bought(place)
        await won.set_off()
        await won.pay(BALANCE)
        lot_id, now = won.lot_id, place.database.clock.now()
    async with opened(database_url, now) as database:
        assert await faults_in(database) == []
        name = f"the set-off of the price of lot {lot_id}"
        change, of_lot = "UPDATE settlement.price_set_off SET", f"WHERE lot_id = '{lot_id}'"
        less = await found_after(database, "price_set_off", f"{change} amount_fen = amount_fen - 1 {of_lot}")
        assert f"{name} is not what the audit trail says" in less
        assert f"{name} is not what the buyer would receive, up to the balance" in less
        assert f"sale of lot {lot_id} is called paid, but the price is not there" in less
        gone = await found_after(database, "price_set_off", f"DELETE FROM settlement.price_set_off {of_lot}")
        assert f"{name} stands in the audit trail alone" in gone
        other = await found_after(database, "price_set_off", f"{change} decision_id = party_id {of_lot}")
        assert f"{name} rests on no decision of the court" in other
        late = await found_after(
            database, "price_set_off", f"{change} ordered_at = ordered_at + interval '1 year' {of_lot}"
        )
        assert f"{name} was ordered after the balance was paid or due" in late
