"""Defaults on the real road: bars, races, chains of defaults, and what is never charged."""

import asyncio
from datetime import datetime, timedelta

import pytest

from appraisal.cases.rules import Subject
from auction.announcements.errors import PublishedTooLate
from auction.lots.errors import StartPriceTooLow
from kernel.actors import platform
from kernel.database import Tx
from kernel.errors import Forbidden, NotFound, Refusal
from kernel.money import Fen
from settlement.bank import service as bank
from settlement.completion import case_money, defaults
from settlement.completion import service as completion
from settlement.completion.errors import (
    BalanceNotOverdue,
    LotOfAnotherCase,
    SaleNotThere,
)
from settlement.completion.sale_schemas import AddCost, DeclareDefault, PayeeIn, SetFee
from settlement.deposits import service as deposits
from settlement.deposits.errors import HoldEnded
from settlement.distribution import fee_setting
from settlement.ledger.rules import Kind
from tests.appraisal.support import make_claim, make_court
from tests.auction.support import decide
from tests.settlement.completion.defaulting import (
    defaulted,
    faults,
    ordered,
    proceeds_of,
    resold,
    terms_of,
    use_of,
)
from tests.settlement.hall import YUAN, Hall, hall
from tests.settlement.support import MACHINE, credit, money_inside, notice, within
from tests.support.house import call, frozen

pytestmark = pytest.mark.anyio


async def test_changle_the_deposit_covers_part_of_the_shortfall(database_url: str) -> None:
    """Sold 1,552,000, deposit 100,000, re-sold 1,204,000: 248,000 uncovered, shown and not charged."""
    async with hall(database_url, reference_price_fen=Fen(1_200_000 * YUAN)) as place:
        await make_claim(place.database, place.court, place.place.case, "applicant", principal_fen=3_000_000 * YUAN)
        terms = terms_of(900_000, 100_000)
        first, resale, buyer = await defaulted(place, 1_552_000 * YUAN, **terms)
        assert await money_inside(place.database) == {"pending": 100_000 * YUAN}
        use = await use_of(place)
        assert (use.settled, use.pending_decision_fen, use.uncovered_fen) == (False, 100_000 * YUAN, None)
        assert (await place.deposit(buyer, first)).state == "forfeited"

        await resold(place, first, resale, 1_204_000 * YUAN, **terms)
        use = await use_of(place)
        assert (use.shortfall_fen, use.to_shortfall_fen) == (348_000 * YUAN, 100_000 * YUAN)
        assert (use.pending_decision_fen, use.uncovered_fen) == (0, 248_000 * YUAN)
        assert await money_inside(place.database) == {"case": 1_304_000 * YUAN}
        assert await proceeds_of(place) == 1_304_000 * YUAN
        assert await faults(place) == []


async def test_a_resale_that_defaults_too_is_measured_step_by_step(database_url: str) -> None:
    """100 -> 90 -> 80: each buyer answers for the fall after their own sale, once the last one is paid."""
    async with hall(database_url, reference_price_fen=Fen(1_000_000 * YUAN)) as place:
        await make_claim(place.database, place.court, place.place.case, "applicant", principal_fen=9_000_000 * YUAN)
        terms = terms_of(700_000, 70_000)
        first, second, _ = await defaulted(place, 1_000_000 * YUAN, **terms)
        await place.publish_resale(first, second, **terms)
        await place.sold(second, 900_000 * YUAN, "次买受人")
        place.pass_days(11)
        third = (await place.default(second)).resale_lot_id
        assert await money_inside(place.database) == {"pending": 140_000 * YUAN}
        await resold(place, second, third, 800_000 * YUAN, **terms)
        uses = (await defaults.show_default_uses(place.database, place.court.clerk, place.case_id)).defaults
        assert [(use.shortfall_fen, use.to_shortfall_fen, use.uncovered_fen) for use in uses] == [
            (100_000 * YUAN, 70_000 * YUAN, 30_000 * YUAN)
        ] * 2
        assert await proceeds_of(place) == 940_000 * YUAN
        assert await faults(place) == []


async def test_a_sell_off_default_costs_the_announced_deposit_and_no_more(database_url: str) -> None:
    """R-SELL-06 (W-18): prepaid 70,000.00, deposit 7,000.00, sold at 80,000.00 and not paid."""
    async with hall(database_url) as place:
        lot_id = await place.lot()
        buyer, _ = await place.sold_off(lot_id, 80_000_00)
        assert await money_inside(place.database) == {"lot": 70_000_00}
        place.pass_days(12)
        assert (await place.default(lot_id)).forfeited_fen == 7_000_00
        assert await money_inside(place.database) == {"pending": 7_000_00}
        own = await place.deposit(buyer, lot_id)
        assert own.state == "forfeited"
        assert [(refund.amount_fen, refund.state) for refund in own.refunds] == [(63_000_00, "executed")]
        assert await faults(place) == []


