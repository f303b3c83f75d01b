"""The document of `auction calc interest`: strict input, and the output in the words of the format."""

from typing import Annotated

from msgspec import Meta, field

from kernel.decoding import Day, FenIn, Unusable, Wire
from settlement.distribution.interest import Payment, Segment, Span, doubled_interest, interest_segments


class PaymentInput(Wire, frozen=True):
    """A payment booked on the principal; fen."""

    on: Day
    amount_fen: FenIn


class SpanInput(Wire, frozen=True):
    """An excluded span: the days after `from` up to and including `to`."""

    start: Day = field(name="from")
    to: Day

    def __post_init__(self) -> None:
        if self.start > self.to:
            raise Unusable("to", "a day not before `from`", "不早于起始日的日期")


class InterestInput(Wire, frozen=True):
    """An unpaid money debt without ordinary interest, in fen, and the days that matter."""

    principal_fen: FenIn
    performance_due_on: Day
    stop_on: Day
    payments: Annotated[tuple[PaymentInput, ...], Meta(max_length=1_000)] = ()
    excluded: Annotated[tuple[SpanInput, ...], Meta(max_length=1_000)] = ()


def calculate(document: InterestInput) -> dict[str, object]:
    """The doubled part in fen and the runs of days it comes from (R-INT-02 to 04)."""
    segments = interest_segments(
        document.principal_fen,
        document.performance_due_on,
        document.stop_on,
        [Payment(paid.on, paid.amount_fen) for paid in document.payments],
        [Span(span.start, span.to) for span in document.excluded],
    )
    return {
        "doubled_interest_fen": doubled_interest(segments),
        "segments": [_shown(segment) for segment in segments],
        "rules": ["R-INT-02", "R-INT-03", "R-INT-04"],
    }


def _shown(segment: Segment) -> dict[str, object]:
    return {
        "from": segment.span.start.isoformat(),
        "to": segment.span.end.isoformat(),
        "days": segment.span.days,
        "base_fen": segment.base_fen,
        "interest_fen": segment.interest_fen,
    }
