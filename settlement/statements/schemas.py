"""Views of statements and of case-money figures."""

from uuid import UUID

import msgspec


class MovementView(msgspec.Struct, frozen=True):
    """One movement; `other` is the kind of account on the other side, never whose. Below zero: money that left."""

    at: str
    reason: str
    document: str
    other: str
    amount_fen: int
    balance_fen: int


class StatementView(msgspec.Struct, frozen=True):
    """One account with all its movements and the running balance."""

    account_no: str | None
    kind: str
    balance_fen: int
    movements: tuple[MovementView, ...]


class PaymentView(msgspec.Struct, frozen=True):
    """One payment to a payee by a plan; `state` is waiting, ordered, executed or rejected."""

    plan_id: UUID
    reason: str
    amount_fen: int
    bank: str
    account_end: str
    """The last four signs of the account's number."""
    paid_at: str | None
    state: str


class PayeeStatement(msgspec.Struct, frozen=True):
    """What one party of a case was and is being paid."""

    case_id: UUID
    party_id: UUID
    name: str
    payments: tuple[PaymentView, ...]
    executed_fen: int


class CourtFigures(msgspec.Struct, frozen=True):
    """Case money of one court in one quarter. `share` in per cent: what of the money that arrived for its cases stood
    on the number of its case, lot or registration at once, and was not matched by hand."""

    court: str
    quarter: str
    received_items: int
    received_fen: int
    paid_items: int
    paid_fen: int
    share: str | None


class CourtHoldings(msgspec.Struct, frozen=True):
    """What a court's case accounts hold now, and what of it arrived over 30 days ago."""

    court: str
    held_fen: int
    old_fen: int


class CaseMoney(msgspec.Struct, frozen=True):
    """Figures of a year, newest quarter first, and what is held now."""

    year: int
    figures: tuple[CourtFigures, ...]
    holdings: tuple[CourtHoldings, ...]
