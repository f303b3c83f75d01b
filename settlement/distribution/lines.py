"""The lines of a plan as its basis yields them: costs borne by the pools, then every allocation of the waterfall.

Invariant: each fen of the proceeds stands on exactly one line, the surplus included. Amounts are fen.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec

from kernel.law import citation
from kernel.money import Fen, share
from settlement.completion.rules import CostKind
from settlement.distribution.claims import Allocation, Cost, Level, Part, Pool
from settlement.distribution.plans import (
    SURPLUS,
    SURPLUS_LEVEL,
    Basis,
    CostItem,
    Drawn,
    Line,
    Participation,
    PayeeKind,
)
from settlement.distribution.rules import distribute
from settlement.distribution.shares import NOTHING, Share

FIRST_COSTS = frozenset({CostKind.SALE_COST, CostKind.ENFORCEMENT_FEE, CostKind.RELATED_DEBT})
"""Costs of level 1."""

PART_OF: dict[CostKind, Part] = {
    CostKind.SALE_COST: Part.COSTS,
    CostKind.ENFORCEMENT_FEE: Part.COSTS,
    CostKind.RELATED_DEBT: Part.COSTS,
    CostKind.SALE_TAXES: Part.SALE_TAXES,
    CostKind.RENT_CARVE_OUT: Part.RENT_CARVE_OUT,
}
"""The words of the waterfall for each kind of cost."""


def draw_whole(basis: Basis) -> Drawn:
    """Distribute everything; raises `Malformed` for a basis no distribution can follow."""
    borne = _borne(basis)
    outcome = distribute(basis.debtor, _pools(basis, borne), [each.claim for each in basis.claims], basis.preference)
    claims = {each.claim.id: each for each in basis.claims}
    lines: list[Line] = []
    for allocation in outcome.allocations:
        if allocation.level > Level.RENT_CARVE_OUT:
            lines.append(_to_claim(len(lines) + 1, claims[allocation.to], allocation))
        else:
            lines.extend(_to_costs(len(lines) + 1, borne[str(allocation.pool)], allocation))
    if outcome.surplus_fen:
        lines.append(_surplus(len(lines) + 1, basis, outcome.surplus_fen))
    return Drawn(tuple(lines), outcome)


RULE_OF = {CostKind.ENFORCEMENT_FEE: "R-COST-02", CostKind.RELATED_DEBT: "R-CLOSE-08"}
"""The rule behind a payment that stands among the costs of the sale for another reason than they do."""

_Borne = defaultdict[str, list[tuple[CostItem, Fen]]]
"""What each pool bears of each cost, in order of payment."""


def _borne(basis: Basis) -> _Borne:
    """The whole case's costs fall on the pools in proportion to their proceeds (R-GEN-04).

    The enforcement fee stands after the costs of the sale: it is collected once those are met (R-COST-02, 04).
    """
    parts: _Borne = defaultdict(list)
    weights = [proceeds.amount_fen for proceeds in basis.proceeds]
    for cost in sorted(basis.costs, key=lambda cost: cost.kind is CostKind.ENFORCEMENT_FEE):
        if cost.pool is not None:
            parts[cost.pool].append((cost, cost.amount_fen))
        elif any(weights):
            for proceeds, amount in zip(basis.proceeds, share(cost.amount_fen, weights), strict=True):
                parts[proceeds.pool].append((cost, amount))
    return parts


def _pools(basis: Basis, borne: _Borne) -> list[Pool]:
    """The pools with what comes off each of them first.

    A thing that is not sold has no proceeds but stands there, so that a claim secured on it joins the ordinary class.
    """
    sold = {proceeds.pool: proceeds.amount_fen for proceeds in basis.proceeds}
    secured_on = [each.claim.pool for each in basis.claims if each.claim.pool is not None]

    def total(pool: str, kind: CostKind) -> Fen:
        return Fen(sum(amount for cost, amount in borne[pool] if cost.kind is kind))

    return [
        Pool(
            id=pool,
            proceeds_fen=sold.get(pool, NOTHING),
            costs=tuple(Cost(str(cost.id), amount) for cost, amount in borne[pool] if cost.kind in FIRST_COSTS),
            sale_taxes_fen=total(pool, CostKind.SALE_TAXES),
            rent_carve_out_fen=total(pool, CostKind.RENT_CARVE_OUT),
        )
        for pool in dict.fromkeys([*sold, *secured_on])
    ]


def _to_costs(position: int, borne: Sequence[tuple[CostItem, Fen]], allocation: Allocation) -> list[Line]:
    """The lines of one allocation to costs: a pool's sale taxes may go to several payees, in their order."""
    lines: list[Line] = []
    left: int = allocation.amount_fen
    for cost, due in borne:
        if PART_OF[cost.kind] is allocation.part and (
            allocation.level is not Level.COSTS or allocation.to == str(cost.id)
        ):
            paid = min(left, due)
            left -= paid
            if paid:
                lines.append(_to_cost(position + len(lines), cost, allocation, Fen(paid), due))
    return lines


def _to_claim(position: int, participation: Participation, allocation: Allocation) -> Line:
    return Line(
        position=position,
        level=int(allocation.level),
        rule=allocation.rule,
        law=citation(allocation.rule),
        pool=allocation.pool,
        payee_kind=PayeeKind.PARTY,
        payee_id=participation.party_id,
        payee=participation.name,
        claim_id=UUID(participation.claim.id),
        part=allocation.part,
        amount_fen=allocation.amount_fen,
        arithmetic=_arithmetic(allocation.share),
    )


def _to_cost(position: int, cost: CostItem, allocation: Allocation, amount_fen: Fen, due_fen: Fen) -> Line:
    rule = RULE_OF.get(cost.kind, allocation.rule)
    return Line(
        position=position,
        level=int(allocation.level),
        rule=rule,
        law=citation(rule),
        pool=allocation.pool,
        payee_kind=PayeeKind.COST,
        payee_id=cost.id,
        payee=cost.payee,
        claim_id=None,
        part=cost.kind,
        amount_fen=amount_fen,
        arithmetic=as_json({"due_fen": due_fen}),
    )


def _surplus(position: int, basis: Basis, amount_fen: Fen) -> Line:
    """What is left over debt and costs returns to the debtor (R-CLOSE-13)."""
    return Line(
        position=position,
        level=SURPLUS_LEVEL,
        rule="R-CLOSE-13",
        law=citation("R-CLOSE-13"),
        pool=None,
        payee_kind=PayeeKind.PARTY,
        payee_id=basis.debtor_party,
        payee=basis.debtor_name,
        claim_id=None,
        part=SURPLUS,
        amount_fen=amount_fen,
        arithmetic=as_json({"due_fen": amount_fen}),
    )


def _arithmetic(cut: Share) -> str:
    numbers = {
        "share_fen": cut.amount_fen,
        "share_of_fen": cut.share_of_fen,
        "claim_open_fen": cut.claim_open_fen,
        "class_open_fen": cut.class_open_fen,
    }
    if cut.first_fen:
        numbers["first_fen"] = cut.first_fen
    if cut.uplift_percent:
        numbers["uplift_percent"] = Fen(cut.uplift_percent)
    return as_json(numbers)


def as_json(numbers: Mapping[str, int]) -> str:
    return msgspec.json.encode(numbers).decode()
