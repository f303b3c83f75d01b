"""Annulled sales on the real road: every fen back to who paid it, by new entries; and what may not be undone here."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from appraisal.assets import service as assets
from appraisal.assets.errors import AssetDisposed
from appraisal.assets.rules import Standing
from appraisal.cases.rules import Subject
from auction.lots import service as lots
from auction.lots.errors import AssetSold, NotSold
from kernel.actors import platform
from kernel.errors import Forbidden, NotFound, Refusal
from settlement.annulment import service
from settlement.annulment.errors import GroundPassed, ProceedsDistributed
from settlement.annulment.rules import Ground
from settlement.annulment.schemas import AnnulSale
from settlement.completion import case_money, defaults, reversal
from settlement.completion import service as completion
from settlement.completion.errors import DepositUsed, SaleNotThere
from settlement.completion.sale_schemas import RuleSale
from settlement.distribution.errors import PlanStale
from settlement.ledger.rules import Kind
from settlement.ledger.service import statement
from tests.appraisal.support import make_claim, make_court
from tests.auction.support import make_draft
from tests.settlement.completion.defaulting import faults
from tests.settlement.distribution.road import Road, road_of
from tests.settlement.gate import unlocked_asset
from tests.settlement.hall import YUAN, Hall, hall
from tests.settlement.support import money_inside
from tests.support.house import call

pytestmark = pytest.mark.anyio

PRICE = 80_000_00


async def status_of(place: Hall, lot_id: UUID) -> str:
    async with place.database.reading(place.court.judge) as tx:
        return (await lots.get_lot(tx, lot_id)).status


async def refunded(place: Hall, lot_id: UUID) -> int:
    """What was ordered back to the buyer, deposit and balance together."""
    async with place.database.reading(platform("test")) as tx:
        sale = await completion.store.get_sale(tx, lot_id)
        deposit = await reversal.deposits.account_of(tx, sale.registration_id)
        found = 0
        for account_id in (sale.account_id, deposit.id):
            found -= sum(line.gain_fen for line in await statement(tx, account_id) if line.other == Kind.PAYEE)
        return found


@pytest.mark.parametrize("paid_fen", [0, 20_000_00])
async def test_before_the_price_is_paid_deposit_and_part_payments_go_back(database_url: str, paid_fen: int) -> None:
    async with hall(database_url) as place:
        lot_id = await place.lot()
        buyer = await place.sold(lot_id, PRICE)
        sale = await completion.show_sale(place.database, buyer.actor, lot_id)
        if paid_fen:
            await place.pay(buyer, sale.account_no, paid_fen)
        view = await place.annul(lot_id)
        assert await money_inside(place.database) == {}
        assert await refunded(place, lot_id) == 7_000_00 + paid_fen
        shown = await completion.show_sale(place.database, buyer.actor, lot_id)
        assert (shown.state, shown.annulment_ground, shown.missing_fen) == ("annulled", "false_description", 0)
        assert (shown.resale_lot_id, view.buyer_barred) == (view.resale_lot_id, False)
        assert (await place.deposit(buyer, lot_id)).state == "released"
        assert (await status_of(place, lot_id), await status_of(place, view.resale_lot_id)) == ("annulled", "draft")
        await place.pay(buyer, sale.account_no, 1_000_00)
        assert await money_inside(place.database) == {}, "what comes later goes back too"
        assert await faults(place) == []


async def test_after_service_the_price_leaves_the_case_account_by_an_entry_of_its_own(database_url: str) -> None:
    async with hall(database_url) as place:
        await make_claim(place.database, place.court, place.place.case, "applicant", principal_fen=100_000 * YUAN)
        lot_id = await place.lot()
        buyer = await place.sold(lot_id, PRICE)
        await place.pay_balance(buyer, lot_id)
        await place.rule_and_serve(lot_id)
        road = road_of(place.place)
        await road.set_fee()
        plan = await road.serve_all(await road.decide(await road.draft()))
        view = await place.annul(lot_id, Ground.COLLUSION)
        assert view.buyer_barred
        assert await money_inside(place.database) == {}
        assert await refunded(place, lot_id) == PRICE
        async with place.database.reading(platform("test")) as tx:
            account = await case_money.find_case_account(tx, place.case_id)
            assert account is not None
            moved = [(line.reason, line.gain_fen) for line in await statement(tx, account.id)]
            assert moved == [("completion.proceeds", PRICE), ("completion.proceeds-reversed", -PRICE)]
            assert await case_money.distributable(tx, place.case_id) == []
            assert await case_money.rulings_served(tx, place.case_id) == []
        road.pass_days(20)
        with pytest.raises(PlanStale):
            await road.confirm(plan)
        await place.publish_resale(lot_id, view.resale_lot_id)
        with pytest.raises(Refusal) as barred:
            await place.register(buyer, view.resale_lot_id)
        assert barred.value.code == "barred"
        again = await place.sold(view.resale_lot_id, 75_000_00, "次买受人")
        await place.pay_balance(again, view.resale_lot_id)
        await place.rule_and_serve(view.resale_lot_id)
        assert await money_inside(place.database) == {"case": 75_000_00}
        assert await faults(place) == []


async def test_seizures_that_the_sale_ended_live_again_and_the_next_sale_ends_them_too(database_url: str) -> None:
    """R-HALT-04, R-SEAL-04: the court's seizures stand as before the sale, in their order, and the trail says so."""
    async with hall(database_url) as place:
        asset_id = place.place.asset_id
        await place.seize_for_two()

        async def standings() -> list[tuple[int, Standing]]:
            shown = await assets.show_asset(place.database, place.court.clerk, asset_id)
            return [(each.rank, each.standing) for each in shown.seizures]

        before, ended = (
            [(1, Standing.EFFECTIVE), (2, Standing.WAITING)],
            [(1, Standing.ENDED), (2, Standing.ENDED)],
        )
        lot_id = await place.lot()
        await place.pay_balance(await place.sold(lot_id, PRICE), lot_id)
        with pytest.raises(AssetSold) as sold:
            await make_draft(place.place)
        assert (sold.value.code, sold.value.rule) == ("asset-sold", "R-SEAL-04")
        await place.rule_and_serve(lot_id)
        assert await standings() == ended
        with pytest.raises(AssetDisposed):
            await make_draft(place.place)
        view = await place.annul(lot_id)
        assert await standings() == before
        trail = await place.trail("assets.revive-seizures")
        assert [len(each["seizures"]) for each in trail] == [2]
        await place.publish_resale(lot_id, view.resale_lot_id)
        again = await place.sold(view.resale_lot_id, 75_000_00, "次买受人")
        await place.pay_balance(again, view.resale_lot_id)
        await place.rule_and_serve(view.resale_lot_id)
        assert await standings() == ended
        assert await faults(place) == []


