"""What a viewer may see of a lot, and how a viewer's picture follows from events (R-BID-07, R-BID-12).

Shown is what is on the list, and nothing else: an event of a kind that is not on it appears as `hidden`, so that the
sequence stays gapless for everybody (invariants 32, 33).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

PUBLIC_KINDS = frozenset(
    {"opened", "bid", "suspended", "deferred", "frozen", "resumed", "closed", "withdrawn", "annulled"}
)

FEW = 10


def shown(seq: int, kind: str, event: bytes) -> bytes:
    """The JSON of an event as everybody may see it."""
    return event if kind in PUBLIC_KINDS else b'{"seq":%d,"kind":"hidden"}' % seq


def coarse(people: int) -> int:
    """A number of watchers or bidders rounded down to one digit, 0 below ten: exact ones tell who came, and when."""
    if people < FEW:
        return 0
    digits = str(people)
    return int(digits[0].ljust(len(digits), "0"))


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
