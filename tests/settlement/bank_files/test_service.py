"""Files on a real database: each message once, each movement once, each order in one file, whatever is killed when."""

import asyncio
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from app import bank as command_line
from kernel.actors import platform
from kernel.clock import beijing_day
from kernel.database import Database, Tx
from kernel.outbox import Relay
from settlement.bank import matching
from settlement.bank import store as bank_store
from settlement.bank.rules import Payee
from settlement.bank_files import jobs, service, store, verify
from settlement.bank_files.errors import MessageReused, NoBankFiles, UnusableFile
from settlement.bank_files.rules import order_reference
from settlement.bank_files.schemas import BankFileView
from settlement.ledger import service as ledger
from settlement.ledger import verify as ledger_verify
from settlement.ledger.models import Account
from settlement.ledger.rules import Kind
from tests.settlement.bank_files.bank import OURS, Bank, Line, notification, payments_in, statement
from tests.settlement.bank_files.child import STEPS
from tests.settlement.support import BOOKED_AT, MACHINE, balance_of, credit, money_inside, notice, order_payment, within
from tests.support.house import call, opened

pytestmark = pytest.mark.anyio


async def _case(tx: Tx) -> Account:
    return await ledger.open_account(tx, Kind.CASE, "one")


async def case_number(database: Database) -> str:
    number = (await within(database, _case)).number
    assert number is not None
    return number


async def order(database: Database, amounts: Sequence[int], payee: Payee | None = None) -> list[UUID]:
    """Payment orders of these amounts, each to an account of its own."""

    async def work(tx: Tx) -> list[UUID]:
        account = await _case(tx)
        payees = [payee or Payee(f"申请执行人{n}", f"6217{n:012d}", "建设银行") for n in range(len(amounts))]
        return [
            await order_payment(tx, account, to, amount_fen, str(uuid4()))
            for to, amount_fen in zip(payees, amounts, strict=True)
        ]

    return await within(database, work)


async def take(database: Database, raw: bytes) -> BankFileView:
    """The bank's machine delivers a file and all of it is booked."""
    taken = await service.take_file(database, call(MACHINE), raw, OURS)
    relay = Relay(database)
    jobs.subscribe(relay)
    await relay.settle()
    return await service.show_file(database, MACHINE, taken.id)


async def export(database: Database) -> service.Exported:
    return await service.export_orders(database, call(MACHINE), OURS)


async def content_of(database: Database, file_id: UUID) -> bytes:
    return (await service.read_payment_file(database, MACHINE, file_id)).content


async def faults(database: Database) -> list[str]:
    async with database.reading(platform("verify")) as tx:
        return [*await ledger_verify.faults(tx), *await verify.faults(tx)]


async def test_a_statement_books_what_the_bank_says(database_url: str) -> None:
    async with opened(database_url) as database:
        number = await case_number(database)
        await credit(database, notice("B0", number, 100))
        (paid,) = await order(database, [60])
        lines = [
            Line(500, "B1", to=number),
            Line(7, "B2", to="123"),
            Line(60, "OUT1", credit=False, end_to_end=order_reference(paid)),
            Line(3, "FEE", credit=False),
            Line(9, "SOON", to=number, status="PDNG"),
        ]
        view = await take(database, statement(lines))
        assert view.outcomes == {"booked": 1, "paid": 1, "unidentified": 1, "unmatched": 1}
        assert (view.movements, view.waiting, view.open) == (4, 1, 0)
        assert await money_inside(database) == {"case": 540, "unidentified": 7}
        assert await faults(database) == []


async def test_files_come_again_and_again(database_url: str) -> None:
    """The same file, the same movement in a notice and in the day's statement, five at once: booked once."""
    async with opened(database_url) as database:
        number = await case_number(database)
        day = beijing_day(BOOKED_AT)
        lines = [Line(500, "B1", to=number, on=day), Line(7, "B2", to="123", on=day)]
        noticed, stated = notification(lines), statement(lines)
        ids = await asyncio.gather(*[service.take_file(database, call(MACHINE), noticed, OURS) for _ in range(5)])
        assert len({view.id for view in ids}) == 1
        for raw in (noticed, stated, stated, noticed):
            assert (await take(database, raw)).outcomes == {"booked": 1, "unidentified": 1}
        await credit(database, notice("B1", number, 500))  # over the counter, with its hour
        assert await money_inside(database) == {"case": 500, "unidentified": 7}
        assert await faults(database) == []


async def test_a_file_booked_by_several_at_once_is_booked_once(database_url: str) -> None:
    """The relay and the command line may come to the same file; every movement has one outcome."""
    async with opened(database_url) as database:
        number = await case_number(database)
        lines = [Line(amount_fen, to=number if amount_fen % 2 else "123") for amount_fen in range(1, 41)]
        taken = await service.take_file(database, call(MACHINE), statement(lines), OURS)
        await asyncio.gather(*[within(database, lambda tx: service.book_some(tx, taken.id)) for _ in range(4)])
        view = await service.show_file(database, MACHINE, taken.id)
        assert (view.open, view.outcomes) == (0, {"booked": 20, "unidentified": 20})
        assert await money_inside(database) == {"case": 400, "unidentified": 420}
        assert await faults(database) == []


