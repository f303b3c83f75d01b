"""The formats of the feeds: Atom (RFC 4287) and iCalendar (RFC 5545), from plain facts.

Invariant: whatever stands in a title or a name, what is written here is well formed.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID
from xml.sax.saxutils import escape, quoteattr

from kernel.clock import beijing

LINE_OCTETS = 75
"""An iCalendar line is folded so that none is longer, its break not counted."""

REMIND_BEFORE = ("-P1D", "-PT1H")


@dataclass(frozen=True, slots=True)
class Sale:
    """A published lot as feeds tell it."""

    id: UUID
    title: str
    summary: str
    place: str
    court_name: str
    opens_at: datetime
    ends_at: datetime
    published_at: datetime
    changed_at: datetime
    cancelled: bool


def atom(sales: Iterable[Sale], *, origin: str, path: str, title: str, updated: datetime) -> str:
    """An Atom feed; `updated` stands for a feed without entries too."""
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        '<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="zh-CN">',
        f"<title>{_xml(title)}</title>",
        f"<id>{_xml(origin + path)}</id>",
        f'<link rel="self" type="application/atom+xml" href={quoteattr(origin + path)}/>',
        f'<link rel="alternate" type="text/html" href={quoteattr(origin + "/")}/>',
        f"<updated>{beijing(updated)}</updated>",
    ]
    for sale in sales:
        lines += [
            "<entry>",
            f"<title>{_xml(sale.title)}</title>",
            f"<id>urn:uuid:{sale.id}</id>",
            f'<link rel="alternate" type="text/html" href={quoteattr(f"{origin}/lots/{sale.id}")}/>',
            f"<published>{beijing(sale.published_at)}</published>",
            f"<updated>{beijing(sale.changed_at)}</updated>",
            f"<author><name>{_xml(sale.court_name)}</name></author>",
            f"<summary>{_xml(sale.summary)}</summary>",
            "</entry>",
        ]
    return "\n".join([*lines, "</feed>\n"])


def icalendar(sales: Iterable[Sale], *, origin: str, title: str, remind: bool) -> str:
    """A calendar with one event from opening to planned end each; `remind` adds alarms a day and an hour before."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//judicial-auction//lots//ZH",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"X-WR-CALNAME:{_text(title)}",
    ]
    for sale in sales:
        lines += _event(sale, origin, remind)
    return "".join(f"{folded}\r\n" for line in [*lines, "END:VCALENDAR"] for folded in _folded(line))


def _event(sale: Sale, origin: str, remind: bool) -> list[str]:
    url = f"{origin}/lots/{sale.id}"
    alarms = [
        line
        for before in (REMIND_BEFORE if remind else ())
        for line in (
            "BEGIN:VALARM",
            "ACTION:DISPLAY",
            f"TRIGGER:{before}",
            f"DESCRIPTION:{_text(sale.title)}",
            "END:VALARM",
        )
    ]
    return [
        "BEGIN:VEVENT",
        f"UID:{sale.id}@judicial-auction",
        f"DTSTAMP:{_utc(sale.changed_at)}",
        f"LAST-MODIFIED:{_utc(sale.changed_at)}",
        f"DTSTART:{_utc(sale.opens_at)}",
        f"DTEND:{_utc(sale.ends_at)}",
        f"SUMMARY:{_text(sale.title)}",
        f"DESCRIPTION:{_text(sale.summary)}\\n{_text(url)}",
        f"LOCATION:{_text(sale.place)}",
        f"URL:{url}",
        f"STATUS:{'CANCELLED' if sale.cancelled else 'CONFIRMED'}",
        *alarms,
        "END:VEVENT",
    ]


def _xml(text: str) -> str:
    """Escaped, without the control characters that XML cannot hold at all."""
    return escape("".join(sign for sign in text if sign >= " " or sign in "\t\n"))


def _text(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return escaped.replace("\r\n", "\\n").replace("\n", "\\n").replace("\r", "\\n")


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _folded(line: str) -> Iterator[str]:
    """The line in pieces of at most 75 octets, never inside a character; every further one begins with a blank."""
    piece, size = "", 0
    for sign in line:
        octets = len(sign.encode())
        if size + octets > LINE_OCTETS:
            yield piece
            piece, size = " ", 1
        piece += sign
        size += octets
    yield piece
