"""A bank that writes and reads files: camt out of what happened, pain.001 read by its schema's names alone."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import count
from xml.sax.saxutils import escape

from lxml import etree

from settlement.bank_files.rules import OurAccount

OURS = OurAccount("100120003000400050", "某市中级人民法院", "工商银行某支行")
DAY = date(2025, 3, 3)
NUMBERS = count(1)
PAIN = "{urn:iso:std:iso:20022:tech:xsd:pain.001.001.09}"


@dataclass(frozen=True)
class Line:
    """One movement as the bank would tell it."""

    fen: int
    reference: str = field(default_factory=lambda: f"REF{next(NUMBERS)}")
    credit: bool = True
    to: str = ""
    name: str = "王小明"
    account: str = "6222000011112222"
    end_to_end: str = "NOTPROVIDED"
    status: str = "BOOK"
    on: date = DAY
    more: str = ""
    """Further elements of the transaction's details."""


def yuan(fen: int) -> str:
    return str(Decimal(fen).scaleb(-2))


def entry(line: Line) -> str:
    """The line as an entry of either message."""
    debtor = _party("Dbtr", line.name) + _account("DbtrAcct", line.account)
    creditor = _party("Cdtr", line.name) + _account("CdtrAcct", line.account)
    parties = debtor + _account("CdtrAcct", line.to) if line.credit else creditor
    return (
        f'<Ntry><NtryRef>1</NtryRef><Amt Ccy="CNY">{yuan(line.fen)}</Amt>'
        f"<CdtDbtInd>{'CRDT' if line.credit else 'DBIT'}</CdtDbtInd><Sts><Cd>{line.status}</Cd></Sts>"
        f"<BookgDt><Dt>{line.on}</Dt></BookgDt><AcctSvcrRef>{line.reference}</AcctSvcrRef>"
        f"<BkTxCd><Prtry><Cd>TRF</Cd></Prtry></BkTxCd><NtryDtls><TxDtls>"
        f"<Refs><EndToEndId>{line.end_to_end}</EndToEndId></Refs>"
        f"<RltdPties>{parties}</RltdPties>{line.more}</TxDtls></NtryDtls></Ntry>"
    )


def _party(name: str, written: str) -> str:
    return f"<{name}><Pty><Nm>{escape(written)}</Nm></Pty></{name}>" if written else ""


def _account(name: str, number: str) -> str:
    return f"<{name}><Id><Othr><Id>{escape(number)}</Id></Othr></Id></{name}>" if number else ""


def balance(code: str, fen: int, day: date = DAY) -> str:
    sign = "CRDT" if fen >= 0 else "DBIT"
    return (
        f'<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy="CNY">{yuan(abs(fen))}</Amt>'
        f"<CdtDbtInd>{sign}</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>"
    )


def statement(
    lines: Sequence[Line], *, opening: int = 0, closing: int | None = None, day: date = DAY, message: str = ""
) -> bytes:
    """A camt.053 of one day; the closing balance follows from the booked lines unless it is given."""
    message = message or f"STMT{next(NUMBERS)}"
    gains = sum(line.fen if line.credit else -line.fen for line in lines if line.status == "BOOK")
    closing = opening + gains if closing is None else closing
    return _message(
        "camt.053.001.08",
        "BkToCstmrStmt",
        "Stmt",
        message,
        balance("OPBD", opening, day) + balance("CLBD", closing, day) + "".join(entry(line) for line in lines),
    )


def notification(lines: Sequence[Line], *, message: str = "") -> bytes:
    """A camt.054."""
    message = message or f"NTFC{next(NUMBERS)}"
    entries = "".join(entry(line) for line in lines)
    return _message("camt.054.001.08", "BkToCstmrDbtCdtNtfctn", "Ntfctn", message, entries)


def _message(name: str, element: str, report: str, message: str, inside: str) -> bytes:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="urn:iso:std:iso:20022:tech:xsd:{name}"><{element}>'
        f"<GrpHdr><MsgId>{message}</MsgId><CreDtTm>2025-03-03T20:00:00+08:00</CreDtTm></GrpHdr>"
        f"<{report}><Id>{message}</Id><Acct><Id><Othr><Id>{OURS.number}</Id></Othr></Id></Acct>{inside}</{report}>"
        f"</{element}></Document>"
    ).encode()


@dataclass(frozen=True)
class Payment:
    """One payment order as the bank reads it from a file."""

    end_to_end: str
    fen: int
    holder: str
    number: str


@dataclass
class Bank:
    """A bank's books: it takes each message id once, whatever is handed over again, and pays each order once."""

    taken: set[str] = field(default_factory=set)
    paid: list[Payment] = field(default_factory=list)

    def receive(self, raw: bytes) -> None:
        """Take a payment file and execute its orders."""
        root = etree.fromstring(raw)
        message = root.findtext(f".//{PAIN}GrpHdr/{PAIN}MsgId")
        assert message is not None
        if message not in self.taken:
            self.taken.add(message)
            self.paid += payments_in(raw)

    def debits(self) -> list[Line]:
        """Every payment made, as the statement tells it."""
        return [
            Line(each.fen, f"OUT{each.end_to_end[:20]}", False, "", each.holder, each.number, each.end_to_end)
            for each in self.paid
        ]


def payments_in(raw: bytes) -> list[Payment]:
    root = etree.fromstring(raw)
    found = []
    for order in root.iter(f"{PAIN}CdtTrfTxInf"):
        amount, reference = order.findtext(f".//{PAIN}InstdAmt"), order.findtext(f".//{PAIN}EndToEndId")
        holder = order.findtext(f"{PAIN}Cdtr/{PAIN}Nm")
        assert amount is not None
        assert reference is not None
        assert holder is not None
        number = order.findtext(f"{PAIN}CdtrAcct/{PAIN}Id/{PAIN}Othr/{PAIN}Id")
        assert number is not None
        found.append(Payment(reference, int(Decimal(amount) * 100), holder, number))
    return found
