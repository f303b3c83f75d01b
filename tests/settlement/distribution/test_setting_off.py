"""A price set off against the claim of the creditor who bought: to the fen, only by a decision, and what ends it."""

from datetime import timedelta

import pytest

from appraisal.assets import service as assets
from appraisal.cases.rules import Subject
from appraisal.claims.rules import ClaimKind
from bidding.registration import confirmations
from bidding.registration.schemas import ConfirmJointBidders, JointBidder
from kernel.actors import platform
from kernel.errors import Forbidden, NotFound, Refusal
from settlement.completion import errors, store
from settlement.completion.sale_schemas import SetPriceOff
from settlement.distribution import service as distribution
from settlement.distribution import setting_off
from settlement.distribution.errors import BankruptcyAccepted, FeeNotSet, SatisfactionShort
from settlement.distribution.plan_schemas import AcceptBankruptcy
from tests.appraisal.support import make_court, today
from tests.auction.support import TENANT, hold
from tests.settlement.completion.defaulting import faults, resold
from tests.settlement.distribution.buying import (
    APPLICANT_GETS,
    BALANCE,
    COST,
    DEPOSIT,
    MORTGAGE,
    PRICE,
    SET_OFF,
    Bought,
    bought,
    claim,
    link,
    of_creditors,
    set_offs_of,
)
from tests.settlement.distribution.road import road_of
from tests.settlement.distribution.test_taking import BANK
from tests.settlement.hall import hall
from tests.settlement.support import money_inside
from tests.support.house import call, frozen

pytestmark = pytest.mark.anyio


# -- to the fen


async def test_the_buyer_pays_what_others_get_and_the_rest_is_set_off(database_url: str) -> None:
    async with of_creditors(database_url) as place:
        won = await bought(place)
        assert (await won.sale()).missing_fen == PRICE - DEPOSIT
        sale = await won.set_off()
        assert (sale.state, sale.set_off_fen, sale.missing_fen) == ("awaiting_balance", SET_OFF, BALANCE)
        assert await faults(place) == []
        sale = await won.pay(BALANCE - 1)
        assert (sale.state, sale.missing_fen) == ("awaiting_balance", 1)
        sale = await won.pay(3)
        assert (sale.state, sale.missing_fen, sale.received_fen) == ("paid", 0, DEPOSIT + BALANCE)
        assert sale.deposit_fen + BALANCE + sale.set_off_fen == sale.price_fen
        assert await money_inside(place.database) == {"lot": PRICE - SET_OFF}, "2 fen too much went back"
        assert await set_offs_of(place) == 0, "the price is no proceeds before title passes"
        await place.rule_and_serve(won.lot_id)
        assert await money_inside(place.database) == {"case": PRICE - SET_OFF}
        assert await set_offs_of(place) == SET_OFF
        assert await faults(place) == []

        road = road_of(place.place)
        plan = await road.confirmed()
        assert plan.proceeds_fen == PRICE
        assert [(line.payee.kind, line.payee.name, line.amount_fen) for line in plan.lines] == [
            ("cost", "辅助机构", COST),
            ("party", "抵押银行", MORTGAGE),
            ("party", "某银行股份有限公司", APPLICANT_GETS),
            ("set_off", "李某", SET_OFF),
        ]
        (own,) = [line for line in plan.lines if line.payee.kind == "set_off"]
        assert (own.rule, own.law) == ("R-CLOSE-04", None), "no statute is cited for what rests on a decision alone"
        assert await set_offs_of(place) == 0, "set off once"
        batch = await road.paid(plan)
        assert batch.total_fen == PRICE - SET_OFF
        await place.relay.settle()
        assert await money_inside(place.database) == {}
        assert (await road.account()).held_fen == 0
        assert await faults(place) == []


