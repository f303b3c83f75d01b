"""ISO 20022 to and from what the slice knows: camt.053 and camt.054 are read, pain.001 is written.

Reading is strict: no document type, nothing that the schema does not allow, no status, currency or fraction of a fen
that we do not know, text as clean as from any door. Thousands of entries take a second: call both in a thread.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

from lxml import etree
from pyiso20022.camt import camt_053_001_08 as camt_053
from pyiso20022.camt import camt_054_001_08 as camt_054
from pyiso20022.pain import pain_001_001_09 as pain
from xsdata.exceptions import ParserError
from xsdata.formats.dataclass.parsers import XmlParser
from xsdata.formats.dataclass.parsers.config import ParserConfig
from xsdata.formats.dataclass.parsers.handlers import LxmlEventHandler
from xsdata.formats.dataclass.serializers import XmlSerializer
from xsdata.formats.dataclass.serializers.config import SerializerConfig
from xsdata.models.datatype import XmlDate, XmlDateTime

from kernel.clock import BEIJING, beijing_day
from kernel.decoding import clean_text
from kernel.money import MAX_FEN, Fen
from settlement.bank.rules import Instruction
from settlement.bank_files.errors import UnusableFile
from settlement.bank_files.rules import Balances, Message, MessageKind, Movement, OurAccount, order_reference, total_fen

PAIN = "pain.001.001.09"
NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:"
READABLE: dict[str, tuple[MessageKind, Any]] = {
    "camt.053.001.08": (MessageKind.STATEMENT, camt_053.Document),
    "camt.054.001.08": (MessageKind.NOTICE, camt_054.Document),
}
BOOKED = "BOOK"
NOT_YET_BOOKED = frozenset({"PDNG", "INFO", "FUTR"})
OPENING = ("OPBD", "PRCD")
CLOSING = ("CLBD",)
CURRENCY = "CNY"
NAMELESS = "未载明"
"""Who paid, where the bank does not say."""


def read(raw: bytes) -> Message:
    """The message in a file; raises `UnusableFile` with the first thing that keeps it from being read."""
    root = _parsed(raw)
    name = etree.QName(root).namespace or ""
    if name.removeprefix(NAMESPACE) not in READABLE or not name.startswith(NAMESPACE):
        raise UnusableFile("Document", " / ".join(READABLE))
    kind, document_type = READABLE[name.removeprefix(NAMESPACE)]
    schema = _schema(name.removeprefix(NAMESPACE))
    if not schema.validate(root):
        fault = schema.error_log[0]
        raise UnusableFile(f"line {fault.line}", _readable(fault.message))
    config = ParserConfig(fail_on_unknown_properties=True, fail_on_converter_warnings=True)
    try:
        document = XmlParser(config=config, handler=LxmlEventHandler).parse(root, document_type)
    except (ParserError, ValueError) as error:
        raise UnusableFile("Document", _readable(str(error))) from None
    return _message(kind, document)


def write(ours: OurAccount, message_id: str, made_at: datetime, instructions: Sequence[Instruction]) -> bytes:
    """A payment file of these orders, each debited by itself so that statements name it; always the same bytes."""
    total, number = _yuan(total_fen(instructions)), str(len(instructions))
    payment = pain.PaymentInstruction30(
        pmt_inf_id=message_id,
        pmt_mtd=pain.PaymentMethod3Code.TRF,
        btch_bookg=False,
        nb_of_txs=number,
        ctrl_sum=total,
        reqd_exctn_dt=pain.DateAndDateTime2Choice(dt=XmlDate.from_date(beijing_day(made_at))),
        dbtr=pain.PartyIdentification135(nm=ours.holder),
        dbtr_acct=_account(ours.number),
        dbtr_agt=_agent(ours.bank),
        cdt_trf_tx_inf=[_transaction(instruction) for instruction in instructions],
    )
    header = pain.GroupHeader85(
        msg_id=message_id,
        cre_dt_tm=XmlDateTime.from_datetime(made_at.astimezone(BEIJING)),
        nb_of_txs=number,
        ctrl_sum=total,
        initg_pty=pain.PartyIdentification135(nm=ours.holder),
    )
    document = pain.Document(
        cstmr_cdt_trf_initn=pain.CustomerCreditTransferInitiationV09(grp_hdr=header, pmt_inf=[payment])
    )
    serializer = XmlSerializer(config=SerializerConfig(indent=" "))
    raw = serializer.render(document, ns_map={None: NAMESPACE + PAIN}).encode()
    schema = _schema(PAIN)
    if not schema.validate(etree.fromstring(raw)):
        raise UnusableFile(PAIN, _readable(schema.error_log[0].message))
    return raw


def _parsed(raw: bytes) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(raw, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise UnusableFile("XML", _readable(str(error))) from None
    if root.getroottree().docinfo.doctype:
        raise UnusableFile("DOCTYPE", "none", "不得有")
    return root


def _schema(name: str) -> etree.XMLSchema:
    """A schema of the caller's own: validation keeps its errors on the schema, which threads must not share."""
    return etree.XMLSchema(_schema_tree(name))


