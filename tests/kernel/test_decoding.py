"""The strict decoder: what is refused, where it says so, and that good input comes back unchanged."""

import json
import tracemalloc
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.decoding import (
    Day,
    FenIn,
    Label,
    LongText,
    Moment,
    PositiveFen,
    Unusable,
    Wire,
    clean_text,
    decode,
    parse_moment,
)
from kernel.errors import Malformed
from kernel.money import MAX_FEN


class Payment(Wire, frozen=True):
    amount_fen: FenIn
    price_fen: PositiveFen | None = None
    at: Moment | None = None
    on: Day | None = None
    label: Label | None = None
    text: LongText | None = None


class Book(Wire, frozen=True):
    payments: list[Payment]
    total_fen: FenIn | None = None

    def __post_init__(self) -> None:
        if self.total_fen is not None and self.total_fen != sum(p.amount_fen for p in self.payments):
            raise Unusable("total_fen", "the sum of the payments")


class Shelf(Wire, frozen=True):
    book: Book


def refused(raw: bytes, type_: type = Payment) -> tuple[object, object]:
    with pytest.raises(Malformed) as caught:
        decode(raw, type_)
    return caught.value.facts["path"], caught.value.facts["expected"]


@pytest.mark.parametrize(
    ("raw", "path", "expected"),
    [
        (b'{"amount_fen": 1.0}', "$.amount_fen", "`int`, got `float`"),
        (b'{"amount_fen": 1e3}', "$.amount_fen", "`int`, got `float`"),
        (b'{"amount_fen": "100"}', "$.amount_fen", "`int`, got `str`"),
        (b'{"amount_fen": true}', "$.amount_fen", "`int`, got `bool`"),
        (b'{"amount_fen": null}', "$.amount_fen", "`int`, got `null`"),
        (b'{"amount_fen": -1}', "$.amount_fen", "`int` >= 0"),
        (b'{"amount_fen": 1000000000000001}', "$.amount_fen", "`int` <= 1000000000000000"),
        (b'{"amount_fen": 12345678901234567890123}', "$.amount_fen", "`int` <= 1000000000000000"),
        (b'{"amount_fen": 1, "price_fen": 0}', "$.price_fen", "`int` >= 1"),
        (b'{"amount_fen": 1, "amount_fen": 2}', "$.amount_fen", "this key only once"),
        (b'{"amount_fen": 1, "amount\\u005ffen": 2}', "$.amount_fen", "this key only once"),
        (b'{"amount_fen": 1, "note": 2}', "$.note", "no field of this name"),
        (b"{}", "$.amount_fen", "a value, the field is required"),
        (b"[]", "$", "`object`, got `array`"),
        (b'{"amount_fen": 1, "label": "a\\u0000"}', "$.label", "text without U+0000"),
        (b'{"amount_fen": 1, "label": "a\x7fb"}', "$.label", "text without U+007F"),
        (b'{"amount_fen": 1, "label": "\\ud800"}', "$.label", "text without U+D800"),
        (b'{"amount_fen": 1, "\\ud800": 1}', "$", "text without U+D800"),
        ('{"amount_fen": 1, "label": "甲\u202e乙"}'.encode(), "$.label", "text without U+202E"),
        ('{"amount_fen": 1, "label": "甲\ufeff乙"}'.encode(), "$.label", "text without U+FEFF"),
        (
            '{"amount_fen": 1, "é": 1, "e\u0301": 1}'.encode(),
            "$",
            "each key only once, in any Unicode form",
        ),
    ],
)
def test_refusals_name_path_and_expectation(raw: bytes, path: str, expected: str) -> None:
    assert refused(raw) == (path, expected)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"{}{}",
        b'{"amount_fen": 1,}',
        b'{"amount_fen": NaN}',
        b'{"amount_fen": Infinity}',
        b'{"amount_fen": 01}',
        b'{"amount_fen": ' + b"9" * 5000 + b"}",
        b'\xef\xbb\xbf{"amount_fen": 1}',
        '{"amount_fen": 1}'.encode("utf-16"),
        b'{"label": "\xed\xa0\x80"}',
        b'{"label": "a\nb"}',
        b"[" * 1000 + b"]" * 1000,
        b"[" * 1_000_000,
        b'{"a":' * 5000,
        b'{"a":' * 800 + b'{"b":1,"b":1}' + b"}" * 800,
        b" " * 10_000_001,
    ],
)
def test_what_is_no_json_is_refused(raw: bytes) -> None:
    path, expected = refused(raw)
    assert str(path).startswith("$")
    assert not str(expected).startswith("expected"), "the sentence has the word"


@pytest.mark.parametrize(
    ("raw", "expected_zh", "expected"),
    [
        (b'{"amount_fen": null}', "整数，收到空值", "`int`, got `null`"),
        (b'{"amount_fen": -1}', "整数 >= 0", "`int` >= 0"),
        (b'{"amount_fen": 1, "note": 2}', "没有此字段", "no field of this name"),
        (b'{"amount_fen": 1, "label": 2}', "文本 或 空值，收到整数", "`str | null`, got `int`"),
        (b'{"amount_fen": 1, "label": " a"}', "一行文本，首尾无空白", "one line of text, no blank at either end"),
        (b'{"amount_fen": 1, "on": "1.1.2025"}', "日期 YYYY-MM-DD，1900 至 2199 年", "a date YYYY-MM-DD, 1900 to 2199"),
        (b"\xff", "UTF-8 编码（第 0 字节有误）", "UTF-8 (byte 0)"),
    ],
)
def test_both_sentences_say_what_was_expected(raw: bytes, expected_zh: str, expected: str) -> None:
    with pytest.raises(Malformed) as caught:
        decode(raw, Payment)
    assert caught.value.detail.endswith(f"，要求：{expected_zh}")
    assert caught.value.detail_en.endswith(f": expected {expected}")


