"""Payouts on a real database: three people, one hash, each line once, and an account that explains what is left."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from appraisal.cases.models import Party
from kernel.actors import Actor, Role, platform
from kernel.database import Database
from kernel.errors import Forbidden, NotFound, Refusal
from kernel.ids import ordered_id
from settlement import verify
from settlement.bank import answers
from settlement.bank.schemas import Confirmation
from settlement.payouts import account, errors, handlers, service
from settlement.payouts.models import PayoutBatch
from settlement.payouts.schemas import PayoutView, Sign
from tests.appraisal.support import make_claim, make_court
from tests.settlement.distribution.road import Road, make_road, parties
from tests.settlement.gate import unlocked
from tests.settlement.support import MACHINE, bank_relay, money_inside
from tests.support.house import actor, call, opened

pytestmark = pytest.mark.anyio


async def refused(kind: type[Refusal], doing: Any) -> Refusal:
    with pytest.raises(kind) as caught:
        await doing
    return caught.value


async def two_creditors(database: Database, *, debtor_account: bool = True) -> Road:
    """A claims 200.00, B 300.00; 600.00 is there, so 100.00 goes back to the debtor."""
    road = await make_road(database, *parties("A", "B", debtor_account=debtor_account))
    await make_claim(database, road.court, road.case, "A", principal_fen=15_000, interest_fen=5_000)
    await make_claim(database, road.court, road.case, "B", principal_fen=30_000)
    await road.bring_money(60_000)
    return road


async def settle(database: Database) -> None:
    """The simulated bank executes or rejects what was ordered."""
    relay = bank_relay(database)
    handlers.subscribe(relay)
    await relay.settle()


async def faults(database: Database) -> list[str]:
    async with database.reading(platform("verify")) as tx:
        return await verify.faults(tx)


def shown(batch: PayoutView) -> list[tuple[str, str, int, str]]:
    return [(line.holder, line.reason, line.amount_fen, line.state) for line in batch.lines]


async def move_account(database: Database, road: Road, ref: str, number: str = "6222-other") -> None:
    """A party's account is changed behind the officers' backs."""
    async with database.transaction(platform("thief")) as tx:
        await tx.session.execute(update(Party).where(Party.id == road.id_of(ref)).values(account_number=number))


async def test_a_plan_is_paid_by_three_people_and_the_account_ends_at_zero(database_url: str) -> None:
    async with opened(database_url) as database:
        road = await two_creditors(database)
        plan = await road.confirmed()
        batch = await road.make(plan)
        assert batch.state == "made"
        assert shown(batch) == [
            ("当事人A", "案款", 20_000, "waiting"),
            ("当事人B", "案款", 30_000, "waiting"),
            ("当事人debtor", "余款退还", 10_000, "waiting"),
        ]
        assert [line.number for line in batch.lines] == ["6222A", "6222B", "6222debtor"]
        assert batch.pay_by == "2025-04-02"  # 30 days after the money arrived (R-ACCT-03)
        assert (await road.check(batch)).state == "checked"
        paid = await road.pay(batch)
        assert {line.state for line in paid.lines} == {"ordered"}
        assert await money_inside(database) == {"payee": 60_000}
        await settle(database)
        done = await service.show_batch(database, road.maker, batch.id)
        assert {line.state for line in done.lines} == {"executed"}
        assert await money_inside(database) == {}
        account = await road.account()
        assert (account.balance_fen, account.held_fen, account.remainder, account.pay_by) == (0, 0, (), None)
        assert [line.balance_fen for line in account.statement] == [60_000, 40_000, 10_000, 0]
        assert await faults(database) == []


async def test_one_person_signs_once(database_url: str) -> None:
    async with opened(database_url) as database:
        road = await two_creditors(database)
        plan = await road.confirmed()
        everything = road.court.staff(Role.MAKER, Role.CHECKER, Role.PAYER)
        batch = await service.make_batch(database, call(everything), plan.id)
        refusal = await refused(errors.SamePerson, road.check(batch, everything))
        assert refusal.rule == "R-ACCT-06"
        both = road.court.staff(Role.CHECKER, Role.PAYER)
        await road.check(batch, both)
        await refused(errors.SamePerson, road.pay(batch, both))
        await refused(errors.SamePerson, road.pay(batch, everything))
        await refused(Forbidden, road.pay(batch, road.court.staff(Role.CHECKER)))
        await road.pay(batch)


@pytest.mark.parametrize("who", ["checked_by", "paid_by"])
async def test_the_database_itself_wants_three_people(database_url: str, who: str) -> None:
    async with opened(database_url) as database:
        road = await two_creditors(database)
        batch = await road.make(await road.confirmed())
        await road.check(batch)
        with pytest.raises(IntegrityError, match="three_people"):
            async with database.transaction(platform("test")) as tx:
                now = {who: batch.made_by, who.replace("_by", "_at"): tx.now()}
                await tx.session.execute(update(PayoutBatch).values(**now))


async def test_signatures_come_in_order_and_once(database_url: str) -> None:
    async with opened(database_url) as database:
        road = await two_creditors(database)
        plan = await road.confirmed()
        batch = await road.make(plan)
        await refused(errors.PayoutNotChecked, road.pay(batch))
        await road.check(batch)
        await refused(errors.PayoutChecked, road.check(batch, road.court.staff(Role.CHECKER)))
        await road.pay(batch)
        await refused(errors.PayoutPaid, road.pay(batch, road.court.staff(Role.PAYER)))
        await refused(errors.NothingToPay, road.make(plan))


async def test_another_hash_is_refused(database_url: str) -> None:
    async with opened(database_url) as database:
        road = await two_creditors(database)
        batch = await road.make(await road.confirmed())
        await refused(errors.HashDiffers, road.check(batch, hash_="0" * 64))
        await road.check(batch)
        await refused(errors.HashDiffers, road.pay(batch, hash_="f" * 64))


@pytest.mark.parametrize("checked", [False, True])
async def test_a_changed_payee_account_voids_the_approval(database_url: str, checked: bool) -> None:
    async with opened(database_url) as database:
        road = await two_creditors(database)
        plan = await road.confirmed()
        batch = await road.make(plan)
        if checked:
            await road.check(batch)
        await move_account(database, road, "B")
        refusal = await refused(errors.PayeeChanged, road.pay(batch) if checked else road.check(batch))
        assert refusal.facts["payee"] == "当事人B"
        assert (await service.show_batch(database, road.maker, batch.id)).changed_payee == "当事人B"
        assert await money_inside(database) == {"case": 60_000}
        again = await road.make(plan)
        assert again.lines[1].number == "6222-other"
        assert (await service.show_batch(database, road.maker, batch.id)).state == "void"
        await refused(errors.PayoutVoid, road.check(batch))


async def test_lines_changed_behind_a_signed_hash_are_not_paid(database_url: str) -> None:
    async with opened(database_url) as database:
        road = await two_creditors(database)
        batch = await road.make(await road.confirmed())
        await road.check(batch)
        async with database.transaction(platform("thief")) as tx:
            await tx.session.execute(text("ALTER TABLE settlement.payout_line DISABLE TRIGGER append_only"))
            await tx.session.execute(text("UPDATE settlement.payout_line SET number = '6222X' WHERE position = 1"))
        await move_account(database, road, "A", "6222X")
        await refused(errors.HashDiffers, road.pay(batch))


async def test_a_second_batch_waits_for_the_first(database_url: str) -> None:
    async with opened(database_url) as database:
        road = await two_creditors(database)
        plan = await road.confirmed()
        await road.make(plan)
        await refused(errors.PayoutWaiting, road.make(plan))


async def test_only_a_confirmed_plan_is_paid(database_url: str) -> None:
    async with opened(database_url) as database:
        road = await two_creditors(database)
        await refused(errors.PlanNotConfirmed, road.make(await road.draft()))


async def test_a_payee_without_an_account_waits_and_is_named(database_url: str) -> None:
    async with opened(database_url) as database:
        road = await two_creditors(database, debtor_account=False)
        plan = await road.confirmed()
        assert [(each.kind, each.amount_fen) for each in (await road.account()).remainder] == [
            ("in_plan", 50_000),
            ("no_payee_account", 10_000),
        ]
        await road.paid(plan)
        account = await road.account()
        assert account.balance_fen == account.held_fen == 10_000
        (rest,) = account.remainder
        assert (rest.kind, rest.zh) == ("no_payee_account", "当事人debtor 未提供收款账户")
        refusal = await refused(errors.NothingToPay, road.make(plan))
        assert refusal.facts["waiting"] == 1


async def test_a_rejected_payment_is_back_and_may_be_paid_again(database_url: str) -> None:
    async with opened(database_url) as database:
        road = await two_creditors(database)
        plan = await road.confirmed()
        first = await road.paid(plan)
        order = first.lines[0].order_id
        assert order is not None
        rejection = Confirmation(order_id=order, outcome="rejected", bank_ref="no-such-account")
        await answers.confirm(database, call(MACHINE), rejection)
        assert await faults(database) == [], "before the outcome is noted"
        await settle(database)
        assert [line.state for line in (await service.show_batch(database, road.maker, first.id)).lines] == [
            "rejected",
            "executed",
            "executed",
        ]
        assert (await road.account()).balance_fen == 20_000
        second = await road.paid(plan)
        assert shown(second) == [("当事人A", "案款", 20_000, "ordered")]
        await settle(database)
        assert await money_inside(database) == {}
        assert await faults(database) == []


async def test_two_payers_at_once_pay_once(database_url: str) -> None:
    async with opened(database_url) as database:
        road = await two_creditors(database)
        batch = await road.make(await road.confirmed())
        await road.check(batch)
        outcomes = await asyncio.gather(
            *[road.pay(batch, road.court.staff(Role.PAYER)) for _ in range(4)], return_exceptions=True
        )
        assert sum(isinstance(outcome, PayoutView) for outcome in outcomes) == 1
        assert sum(isinstance(outcome, errors.PayoutPaid) for outcome in outcomes) == 3
        assert await money_inside(database) == {"payee": 60_000}


async def test_without_the_lock_only_the_database_stops_a_second_payment(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: with the case account unlocked both payers pass the rules; a unique key lets one payment stand."""
    both = asyncio.Barrier(2)

    async def together(tx: Any, batch_id: Any) -> Any:
        await asyncio.wait_for(both.wait(), 5)
        return await read(tx, batch_id)

    async with opened(database_url) as database:
        road = await two_creditors(database)
        batch = await road.make(await road.confirmed())
        await road.check(batch)
        read = service.store.get_batch
        monkeypatch.setattr(service.distribution, "lock_case_money", unlocked)
        monkeypatch.setattr(service.store, "get_batch", together)
        outcomes = await asyncio.gather(
            *[road.pay(batch, road.court.staff(Role.PAYER)) for _ in range(2)], return_exceptions=True
        )
        assert sum(isinstance(outcome, PayoutView) for outcome in outcomes) == 1
        assert sum(isinstance(outcome, IntegrityError) for outcome in outcomes) == 1
        assert await money_inside(database) == {"payee": 60_000}


