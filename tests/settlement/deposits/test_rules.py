"""What becomes of a deposit, without a database."""

import pytest

from kernel.ids import ordered_id
from kernel.money import Fen
from settlement.deposits.rules import HoldFacts, Outcome, Part, Stage, State, parts_of, state_of, to_keep


def _hold(
    amount: int, outcome: Outcome | None = None, stage: Stage = Stage.BID, part: Part = Part.DEPOSIT
) -> HoldFacts:
    return HoldFacts(ordered_id(), stage, part, Fen(amount), outcome)


APPLIED = [_hold(100, Outcome.APPLIED), _hold(100, None, Stage.PRICE)]


def test_a_sell_off_prepayment_is_two_holds() -> None:
    assert parts_of(Fen(560), Fen(56)) == {Part.DEPOSIT: 56, Part.REST: 504}
    assert parts_of(Fen(56), Fen(56)) == {Part.DEPOSIT: 56}
    assert parts_of(Fen(40), Fen(56)) == {Part.DEPOSIT: 40}
    assert parts_of(Fen(0), Fen(56)) == {}


@pytest.mark.parametrize(
    ("due", "holds", "may_wait", "keep"),
    [
        (100, [], True, None),
        (100, [], False, 0),
        (0, [], True, 0),
        (100, [_hold(100)], True, 100),
        (100, [_hold(100)], False, 100),
        (100, [_hold(100, Outcome.RELEASED)], False, 0),
        (100, APPLIED, False, 100),
        (560, [_hold(56), _hold(504, part=Part.REST)], True, 560),
        (
            560,
            [
                _hold(56, Outcome.APPLIED),
                _hold(504, Outcome.APPLIED, part=Part.REST),
                _hold(56, Outcome.FORFEITED, Stage.PRICE),
                _hold(504, Outcome.RELEASED, Stage.PRICE, Part.REST),
            ],
            False,
            56,
        ),
    ],
)
def test_how_much_of_what_was_paid_in_stays(due: int, holds: list[HoldFacts], may_wait: bool, keep: int | None) -> None:
    assert to_keep(Fen(due), holds, may_wait=may_wait) == keep


@pytest.mark.parametrize(
    ("due", "holds", "over", "state"),
    [
        (0, [], False, State.EXEMPT),
        (100, [], False, State.AWAITING),
        (100, [], True, State.LAPSED),
        (100, [_hold(100)], False, State.HELD),
        (100, [_hold(100)], True, State.HELD),
        (100, [_hold(100, Outcome.RELEASED)], True, State.RELEASED),
        (100, APPLIED, True, State.APPLIED),
        (100, [APPLIED[0], _hold(100, Outcome.APPLIED, Stage.PRICE)], True, State.APPLIED),
        (100, [APPLIED[0], _hold(100, Outcome.FORFEITED, Stage.PRICE)], True, State.FORFEITED),
    ],
)
def test_where_a_deposit_stands(due: int, holds: list[HoldFacts], over: bool, state: State) -> None:
    assert state_of(Fen(due), holds, over=over) is state
