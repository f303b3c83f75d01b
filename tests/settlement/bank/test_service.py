"""The bank's counter on a real database: each notice once, each order paid once, unknown money in its queue."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select, text

from kernel.actors import Actor, Role, platform
from kernel.database import Database, Tx
from kernel.errors import Forbidden, NotFound
from kernel.money import Fen
from kernel.outbox import Relay
from settlement.bank import matching, store
from settlement.bank import service as bank
from settlement.bank.errors import (
    BankRefReused,
    CreditSettled,
    MatchHashDiffers,
    MatchReplaced,
    NotRejected,
    OrderAnswered,
    PayerUnknown,
    SameMatcher,
    UnknownAccountNumber,
)
from settlement.bank.models import SimulatedOrder
from settlement.bank.rules import Payee
from settlement.bank.schemas import (
    NO_ACCOUNT,
    CheckMatch,
    ClaimCredit,
    Confirmation,
    MakeTransfer,
    MatchView,
    MoneyArrived,
    PaymentsAnswered,
    ReturnCredit,
)
from settlement.bank.simulated import CLOSED_ACCOUNT, SimulatedBank, make_transfer
from settlement.ledger import service as ledger
from settlement.ledger.errors import InsufficientBalance, PostingDiffers
from settlement.ledger.models import Account
from settlement.ledger.rules import Kind
from tests.settlement.support import (
    MACHINE,
    balance_of,
    bank_relay,
    credit,
    ledger_faults,
    money_inside,
    notice,
    within,
)
from tests.support.house import actor, call, frozen, opened

pytestmark = pytest.mark.anyio

PAYEE = Payee("申请执行人甲", "6217000000000001", "建设银行")
CLOSED = Payee("已注销", f"{CLOSED_ACCOUNT}1111", "建设银行")


async def _case(tx: Tx) -> Account:
    return await ledger.open_account(tx, Kind.CASE, "one")


async def _number(database: Database) -> str:
    number = (await within(database, _case)).number
    assert number is not None
    return number


async def _order(database: Database, amount_fen: int, payee: Payee = PAYEE, key: str = "pay-1") -> UUID:
    async def work(tx: Tx) -> UUID:
        return await bank.order_payment(
            tx,
            from_account=(await _case(tx)).id,
            payee=payee,
            amount_fen=Fen(amount_fen),
            reason="test.payout",
            document="plan:1",
            natural_key=key,
        )

    return await within(database, work)


async def _state(database: Database, order_id: UUID) -> str:
    async with database.reading(platform("test")) as tx:
        return (await bank.show_order(tx, order_id)).state


async def _paid_by_bank(database: Database) -> int:
    """What left the house by the simulated bank's own book, in fen."""
    async with database.reading(platform("test")) as tx:
        return int(
            await tx.session.scalar(
                select(func.coalesce(func.sum(SimulatedOrder.amount_fen), 0)).where(
                    SimulatedOrder.outcome == "executed"
                )
            )
            or 0
        )


async def test_a_notice_is_booked_once_however_often_it_comes(database_url: str) -> None:
    async with opened(database_url) as database:
        sent = notice("B1", await _number(database), 500)
        views = await asyncio.gather(*[credit(database, sent) for _ in range(5)])
        assert len({view.credit_id for view in views}) == 1
        assert views[0].identified
        assert await balance_of(database, "case:one") == 500
        assert await ledger_faults(database) == []


@pytest.mark.parametrize(
    "other",
    [
        {"amount_fen": 501},
        {"account_no": "1"},
        {"payer": "别人"},
        {"account": "999"},
    ],
)
async def test_the_same_reference_with_other_content_is_refused(database_url: str, other: dict[str, object]) -> None:
    async with opened(database_url) as database:
        first = {"bank_ref": "B1", "account_no": await _number(database), "amount_fen": 500}
        await credit(database, notice(**first))  # type: ignore[arg-type]
        with pytest.raises(BankRefReused):
            await credit(database, notice(**(first | other)))  # type: ignore[arg-type]
        assert await balance_of(database, "case:one") == 500


async def test_only_the_bank_s_machine_sends_notices_and_confirmations(database_url: str) -> None:
    async with opened(database_url) as database:
        sent = notice("B1", await _number(database), 500)
        confirmation = Confirmation(order_id=actor().person, outcome="executed", bank_ref="X")
        for role in (Role.CLERK, Role.PAYER, Role.BIDDER, Role.OPERATOR):
            with pytest.raises(Forbidden):
                await bank.book_credit(database, call(actor(role)), sent)
            with pytest.raises(Forbidden):
                await bank.confirm(database, call(actor(role)), confirmation)


