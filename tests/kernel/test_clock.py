"""Platform time: whole milliseconds, never back, continuous through every change of pace."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.clock import (
    FrozenClock,
    Pace,
    ScaledClock,
    SystemClock,
    beijing,
    beijing_words,
    day_begins,
    from_ms,
    to_ms,
    whole_ms,
)


def test_beijing_time_has_milliseconds_and_offset() -> None:
    assert beijing(datetime(2025, 4, 11, 2, 0, 0, 5000, tzinfo=UTC)) == "2025-04-11T10:00:00.005+08:00"


def test_a_day_begins_at_midnight_in_beijing() -> None:
    assert day_begins(date(2025, 3, 3)) == datetime(2025, 3, 2, 16, tzinfo=UTC)
    assert day_begins(date(2025, 3, 3)).tzinfo is UTC


def test_a_paper_writes_beijing_time_in_words() -> None:
    assert beijing_words(datetime(2025, 6, 2, 17, 5, 9, tzinfo=UTC)) == "2025年6月3日1时05分09秒"


@given(st.integers(0, 4_102_444_800_000))
def test_milliseconds_survive_the_way_there_and_back(epoch_ms: int) -> None:
    assert to_ms(from_ms(epoch_ms)) == epoch_ms
    assert whole_ms(from_ms(epoch_ms)) == from_ms(epoch_ms)


def test_the_system_clock_stands_still_rather_than_step_back() -> None:
    clock = SystemClock()
    before = clock.now()
    ahead = clock.discipline(before - timedelta(seconds=10))
    assert timedelta(seconds=-11) < ahead < timedelta(seconds=-9)
    assert clock.now() - before < timedelta(seconds=1)
    assert clock.now() >= before


def test_a_new_desk_starts_after_everything_stamped_before() -> None:
    clock = SystemClock()
    later = whole_ms(clock.now() + timedelta(hours=1))
    clock.not_before(later)
    assert clock.now() == later


def test_a_frozen_clock_refuses_to_go_back() -> None:
    clock = FrozenClock(datetime(2025, 1, 1, tzinfo=UTC))
    with pytest.raises(ValueError, match="back"):
        clock.set(datetime(2024, 1, 1, tzinfo=UTC))


@given(st.integers(1, 100_000), st.integers(0, 10**7), st.integers(0, 60), st.lists(st.integers(0, 10**6), min_size=2))
def test_a_pace_is_rising_and_continuous(rate: int, race_ms: int, rate_after: int, moments: list[int]) -> None:
    pace = Pace(1_000, 50_000, rate, 50_000 + race_ms, rate_after)
    times = [pace.platform_at(1_000 + moment) for moment in sorted(moments)]
    assert times == sorted(times)
    at_until = 1_000 + -(-race_ms // rate)
    assert 0 <= pace.platform_at(at_until) - (50_000 + race_ms) <= rate


def test_the_scaled_clock_does_not_jump_when_the_pace_changes() -> None:
    clock = ScaledClock(Pace(0, to_ms(datetime(2025, 1, 1, tzinfo=UTC)), 1, 0, 1))
    before = clock.now()
    clock.run(100_000, before + timedelta(days=30), 60)
    assert clock.now() - before < timedelta(days=1)
    assert clock.now() >= before


def test_a_pace_whose_goal_is_behind_does_not_race() -> None:
    pace = Pace(real_ms=0, platform_ms=50_000, rate=1_000_000, until_ms=49_999, rate_after=60)
    assert pace.platform_at(1_000) == 110_000
