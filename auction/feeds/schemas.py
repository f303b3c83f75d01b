"""Open data of lots: what was announced and how it ended. Nothing here names a person."""

from uuid import UUID

import msgspec

from auction.lots.models import Lot
from kernel.clock import beijing


class OpenLot(msgspec.Struct, frozen=True):
    """One published lot; amounts in fen, times RFC 3339 in +08:00. Prices while bidding runs are in the live feed."""

    id: UUID
    changed_at: str
    url: str
    title: str
    case_no: str
    court_id: UUID
    court_name: str
    place: str
    kind: str
    round: str
    method: str
    status: str
    held: bool
    purchase_limited: bool
    loan_available: bool
    vacated: bool
    priority_purchaser: bool
    reference_price_fen: int
    start_price_fen: int
    increment_fen: int
    deposit_fen: int
    published_at: str
    opens_at: str
    scheduled_end: str
    ends_at: str
    ended_at: str | None
    price_fen: int | None
    winner_code: str | None
    bids: int
    extensions: int

    @classmethod
    def of(cls, lot: Lot, origin: str) -> "OpenLot":
        """The lot as published. `origin` stands before its address."""
        times = (lot.changed_at, lot.published_at, lot.opens_at, lot.scheduled_end, lot.ends_at)
        changed, published, opens, scheduled, ends = (beijing(moment) for moment in times if moment is not None)
        return cls(
            id=lot.id,
            changed_at=changed,
            url=f"{origin}/lots/{lot.id}",
            title=lot.title,
            case_no=lot.case_no,
            court_id=lot.court_id,
            court_name=lot.court_name,
            place=lot.place,
            kind=lot.asset_kind,
            round=lot.round,
            method=lot.method,
            status=lot.status,
            held=lot.held,
            purchase_limited=lot.purchase_limited,
            loan_available=lot.loan_available,
            vacated=lot.vacated,
            priority_purchaser=lot.priority_purchaser,
            reference_price_fen=lot.reference_price_fen,
            start_price_fen=lot.start_price_fen,
            increment_fen=lot.increment_fen,
            deposit_fen=lot.deposit_fen,
            published_at=published,
            opens_at=opens,
            scheduled_end=scheduled,
            ends_at=ends,
            ended_at=beijing(lot.ended_at) if lot.ended_at else None,
            price_fen=lot.price_fen,
            winner_code=lot.winner_code,
            bids=lot.bids if lot.ended_at else 0,
            extensions=lot.extensions if lot.ended_at else 0,
        )


class OpenLots(msgspec.Struct, frozen=True):
    """Lots in the order of their last change. `next` continues after the last one here; keep it and ask again later."""

    now: str
    lots: tuple[OpenLot, ...]
    next: str | None
    more: bool
