"""The worked cases of default on the real road, each with its numbers: W-08 a to d, W-18, W-20 a."""

from collections.abc import Collection, Sequence
from uuid import UUID

import pytest
from sqlalchemy.exc import IntegrityError

from appraisal.cases.rules import Subject
from kernel.database import Tx
from kernel.money import Fen
from settlement.completion import case_money, defaults, store
from settlement.completion import service as completion
from settlement.completion.errors import SaleNotThere, ShortfallExceeded, ShortfallOrdered, ShortfallUnknown
from settlement.completion.models import Sale
from settlement.completion.rules import SaleState
from settlement.completion.sale_schemas import DefaultUseView, NameRelatedDebt, PayeeIn, SetFee
from settlement.distribution import fee_setting
from settlement.ledger import service as ledger
from settlement.ledger.models import Account
from tests.appraisal.support import make_claim
from tests.settlement.completion.defaulting import (
    defaulted,
    faults,
    ordered,
    proceeds_of,
    resold,
    terms_of,
    use_of,
)
from tests.settlement.distribution.road import road_of
from tests.settlement.gate import as_superuser
from tests.settlement.hall import YUAN, Hall, hall
from tests.settlement.support import beside, money_inside, within
from tests.settlement.tampering import found_after
from tests.support.house import call, opened

pytestmark = pytest.mark.anyio


async def test_w_08a_all_four_steps_to_the_debts_connected_with_the_property(database_url: str) -> None:
    """First 1,000,000.00, deposit 300,000.00, costs 5,000.00, resale 880,000.00, 160,000.00 of the case's debt open.

    So large a deposit is above the band of R-BID-03, which only a start price of 1,500,000.00 or more would allow; the
    published lot gets it by hand, and everything after it is the ordinary road.
    """
    async with hall(database_url, reference_price_fen=Fen(1_000_000 * YUAN)) as place:
        await make_claim(place.database, place.court, place.place.case, "applicant", principal_fen=1_160_000 * YUAN)
        road = road_of(place.place)
        await road.set_fee()
        first = await place.lot(**terms_of(900_000, 180_000))
        for table, key in (("auction.lot", "id"), ("bidding.lot", "lot_id")):
            deposit = f"UPDATE {table} SET deposit_fen = {300_000 * YUAN} WHERE {key} = '{first}'"
            await as_superuser(database_url, deposit)
        buyer = await place.sold(first, 1_000_000 * YUAN)
        place.pass_days(11)
        declared = await place.default(first)
        assert declared.forfeited_fen == 300_000 * YUAN
        await place.cost(5_000 * YUAN, lot_id=first)
        await resold(place, first, declared.resale_lot_id, 880_000 * YUAN, **terms_of(800_000, 160_000))
        use = await use_of(place)
        assert (use.to_costs_fen, use.to_shortfall_fen, use.to_case_debt_fen, use.pending_decision_fen) == (
            5_000 * YUAN,
            120_000 * YUAN,
            160_000 * YUAN,
            15_000 * YUAN,
        )

        related = NameRelatedDebt(
            name="物业服务费",
            amount_fen=Fen(40_000 * YUAN),
            payee=PayeeIn(holder="某物业公司", number="62170009"),
            document="（2024）沪0115民初8号判决",
            decision_id=await place.decide(Subject.DEFAULT),
        )
        use = await defaults.name_related_debt(place.database, call(place.court.judge), first, related)
        assert (use.to_related_debt_fen, use.pending_decision_fen) == (15_000 * YUAN, 0)
        assert [(debt.payee, debt.covered_fen) for debt in use.related_debts] == [("某物业公司", 15_000 * YUAN)]
        assert await money_inside(place.database) == {"case": 1_180_000 * YUAN}
        assert (await place.deposit(buyer, first)).refunds == (), "nothing back to the buyer"

        plan = await road.confirmed()
        assert [(line.payee.name, line.rule, line.amount_fen) for line in plan.lines] == [
            ("辅助机构", "R-COST-04", 5_000 * YUAN),
            ("某物业公司", "R-CLOSE-08", 15_000 * YUAN),
            ("某银行股份有限公司", "R-DIST-03", 1_160_000 * YUAN),
        ]
        assert plan.surplus_fen == 0
        assert (await road.paid(plan)).total_fen == 1_180_000 * YUAN
        await place.relay.settle()
        assert await money_inside(place.database) == {}
        assert await faults(place) == []
    async with opened(database_url) as database:
        found = await found_after(database, "related_debt", "DELETE FROM settlement.related_debt")
    assert any("connected debts that the panel did not name" in fault for fault in found), found


