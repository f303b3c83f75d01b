"""What the live socket says, as types: for the description of the protocol and for whoever checks frames against it.

The server writes frames from bytes that it has already (`schemas`); a test holds those frames against these types.
"""

from typing import Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from bidding.desk.receipts import BatchView
from bidding.feed.schemas import LotView

EventKind = Literal[
    "opened", "bid", "suspended", "deferred", "frozen", "resumed", "closed", "withdrawn", "annulled", "hidden"
]


class LiveEvent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An event. A field that its kind does not know is absent; `hidden` has its number alone."""

    seq: int
    kind: EventKind
    at: str | UnsetType = UNSET
    code: str | UnsetType | None = UNSET
    """The bidder's code; of a close the buyer's."""
    rank: int | UnsetType = UNSET
    """Of a priority purchaser (优先购买权人)."""
    price_fen: int | UnsetType | None = UNSET
    ends_at: str | UnsetType = UNSET
    extended: bool | UnsetType = UNSET
    remaining_ms: int | UnsetType = UNSET
    since: str | UnsetType = UNSET
    status: Literal["sold", "failed"] | UnsetType = UNSET
    reason: str | UnsetType = UNSET


class Receipt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What proves a bid offline (docs/evidence.md). `bytes` are the exact bytes that are hashed, as a string."""

    lot_id: UUID
    event: LiveEvent
    bytes: str
    previous: str
    link: str
    batch: BatchView
    leaf: int
    path: str


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="t"):
    """One JSON object in one text frame."""


class Snapshot(Message, frozen=True, tag="snapshot"):
    """The whole picture after event `seq`. `rate`: platform seconds per real second, 1 outside the demo."""

    seq: int
    lot: LotView
    now: str
    remaining_ms: int
    opens_in_ms: int
    rate: int


class Events(Message, frozen=True, rename={"first": "from", "last": "to"}, tag="events"):
    """Events `from` to `to`, 50 of them at most; what is left out of a flood are bids, to be read over HTTP."""

    first: int
    last: int
    events: list[LiveEvent]


class Tick(Message, frozen=True, tag="tick"):
    """Every second: a sign of life, the time left, and coarse numbers of watchers and admitted bidders."""

    seq: int
    remaining_ms: int
    opens_in_ms: int
    watchers: int
    bidders: int
    rate: int


class Ack(Message, frozen=True, tag="ack"):
    """The bid is accepted and durable."""

    key: UUID
    seq: int
    receipt: Receipt


class Refused(Message, frozen=True, tag="refused"):
    """The bid is refused, by a rule that is named; facts such as `minimum_fen` stand beside it.

    Of a bid that came too late: `arrived_ms_late`, `received_at`, `ended_at`, by the server's own times.
    """

    key: UUID | None
    code: str
    rule: str | None
    law: str | None
    detail: str
    detail_en: str
    minimum_fen: int | UnsetType = UNSET
    retry_after_s: int | UnsetType = UNSET
    path: str | UnsetType = UNSET
    expected: str | UnsetType = UNSET
    expected_zh: str | UnsetType = UNSET
    arrived_ms_late: int | UnsetType = UNSET
    received_at: str | UnsetType = UNSET
    ended_at: str | UnsetType = UNSET
    what: str | UnsetType = UNSET
    what_zh: str | UnsetType = UNSET


class Resync(Message, frozen=True, tag="resync"):
    """Reserved: connect again with the last `seq`. No server says it today.

    It is for a socket whose place among the events the server has lost, where now the room gets a new snapshot.
    """


ServerMessage = Snapshot | Events | Tick | Ack | Refused | Resync
