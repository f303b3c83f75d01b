"""What a plan of a case would rest on now: money, costs and claims less what confirmed plans gave (R-DIST-03, 04).

Read under the lock of the case account where something is decided by it.
"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from datetime import date
from uuid import UUID

from appraisal import api as appraisal
from appraisal.api import CaseFacts, PartyRole, TitledClaim
from kernel.database import Tx
from kernel.money import Fen
from settlement.completion import case_money, set_offs
from settlement.completion.case_money import CaseCost
from settlement.completion.rules import enforcement_fee
from settlement.distribution import participation, store
from settlement.distribution.claims import BOUND_TO_POOL, Claim, ClaimKind, DebtorKind
from settlement.distribution.fees import SolvedFee, solve_fee
from settlement.distribution.models import ParticipationApplication
from settlement.distribution.participation import Application
from settlement.distribution.plans import (
    PAYABLE,
    Basis,
    CostItem,
    Fee,
    Line,
    Participation,
    PayeeKind,
    Proceeds,
    SetOff,
    reduce_claims,
    reduce_costs,
)
from settlement.distribution.satisfaction import TakingState

RULE_OF_SET_OFF = "R-CLOSE-04"
"""A price that the panel let a buyer set off against their claim, in place of a part of the balance."""

OPEN_TAKINGS = (TakingState.AWAITING, TakingState.PAID)


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A confirmed plan as payouts use it."""

    plan_id: UUID
    case_id: UUID
    version: int
    basis: Basis
    lines: tuple[Line, ...]

    @property
    def payable(self) -> tuple[Line, ...]:
        """The lines that can be paid out: all but those in escrow."""
        return tuple(line for line in self.lines if line.payee_kind in PAYABLE)


async def find_confirmed(tx: Tx, plan_id: UUID) -> Confirmed | None:
    """The plan, if it was confirmed."""
    if await store.find_confirmation(tx, plan_id) is None:
        return None
    plan = await store.get_plan(tx, plan_id)
    return Confirmed(plan.id, plan.case_id, plan.version, store.basis_of(plan), await store.lines_of(tx, plan.id))


async def confirmed_plans(tx: Tx, case_id: UUID) -> list[Confirmed]:
    """The case's confirmed plans, oldest first."""
    return [
        Confirmed(plan.id, plan.case_id, plan.version, store.basis_of(plan), await store.lines_of(tx, plan.id))
        for plan in await store.confirmed_plans(tx, case_id)
    ]


async def current_basis(tx: Tx, case: CaseFacts, promised: tuple[Proceeds, ...] = ()) -> Basis:
    """What a plan of this case would rest on now: money, costs and claims less what confirmed plans gave away.

    `promised` are prices that are no proceeds yet, as if they were.
    """
    basis, before = await _basis_before_fee(tx, case, promised)
    fee = await case_money.find_fee(tx, case.id)
    if fee is None:
        return basis
    solved = solve_fee(basis, case.id, _applicants(case), *before)
    return replace(basis, fee=Fee(solved.base_fen, solved.fee_fen, fee.set_fen, fee.reason))


async def bases_around(tx: Tx, case: CaseFacts, thing: Proceeds) -> tuple[Basis, Basis]:
    """The bases before and with the price of a thing; both with the prices of other things that creditors bought or
    take by a set-off before title has passed: what is set off there already is not theirs to set off again.
    """
    bought = [each for each in await set_offs.standing_in(tx, case.id) if not each.is_served]
    taken = [each for each in await store.takings_of(tx, case.id) if each.state in OPEN_TAKINGS]
    promised = (
        *(Proceeds(str(each.asset_id), each.title, each.price_fen) for each in bought),
        *(Proceeds(str(each.asset_id), each.title, each.price_fen) for each in taken),
    )
    others = tuple(each for each in promised if each.pool != thing.pool)
    return await current_basis(tx, case, others), await current_basis(tx, case, (*others, thing))


async def computed_fee(tx: Tx, case: CaseFacts) -> SolvedFee:
    """The fee of the brackets on what applicants were paid before and are paid by a plan drafted now (R-COST-01).

    Before any money came in, what they claim stands for it.
    """
    basis, before = await _basis_before_fee(tx, case)
    applicants = _applicants(case)
    if not basis.proceeds and not any(before):
        claimed_fen = Fen(sum(sum(asdict(each.debt).values()) for each in basis.claims if each.party_id in applicants))
        return SolvedFee(claimed_fen, enforcement_fee(claimed_fen))
    return solve_fee(basis, case.id, applicants, *before)


def _applicants(case: CaseFacts) -> frozenset[UUID]:
    return frozenset(party.id for party in case.parties if party.role is PartyRole.ENFORCEMENT_APPLICANT)


