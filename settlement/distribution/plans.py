"""The distribution plan (分配方案) as a document: what it rests on, its lines, and the hash over all of it.

Invariant: a plan's lines follow from its basis by `draw` alone, byte for byte, and its hash covers the basis and
every line; so `verify` replays any plan from its row, and a changed, missing or added line shows. Amounts are fen.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec

from kernel.clock import to_ms
from kernel.law import citation
from kernel.money import Fen, share, yuan
from settlement.completion.rules import CostKind
from settlement.distribution.claims import (
    Allocation,
    Claim,
    Cost,
    DebtorKind,
    Distribution,
    Level,
    Part,
    Pool,
    Preference,
)
from settlement.distribution.rules import distribute
from settlement.distribution.shares import NOTHING, Share

FORMAT = b"plan/1"
SURPLUS_LEVEL = 13
SURPLUS = "surplus"

FIRST_COSTS = frozenset({CostKind.SALE_COST, CostKind.ENFORCEMENT_FEE})
"""Costs of level 1."""

PART_OF: dict[CostKind, Part] = {
    CostKind.SALE_COST: Part.COSTS,
    CostKind.ENFORCEMENT_FEE: Part.COSTS,
    CostKind.SALE_TAXES: Part.SALE_TAXES,
    CostKind.RENT_CARVE_OUT: Part.RENT_CARVE_OUT,
}
"""The words of the waterfall for each kind of cost."""


class PayeeKind(StrEnum):
    """Whose row holds the payee's account: a party of the case, or a registered cost."""

    PARTY = "party"
    COST = "cost"


@dataclass(frozen=True, slots=True)
class Proceeds:
    """What one sold thing brought into the case account. `pool` is the asset's id, or `case_money`."""

    pool: str
    name: str
    amount_fen: Fen


@dataclass(frozen=True, slots=True)
class CostItem:
    """One registered cost as far as it is still unpaid. Without a pool it is the whole case's."""

    id: UUID
    kind: CostKind
    name: str
    payee: str
    pool: str | None
    amount_fen: Fen


@dataclass(frozen=True, slots=True)
class Participation:
    """One claim that takes part, and the party it is paid to."""

    party_id: UUID
    name: str
    claim: Claim


@dataclass(frozen=True, slots=True)
class Fee:
    """The enforcement fee: computed by the brackets on a base, and as the court set it with its reason (R-COST-01)."""

    base_fen: Fen
    computed_fen: Fen
    set_fen: Fen
    reason: str


