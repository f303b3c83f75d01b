"""Wire structs of titled claims."""

from uuid import UUID

import msgspec

from appraisal.claims.rules import ClaimKind, TitledClaim
from kernel.decoding import Day, FenIn, ShortText, Wire


class RegisterClaim(Wire, frozen=True):
    """A claim of a party with its parts in fen, each stated even where it is 0."""

    party_id: UUID
    kind: ClaimKind
    title_no: ShortText
    costs_fen: FenIn
    interest_fen: FenIn
    principal_fen: FenIn
    doubled_fen: FenIn
    asset_id: UUID | None = None
    rank_on: Day | None = None
    sealed_on: Day | None = None


class ClaimView(msgspec.Struct, frozen=True):
    id: UUID
    case_id: UUID
    party_id: UUID
    position: int
    kind: ClaimKind
    asset_id: UUID | None
    title_no: str
    rank_on: str | None
    sealed_on: str | None
    costs_fen: int
    interest_fen: int
    principal_fen: int
    doubled_fen: int
    total_fen: int


def claim_view(claim: TitledClaim) -> ClaimView:
    return ClaimView(
        id=claim.id,
        case_id=claim.case_id,
        party_id=claim.party_id,
        position=claim.position,
        kind=claim.kind,
        asset_id=claim.asset_id,
        title_no=claim.title_no,
        rank_on=claim.rank_on.isoformat() if claim.rank_on else None,
        sealed_on=claim.sealed_on.isoformat() if claim.sealed_on else None,
        costs_fen=claim.costs_fen,
        interest_fen=claim.interest_fen,
        principal_fen=claim.principal_fen,
        doubled_fen=claim.doubled_fen,
        total_fen=claim.total_fen,
    )
