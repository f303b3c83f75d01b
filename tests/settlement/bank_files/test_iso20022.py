"""Files read strictly and written validly: what is not exactly known is refused, whole fen only, names untouched."""

import hashlib
import re
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from kernel.money import Fen
from settlement.bank.rules import Instruction, Payee
from settlement.bank_files import iso20022
from settlement.bank_files.errors import UnusableFile
from settlement.bank_files.rules import MessageKind, check, order_reference
from tests.settlement.bank_files.bank import DAY, OURS, Line, Payment, balance, notification, payments_in, statement

XSD = Path(iso20022.__file__).parent / "xsd"
ORDER = UUID("01936d5a-0000-7000-8000-000000000001")


def test_the_schemas_are_those_that_iso_published() -> None:
    told = dict(re.findall(r"`(\S+\.xsd)` \| `([0-9a-f]{64})`", (XSD / "README.md").read_text()))
    assert told == {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in XSD.glob("*.xsd")}


def test_a_statement_is_read_to_the_fen() -> None:
    lines = [
        Line(123_456_789_012_345, "A", to="100000000000000001", name="欧阳㛃·买买提", account="6222 0000-1111"),
        Line(1, "B", credit=False, end_to_end=order_reference(ORDER)),
        Line(5, "C", status="PDNG"),
    ]
    message = iso20022.read(statement(lines, opening=10, message="M1"))
    check(message, OURS)
    assert (message.kind, message.message_id, message.account) == (MessageKind.STATEMENT, "M1", OURS.number)
    first, second = message.movements
    assert (first.amount_fen, first.account_no, first.party_name) == (lines[0].fen, lines[0].to, "欧阳㛃·买买提")
    assert (first.party_account, first.booked_on, first.order_id) == ("622200001111", DAY, None)
    assert (second.credit, second.gain_fen, second.order_id) == (False, -1, ORDER)
    assert message.waiting == 1
    assert message.balances is not None
    assert message.balances.closing_fen == 10 + lines[0].fen - 1


def test_an_overdrawn_account_and_transactions_booked_together() -> None:
    """One entry, two transactions: each has its own amount, and together they are the entry."""
    both = (
        '<Amt Ccy="CNY">0.03</Amt><CdtDbtInd>CRDT</CdtDbtInd></TxDtls><TxDtls><Refs><AcctSvcrRef>OWN</AcctSvcrRef>'
        '</Refs><Amt Ccy="CNY">0.07</Amt>'
    )
    raw = notification([Line(10, "E", more="@")]).decode()
    raw = re.sub("<RltdPties>.*</RltdPties>@", both, raw)
    assert [(each.reference, each.amount_fen) for each in iso20022.read(raw.encode()).movements] == [
        ("E/1", 3),
        ("OWN", 7),
    ]
    with pytest.raises(UnusableFile, match="TxDtls"):
        iso20022.read(raw.replace("0.07", "0.08").encode())
    overdrawn = iso20022.read(statement([Line(4, credit=False)], opening=-1)).balances
    assert overdrawn is not None
    assert (overdrawn.opening_fen, overdrawn.closing_fen) == (-1, -5)


