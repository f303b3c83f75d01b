"""The enforcement fee (R-COST-01) and the four steps of a forfeited deposit (R-CLOSE-08 to 10).

Invariant: every fen of a forfeited deposit lands in exactly one step or stays pending decision; none goes
back to the defaulting buyer, and none is asked of that buyer beyond the deposit.
"""

from dataclasses import dataclass
from fractions import Fraction

from kernel.money import Fen, round_half_up

_YUAN = 100
LOWEST_FEE_FEN = Fen(50 * _YUAN)
"""The fee of an amount up to 10,000 yuan (R-COST-01)."""

FEE_BRACKETS: tuple[tuple[int, int | None, Fraction], ...] = (
    (10_000 * _YUAN, 500_000 * _YUAN, Fraction(15, 1000)),
    (500_000 * _YUAN, 5_000_000 * _YUAN, Fraction(10, 1000)),
    (5_000_000 * _YUAN, 10_000_000 * _YUAN, Fraction(5, 1000)),
    (10_000_000 * _YUAN, None, Fraction(1, 1000)),
)
"""Edges in fen and rate of the part between them, on top of the lowest fee (R-COST-01)."""


def enforcement_fee(amount_fen: Fen) -> Fen:
    """The enforcement fee on an enforced amount, cumulative, rounded half up to the fen (R-COST-01)."""
    exact = Fraction(LOWEST_FEE_FEN)
    for lower, upper, rate in FEE_BRACKETS:
        top = amount_fen if upper is None else min(amount_fen, upper)
        exact += max(0, top - lower) * rate
    return round_half_up(exact)


@dataclass(frozen=True, slots=True)
class Default:
    """A default (悔拍) and what depends on it; fen.

    `case_debt_open_fen` is what stays open in the case after the resale money and the shortfall money,
    `related_debt_open_fen` the debtor's other debts that are connected with the property.
    """

    first_price_fen: Fen
    deposit_fen: Fen
    costs_fen: Fen
    resale_price_fen: Fen
    case_debt_open_fen: Fen
    related_debt_open_fen: Fen

    @property
    def shortfall_fen(self) -> Fen:
        """What the resale brought less than the first sale; never negative."""
        return Fen(max(0, self.first_price_fen - self.resale_price_fen))


@dataclass(frozen=True, slots=True)
class ForfeitedDeposit:
    """Where a forfeited deposit goes, step by step; the first five amounts sum to the deposit; fen.

    `uncovered_fen` is what costs and shortfall leave open. It is shown and never charged without a court
    order, since whether the buyer owes it is disputed (R-CLOSE-09).
    """

    to_costs_fen: Fen
    to_shortfall_fen: Fen
    to_case_debt_fen: Fen
    to_related_debt_fen: Fen
    pending_decision_fen: Fen
    uncovered_fen: Fen


def use_forfeited_deposit(default: Default) -> ForfeitedDeposit:
    """Wasted costs, then the shortfall, then the case's debt, then connected debts (R-CLOSE-08).

    What is left after all four stays pending decision: who gets it is unsettled (R-CLOSE-10).
    """
    steps = (
        default.costs_fen,
        default.shortfall_fen,
        default.case_debt_open_fen,
        default.related_debt_open_fen,
    )
    left, used = default.deposit_fen, []
    for wanted in steps:
        taken = Fen(min(left, wanted))
        used.append(taken)
        left = Fen(left - taken)
    to_costs, to_shortfall, to_case_debt, to_related_debt = used
    return ForfeitedDeposit(
        to_costs_fen=to_costs,
        to_shortfall_fen=to_shortfall,
        to_case_debt_fen=to_case_debt,
        to_related_debt_fen=to_related_debt,
        pending_decision_fen=left,
        uncovered_fen=Fen(default.costs_fen + default.shortfall_fen - to_costs - to_shortfall),
    )
