"""What a distribution is made of, and what comes out of it: the words of R-DIST as frozen dataclasses.

Invariant: a case that passes `check` can be distributed, and nothing that fails it is ever computed.
Amounts are whole fen. The order of pools is the order in which they pay; the order of claims is the
order of registration, which decides ties in rounding (R-GEN-04).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import IntEnum, StrEnum
from fractions import Fraction

from kernel.errors import Malformed
from kernel.money import Fen
from settlement.distribution.shares import NOTHING, Share


class DebtorKind(StrEnum):
    """Decides how ordinary claims share: pro rata (R-DIST-03) or in order of sealing (R-DIST-08)."""

    PERSON = "person"
    OTHER_ORGANISATION = "other_organisation"
    ENTERPRISE = "enterprise"


class ClaimKind(StrEnum):
    """The place of a claim in the waterfall."""

    ORDINARY = "ordinary"
    SECURED = "secured"
    CONSTRUCTION_PRICE = "construction_price"
    HOME_BUYER = "home_buyer"
    LIEN = "lien"
    TAX = "tax"
    INJURY_MEDICAL = "injury_medical"
    RESTITUTION = "restitution"
    FINE = "fine"
    CONFISCATION = "confiscation"


BOUND_TO_POOL = frozenset({ClaimKind.SECURED, ClaimKind.CONSTRUCTION_PRICE, ClaimKind.HOME_BUYER, ClaimKind.LIEN})
"""Priority only over the proceeds of one thing; what these leave unpaid is ordinary (R-DIST-13)."""

WITHOUT_DOUBLED_PART = frozenset({ClaimKind.TAX, ClaimKind.FINE, ClaimKind.CONFISCATION})
"""Owed to the state, not under a title between parties, so late performance doubles nothing."""


class Level(IntEnum):
    """The default waterfall of R-DIST. Levels up to 8 are paid pool by pool, 9 to 12 once over the rest."""

    COSTS = 1
    SALE_TAXES = 2
    RENT_CARVE_OUT = 3
    INJURY_MEDICAL = 4
    BUYERS_AND_BUILDERS = 5
    OLDER_TAXES = 6
    SECURITIES = 7
    YOUNGER_TAXES = 8
    RESTITUTION = 9
    ORDINARY = 10
    DOUBLED_INTEREST = 11
    PENALTIES = 12


class Part(StrEnum):
    """What a line pays. The first four are parts of a claim, paid in this order (R-DIST-18, R-INT-05)."""

    COSTS = "costs"
    INTEREST = "interest"
    PRINCIPAL = "principal"
    DOUBLED = "doubled"
    SALE_TAXES = "sale_taxes"
    RENT_CARVE_OUT = "rent_carve_out"


class PreferenceMethod(StrEnum):
    """How first-seal preference is reckoned where a court grants it (R-DIST-16)."""

    POOL_PERCENT = "pool_percent"
    SHARE_UPLIFT = "share_uplift"


@dataclass(frozen=True, slots=True)
class Cost:
    """One cost of selling and enforcing, paid first out of its pool (R-COST-04)."""

    id: str
    amount_fen: Fen = NOTHING


@dataclass(frozen=True, slots=True)
class Pool:
    """The proceeds of one thing, with what comes off them before any creditor."""

    id: str
    proceeds_fen: Fen = NOTHING
    costs: tuple[Cost, ...] = ()
    sale_taxes_fen: Fen = NOTHING
    rent_carve_out_fen: Fen = NOTHING


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim as registered. `rank_on` ranks securities and taxes, `sealed_on` an enterprise's creditors."""

    id: str
    kind: ClaimKind
    pool: str | None = None
    rank_on: date | None = None
    sealed_on: date | None = None
    costs_fen: Fen = NOTHING
    interest_fen: Fen = NOTHING
    principal_fen: Fen = NOTHING
    doubled_fen: Fen = NOTHING


@dataclass(frozen=True, slots=True)
class Preference:
    """First-seal preference for one claim, in whole percent of the method's base (R-DIST-16)."""

    method: PreferenceMethod
    percent: int
    claim: str


@dataclass(frozen=True, slots=True)
class Allocation:
    """One line of the plan: `amount_fen` to one part of one claim or cost, put there by `rule`.

    Unique by (pool, level, to, part). `pool` is None from level 9 on. The lines of one claim at one place
    carry the same `share`, of which each is a part.
    """

    pool: str | None
    level: Level
    to: str
    part: Part
    amount_fen: Fen
    rule: str
    share: Share


