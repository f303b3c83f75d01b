"""What a paper is, its hash, and its page.

Invariant: a paper is its data; PDF and HTML are made of nothing else, so the same data give the same bytes.
"""

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from html import escape

import msgspec

FORMAT = b"paper/1"


class PaperKind(StrEnum):
    """The papers, each about one thing."""

    CONFIRMATION = "confirmation"
    PAYMENT_NOTICE = "payment_notice"
    PLAN = "plan"
    PAYOUT_FORM = "payout_form"
    CASE_ACCOUNT = "case_account"


TITLES = {
    PaperKind.CONFIRMATION: "网络司法拍卖成交确认书",
    PaperKind.PAYMENT_NOTICE: "缴纳拍卖尾款通知书",
    PaperKind.PLAN: "执行财产分配方案",
    PaperKind.PAYOUT_FORM: "执行案款发放审批表",
    PaperKind.CASE_ACCOUNT: "执行案款账户对账单",
}


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a head; `sums` are the columns of amounts, `widths` shares of the page."""

    title: str
    head: tuple[str, ...]
    widths: tuple[int, ...]
    sums: tuple[int, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Paper:
    """All that a paper shows; `on` is its day, `code` what its footer says to find it again."""

    title: str
    court: str
    case_no: str
    on: str
    code: str
    fields: tuple[tuple[str, str], ...] = ()
    paragraphs: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    signatures: tuple[tuple[str, str], ...] = ()


def data_of(paper: Paper) -> bytes:
    """The paper as JSON: what is kept, hashed and laid out."""
    return msgspec.json.encode(paper)


def data_hash(data: bytes) -> bytes:
    """SHA-256 over everything the paper says."""
    return hashlib.sha256(FORMAT + data).digest()


def html_of(data: bytes) -> bytes:
    """The paper as a page of its own: no script, no style, nothing from elsewhere."""
    paper = msgspec.json.decode(data, type=Paper)
    parts = [
        '<!DOCTYPE html>\n<html lang="zh-CN">\n<head>\n<meta charset="utf-8">\n',
        f"<title>{escape(paper.title)} {escape(paper.case_no)}</title>\n</head>\n<body>\n<article>\n<header>\n",
        f"<p>{escape(paper.court)}</p>\n<h1>{escape(paper.title)}</h1>\n<p>{escape(paper.case_no)}</p>\n</header>\n",
    ]
    if paper.fields:
        rows = (f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>\n" for name, value in paper.fields)
        parts += ["<dl>\n", *rows, "</dl>\n"]
    parts += [f"<p>{escape(words)}</p>\n" for words in paper.paragraphs]
    for table in paper.tables:
        parts += ["<table>\n", f"<caption>{escape(table.title)}</caption>\n<thead>\n<tr>"]
        parts += [f'<th scope="col">{escape(words)}</th>' for words in table.head]
        parts.append("</tr>\n</thead>\n<tbody>\n")
        parts += [f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>\n" for row in table.rows]
        parts.append("</tbody>\n</table>\n")
    parts += [f"<p>{escape(name)}：{escape(value)}</p>\n" for name, value in paper.signatures]
    parts += [f"<footer>\n<p>{escape(paper.court)} {escape(paper.on)}</p>\n<p>{escape(paper.code)}</p>\n</footer>\n"]
    parts.append("</article>\n</body>\n</html>\n")
    return "".join(parts).encode()
