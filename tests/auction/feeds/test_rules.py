"""What feeds write is well formed, whatever stands in a title."""

from datetime import UTC, datetime, timedelta
from uuid import UUID
from xml.etree import ElementTree

from auction.feeds import rules
from auction.feeds.rules import Sale

AT = datetime(2025, 6, 1, 2, 0, tzinfo=UTC)
HOSTILE = '一套<b>&"房", 逗号;分号\\反斜\n第二行 \x08' + "长" * 60
ATOM = "{http://www.w3.org/2005/Atom}"


def sale(**changes: object) -> Sale:
    facts: dict[str, object] = {
        "id": UUID(int=7),
        "title": HOSTILE,
        "summary": "起拍价 280,000.00 元",
        "place": "浙江省杭州市",
        "court_name": "杭州市拱墅区人民法院",
        "opens_at": AT,
        "ends_at": AT + timedelta(days=1),
        "published_at": AT - timedelta(days=30),
        "changed_at": AT,
        "cancelled": False,
    }
    return Sale(**(facts | changes))  # type: ignore[arg-type]


def test_an_atom_feed_is_read_by_an_xml_parser() -> None:
    feed = rules.atom([sale()], origin="http://a.example", path="/feeds/lots.atom?a=1&b=2", title="<标的>", updated=AT)
    root = ElementTree.fromstring(feed.encode())
    assert root.findtext(f"{ATOM}title") == "<标的>"
    assert root.findtext(f"{ATOM}updated") == "2025-06-01T10:00:00.000+08:00"
    entry = root.find(f"{ATOM}entry")
    assert entry is not None
    assert entry.findtext(f"{ATOM}title") == HOSTILE.replace("\x08", "")
    link = entry.find(f"{ATOM}link")
    assert link is not None
    assert link.get("href") == f"http://a.example/lots/{UUID(int=7)}"


def test_a_calendar_is_folded_by_octets_and_unfolds_to_what_was_meant() -> None:
    calendar = rules.icalendar([sale()], origin="http://a.example", title="标的", remind=True)
    lines = calendar.split("\r\n")
    assert all(len(line.encode()) <= 75 for line in lines)
    assert "\n" not in calendar.replace("\r\n", "")
    unfolded = calendar.replace("\r\n ", "")
    escaped = HOSTILE.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")
    assert f"SUMMARY:{escaped}\r\n" in unfolded
    assert "DTSTART:20250601T020000Z\r\n" in unfolded
    assert unfolded.count("BEGIN:VALARM") == len(rules.REMIND_BEFORE)
    assert "STATUS:CANCELLED" in rules.icalendar([sale(cancelled=True)], origin="", title="", remind=False)
