"""How much of its time a lot could be bid on: its running time, less the spans in which nobody decided. Pure.

A halt by the court or by an outage (R-HALT-01, R-HALT-02) stops the lot's time and is told apart from it; a hole counts
only while the time ran. Spans are half-open and in platform time; an outage that was noticed twice counts once.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

_MS = timedelta(milliseconds=1)
MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Span:
    """From `since` up to, not including, `until`."""

    since: datetime
    until: datetime

    @property
    def ms(self) -> int:
        return max(0, (self.until - self.since) // _MS)


@dataclass(frozen=True, slots=True)
class Availability:
    """Milliseconds that a lot's time ran, and those of them in which nobody decided."""

    running_ms: int
    unavailable_ms: int

    @property
    def available_ppm(self) -> int | None:
        """Parts in a million, rounded down; None for a lot whose time has not run."""
        if not self.running_ms:
            return None
        return (self.running_ms - self.unavailable_ms) * MILLION // self.running_ms


def availability(whole: Span, halts: Iterable[Span], outages: Iterable[Span]) -> Availability:
    """What is left of a lot's time `whole` between its halts, and how much of that the outages took."""
    running = without(whole, merged(halts))
    holes = merged(outages)
    lost = sum(common(one, hole) for one in running for hole in holes)
    return Availability(sum(span.ms for span in running), lost)


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same time in spans that do not touch, in order."""
    found: list[Span] = []
    for span in sorted(spans, key=lambda one: (one.since, one.until)):
        if found and span.since <= found[-1].until:
            found[-1] = Span(found[-1].since, max(found[-1].until, span.until))
        else:
            found.append(span)
    return found


def without(whole: Span, gaps: Sequence[Span]) -> list[Span]:
    """What `gaps`, merged, leave of a span."""
    left, at = [], whole.since
    for gap in gaps:
        left.append(Span(at, min(gap.since, whole.until)))
        at = max(at, gap.until)
    left.append(Span(at, whole.until))
    return [span for span in left if span.ms]


def common(one: Span, other: Span) -> int:
    """Milliseconds that two spans share."""
    return Span(max(one.since, other.since), min(one.until, other.until)).ms
