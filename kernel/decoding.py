"""The one strict decoder for JSON from outside: HTTP bodies, socket frames, calculator files (law of the house 9).

Invariant: what `decode` returns was written down exactly once and exactly so. Duplicate keys, unknown
fields, text where a number belongs, floats or booleans as money, NaN, a byte order mark, control
characters, lone surrogates and direction overrides are refused, never repaired; the one thing repaired
is the Unicode form of text (NFC). Every refusal is `Malformed` and names the JSON path.

A bid costs about 5 µs here: one pass of the standard library's scanner, which alone sees duplicate keys,
and one strict `msgspec.convert`. Text is walked only when the document has an escape or a non-ASCII character.
"""

import json
import re
import unicodedata
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import msgspec
from msgspec import Meta

from kernel.errors import Malformed
from kernel.money import MAX_FEN, Fen

T = TypeVar("T")

MAX_BYTES = 10_000_000
"""Largest document that is looked at; a door may set a smaller limit."""

FIRST_YEAR, LAST_YEAR = 1900, 2199
"""Dates and times outside these years are typing errors; inside, date arithmetic cannot overflow."""

FenIn = Annotated[Fen, Meta(ge=0, le=MAX_FEN, extra_json_schema={"extra": {"minimum": 0}})]
"""An amount from outside: whole fen, 0 to 10^15."""

PositiveFen = Annotated[Fen, Meta(ge=1, le=MAX_FEN)]
"""A price or payment from outside: at least one fen."""

_ONE_LINE = r"^\S(?:[^\n\t]*\S)?(?![\s\S])"
"""Python and JavaScript read this pattern alike (`$` would let a last line break pass in one of them)."""

Label = Annotated[str, Meta(min_length=1, max_length=64, pattern=_ONE_LINE)]
"""An id, code or platform name: one line, no blank at either end."""

ShortText = Annotated[str, Meta(min_length=1, max_length=200, pattern=_ONE_LINE)]
"""A name, title or address: one line, no blank at either end."""

LongText = Annotated[str, Meta(min_length=1, max_length=20_000)]
"""A description; line breaks and tabs are the only control characters."""


class Wire(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of every struct that is decoded from outside: `class BidIn(Wire, frozen=True)`."""


class Expected(ValueError):
    """A value is not what was expected, which is said in words that follow that one, and in Chinese."""

    def __init__(self, expected: str, expected_zh: str | None = None, *, below: str = "") -> None:
        self.expected, self.expected_zh, self.below = expected, expected_zh, below
        super().__init__(expected)


class Unusable(Expected):
    """Raised in a `Wire` struct's `__post_init__` when fields contradict each other.

    `field` is the path below that struct, e.g. `scheduled_end`; `decode` puts the struct's path before it.
    """

    def __init__(self, field: str, expected: str, expected_zh: str | None = None) -> None:
        super().__init__(expected, expected_zh, below=f".{field}")


if TYPE_CHECKING:
    Moment = datetime
    Day = date
else:

    class _StandsFor(type):
        """A name for msgspec's `dec_hook` that its plain values are instances of."""

        stands_for: type

        def __instancecheck__(cls, value: object) -> bool:
            return isinstance(value, cls.stands_for)

    class Moment(metaclass=_StandsFor):
        """RFC 3339 with an offset and at most milliseconds; decoded to an aware UTC `datetime`."""

        stands_for = datetime

    class Day(metaclass=_StandsFor):
        """`YYYY-MM-DD`; decoded to a `date`."""

        stands_for = date


_MOMENT = re.compile(
    r"\d{4}-\d\d-\d\dT([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,3})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)", re.ASCII
)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_A_MOMENT = (
    f"an RFC 3339 time with an offset and at most milliseconds, {FIRST_YEAR} to {LAST_YEAR}",
    f"RFC 3339 时间，带时区，至多精确到毫秒，{FIRST_YEAR} 至 {LAST_YEAR} 年",
)
A_DAY = (f"a date YYYY-MM-DD, {FIRST_YEAR} to {LAST_YEAR}", f"日期 YYYY-MM-DD，{FIRST_YEAR} 至 {LAST_YEAR} 年")

_DECEIVING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b\ufeff")
"""Direction overrides, which show a name reversed, and two characters that nobody sees."""


def parse_moment(text: str) -> datetime:
    """An RFC 3339 time as aware UTC. Seconds of 60, missing offsets and microseconds raise `Expected`."""
    if not _MOMENT.fullmatch(text):
        raise Expected(*_A_MOMENT)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Expected(*_A_MOMENT) from None
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise Expected(*_A_MOMENT)
    return moment.astimezone(UTC)


def parse_day(text: str) -> date:
    """A `YYYY-MM-DD` date; anything else raises `Expected`."""
    if not _DAY.fullmatch(text):
        raise Expected(*A_DAY)
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise Expected(*A_DAY) from None
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise Expected(*A_DAY)
    return day


def clean_text(text: str) -> str:
    """`text` in NFC. Controls and separators other than line feed and tab, lone surrogates, direction
    overrides and invisible characters raise `Expected`."""
    for character in text:
        control = unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} and character not in "\n\t"
        if control or character in _DECEIVING:
            unwanted = f"U+{ord(character):04X}"
            raise Expected(f"text without {unwanted}", f"不含 {unwanted} 的文本")
    return unicodedata.normalize("NFC", text)


