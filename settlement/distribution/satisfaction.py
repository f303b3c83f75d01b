"""Taking in satisfaction (以物抵债) after a failed round, and the test for an auction without surplus (R-FAIL-03, 05).

Invariant: who takes the thing pays exactly what the distribution of its price would give to others, so all others
stand as if it had been sold at that price.
"""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from kernel.money import Fen
from settlement.distribution.lines import draw_whole
from settlement.distribution.plans import Basis, Drawn, PayeeKind


@dataclass(frozen=True, slots=True)
class Taking:
    """What the taker would receive of the price, and what they pay in; fen. `plan` distributes the price."""

    entitlement_fen: Fen
    pay_in_fen: Fen
    plan: Drawn


@dataclass(frozen=True, slots=True)
class SurplusTest:
    """Whether anything would remain for the applicant, and else the lowest reserve that continues the sale; fen."""

    ahead_fen: Fen
    remains_fen: Fen
    least_reserve_fen: Fen | None


def take(basis: Basis, takers: Collection[UUID]) -> Taking:
    """What a creditor pays in who takes the things of `basis` at the prices it names as proceeds (R-FAIL-03).

    The entitlement is that in the distribution, not the face of the claim; several takers of one party count together.
    """
    plan = draw_whole(basis)
    own = (line for line in plan.lines if line.payee_kind is PayeeKind.PARTY and line.claim_id is not None)
    entitlement = Fen(sum(line.amount_fen for line in own if line.payee_id in takers))
    return Taking(entitlement, Fen(plan.proceeds_fen - entitlement), plan)


def weigh_surplus(reserve_fen: Fen, priority_fen: Fen, costs_fen: Fen) -> SurplusTest:
    """Before each round: must the applicant be told, and from which reserve may the sale go on (R-FAIL-05)?

    Nothing remains where the reserve is not above priority claims and costs; to go on it must be above them.
    """
    ahead = Fen(priority_fen + costs_fen)
    remains = Fen(max(0, reserve_fen - ahead))
    return SurplusTest(ahead, remains, None if remains else Fen(ahead + 1))
