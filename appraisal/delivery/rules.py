"""Service of documents: each addressee's periods start with their own proven service (R-GEN-03, R-DIST-05)."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID


class ServiceMethod(StrEnum):
    """The ways of service of the Civil Procedure Law."""

    DIRECT = "direct"
    LEFT = "left"
    ELECTRONIC = "electronic"
    ENTRUSTED = "entrusted"
    MAIL = "mail"
    FORWARDED = "forwarded"
    ANNOUNCEMENT = "announcement"


@dataclass(frozen=True, slots=True)
class Service:
    """A document served on a party. `subject` is what it speaks of (`plan:…`, `lot:…`), `served_on` the day the
    service took effect, `proof` the receipt or record that shows it."""

    id: UUID
    case_id: UUID
    party_id: UUID
    document: str
    subject: str
    method: ServiceMethod
    served_on: date
    proof: str