GOOD = statement([Line(100_050, "A", to="1")]).decode()
UNUSABLE = {
    "no XML": "hello",
    "empty": "",
    "document type": GOOD.replace("<Document", "<!DOCTYPE Document><Document", 1),
    "entity": GOOD.replace("<Document", '<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><Document', 1),
    "laughs": GOOD.replace("<Document", '<!DOCTYPE d [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><Document', 1),
    "other version": GOOD.replace("camt.053.001.08", "camt.053.001.02"),
    "other message": GOOD.replace("camt.053.001.08", "camt.052.001.08"),
    "namespace with a prefix": GOOD.replace("urn:iso", "x:urn:iso"),
    "unknown element": GOOD.replace("<NtryRef>", "<Surprise/><NtryRef>"),
    "missing element": GOOD.replace("<CdtDbtInd>CRDT</CdtDbtInd><Sts>", "<Sts>"),
    "exponent": GOOD.replace(">1000.50<", ">1.0005e3<"),
    "negative": GOOD.replace(">1000.50<", ">-1000.50<"),
    "thousandth": GOOD.replace(">1000.50<", ">1000.505<"),
    "not a number": GOOD.replace(">1000.50<", ">NaN<"),
    "zero": GOOD.replace(">1000.50<", ">0.00<"),
    "beyond": GOOD.replace(">1000.50<", ">10000000000000.01<"),
    "other currency": GOOD.replace('Ccy="CNY">1000.50', 'Ccy="USD">1000.50', 1),
    "unknown status": GOOD.replace("<Cd>BOOK</Cd>", "<Cd>DONE</Cd>"),
    "no booking date": GOOD.replace(f"<BookgDt><Dt>{DAY}</Dt></BookgDt>", ""),
    "impossible date": GOOD.replace(f"<BookgDt><Dt>{DAY}</Dt>", "<BookgDt><Dt>2025-02-29</Dt>"),
    "no reference": GOOD.replace("<AcctSvcrRef>A</AcctSvcrRef>", ""),
    "right to left": GOOD.replace("王小明", "王\u202e小明"),
    "number in Chinese": GOOD.replace("<Id>1</Id>", "<Id>壹</Id>"),
    "two closing balances": GOOD.replace("<Ntry>", balance("CLBD", 5) + "<Ntry>", 1),
    "no opening balance": GOOD.replace("<Cd>OPBD</Cd>", "<Cd>OPAV</Cd>"),
    "a page of several": GOOD.replace("<Id>STMT", "<Id>STMT", 1).replace(
        "<Acct>", "<StmtPgntn><PgNb>1</PgNb><LastPgInd>false</LastPgInd></StmtPgntn><Acct>", 1
    ),
}


@pytest.mark.parametrize("fault", UNUSABLE)
def test_what_is_not_exactly_known_is_refused(fault: str) -> None:
    assert iso20022.read(GOOD.encode()).movements
    with pytest.raises(UnusableFile) as told:
        iso20022.read(UNUSABLE[fault].encode())
    assert told.value.detail_en.isprintable()
    assert "root:" not in told.value.detail_en


@pytest.mark.parametrize("raw", [b"\xff\xfe<", b"<?xml version='1.0' encoding='nonsense'?><a/>", b"\x00", b"<a>" * 500])
def test_bytes_that_are_no_text_are_refused(raw: bytes) -> None:
    with pytest.raises(UnusableFile):
        iso20022.read(raw)


def test_a_message_must_be_ours_and_add_up() -> None:
    for raw in (
        statement([Line(5)]).replace(OURS.number.encode(), b"999"),
        statement([Line(5)], closing=6),
        statement([Line(5, "R"), Line(5, "R")]),
    ):
        with pytest.raises(UnusableFile):
            check(iso20022.read(raw), OURS)


def test_a_thousand_orders_are_written_validly_and_always_alike() -> None:
    made_at = datetime(2025, 3, 3, 1, 0, tzinfo=UTC)
    orders = [
        Instruction(
            uuid4(),
            Payee(f"申请执行人㛃<&>{n}", f"6222{n:012d}", "建设银行" if n % 2 else ""),
            Fen(10 ** (n - 1)),
            "payout:1",
        )
        for n in range(1, 16)
    ] + [Instruction(uuid4(), Payee("乙", "62", ""), Fen(n), "d" * 200) for n in range(1, 986)]
    raw = iso20022.write(OURS, "f" * 32, made_at, orders)
    assert raw == iso20022.write(OURS, "f" * 32, made_at, orders)
    assert payments_in(raw) == [
        Payment(order_reference(each.order_id), each.amount_fen, each.payee.holder, each.payee.number)
        for each in orders
    ]
    assert b"<NbOfTxs>1000</NbOfTxs>" in raw