async def test_an_unknown_number_waits_in_the_queue_and_is_matched_by_hand(database_url: str) -> None:
    async with opened(database_url) as database:
        relay = bank_relay(database)
        arrived: list[MoneyArrived] = []

        async def listen(tx: Tx, event: MoneyArrived) -> None:
            arrived.append(event)

        relay.on(MoneyArrived, listen)
        number = await _number(database)
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
        assert (await bank.show_waiting(database, MACHINE)).orders == ()
        checked = await check(database, proposed)
        (waiting,) = (await bank.show_waiting(database, MACHINE)).orders
        assert (waiting.order_id, waiting.payee_number, waiting.amount_fen) == (checked.order_id, "6222999", 500)
        await bank_relay(database).settle()
        assert await money_inside(database) == {}
        assert await _paid_by_bank(database) == 500


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
        claim = ClaimCredit(account_no=await _number(database), reason="付款人来电说明")
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


async def test_an_order_stands_on_a_payee_account_until_the_bank_has_paid(database_url: str) -> None:
    async with opened(database_url) as database:
        relay = bank_relay(database)
        heard: list[PaymentsAnswered] = []

        async def listen(tx: Tx, event: PaymentsAnswered) -> None:
            heard.append(event)

        relay.on(PaymentsAnswered, listen)
        await credit(database, notice("B1", await _number(database), 500))
        order_id = await _order(database, 300)
        assert await money_inside(database) == {"case": 200, "payee": 300}
        assert await _state(database, order_id) == "ordered"
        await relay.settle()
        assert await money_inside(database) == {"case": 200}
        assert await _state(database, order_id) == "executed"
        (event,) = heard
        assert [(answer.order_id, answer.outcome, answer.natural_key) for answer in event.answers] == [
            (order_id, "executed", "pay-1")
        ]
        assert await ledger_faults(database) == []


async def test_an_order_is_made_once_per_key_and_never_above_the_balance(database_url: str) -> None:
    async with opened(database_url) as database:
        await credit(database, notice("B1", await _number(database), 500))
        orders = await asyncio.gather(*[_order(database, 300) for _ in range(4)])
        assert len(set(orders)) == 1
        with pytest.raises(PostingDiffers):
            await _order(database, 299)
        with pytest.raises(PostingDiffers):
            await _order(database, 300, CLOSED)
        with pytest.raises(InsufficientBalance):
            await _order(database, 201, key="pay-2")
        assert await money_inside(database) == {"case": 200, "payee": 300}


async def test_a_rejected_payment_is_back_on_its_account(database_url: str) -> None:
    async with opened(database_url) as database:
        await credit(database, notice("B1", await _number(database), 500))
        order_id = await _order(database, 300, CLOSED)
        await bank_relay(database).settle()
        assert await _state(database, order_id) == "rejected"
        assert await money_inside(database) == {"case": 500}
        assert await _paid_by_bank(database) == 0
        assert await ledger_faults(database) == []


async def test_an_order_whose_answer_was_lost_is_looked_up_not_paid_again(database_url: str) -> None:
    """Attack 55: the payment is sent again after a time-out."""
    async with opened(database_url) as database:
        relay = bank_relay(database)
        await credit(database, notice("B1", await _number(database), 500))
        order_id = await _order(database, 300)
        assert await relay.sweep() >= 1  # handed over; the bank's report is lost on its way
        await within(database, _lose_reports)
        await relay.settle()
        assert await _state(database, order_id) == "ordered"
        frozen(database).advance(timedelta(minutes=11))
        await relay.settle()
        assert await _state(database, order_id) == "executed"
        assert await _paid_by_bank(database) == 300
        assert await money_inside(database) == {"case": 200}


async def _lose_reports(tx: Tx) -> None:
    lost = await tx.session.execute(text("DELETE FROM kernel.outbox WHERE topic = 'OrdersReport'"))
    assert lost.rowcount == 1  # type: ignore[attr-defined]


async def test_an_order_the_bank_never_got_is_sent_again(database_url: str) -> None:
    async with opened(database_url) as database:
        await credit(database, notice("B1", await _number(database), 500))
        await _order(database, 300)

        class DeafBank(SimulatedBank):
            deaf = True

            async def send(self, tx: Tx, instructions: object) -> None:
                if not self.deaf:
                    await super().send(tx, instructions)  # type: ignore[arg-type]

        port, relay = DeafBank(), Relay(database)

        async def deliver(tx: Tx, work: bank.PaymentsDue) -> None:
            await bank.deliver(tx, port, work)

        relay.on(bank.PaymentsDue, deliver)
        await relay.settle()
        port.deaf = False
        frozen(database).advance(timedelta(minutes=11))
        await relay.settle()
        assert await _paid_by_bank(database) == 300


