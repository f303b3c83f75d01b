"""A sale from the hammer to the handover on the real road: balance, ruling, service, proceeds; who may see what."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text

from appraisal.assets import service as assets
from appraisal.cases.rules import Subject
from kernel.actors import Role, platform
from kernel.errors import NotFound, Refusal
from settlement import verify
from settlement.completion import case_money, rules
from settlement.completion import service as completion
from settlement.completion.errors import (
    ApprovalMissing,
    AssetOnHold,
    PurchaseProofGap,
    PurchaseUnproved,
    SaleNotThere,
    WrongDay,
)
from settlement.completion.rules import balance_due_at
from settlement.completion.sale_schemas import HandOver, RuleSale, ServeRuling
from settlement.ledger import service as ledger
from tests.appraisal.support import today
from tests.auction.support import hold
from tests.settlement.hall import Hall, hall
from tests.settlement.support import money_inside
from tests.support.house import actor, call

pytestmark = pytest.mark.anyio

PRICE, DUE = 80_000_00, 7_000_00


async def _faults(place: Hall) -> list[str]:
    async with place.database.reading(platform("verify")) as tx:
        return await verify.faults(tx)


def test_the_balance_is_due_until_the_end_of_the_day_in_beijing() -> None:
    ended_at = datetime(2025, 4, 10, 17, 30, tzinfo=UTC)  # 2025-04-11, 01:30 in Beijing
    assert balance_due_at(ended_at, 10) == datetime(2025, 4, 21, 16, 0, tzinfo=UTC)  # 2025-04-21, 24:00


def test_ruling_and_handover_are_due_on_working_days() -> None:
    assert rules.ruling_due_on(datetime(2025, 4, 1, 4, tzinfo=UTC)) == date(2025, 4, 11)
    assert rules.ruling_due_on(datetime(2025, 4, 2, 4, tzinfo=UTC)) == date(2025, 4, 14)  # 12 April is a Saturday
    assert rules.handover_due_on(date(2025, 4, 18)) == date(2025, 5, 6)  # 3 May is in the Labour Day holiday


async def test_from_the_hammer_to_the_handover(database_url: str) -> None:
    async with hall(database_url) as place:
        lot_id = await place.lot()
        buyer = await place.sold(lot_id, PRICE, "赵买受")
        sale = await completion.show_sale(place.database, buyer.actor, lot_id)
        assert (sale.state, sale.price_fen, sale.deposit_fen) == ("awaiting_balance", PRICE, DUE)
        assert (sale.received_fen, sale.missing_fen, sale.overdue) == (DUE, PRICE - DUE, False)

        await place.pay(buyer, sale.account_no, PRICE - DUE - 1)
        sale = await completion.show_sale(place.database, buyer.actor, lot_id)
        assert (sale.state, sale.missing_fen) == ("awaiting_balance", 1)
        await place.pay(buyer, sale.account_no, 11)
        sale = await completion.show_sale(place.database, place.court.clerk, lot_id)
        assert (sale.state, sale.missing_fen, sale.received_fen) == ("paid", 0, PRICE)
        assert await money_inside(place.database) == {"lot": PRICE}, "10 fen too much went back"
        assert await _faults(place) == []

        await place.rule_and_serve(lot_id)
        sale = await completion.show_sale(place.database, buyer.actor, lot_id)
        assert (sale.state, sale.served_on) == ("served", today(place.database).isoformat())
        assert await money_inside(place.database) == {"case": PRICE}
        asset = await assets.show_asset(place.database, place.court.clerk, place.place.asset_id)
        assert all(seizure.ended_on for seizure in asset.seizures)

        over = HandOver(on=today(place.database), note="钥匙两把，已交付")
        sale = await completion.hand_over(place.database, call(place.court.clerk), lot_id, over)
        assert sale.state == "handed_over"
        assert await _faults(place) == []


async def test_every_step_waits_for_the_one_before(database_url: str) -> None:
    async with hall(database_url) as place:
        lot_id = await place.lot()
        buyer = await place.sold(lot_id, PRICE)
        database, judge, clerk = place.database, place.court.judge, place.court.clerk
        ruling = RuleSale(decision_id=await place.decide(Subject.SALE_RULING))
        day = today(database)
        served = ServeRuling(served_on=day, method="mail", proof="EMS")  # type: ignore[arg-type]
        with pytest.raises(SaleNotThere):
            await completion.rule_sale(database, call(judge), lot_id, ruling)
        await place.pay_balance(buyer, lot_id)
        with pytest.raises(SaleNotThere):
            await completion.serve_ruling(database, call(clerk), lot_id, served)
        await completion.rule_sale(database, call(judge), lot_id, ruling)
        with pytest.raises(SaleNotThere):
            await completion.rule_sale(database, call(judge), lot_id, ruling)
        for wrong in (day - timedelta(days=1), day + timedelta(days=1)):
            with pytest.raises(WrongDay):
                await completion.serve_ruling(
                    database,
                    call(clerk),
                    lot_id,
                    ServeRuling(served_on=wrong, method="mail", proof="EMS"),  # type: ignore[arg-type]
                )
        with pytest.raises(SaleNotThere):
            await completion.hand_over(database, call(clerk), lot_id, HandOver(on=day, note="x"))
        await completion.serve_ruling(database, call(clerk), lot_id, served)
        with pytest.raises(SaleNotThere):
            await completion.serve_ruling(database, call(clerk), lot_id, served)


async def test_a_ruling_rests_on_a_sale_ruling_of_this_case(database_url: str) -> None:
    async with hall(database_url) as place:
        lot_id = await place.lot()
        await place.pay_balance(await place.sold(lot_id, PRICE), lot_id)
        other = RuleSale(decision_id=await place.decide(Subject.SUSPENSION))
        with pytest.raises(Refusal, match="decision"):
            await completion.rule_sale(place.database, call(place.court.judge), lot_id, other)


async def test_a_hold_on_the_asset_stops_ruling_and_service(database_url: str) -> None:
    """R-CASE-09: asked again before confirmation."""
    async with hall(database_url) as place:
        lot_id = await place.lot()
        await place.pay_balance(await place.sold(lot_id, PRICE), lot_id)
        await hold(place.place)
        ruling = RuleSale(decision_id=await place.decide(Subject.SALE_RULING))
        with pytest.raises(AssetOnHold):
            await completion.rule_sale(place.database, call(place.court.judge), lot_id, ruling)


async def test_a_limited_home_needs_proof_that_covers_every_day(database_url: str) -> None:
    """R-HOME-02: proved, by a paper, from the application to the ruling."""
    async with hall(database_url, details={"purchase_limit": "本市限购"}) as place:
        lot_id = await place.lot()
        buyer = await place.admitted(lot_id)
        applied = today(place.database)
        await place.sell(lot_id, (buyer, PRICE))
        await place.relay.settle()
        await place.pay_balance(buyer, lot_id)
        ruled = today(place.database)
        assert applied < ruled

        async def attempt(**facts: str) -> str:
            ruling = RuleSale(decision_id=await place.decide(Subject.SALE_RULING, dict(facts)))
            return (await completion.rule_sale(place.database, call(place.court.judge), lot_id, ruling)).state

        proof = {"purchase_eligibility": "proved", "eligibility_document": "购房资格核验单"}
        for facts in ({}, {"purchase_eligibility": "proved"}, {**proof, "purchase_eligibility": "claimed"}):
            with pytest.raises(PurchaseUnproved):
                await attempt(**facts)
        late, early = (applied + timedelta(days=1)).isoformat(), (ruled - timedelta(days=1)).isoformat()
        for start, end in ((late, ruled.isoformat()), (applied.isoformat(), early), ("", ruled.isoformat())):
            with pytest.raises(PurchaseProofGap):
                await attempt(**proof, eligible_from=start, eligible_until=end)
        assert await attempt(**proof, eligible_from=applied.isoformat(), eligible_until=ruled.isoformat()) == "ruled"


async def test_equity_waits_for_the_approval_of_its_transfer(database_url: str) -> None:
    """R-CLOSE-14: no ruling before it."""
    async with hall(database_url, details={"transfer_approval": "须经金融监管部门批准"}) as place:
        lot_id = await place.lot()
        await place.pay_balance(await place.sold(lot_id, PRICE), lot_id)
        granted = {"transfer_approval": "granted", "approval_document": "金复〔2025〕1号"}
        for facts in ({}, {"transfer_approval": "granted"}, {**granted, "transfer_approval": "asked"}):
            ruling = RuleSale(decision_id=await place.decide(Subject.SALE_RULING, dict(facts)))
            with pytest.raises(ApprovalMissing):
                await completion.rule_sale(place.database, call(place.court.judge), lot_id, ruling)
        ruling = RuleSale(decision_id=await place.decide(Subject.SALE_RULING, dict(granted)))
        sale = await completion.rule_sale(place.database, call(place.court.judge), lot_id, ruling)
        assert sale.state == "ruled"


async def test_the_confirmation_is_public_with_the_real_name_and_nothing_else(database_url: str) -> None:
    """R-CLOSE-01; the reveal leaves its access row."""
    async with hall(database_url) as place:
        lot_id = await place.lot()
        with pytest.raises(NotFound):
            await completion.show_confirmation(place.database, actor(), lot_id)
        buyer = await place.sold(lot_id, PRICE, "赵买受")
        shown = await completion.show_confirmation(place.database, actor(), lot_id)
        assert (shown.buyer_name, shown.price_fen, shown.state) == ("赵买受", PRICE, "awaiting_balance")
        assert "80,000.00" in shown.text
        assert buyer.actor.person.hex not in str(shown)
        assert buyer.account not in str(shown)
        async with place.database.reading(platform("test")) as tx:
            reveals = await tx.session.execute(
                text("SELECT count(*) FROM kernel.audit_entry WHERE action = 'registration.reveal'")
            )
            assert reveals.scalar_one() == 1


async def test_a_sale_is_for_its_buyer_and_its_court_alone(database_url: str) -> None:
    async with hall(database_url) as place:
        lot_id = await place.lot()
        buyer = await place.sold(lot_id, PRICE)
        assert (await completion.show_sale(place.database, buyer.actor, lot_id)).lot_id == lot_id
        for stranger in (
            actor(Role.BIDDER),
            actor(Role.CLERK, court=actor().person),
            actor(Role.BIDDER, court=place.court.id),
        ):
            with pytest.raises(NotFound):
                await completion.show_sale(place.database, stranger, lot_id)


async def test_a_sell_off_at_the_prepaid_price_needs_no_balance(database_url: str) -> None:
    """R-SELL-04."""
    async with hall(database_url) as place:
        lot_id = await place.lot()
        buyer, _ = await place.sold_off(lot_id, 70_000_00)
        sale = await completion.show_sale(place.database, buyer.actor, lot_id)
        assert (sale.state, sale.deposit_fen, sale.missing_fen) == ("paid", 70_000_00, 0)
        assert await _faults(place) == []


TOUCHES = {
    "price": "UPDATE settlement.sale SET price_fen = price_fen - 100, state = 'served', served_on = '2025-05-01',"
    " ruling_decision_id = lot_id",
    "paid without money": "UPDATE settlement.sale SET price_fen = price_fen + 1",
    "deposit": "UPDATE settlement.sale SET deposit_fen = deposit_fen + 1",
}


@pytest.mark.parametrize("touch", TOUCHES)
async def test_a_sale_changed_by_hand_is_found(database_url: str, touch: str) -> None:
    async with hall(database_url) as place:
        lot_id = await place.lot()
        await place.pay_balance(await place.sold(lot_id, PRICE), lot_id)
        assert await _faults(place) == []
        async with place.database.transaction(platform("intruder")) as tx:
            await tx.session.execute(text(TOUCHES[touch]))
        assert await _faults(place) != []


async def test_the_statement_of_the_case_account_names_the_ruling(database_url: str) -> None:
    async with hall(database_url) as place:
        lot_id = await place.lot()
        await place.pay_balance(await place.sold(lot_id, PRICE), lot_id)
        await place.rule_and_serve(lot_id)
        async with place.database.reading(platform("test")) as tx:
            account = await case_money.find_case_account(tx, place.case_id)
            assert account is not None
            (line,) = await ledger.statement(tx, account.id)
            assert (line.reason, line.other, line.gain_fen) == ("completion.proceeds", "lot", PRICE)
            assert line.document.startswith("ruling:")
            (proceeds,) = await case_money.distributable(tx, place.case_id)
            assert (proceeds.pool, proceeds.amount_fen) == (str(place.place.asset_id), PRICE)