async def cost_registered_late(place: Hall) -> None:
    """A cost of the defaulted lot, registered once its deposit has been used; two settle it at once."""
    await make_claim(place.database, place.court, place.place.case, "applicant", principal_fen=1_760_000 * YUAN)
    first, resale, _ = await defaulted(place, 1_600_000 * YUAN, **terms_of(1_500_000, 300_000))
    await place.cost(5_000 * YUAN, lot_id=first)
    await resold(place, first, resale, 1_480_000 * YUAN, **terms_of(1_400_000, 280_000))
    assert (await use_of(place)).pending_decision_fen == 15_000 * YUAN
    await place.cost(10_000 * YUAN, lot_id=first)

    async def settle(tx: Tx) -> None:
        await defaults.settle_default_use(tx, place.case_id)

    await beside(place.database, settle, settle)


async def test_a_cost_registered_late_is_still_taken_from_the_deposit_once(database_url: str) -> None:
    async with hall(database_url, reference_price_fen=Fen(2_000_000 * YUAN)) as place:
        await cost_registered_late(place)
        use = await use_of(place)
        steps = (use.to_costs_fen, use.to_shortfall_fen, use.to_case_debt_fen, use.pending_decision_fen)
        assert steps == (15_000 * YUAN, 120_000 * YUAN, 160_000 * YUAN, 5_000 * YUAN)
        assert await proceeds_of(place) == 1_775_000 * YUAN
        assert await faults(place) == []


