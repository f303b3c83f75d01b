"""The exact bytes that are hashed and kept for ten years, and the links between them (invariant 28).

An event's bytes are `{"v":1,"lot":…,"payload":…,"ingress_at":…,"event":{…}}`; the inner object is what the live feed
shows. They name the code, never registration or person. `payload` is the digest of what was sent, so the key and the
actor of a court command are bound without being told. Link = SHA-256(version, previous link, SHA-256(bytes)); the
link before the first event is the hash of the published terms. A change of these bytes is a new version.
"""

from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from bidding.desk import errors
from bidding.desk.rules import Event, Kind, Terms
from bidding.desk.submissions import Submission
from kernel.clock import beijing
from kernel.errors import Refusal

VERSION = 1
_VERSION_BYTE = bytes([VERSION])
_MS = timedelta(milliseconds=1)

shown = lru_cache(maxsize=8192)(beijing)
"""`beijing`, remembered: many bids of one batch share their millisecond."""


class EventView(msgspec.Struct, frozen=True, kw_only=True):
    """An event as the feed shows it and as it is hashed. Fields that an event's kind does not know are absent."""

    seq: int
    kind: Kind
    at: str
    code: str | UnsetType | None = UNSET
    rank: int | UnsetType = UNSET
    price_fen: int | UnsetType | None = UNSET
    ends_at: str | UnsetType = UNSET
    extended: bool | UnsetType = UNSET
    remaining_ms: int | UnsetType = UNSET
    since: str | UnsetType = UNSET
    status: str | UnsetType = UNSET
    reason: str | UnsetType = UNSET


class BidView(msgspec.Struct, frozen=True, gc=False):
    """The fields that a bid has, named and ordered as in `EventView`."""

    seq: int
    kind: Kind
    at: str
    code: str | None
    rank: int | UnsetType
    price_fen: int | None
    ends_at: str | UnsetType
    extended: bool


class RefusalView(msgspec.Struct, frozen=True, kw_only=True):
    """A refusal as it is stored and hashed; shown to its bidder alone."""

    entry: int
    kind: Kind
    at: str
    refusal: str
    code: str | UnsetType | None = UNSET
    price_fen: int | UnsetType | None = UNSET
    minimum_fen: int | UnsetType = UNSET
    ended_at: str | UnsetType = UNSET
    """The end that a bid came too late for; `at` is when it entered."""
    reason: str | UnsetType = UNSET

    def answer(self) -> Refusal:
        """The refusal as it was answered."""
        if not isinstance(self.ended_at, UnsetType):
            return errors.ArrivedLate.by(datetime.fromisoformat(self.at), datetime.fromisoformat(self.ended_at))
        facts = {} if isinstance(self.minimum_fen, UnsetType) else {"minimum_fen": self.minimum_fen}
        return errors.BY_CODE[self.refusal](**facts)


class Sealed(msgspec.Struct, frozen=True):
    """The hashed bytes, read back. Exactly one of `event` and `refused` is there."""

    v: int
    lot: UUID
    payload: str
    ingress_at: str
    event: msgspec.Raw | UnsetType = UNSET
    refused: RefusalView | UnsetType = UNSET


def payload_hash(sent: Submission) -> bytes:
    """Digest of what was sent under a key (invariant 10)."""
    kind, key, price, confirm = sent.kind, sent.key.int, sent.price_fen, sent.confirm_fen
    return sha256(f"{kind}|{key:032x}|{price}|{confirm}|{sent.actor_id}|{sent.reason or ''}".encode()).digest()


def genesis(lot_id: UUID, terms: Terms) -> bytes:
    """The link before the first event, so that nobody can change the terms under the bids."""
    return sha256(_VERSION_BYTE + terms_bytes(lot_id, terms)).digest()


def terms_bytes(lot_id: UUID, terms: Terms) -> bytes:
    """The published terms as they are hashed: a JSON array in a fixed order."""
    facts = [
        str(lot_id),
        str(terms.method),
        beijing(terms.opens_at),
        beijing(terms.scheduled_end),
        terms.start_price_fen,
        terms.increment_fen,
    ]
    return msgspec.json.encode(facts)


