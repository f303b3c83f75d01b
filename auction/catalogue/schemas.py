"""What the catalogue and the lot page show: nothing here names a party, a bidder or a barred person."""

from uuid import UUID

import msgspec

from auction.announcements.schemas import AnnouncementText, DraftState


class LotCard(msgspec.Struct, frozen=True):
    """One lot in the catalogue; amounts in fen."""

    id: UUID
    title: str
    place: str
    court_id: UUID
    court_name: str
    kind: str
    round: str
    method: str
    status: str
    held: bool
    purchase_limited: bool
    loan_available: bool
    vacated: bool
    priority_purchaser: bool
    watched: int
    picture: UUID | None
    start_price_fen: int
    price_fen: int | None
    reference_price_fen: int
    discount_bp: int
    deposit_fen: int
    opens_at: str
    ends_at: str


class FacetValue(msgspec.Struct, frozen=True):
    """How many lots one more choice would leave."""

    value: str
    label: str
    count: int


class EndsAt(msgspec.Struct, frozen=True):
    """How many lots are planned to end at one moment."""

    at: str
    count: int


class CataloguePage(msgspec.Struct, frozen=True):
    """One page; `next` asks for the following one. A facet counts under all filters but its own.

    `now` is platform time, `rate` its seconds per real second: what a page counts down from. `today` are the moments
    of today at which most lots end, of the whole catalogue.
    """

    now: str
    rate: int
    lots: tuple[LotCard, ...]
    next: str | None
    total: int
    facets: dict[str, tuple[FacetValue, ...]]
    today: tuple[EndsAt, ...]


class SaleLine(msgspec.Struct, frozen=True):
    """An earlier or later sale of the same asset; fen."""

    id: UUID
    round: str
    status: str
    start_price_fen: int
    price_fen: int | None
    ends_at: str


class ResultView(msgspec.Struct, frozen=True):
    """How a sale ended; premiums are percent of the named base, of a sale only (R-STAT-01)."""

    status: str
    ended_at: str
    code: str | None
    price_fen: int | None
    bids: int
    extensions: int
    premium_over_start: str | None
    premium_over_reference: str | None


class LotPage(msgspec.Struct, frozen=True):
    """A lot as everybody sees it; of a draft, which only its court sees, `announcement` is null and `draft` filled."""

    id: UUID
    case_no: str
    court_id: UUID
    court_name: str
    asset_id: UUID
    kind: str
    title: str
    place: str
    round: str
    method: str
    status: str
    held: bool
    halt_reason: str | None
    purchase_limited: bool
    loan_available: bool
    vacated: bool
    priority_purchaser: bool
    watched: int
    start_price_fen: int
    increment_fen: int
    deposit_fen: int
    reference_price_fen: int
    discount_bp: int
    balance_due_days: int
    decision_id: UUID | None
    opens_at: str | None
    scheduled_end: str | None
    ends_at: str | None
    published_at: str | None
    opened_at: str | None
    announcement_version: str | None
    announcement: AnnouncementText | None
    sales: tuple[SaleLine, ...]
    result: ResultView | None
    draft: DraftState | None