def decode(raw: bytes, type_: type[T], *, max_bytes: int = MAX_BYTES) -> T:
    """`raw` as `type_`, or `Malformed` with the JSON path and what was expected there."""
    if len(raw) > max_bytes:
        _refuse("$", f"at most {max_bytes} bytes", f"至多 {max_bytes} 字节")
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        _refuse("$", f"UTF-8 (byte {error.start})", f"UTF-8 编码（第 {error.start} 字节有误）")
    return convert(_parse(text), type_)


def convert(tree: object, type_: type[T]) -> T:
    """A parsed tree as `type_`, under the same strictness and with the same refusals as `decode`."""
    try:
        return msgspec.convert(tree, type_, strict=True, dec_hook=_decode_special)
    except msgspec.ValidationError as error:
        raise _malformed(error) from None


def _parse(text: str) -> object:
    try:
        return _scan(text)
    except RecursionError:
        _refuse("$", "less nesting", "较少的嵌套层数")
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        _refuse("$", f"JSON ({error.msg}, {where})", f"JSON（第 {error.lineno} 行第 {error.colno} 列有误）")
    except ValueError as error:
        _refuse("$", f"JSON ({error})", f"JSON（{error}）")


def _scan(text: str) -> object:
    try:
        tree: object = _SCANNER.decode(text)
    except _DuplicateKey:
        _find_duplicate(_PAIRS_SCANNER.decode(text), None)
        raise
    if text.isascii() and "\\" not in text and "\x7f" not in text:
        return tree
    return _clean(tree, None)


