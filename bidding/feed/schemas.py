"""The live protocol (docs/live.md) and the wire structs of the HTTP doors: strict in, exact out.

Frames to the client are made of bytes that exist already, since one event is sent to thousands.
"""

import re
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from bidding.desk.receipts import receipt
from bidding.desk.rules import Kind
from bidding.desk.submissions import Answer, Relayed
from bidding.feed.rules import Countdown
from kernel.decoding import LongText, PositiveFen, ShortText, Unusable, Wire, decode
from kernel.errors import Refusal

MAX_FRAME_BYTES = 4_096

_encode = msgspec.json.Encoder().encode


class PlaceBid(Wire, frozen=True):
    """A bid. `key` is made and kept by the bidder before it is sent; `confirm` repeats the price where asked for."""

    key: UUID
    price_fen: PositiveFen
    confirm: PositiveFen | UnsetType = UNSET

    def __post_init__(self) -> None:
        if self.confirm is not UNSET and self.confirm != self.price_fen:
            raise Unusable("confirm", "the same amount as price_fen", "与出价金额相同")


class BidMessage(PlaceBid, frozen=True, tag_field="t", tag="bid"):
    """The one message that a client may send over the socket."""


class OrderLot(Wire, frozen=True):
    """The court suspends, defers, resumes or withdraws a lot; the reason is published (R-HALT-01 to 03)."""

    reason: ShortText
    decision_id: UUID


class OrderView(msgspec.Struct, frozen=True):
    """An order to a lot. `state` is `waiting` until the desk has given it its place among the bids, then `done`."""

    command_id: UUID
    lot_id: UUID
    kind: str
    requested_at: str
    state: str


class LotView(msgspec.Struct, frozen=True):
    """A lot in a snapshot. `status` is `upcoming open suspended frozen closed withdrawn annulled`.

    `ends_at` is null while the lot is halted. `leader` is a bidder code. `bidders` is how many were admitted, rounded
    down to one digit and 0 below ten, as for watchers: nobody learns from it who came or when (R-BID-07).
    """

    lot_id: UUID
    title: str
    method: str
    status: str
    outcome: str | None
    opens_at: str
    scheduled_end: str
    ends_at: str | None
    start_price_fen: int
    increment_fen: int
    deposit_fen: int
    price_fen: int | None
    leader: str | None
    leader_rank: int | None
    bids: int
    extensions: int
    bidders: int


class ConsentToRest(Wire, frozen=True):
    """The debtor agrees that the lots left be sold as well, and what proves it (R-CLOSE-12)."""

    proof: LongText


class GroupView(msgspec.Struct, frozen=True):
    """A sale group: debt and costs that it serves, and what its lots have sold for so far; fen, lots by their ends."""

    id: UUID
    case_id: UUID
    target_fen: int
    sold_fen: int
    consented_at: str | None
    lots: list[LotView]


class LotsNow(msgspec.Struct, frozen=True):
    """Lots as they stand, for lists of them; `now` is platform time. Unknown ids are left out."""

    now: str
    lots: list[LotView]


class EventsPage(msgspec.Struct, frozen=True):
    """Events in order, as the feed shows them. `seq` is the lot's last; ask again `after` the last one here."""

    lot_id: UUID
    seq: int
    events: list[dict[str, Any]]


_SECOND_FIELD = 48
"""Where the second field of an event ends, however long its number."""


class _Kind(msgspec.Struct):
    kind: str


_kind = msgspec.json.Decoder(_Kind).decode


def kind_of(event: bytes) -> str:
    """The kind of an event from its JSON. Nearly all are bids, and their second field says so (`chain.BidView`)."""
    return Kind.BID if event.find(b',"kind":"bid",', 0, _SECOND_FIELD) > 0 else _kind(event).kind


class Chain(msgspec.Struct, frozen=True):
    """The ends of the lot's hash chain, in hex."""

    version: int
    genesis: str
    head: str
    seq: int


class ChainLink(msgspec.Struct, frozen=True):
    """One event of the chain: the exact bytes that were hashed, as UTF-8, and the link they give, in hex."""

    bytes: str
    link: str


class ChainPage(msgspec.Struct, frozen=True):
    """Part of a finished lot's chain in order; `previous` is the link before the first event here, in hex."""

    lot_id: UUID
    previous: str
    head: str
    seq: int
    events: list[ChainLink]


