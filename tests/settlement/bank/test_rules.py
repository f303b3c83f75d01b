"""What goes back to whom, without a database."""

from hypothesis import given
from hypothesis import strategies as st

from kernel.ids import ordered_id
from kernel.money import Fen
from settlement.bank.rules import Arrival, refunds_due


def _arrivals(*amounts: tuple[int, int]) -> list[Arrival]:
    return [Arrival(ordered_id(), Fen(amount), Fen(back)) for amount, back in amounts]


def test_the_earliest_credits_cover_what_is_kept() -> None:
    first, second, third = arrivals = _arrivals((60, 0), (60, 0), (30, 0))
    assert refunds_due(arrivals, 100) == {second.credit_id: 20, third.credit_id: 30}
    assert refunds_due(arrivals, 0) == {first.credit_id: 60, second.credit_id: 60, third.credit_id: 30}
    assert refunds_due(arrivals, 150) == {}
    assert refunds_due([], 100) == {}


def test_what_went_back_does_not_go_back_twice() -> None:
    first, second = arrivals = _arrivals((100, 0), (50, 50))
    assert refunds_due(arrivals, 100) == {}
    assert refunds_due(arrivals, 0) == {first.credit_id: 100}
    assert second.credit_id not in refunds_due(arrivals, 0)


@given(st.lists(st.integers(1, 10**15), max_size=8), st.lists(st.integers(0, 4 * 10**15), min_size=1, max_size=6))
def test_no_payer_gets_more_than_was_paid_and_the_rest_is_what_is_kept(amounts: list[int], keeps: list[int]) -> None:
    """Keeping less and less: each round orders only what the earlier rounds did not."""
    arrivals = _arrivals(*[(amount, 0) for amount in amounts])
    for keep_fen in sorted(keeps, reverse=True):
        due = refunds_due(arrivals, keep_fen)
        arrivals = [
            Arrival(one.credit_id, one.amount_fen, Fen(one.refunded_fen + due.get(one.credit_id, 0)))
            for one in arrivals
        ]
        assert all(one.refunded_fen <= one.amount_fen for one in arrivals)
        held = sum(one.amount_fen - one.refunded_fen for one in arrivals)
        assert held == min(sum(amounts), keep_fen)
