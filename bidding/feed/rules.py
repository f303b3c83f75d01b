"""What a viewer may see of a lot, and how a viewer's picture follows from events (R-BID-07, R-BID-12).

Shown is what is on the list, and nothing else: an event of a kind that is not on it appears as `hidden`, so that the
sequence stays gapless for everybody (invariants 32, 33).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

PUBLIC_KINDS = frozenset(
    {"opened", "bid", "suspended", "deferred", "frozen", "resumed", "closed", "withdrawn", "annulled"}
)

FEW = 10


def shown(seq: int, kind: str, event: bytes) -> bytes:
    """The JSON of an event as everybody may see it."""
    return event if kind in PUBLIC_KINDS else b'{"seq":%d,"kind":"hidden"}' % seq


def coarse(watchers: int) -> int:
    """A number of watchers rounded down to one digit, 0 below ten: exact ones tell who came and went."""
    if watchers < FEW:
        return 0
    digits = str(watchers)
    return int(digits[0].ljust(len(digits), "0"))


Span = tuple[datetime, datetime]
"""From, until; the instant of `until` does not belong to it."""


def length(spans: Iterable[Span]) -> timedelta:
    """How long the spans last together; what they share counts once."""
    total, reached = timedelta(0), None
    for begin, end in sorted(spans):
        start = begin if reached is None else max(begin, reached)
        if end > start:
            total += end - start
            reached = end
    return total


def within(spans: Iterable[Span], outer: Span) -> list[Span]:
    """What of the spans lies in `outer`."""
    cut = ((max(begin, outer[0]), min(end, outer[1])) for begin, end in spans)
    return [(begin, end) for begin, end in cut if begin < end]


@dataclass(frozen=True, slots=True)
class Uptime:
    """How long a lot's time ran, and how much of that nobody decided; milliseconds and basis points (rounded down)."""

    running_ms: int
    down_ms: int

    @property
    def available_bp(self) -> int:
        """The share of its time in which the platform was there."""
        return 10_000 if not self.running_ms else (self.running_ms - self.down_ms) * 10_000 // self.running_ms


def uptime(open_span: Span, halts: Sequence[Span], holes: Sequence[Span]) -> Uptime:
    """The availability of a lot from its opening to its end, or to now (R-GEN-07, R-HALT-02).

    A halt stops the lot's time, so it counts neither as running nor as down.
    """
    stopped = within(halts, open_span)
    missed = within(holes, open_span)
    down = length([*missed, *stopped]) - length(stopped)
    running = open_span[1] - open_span[0] - length(stopped)
    return Uptime(running // timedelta(milliseconds=1), down // timedelta(milliseconds=1))


@dataclass(frozen=True, slots=True)
class Countdown:
    """What a page counts down: to the end, and before the opening to that too. Milliseconds."""

    remaining_ms: int
    opens_in_ms: int


def countdown(opens_at: datetime, ends_at: datetime | None, kept_ms: int | None, now: datetime) -> Countdown:
    """The time left at `now`. Halted lots show the time they keep; finished ones, like those that are over, 0."""
    opens_in = max(0, (opens_at - now) // timedelta(milliseconds=1))
    if ends_at is None:
        return Countdown(kept_ms or 0, opens_in)
    return Countdown(max(0, (ends_at - now) // timedelta(milliseconds=1)), opens_in)