class RecordView(msgspec.Struct, frozen=True):
    """The record of a finished lot (R-BID-12): the result, the last bids downwards, and where the rest is.

    `bidders` is how many codes bid; before the end nobody is told.
    """

    lot: LotView
    bidders: int
    ended_at: str | None
    ladder: list[dict[str, Any]]
    chain: Chain
    links: dict[str, str]


_PLAIN_BID = re.compile(
    rb'\{"t":"bid","key":"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}","price_fen":[1-9][0-9]{0,15}'
    rb'(?:,"confirm":[1-9][0-9]{0,15})?\}'
)
"""A bid in the page's own spelling. It leaves no room for what only the scanner sees: doubled keys, 1e3, 100.0."""

_read_plain_bid = msgspec.json.Decoder(BidMessage).decode


def read_message(raw: bytes) -> BidMessage:
    """A client's frame, or `Malformed`."""
    if _PLAIN_BID.fullmatch(raw):
        try:
            return _read_plain_bid(raw)
        except msgspec.ValidationError:
            pass  # the scanner below says what was wrong
    return decode(raw, BidMessage, max_bytes=MAX_FRAME_BYTES)


class _Keyed(msgspec.Struct):
    key: UUID


def key_in(raw: bytes) -> UUID | None:
    """The key in a frame that is otherwise unusable, so that its sender knows which one; None if there is none."""
    try:
        return msgspec.json.decode(raw, type=_Keyed).key
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def ack_frame(lot_id: UUID, answer: Answer) -> bytes:
    """An accepted bid with its receipt, which proves itself offline."""
    assert answer.seq is not None
    assert answer.event is not None
    assert answer.link is not None
    return b'{"t":"ack","key":%b,"seq":%d,"receipt":%b}' % (
        _encode(answer.key),
        answer.seq,
        receipt(lot_id, answer.event, answer.link, answer.proof),
    )


def receipts_body(lot_id: UUID, answers: Sequence[Answer]) -> bytes:
    """One's own accepted bids, each as it was acknowledged."""
    return b'{"receipts":[%b]}' % b",".join(ack_frame(lot_id, answer) for answer in answers)


def refused_frame(key: UUID | None, refusal: Refusal) -> bytes:
    """A refusal with its rule and sentence; facts such as `minimum_fen` stand beside them."""
    frame = {
        "t": "refused",
        "key": key,
        "code": refusal.code,
        "rule": refusal.rule,
        "law": refusal.law,
        "detail": refusal.detail,
        "detail_en": refusal.detail_en,
    }
    return msgspec.json.encode(frame | refusal.facts)


def answer_frame(lot_id: UUID, answer: Answer) -> bytes:
    """The desk's answer as the bidder reads it, on the socket and over HTTP."""
    if isinstance(answer, Relayed):
        return answer.frame
    return ack_frame(lot_id, answer) if answer.refusal is None else refused_frame(answer.key, answer.refusal)


def events_frame(first: int, last: int, events: Sequence[bytes]) -> bytes:
    """Events `first` to `last`; what is not among `events` is read over HTTP when wanted."""
    return b'{"t":"events","from":%d,"to":%d,"events":[%b]}' % (first, last, b",".join(events))


def snapshot_frame(seq: int, lot: LotView, now: str, left: Countdown, rate: int) -> bytes:
    """The whole picture after event `seq`. `rate` is platform seconds per real second, 1 outside the demo."""
    frame = {
        "t": "snapshot",
        "seq": seq,
        "lot": lot,
        "now": now,
        "remaining_ms": left.remaining_ms,
        "opens_in_ms": left.opens_in_ms,
        "rate": rate,
    }
    return msgspec.json.encode(frame)


def tick_frame(seq: int, left: Countdown, watchers: int, bidders: int, rate: int) -> bytes:
    """Every second: a sign of life, the time left, and coarse numbers of watchers and bidders."""
    return b'{"t":"tick","seq":%d,"remaining_ms":%d,"opens_in_ms":%d,"watchers":%d,"bidders":%d,"rate":%d}' % (
        seq,
        left.remaining_ms,
        left.opens_in_ms,
        watchers,
        bidders,
        rate,
    )