@cache
def _schema_tree(name: str) -> etree._Element:
    return etree.fromstring(files("settlement.bank_files").joinpath(f"xsd/{name}.xsd").read_bytes())


def _message(kind: MessageKind, document: Any) -> Message:
    if kind is MessageKind.STATEMENT:
        message, reports = document.bk_to_cstmr_stmt, document.bk_to_cstmr_stmt.stmt
        pages = [report.stmt_pgntn for report in reports]
    else:
        message, reports = document.bk_to_cstmr_dbt_cdt_ntfctn, document.bk_to_cstmr_dbt_cdt_ntfctn.ntfctn
        pages = [report.ntfctn_pgntn for report in reports]
    if len(reports) != 1:
        raise UnusableFile(f"{kind}", "one account and one day", "每份文件一个账户、一天")
    if any(page is not None and not page.last_pg_ind for page in [*pages, message.grp_hdr.msg_pgntn]):
        raise UnusableFile("LastPgInd", "true: files are not put together from pages", "true（不拼接分页文件）")
    (report,) = reports
    booked = [entry for entry in report.ntry if _is_booked(entry)]
    return Message(
        kind=kind,
        message_id=_text("MsgId", message.grp_hdr.msg_id),
        account=_number(report.acct),
        movements=tuple(movement for entry in booked for movement in _movements(entry)),
        waiting=len(report.ntry) - len(booked),
        balances=_balances(report) if kind is MessageKind.STATEMENT else None,
    )


def _is_booked(entry: Any) -> bool:
    status = entry.sts.cd
    if status != BOOKED and status not in NOT_YET_BOOKED:
        raise UnusableFile("Sts", f"{BOOKED}, {', '.join(sorted(NOT_YET_BOOKED))}")
    return bool(status == BOOKED)


def _movements(entry: Any) -> Iterator[Movement]:
    """The movements of an entry: one for each transaction that the bank booked together."""
    details = [details for group in entry.ntry_dtls for details in group.tx_dtls]
    entry_fen, booked_on = _fen(entry.amt), _day("BookgDt", entry.bookg_dt)
    if len(details) <= 1:
        yield _movement(entry, details[0] if details else None, entry.acct_svcr_ref, entry_fen, booked_on)
        return
    amounts = [_fen(each.amt) for each in details]
    if sum(amounts) != entry_fen:
        raise UnusableFile("TxDtls/Amt", f"{entry_fen} fen in all", f"合计 {entry_fen} 分")
    for number, (each, amount_fen) in enumerate(zip(details, amounts, strict=True), start=1):
        if each.cdt_dbt_ind is not None and each.cdt_dbt_ind.value != entry.cdt_dbt_ind.value:
            raise UnusableFile("TxDtls/CdtDbtInd", entry.cdt_dbt_ind.value)
        shared = f"{entry.acct_svcr_ref}/{number}" if entry.acct_svcr_ref else None
        yield _movement(entry, each, shared, amount_fen, booked_on)


def _movement(entry: Any, details: Any, entry_reference: str | None, amount_fen: Fen, booked_on: date) -> Movement:
    references = details.refs if details else None
    reference = (references.acct_svcr_ref if references else None) or entry_reference
    if not reference:
        raise UnusableFile("AcctSvcrRef", "the bank's own reference of every movement", "每笔收支均有银行流水号")
    credit = entry.cdt_dbt_ind.value == "CRDT"
    parties = details.rltd_pties if details else None
    payer = (parties.dbtr, parties.dbtr_acct) if parties else (None, None)
    payee = (parties.cdtr, parties.cdtr_acct) if parties else (None, None)
    other, other_account = payer if credit else payee
    return Movement(
        reference=_text("AcctSvcrRef", reference),
        credit=credit,
        amount_fen=amount_fen,
        booked_on=booked_on,
        end_to_end_id=_text("EndToEndId", (references.end_to_end_id if references else None) or ""),
        account_no=_number(payee[1]) if credit else "",
        party_name=_name(other),
        party_account=_number(other_account),
        returned=bool(entry.rvsl_ind) or bool(details and details.rtr_inf),
    )