async def test_the_only_creditor_without_a_deposit_pays_nothing_at_all(database_url: str) -> None:
    async with hall(database_url) as place:
        lot_id = await place.lot()
        await claim(place, "applicant", 90_000_00)
        buyer = await place.exempt(lot_id)
        await place.sell(lot_id, (buyer, PRICE))
        await place.relay.settle()
        await road_of(place.place).set_fee()
        won = Bought(place, lot_id, buyer)
        sale = await won.set_off(set_off_for="某银行股份有限公司")
        assert (sale.state, sale.set_off_fen, sale.missing_fen, sale.received_fen) == ("paid", PRICE, 0, 0)
        await place.rule_and_serve(lot_id)
        assert await money_inside(place.database) == {}
        plan = await road_of(place.place).confirmed()
        assert [(line.payee.kind, line.amount_fen) for line in plan.lines] == [("set_off", PRICE)]
        assert await faults(place) == []


async def test_a_deposit_is_not_set_off_and_comes_back_by_the_plan(database_url: str) -> None:
    """Up to the balance: what the deposit paid in money, the plan pays the buyer in money."""
    async with hall(database_url) as place:
        lot_id = await place.lot()
        await claim(place, "creditor", 90_000_00)
        buyer = await place.sold(lot_id, PRICE, "李某")
        await road_of(place.place).set_fee()
        await link(place, "creditor", buyer)
        won = Bought(place, lot_id, buyer)
        sale = await won.set_off()
        assert (sale.state, sale.set_off_fen) == ("paid", PRICE - DEPOSIT)
        await place.rule_and_serve(lot_id)
        plan = await road_of(place.place).confirmed()
        lines = [(line.payee.kind, line.amount_fen) for line in plan.lines]
        assert lines == [("set_off", PRICE - DEPOSIT), ("party", DEPOSIT)]
        assert await faults(place) == []


async def test_what_was_paid_beyond_goes_back_when_it_is_ordered(database_url: str) -> None:
    async with of_creditors(database_url) as place:
        won = await bought(place)
        await won.pay(70_000_00)
        sale = await won.set_off()
        assert (sale.state, sale.received_fen) == ("paid", PRICE - SET_OFF)
        assert await money_inside(place.database) == {"lot": PRICE - SET_OFF}
        assert await faults(place) == []


async def test_beside_other_money_only_what_the_price_adds_is_set_off(database_url: str) -> None:
    """With 40,000.00 of case money: the mortgagee of 90,000.00 has 90 ÷ 160 × 37,999.99 without the price, while the
    thing's cost falls on the whole case; with it 77,999.99 of the thing and 12,000.01 ÷ 82,000.01 × 40,000.00.
    """
    async with of_creditors(database_url) as place:
        lot_id = await place.lot()
        await claim(place, "bank", 90_000_00, kind=ClaimKind.SECURED, asset_id=place.place.asset_id)
        await claim(place, "applicant", 70_000_00)
        buyer = await place.sold(lot_id, PRICE, "抵押银行")
        await place.cost(COST, lot_id=lot_id)
        road = road_of(place.place)
        await road.set_fee()
        await road.bring_money(40_000_00)
        await link(place, "bank", buyer)
        sale = await Bought(place, lot_id, buyer).set_off(set_off_for=BANK.name)
        assert sale.set_off_fen == 77_999_99 + 5_853_66 - 21_374_99
        await place.pay_balance(buyer, lot_id)
        await place.rule_and_serve(lot_id)
        plan = await road.draft()
        own = sum(line.amount_fen for line in plan.lines if line.payee.name == BANK.name)
        assert own == 21_374_99 + sale.set_off_fen
        assert await faults(place) == []


async def test_of_a_sell_off_the_prepaid_price_is_not_set_off(database_url: str) -> None:
    """70,000.00 are prepaid (R-SELL-04), so 10,000.00 of the price are open, and the buyer would get more."""
    async with of_creditors(database_url) as place:
        lot_id = await place.lot()
        await claim(place, "creditor", 90_000_00)
        await road_of(place.place).set_fee()
        buyer, _ = await place.sold_off(lot_id, PRICE)
        await link(place, "creditor", buyer)
        sale = await Bought(place, lot_id, buyer).set_off()
        assert (sale.state, sale.deposit_fen, sale.set_off_fen) == ("paid", 70_000_00, 10_000_00)
        assert await faults(place) == []