async def test_the_same_message_with_other_content_is_refused(database_url: str) -> None:
    async with opened(database_url) as database:
        await take(database, statement([Line(500, "B1")], message="M"))
        with pytest.raises(MessageReused):
            await take(database, statement([Line(501, "B1")], message="M"))
        assert await money_inside(database) == {"unidentified": 500}


async def test_a_movement_that_contradicts_the_books_is_refused_alone(database_url: str) -> None:
    async with opened(database_url) as database:
        number = await case_number(database)
        await credit(database, notice("B1", number, 100))
        (paid,) = await order(database, [60])
        lines = [
            Line(500, "B1", to=number),
            Line(61, "OUT1", credit=False, end_to_end=order_reference(paid)),
            Line(5, "B2", to=number),
        ]
        view = await take(database, statement(lines))
        assert [(each.reference, each.code) for each in view.refused] == [
            ("B1", "bank-ref-reused"),
            ("OUT1", "answer-differs"),
        ]
        assert await money_inside(database) == {"case": 45, "payee": 60}
        assert await faults(database) == []


async def test_a_payment_that_came_back_waits_with_its_order(database_url: str) -> None:
    async with opened(database_url) as database:
        await credit(database, notice("B1", await case_number(database), 100))
        (paid,) = await order(database, [60])
        reference = order_reference(paid)
        out = Line(60, "OUT1", credit=False, end_to_end=reference)
        back = Line(60, "BACK", end_to_end=reference, more="<RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf>")
        assert (await take(database, statement([out, back]))).outcomes == {"paid": 1, "unidentified": 1}
        (waiting,) = (await matching.show_unidentified(database, MACHINE)).credits
        assert waiting.account_no == f"RETURN{reference}"
        assert await money_inside(database) == {"case": 40, "unidentified": 60}


async def test_money_without_a_payer_is_booked_too(database_url: str) -> None:
    async with opened(database_url) as database:
        view = await take(database, notification([Line(5, "B1", name="", account="", to="")]))
        assert view.outcomes == {"unidentified": 1}
        (waiting,) = (await matching.show_unidentified(database, MACHINE)).credits
        assert (waiting.payer_name, waiting.payer_account) == ("未载明", "0")


async def test_without_a_bank_account_no_files_are_exchanged(database_url: str) -> None:
    async with opened(database_url) as database:
        with pytest.raises(NoBankFiles):
            await service.take_file(database, call(MACHINE), b"", None)
        with pytest.raises(NoBankFiles):
            await service.export_orders(database, call(MACHINE), None)
        with pytest.raises(UnusableFile):
            await service.take_file(database, call(MACHINE), b"<a/>", OURS)


