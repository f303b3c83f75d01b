"""A price set off against the claim of the creditor who bought: to the fen, only by a decision, and what ends it."""

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from appraisal.assets import service as assets
from appraisal.assets.rules import AssetKind
from appraisal.assets.schemas import RegisterAsset
from appraisal.cases import store as cases_store
from appraisal.cases.rules import Subject
from appraisal.claims.rules import ClaimKind
from bidding.registration import confirmations
from bidding.registration.schemas import ConfirmJointBidders, JointBidder
from kernel.actors import platform
from kernel.database import Tx
from kernel.errors import Forbidden, NotFound, Refusal
from settlement.annulment import service as annulment
from settlement.annulment.rules import Ground
from settlement.annulment.schemas import AnnulSale
from settlement.completion import errors, set_offs, store
from settlement.completion import service as completion
from settlement.completion.sale_schemas import SaleView, SetPriceOff
from settlement.distribution import current, handlers, setting_off
from settlement.distribution import service as distribution
from settlement.distribution.errors import BankruptcyAccepted, FeeNotSet, SatisfactionShort
from settlement.distribution.plan_schemas import AcceptBankruptcy
from settlement.payouts import handlers as payout_handlers
from tests.appraisal.support import PARTIES, make_claim, make_court, party_of, today
from tests.auction.support import REFERENCE_PRICE, TENANT, fix_price, hold
from tests.settlement.completion.defaulting import faults, resold
from tests.settlement.distribution.road import road_of
from tests.settlement.distribution.test_taking import BANK
from tests.settlement.gate import Gate
from tests.settlement.hall import Bidder, Hall, hall
from tests.settlement.support import money_inside, within
from tests.settlement.tampering import faults as faults_in
from tests.settlement.tampering import found_after
from tests.support.house import call, frozen, opened

pytestmark = pytest.mark.anyio

YUAN = 100
PRICE, DEPOSIT, COST = 80_000_00, 7_000_00, 2_000_01
MORTGAGE = 30_000_00
SET_OFF, APPLICANT_GETS = 14_400_00, 33_599_99
"""47,999.99 over claims of 30,000.00 and 70,000.00: 14,399.997 and 33,599.993, the odd fen to the larger remainder."""
BALANCE = PRICE - DEPOSIT - SET_OFF


@dataclass
class Bought:
    """A thing that one of the case's creditors bought."""

    place: Hall
    lot_id: UUID
    buyer: Bidder

    def party(self, ref: str) -> UUID:
        return party_of(self.place.place.case, ref).id

    async def set_off(self, lot_id: UUID | None = None, **facts: str | int) -> SaleView:
        """The panel lets 李某 set the price off, unless `facts` say otherwise."""
        decision_id = await self.place.decide(Subject.SET_OFF, dict(facts or {"set_off_for": "李某"}))
        return await self.by(decision_id, lot_id)

    async def by(self, decision_id: UUID, lot_id: UUID | None = None) -> SaleView:
        wanted, judge = SetPriceOff(decision_id=decision_id), self.place.court.judge
        sale = await setting_off.set_price_off(self.place.database, call(judge), lot_id or self.lot_id, wanted)
        await self.place.relay.settle()
        return sale

    async def sale(self) -> SaleView:
        return await completion.show_sale(self.place.database, self.buyer.actor, self.lot_id)

    async def pay(self, amount_fen: int) -> SaleView:
        await self.place.pay(self.buyer, (await self.sale()).account_no, amount_fen)
        return await self.sale()


def of_creditors(url: str) -> Any:
    return hall(url, parties=(*PARTIES, TENANT, BANK))


async def link(place: Hall, ref: str, buyer: Bidder) -> None:
    """The account of the buyer is the party's own."""
    party_id = party_of(place.place.case, ref).id

    async def set_person(tx: Tx) -> None:
        await cases_store.set_person(tx, party_id, buyer.actor.person)

    await within(place.database, set_person)


async def claim(place: Hall, ref: str, principal_fen: int, **terms: Any) -> None:
    await make_claim(place.database, place.court, place.place.case, ref, principal_fen=principal_fen, **terms)


async def bought(place: Hall, *, fee: bool = True, linked: bool = True) -> Bought:
    """Sold to 李某 for 80,000.00; costs of 2,000.01 and a mortgage of 30,000.00 stand before two ordinary claims."""
    for module in (handlers, payout_handlers):
        module.subscribe(place.relay)
    await claim(place, "bank", MORTGAGE, kind=ClaimKind.SECURED, asset_id=place.place.asset_id)
    await claim(place, "applicant", 70_000_00)
    await claim(place, "creditor", 30_000_00)
    lot_id = await place.lot()
    buyer = await place.sold(lot_id, PRICE, "李某")
    await place.cost(COST, lot_id=lot_id)
    if fee:
        await road_of(place.place).set_fee()
    if linked:
        await link(place, "creditor", buyer)
    return Bought(place, lot_id, buyer)


async def annulled(place: Hall, lot_id: UUID) -> UUID:
    decision_id = await place.decide(Subject.ANNULMENT)
    wanted = AnnulSale(ground=Ground.FALSE_DESCRIPTION, reasons="拍卖公告严重失实", decision_id=decision_id)
    view = await annulment.annul_sale(place.database, call(place.court.judge), lot_id, wanted)
    await place.relay.settle()
    return view.resale_lot_id


async def set_offs_of(place: Hall) -> int:
    """What a plan drafted now would set off."""
    case_id = place.case_id
    async with place.database.reading(platform("test")) as tx:
        case = await distribution.appraisal.get_case(tx, case_id)
        return sum(each.amount_fen for each in (await current.current_basis(tx, case)).set_offs)


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
        buyer = await place.exempt(lot_id)
        await place.sell(lot_id, (buyer, PRICE))
        await place.relay.settle()
        await claim(place, "applicant", 90_000_00)
        await road_of(place.place).set_fee()
        await link(place, "applicant", buyer)
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
        with pytest.raises(errors.SaleElsewhere):
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
        resale_id = await annulled(place, won.lot_id)
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