class _DuplicateKey(ValueError):
    """A key stands twice in one object; where, only a second pass knows."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _DuplicateKey
    return members


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")


_SCANNER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_no_constant)


class _Pairs(list[tuple[str, Any]]):
    """An object with its keys as written, to find out afterwards which one was doubled."""


_PAIRS_SCANNER = json.JSONDecoder(object_pairs_hook=_Pairs)

_Steps = tuple["_Steps | None", str] | None
"""A JSON path as a linked list, spelled out only when something is refused: a long key above a deep
nest must not be copied at every level."""


def _find_duplicate(tree: object, steps: _Steps) -> None:
    if isinstance(tree, _Pairs):
        seen: set[str] = set()
        for key, value in tree:
            here = (steps, f".{key}")
            if key in seen:
                _refuse(_spell(here), "this key only once", "此键只出现一次")
            seen.add(key)
            _find_duplicate(value, here)
    elif isinstance(tree, list):
        for index, value in enumerate(tree):
            _find_duplicate(value, (steps, f"[{index}]"))


def _clean(tree: object, steps: _Steps) -> object:
    if isinstance(tree, str):
        try:
            return clean_text(tree)
        except Expected as error:
            _refuse(_spell(steps), error.expected, error.expected_zh)
    if isinstance(tree, list):
        return [_clean(value, (steps, f"[{index}]")) for index, value in enumerate(tree)]
    if isinstance(tree, dict):
        members = {_clean(key, steps): _clean(value, (steps, f".{key}")) for key, value in tree.items()}
        if len(members) != len(tree):
            _refuse(_spell(steps), "each key only once, in any Unicode form", "同一键不以不同的 Unicode 形式重复出现")
        return members
    return tree


def _spell(steps: _Steps) -> str:
    parts = []
    while steps is not None:
        steps, part = steps
        parts.append(part)
    return "$" + "".join(reversed(parts))


def _decode_special(wanted: type, value: object) -> object:
    if wanted is Moment:
        if not isinstance(value, str):
            raise Expected(*_A_MOMENT)
        return parse_moment(value)
    if wanted is Day:
        if not isinstance(value, str):
            raise Expected(*A_DAY)
        return parse_day(value)
    raise TypeError(f"no decoding for {wanted}")


_AT = re.compile(r"(.*) - at `(\$[^`]*)`\Z", re.DOTALL)
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`\Z", re.DOTALL)
_NO_MEMBER = re.compile(r"Invalid (?:enum )?value (.*)\Z", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(.*)`\Z", re.DOTALL)
_INVALID = re.compile(r"Invalid (.*)\Z", re.DOTALL)
_TYPES = re.compile(r"`([a-z |]+)`")

_ONE_LINE_SAID = f"`str` matching regex {_ONE_LINE!r}"

_IN_CHINESE = {
    "int": "整数",
    "float": "小数",
    "str": "文本",
    "bool": "true 或 false",
    "null": "空值",
    "array": "列表",
    "object": "对象",
}
"""msgspec's names of the types of JSON."""

_PHRASES = {", got ": "，收到", " of length ": "，长度 ", " matching regex ": "，格式 "}
"""msgspec's phrases between them."""


def _malformed(error: msgspec.ValidationError) -> Malformed:
    """msgspec's sentence, split into the path and what was expected there."""
    sentence, path = str(error), "$"
    if found := _AT.match(sentence):
        sentence, path = found.groups()
    if isinstance(cause := error.__cause__, Expected):
        return _refusal(path + cause.below, cause.expected, cause.expected_zh)
    if found := _UNKNOWN.match(sentence):
        return _refusal(f"{path}.{found[1]}", "no field of this name", "没有此字段")
    if found := _MISSING.match(sentence):
        return _refusal(f"{path}.{found[1]}", "a value, the field is required", "必填")
    return _refusal(path, *wanted_by(sentence))


def wanted_by(sentence: str) -> tuple[str, str]:
    """What a sentence of msgspec's expects of a value, in English and in Chinese."""
    if found := _NO_MEMBER.match(sentence):
        return f"a known value, got {found[1]}", f"已知的值，收到 {found[1]}"
    if found := _INVALID.match(sentence):
        return f"a valid {found[1]}", f"有效的 {found[1]}"
    expected = sentence.removeprefix("Expected ")
    if expected == _ONE_LINE_SAID:
        return "one line of text, no blank at either end", "一行文本，首尾无空白"
    expected_zh = _TYPES.sub(
        lambda found: " 或 ".join(_IN_CHINESE.get(each, each) for each in found[1].split(" | ")), expected
    )
    for phrase, phrase_zh in _PHRASES.items():
        expected_zh = expected_zh.replace(phrase, phrase_zh)
    return expected, expected_zh


def _refuse(path: str, expected: str, expected_zh: str | None) -> NoReturn:
    raise _refusal(path, expected, expected_zh) from None


def _refusal(path: str, expected: str, expected_zh: str | None) -> Malformed:
    return Malformed(_readable(path), _readable(expected), expected_zh and _readable(expected_zh))


def _readable(text: str) -> str:
    """One printable line of bounded length: keys of the sender's choice end up in logs and terminals."""
    shown = text if len(text) <= 200 else text[:200] + "…"
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in shown)