async def test_nobody_defaults_before_the_last_day_has_passed(database_url: str) -> None:
    async with hall(database_url) as place:
        lot_id = await place.lot()
        await place.sold(lot_id, 80_000_00)
        wanted = DeclareDefault(decision_id=await place.decide(Subject.DEFAULT))
        async with place.database.reading(platform("test")) as tx:
            due_at = (await completion.store.get_sale(tx, lot_id)).balance_due_at
        frozen(place.database).set(due_at - timedelta(milliseconds=1))
        with pytest.raises(BalanceNotOverdue):
            await defaults.declare_default(place.database, call(place.court.judge), lot_id, wanted)
        frozen(place.database).set(due_at)
        declared = await defaults.declare_default(place.database, call(place.court.judge), lot_id, wanted)
        assert declared.forfeited_fen == 7_000_00
        with pytest.raises(SaleNotThere):
            await defaults.declare_default(place.database, call(place.court.judge), lot_id, wanted)


async def test_what_was_paid_beyond_the_deposit_goes_back_also_when_it_comes_later(database_url: str) -> None:
    async with hall(database_url) as place:
        lot_id = await place.lot()
        buyer = await place.sold(lot_id, 80_000_00)
        sale = await completion.show_sale(place.database, buyer.actor, lot_id)
        await place.pay(buyer, sale.account_no, 20_000_00)
        place.pass_days(11)
        await place.default(lot_id)
        assert await money_inside(place.database) == {"pending": 7_000_00}
        await place.pay(buyer, sale.account_no, 53_000_00)
        assert await money_inside(place.database) == {"pending": 7_000_00}
        assert await faults(place) == []


async def test_the_buyer_who_defaulted_is_barred_from_the_resale(database_url: str) -> None:
    async with hall(database_url) as place:
        first, resale, buyer = await defaulted(place, 80_000_00)
        await place.publish_resale(first, resale)
        with pytest.raises(Refusal) as refused:
            await place.register(buyer, resale)
        assert refused.value.code == "barred"


async def test_a_late_balance_before_the_default_still_completes_the_sale(database_url: str) -> None:
    async with hall(database_url) as place:
        lot_id = await place.lot()
        buyer = await place.sold(lot_id, 80_000_00)
        place.pass_days(30)
        assert (await completion.show_sale(place.database, buyer.actor, lot_id)).overdue
        await place.pay_balance(buyer, lot_id)
        assert (await completion.show_sale(place.database, buyer.actor, lot_id)).state == "paid"
        wanted = DeclareDefault(decision_id=await place.decide(Subject.DEFAULT))
        with pytest.raises(SaleNotThere):
            await defaults.declare_default(place.database, call(place.court.judge), lot_id, wanted)


@pytest.mark.parametrize("attempt", range(3))
async def test_the_balance_against_the_default_one_wins(database_url: str, attempt: int) -> None:
    async with hall(database_url) as place:
        lot_id = await place.lot()
        buyer = await place.sold(lot_id, 80_000_00)
        place.pass_days(11)
        sale = await completion.show_sale(place.database, buyer.actor, lot_id)
        wanted = DeclareDefault(decision_id=await place.decide(Subject.DEFAULT))
        await credit(place.database, notice("balance", sale.account_no, sale.missing_fen))

        async def weigh(tx: Tx) -> None:
            await completion.weigh_price(tx, lot_id)

        await asyncio.gather(
            within(place.database, weigh),
            defaults.declare_default(place.database, call(place.court.judge), lot_id, wanted),
            return_exceptions=True,
        )
        await place.relay.settle()
        state = (await completion.show_sale(place.database, buyer.actor, lot_id)).state
        inside = await money_inside(place.database)
        assert (state, inside) in [("paid", {"lot": 80_000_00}), ("defaulted", {"pending": 7_000_00})]
        assert await faults(place) == []


async def test_control_without_the_sale_s_lock_the_price_hold_ends_once_all_the_same(database_url: str) -> None:
    """The second line behind the lock: applied by the payment, the deposit cannot be forfeited too."""
    async with hall(database_url) as place:
        lot_id = await place.lot()
        buyer = await place.sold(lot_id, 80_000_00)
        registration_id = buyer.registrations[lot_id]

        async def use_up(tx: Tx) -> None:
            await deposits.use_up(tx, registration_id, "test")

        async def forfeit(tx: Tx) -> Fen:
            sale = await completion.store.get_sale(tx, lot_id)
            pending = await completion.ledger.open_account(tx, Kind.PENDING, str(lot_id))
            return await deposits.forfeit(tx, registration_id, sale.account_id, pending.id, "test")

        outcomes = await asyncio.gather(
            within(place.database, use_up), within(place.database, forfeit), return_exceptions=True
        )
        assert sum(isinstance(outcome, HoldEnded) for outcome in outcomes) == 1


async def test_costs_belong_to_the_case_of_their_lot(database_url: str) -> None:
    async with hall(database_url) as place, hall(database_url) as other:
        lot_id = await other.lot()
        wanted = AddCost(
            kind="sale_cost",
            name="拍辅费",
            amount_fen=Fen(1),
            payee=PayeeIn(holder="辅助机构", number="1"),
            document="发票",
            lot_id=lot_id,
        )
        maker = place.court.staff(completion.Role.MAKER)
        with pytest.raises(LotOfAnotherCase):
            await case_money.add_cost(place.database, call(maker), place.case_id, wanted)


