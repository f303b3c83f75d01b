"""The one strict reader of bundles and of the bytes in them: what it lets through can be replayed. Pure.

A bundle comes from anybody. Behind this reader times are aware and in years that no sum of them leaves, amounts are
from 1 fen to `MAX_FEN`, and all is there that a kind of event needs. Everything else is a ValueError of one sentence.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from bidding.desk import chain, groups
from bidding.desk.batch import hold_key
from bidding.desk.chain import EventView
from bidding.desk.rules import Bidder, Kind, Method, Terms
from bidding.desk.submissions import Submission
from bidding.evidence.rules import Entry
from bidding.evidence.schemas import Bundle
from kernel.decoding import PositiveFen, parse_moment
from kernel.hexadecimal import from_hex
from kernel.merkle import HASH_BYTES
from kernel.money import MAX_FEN, Fen

T = TypeVar("T")

MOST_BYTES = 500_000_000
"""The largest file that is read: several hundred thousand events."""

NOBODY = UUID(int=0)


def read_bundle(raw: bytes) -> Bundle:
    """A bundle from its file; raises ValueError for anything else."""
    if len(raw) > MOST_BYTES:
        raise ValueError(f"no bundle: it is larger than {MOST_BYTES} bytes")
    try:
        _once.decode(raw.decode())
        return _decode(raw, Bundle)
    except RecursionError:
        raise ValueError("no bundle: it is nested too deeply") from None
    except ValueError as error:
        raise ValueError(f"no bundle: {error}") from None


def read_terms(lot_id: UUID, text: str) -> Terms:
    """The published terms from their bytes; raises ValueError for another lot's, and for what no lot can have."""
    lot, method, opens_at, scheduled_end, start_price_fen, increment_fen = _decode(
        text.encode(), tuple[str, Method, str, str, PositiveFen, PositiveFen]
    )
    terms = Terms(
        method=method,
        opens_at=parse_moment(opens_at),
        scheduled_end=parse_moment(scheduled_end),
        start_price_fen=start_price_fen,
        increment_fen=increment_fen,
    )
    if lot != str(lot_id) or terms.opens_at >= terms.scheduled_end:
        raise ValueError("the terms are of another lot, or end before they open")
    if chain.terms_bytes(lot_id, terms) != text.encode():
        raise ValueError("the terms are spelled in another way")
    return terms


@dataclass(frozen=True, slots=True)
class Told:
    """An event as its bytes tell it: what was asked for, by whom and when, and `inner`, what is said to follow."""

    sent: Submission
    bidder: Bidder | None
    at: datetime
    inner: bytes


def read_event(lot_id: UUID, text: str) -> Told:
    """An event of the lot from its exact bytes; raises ValueError for bytes that the desk never writes."""
    try:
        sealed = _decode(text.encode(), chain.Sealed)
        inner = b"" if isinstance(sealed.event, UnsetType) else bytes(sealed.event)
        view = _decode(inner, EventView)
    except ValueError:
        raise ValueError("its bytes are no event") from None
    payload = from_hex(sealed.payload, HASH_BYTES)
    if sealed.v != chain.VERSION or sealed.lot != lot_id or payload is None:
        raise ValueError("its bytes are of another lot or version")
    sent = _sent(lot_id, view, parse_moment(sealed.ingress_at), payload)
    if chain.seal_event(sent, payload, inner) != text.encode():
        raise ValueError("its bytes hold more than an event")
    return Told(sent, _bidder(view), parse_moment(view.at), inner)


def read_entry(text: str) -> Entry:
    """An entry of the log from its exact bytes; raises ValueError for what is none."""
    entry = _decode(text.encode(), Entry)
    if entry.v != chain.VERSION or msgspec.json.encode(entry) != text.encode():
        raise ValueError("no entry of the log")
    return entry


def _sent(lot_id: UUID, view: EventView, ingress_at: datetime, payload: bytes) -> Submission:
    """What was asked for, as far as the event tells. Of keys only those can be known that let an event come after the
    lot's own end, and by which the rules tell it from one that may not (`_key_after_end`). The digest of what was sent
    proves it.
    """
    price_fen = _price(view)
    sent = Submission(
        lot_id=lot_id,
        kind=view.kind,
        key=NOBODY,
        ingress_at=ingress_at,
        registration_id=NOBODY if view.kind is Kind.BID else None,
        price_fen=price_fen,
        confirm_fen=price_fen,
        reason=None if view.reason is UNSET else str(view.reason),
        since=_since(view),
    )
    after_end = replace(sent, key=_key_after_end(lot_id, view))
    return after_end if chain.payload_hash(after_end) == payload else sent


def _key_after_end(lot_id: UUID, view: EventView) -> UUID:
    """The key under which the desk itself stops a lot for its group, or suspends it in place of its close."""
    match view.kind:
        case Kind.WITHDRAWN:
            return groups.stop_key(lot_id)
        case Kind.SUSPENDED:
            return hold_key(lot_id, view.seq - 1)  # it is named for the event before it
        case _:
            return NOBODY


def _price(view: EventView) -> Fen | None:
    if view.kind is not Kind.BID:
        return None
    if not isinstance(view.price_fen, int) or not 1 <= view.price_fen <= MAX_FEN:
        raise ValueError("its price is no amount that can be bid")
    return Fen(view.price_fen)


def _since(view: EventView) -> datetime | None:
    if view.kind is not Kind.FROZEN:
        return None
    if isinstance(view.since, UnsetType):
        raise ValueError("it is frozen without the beginning of an outage")
    return parse_moment(view.since)


def _bidder(view: EventView) -> Bidder | None:
    if view.kind is not Kind.BID:
        return None
    if not isinstance(view.code, str) or not view.code:
        raise ValueError("its bid is nobody's")
    rank = None if isinstance(view.rank, UnsetType) else view.rank
    if rank is not None and rank < 1:
        raise ValueError("its bidder has no such rank")
    return Bidder(view.code, rank)


def _decode(raw: bytes, kind: type[T]) -> T:
    """msgspec's decoder, whose every complaint is a ValueError here, nesting beyond its depth too."""
    try:
        return msgspec.json.decode(raw, type=kind)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _no_member_twice(members: list[tuple[str, Any]]) -> None:
    """Of a member that stands twice one reader takes the first and another the last. Nothing is kept of the others."""
    if len({name for name, _ in members}) != len(members):
        raise ValueError("a member stands in it twice")


_once = json.JSONDecoder(object_pairs_hook=_no_member_twice)
