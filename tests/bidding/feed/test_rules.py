"""What a viewer may see: hidden events, coarse numbers, the countdown."""

from datetime import UTC, datetime, timedelta

import pytest

from bidding.feed.rules import Countdown, coarse, countdown, shown

OPENS = datetime(2025, 4, 10, 2, tzinfo=UTC)
ENDS = OPENS + timedelta(days=1)
DAY_MS = 86_400_000


def test_what_is_not_on_the_list_is_hidden() -> None:
    bid = b'{"seq":7,"kind":"bid","code":"A1234"}'
    assert shown(7, "bid", bid) == bid
    secret = b'{"seq":8,"kind":"note","text":"for the court"}'
    assert shown(8, "note", secret) == b'{"seq":8,"kind":"hidden"}'


@pytest.mark.parametrize(
    ("watchers", "told"), [(0, 0), (9, 0), (10, 10), (19, 10), (99, 90), (100, 100), (6_543, 6_000)]
)
def test_watchers_are_told_coarsely(watchers: int, told: int) -> None:
    assert coarse(watchers) == told


@pytest.mark.parametrize(
    ("ends_at", "kept_ms", "now", "left"),
    [
        (ENDS, None, OPENS - timedelta(hours=1), Countdown(DAY_MS + 3_600_000, 3_600_000)),
        (ENDS, None, OPENS, Countdown(DAY_MS, 0)),
        (ENDS, None, ENDS - timedelta(milliseconds=1), Countdown(1, 0)),
        (ENDS, None, ENDS, Countdown(0, 0)),
        (ENDS, None, ENDS + timedelta(days=9), Countdown(0, 0)),
        (None, 5_000, ENDS, Countdown(5_000, 0)),
        (None, None, ENDS, Countdown(0, 0)),
    ],
)
def test_countdown(ends_at: datetime | None, kept_ms: int | None, now: datetime, left: Countdown) -> None:
    assert countdown(OPENS, ends_at, kept_ms, now) == left