async def test_the_last_set_fee_counts_and_each_setting_stays(database_url: str) -> None:
    """W-09 stands in the pure rules; here computed and set stand side by side."""
    async with hall(database_url) as place:
        await make_claim(place.database, place.court, place.place.case, "applicant", principal_fen=10_001_00)
        for set_fen in (50_00, 51_00):
            wanted = SetFee(
                set_fen=Fen(set_fen), reason="酌定", decision_id=await place.decide(Subject.ENFORCEMENT_FEE)
            )
            fee = await fee_setting.set_fee(place.database, call(place.court.judge), place.case_id, wanted)
            assert (fee.computed_fen, fee.set_fen) == (50_02, set_fen)
        costs = await case_money.show_costs(place.database, place.court.clerk, place.case_id)
        assert [(cost.kind, cost.amount_fen) for cost in costs.costs] == [("enforcement_fee", 51_00)]


async def test_a_case_s_account_is_opened_for_the_documents_that_name_it(database_url: str) -> None:
    """R-ACCT-01, 02: one number per case and debtor, the same each time, and money on it is the case's."""
    async with hall(database_url) as place:
        opened = await case_money.open_account(place.database, call(place.court.clerk), place.case_id)
        assert await case_money.open_account(place.database, call(place.court.clerk), place.case_id) == opened
        await bank.book_credit(place.database, call(MACHINE), notice("first", opened.account_no, 300))
        assert await money_inside(place.database) == {"case": 300}
        for who, refusal in ((place.court.judge, Forbidden), ((await make_court(place.database)).clerk, NotFound)):
            with pytest.raises(refusal):
                await case_money.open_account(place.database, call(who), place.case_id)


async def test_money_paid_straight_to_the_case_is_distributable_by_itself(database_url: str) -> None:
    async with hall(database_url) as place:

        async def number(tx: Tx) -> str:
            return (await case_money.case_account(tx, place.case_id)).number or ""

        account_no = await within(place.database, number)
        await bank.book_credit(place.database, call(MACHINE), notice("straight", account_no, 300))
        async with place.database.reading(platform("test")) as tx:
            (proceeds,) = await case_money.distributable(tx, place.case_id)
            assert (proceeds.pool, proceeds.amount_fen) == ("case_money", 300)


async def test_nobody_is_ordered_to_pay_who_is_not_in_default(database_url: str) -> None:
    async with hall(database_url) as place:
        lot_id = await place.lot()
        await place.sold(lot_id, 80_000_00)
        with pytest.raises(SaleNotThere):
            await ordered(place, lot_id, 1)


async def test_an_applicant_who_paid_no_deposit_loses_none_and_may_be_ordered_to_make_good(database_url: str) -> None:
    """R-BID-05, R-CLOSE-08, 09: nothing is forfeited, all that the resale falls short is uncovered."""
    async with hall(database_url) as place:
        await make_claim(place.database, place.court, place.place.case, "applicant", principal_fen=900_000 * YUAN)
        first = await place.lot()
        applicant = await place.exempt(first)
        await place.sell(first, (applicant, 80_000_00))
        await place.relay.settle()
        place.pass_days(11)
        declared = await place.default(first)
        assert declared.forfeited_fen == 0
        assert await money_inside(place.database) == {}
        assert await faults(place) == []
        await resold(place, first, declared.resale_lot_id, 75_000_00)
        use = await use_of(place)
        assert (use.shortfall_fen, use.to_shortfall_fen, use.uncovered_fen) == (5_000_00, 0, 5_000_00)
        await ordered(place, first, 5_000_00)
        sale = await completion.show_sale(place.database, applicant.actor, first)
        await place.pay(applicant, sale.account_no, 5_000_00)
        assert await money_inside(place.database) == {"case": 80_000_00}
        assert (await use_of(place)).uncovered_fen == 0
        assert await faults(place) == []


def in_days(place: Hall, days: int) -> datetime:
    return place.database.clock.now() + timedelta(days=days)


async def test_the_panel_may_set_floor_and_announcement_of_a_resale(database_url: str) -> None:
    """No text names them: without a decision they are those of a first round (R-BID-01, R-PUB-01)."""
    async with hall(database_url) as place:
        first, resale, _ = await defaulted(place, 80_000_00)
        lower = terms_of(50_000, 5_000)
        with pytest.raises(StartPriceTooLow):
            await place.publish_resale(first, resale, **lower)
        lower = lower | {"opens_at": in_days(place, 12), "scheduled_end": in_days(place, 13)}
        facts: dict[str, str | int] = {"resale_percent": 50}
        decision_id = await decide(place.place, facts)
        with pytest.raises(PublishedTooLate) as refused:
            await place.publish_resale(first, resale, decision_id=decision_id, **lower)
        assert refused.value.facts["days"] == 15
        decision_id = await decide(place.place, facts | {"resale_announcement": "as_second_round"})
        lower = lower | {"opens_at": in_days(place, 12), "scheduled_end": in_days(place, 13)}
        await place.publish_resale(first, resale, decision_id=decision_id, **lower)
        await place.sold(resale, 50_000_00, "次买受人")
