"""The bank's counter on a real database: each notice once, each order paid once, unknown money in its queue."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from kernel.actors import Role, platform
from kernel.database import Tx
from kernel.errors import Forbidden, NotFound
from kernel.money import Fen
from kernel.outbox import Relay
from settlement.bank import answers, store
from settlement.bank import service as bank
from settlement.bank.errors import (
    BankRefReused,
    NotRejected,
    OrderAnswered,
)
from settlement.bank.schemas import (
    Confirmation,
    MakeTransfer,
    PaymentsAnswered,
)
from settlement.bank.simulated import CLOSED_ACCOUNT, SimulatedBank, make_transfer
from settlement.ledger import service as ledger
from settlement.ledger.errors import InsufficientBalance, PostingDiffers
from settlement.ledger.rules import Kind
from tests.settlement.bank.counter import CLOSED, PAYEE, case_account, case_number, ordered, paid_by_bank, state_of
from tests.settlement.support import (
    MACHINE,
    balance_of,
    bank_relay,
    credit,
    ledger_faults,
    money_inside,
    notice,
    order_payment,
    within,
)
from tests.support.house import actor, call, frozen, opened

pytestmark = pytest.mark.anyio


async def test_a_notice_is_booked_once_however_often_it_comes(database_url: str) -> None:
    async with opened(database_url) as database:
        sent = notice("B1", await case_number(database), 500)
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
        first = {"bank_ref": "B1", "account_no": await case_number(database), "amount_fen": 500}
        await credit(database, notice(**first))  # type: ignore[arg-type]
        with pytest.raises(BankRefReused):
            await credit(database, notice(**(first | other)))  # type: ignore[arg-type]
        assert await balance_of(database, "case:one") == 500


async def test_only_the_bank_s_machine_sends_notices_and_confirmations(database_url: str) -> None:
    async with opened(database_url) as database:
        sent = notice("B1", await case_number(database), 500)
        confirmation = Confirmation(order_id=actor().person, outcome="executed", bank_ref="X")
        for role in (Role.CLERK, Role.PAYER, Role.BIDDER, Role.OPERATOR):
            with pytest.raises(Forbidden):
                await bank.book_credit(database, call(actor(role)), sent)
            with pytest.raises(Forbidden):
                await answers.confirm(database, call(actor(role)), confirmation)


async def test_an_order_stands_on_a_payee_account_until_the_bank_has_paid(database_url: str) -> None:
    async with opened(database_url) as database:
        relay = bank_relay(database)
        heard: list[PaymentsAnswered] = []

        async def listen(tx: Tx, event: PaymentsAnswered) -> None:
            heard.append(event)

        relay.on(PaymentsAnswered, listen)
        await credit(database, notice("B1", await case_number(database), 500))
        order_id = await ordered(database, 300)
        assert await money_inside(database) == {"case": 200, "payee": 300}
        assert await state_of(database, order_id) == "ordered"
        await relay.settle()
        assert await money_inside(database) == {"case": 200}
        assert await state_of(database, order_id) == "executed"
        (event,) = heard
        assert [(answer.order_id, answer.outcome, answer.natural_key) for answer in event.answers] == [
            (order_id, "executed", "pay-1")
        ]
        assert await ledger_faults(database) == []


async def test_orders_of_a_case_are_on_their_way_together_and_answered_one_by_one(database_url: str) -> None:
    async with opened(database_url) as database:
        await credit(database, notice("B1", await case_number(database), 1_000))
        await ordered(database, 300)
        await ordered(database, 200, CLOSED, "pay-2")
        await ordered(database, 100, key="pay-3")
        async with database.reading(platform("test")) as tx:
            (way,) = await ledger.accounts_of_kind(tx, Kind.PAYEE)
        assert way.balance_fen == 600
        await bank_relay(database).settle()
        assert await money_inside(database) == {"case": 600}, "the rejected 200 are back"
        assert await paid_by_bank(database) == 400
        assert await ledger_faults(database) == []


async def test_an_order_is_made_once_per_key_and_never_above_the_balance(database_url: str) -> None:
    async with opened(database_url) as database:
        await credit(database, notice("B1", await case_number(database), 500))
        orders = await asyncio.gather(*[ordered(database, 300) for _ in range(4)])
        assert len(set(orders)) == 1
        with pytest.raises(PostingDiffers):
            await ordered(database, 299)
        with pytest.raises(PostingDiffers):
            await ordered(database, 300, CLOSED)
        with pytest.raises(InsufficientBalance):
            await ordered(database, 201, key="pay-2")
        assert await money_inside(database) == {"case": 200, "payee": 300}


async def test_a_rejected_payment_is_back_on_its_account(database_url: str) -> None:
    async with opened(database_url) as database:
        await credit(database, notice("B1", await case_number(database), 500))
        order_id = await ordered(database, 300, CLOSED)
        await bank_relay(database).settle()
        assert await state_of(database, order_id) == "rejected"
        assert await money_inside(database) == {"case": 500}
        assert await paid_by_bank(database) == 0
        assert await ledger_faults(database) == []


async def test_an_order_whose_answer_was_lost_is_looked_up_not_paid_again(database_url: str) -> None:
    """Attack 55: the payment is sent again after a time-out."""
    async with opened(database_url) as database:
        relay = bank_relay(database)
        await credit(database, notice("B1", await case_number(database), 500))
        order_id = await ordered(database, 300)
        assert await relay.sweep() >= 1  # handed over; the bank's report is lost on its way
        await within(database, _lose_reports)
        await relay.settle()
        assert await state_of(database, order_id) == "ordered"
        frozen(database).advance(timedelta(minutes=11))
        await relay.settle()
        assert await state_of(database, order_id) == "executed"
        assert await paid_by_bank(database) == 300
        assert await money_inside(database) == {"case": 200}


async def _lose_reports(tx: Tx) -> None:
    lost = await tx.session.execute(text("DELETE FROM kernel.outbox WHERE topic = 'OrdersReport'"))
    assert lost.rowcount == 1  # type: ignore[attr-defined]


async def test_an_order_the_bank_never_got_is_sent_again(database_url: str) -> None:
    async with opened(database_url) as database:
        await credit(database, notice("B1", await case_number(database), 500))
        await ordered(database, 300)

        class DeafBank(SimulatedBank):
            deaf = True

            async def send(self, tx: Tx, instructions: object) -> None:
                if not self.deaf:
                    await super().send(tx, instructions)  # type: ignore[arg-type]

        port, relay = DeafBank(), Relay(database)

        async def deliver(tx: Tx, work: bank.PaymentsDue) -> None:
            await answers.deliver(tx, port, work)

        relay.on(bank.PaymentsDue, deliver)
        await relay.settle()
        port.deaf = False
        frozen(database).advance(timedelta(minutes=11))
        await relay.settle()
        assert await paid_by_bank(database) == 300


async def test_answers_repeat_contradict_and_come_for_unknown_orders(database_url: str) -> None:
    """Attack 51: confirmations forged, repeated, out of order."""
    async with opened(database_url) as database:
        await credit(database, notice("B1", await case_number(database), 500))
        order_id, other = await ordered(database, 300), await ordered(database, 100, key="pay-2")

        async def answer(order: UUID, outcome: str, ref: str) -> str:
            confirmation = Confirmation(order_id=order, outcome=outcome, bank_ref=ref)  # type: ignore[arg-type]
            return (await answers.confirm(database, call(MACHINE), confirmation)).state

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
        number = await case_number(database)
        await credit(database, notice("B1", number, 300, account="111"))
        await credit(database, notice("B2", number, 300, account="222"))

        async def refund(tx: Tx) -> int:
            return await bank.refund_above(tx, await case_account(tx), 400, "test.surplus", "d")

        assert sorted(await asyncio.gather(*[within(database, refund) for _ in range(3)])) == [0, 0, 200]
        (waiting,) = (await answers.show_waiting(database, MACHINE)).orders
        assert (waiting.payee_number, waiting.amount_fen) == ("222", 200)
        await bank_relay(database).settle()
        assert await money_inside(database) == {"case": 400}


async def test_control_without_the_lock_a_surplus_goes_back_twice(database_url: str) -> None:
    """What the lock in `refund_above` prevents: both read the same arrivals."""
    async with opened(database_url) as database:
        await credit(database, notice("B1", await case_number(database), 600))
        both_have_read = asyncio.Barrier(2)

        async def refund_without_lock(number: int) -> None:
            async with database.transaction(platform("test")) as tx:
                account = await case_account(tx)
                (arrival,) = (await store.arrivals(tx, [account.id]))[account.id]
                await both_have_read.wait()
                assert arrival.refunded_fen == 0
                await order_payment(tx, account, PAYEE, 200, f"unlocked-{number}")

        await asyncio.gather(refund_without_lock(1), refund_without_lock(2))
        assert await money_inside(database) == {"case": 200, "payee": 400}, "kept 200 instead of 400"


async def test_a_refund_the_bank_rejected_can_be_ordered_once_more(database_url: str) -> None:
    async with opened(database_url) as database:
        relay = bank_relay(database)
        await credit(database, notice("B1", await case_number(database), 300, account=f"{CLOSED_ACCOUNT}5"))

        async def refund(tx: Tx) -> int:
            return await bank.refund_above(tx, await case_account(tx), 0, "test.release", "d")

        assert await within(database, refund) == 300
        (order,) = (await answers.show_waiting(database, MACHINE)).orders
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
        number = await case_number(database)
        wanted = MakeTransfer(from_account="6222", payer_name="王小明", to_account_no=number, amount_fen=Fen(700))
        await make_transfer(database, call(actor(Role.BIDDER)), wanted)
        assert await money_inside(database) == {}
        await bank_relay(database).settle()
        assert await money_inside(database) == {"case": 700}


async def test_nothing_kept_beside_a_person_leads_to_an_account(database_url: str) -> None:
    """Invariant 16: the kept answers and audit rows of a transfer hold neither number nor payer."""
    async with opened(database_url) as database:
        number, bidder = await case_number(database), actor(Role.BIDDER)
        wanted = MakeTransfer(from_account="6222777", payer_name="王小明", to_account_no=number, amount_fen=Fen(700))
        await make_transfer(database, call(bidder), wanted)
        await bank_relay(database).settle()
        async with database.reading(platform("test")) as tx:
            for table in ("kernel.idempotency", "kernel.audit_entry", "kernel.outbox"):
                rows = (await tx.session.execute(text(f"SELECT t::text FROM {table} t"))).scalars().all()
                shown = "\n".join(row for row in rows if "ledger.open-account" not in row)
                for marker in ("王小明", "6222777", number):
                    assert marker not in shown, f"{marker} stands in {table}"
