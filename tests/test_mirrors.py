"""Numbers of the law that a page, a paper or another context repeats, since it cannot import them, stay equal."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from auction.announcements.rules import SECOND_ROUND_WITHIN
from auction.sale_groups.rules import STAGGER
from bidding.desk.rules import EXTENSION, JUMP_INCREMENTS, JUMP_SHARE, SELL_OFF_BIDDING
from settlement.distribution.deadlines import PERIODS, Event

ROOT = Path(__file__).parent.parent
MINUTES = EXTENSION // timedelta(minutes=1)
HOURS = SELL_OFF_BIDDING // timedelta(hours=1)
CHINESE = {15: "十五"}


def numbers(path: str, pattern: str) -> list[int]:
    """The numbers that the one match of `pattern` in a file holds."""
    [found] = re.finditer(pattern, (ROOT / path).read_text())
    return [int(each.replace("_", "")) for each in re.findall(r"\b\d[\d_]*\b", found[0])]


@pytest.mark.parametrize(
    ("path", "pattern", "rules"),
    [
        ("static/lib/bidding.js", r"const JUMP_INCREMENTS = \d+", [JUMP_INCREMENTS]),
        ("static/lib/bidding.js", r"price \* \d+ > base \* \d+", [*reversed(JUMP_SHARE)]),
        ("static/parts/countdown.js", r"ms < \d[\d_]+", [EXTENSION // timedelta(milliseconds=1)]),
        ("static/words/zh.js", r'"terms\.extension\.text": .*', [MINUTES, MINUTES]),
        ("static/words/en.js", r'"terms\.extension\.text": .*', [MINUTES, MINUTES]),
        ("static/words/zh.js", r'"event\.extended": .*', [MINUTES]),
        ("static/words/en.js", r'"event\.extended": .*', [MINUTES]),
        ("static/words/zh.js", r'"clock\.sell-off": .*', [HOURS]),
        ("static/words/en.js", r'"clock\.sell-off": .*', [HOURS]),
    ],
)
def test_the_pages_say_what_the_desk_does(path: str, pattern: str, rules: list[int]) -> None:
    assert numbers(path, pattern) == rules


def test_the_served_plan_tells_the_days_to_object() -> None:
    words = re.findall(r"自收到本方案之日起(.+?)日内", (ROOT / "settlement/papers/contents.py").read_text())
    assert words == [CHINESE[PERIODS[Event.PLAN_SERVED].days]]


def test_the_calculator_counts_the_days_of_the_second_round() -> None:
    assert timedelta(days=PERIODS[Event.ROUND_1_FAILED].days) == SECOND_ROUND_WITHIN


def test_lots_of_a_group_end_an_extension_apart() -> None:
    assert STAGGER == EXTENSION
