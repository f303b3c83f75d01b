"""The enforcement fee on what the applicant is paid, which the fee itself lessens (R-COST-01, 02).

Invariant: the fee found is the largest that is not above the fee of the brackets on what the plan with it pays the
applicants. It comes off first, so a fen more would already be more than that.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from uuid import UUID

from kernel.money import Fen
from settlement.completion.rules import CostKind, enforcement_fee
from settlement.distribution.lines import draw_whole
from settlement.distribution.plans import Basis, CostItem, PayeeKind

LOOK_AHEAD = 2
"""Fen beyond the fee found that are tried: largest remainder may give an applicant a fen more out of a fen less."""


@dataclass(frozen=True, slots=True)
class SolvedFee:
    """The fee of the brackets, and what the applicants are paid beside it, over all plans of the case; fen."""

    base_fen: Fen
    fee_fen: Fen


def solve_fee(
    basis: Basis, case_id: UUID, applicants: Collection[UUID], paid_before_fen: int = 0, fee_before_fen: int = 0
) -> SolvedFee:
    """The fee on all that the applicants were paid before and are paid by the plan that carries its rest."""
    others = tuple(cost for cost in basis.costs if cost.kind is not CostKind.ENFORCEMENT_FEE)

    def paid(rest_fen: int) -> int:
        fee = CostItem(case_id, CostKind.ENFORCEMENT_FEE, "", "", None, Fen(rest_fen))
        plan = draw_whole(replace(basis, costs=(*others, fee), disputes=(), settles=None))
        mine = (line for line in plan.lines if line.payee_kind is PayeeKind.PARTY and line.claim_id is not None)
        return paid_before_fen + sum(line.amount_fen for line in mine if line.payee_id in applicants)

    rest = largest_consistent(lambda rest: max(0, enforcement_fee(Fen(paid(rest))) - fee_before_fen))
    return SolvedFee(Fen(paid(rest)), Fen(fee_before_fen + rest))


def largest_consistent(fee_of: Callable[[int], int]) -> int:
    """The largest `fee` with `fee <= fee_of(fee)`, for a function that falls as the fee rises.

    From above and below: the fee beside no fee is too high, the fee beside that one too low, and so on; each turn
    narrows the gap by the rate of the brackets, so a few draws are enough for any amount.
    """
    high = fee_of(0)
    low = fee_of(high)
    while True:
        nearer = min(high, fee_of(low)), max(low, fee_of(min(high, fee_of(low))))
        if nearer == (high, low):
            break
        high, low = nearer
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle <= fee_of(middle) else (low, middle - 1)
    return max(fee for fee in range(low, low + LOOK_AHEAD + 1) if fee == low or fee <= fee_of(fee))