@dataclass(frozen=True, slots=True)
class Debt:
    """What is still open of a claim. It stays owed after the distribution (R-DIST-03)."""

    costs_fen: Fen
    interest_fen: Fen
    principal_fen: Fen
    doubled_fen: Fen


@dataclass(frozen=True, slots=True)
class ClaimResult:
    """What one claim got over all pools and levels, and what it did not."""

    id: str
    paid_fen: Fen
    open: Debt


@dataclass(frozen=True, slots=True)
class Distribution:
    """The outcome: lines in order of payment, claims in order of registration.

    `distributed_fen` (the sum of all lines) plus `surplus_fen` (the debtor's, R-CLOSE-13) is `proceeds_fen`.
    `quota` is the exact part of the ordinary class that its money covers, before any preference; None if
    the class is empty or the debtor an enterprise. `rules` are the ids of all rules that decided something.
    """

    allocations: tuple[Allocation, ...]
    claims: tuple[ClaimResult, ...]
    carve_out_fen: Fen
    surplus_fen: Fen
    quota: Fraction | None
    proceeds_fen: Fen
    distributed_fen: Fen
    rules: tuple[str, ...]


def check(debtor: DebtorKind, pools: Sequence[Pool], claims: Sequence[Claim], preference: Preference | None) -> None:
    """Raise `Malformed` with the JSON path of the first thing that makes this no distributable case."""
    _check_unique("$.pools", (pool.id for pool in pools))
    _check_unique("$.claims", (claim.id for claim in claims))
    for number, pool in enumerate(pools):
        _check_pool(f"$.pools[{number}]", pool)
    pool_ids = {pool.id for pool in pools}
    for number, claim in enumerate(claims):
        _check_claim(f"$.claims[{number}]", claim, pool_ids)
    if preference is not None:
        _check_preference("$.first_seal_preference", debtor, claims, preference)


def _check_unique(path: str, ids: Iterable[str]) -> None:
    seen: set[str] = set()
    for number, each in enumerate(ids):
        if each in seen:
            raise Malformed(f"{path}[{number}].id", "an id that differs from all before it", "与此前各项不同的编号")
        seen.add(each)


def _check_amounts(path: str, thing: Cost | Pool | Claim, *names: str) -> None:
    for name in names:
        if getattr(thing, name) < 0:
            raise Malformed(f"{path}.{name}", "0 or more", "不小于 0")


def _check_pool(path: str, pool: Pool) -> None:
    _check_amounts(path, pool, "proceeds_fen", "sale_taxes_fen", "rent_carve_out_fen")
    _check_unique(f"{path}.costs", (cost.id for cost in pool.costs))
    for number, cost in enumerate(pool.costs):
        _check_amounts(f"{path}.costs[{number}]", cost, "amount_fen")


def _check_claim(path: str, claim: Claim, pool_ids: set[str]) -> None:
    _check_amounts(path, claim, "costs_fen", "interest_fen", "principal_fen", "doubled_fen")
    if claim.kind in BOUND_TO_POOL:
        if claim.pool not in pool_ids:
            raise Malformed(f"{path}.pool", f"the id of a pool for kind {claim.kind}", "此类债权所就价款的编号")
    elif claim.pool is not None:
        # Ignoring it would silently pay the claim out of other things than the reader expects.
        raise Malformed(f"{path}.pool", f"nothing for kind {claim.kind}", "此类债权不填")
    if claim.doubled_fen and claim.kind in WITHOUT_DOUBLED_PART:
        raise Malformed(f"{path}.doubled_fen", f"0 for kind {claim.kind}", "此类债权应为 0")


def _check_preference(path: str, debtor: DebtorKind, claims: Sequence[Claim], preference: Preference) -> None:
    if debtor is DebtorKind.ENTERPRISE:
        raise Malformed(path, "null for an enterprise debtor", "被执行人为企业法人的不填")
    if not 0 <= preference.percent <= 100:
        raise Malformed(f"{path}.percent", "0 to 100", "0 至 100")
    if all(claim.id != preference.claim for claim in claims):
        raise Malformed(f"{path}.claim", "the id of one of the claims", "所列债权之一的编号")
