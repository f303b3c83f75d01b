"""W-19: what a creditor pays in who takes the thing, and when a sale would leave nothing."""

import pytest

from kernel.money import Fen
from settlement.completion.rules import CostKind
from settlement.distribution.claims import ClaimKind
from settlement.distribution.plans import Basis
from settlement.distribution.satisfaction import take, weigh_surplus
from tests.settlement.distribution.test_plans import HOME, basis, claim, cost, party

YUAN = 100


def failed_round(*ordinary_fen: int) -> Basis:
    """Round 1 fails at 700,000.00; costs 20,000.00, mortgage of M 300,000.00, then A and perhaps B."""
    mortgage = claim(1, 300_000 * YUAN, ClaimKind.SECURED, HOME)
    ordinary = [claim(number, amount) for number, amount in enumerate(ordinary_fen, start=2)]
    return basis({HOME: 700_000 * YUAN}, [cost(1, CostKind.SALE_COST, 20_000 * YUAN, HOME)], [mortgage, *ordinary])


def test_w19a_the_taker_pays_costs_and_mortgage_in() -> None:
    taking = take(failed_round(900_000 * YUAN), {party(2)})
    assert (taking.entitlement_fen, taking.pay_in_fen) == (380_000 * YUAN, 320_000 * YUAN)
    assert taking.plan.outcome.claims[1].open.principal_fen == 520_000 * YUAN


def test_w19b_and_the_share_of_other_creditors() -> None:
    taking = take(failed_round(900_000 * YUAN, 300_000 * YUAN), {party(2)})
    assert (taking.entitlement_fen, taking.pay_in_fen) == (285_000 * YUAN, 415_000 * YUAN)
    assert [each.open.principal_fen for each in taking.plan.outcome.claims] == [0, 615_000 * YUAN, 205_000 * YUAN]


def test_who_would_get_nothing_pays_the_whole_price() -> None:
    assert take(failed_round(900_000 * YUAN), set()).pay_in_fen == 700_000 * YUAN


@pytest.mark.parametrize(
    ("priority_fen", "ahead_fen", "remains_fen", "least_fen"),
    [
        (690_000_00, 715_000_00, 0, 715_000_01),
        (675_000_00, 700_000_00, 0, 700_000_01),
        (674_999_99, 699_999_99, 1, None),
    ],
)
def test_w19c_without_surplus(priority_fen: int, ahead_fen: int, remains_fen: int, least_fen: int | None) -> None:
    found = weigh_surplus(Fen(700_000_00), Fen(priority_fen), Fen(25_000_00))
    assert (found.ahead_fen, found.remains_fen, found.least_reserve_fen) == (ahead_fen, remains_fen, least_fen)
