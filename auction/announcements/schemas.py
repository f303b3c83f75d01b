"""What comes in and goes out about announcements, and the content of the announcement itself."""

from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from auction.announcements.rules import CHECKLIST
from kernel.decoding import Day, LongText, Unusable, Wire
from kernel.errors import Refusal

_KEYS = frozenset(item.key for item in CHECKLIST)


class Checklist(Wire, frozen=True):
    """Texts by item; items not named keep their text (R-PUB-03, R-PUB-04)."""

    items: Annotated[dict[str, LongText], Meta(min_length=1, max_length=len(CHECKLIST))]

    def __post_init__(self) -> None:
        for key in self.items:
            if key not in _KEYS:
                known = ", ".join(item.key for item in CHECKLIST)
                raise Unusable(f"items.{key}", f"one of {known}", f"下列之一：{known}")


class NoticeGiven(Wire, frozen=True):
    """How a party or priority purchaser learned of the sale, and what proves it (R-PUB-05)."""

    party_id: UUID
    outcome: Literal["notified", "waived", "unreachable_posted"]
    on: Day
    proof: LongText


class Missing(msgspec.Struct, frozen=True):
    """One thing that keeps a draft from being published."""

    code: str
    rule: str | None
    law: str | None
    detail: str
    detail_en: str

    @classmethod
    def of(cls, refusal: Refusal) -> "Missing":
        return cls(refusal.code, refusal.rule, refusal.law, refusal.detail, refusal.detail_en)


class NoticeView(msgspec.Struct, frozen=True):
    """The notice to one person who must be told; for the court only."""

    party_id: UUID
    name: str
    role: str
    outcome: str
    on: str | None
    proof: str | None


class DraftState(msgspec.Struct, frozen=True):
    """What a draft still needs, with the legal bounds that a form shows beside its fields; amounts in fen."""

    missing: tuple[Missing, ...]
    notices: tuple[NoticeView, ...]
    start_price_min_fen: int
    deposit_min_fen: int
    deposit_max_fen: int
    earliest_start_on: str
    latest_start_on: str | None


class DocumentView(msgspec.Struct, frozen=True):
    """A document of a lot; its bytes are at `GET /api/documents/{id}`."""

    id: UUID
    kind: str
    name: str
    media_type: str
    size: int
    sha256: str


class TermsText(msgspec.Struct, frozen=True):
    """The terms as announced; amounts in fen, times in Beijing."""

    start_price_fen: int
    increment_fen: int
    deposit_fen: int
    opens_at: str
    scheduled_end: str
    balance_due_days: int
    decision_id: UUID


class PriceText(msgspec.Struct, frozen=True):
    """The reference price the start price rests on; fen."""

    price_fen: int
    method: str
    fixed_on: str
    valid_until: str


class AssetText(msgspec.Struct, frozen=True):
    """The asset as it was described at publication."""

    id: UUID
    kind: str
    title: str
    description: str
    place: str
    details: dict[str, str]


class GroupText(msgspec.Struct, frozen=True):
    """The lots that serve the same debt: once its sum is reached, the rest is stopped (R-CLOSE-12); fen."""

    id: UUID
    target_fen: int


class AnnouncementText(msgspec.Struct, frozen=True):
    """All that is announced (R-PUB-02 to 04). The version bidders accept is the SHA-256 of its stored bytes."""

    lot_id: UUID
    case_no: str
    court_name: str
    title: str
    round: str
    method: str
    previous_lot_id: UUID | None
    purchase_limited: bool
    sale_group: GroupText | None
    terms: TermsText
    reference_price: PriceText
    asset: AssetText
    checklist: dict[str, str]
    documents: tuple[DocumentView, ...]
    published_at: str


class Published(msgspec.Struct, frozen=True):
    """The announcement is out."""

    id: UUID
    status: str
    announcement_version: str
    published_at: str
