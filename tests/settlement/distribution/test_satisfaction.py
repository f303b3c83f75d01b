"""W-19: what a creditor pays in who takes the thing, when a sale leaves nothing, and what set-offs leave others."""

from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.money import Fen
from settlement.completion.rules import CostKind
from settlement.distribution.claims import ClaimKind
from settlement.distribution.drawing import draw
from settlement.distribution.errors import NoFailedRound, SatisfactionShort, TakingNotOverdue, TakingNotThere
from settlement.distribution.plans import RULE_OF_TAKING, Basis, PayeeKind, SetOff
from settlement.distribution.satisfaction import (
    TakingState,
    entitlement_of,
    lapse,
    require_failed_last,
    take,
    weigh_surplus,
)
from tests.settlement.distribution.test_drawing import in_dispute, sums
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


FIRST, SECOND = UUID(int=1), UUID(int=2)


@pytest.mark.parametrize(
    ("lot", "status", "later", "takeable"),
    [
        (FIRST, "failed", None, True),
        (FIRST, "failed", "withdrawn", True),
        (SECOND, "failed", "failed", True),
        (FIRST, "failed", "draft", False),
        (FIRST, "failed", "failed", False),
        (FIRST, "sold", None, False),
        (SECOND, "withdrawn", "withdrawn", False),
    ],
)
def test_only_the_last_round_that_failed_lets_a_creditor_take(
    lot: UUID, status: str, later: str | None, takeable: bool
) -> None:
    sales = [(FIRST, status if lot == FIRST else "failed"), *([(SECOND, later)] if later else [])]
    if takeable:
        return require_failed_last(status, lot, sales)
    with pytest.raises(NoFailedRound):
        require_failed_last(status, lot, sales)


def test_a_taking_lapses_after_its_last_day_while_it_waits() -> None:
    due_on = date(2025, 7, 1)
    lapse(TakingState.AWAITING, due_on, date(2025, 7, 2))
    with pytest.raises(TakingNotOverdue):
        lapse(TakingState.AWAITING, due_on, due_on)
    with pytest.raises(TakingNotThere):
        lapse(TakingState.PAID, due_on, date(2025, 7, 2))


RULE_OF_PURCHASE = "R-CLOSE-04"


def test_set_offs_under_two_rules_are_lines_of_their_own_and_under_one_rule_one_line() -> None:
    whole = replace(
        failed_round(900_000 * YUAN),
        set_offs=(
            SetOff(party(2), Fen(100_000 * YUAN)),
            SetOff(party(2), Fen(50_000 * YUAN), RULE_OF_PURCHASE),
            SetOff(party(2), Fen(20_000 * YUAN)),
        ),
    )
    lines = [(line.payee_kind, line.rule, line.law, line.amount_fen) for line in draw(whole).lines[2:]]
    assert [(kind, rule, bool(law), amount) for kind, rule, law, amount in lines] == [
        (PayeeKind.SET_OFF, RULE_OF_TAKING, True, 120_000 * YUAN),
        (PayeeKind.SET_OFF, RULE_OF_PURCHASE, False, 50_000 * YUAN),
        (PayeeKind.PARTY, "R-DIST-03", True, 210_000 * YUAN),
    ]


@settings(max_examples=200)
@given(in_dispute(), st.data())
def test_a_set_off_takes_no_fen_from_anybody_and_never_more_than_the_price_brings(
    basis: Basis, data: st.DataObject
) -> None:
    basis = replace(basis, disputes=())
    thing, other = basis.proceeds
    buyer = data.draw(st.sampled_from(sorted({each.party_id for each in basis.claims})))
    entitlement = entitlement_of(replace(basis, proceeds=(other,)), basis, buyer)
    assert 0 <= entitlement <= thing.amount_fen
    amount = data.draw(st.integers(0, entitlement))
    set_offs = tuple(SetOff(buyer, fen, RULE_OF_PURCHASE) for fen in (Fen(amount),) if fen)
    plain, drawn = draw(basis), draw(replace(basis, set_offs=set_offs))
    assert sums(drawn.lines) == sums(plain.lines), "everybody gets what they got, the buyer a part of it by set-off"
    money = sum(line.amount_fen for line in drawn.lines if line.payee_kind is not PayeeKind.SET_OFF)
    assert money == plain.proceeds_fen - amount
    own = sum(line.amount_fen for line in plain.lines if line.payee_id == buyer and line.claim_id is not None)
    with pytest.raises(SatisfactionShort):
        draw(replace(basis, set_offs=(SetOff(buyer, Fen(own + 1), RULE_OF_PURCHASE),)))