def test_without_chinese_words_both_sentences_say_the_english_ones() -> None:
    assert Malformed("$", "better").detail == "请求内容无法识别：$，要求：better"


@pytest.mark.parametrize("bad", [" a", "a ", "", "a\\nb", "a\\tb", "\u3000a", "x" * 65])
def test_labels_are_one_short_line(bad: str) -> None:
    assert refused(f'{{"amount_fen": 1, "label": "{bad}"}}'.encode())[0] == "$.label"


def test_contradicting_fields_are_refused_at_their_path() -> None:
    raw = b'{"book": {"payments": [{"amount_fen": 1}, {"amount_fen": 2}], "total_fen": 4}}'
    assert refused(raw, Shelf) == ("$.book.total_fen", "the sum of the payments")


def test_duplicate_key_is_found_at_depth() -> None:
    raw = b'{"book": {"payments": [{"amount_fen": 1}, {"amount_fen": 2, "amount_fen": 2}]}}'
    assert refused(raw, Shelf) == ("$.book.payments[1].amount_fen", "this key only once")


def test_a_refusal_is_one_bounded_printable_line() -> None:
    path, _ = refused(json.dumps({"amount_fen": 1, "a\nb\x1b[31m" + "x" * 10_000: 1}).encode())
    assert len(str(path)) < 300
    assert str(path).isprintable()


def test_long_keys_above_a_deep_nest_do_not_multiply_in_memory() -> None:
    key = "k" * 1_000_000
    raw = f'{{"{key}": '.encode() + b'{"a":' * 400 + b'"\\n"' + b"}" * 401
    tracemalloc.start()
    refused(raw)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20_000_000


def test_good_text_comes_back_in_nfc() -> None:
    raw = '{"amount_fen": 1, "label": "e\u0301", "text": "甲\\n乙\\t𰻝"}'.encode()
    payment = decode(raw, Payment)
    assert payment.label == "é"
    assert payment.text == "甲\n乙\t𰻝"


def test_days_and_moments() -> None:
    payment = decode(b'{"amount_fen":1,"on":"2024-02-29","at":"2025-04-11T10:02:12.25+08:00"}', Payment)
    assert payment.on == date(2024, 2, 29)
    assert payment.at == datetime(2025, 4, 11, 2, 2, 12, 250_000, tzinfo=UTC)
    assert payment.at.tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        "2025-04-11T10:00:00",
        "2025-04-11 10:00:00+08:00",
        "2025-04-11T10:00:60+08:00",
        "2025-04-11T24:00:00+08:00",
        "2025-04-11T10:00:00.0001+08:00",
        "2025-04-11T10:00:00.0000+08:00",
        "2025-04-11T10:00:00.+08:00",
        "2025-04-11T10:00+08:00",
        "2025-04-11T10:00:00+0800",
        "2025-04-11T10:00:00+24:00",
        "2025-04-11T10:00:00+08:60",
        "2025-02-29T10:00:00+08:00",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "２025-04-11T10:00:00Z",
        "2025-04-11T10:00:00Z\n",
        "",
    ],
)
def test_bad_moments(text: str) -> None:
    path, expected = refused(json.dumps({"amount_fen": 1, "at": text}).encode())
    assert path == "$.at"
    assert "RFC 3339" in str(expected)


@pytest.mark.parametrize("value", ["2025-02-29", "2025-2-1", "20250201", "2025-W01-1", "1899-12-31", 5, None, ""])
def test_bad_days(value: object) -> None:
    with pytest.raises(Malformed):
        decode(json.dumps([value]).encode(), list[Day])


@pytest.mark.parametrize("text", ["2025-04-11T02:00:00Z", "2025-04-11T10:00:00.000+08:00", "2025-04-10T21:30:00-04:30"])
def test_one_instant_in_any_offset(text: str) -> None:
    assert parse_moment(text) == datetime(2025, 4, 11, 2, tzinfo=UTC)


@settings(deadline=None)
@given(st.integers(0, MAX_FEN), st.text(max_size=40))
def test_accepted_text_is_stable(amount: int, text: str) -> None:
    """Whatever is accepted is already in its cleaned form, so decoding it again changes nothing."""
    raw = json.dumps({"amount_fen": amount, "text": text}).encode()
    try:
        payment = decode(raw, Payment)
    except Malformed:
        return
    assert payment.amount_fen == amount
    assert payment.text is not None
    assert clean_text(payment.text) == payment.text
    assert "\0" not in payment.text


@settings(deadline=None)
@given(st.binary(max_size=60) | st.text(alphabet='{}[]":,.\\0159eE-untrfalsmo \ufeffé', max_size=60).map(str.encode))
def test_no_bytes_do_anything_but_decode_or_refuse(raw: bytes) -> None:
    try:
        decode(raw, Payment)
        sentence = ""
    except Malformed as refusal:
        sentence = refusal.detail_en
    assert sentence.isprintable()
