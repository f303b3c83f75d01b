"""Taking in satisfaction on the real road: W-19 to the fen, the set-off in the plan, rank, time, money in and back."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.exc import DBAPIError

from appraisal.assets import service as assets
from appraisal.assets.errors import AssetDisposed, AssetTaken
from appraisal.cases.rules import PartyKind, PartyRole, Subject
from appraisal.cases.schemas import AccountIn, PartyIn
from appraisal.claims.rules import ClaimKind
from auction.lots import service as lots
from auction.lots.rules import Round
from auction.lots.schemas import LotSaved
from kernel.actors import platform
from kernel.database import Tx
from kernel.errors import NotFound, Refusal
from kernel.money import Fen
from settlement import verify
from settlement.completion.errors import PurchaseUnproved
from settlement.distribution import current, errors, handlers, taking
from settlement.distribution.taking_schemas import DecideTaking, ServeTaking, TakingView
from settlement.payouts import handlers as payout_handlers
from tests.appraisal.support import PARTIES, make_claim, make_court, party_of, today
from tests.auction.support import TENANT, hold, make_terms
from tests.settlement.distribution.road import road_of
from tests.settlement.gate import Gate, as_superuser, unlocked, unlocked_asset
from tests.settlement.hall import Hall, hall
from tests.settlement.support import money_inside, within
from tests.support.house import call

pytestmark = pytest.mark.anyio

YUAN = 100
PRICE = 700_000 * YUAN
BANK = PartyIn(
    ref="bank",
    role=PartyRole.CREDITOR,
    name="抵押银行",
    kind=PartyKind.ENTERPRISE,
    account=AccountIn(holder="抵押银行", number="62220099", bank="某银行"),
)


@dataclass
class Failed:
    """A round that nobody bid in, at 700,000.00; costs 20,000.00, mortgage of 300,000.00, then A, and B in W-19 b."""

    place: Hall
    lot_id: UUID

    def party(self, ref: str) -> UUID:
        return party_of(self.place.place.case, ref).id

    async def take(self, ref: str = "applicant", asked: tuple[str, ...] = (), **facts: str) -> TakingView:
        wanted = DecideTaking(
            party_id=self.party(ref),
            asked=tuple(self.party(each) for each in (asked or (ref,))),
            due_on=today(self.place.database) + timedelta(days=10),
            decision_id=await self.place.decide(Subject.SATISFACTION, dict(facts)),
        )
        return await taking.decide_taking(self.place.database, call(self.place.court.judge), self.lot_id, wanted)

    async def pay_in(self, taken: TakingView, amount_fen: int) -> TakingView:
        payer = await self.place.bidder("某银行股份有限公司")
        await self.place.pay(payer, taken.account_no, amount_fen)
        return await taking.show_taking(self.place.database, self.place.court.clerk, taken.id)

    async def serve(self, taken: TakingView) -> TakingView:
        wanted = ServeTaking(
            ruling_decision_id=await self.place.decide(Subject.SALE_RULING),
            served_on=today(self.place.database),
            method="direct",  # type: ignore[arg-type]
            proof="送达回证",
        )
        return await taking.serve_taking(self.place.database, call(self.place.court.clerk), taken.id, wanted)


async def failed_round(place: Hall, *, with_b: bool = False) -> Failed:
    for module in (handlers, payout_handlers):
        module.subscribe(place.relay)
    database, court, case = place.database, place.court, place.place.case
    asset = place.place.asset_id
    await make_claim(
        database, court, case, "bank", kind=ClaimKind.SECURED, asset_id=asset, principal_fen=300_000 * YUAN
    )
    await make_claim(database, court, case, "applicant", principal_fen=900_000 * YUAN)
    if with_b:
        await make_claim(database, court, case, "creditor", principal_fen=300_000 * YUAN)
    lot_id = await place.lot(start_price_fen=Fen(PRICE), deposit_fen=Fen(70_000 * YUAN))
    await place.sell(lot_id)
    await place.relay.settle()
    await place.cost(20_000 * YUAN, lot_id=lot_id)
    await road_of(place.place).set_fee()
    return Failed(place, lot_id)


def of_w19(url: str) -> Any:
    return hall(url, reference_price_fen=Fen(1_000_000 * YUAN), parties=(*PARTIES, TENANT, BANK))


async def second_round(failed: Failed) -> LotSaved:
    """The clerk drafts the next round at four fifths of the price."""
    place = failed.place.place
    terms = await make_terms(
        place,
        round=Round.ROUND_2,
        previous_lot_id=failed.lot_id,
        start_price_fen=Fen(560_000 * YUAN),
        deposit_fen=Fen(56_000 * YUAN),
    )
    return await lots.draft_lot(place.database, call(place.clerk), terms)


async def faults(place: Hall) -> list[str]:
    async with place.database.reading(platform("verify")) as tx:
        return await verify.faults(tx)


@pytest.mark.parametrize(
    ("with_b", "entitlement", "pay_in", "shared"),
    [(False, 380_000, 320_000, []), (True, 285_000, 415_000, [("party", "李某", 95_000 * YUAN)])],
)
async def test_w19_the_taker_pays_in_what_others_get_and_the_rest_is_set_off(
    database_url: str, with_b: bool, entitlement: int, pay_in: int, shared: list[tuple[str, str, int]]
) -> None:
    async with of_w19(database_url) as place:
        failed = await failed_round(place, with_b=with_b)
        taken = await failed.take()
        assert (taken.entitlement_fen, taken.pay_in_fen) == (entitlement * YUAN, pay_in * YUAN)
        assert (taken.state, taken.missing_fen) == ("awaiting", pay_in * YUAN)
        taken = await failed.pay_in(taken, pay_in * YUAN - 1)
        assert (taken.state, taken.missing_fen) == ("awaiting", 1)
        with pytest.raises(errors.TakingNotThere):
            await failed.serve(taken)
        taken = await failed.pay_in(taken, 3)
        assert (taken.state, taken.ruling_due_on is not None) == ("paid", True)
        assert await money_inside(place.database) == {"lot": pay_in * YUAN}, "2 fen too much went back"
        taken = await failed.serve(taken)
        assert (taken.state, taken.served_on) == ("served", today(place.database).isoformat())
        assert await money_inside(place.database) == {"case": pay_in * YUAN}
        async with place.database.reading(platform("test")) as tx:
            assert await current.effect_on(tx, place.case_id) == today(place.database)
        assert await faults(place) == []

        road = road_of(place.place)
        plan = await road.confirmed()
        assert plan.proceeds_fen == PRICE
        assert [(line.payee.kind, line.payee.name, line.amount_fen) for line in plan.lines] == [
            ("cost", "辅助机构", 20_000 * YUAN),
            ("party", "抵押银行", 300_000 * YUAN),
            ("set_off", "某银行股份有限公司", entitlement * YUAN),
            *shared,
        ]
        assert {claim.name: claim.open_fen for claim in plan.claims}["某银行股份有限公司"] == (
            900_000 - entitlement
        ) * YUAN
        assert await faults(place) == []
        batch = await road.paid(plan)
        assert batch.total_fen == pay_in * YUAN
        await place.relay.settle()
        assert await money_inside(place.database) == {}
        assert (await road.account()).held_fen == 0
        assert await faults(place) == []


async def test_rank_and_lot_decide_between_those_who_asked(database_url: str) -> None:
    async with of_w19(database_url) as place:
        failed = await failed_round(place, with_b=True)
        with pytest.raises(errors.NotSenior):
            await failed.take("applicant", ("applicant", "bank"))
        with pytest.raises(errors.LotNotDrawn):
            await failed.take("applicant", ("applicant", "creditor"))
        with pytest.raises(errors.LotNotDrawn):
            await failed.take("applicant", ("applicant", "creditor"), drawn_lot="李某")
        with pytest.raises(errors.NoTaker):
            await failed.take("tenant")
        taken = await failed.take("creditor", ("applicant", "creditor"), drawn_lot="李某")
        assert taken.entitlement_fen == 95_000 * YUAN
        with pytest.raises(AssetTaken):
            await failed.take()


async def test_what_is_not_paid_in_by_its_day_lapses_and_goes_back(database_url: str) -> None:
    async with of_w19(database_url) as place:
        failed = await failed_round(place)
        taken = await failed.pay_in(await failed.take(), 100_000 * YUAN)
        judge = place.court.judge
        with pytest.raises(errors.TakingNotOverdue):
            await taking.lapse_taking(place.database, call(judge), taken.id)
        place.pass_days(11)
        assert (await taking.lapse_taking(place.database, call(judge), taken.id)).state == "lapsed"
        await place.relay.settle()
        assert await money_inside(place.database) == {}
        await failed.pay_in(taken, 5)
        assert await money_inside(place.database) == {}, "what comes later goes back too"
        again = await failed.take("bank")
        assert (again.entitlement_fen, again.pay_in_fen) == (300_000 * YUAN, 400_000 * YUAN)
        again = await failed.pay_in(again, 400_000 * YUAN)
        assert again.state == "paid", "what the first taker had paid and got back does not count"
        assert await money_inside(place.database) == {"lot": 400_000 * YUAN}
        assert await faults(place) == []


async def test_only_after_a_failed_round_by_the_court_and_not_on_hold(database_url: str) -> None:
    async with of_w19(database_url) as place:
        failed = await failed_round(place)
        stranger = await make_court(place.database)
        wanted = DecideTaking(
            party_id=failed.party("applicant"),
            asked=(failed.party("applicant"),),
            due_on=today(place.database),
            decision_id=await place.decide(Subject.SATISFACTION),
        )
        with pytest.raises(NotFound):
            await taking.decide_taking(place.database, call(stranger.judge), failed.lot_id, wanted)
        await hold(place.place)
        with pytest.raises(errors.AssetHeld):
            await failed.take()


async def test_a_sold_lot_cannot_be_taken(database_url: str) -> None:
    async with hall(database_url) as place:
        await make_claim(place.database, place.court, place.place.case, "applicant")
        lot_id = await place.lot()
        await place.sold(lot_id, 80_000_00)
        with pytest.raises(errors.NoFailedRound):
            await Failed(place, lot_id).take()


async def test_a_limited_home_needs_an_eligible_taker(database_url: str) -> None:
    """R-HOME-03: nor can an applicant without eligibility take it."""
    async with hall(
        database_url,
        reference_price_fen=Fen(1_000_000 * YUAN),
        parties=(*PARTIES, TENANT, BANK),
        details={"purchase_limit": "本市限购"},
    ) as place:
        failed = await failed_round(place)
        with pytest.raises(PurchaseUnproved):
            await failed.take()
        day = today(place.database).isoformat()
        proof = {"purchase_eligibility": "proved", "eligibility_document": "核验单"}
        assert (await failed.take(**proof, eligible_from=day, eligible_until=day)).state == "awaiting"


async def test_two_at_once_one_takes(database_url: str) -> None:
    async with of_w19(database_url) as place:
        failed = await failed_round(place)
        outcomes = await asyncio.gather(*[failed.take() for _ in range(3)], return_exceptions=True)
        assert sum(isinstance(each, TakingView) for each in outcomes) == 1
        assert sum(isinstance(each, Refusal) for each in outcomes) == 2


async def test_a_thing_that_is_taken_is_put_into_no_other_round(database_url: str) -> None:
    """R-FAIL-03, R-SEAL-04: from the decision on; a lapse alone sets it free again (R-FAIL-04)."""
    async with of_w19(database_url) as place:
        failed = await failed_round(place)
        taken = await failed.take()
        with pytest.raises(AssetTaken) as refused:
            await second_round(failed)
        assert (refused.value.code, refused.value.rule) == ("asset-taken", "R-FAIL-03")
        place.pass_days(11)
        await taking.lapse_taking(place.database, call(place.court.judge), taken.id)
        again = await failed.take()
        await failed.serve(await failed.pay_in(again, again.pay_in_fen))
        with pytest.raises(AssetDisposed) as disposed:
            await second_round(failed)
        assert (disposed.value.code, disposed.value.rule) == ("asset-disposed", "R-SEAL-04")


async def test_after_a_lapse_the_thing_goes_into_the_next_round(database_url: str) -> None:
    async with of_w19(database_url) as place:
        failed = await failed_round(place)
        taken = await failed.take()
        place.pass_days(11)
        await taking.lapse_taking(place.database, call(place.court.judge), taken.id)
        await second_round(failed)
        with pytest.raises(errors.NoFailedRound):
            await failed.take()


async def test_a_taking_against_the_next_round_one_wins(database_url: str) -> None:
    async with of_w19(database_url) as place:
        failed = await failed_round(place)
        outcomes = await asyncio.gather(failed.take(), second_round(failed), return_exceptions=True)
        assert sum(isinstance(each, Refusal) for each in outcomes) == 1, outcomes


async def test_control_unlocked_a_taken_thing_is_drafted_for_the_next_round(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate()
    async with of_w19(database_url) as place:
        failed = await failed_round(place)
        monkeypatch.setattr(assets.store, "lock_asset", unlocked_asset)
        monkeypatch.setattr(lots.appraisal, "require_free", gate.after(assets.require_free))
        drafted = await gate.meanwhile(second_round(failed), failed.take())
        assert isinstance(drafted, LotSaved), "taken, and in a new round"


@pytest.mark.parametrize("keys", [True, False])
async def test_control_unlocked_two_creditors_take_one_thing(
    database_url: str, monkeypatch: pytest.MonkeyPatch, keys: bool
) -> None:
    """Without the locks the rules see no other taking; unique rows of asset and lot stop the second, and only they."""
    gate = Gate()
    async with of_w19(database_url) as place:
        failed = await failed_round(place)
        if not keys:
            await as_superuser(
                database_url,
                "DROP INDEX appraisal.uq_asset_disposal_standing",
                "DROP INDEX settlement.ux_taking_open_lot",
            )
        monkeypatch.setattr(assets.store, "lock_asset", unlocked_asset)
        monkeypatch.setattr(taking, "lock_case_money", unlocked)
        monkeypatch.setattr(assets.store, "find_disposal", gate.after(assets.store.find_disposal))
        late = await gate.meanwhile(failed.take(), failed.take("bank"))
        assert isinstance(late, DBAPIError if keys else TakingView), late


async def test_payment_against_lapse_one_wins(database_url: str) -> None:
    async with of_w19(database_url) as place:
        failed = await failed_round(place)
        taken = await failed.take()
        place.pass_days(11)
        payer = await place.bidder()

        async def weigh(tx: Tx) -> None:
            await taking.weigh_taking(tx, failed.lot_id)

        await asyncio.gather(
            place.pay(payer, taken.account_no, taken.pay_in_fen),
            within(place.database, weigh),
            taking.lapse_taking(place.database, call(place.court.judge), taken.id),
            return_exceptions=True,
        )
        await place.relay.settle()
        state = (await taking.show_taking(place.database, place.court.clerk, taken.id)).state
        assert (state, await money_inside(place.database)) in [
            ("paid", {"lot": taken.pay_in_fen}),
            ("lapsed", {}),
        ]
        assert await faults(place) == []


async def test_w19c_the_reserve_is_weighed_before_the_round(database_url: str) -> None:
    async with of_w19(database_url) as place:
        failed = await failed_round(place)
        found = await taking.show_surplus(place.database, place.court.clerk, failed.lot_id)
        assert (found.priority_fen, found.costs_fen, found.remains_fen) == (
            300_000 * YUAN,
            20_000 * YUAN,
            380_000 * YUAN,
        )
        assert found.least_reserve_fen is None
        await make_claim(
            place.database,
            place.court,
            place.place.case,
            "creditor",
            kind=ClaimKind.SECURED,
            asset_id=place.place.asset_id,
            principal_fen=380_000 * YUAN,
        )
        found = await taking.show_surplus(place.database, place.court.clerk, failed.lot_id)
        assert (found.remains_fen, found.least_reserve_fen) == (0, 700_000_01)
