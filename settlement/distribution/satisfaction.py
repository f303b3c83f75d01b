"""Taking in satisfaction (以物抵债) after a failed round, and the test for an auction without surplus (R-FAIL-03, 05).

Invariant: who takes the thing pays exactly what the distribution of its price would give to others, so all others
stand as if it had been sold at that price.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from uuid import UUID

from kernel.money import Fen
from settlement.distribution.claims import ClaimKind, Debt, Level
from settlement.distribution.errors import LotNotDrawn, NoFailedRound, NotSenior, TakingNotOverdue, TakingNotThere
from settlement.distribution.lines import draw_whole
from settlement.distribution.plans import Basis, Drawn, Participation, PayeeKind, Proceeds
from settlement.distribution.shares import NOTHING


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


class TakingState(StrEnum):
    """How far a taking has come; title passes at `served` (R-FAIL-04)."""

    AWAITING = "awaiting"
    PAID = "paid"
    SERVED = "served"
    LAPSED = "lapsed"


TAKING_STATE_ZH = {
    TakingState.AWAITING: "待补交差价",
    TakingState.PAID: "差价已补交",
    TakingState.SERVED: "抵债裁定已送达",
    TakingState.LAPSED: "已失效",
}


def require_failed_last(status: str, lot_id: UUID, sales: Sequence[tuple[UUID, str]]) -> None:
    """Only the thing's last round, if that failed, lets a creditor take it (R-FAIL-03).

    `sales`: each lot of the thing with its status, oldest first; one that was withdrawn was no round.
    """
    last = [each for each, its in sales if its != "withdrawn"][-1:]
    if status != "failed" or last != [lot_id]:
        raise NoFailedRound()


def require_at(state: TakingState, *, needed: TakingState) -> None:
    """A taking goes one way: paid before its ruling is served, lapsed only while it waits (R-FAIL-04)."""
    if state is not needed:
        raise TakingNotThere(state=state, state_zh=TAKING_STATE_ZH[state])


def lapse(state: TakingState, due_on: date, today: date) -> None:
    """A taking lapses whose difference was not paid in by its last day (R-FAIL-04)."""
    require_at(state, needed=TakingState.AWAITING)
    if today <= due_on:
        raise TakingNotOverdue(due_on=due_on.isoformat())


def entitlement_of(before: Basis, with_thing: Basis, taker: UUID) -> Fen:
    """What the price of a thing adds to what the taker receives of the case's money (R-FAIL-03); fen.

    Without other money it is their share of the price; what they receive of other money is not set off.
    """
    already = take(before, {taker}).entitlement_fen if before.proceeds else NOTHING
    return Fen(max(0, take(with_thing, {taker}).entitlement_fen - already))


def require_first(asked: Collection[Participation], taker: UUID, drawn: object) -> None:
    """Of several who asked the senior rank takes, of equal ones whom the lot named (R-FAIL-03); `drawn` is a name."""
    best = min(_rank(each) for each in asked)
    first = {each.party_id: each.name for each in asked if _rank(each) == best}
    if taker not in first:
        raise NotSenior(name="、".join(first.values()))
    if len(first) > 1 and drawn != first[taker]:
        raise LotNotDrawn()


_ORDER = (
    ClaimKind.INJURY_MEDICAL,
    ClaimKind.HOME_BUYER,
    ClaimKind.CONSTRUCTION_PRICE,
    ClaimKind.LIEN,
    ClaimKind.SECURED,
    ClaimKind.TAX,
    ClaimKind.RESTITUTION,
    ClaimKind.ORDINARY,
)
"""Rank between takers, best first (R-DIST-10 to 14); among securities the earlier one, else they are equal."""


def _rank(each: Participation) -> tuple[int, bool, date]:
    kind, on = each.claim.kind, each.claim.rank_on
    ranked = kind in (ClaimKind.LIEN, ClaimKind.SECURED)
    place = _ORDER.index(kind) if kind in _ORDER else len(_ORDER)
    return place, ranked and on is None, on if ranked and on else date.max


def priority_and_costs(basis: Basis, thing: Proceeds) -> tuple[Fen, Fen]:
    """What stands before the ordinary class on a thing: priority claims, and costs with taxes (R-FAIL-05); fen."""
    enough = Fen(sum(sum(getattr(each.debt, part) for part in Debt.__slots__) for each in basis.claims))
    enough = Fen(enough + sum(cost.amount_fen for cost in basis.costs) + 1)
    whole = draw_whole(replace(basis, proceeds=(replace(thing, amount_fen=enough),)))
    ahead = [line for line in whole.lines if line.level <= Level.YOUNGER_TAXES]
    claims = Fen(sum(line.amount_fen for line in ahead if line.claim_id is not None))
    return claims, Fen(sum(line.amount_fen for line in ahead) - claims)


def weigh_surplus(reserve_fen: Fen, priority_fen: Fen, costs_fen: Fen) -> SurplusTest:
    """Before each round: must the applicant be told, and from which reserve may the sale go on (R-FAIL-05)?

    Nothing remains where the reserve is not above priority claims and costs; to go on it must be above them.
    """
    ahead = Fen(priority_fen + costs_fen)
    remains = Fen(max(0, reserve_fen - ahead))
    return SurplusTest(ahead, remains, None if remains else Fen(ahead + 1))