@dataclass(frozen=True, slots=True)
class Basis:
    """Everything a plan follows from. Claims are in order of registration, pools in order of payment."""

    debtor: DebtorKind
    debtor_party: UUID
    debtor_name: str
    proceeds: tuple[Proceeds, ...]
    costs: tuple[CostItem, ...]
    claims: tuple[Participation, ...]
    fee: Fee | None = None
    preference: Preference | None = None

    @property
    def recipients(self) -> dict[UUID, str]:
        """Whom the plan is served on: every creditor and the debtor, with their names (R-DIST-04)."""
        return {each.party_id: each.name for each in self.claims} | {self.debtor_party: self.debtor_name}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a plan: so much to one payee, put there by a rule. `arithmetic` is JSON text."""

    position: int
    level: int
    rule: str
    law: str | None
    pool: str | None
    payee_kind: PayeeKind
    payee_id: UUID
    payee: str
    claim_id: UUID | None
    part: str
    amount_fen: Fen
    arithmetic: str


@dataclass(frozen=True, slots=True)
class Head:
    """What makes a plan this version of this case."""

    id: UUID
    case_id: UUID
    version: int
    made_at: datetime
    made_by: UUID


@dataclass(frozen=True, slots=True)
class Drawn:
    """A plan as its basis yields it."""

    lines: tuple[Line, ...]
    outcome: Distribution


def draw(basis: Basis) -> Drawn:
    """The plan that follows from `basis` (R-DIST-04); raises `Malformed` for a basis no distribution can follow."""
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


def basis_bytes(basis: Basis) -> bytes:
    """The exact bytes of a basis, as they are stored and hashed."""
    return msgspec.json.encode(basis)


def read_basis(stored: bytes) -> Basis:
    """A stored basis; raises `msgspec.ValidationError` or `msgspec.DecodeError` for bytes that are none."""
    return msgspec.json.decode(stored, type=Basis)


def line_bytes(line: Line) -> bytes:
    """The exact bytes of a line: all its columns in a frozen order. They hold no line feed."""
    return msgspec.json.encode(
        [
            line.position,
            line.level,
            line.rule,
            line.law,
            line.pool,
            line.payee_kind,
            line.payee_id,
            line.payee,
            line.claim_id,
            line.part,
            line.amount_fen,
            line.arithmetic,
        ]
    )


def plan_hash(head: Head, basis: bytes, lines: Iterable[Line]) -> bytes:
    """SHA-256 over head, basis and every line of a plan, in order."""
    first = msgspec.json.encode([head.id, head.case_id, head.version, to_ms(head.made_at), head.made_by])
    return hashlib.sha256(b"\n".join([FORMAT, first, basis, *(line_bytes(line) for line in lines)])).digest()


def formula(line: Line) -> str:
    """The line's arithmetic for people: `752,000.00 × 800,000.00 ÷ 1,200,000.00`."""
    numbers = msgspec.json.decode(line.arithmetic, type=dict[str, int])
    if "due_fen" in numbers:
        return yuan(numbers["due_fen"])
    shared, mine, whole = (numbers[name] for name in ("share_of_fen", "claim_open_fen", "class_open_fen"))
    text = yuan(mine) if shared == whole else f"{yuan(shared)} × {yuan(mine)} ÷ {yuan(whole)}"
    if numbers.get("uplift_percent"):
        text = f"{text} × {100 + numbers['uplift_percent']}%"
    return f"{yuan(numbers['first_fen'])} + {text}" if numbers.get("first_fen") else text


def reduce_claims(claims: Iterable[Participation], paid: Mapping[tuple[UUID, str], int]) -> tuple[Participation, ...]:
    """The claims less what earlier plans gave them, by (claim, part); what is open stays owed (R-DIST-03)."""

    def rest(claim: Claim, part: Part, amount_fen: Fen) -> Fen:
        return Fen(amount_fen - paid.get((UUID(claim.id), part), 0))

    return tuple(
        replace(
            each,
            claim=replace(
                each.claim,
                costs_fen=rest(each.claim, Part.COSTS, each.claim.costs_fen),
                interest_fen=rest(each.claim, Part.INTEREST, each.claim.interest_fen),
                principal_fen=rest(each.claim, Part.PRINCIPAL, each.claim.principal_fen),
                doubled_fen=rest(each.claim, Part.DOUBLED, each.claim.doubled_fen),
            ),
        )
        for each in claims
    )


def reduce_costs(costs: Iterable[CostItem], paid: Mapping[UUID, int]) -> tuple[CostItem, ...]:
    """The costs less what earlier plans paid of them; settled ones drop out."""
    rests = (replace(cost, amount_fen=Fen(cost.amount_fen - paid.get(cost.id, 0))) for cost in costs)
    return tuple(cost for cost in rests if cost.amount_fen > 0)


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
    rule = "R-COST-02" if cost.kind is CostKind.ENFORCEMENT_FEE else allocation.rule
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
        arithmetic=_json({"due_fen": due_fen}),
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
        arithmetic=_json({"due_fen": amount_fen}),
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
    return _json(numbers)


def _json(numbers: Mapping[str, int]) -> str:
    return msgspec.json.encode(numbers).decode()


def amounts_by_payee(lines: Sequence[Line]) -> dict[tuple[PayeeKind, UUID], Fen]:
    """What each payee gets over all lines, in the order in which they first appear."""
    sums: dict[tuple[PayeeKind, UUID], Fen] = {}
    for line in lines:
        payee = (line.payee_kind, line.payee_id)
        sums[payee] = Fen(sums.get(payee, 0) + line.amount_fen)
    return sums
