"""How the catalogue is searched and paged.

A search finds a lot if every word stands in it as written. Words are looked up by pairs of characters, since
segmenters lose what they glue together (林权证 hides 林权); every hit is then compared as text.
"""

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

import msgspec

from kernel.clock import BEIJING, beijing_day
from kernel.errors import Malformed

MOST_WORDS = 8
LONGEST_QUERY = 100
FREQUENT_PERCENT = 30
"""A word that more lots have than this is looked for in the texts themselves."""
TODAY = "today"
A_MINUTE = timedelta(minutes=1)
YEARS = range(2000, 2200)


class Sort(StrEnum):
    """The order of the catalogue."""

    ENDS_SOONEST = "ends_soonest"
    NEWEST = "newest"
    PRICE = "price"
    DISCOUNT = "discount"
    MOST_WATCHED = "most_watched"


class Span(NamedTuple):
    """From one moment on, before another."""

    since: datetime
    until: datetime


def span_of(wanted: str, now: datetime) -> Span:
    """The span in which a lot must end: what is left of today in Beijing, or the minute that begins at a moment."""
    if wanted == TODAY:
        return rest_of_day(now)
    moment = _moment(wanted)
    if moment is None or moment.tzinfo is None or moment.year not in YEARS:
        raise Malformed("ends", f"`{TODAY}` or a time with offset", f"{TODAY} 或带时区的时间")
    return Span(moment, moment + A_MINUTE)


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def rest_of_day(now: datetime) -> Span:
    """From now to midnight in Beijing."""
    midnight = datetime.combine(beijing_day(now) + timedelta(days=1), time(), BEIJING)
    return Span(now, midnight)


class Cursor(NamedTuple):
    """The last row of a page: its value in the order, and its id to break ties."""

    value: int
    id: UUID


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a query, normalised as searched text is; `frequent`: more lots than `FREQUENT_PERCENT` have it."""

    text: str
    frequent: bool = False

    @property
    def by_pairs(self) -> bool:
        """Whether to look in the index of pairs; a single character has none, a frequent word gains nothing."""
        return len(self.text) > 1 and not self.frequent

    @property
    def pattern(self) -> str:
        """A LIKE pattern (escape `\\`) that finds the word as written, `%` and `_` included."""
        escaped = self.text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        return f"%{escaped}%"


def words_of(query: str) -> tuple[Word, ...]:
    """The words of a normalised query, each once. Raises `Malformed` for too long or too many."""
    words = tuple(dict.fromkeys(query.split()))
    if len(query) > LONGEST_QUERY or len(words) > MOST_WORDS:
        expected = f"at most {MOST_WORDS} words and {LONGEST_QUERY} characters"
        raise Malformed("q", expected, f"至多 {MOST_WORDS} 个词、{LONGEST_QUERY} 个字")
    return tuple(Word(word) for word in words)


def write_cursor(sort: Sort, cursor: Cursor) -> str:
    """The opaque text under which the next page is asked for."""
    return base64.urlsafe_b64encode(msgspec.json.encode((sort, cursor.value, cursor.id))).decode().rstrip("=")


def read_cursor(sort: Sort, text: str) -> Cursor:
    """The cursor behind `text`; refuses one that was not written for this order."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        written_for, value, lot_id = msgspec.json.decode(raw, type=tuple[Sort, int, UUID])
    except (binascii.Error, ValueError, msgspec.DecodeError):
        raise Malformed("after", "a cursor given by this catalogue", "本目录给出的翻页位置") from None
    if written_for is not sort or not -(2**63) <= value < 2**63:
        raise Malformed("after", "a cursor of the same sort", "同一排序的翻页位置")
    return Cursor(value, lot_id)
