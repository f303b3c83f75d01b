"""The document of `auction calc distribution`: strict input, and the output in the exact words of the format.

A thin wrapper over the rules that the platform itself runs; nothing is decided here.
"""

from datetime import date
from fractions import Fraction
from typing import Annotated, Any

import msgspec
from msgspec.structs import asdict

from kernel.decoding import A_DAY, FIRST_YEAR, LAST_YEAR, Unusable
from kernel.money import MAX_FEN, Fen
from settlement.distribution.claims import (
    Allocation,
    Claim,
    ClaimKind,
    ClaimResult,
    Cost,
    DebtorKind,
    Pool,
    Preference,
    PreferenceMethod,
)
from settlement.distribution.rules import distribute
from settlement.distribution.shares import NOTHING

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Amount = Annotated[Fen, msgspec.Meta(ge=0, le=MAX_FEN)]
Percent = Annotated[int, msgspec.Meta(ge=0, le=100)]


class _Input(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Unknown fields are refused; missing amounts are 0 and missing lists empty."""


class CostInput(_Input, frozen=True):
    """One cost of a pool."""

    id: Id
    amount_fen: Amount = NOTHING


class PoolInput(_Input, frozen=True):
    """The proceeds of one thing."""

    id: Id
    proceeds_fen: Amount = NOTHING
    costs: Annotated[tuple[CostInput, ...], msgspec.Meta(max_length=1_000)] = ()
    sale_taxes_fen: Amount = NOTHING
    rent_carve_out_fen: Amount = NOTHING


class ClaimInput(_Input, frozen=True):
    """One claim, in order of registration."""

    id: Id
    kind: ClaimKind
    pool: Id | None = None
    rank_on: date | None = None
    sealed_on: date | None = None
    costs_fen: Amount = NOTHING
    interest_fen: Amount = NOTHING
    principal_fen: Amount = NOTHING
    doubled_fen: Amount = NOTHING

    def __post_init__(self) -> None:
        for field in ("rank_on", "sealed_on"):
            day = getattr(self, field)
            if day is not None and not FIRST_YEAR <= day.year <= LAST_YEAR:
                raise Unusable(field, *A_DAY)


class PreferenceInput(_Input, frozen=True):
    """First-seal preference (R-DIST-16)."""

    method: PreferenceMethod
    percent: Percent
    claim: Id


class DistributionInput(_Input, frozen=True):
    """The whole case."""

    debtor: DebtorKind
    pools: Annotated[tuple[PoolInput, ...], msgspec.Meta(max_length=1_000)] = ()
    claims: Annotated[tuple[ClaimInput, ...], msgspec.Meta(max_length=10_000)] = ()
    first_seal_preference: PreferenceInput | None = None


def calculate(document: DistributionInput) -> dict[str, Any]:
    """Distribute; raises `Malformed` with a JSON path for a document that no distribution can follow."""
    preference = document.first_seal_preference
    outcome = distribute(
        document.debtor,
        [_pool(pool) for pool in document.pools],
        [Claim(**asdict(claim)) for claim in document.claims],
        Preference(**asdict(preference)) if preference else None,
    )
    return {
        "allocations": [_allocation(line) for line in outcome.allocations],
        "claims": [_claim(result) for result in outcome.claims],
        "carve_out_fen": outcome.carve_out_fen,
        "surplus_fen": outcome.surplus_fen,
        "quota": None if outcome.quota is None else four_decimals(outcome.quota),
        "proceeds_fen": outcome.proceeds_fen,
        "distributed_fen": outcome.distributed_fen,
        "rules": list(outcome.rules),
    }


def four_decimals(quota: Fraction) -> str:
    """A quota of 0 to 1 with four decimals, halves up: `Fraction(3, 10)` -> `"0.3000"`."""
    ten_thousandths = (20_000 * quota.numerator + quota.denominator) // (2 * quota.denominator)
    whole, decimals = divmod(ten_thousandths, 10_000)
    return f"{whole}.{decimals:04d}"


def _pool(pool: PoolInput) -> Pool:
    return Pool(
        id=pool.id,
        proceeds_fen=pool.proceeds_fen,
        costs=tuple(Cost(cost.id, cost.amount_fen) for cost in pool.costs),
        sale_taxes_fen=pool.sale_taxes_fen,
        rent_carve_out_fen=pool.rent_carve_out_fen,
    )


def _allocation(line: Allocation) -> dict[str, Any]:
    return {
        "pool": line.pool,
        "level": int(line.level),
        "to": line.to,
        "part": line.part.value,
        "amount_fen": line.amount_fen,
    }


def _claim(result: ClaimResult) -> dict[str, Any]:
    debt = result.open
    return {
        "id": result.id,
        "paid_fen": result.paid_fen,
        "open": {
            "costs_fen": debt.costs_fen,
            "interest_fen": debt.interest_fen,
            "principal_fen": debt.principal_fen,
            "doubled_fen": debt.doubled_fen,
        },
    }
