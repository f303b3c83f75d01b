"""The files of the demo's bank are files of the standard: what it writes is read, what is written for it it reads."""

from datetime import UTC, date, datetime
from uuid import UUID

from app.demo.bank import OURS, Move, notice, orders_in
from kernel.money import Fen
from settlement.bank.rules import Instruction, Payee
from settlement.bank_files import iso20022, rules


def test_its_notices_are_read() -> None:
    moves = [
        Move(True, 5, "王某 & 李某", "6222000", "370595017605110124"),
        Move(False, 100_050, "申请执行人", "6217000", end_to_end=UUID(int=7).hex),
    ]
    message = iso20022.read(notice("DEMO000001", moves, date(2026, 8, 3)))
    rules.check(message, OURS)
    paid_in, paid_out = message.movements
    assert (paid_in.account_no, paid_in.party_name, paid_in.amount_fen) == ("370595017605110124", "王某 & 李某", 5)
    assert (paid_out.order_id, paid_out.amount_fen, paid_out.credit) == (UUID(int=7), 100_050, False)
    assert len({movement.reference for movement in message.movements}) == 2


def test_payment_files_are_read_by_it() -> None:
    orders = [
        Instruction(
            UUID(int=number), Payee(f"债权人{number}", f"6217{number:04d}", "某银行"), Fen(number + 1), "plan:1"
        )
        for number in range(3)
    ]
    raw = iso20022.write(OURS, "M1", datetime(2026, 8, 3, tzinfo=UTC), orders)
    assert orders_in(raw) == [
        Move(False, each.amount_fen, each.payee.holder, each.payee.number, end_to_end=each.order_id.hex)
        for each in orders
    ]