def _balances(report: Any) -> Balances:
    opening, closing = _balance(report, OPENING), _balance(report, CLOSING)
    return Balances(_day("Bal/Dt", closing.dt), _signed(opening), _signed(closing))


def _balance(report: Any, codes: tuple[str, ...]) -> Any:
    found = [balance for balance in report.bal if balance.tp.cd_or_prtry.cd in codes and balance.tp.sub_tp is None]
    if len(found) != 1:
        raise UnusableFile("Bal", f"one {' or '.join(codes)}", f"恰有一个 {' 或 '.join(codes)}")
    return found[0]


def _signed(balance: Any) -> int:
    amount_fen = _fen(balance.amt, least=0)
    return amount_fen if balance.cdt_dbt_ind.value == "CRDT" else -amount_fen


def _fen(amount: Any, least: int = 1) -> Fen:
    """Whole fen; the schemas would let a thousandth of a yuan pass."""
    if amount is None or amount.ccy != CURRENCY:
        raise UnusableFile("Amt", CURRENCY)
    fen = amount.value * 100
    if fen != fen.to_integral_value() or not least <= fen <= MAX_FEN:
        where = f"Amt {_readable(str(amount.value))}"
        raise UnusableFile(where, f"{least} to {MAX_FEN} whole fen", f"{least} 至 {MAX_FEN} 的整数分")
    return Fen(int(fen))


def _day(where: str, value: Any) -> date:
    """The day in Beijing; a time without an offset is Beijing's."""
    if value is None:
        raise UnusableFile(where, "a date", "日期")
    try:
        if value.dt is not None:
            day: date = value.dt.to_date()
            return day
        moment: datetime = value.dt_tm.to_datetime()
    except ValueError:
        raise UnusableFile(where, "a date", "日期") from None
    return beijing_day(moment if moment.tzinfo else moment.replace(tzinfo=BEIJING))


def _number(account: Any) -> str:
    """An account number in letters and digits, as banks print it with blanks and dashes; empty where none stands."""
    if account is None:
        return ""
    written = account.id.iban or account.id.othr.id
    number = "".join(sign for sign in written if sign.isascii() and sign.isalnum())
    if len(number) != sum(sign not in " -" for sign in written):
        raise UnusableFile("Acct/Id", "letters and digits", "字母和数字")
    return number


def _name(party: Any) -> str:
    found = None
    if party is not None:
        found = party.pty.nm if party.pty else party.agt.fin_instn_id.nm
    return _text("Nm", " ".join((found or "").split())) or NAMELESS


def _text(where: str, text: str) -> str:
    try:
        return clean_text(text)
    except ValueError as error:
        raise UnusableFile(where, _readable(str(error))) from None


def _transaction(instruction: Instruction) -> Any:
    payee = instruction.payee
    amount = pain.ActiveOrHistoricCurrencyAndAmount(value=_yuan(instruction.amount_fen), ccy=CURRENCY)
    return pain.CreditTransferTransaction34(
        pmt_id=pain.PaymentIdentification6(end_to_end_id=order_reference(instruction.order_id)),
        amt=pain.AmountType4Choice(instd_amt=amount),
        cdtr_agt=_agent(payee.bank) if payee.bank else None,
        cdtr=pain.PartyIdentification135(nm=payee.holder),
        cdtr_acct=_account(payee.number),
        rmt_inf=pain.RemittanceInformation16(ustrd=[instruction.document[:140]]),
    )


def _account(number: str) -> Any:
    other = pain.GenericAccountIdentification1(id=number)
    return pain.CashAccount38(id=pain.AccountIdentification4Choice(othr=other))


def _agent(name: str) -> Any:
    institution = pain.FinancialInstitutionIdentification18(nm=name)
    return pain.BranchAndFinancialInstitutionIdentification6(fin_instn_id=institution)


def _yuan(fen: int) -> Decimal:
    return Decimal(fen).scaleb(-2)


def _readable(text: str) -> str:
    """One printable line of bounded length: it quotes what the sender wrote."""
    shown = "".join(sign if sign.isprintable() else " " for sign in text)
    return shown if len(shown) <= 200 else shown[:200] + "…"