# -- off unless it is decided, and refused otherwise


async def test_without_the_panels_word_nothing_is_set_off(database_url: str) -> None:
    async with of_creditors(database_url) as place:
        won = await bought(place)
        with pytest.raises(errors.SetOffUndecided) as refused:
            await won.set_off(reserve="x")
        assert (refused.value.code, refused.value.rule) == ("set-off-undecided", "R-CLOSE-04")
        with pytest.raises(errors.SetOffUndecided):
            await won.set_off(set_off_for=1)
        with pytest.raises(Refusal, match="decision"):
            await won.by(await place.decide(Subject.SATISFACTION, {"set_off_for": "李某"}))
        decision_id = await place.decide(Subject.SET_OFF, {"set_off_for": "李某"})
        wanted = SetPriceOff(decision_id=decision_id)
        with pytest.raises(Forbidden):
            await setting_off.set_price_off(place.database, call(place.court.clerk), won.lot_id, wanted)
        stranger = await make_court(place.database)
        with pytest.raises(NotFound):
            await setting_off.set_price_off(place.database, call(stranger.judge), won.lot_id, wanted)
        assert (await won.sale()).missing_fen == PRICE - DEPOSIT


async def test_only_the_creditor_who_bought(database_url: str) -> None:
    async with of_creditors(database_url) as place:
        won = await bought(place, linked=False)
        for name in ("李某", "某银行股份有限公司", "谁也不是"):
            with pytest.raises(errors.SetOffBuyer) as refused:
                await won.set_off(set_off_for=name)
            assert refused.value.code == "set-off-buyer"
        await link(place, "tenant", won.buyer)
        with pytest.raises(errors.SetOffBuyer):
            await won.set_off(set_off_for=TENANT.name)  # bought, and has no claim
        await link(place, "creditor", won.buyer)
        assert (await won.set_off()).set_off_fen == SET_OFF


async def test_joint_bidders_set_nothing_off(database_url: str) -> None:
    async with of_creditors(database_url) as place:
        await claim(place, "creditor", 30_000_00)
        await road_of(place.place).set_fee()
        lot_id = await place.lot()
        buyers = [await place.bidder(name) for name in ("李某", "赵六")]
        joint = tuple(JointBidder(username=each.actor.name, parts=1) for each in buyers)
        wanted = ConfirmJointBidders(bidders=joint, proof="联合竞买协议")
        await confirmations.confirm_joint_bidders(place.database, call(place.court.judge), lot_id, wanted)
        own = await place.register(buyers[0], lot_id)
        await place.pay(buyers[0], own.account_no, DEPOSIT)
        await place.sell(lot_id, (buyers[0], PRICE))
        await place.relay.settle()
        await link(place, "creditor", buyers[0])
        with pytest.raises(errors.SetOffBuyer):
            await Bought(place, lot_id, buyers[0]).set_off()


async def test_once_and_before_the_balance_is_paid_or_due(database_url: str) -> None:
    async with of_creditors(database_url) as place:
        won = await bought(place)
        await won.set_off()
        with pytest.raises(errors.SetOffOrdered) as refused:
            await won.set_off()
        assert refused.value.code == "set-off-ordered"
        await won.pay(BALANCE)
        with pytest.raises(errors.SaleNotThere):
            await won.set_off()


@pytest.mark.parametrize("early_ms", [0, 1])
async def test_an_overdue_balance_is_not_set_off(database_url: str, early_ms: int) -> None:
    async with of_creditors(database_url) as place:
        won = await bought(place)
        async with place.database.reading(platform("test")) as tx:
            due_at = (await store.get_sale(tx, won.lot_id)).balance_due_at
        frozen(place.database).set(due_at - timedelta(milliseconds=early_ms))
        if early_ms:
            assert (await won.set_off()).set_off_fen == SET_OFF
            return
        with pytest.raises(errors.BalanceOverdue) as refused:
            await won.set_off()
        assert refused.value.code == "balance-overdue"