def link(previous: bytes, sealed: bytes) -> bytes:
    """The link of an event after `previous`."""
    return sha256(_VERSION_BYTE + previous + sha256(sealed).digest()).digest()


def refusal_hash(sealed: bytes) -> bytes:
    """The own hash of a refusal, which `block_link` seals."""
    return sha256(_VERSION_BYTE + sha256(sealed).digest()).digest()


def block_link(previous: bytes, hashes: list[bytes]) -> bytes:
    """The link of a block of refusals after `previous`; the first block follows the lot's genesis."""
    return sha256(_VERSION_BYTE + previous + b"".join(hashes)).digest()


_WITH_END = frozenset({Kind.OPENED, Kind.RESUMED, Kind.CLOSED})
_encode = msgspec.json.Encoder().encode


def event_bytes(event: Event, reason: str | None) -> bytes:
    """The inner object of an event: JSON with the fields of its kind, in a fixed order."""
    return _encode(_bid_view(event) if event.kind is Kind.BID else _view(event, reason))


def _bid_view(event: Event) -> BidView:
    rank, ends_at = event.rank, event.ends_at
    return BidView(
        event.seq,
        event.kind,
        shown(event.at),
        event.code,
        UNSET if rank is None else rank,
        event.price_fen,
        UNSET if ends_at is None else shown(ends_at),
        event.extended,
    )


def _view(event: Event, reason: str | None) -> EventView:
    kind, ends_at = event.kind, event.ends_at
    closed = kind is Kind.CLOSED
    return EventView(
        seq=event.seq,
        kind=kind,
        at=shown(event.at),
        code=event.code if closed else UNSET,
        rank=UNSET if event.rank is None else event.rank,
        price_fen=event.price_fen if closed else UNSET,
        ends_at=shown(ends_at) if ends_at is not None and kind in _WITH_END else UNSET,
        remaining_ms=UNSET if event.remaining is None else event.remaining // _MS,
        since=UNSET if event.since is None else shown(event.since),
        status=UNSET if event.sold is None else ("sold" if event.sold else "failed"),
        reason=_present(reason),
    )


def seal_event(sent: Submission, payload: bytes, event: bytes) -> bytes:
    """The bytes of an event that are hashed."""
    return b'%b"event":%b}' % (_head(sent, payload), event)


def seal_refusal(
    sent: Submission, payload: bytes, refusal: Refusal, *, entry: int, at: datetime, code: str | None
) -> bytes:
    """The bytes of a refusal that are hashed; `code` is the bidder's, `at` the time of entry."""
    is_bid = sent.kind is Kind.BID
    minimum_fen = refusal.facts.get("minimum_fen", UNSET)
    ended_at = refusal.facts.get("ended_at", UNSET)
    assert isinstance(minimum_fen, int | UnsetType)
    assert isinstance(ended_at, str | UnsetType)
    view = RefusalView(
        entry=entry,
        kind=sent.kind,
        at=shown(at),
        refusal=refusal.code,
        code=code if is_bid else UNSET,
        price_fen=sent.price_fen if is_bid else UNSET,
        minimum_fen=minimum_fen,
        ended_at=ended_at,
        reason=_present(sent.reason),
    )
    return b'%b"refused":%b}' % (_head(sent, payload), _encode(view))


def _head(sent: Submission, payload: bytes) -> bytes:
    lot, ingress_at = text_of(sent.lot_id), shown(sent.ingress_at)
    return f'{{"v":{VERSION},"lot":"{lot}","payload":"{payload.hex()}","ingress_at":"{ingress_at}",'.encode()


def text_of(lot_id: UUID) -> str:
    """A lot's id as text, remembered: it stands in every message about the lot."""
    return _text(lot_id.int)


@lru_cache(maxsize=8192)
def _text(number: int) -> str:
    return str(UUID(int=number))


read_sealed = msgspec.json.Decoder(Sealed).decode
"""The hashed bytes as a struct."""


def inner_event(sealed: bytes) -> bytes:
    """The event object inside hashed bytes, as the feed sends it."""
    event = read_sealed(sealed).event
    assert not isinstance(event, UnsetType)
    return bytes(event)


def _present(reason: str | None) -> str | UnsetType:
    return UNSET if reason is None else reason
