"""All SQL of titled claims."""

from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from appraisal.claims.models import Claim
from appraisal.claims.rules import ClaimKind, TitledClaim
from kernel.database import Tx


async def add_claim(tx: Tx, claim: TitledClaim, registered_at: datetime) -> None:
    tx.session.add(Claim(**asdict(claim), registered_at=registered_at))
    await tx.session.flush()


async def list_claims(tx: Tx, case_id: UUID) -> list[TitledClaim]:
    """The case's claims in order of registration."""
    rows = await tx.session.scalars(select(Claim).where(Claim.case_id == case_id).order_by(Claim.position))
    return [_claim(row) for row in rows]


def _claim(row: Claim) -> TitledClaim:
    return TitledClaim(
        id=row.id,
        case_id=row.case_id,
        party_id=row.party_id,
        position=row.position,
        kind=ClaimKind(row.kind),
        asset_id=row.asset_id,
        title_no=row.title_no,
        rank_on=row.rank_on,
        sealed_on=row.sealed_on,
        costs_fen=row.costs_fen,
        interest_fen=row.interest_fen,
        principal_fen=row.principal_fen,
        doubled_fen=row.doubled_fen,
    )
