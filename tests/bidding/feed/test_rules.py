"""What a viewer may see: hidden events, coarse numbers, the countdown."""

from datetime import UTC, datetime, timedelta

import pytest

from bidding.feed.rules import Countdown, Uptime, coarse, countdown, shown, uptime

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


# -- availability: what of a lot's time nobody decided


def at(minutes: int) -> datetime:
    return datetime(2025, 4, 10, 2, tzinfo=UTC) + timedelta(minutes=minutes)


def minutes(*spans: tuple[int, int]) -> list[tuple[datetime, datetime]]:
    return [(at(begin), at(end)) for begin, end in spans]


@pytest.mark.parametrize(
    ("halts", "holes", "running", "down"),
    [
        ([], [], 100, 0),
        ([], [(10, 20)], 100, 10),
        ([], [(10, 20), (15, 30), (12, 13)], 100, 20),
        ([], [(-10, 5), (95, 200)], 100, 10),
        ([(20, 60)], [(10, 20)], 60, 10),
        ([(20, 60)], [(10, 70)], 60, 20),
        ([(20, 300)], [(10, 20)], 20, 10),
        ([(0, 100)], [], 0, 0),
    ],
)
def test_availability_counts_what_nobody_decided_while_time_ran(
    halts: list[tuple[int, int]], holes: list[tuple[int, int]], running: int, down: int
) -> None:
    measured = uptime((at(0), at(100)), minutes(*halts), minutes(*holes))
    assert measured == Uptime(running * 60_000, down * 60_000)
    assert measured.available_bp == ((running - down) * 10_000 // running if running else 10_000)