async def test_what_a_confirmed_plan_gave_away_is_not_taken_from_the_creditors_here(database_url: str) -> None:
    async with hall(database_url) as place:
        await make_claim(place.database, place.court, place.place.case, "applicant", principal_fen=100_000 * YUAN)
        lot_id = await place.lot()
        await place.pay_balance(await place.sold(lot_id, PRICE), lot_id)
        await place.rule_and_serve(lot_id)
        road = road_of(place.place)
        await road.set_fee()
        await road.confirmed()
        with pytest.raises(ProceedsDistributed) as refused:
            await place.annul(lot_id)
        assert refused.value.facts["version"] == 1
        assert await status_of(place, lot_id) == "sold"
        assert await money_inside(place.database) == {"case": PRICE}
        assert await faults(place) == []


async def test_a_refused_approval_ends_the_sale(database_url: str) -> None:
    """R-CLOSE-14: resale, the buyer barred."""
    async with hall(database_url, details={"transfer_approval": "须经批准"}) as place:
        lot_id = await place.lot()
        await place.pay_balance(await place.sold(lot_id, PRICE), lot_id)
        assert (await place.annul(lot_id, Ground.APPROVAL_REFUSED)).buyer_barred
        assert await faults(place) == []


async def test_after_the_ruling_a_refused_approval_is_no_ground(database_url: str) -> None:
    async with hall(database_url, details={"transfer_approval": "须经批准"}) as place:
        lot_id = await place.lot()
        await place.pay_balance(await place.sold(lot_id, PRICE), lot_id)
        facts: dict[str, str | int] = {"transfer_approval": "granted", "approval_document": "批复1号"}
        ruling = RuleSale(decision_id=await place.decide(Subject.SALE_RULING, facts))
        await completion.rule_sale(place.database, call(place.court.judge), lot_id, ruling)
        with pytest.raises(GroundPassed):
            await place.annul(lot_id, Ground.APPROVAL_REFUSED)


async def test_only_a_judge_of_the_court_annuls_once_and_by_a_ruling_of_this_kind(database_url: str) -> None:
    async with hall(database_url) as place:
        lot_id = await place.lot()
        await place.sold(lot_id, PRICE)
        wanted = AnnulSale(
            ground=Ground.UNEQUAL_TERMS, reasons="排除竞买人", decision_id=await place.decide(Subject.ANNULMENT)
        )
        with pytest.raises(Forbidden):
            await service.annul_sale(place.database, call(place.court.clerk), lot_id, wanted)
        stranger = await make_court(place.database)
        with pytest.raises(NotFound):
            await service.annul_sale(place.database, call(stranger.judge), lot_id, wanted)
        other = AnnulSale(
            ground=Ground.UNEQUAL_TERMS, reasons="排除竞买人", decision_id=await place.decide(Subject.DEFAULT)
        )
        with pytest.raises(Refusal, match="decision"):
            await service.annul_sale(place.database, call(place.court.judge), lot_id, other)
        await place.annul(lot_id)
        with pytest.raises(SaleNotThere):
            await place.annul(lot_id)
        assert await faults(place) == []


