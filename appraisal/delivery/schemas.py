"""Wire structs of served documents."""

from uuid import UUID

import msgspec

from appraisal.delivery.rules import Service, ServiceMethod
from kernel.decoding import Day, ShortText, Wire


class RecordService(Wire, frozen=True):
    """A document that was served on a party; `subject` is what it speaks of, `proof` the receipt."""

    party_id: UUID
    document: ShortText
    subject: ShortText
    method: ServiceMethod
    served_on: Day
    proof: ShortText


class ServiceView(msgspec.Struct, frozen=True):
    id: UUID
    case_id: UUID
    party_id: UUID
    document: str
    subject: str
    method: ServiceMethod
    served_on: str
    proof: str


def service_view(service: Service) -> ServiceView:
    return ServiceView(
        id=service.id,
        case_id=service.case_id,
        party_id=service.party_id,
        document=service.document,
        subject=service.subject,
        method=service.method,
        served_on=service.served_on.isoformat(),
        proof=service.proof,
    )