async def test_what_stops_a_distribution_stops_a_set_off(database_url: str) -> None:
    async with of_creditors(database_url) as place:
        won = await bought(place, fee=False)
        with pytest.raises(FeeNotSet):
            await won.set_off()
        await road_of(place.place).set_fee()
        hold_id = await hold(place.place)
        with pytest.raises(errors.AssetOnHold):
            await won.set_off()
        await assets.lift_hold(place.database, call(place.court.judge), hold_id)
        accepted = AcceptBankruptcy(accepted_on=today(place.database), court="某中级法院", document="裁定")
        await distribution.accept_bankruptcy(place.database, call(place.court.judge), place.case_id, accepted)
        with pytest.raises(BankruptcyAccepted):
            await won.set_off()


async def test_who_would_get_nothing_sets_nothing_off(database_url: str) -> None:
    async with of_creditors(database_url) as place:
        won = await bought(place)
        await claim(place, "bank", 60_000_00, kind=ClaimKind.SECURED, asset_id=place.place.asset_id)
        with pytest.raises(errors.NothingToSetOff) as refused:
            await won.set_off()
        assert refused.value.code == "nothing-to-set-off"


# -- what ends it


async def test_with_a_default_it_falls_away(database_url: str) -> None:
    async with of_creditors(database_url) as place:
        won = await bought(place)
        await won.set_off()
        await won.pay(50_000_00)
        place.pass_days(11)
        assert (await won.sale()).overdue
        declared = await place.default(won.lot_id)
        assert declared.forfeited_fen == DEPOSIT
        sale = await won.sale()
        assert (sale.state, sale.set_off_fen, sale.missing_fen) == ("defaulted", 0, 0)
        assert await money_inside(place.database) == {"pending": DEPOSIT}, (
            "the part payment went back, and nothing else"
        )
        assert await faults(place) == []
        await resold(place, won.lot_id, declared.resale_lot_id, 75_000_00)
        assert await set_offs_of(place) == 0
        assert await money_inside(place.database) == {"case": 75_000_00 + DEPOSIT}
        plan = await road_of(place.place).confirmed()
        assert {line.payee.kind for line in plan.lines} == {"cost", "party"}
        assert await faults(place) == []


@pytest.mark.parametrize("served", [False, True])
async def test_an_annulled_sale_gives_back_what_was_paid_and_no_more(database_url: str, served: bool) -> None:
    async with of_creditors(database_url) as place:
        won = await bought(place)
        await won.set_off()
        await won.pay(BALANCE)
        if served:
            await place.rule_and_serve(won.lot_id)
        resale_id = (await place.annul(won.lot_id)).resale_lot_id
        assert await money_inside(place.database) == {}
        sale = await won.sale()
        assert (sale.state, sale.set_off_fen, sale.received_fen) == ("annulled", 0, DEPOSIT + BALANCE)
        assert await faults(place) == []
        await resold(place, won.lot_id, resale_id, 75_000_00)
        assert await set_offs_of(place) == 0
        assert await money_inside(place.database) == {"case": 75_000_00}
        assert await faults(place) == []


async def test_a_later_plan_that_gives_less_is_refused(database_url: str) -> None:
    """A claim of 100,000.00 more leaves 李某 47,999.99 × 30 ÷ 200 = 7,200.00 of the 14,400.00 kept back."""
    async with of_creditors(database_url) as place:
        won = await bought(place)
        await won.set_off()
        await won.pay(BALANCE)
        await place.rule_and_serve(won.lot_id)
        await claim(place, "applicant", 100_000_00)
        with pytest.raises(SatisfactionShort) as refused:
            await road_of(place.place).draft()
        assert (refused.value.code, refused.value.facts["missing_fen"]) == ("satisfaction-short", 7_200_00)
        assert "7,200.00 元" in refused.value.detail