async def test_after_a_default_its_resale_stands_once_the_deposit_was_used_by_it(database_url: str) -> None:
    async with hall(database_url) as place:
        await make_claim(place.database, place.court, place.place.case, "applicant", principal_fen=900_000 * YUAN)
        first = await place.lot()
        await place.sold(first, PRICE)
        place.pass_days(11)
        resale = (await place.default(first)).resale_lot_id
        with pytest.raises(NotSold):
            await place.annul(first)
        await place.publish_resale(first, resale)
        await place.pay_balance(await place.sold(resale, 75_000_00, "次买受人"), resale)
        view = await place.annul(resale)
        assert await money_inside(place.database) == {"pending": 7_000_00}, "the first deposit is still to be used"
        await place.publish_resale(resale, view.resale_lot_id)
        await place.pay_balance(await place.sold(view.resale_lot_id, 76_000_00, "三买受人"), view.resale_lot_id)
        await place.rule_and_serve(view.resale_lot_id)
        (use,) = (await defaults.show_default_uses(place.database, place.court.clerk, place.case_id)).defaults
        assert (use.resale_price_fen, use.shortfall_fen) == (76_000_00, 4_000_00)
        with pytest.raises(DepositUsed):
            await place.annul(view.resale_lot_id)
        assert await faults(place) == []


async def ready_to_confirm(place: Hall) -> tuple[Road, Any, UUID, AnnulSale]:
    """A served plan over the price whose clocks ran out, and the ruling that annuls the sale."""
    await make_claim(place.database, place.court, place.place.case, "applicant", principal_fen=100_000 * YUAN)
    lot_id = await place.lot()
    await place.pay_balance(await place.sold(lot_id, PRICE), lot_id)
    await place.rule_and_serve(lot_id)
    road = road_of(place.place)
    await road.set_fee()
    plan = await road.serve_all(await road.decide(await road.draft()))
    road.pass_days(20)
    wanted = AnnulSale(ground=Ground.COLLUSION, reasons="串通", decision_id=await place.decide(Subject.ANNULMENT))
    return road, plan, lot_id, wanted


async def test_annulment_against_confirmation_one_wins(database_url: str) -> None:
    async with hall(database_url) as place:
        road, plan, lot_id, wanted = await ready_to_confirm(place)
        outcomes = await asyncio.gather(
            road.confirm(plan),
            service.annul_sale(place.database, call(place.court.judge), lot_id, wanted),
            return_exceptions=True,
        )
        assert sum(isinstance(each, Refusal) for each in outcomes) == 1, outcomes
        await place.relay.settle()
        kept = {"case": PRICE} if isinstance(outcomes[1], Refusal) else {}
        assert await money_inside(place.database) == kept
        assert await faults(place) == []


async def test_control_unlocked_the_plan_is_confirmed_over_money_that_goes_back(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the locks of asset and case account the annulment sees no plan while one is being confirmed."""
    both = asyncio.Barrier(2)

    async def unlocked(tx: Any, ids: Any) -> Any:
        return {each: await reversal.ledger.get_account(tx, each) for each in ids}

    async def asked(tx: Any, sale: Any) -> Any:
        found = await read(tx, sale)
        await tx.session.execute(text("SET LOCAL idle_in_transaction_session_timeout = '30s'"))
        await asyncio.wait_for(both.wait(), 30)
        await asyncio.wait_for(both.wait(), 30)
        return found

    async with hall(database_url) as place:
        road, plan, lot_id, wanted = await ready_to_confirm(place)
        read = service._distributed_by
        with monkeypatch.context() as patched:
            patched.setattr(service, "_distributed_by", asked)
            patched.setattr(reversal.ledger, "lock", unlocked)
            patched.setattr(assets.store, "lock_asset", unlocked_asset)
            doing = asyncio.create_task(service.annul_sale(place.database, call(place.court.judge), lot_id, wanted))
            await asyncio.wait_for(both.wait(), 30)
            await road.confirm(plan)
            await asyncio.wait_for(both.wait(), 30)
            await doing
        await place.relay.settle()
        assert await money_inside(place.database) == {}, "a confirmed plan gives away what is no longer there"


def test_every_ground_of_the_law_is_named() -> None:
    assert {str(ground) for ground in Ground} == {
        "false_description",
        "system_failure",
        "collusion",
        "unqualified_buyer",
        "unequal_terms",
        "grave_breach",
        "approval_refused",
    }
