"""The bank of the demo: takes payment files (pain.001), pays, and tells what moved in notices (camt.054).

It knows of the platform what a bank knows: files, by a machine's account at the HTTP door. A message is taken once and
an order paid once, whatever is handed over again. Who pays in here, pays from outside: it is told in the next notice.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any
from xml.sax.saxutils import escape

from lxml import etree
from sqlalchemy import text

from app.demo.people import Person
from app.demo.schedule import moment_day
from app.demo.stage import Stage
from app.demo.users import User
from kernel.actors import platform
from settlement.bank_files.rules import OurAccount

OURS = OurAccount("100120003000400050", "演示法院案款专户", "演示银行")
LOOK_EVERY_S = 0.2
PAIN = "{urn:iso:std:iso:20022:tech:xsd:pain.001.001.09}"
CAMT = "urn:iso:std:iso:20022:tech:xsd:camt.054.001.08"

WAITING = text(
    "SELECT EXISTS (SELECT FROM settlement.payment_order o"
    " WHERE NOT EXISTS (SELECT FROM settlement.payment_answer a WHERE a.order_id = o.id)"
    " AND NOT EXISTS (SELECT FROM settlement.payment_file_order f WHERE f.order_id = o.id))"
)


@dataclass(frozen=True)
class Move:
    """One movement on the court's account; `number` is the account that was written, `end_to_end` our order's."""

    credit: bool
    fen: int
    holder: str
    account: str
    number: str = ""
    end_to_end: str = "NOTPROVIDED"


@dataclass
class FileBank:
    """The bank's machine and its books."""

    machine: User
    stage: Stage
    files: int = 0
    paid: dict[str, Move] = field(default_factory=dict)
    """What was paid, by the order's reference."""
    notices: list[bytes] = field(default_factory=list)
    _paid_in: list[Move] = field(default_factory=list)
    _told: list[Move] = field(default_factory=list)

    def pay_in(self, person: Person, number: str, fen: int) -> None:
        """Somebody pays onto one of the court's numbers."""
        self._paid_in.append(Move(True, fen, person.real_name, person.account_no, number))

    async def run(self) -> None:
        """Work for ever: fetch what is to be paid, pay it, tell what moved."""
        while True:
            if self._paid_in or await self._orders_wait():
                with self.stage.busy():
                    await self._work()
            await asyncio.sleep(LOOK_EVERY_S)

    async def replay(self) -> bool:
        """Hand every notice over once more, as banks do; whether each is what it was, with nothing left to answer."""
        views = [await self._tell(notice) for notice in self.notices]
        waiting = await self.machine.get("/api/bank/payment-files")
        return all(not view["open"] and not view["refused"] for view in views) and not waiting["files"]

    @property
    def credits_fen(self) -> int:
        """What came in by notices."""
        return sum(move.fen for move in self._told if move.credit)

    async def _orders_wait(self) -> bool:
        async with self.stage.database.reading(platform("demo bank")) as tx:
            return bool((await tx.session.execute(WAITING)).scalar_one())

    async def _work(self) -> None:
        moves, self._paid_in = self._paid_in, []
        made = await self.machine.post("/api/bank/payment-files")
        if made["file"]:
            self.files += 1
            moves += self._pay(await self.machine.fetch(f"/api/bank/payment-files/{made['file']['id']}"))
        if moves:
            self._told += moves
            message = f"DEMO{len(self.notices) + 1:06d}"
            self.notices.append(notice(message, moves, moment_day(self.stage.clock.now())))
            await self._tell(self.notices[-1])

    async def _tell(self, raw: bytes) -> Any:
        return await self.machine.send("/api/bank/files", raw)

    def _pay(self, raw: bytes) -> list[Move]:
        """Execute the orders of a file that were not executed before."""
        orders = [move for move in orders_in(raw) if move.end_to_end not in self.paid]
        self.paid |= {move.end_to_end: move for move in orders}
        return orders


def orders_in(raw: bytes) -> list[Move]:
    """The payment orders of a pain.001, read by the names of its schema."""
    found = []
    for order in etree.fromstring(raw).iter(f"{PAIN}CdtTrfTxInf"):
        texts = [
            order.findtext(path.format(PAIN)) or ""
            for path in (
                "{0}Amt/{0}InstdAmt",
                "{0}Cdtr/{0}Nm",
                "{0}CdtrAcct/{0}Id/{0}Othr/{0}Id",
                "{0}PmtId/{0}EndToEndId",
            )
        ]
        amount, holder, account, reference = texts
        found.append(Move(False, int(Decimal(amount) * 100), holder, account, end_to_end=reference))
    return found


def notice(message: str, moves: list[Move], on: date) -> bytes:
    """A camt.054 with these movements, each under a reference of the bank's own."""
    entries = "".join(_entry(f"{message}-{number}", move, on) for number, move in enumerate(moves, start=1))
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="{CAMT}"><BkToCstmrDbtCdtNtfctn>'
        f"<GrpHdr><MsgId>{message}</MsgId><CreDtTm>{on}T20:00:00+08:00</CreDtTm></GrpHdr>"
        f"<Ntfctn><Id>{message}</Id><Acct><Id><Othr><Id>{OURS.number}</Id></Othr></Id></Acct>{entries}</Ntfctn>"
        "</BkToCstmrDbtCdtNtfctn></Document>"
    ).encode()


def _entry(reference: str, move: Move, on: date) -> str:
    other, side = ("Dbtr", "CRDT") if move.credit else ("Cdtr", "DBIT")
    parties = f"<{other}><Pty><Nm>{escape(move.holder)}</Nm></Pty></{other}>{_account(other + 'Acct', move.account)}"
    if move.number:
        parties += _account("CdtrAcct", move.number)
    return (
        f'<Ntry><NtryRef>1</NtryRef><Amt Ccy="CNY">{Decimal(move.fen).scaleb(-2)}</Amt><CdtDbtInd>{side}</CdtDbtInd>'
        f"<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>{on}</Dt></BookgDt><AcctSvcrRef>{reference}</AcctSvcrRef>"
        f"<BkTxCd><Prtry><Cd>TRF</Cd></Prtry></BkTxCd><NtryDtls><TxDtls>"
        f"<Refs><EndToEndId>{move.end_to_end}</EndToEndId></Refs><RltdPties>{parties}</RltdPties>"
        "</TxDtls></NtryDtls></Ntry>"
    )


def _account(name: str, number: str) -> str:
    return f"<{name}><Id><Othr><Id>{escape(number)}</Id></Othr></Id></{name}>"
