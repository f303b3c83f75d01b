"""All SQL of served documents."""

from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from appraisal.delivery.models import DocumentService
from appraisal.delivery.rules import Service, ServiceMethod
from kernel.database import Tx


async def add_service(tx: Tx, service: Service, recorded_at: datetime) -> None:
    tx.session.add(DocumentService(**asdict(service), recorded_at=recorded_at))
    await tx.session.flush()


async def list_services(tx: Tx, case_id: UUID) -> list[Service]:
    """Everything served in the case, in the order it was recorded."""
    rows = await tx.session.scalars(
        select(DocumentService).where(DocumentService.case_id == case_id).order_by(DocumentService.id)
    )
    return [_service(row) for row in rows]


def _service(row: DocumentService) -> Service:
    return Service(
        id=row.id,
        case_id=row.case_id,
        party_id=row.party_id,
        document=row.document,
        subject=row.subject,
        method=ServiceMethod(row.method),
        served_on=row.served_on,
        proof=row.proof,
    )
