"""Wire structs of takings in satisfaction and of the surplus test (R-FAIL-03 to 05)."""

from typing import Annotated
from uuid import UUID

import msgspec

from appraisal.api import ServiceMethod
from kernel.decoding import Day, ShortText, Wire


class DecideTaking(Wire, frozen=True):
    """The panel lets a creditor take the thing; `asked` are all who asked for it, the taker among them."""

    party_id: UUID
    asked: Annotated[tuple[UUID, ...], msgspec.Meta(min_length=1, max_length=200)]
    due_on: Day
    decision_id: UUID


class ServeTaking(Wire, frozen=True):
    """The ruling was served on the taker: title passes on that day."""

    ruling_decision_id: UUID
    served_on: Day
    method: ServiceMethod
    proof: ShortText


class TakingView(msgspec.Struct, frozen=True):
    """A taking: `pay_in_fen` is the price less what the distribution would give the taker of it; fen."""

    id: UUID
    lot_id: UUID
    case_id: UUID
    party_id: UUID
    name: str
    price_fen: int
    entitlement_fen: int
    pay_in_fen: int
    missing_fen: int
    account_no: str
    due_on: str
    state: str
    ruling_due_on: str | None
    served_on: str | None


class SurplusView(msgspec.Struct, frozen=True):
    """Whether anything would remain at this reserve; with `least_reserve_fen` the applicant must be told first."""

    lot_id: UUID
    reserve_fen: int
    priority_fen: int
    costs_fen: int
    remains_fen: int
    least_reserve_fen: int | None
    rule: str
