"""What a claim must say so that every distribution can place it (R-DIST-01, R-DIST-10, R-DIST-11).

Invariant: a registered claim is more than zero, belongs to a creditor, and carries what its place in the waterfall
depends on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from appraisal.cases.rules import PartyFacts, PartyRole
from appraisal.claims.errors import (
    AssetNeeded,
    AssetNotMeant,
    ClaimRegistered,
    ClaimTooLarge,
    DoubledPartNotMeant,
    NoCreditor,
    NothingClaimed,
)
from kernel.money import MAX_FEN, Fen


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


CLAIM_KIND_ZH = {
    ClaimKind.ORDINARY: "普通债权",
    ClaimKind.SECURED: "有担保物权的债权",
    ClaimKind.CONSTRUCTION_PRICE: "建设工程价款",
    ClaimKind.HOME_BUYER: "消费者购房款",
    ClaimKind.LIEN: "留置权所担保的债权",
    ClaimKind.TAX: "税款",
    ClaimKind.INJURY_MEDICAL: "人身损害赔偿中的医疗费用",
    ClaimKind.RESTITUTION: "退赔被害人的损失",
    ClaimKind.FINE: "罚金",
    ClaimKind.CONFISCATION: "没收财产",
}

ON_ONE_ASSET = frozenset({ClaimKind.SECURED, ClaimKind.CONSTRUCTION_PRICE, ClaimKind.HOME_BUYER, ClaimKind.LIEN})
"""Preferred over the proceeds of one asset only (R-DIST-10, R-DIST-11)."""

NEVER_DOUBLED = frozenset({ClaimKind.TAX, ClaimKind.FINE, ClaimKind.CONFISCATION})

CREDITORS = frozenset({PartyRole.ENFORCEMENT_APPLICANT, PartyRole.CREDITOR, PartyRole.TAX_AUTHORITY})


@dataclass(frozen=True, slots=True)
class TitledClaim:
    """A party's claim under a title (执行依据); `position` is the order of registration within the case.

    `asset_id` is the asset it is preferred on. `rank_on` ranks securities and taxes; without it a security was not
    registered and comes last (R-DIST-10), a tax counts as the younger (R-DIST-12). `sealed_on` ranks an
    enterprise's ordinary creditors (R-DIST-08). Amounts in fen; `doubled_fen` is the doubled part of interest.
    """

    id: UUID
    case_id: UUID
    party_id: UUID
    position: int
    kind: ClaimKind
    asset_id: UUID | None
    title_no: str
    rank_on: date | None
    sealed_on: date | None
    costs_fen: Fen
    interest_fen: Fen
    principal_fen: Fen
    doubled_fen: Fen

    @property
    def total_fen(self) -> Fen:
        return Fen(self.costs_fen + self.interest_fen + self.principal_fen + self.doubled_fen)


def register(party: PartyFacts, others: Sequence[TitledClaim], claim: TitledClaim) -> TitledClaim:
    """`claim`, if `party` may have it beside the `others` of the case."""
    if party.role not in CREDITORS:
        raise NoCreditor(name=party.name)
    _require_place(claim)
    _require_amounts(claim)
    if any(_same(other, claim) for other in others):
        raise ClaimRegistered(title_no=claim.title_no)
    return claim


def _require_place(claim: TitledClaim) -> None:
    if claim.kind in ON_ONE_ASSET and claim.asset_id is None:
        raise AssetNeeded(**_kind(claim))
    if claim.kind not in ON_ONE_ASSET and claim.asset_id is not None:
        raise AssetNotMeant(**_kind(claim))


def _require_amounts(claim: TitledClaim) -> None:
    if claim.total_fen <= 0:
        raise NothingClaimed()
    if claim.total_fen > MAX_FEN:
        raise ClaimTooLarge(most_fen=MAX_FEN)
    if claim.kind in NEVER_DOUBLED and claim.doubled_fen:
        raise DoubledPartNotMeant(**_kind(claim))


def _kind(claim: TitledClaim) -> dict[str, str]:
    return {"kind": claim.kind, "kind_zh": CLAIM_KIND_ZH[claim.kind]}


def _same(one: TitledClaim, other: TitledClaim) -> bool:
    return _identity(one) == _identity(other)


def _identity(claim: TitledClaim) -> tuple[UUID, str, ClaimKind, UUID | None]:
    return claim.party_id, claim.title_no, claim.kind, claim.asset_id