async def test_two_checkers_at_once_sign_once(database_url: str) -> None:
    async with opened(database_url) as database:
        road = await two_creditors(database)
        batch = await road.make(await road.confirmed())
        outcomes = await asyncio.gather(
            *[road.check(batch, road.court.staff(Role.CHECKER)) for _ in range(4)], return_exceptions=True
        )
        assert sum(isinstance(outcome, PayoutView) for outcome in outcomes) == 1
        assert sum(isinstance(outcome, errors.PayoutChecked) for outcome in outcomes) == 3


async def test_two_makers_at_once_make_one_batch(database_url: str) -> None:
    async with opened(database_url) as database:
        road = await two_creditors(database)
        plan = await road.confirmed()
        outcomes = await asyncio.gather(*[road.make(plan) for _ in range(4)], return_exceptions=True)
        assert sum(isinstance(outcome, PayoutView) for outcome in outcomes) == 1
        assert sum(isinstance(outcome, errors.PayoutWaiting) for outcome in outcomes) == 3


async def test_the_same_call_again_gets_the_same_answer(database_url: str) -> None:
    async with opened(database_url) as database:
        road = await two_creditors(database)
        batch = await road.make(await road.confirmed())
        await road.check(batch)
        again = call(road.payer)
        await service.pay_batch(database, again, batch.id, Sign(hash=batch.hash))
        with pytest.raises(Exception, match="answered before"):
            await service.pay_batch(database, again, batch.id, Sign(hash=batch.hash))


async def test_officers_of_another_court_see_nothing(database_url: str) -> None:
    async with opened(database_url) as database:
        road = await two_creditors(database)
        plan = await road.confirmed()
        stranger = await make_court(database)
        foreign = stranger.staff(Role.MAKER, Role.CHECKER, Role.PAYER)
        await refused(NotFound, service.make_batch(database, call(foreign), plan.id))
        batch = await road.make(plan)
        for doing in (road.check(batch, foreign), road.pay(batch, foreign)):
            await refused(NotFound, doing)
        await refused(NotFound, service.show_batch(database, foreign, batch.id))
        await refused(NotFound, account.show_account(database, foreign, road.case.id))
        await refused(NotFound, service.show_batch(database, road.maker, ordered_id()))
        nobody: Actor = actor(Role.BIDDER)
        await refused(Forbidden, account.show_account(database, nobody, road.case.id))


async def test_signed_lines_cannot_be_changed(database_url: str) -> None:
    async with opened(database_url) as database:
        with pytest.raises(DBAPIError, match="append-only"):
            async with database.transaction(platform("test")) as tx:
                await tx.session.execute(text("UPDATE settlement.payout_line SET amount_fen = 1"))
