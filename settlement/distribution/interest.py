"""The doubled part of late-performance interest, 加倍部分债务利息 (R-INT-02 to 04).

Invariant: interest is the exact sum over counted days of base × 0.0175 %, rounded once at the end. Spans
are half-open, (from, to]: the first day is never counted, so spans that touch neither overlap nor leave a gap.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from itertools import pairwise

from kernel.money import Fen, round_half_up

DAILY_RATE = Fraction(175, 1_000_000)
"""0.0175 % of the unpaid money debt a day (R-INT-02)."""


@dataclass(frozen=True, slots=True)
class Payment:
    """Money booked on the principal: it lowers the base from the day after `on`."""

    on: date
    amount_fen: Fen


@dataclass(frozen=True, slots=True)
class Span:
    """The days after `start` up to and including `end`."""

    start: date
    end: date

    @property
    def days(self) -> int:
        return (self.end - self.start).days


@dataclass(frozen=True, slots=True)
class Segment:
    """A longest run of counted days with one positive base; fen. `interest_fen` is rounded for display only."""

    span: Span
    base_fen: Fen

    @property
    def exact(self) -> Fraction:
        return self.base_fen * self.span.days * DAILY_RATE

    @property
    def interest_fen(self) -> Fen:
        return round_half_up(self.exact)


def interest_segments(
    principal_fen: Fen,
    performance_due_on: date,
    stop_on: date,
    payments: Sequence[Payment] = (),
    excluded: Sequence[Span] = (),
) -> list[Segment]:
    """The runs of days that bear doubled interest, in order.

    Days count after the performance period and up to the stop date (R-INT-03, 04), on what is unpaid of the
    principal without ordinary interest (R-INT-02), leaving out `excluded` suspensions of the title's review.
    """
    bounds = {performance_due_on, stop_on, *(payment.on for payment in payments)}
    bounds.update(day for span in excluded for day in (span.start, span.end))
    cuts = sorted(day for day in bounds if performance_due_on <= day <= stop_on)
    pieces = (
        Segment(span, _base(principal_fen, payments, span.start))
        for span in (Span(start, end) for start, end in pairwise(cuts))
        if not any(gap.start <= span.start and span.end <= gap.end for gap in excluded)
    )
    return list(_joined(piece for piece in pieces if piece.base_fen))


def doubled_interest(segments: Iterable[Segment]) -> Fen:
    """The whole doubled part in fen: the exact sum, rounded once (half up)."""
    return round_half_up(sum((segment.exact for segment in segments), Fraction(0)))


def _base(principal_fen: Fen, payments: Sequence[Payment], day: date) -> Fen:
    """What is unpaid after the payments dated on or before `day`."""
    return Fen(max(0, principal_fen - sum(paid.amount_fen for paid in payments if paid.on <= day)))


def _joined(pieces: Iterable[Segment]) -> Iterator[Segment]:
    """Neighbouring pieces with the same base as one."""
    current: Segment | None = None
    for piece in pieces:
        if current and current.span.end == piece.span.start and current.base_fen == piece.base_fen:
            current = Segment(Span(current.span.start, piece.span.end), piece.base_fen)
            continue
        if current:
            yield current
        current = piece
    if current:
        yield current