async def test_answers_repeat_contradict_and_come_for_unknown_orders(database_url: str) -> None:
    """Attack 51: confirmations forged, repeated, out of order."""
    async with opened(database_url) as database:
        await credit(database, notice("B1", await _number(database), 500))
        order_id, other = await _order(database, 300), await _order(database, 100, key="pay-2")

        async def answer(order: UUID, outcome: str, ref: str) -> str:
            confirmation = Confirmation(order_id=order, outcome=outcome, bank_ref=ref)  # type: ignore[arg-type]
            return (await bank.confirm(database, call(MACHINE), confirmation)).state

        states = await asyncio.gather(*[answer(order_id, "executed", "R1") for _ in range(4)])
        assert states == ["executed"] * 4
        with pytest.raises(OrderAnswered):
            await answer(order_id, "rejected", "R1")
        with pytest.raises(OrderAnswered):
            await answer(order_id, "executed", "R2")
        with pytest.raises(BankRefReused):
            await answer(other, "executed", "R1")
        with pytest.raises(NotFound):
            await answer(actor().person, "executed", "R9")
        assert await money_inside(database) == {"case": 100, "payee": 100}
        assert await ledger_faults(database) == []


async def test_what_is_above_the_amount_to_keep_goes_back_once(database_url: str) -> None:
    async with opened(database_url) as database:
        number = await _number(database)
        await credit(database, notice("B1", number, 300, account="111"))
        await credit(database, notice("B2", number, 300, account="222"))

        async def refund(tx: Tx) -> int:
            return await bank.refund_above(tx, await _case(tx), 400, "test.surplus", "d")

        assert sorted(await asyncio.gather(*[within(database, refund) for _ in range(3)])) == [0, 0, 200]
        (waiting,) = (await bank.show_waiting(database, MACHINE)).orders
        assert (waiting.payee_number, waiting.amount_fen) == ("222", 200)
        await bank_relay(database).settle()
        assert await money_inside(database) == {"case": 400}


async def test_control_without_the_lock_a_surplus_goes_back_twice(database_url: str) -> None:
    """What the lock in `refund_above` prevents: both read the same arrivals."""
    async with opened(database_url) as database:
        await credit(database, notice("B1", await _number(database), 600))
        both_have_read = asyncio.Barrier(2)

        async def refund_without_lock(number: int) -> None:
            async with database.transaction(platform("test")) as tx:
                account = await _case(tx)
                (arrival,) = (await store.arrivals(tx, [account.id]))[account.id]
                await both_have_read.wait()
                assert arrival.refunded_fen == 0
                await bank.order_payment(
                    tx,
                    from_account=account.id,
                    payee=PAYEE,
                    amount_fen=Fen(200),
                    reason="test.surplus",
                    document="d",
                    natural_key=f"unlocked-{number}",
                )

        await asyncio.gather(refund_without_lock(1), refund_without_lock(2))
        assert await money_inside(database) == {"case": 200, "payee": 400}, "kept 200 instead of 400"


async def test_a_refund_the_bank_rejected_can_be_ordered_once_more(database_url: str) -> None:
    async with opened(database_url) as database:
        relay = bank_relay(database)
        await credit(database, notice("B1", await _number(database), 300, account=f"{CLOSED_ACCOUNT}5"))

        async def refund(tx: Tx) -> int:
            return await bank.refund_above(tx, await _case(tx), 0, "test.release", "d")

        assert await within(database, refund) == 300
        (order,) = (await bank.show_waiting(database, MACHINE)).orders
        payer = actor(Role.PAYER)
        with pytest.raises(NotRejected):
            await bank.order_again(database, call(payer), order.order_id)
        await relay.settle()
        assert await money_inside(database) == {"case": 300}
        again = await bank.order_again(database, call(payer), order.order_id)
        assert again.order_id != order.order_id
        with pytest.raises(NotRejected):
            await bank.order_again(database, call(payer), order.order_id)
        assert await money_inside(database) == {"payee": 300}


async def test_a_person_s_transfer_reaches_us_as_the_bank_s_notice(database_url: str) -> None:
    async with opened(database_url) as database:
        number = await _number(database)
        wanted = MakeTransfer(from_account="6222", payer_name="王小明", to_account_no=number, amount_fen=Fen(700))
        await make_transfer(database, call(actor(Role.BIDDER)), wanted)
        assert await money_inside(database) == {}
        await bank_relay(database).settle()
        assert await money_inside(database) == {"case": 700}


async def test_nothing_kept_beside_a_person_leads_to_an_account(database_url: str) -> None:
    """Invariant 16: the kept answers and audit rows of a transfer hold neither number nor payer."""
    async with opened(database_url) as database:
        number, bidder = await _number(database), actor(Role.BIDDER)
        wanted = MakeTransfer(from_account="6222777", payer_name="王小明", to_account_no=number, amount_fen=Fen(700))
        await make_transfer(database, call(bidder), wanted)
        await bank_relay(database).settle()
        async with database.reading(platform("test")) as tx:
            for table in ("kernel.idempotency", "kernel.audit_entry", "kernel.outbox"):
                rows = (await tx.session.execute(text(f"SELECT t::text FROM {table} t"))).scalars().all()
                shown = "\n".join(row for row in rows if "ledger.open-account" not in row)
                for marker in ("王小明", "6222777", number):
                    assert marker not in shown, f"{marker} stands in {table}"
