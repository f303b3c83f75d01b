"""Time: aware UTC in whole milliseconds inside, Beijing time (+08:00) outside.

This is the one module that reads a clock. *Platform time* (`Clock.now`) is the time the law counts: receipt of
bids, ends, due dates. *Real time* (`real_now`, `monotonic`) is for leases, health, retries and timeouts.
Outside the demo the two run together; in the demo platform time races (`Pace`, one continuous rising function).
"""

import time
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from datetime import time as midnight
from typing import Protocol

BEIJING = timezone(timedelta(hours=8), "Asia/Shanghai")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def whole_ms(moment: datetime) -> datetime:
    """`moment` in UTC, cut to the millisecond."""
    moment = moment.astimezone(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def from_ms(epoch_ms: int) -> datetime:
    """The moment `epoch_ms` milliseconds after 1970, exactly."""
    return _EPOCH + epoch_ms * _MILLISECOND


def to_ms(moment: datetime) -> int:
    """Milliseconds since 1970, exactly."""
    return (moment - _EPOCH) // _MILLISECOND


def beijing(moment: datetime) -> str:
    """RFC 3339 in +08:00 with milliseconds, as every answer shows time."""
    return moment.astimezone(BEIJING).isoformat(timespec="milliseconds")


def beijing_day(moment: datetime) -> date:
    """The calendar day in Beijing at `moment`: the law's days are days there."""
    return moment.astimezone(BEIJING).date()


def day_begins(day: date) -> datetime:
    """The first moment of a day in Beijing, in UTC."""
    return datetime.combine(day, midnight(), BEIJING).astimezone(UTC)


def beijing_words(moment: datetime) -> str:
    """The moment as a Chinese paper writes it, to the second."""
    at = moment.astimezone(BEIJING)
    return f"{at.year}年{at.month}月{at.day}日{at.hour}时{at.minute:02d}分{at.second:02d}秒"


def real_now() -> datetime:
    """The machine's wall clock, for health rows, leases and login sessions."""
    return whole_ms(datetime.now(UTC))


def monotonic() -> float:
    """Seconds that never step, for timeouts."""
    return time.monotonic()


class Clock(Protocol):
    """Where use cases get the platform time from."""

    @property
    def rate(self) -> int:
        """Platform seconds per real second; 1 outside the demo."""

    def now(self) -> datetime:
        """Platform time; never earlier than an answer given before."""


class SystemClock:
    """The wall clock at start carried on by the monotonic clock, disciplined to the database's time.

    A step of the machine's clock does not reach it; a correction backwards makes it stand still until caught up.
    """

    rate = 1

    def __init__(self) -> None:
        self._offset_ns = time.time_ns() - time.monotonic_ns()
        self._latest_ms = 0
        self._latest = from_ms(0)

    def now(self) -> datetime:
        """Platform time. Called several times for each bid, so a millisecond that goes on is answered as it was."""
        ms = (time.monotonic_ns() + self._offset_ns) // 1_000_000
        if ms > self._latest_ms:
            self._latest_ms, self._latest = ms, from_ms(ms)
        return self._latest

    def reading(self) -> datetime:
        """What the clock stands at. Nobody was told, so it may still be set back."""
        return from_ms((time.monotonic_ns() + self._offset_ns) // 1_000_000)

    def discipline(self, authority: datetime) -> timedelta:
        """Follow `authority` (the database's clock) and return how far it was ahead of us."""
        ahead = timedelta(microseconds=(_epoch_ns(authority) - time.monotonic_ns() - self._offset_ns) // 1000)
        self._offset_ns = _epoch_ns(authority) - time.monotonic_ns()
        return ahead

    def not_before(self, moment: datetime) -> None:
        """Never answer earlier than `moment`: a new desk starts after everything its predecessors stamped."""
        if (ms := to_ms(moment)) > self._latest_ms:
            self._latest_ms, self._latest = ms, from_ms(ms)


class FrozenClock:
    """A clock that stands until a test moves it."""

    rate = 1

    def __init__(self, at: datetime) -> None:
        self._at = whole_ms(at)

    def now(self) -> datetime:
        return self._at

    def now_ms(self) -> int:
        return to_ms(self._at)

    def set(self, at: datetime) -> None:
        """Move to `at`, forwards only."""
        if at < self._at:
            raise ValueError("platform time does not step back")
        self._at = whole_ms(at)

    def advance(self, by: timedelta) -> None:
        self.set(self._at + by)


@dataclass(frozen=True, slots=True)
class Pace:
    """One row of the demo's clock: from (`real`, `platform`) on time runs at `rate`, after `until` at `rate_after`.

    An `until` that is reached already never lets it run at `rate`.
    """

    real_ms: int
    platform_ms: int
    rate: int
    until_ms: int
    rate_after: int

    def platform_at(self, real_ms: int) -> int:
        """Platform time (epoch ms) at a real moment: continuous and rising."""
        until_ms = max(self.until_ms, self.platform_ms)
        raced = self.platform_ms + max(0, real_ms - self.real_ms) * self.rate
        if raced <= until_ms:
            return raced
        real_at_until = self.real_ms + -(-(until_ms - self.platform_ms) // self.rate)
        return until_ms + max(0, real_ms - real_at_until) * self.rate_after


class ScaledClock:
    """The demo's platform clock: follows a `Pace`, never steps back when the pace is replaced."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._floor_ms = pace.platform_ms
        self._anchor_ns = time.time_ns() - time.monotonic_ns()

    def _real_ms(self) -> int:
        return (time.monotonic_ns() + self._anchor_ns) // 1_000_000

    @property
    def rate(self) -> int:
        return self._pace.rate if self.now_ms() < self._pace.until_ms else self._pace.rate_after

    def now_ms(self) -> int:
        self._floor_ms = max(self._floor_ms, self._pace.platform_at(self._real_ms()))
        return self._floor_ms

    def now(self) -> datetime:
        return from_ms(self.now_ms())

    def run(self, rate: int, until: datetime, rate_after: int) -> Pace:
        """From now on race at `rate` to `until`, then run at `rate_after`; returns the row to log."""
        self._pace = Pace(self._real_ms(), self.now_ms(), rate, to_ms(until), rate_after)
        return self._pace


def _epoch_ns(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000