async def _basis_before_fee(
    tx: Tx, case: CaseFacts, promised: tuple[Proceeds, ...] = ()
) -> tuple[Basis, tuple[int, int]]:
    """The basis but for the fee's figures, and what the applicants and the fee got by earlier plans; fen."""
    earlier = await confirmed_plans(tx, case.id)
    given_of_pool, paid_of_claim, paid_of_cost = _given(earlier)
    proceeds = tuple(
        Proceeds(each.pool, each.name, Fen(left))
        for each in await case_money.distributable(tx, case.id)
        if (left := each.amount_fen - given_of_pool[each.pool])
    )
    taken = [each for each in await store.takings_of(tx, case.id) if each.state == TakingState.SERVED]
    proceeds += tuple(
        Proceeds(str(each.asset_id), each.title, each.price_fen)
        for each in taken
        if not given_of_pool[str(each.asset_id)]  # a taken thing's price is given away whole
    )
    proceeds += promised
    sold = {each.pool for each in proceeds}
    costs = [_cost_item(cost, sold) for cost in await case_money.list_costs(tx, case.id)]
    claims = reduce_claims(await recognised_claims(tx, case), paid_of_claim)
    policy = await store.find_policy(tx, case.court_id, case.id)
    basis = Basis(
        debtor=DebtorKind(case.debtor.kind),
        debtor_party=case.debtor.id,
        debtor_name=case.debtor.name,
        proceeds=proceeds,
        costs=reduce_costs(costs, paid_of_cost),
        claims=claims,
        preference=participation.preference(policy, DebtorKind(case.debtor.kind), claims),
        set_offs=(
            *(
                SetOff(each.party_id, each.entitlement_fen)
                for each in taken
                if str(each.asset_id) in sold and each.entitlement_fen
            ),
            *(
                SetOff(each.party_id, each.amount_fen, RULE_OF_SET_OFF)
                for each in await set_offs.standing_in(tx, case.id)
                if each.is_served and not given_of_pool[str(each.asset_id)]  # given once, with the whole price
            ),
        ),
    )
    applicants = _applicants(case)
    mine = {UUID(each.claim.id) for each in claims if each.party_id in applicants}
    paid_fen = sum(amount for (claim_id, _), amount in paid_of_claim.items() if claim_id in mine)
    return basis, (paid_fen, paid_of_cost.get(case.id, 0))


def _given(
    earlier: Collection[Confirmed],
) -> tuple[dict[str, int], dict[tuple[UUID, str], int], dict[UUID, int]]:
    """What confirmed plans gave: by pool, by claim and part, by cost; fen.

    What lies in escrow counts as given to its claim until the plan that gives the escrow out says otherwise.
    """
    settled = {plan.basis.settles.plan_id for plan in earlier if plan.basis.settles}
    pools: defaultdict[str, int] = defaultdict(int)
    claims: defaultdict[tuple[UUID, str], int] = defaultdict(int)
    costs: defaultdict[UUID, int] = defaultdict(int)
    for plan in earlier:
        if plan.basis.settles is None:  # else its money is that of the plan it settles
            for proceeds in plan.basis.proceeds:
                pools[proceeds.pool] += proceeds.amount_fen
        for line in plan.lines:
            if line.payee_kind is PayeeKind.ESCROW and plan.plan_id in settled:
                continue
            if line.claim_id is not None:
                claims[line.claim_id, line.part] += line.amount_fen
            elif line.payee_kind is PayeeKind.COST:
                costs[line.payee_id] += line.amount_fen
    return pools, claims, costs


def _cost_item(cost: CaseCost, sold: Collection[str]) -> CostItem:
    """The cost with the pool that bears it; the cost of a thing that brought nothing is the whole case's."""
    pool = str(cost.asset_id) if str(cost.asset_id) in sold else None
    return CostItem(cost.id, cost.kind, cost.name, cost.payee.holder, pool, cost.amount_fen, cost.document)


async def paid_in_fen(tx: Tx, case_id: UUID) -> int:
    """What takers paid into the case account, in fen."""
    taken = await store.takings_of(tx, case_id)
    return sum(each.pay_in_fen for each in taken if each.state == TakingState.SERVED)


async def takers_of(tx: Tx, case_id: UUID) -> dict[str, UUID]:
    """Who took a thing under each ruling, and so paid in what it brought the case account: document -> party."""
    return {f"ruling:{each.ruling_decision_id}": each.party_id for each in await store.takings_of(tx, case_id)}


async def rulings_served(tx: Tx, case_id: UUID) -> list[date | None]:
    """The day each ruling over a sold or taken thing was served; None for one that is still to be."""
    taken = [each for each in await store.takings_of(tx, case_id) if each.state != TakingState.LAPSED]
    return [*await case_money.rulings_served(tx, case_id), *(each.served_on for each in taken)]


async def effect_on(tx: Tx, case_id: UUID) -> date | None:
    """The day on which the case's debt was met: the last ruling's service, else the last money's (R-INT-04)."""
    served = [day for day in await rulings_served(tx, case_id) if day is not None]
    return max(served) if served else await case_money.effect_on(tx, case_id)


async def recognised_claims(tx: Tx, case: CaseFacts) -> list[Participation]:
    """The case's claims that take part, in order of registration, with what was recognised last (R-DIST-01, 02)."""
    recognised = await store.recognitions_of(tx, case.id)
    policy = await store.find_policy(tx, case.court_id, case.id)
    applications = [application_of(row) for row in await store.applications_of(tx, case.id)]
    found = []
    for claim in await appraisal.list_claims(tx, case.id):
        role = case.party(claim.party_id).role
        if not participation.takes_part(policy, role, claim.party_id, claim.title_no, applications):
            continue
        registered = _participation(case, claim)
        rows = recognised.get(claim.id)
        found.append(registered.of(store.debt_of(rows[-1])) if rows else registered)
    return found


def application_of(row: ParticipationApplication) -> Application:
    return Application(row.party_id, row.title_no, row.applied_on)


def _participation(case: CaseFacts, claim: TitledClaim) -> Participation:
    kind = ClaimKind(claim.kind)
    return Participation(
        party_id=claim.party_id,
        name=case.party(claim.party_id).name,
        claim=Claim(
            id=str(claim.id),
            kind=kind,
            pool=str(claim.asset_id) if kind in BOUND_TO_POOL else None,
            rank_on=claim.rank_on,
            sealed_on=claim.sealed_on,
            costs_fen=claim.costs_fen,
            interest_fen=claim.interest_fen,
            principal_fen=claim.principal_fen,
            doubled_fen=claim.doubled_fen,
        ),
        document=claim.title_no,
    )