async def test_without_the_locks_it_would_be_taken_twice(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control of the test above: both would take it, and the number of the use refuses the second."""

    async def read_defaulted(tx: Tx, case_id: UUID) -> Sequence[Sale]:
        sales = await store.sales_of_case(tx, case_id)
        return [sale for sale in sales if sale.state == SaleState.DEFAULTED]

    async def read_accounts(tx: Tx, ids: Collection[UUID]) -> dict[UUID, Account]:
        return {account_id: await ledger.get_account(tx, account_id) for account_id in ids}

    monkeypatch.setattr(store, "lock_defaulted", read_defaulted)
    async with hall(database_url, reference_price_fen=Fen(2_000_000 * YUAN)) as place:
        monkeypatch.setattr(ledger, "lock", read_accounts)
        with pytest.raises(IntegrityError):
            await cost_registered_late(place)


async def test_connected_debts_are_named_by_the_court_of_a_default_and_paid_in_that_order(database_url: str) -> None:
    async with hall(database_url, reference_price_fen=Fen(1_000_000 * YUAN)) as place:
        await make_claim(place.database, place.court, place.place.case, "applicant", principal_fen=800_000 * YUAN)
        first, resale, _ = await defaulted(place, 1_000_000 * YUAN, **terms_of(900_000, 100_000))

        async def named(name: str, lot_id: UUID = first) -> DefaultUseView:
            wanted = NameRelatedDebt(
                name=name,
                amount_fen=Fen(60_000 * YUAN),
                payee=PayeeIn(holder=name, number="62170009"),
                document="判决",
                decision_id=await place.decide(Subject.DEFAULT),
            )
            return await defaults.name_related_debt(place.database, call(place.court.judge), lot_id, wanted)

        assert (await named("物业费")).to_related_debt_fen == 0, "before the resale is paid and served nothing is used"
        await resold(place, first, resale, 1_000_000 * YUAN, **terms_of(900_000, 100_000))
        assert (await use_of(place)).to_related_debt_fen == 60_000 * YUAN
        use = await named("供暖费")
        assert [debt.covered_fen for debt in use.related_debts] == [60_000 * YUAN, 40_000 * YUAN]
        assert use.pending_decision_fen == 0
        with pytest.raises(SaleNotThere):
            await named("非悔拍", resale)
        assert await faults(place) == []


async def test_w_08b_a_small_deposit_leaves_a_shortfall_uncovered(database_url: str) -> None:
    """8,000,000.00, deposit 510,000.00, costs 10,000.00, resale 7,000,000.00: 7,500,000.00 to distribute."""
    async with hall(database_url, reference_price_fen=Fen(9_000_000 * YUAN)) as place:
        await make_claim(place.database, place.court, place.place.case, "applicant", principal_fen=9_000_000 * YUAN)
        terms = terms_of(6_500_000, 510_000, 10_000)
        first, resale, _ = await defaulted(place, 8_000_000 * YUAN, **terms)
        await place.cost(10_000 * YUAN, lot_id=first)
        await resold(place, first, resale, 7_000_000 * YUAN, **terms)
        use = await use_of(place)
        assert (use.to_costs_fen, use.to_shortfall_fen, use.uncovered_fen) == (
            10_000 * YUAN,
            500_000 * YUAN,
            500_000 * YUAN,
        )
        assert await proceeds_of(place) == 7_510_000 * YUAN, "7,500,000.00, and the 10,000.00 that the costs take"


async def test_w_08c_what_is_uncovered_is_charged_by_the_court_s_order_alone(database_url: str) -> None:
    """First 1,775,584.80, resale 1,451,667.84, deposit 100,000.00: ordered and paid 223,916.96."""
    async with hall(database_url, reference_price_fen=Fen(1_500_000 * YUAN)) as place:
        await make_claim(place.database, place.court, place.place.case, "applicant", principal_fen=9_000_000 * YUAN)
        terms = {"start_price_fen": Fen(1_075_584_80), "deposit_fen": Fen(100_000_00), "increment_fen": Fen(1_000_00)}
        first, resale, buyer = await defaulted(place, 1_775_584_80, **terms)
        with pytest.raises(ShortfallUnknown):
            await ordered(place, first, 1)
        later = {"start_price_fen": Fen(1_051_667_84), "deposit_fen": Fen(100_000_00), "increment_fen": Fen(1_000_00)}
        await resold(place, first, resale, 1_451_667_84, **later)
        use = await use_of(place)
        assert (use.shortfall_fen, use.uncovered_fen, use.ordered_fen) == (323_916_96, 223_916_96, None)
        sale = await completion.show_sale(place.database, buyer.actor, first)
        await place.pay(buyer, sale.account_no, 50_000_00)
        assert await proceeds_of(place) == 1_551_667_84, "nothing is kept without an order"

        with pytest.raises(ShortfallExceeded):
            await ordered(place, first, 223_916_97)
        use = await ordered(place, first, 223_916_96)
        assert (use.ordered_fen, use.made_good_fen) == (223_916_96, 0)
        with pytest.raises(ShortfallOrdered):
            await ordered(place, first, 1)
        assert (await completion.show_sale(place.database, buyer.actor, first)).missing_fen == 223_916_96
        await place.pay(buyer, sale.account_no, 23_916_96)
        await place.pay(buyer, sale.account_no, 200_000_07)
        await place.pay(buyer, sale.account_no, 9_00)
        use = await use_of(place)
        assert (use.made_good_fen, use.uncovered_fen) == (223_916_96, 0)
        assert await proceeds_of(place) == 1_775_584_80, "the case stands as if the first sale had been paid"
        assert await money_inside(place.database) == {"case": 1_775_584_80}, "7 fen and 9 yuan went back"
        assert await faults(place) == []


async def test_w_08d_a_higher_resale_pays_costs_and_open_debt(database_url: str) -> None:
    async with hall(database_url, reference_price_fen=Fen(1_000_000 * YUAN)) as place:
        await make_claim(place.database, place.court, place.place.case, "applicant", principal_fen=9_000_000 * YUAN)
        terms = terms_of(900_000, 100_000)
        first, resale, _ = await defaulted(place, 1_000_000 * YUAN, **terms)
        await place.cost(4_000 * YUAN, lot_id=first)
        await resold(place, first, resale, 1_080_000 * YUAN, **terms)
        use = await use_of(place)
        assert (use.shortfall_fen, use.to_costs_fen, use.to_case_debt_fen) == (0, 4_000 * YUAN, 96_000 * YUAN)
        assert (use.pending_decision_fen, use.uncovered_fen) == (0, 0)


async def test_w_18_who_defaults_after_a_sell_off_loses_the_deposit_alone(database_url: str) -> None:
    """Prepaid 560,000.00, won at 600,000.00: owes 40,000.00; keep 56,000.00, return 504,000.00."""
    async with hall(database_url, reference_price_fen=Fen(800_000 * YUAN)) as place:
        lot_id = await place.lot(**terms_of(560_000, 56_000))
        buyer, loser = await place.sold_off(lot_id, 600_000 * YUAN, outbid_fen=560_000 * YUAN)
        (given_back,) = (await place.deposit(loser, lot_id)).refunds
        assert given_back.amount_fen == 560_000 * YUAN, "whoever is outbid gets the whole prepayment back"
        assert (await completion.show_sale(place.database, buyer.actor, lot_id)).missing_fen == 40_000 * YUAN
        place.pass_days(12)
        assert (await place.default(lot_id)).forfeited_fen == 56_000 * YUAN
        (refund,) = (await place.deposit(buyer, lot_id)).refunds
        assert refund.amount_fen == 504_000 * YUAN


async def test_w_20a_a_higher_resale_leaves_the_deposit_pending(database_url: str) -> None:
    async with hall(database_url, reference_price_fen=Fen(50_000_000 * YUAN)) as place:
        await make_claim(place.database, place.court, place.place.case, "applicant", principal_fen=32_572_025 * YUAN)
        terms = terms_of(35_000_000, 2_000_000, 100_000)
        first, resale, _ = await defaulted(place, 40_200_000 * YUAN, **terms)
        await place.publish_resale(first, resale, **terms)
        await place.cost(10_178_266_23, "sale_taxes", resale)
        await place.cost(30_000_00, "sale_cost", resale)
        await place.pay_balance(await place.sold(resale, 45_000_000 * YUAN, "后买受人"), resale)
        await place.rule_and_serve(resale)

        decision = await place.decide(Subject.ENFORCEMENT_FEE)
        wanted = SetFee(set_fen=Fen(99_972_00), reason="按元收取", decision_id=decision)
        fee = await fee_setting.set_fee(place.database, call(place.court.judge), place.case_id, wanted)
        assert (fee.base_fen, fee.computed_fen, fee.set_fen) == (32_572_025_00, 99_972_03, 99_972_00)

        async def settle(tx: Tx) -> None:
            await defaults.settle_default_use(tx, place.case_id)

        await within(place.database, settle)
        use = await use_of(place)
        assert (use.shortfall_fen, use.to_costs_fen, use.to_shortfall_fen, use.to_case_debt_fen) == (0, 0, 0, 0)
        assert (use.pending_decision_fen, use.uncovered_fen) == (2_000_000_00, 0)
        assert await money_inside(place.database) == {"case": 45_000_000_00, "pending": 2_000_000_00}
        costs = await case_money.show_costs(place.database, place.court.clerk, place.case_id)
        left = 45_000_000_00 - costs.total_fen - 32_572_025_00
        assert left == 2_119_736_77
        assert await faults(place) == []
