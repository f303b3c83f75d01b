"""The doubled part: worked case W-10 and a day-by-day count that shares no code with the rules."""

from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.money import Fen, round_half_up
from settlement.distribution.interest import Payment, Segment, Span, doubled_interest, interest_segments

PRINCIPAL = Fen(100_000_000)
DUE = date(2024, 1, 10)
RULING = date(2024, 8, 27)
PAID = [Payment(date(2024, 4, 19), Fen(40_000_000))]
RETRIAL = [Span(date(2024, 5, 1), date(2024, 5, 31))]


def shown(segments: list[Segment]) -> list[tuple[str, str, int, int, int]]:
    return [(str(s.span.start), str(s.span.end), s.span.days, s.base_fen, s.interest_fen) for s in segments]


def test_w10_by_period() -> None:
    segments = interest_segments(PRINCIPAL, DUE, RULING, PAID)
    assert shown(segments) == [
        ("2024-01-10", "2024-04-19", 100, 100_000_000, 1_750_000),
        ("2024-04-19", "2024-08-27", 130, 60_000_000, 1_365_000),
    ]
    assert doubled_interest(segments) == 3_115_000


def test_w10_by_part_agrees() -> None:
    paid_part = interest_segments(Fen(40_000_000), DUE, PAID[0].on)
    unpaid_part = interest_segments(Fen(60_000_000), DUE, RULING)
    assert doubled_interest([*paid_part, *unpaid_part]) == 3_115_000


def test_w10_suspension() -> None:
    segments = interest_segments(PRINCIPAL, DUE, RULING, PAID, RETRIAL)
    assert doubled_interest(segments) == 2_800_000
    assert [segment.span.days for segment in segments] == [100, 12, 88]


def test_overlapping_suspensions_count_once() -> None:
    twice = [*RETRIAL, Span(date(2024, 5, 10), date(2024, 5, 20)), Span(date(2024, 5, 20), date(2024, 5, 31))]
    assert interest_segments(PRINCIPAL, DUE, RULING, PAID, twice) == interest_segments(
        PRINCIPAL, DUE, RULING, PAID, RETRIAL
    )


@pytest.mark.parametrize(
    ("stop", "payments"),
    [
        (DUE, []),
        (DUE - timedelta(days=1), []),
        (RULING, [Payment(DUE, PRINCIPAL)]),
        (RULING, [Payment(DUE - timedelta(days=9), Fen(2 * PRINCIPAL))]),
    ],
)
def test_nothing_accrues(stop: date, payments: list[Payment]) -> None:
    assert interest_segments(PRINCIPAL, DUE, stop, payments) == []
    assert doubled_interest([]) == 0


def test_what_does_not_change_the_base_does_not_cut_a_run() -> None:
    payments = [Payment(date(2024, 2, 1), Fen(0)), Payment(RULING, Fen(1)), Payment(date(2025, 1, 1), Fen(1))]
    empty = [Span(date(2024, 3, 1), date(2024, 3, 1))]
    assert interest_segments(PRINCIPAL, DUE, RULING, payments, empty) == [Segment(Span(DUE, RULING), PRINCIPAL)]


DAYS = st.integers(-5, 40).map(lambda offset: DUE + timedelta(days=offset))


@settings(deadline=None)
@given(
    principal=st.integers(0, 10_000).map(Fen),
    stop=DAYS,
    payments=st.lists(st.builds(Payment, DAYS, st.integers(0, 4_000).map(Fen)), max_size=4),
    excluded=st.lists(st.tuples(DAYS, DAYS).map(lambda pair: Span(min(pair), max(pair))), max_size=4),
)
def test_agrees_with_counting_every_day(
    principal: Fen, stop: date, payments: list[Payment], excluded: list[Span]
) -> None:
    exact, counted = Fraction(0), 0
    for offset in range(1, (stop - DUE).days + 1):
        day = DUE + timedelta(days=offset)
        base = max(0, principal - sum(paid.amount_fen for paid in payments if paid.on < day))
        if base and not any(span.start < day <= span.end for span in excluded):
            exact += base * Fraction(175, 1_000_000)
            counted += 1
    segments = interest_segments(principal, DUE, stop, payments, excluded)
    assert doubled_interest(segments) == round_half_up(exact)
    assert sum(segment.span.days for segment in segments) == counted
    for earlier, later in pairwise(segments):
        assert earlier.span.end < later.span.start or earlier.base_fen != later.base_fen
