"""Money that nobody knows: in its queue with an age, matched by two people over one hash, or sent back."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from kernel.actors import Actor, Role, platform
from kernel.database import Database, Tx
from kernel.errors import Forbidden
from settlement.bank import answers, matching
from settlement.bank.errors import (
    CreditSettled,
    MatchHashDiffers,
    MatchReplaced,
    PayerUnknown,
    SameMatcher,
    UnknownAccountNumber,
)
from settlement.bank.schemas import (
    NO_ACCOUNT,
    CheckMatch,
    ClaimCredit,
    MatchView,
    MoneyArrived,
    ReturnCredit,
)
from tests.settlement.bank.counter import case_number, paid_by_bank
from tests.settlement.support import (
    MACHINE,
    bank_relay,
    credit,
    ledger_faults,
    money_inside,
    notice,
)
from tests.support.house import actor, call, frozen, opened

pytestmark = pytest.mark.anyio


async def test_an_unknown_number_waits_in_the_queue_and_is_matched_by_hand(database_url: str) -> None:
    async with opened(database_url) as database:
        relay = bank_relay(database)
        arrived: list[MoneyArrived] = []

        async def listen(tx: Tx, event: MoneyArrived) -> None:
            arrived.append(event)

        relay.on(MoneyArrived, listen)
        number = await case_number(database)
        mistyped = number[:-1] + str((int(number[-1]) + 1) % 10)
        view = await credit(database, notice("B1", mistyped, 500))
        assert not view.identified
        await relay.settle()
        assert arrived == []
        assert await money_inside(database) == {"unidentified": 500}

        maker = actor(Role.MAKER)
        (waiting,) = (await matching.show_unidentified(database, maker)).credits
        assert (waiting.credit_id, waiting.payer_name, waiting.overdue) == (view.credit_id, "王小明", False)
        frozen(database).advance(timedelta(days=6))
        assert (await matching.show_unidentified(database, maker)).credits[0].overdue

        with pytest.raises(UnknownAccountNumber):
            unknown = ClaimCredit(account_no="1" * 18, reason="x")
            await matching.propose_claim(database, call(maker), view.credit_id, unknown)
        claim = ClaimCredit(account_no=number, reason="付款人来电说明")
        proposed = await matching.propose_claim(database, call(maker), view.credit_id, claim)
        assert (proposed.state, proposed.account_no, proposed.amount_fen) == ("proposed", number, 500)
        assert (await matching.show_unidentified(database, maker)).credits[0].proposed == proposed
        assert await money_inside(database) == {"unidentified": 500}
        checked = await check(database, proposed)
        assert (checked.state, checked.hash) == ("checked", proposed.hash)
        with pytest.raises(CreditSettled):
            await matching.propose_claim(database, call(maker), view.credit_id, claim)
        with pytest.raises(CreditSettled):
            await matching.propose_return(database, call(maker), view.credit_id, ReturnCredit(reason="x"))
        with pytest.raises(CreditSettled):
            await check(database, proposed)
        await relay.settle()
        assert [event.credit_id for event in arrived] == [view.credit_id]
        assert await money_inside(database) == {"case": 500}
        assert (await matching.show_unidentified(database, maker)).credits == ()
        assert await ledger_faults(database) == []


async def test_unidentified_money_can_be_sent_back_to_its_payer(database_url: str) -> None:
    async with opened(database_url) as database:
        view = await credit(database, notice("B1", "12345", 500, account="6222999"))
        proposed = await send_back(database, view.credit_id)
        assert (await answers.show_waiting(database, MACHINE)).orders == ()
        checked = await check(database, proposed)
        (waiting,) = (await answers.show_waiting(database, MACHINE)).orders
        assert (waiting.order_id, waiting.payee_number, waiting.amount_fen) == (checked.order_id, "6222999", 500)
        await bank_relay(database).settle()
        assert await money_inside(database) == {}
        assert await paid_by_bank(database) == 500


async def test_money_whose_payer_the_bank_did_not_name_is_not_sent_to_nobody(database_url: str) -> None:
    async with opened(database_url) as database:
        view = await credit(database, notice("B1", "12345", 500, account=NO_ACCOUNT))
        with pytest.raises(PayerUnknown):
            await send_back(database, view.credit_id)


async def send_back(database: Database, credit_id: UUID, maker: Actor | None = None) -> MatchView:
    """A maker proposes to return the credit."""
    wanted = ReturnCredit(reason="无法查明")
    return await matching.propose_return(database, call(maker or actor(Role.MAKER)), credit_id, wanted)


async def check(database: Database, proposed: MatchView, checker: Actor | None = None, hash_: str = "") -> MatchView:
    """A checker signs the proposal by its hash."""
    signed = CheckMatch(hash=hash_ or proposed.hash)
    return await matching.check_match(database, call(checker or actor(Role.CHECKER)), proposed.id, signed)


async def test_two_people_match_money_over_one_hash(database_url: str) -> None:
    """R-ACCT-02: neither alone, nor a proposal that was replaced, nor one that says something else meanwhile."""
    async with opened(database_url) as database:
        both = actor(Role.MAKER, Role.CHECKER)
        view = await credit(database, notice("B1", "12345", 500))
        first = await send_back(database, view.credit_id, both)
        with pytest.raises(SameMatcher):
            await check(database, first, both)
        with pytest.raises(MatchHashDiffers):
            await check(database, first, hash_="0" * 64)
        for role in (Role.MAKER, Role.PAYER, Role.MACHINE):
            with pytest.raises(Forbidden):
                await check(database, first, actor(role))
        claim = ClaimCredit(account_no=await case_number(database), reason="付款人来电说明")
        second = await matching.propose_claim(database, call(both), view.credit_id, claim)
        with pytest.raises(MatchReplaced):
            await check(database, first)
        async with database.transaction(platform("thief")) as tx:
            await tx.session.execute(text("ALTER TABLE settlement.credit_match DISABLE TRIGGER ALL"))
            await tx.session.execute(text("UPDATE settlement.credit_match SET account_id = NULL"))
        with pytest.raises(MatchHashDiffers):
            await check(database, second)
        assert await money_inside(database) == {"unidentified": 500}


async def test_checked_twice_at_once_a_credit_is_settled_once(database_url: str) -> None:
    async with opened(database_url) as database:
        view = await credit(database, notice("B1", "12345", 500))
        proposed = await send_back(database, view.credit_id)
        outcomes = await asyncio.gather(*[check(database, proposed) for _ in range(4)], return_exceptions=True)
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["CreditSettled"] * 3 + ["MatchView"]
        assert await money_inside(database) == {"payee": 500}
        assert await ledger_faults(database) == []


async def test_control_without_its_claim_a_credit_is_settled_twice(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the claim's key prevents: the money of another credit leaves for this one."""

    async def unsettled(*_: object) -> None:
        return None

    async with opened(database_url) as database:
        view = await credit(database, notice("B1", "12345", 500))
        await credit(database, notice("B2", "12345", 500))
        proposed = await send_back(database, view.credit_id)
        monkeypatch.setattr(matching, "_settle_credit", unsettled)
        await check(database, proposed)
        await check(database, proposed)
        assert await money_inside(database) == {"payee": 1_000}


async def test_the_alarm_on_age_counts_working_days(database_url: str) -> None:
    """Monday 2025-03-03 and three working days: Thursday; over the days of Qingming it takes longer."""
    async with opened(database_url) as database:
        await credit(database, notice("B1", "12345", 500))
        auditor = actor(Role.AUDITOR)

        async def alarm(days: int = 3) -> tuple[str, int]:
            found = await matching.show_unidentified(database, auditor, days)
            return found.credits[0].claim_by, found.overdue

        assert await alarm() == ("2025-03-06", 0)
        frozen(database).advance(timedelta(days=3))
        assert await alarm() == ("2025-03-06", 0)
        frozen(database).advance(timedelta(days=1))
        assert await alarm() == ("2025-03-06", 1)
        assert await alarm(5) == ("2025-03-10", 0)