async def test_payouts_beyond_one_file_go_into_the_next_and_come_back_executed(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a file of a thousand looks like is tested with its bytes; here the same with fewer."""
    monkeypatch.setattr(service, "MOST_ORDERS", 100)
    async with opened(database_url) as database:
        await credit(database, notice("B1", await case_number(database), 1_000_000))
        ids = await order(database, range(1, 102))
        first, second = (await export(database)).file, (await export(database)).file
        assert first is not None
        assert second is not None
        assert ((first.orders, first.total_fen), (second.orders, second.total_fen)) == ((100, 5_050), (1, 101))
        books = Bank()
        for file in (first, second, first):
            books.receive(await content_of(database, file.id))
        assert [payment.end_to_end for payment in books.paid] == [order_reference(each) for each in ids]
        view = await take(database, notification(books.debits()[:60]))
        assert view.outcomes == {"paid": 60}
        waiting = (await service.show_payment_files(database, MACHINE)).files
        assert [(file.id, file.unanswered) for file in waiting] == [(first.id, 40), (second.id, 1)]
        await take(database, statement(books.debits(), opening=1_000_000))
        assert await money_inside(database) == {"case": 1_000_000 - 5_151}
        assert (await service.show_payment_files(database, MACHINE)).files == ()
        assert await faults(database) == []


async def test_exports_at_once_share_the_orders(database_url: str) -> None:
    async with opened(database_url) as database:
        await credit(database, notice("B1", await case_number(database), 1_000))
        ids = await order(database, [10] * 40)
        made = await asyncio.gather(*[export(database) for _ in range(4)])
        files = [each.file for each in made if each.file]
        written = [payment for file in files for payment in payments_in(await content_of(database, file.id))]
        assert sorted(payment.end_to_end for payment in written) == sorted(map(order_reference, ids))
        assert (await export(database)).file is None


async def test_what_does_not_fit_into_a_message_is_named(database_url: str) -> None:
    async with opened(database_url) as database:
        await credit(database, notice("B1", await case_number(database), 100))
        long = await order(database, [1], Payee("甲", "6" * 35, ""))
        long += await order(database, [1], Payee("甲" * 141, "62", ""))
        (good,) = await order(database, [1], Payee("甲" * 140, "6" * 34, ""))
        made = await export(database)
        assert made.left_out == tuple(long)
        assert made.file is not None
        (payment,) = payments_in(await content_of(database, made.file.id))
        assert payment.end_to_end == order_reference(good)


def run_killed(url: str, step: str, path: Path) -> None:
    """The work of the step in a process of its own, which must die by the step's hand."""
    child = [sys.executable, "-m", "tests.settlement.bank_files.child", url, step, str(path)]
    died = subprocess.run(child, capture_output=True, timeout=60, check=False)
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()


@pytest.mark.parametrize("step", STEPS)
async def test_a_process_killed_at_any_step_loses_nothing_and_pays_nothing_twice(
    database_url: str, tmp_path: Path, step: str
) -> None:
    """Export, hand over, execute, import: killed once in the middle, then run to the end; the bank sees every file."""
    async with opened(database_url) as database:
        number = await case_number(database)
        await credit(database, notice("B1", number, 10_000))
        ids = await order(database, [10] * 5)
        books, folder, told = Bank(), tmp_path / "out", tmp_path / "statement.xml"

        def bank_looks() -> None:
            for path in sorted(folder.glob("*.xml")):
                books.receive(path.read_bytes())

        if step.startswith("export"):
            await asyncio.to_thread(run_killed, database_url, step, folder)
            bank_looks()
        await command_line.export_files(database, OURS, folder)
        bank_looks()
        lines = [*books.debits(), Line(500, "IN", to=number)]
        told.write_bytes(statement(lines, opening=10_000))
        if step.startswith("import"):
            await asyncio.to_thread(run_killed, database_url, step, told)
        assert "refused" not in await command_line.import_file(database, OURS, told)
        await command_line.export_files(database, OURS, folder)
        bank_looks()
        assert Counter(payment.end_to_end for payment in books.paid) == Counter(map(order_reference, ids))
        assert await balance_of(database, "case:one") == 10_000 - 50 + 500
        assert await money_inside(database) == {"case": 10_450}
        assert await faults(database) == []


async def test_control_orders_that_are_not_claimed_are_paid_twice(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What `payment_file_order` prevents: a second file with the orders that the first one has."""

    async def unanswered(tx: Tx, most: int) -> list[UUID]:
        return [each.id for each in await bank_store.waiting_orders(tx, most)]

    async def no_claim(tx: Tx, file_id: UUID, order_ids: Sequence[UUID]) -> set[UUID]:
        return set(order_ids)

    async with opened(database_url) as database:
        await credit(database, notice("B1", await case_number(database), 100))
        await order(database, [60])
        monkeypatch.setattr(store, "waiting_orders", unanswered)
        monkeypatch.setattr(store, "claim_orders", no_claim)
        books = Bank()
        for made in [await export(database), await export(database)]:
            assert made.file is not None
            books.receive(await content_of(database, made.file.id))
        assert [payment.fen for payment in books.paid] == [60, 60]


TAMPERINGS = [
    ("bank_file", "UPDATE settlement.bank_file SET content = content || ' '", "is not the file that was taken"),
    ("bank_file", "UPDATE settlement.bank_file SET closing_fen = 1, content = content", "another balance"),
    ("bank_file", "UPDATE settlement.bank_file SET sha256 = sha256('x')", "audit trail"),
    ("bank_movement", "UPDATE settlement.bank_movement SET amount_fen = 1", "other movements"),
    ("payment_file", "UPDATE settlement.payment_file SET content = 'x'", "is not the file that was made"),
    ("payment_file_order", "DELETE FROM settlement.payment_file_order", "pays other than"),
    ("payment_order", "UPDATE settlement.payment_order SET payee_number = '1'", "pays other than"),
    ("credit_payer", "UPDATE settlement.credit_payer SET payer_account = '1'", "names another payer than bank file"),
]


async def test_files_changed_by_hand_are_found(database_url: str) -> None:
    async with opened(database_url) as database:
        await take(database, statement([Line(500, "B1", to=await case_number(database))]))
        await order(database, [60])
        await export(database)
        assert await faults(database) == []
        for table, statement_, expected in TAMPERINGS:
            async with database.transaction(platform("thief")) as tx:
                await tx.session.execute(text(f"ALTER TABLE settlement.{table} DISABLE TRIGGER ALL"))
                await tx.session.execute(text(statement_))
                found = await verify.faults(tx)
                await tx.session.rollback()
            assert any(expected in fault for fault in found), (statement_, found)
