"""What a bundle proves, checked by itself: no database, no network, no clock (docs/evidence.md). Pure.

`faults` says in one sentence each what does not hold: terms, chain, signed batches, sealed refusals, log and anchors,
and whether each event follows from those before it by the rules of the desk. Whom to believe is the reader's choice:
with keys and anchors got from elsewhere, a bundle made up by whoever has all tables of the platform is found too.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import UNSET

from bidding.desk import chain
from bidding.desk.batch import decide
from bidding.desk.chain import EventView
from bidding.desk.receipts import BATCH
from bidding.desk.rules import FINISHED, Bidder, Event, Kind, LotState, Method, Status, Terms, evolve, published
from bidding.desk.submissions import Submission
from bidding.evidence import rules
from bidding.evidence.schemas import Bundle, BundleBatch, BundleEvent, HeadView
from kernel import merkle
from kernel.clock import beijing
from kernel.money import Fen
from kernel.signatures import PublicKey, by_id, is_signed

NOBODY = UUID(int=0)


def read_bundle(raw: bytes) -> Bundle:
    """A bundle from its file; raises ValueError for anything else."""
    try:
        return msgspec.json.decode(raw, type=Bundle)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ValueError(f"no bundle: {error}") from None


def faults(
    bundle: Bundle, trusted: Iterable[PublicKey] | None = None, anchors: Iterable[HeadView] | None = None
) -> list[str]:
    """Everything about the bundle that does not hold; empty when all is well.

    `trusted` are public keys got from elsewhere: without them those in the bundle are taken. `anchors` are heads that
    were kept outside the platform: the bundle's must be among them.
    """
    keys = by_id(bundle.keys if trusted is None else trusted)
    return [
        *_history_faults(bundle),
        *_batch_faults(bundle, keys),
        *_refusal_faults(bundle),
        *_log_faults(bundle, keys),
        *_anchor_faults(bundle, anchors),
    ]


# -- the chain, and the rules of the desk


def _history_faults(bundle: Bundle) -> Iterator[str]:
    try:
        state = published(_terms(bundle))
    except (ValueError, TypeError, msgspec.MsgspecError):
        yield "the terms are not readable"
        return
    link = chain.genesis(bundle.lot_id, state.terms)
    if link.hex() != bundle.genesis or chain.terms_bytes(bundle.lot_id, state.terms) != bundle.terms.encode():
        yield "the chain does not begin with the terms"
    entered = None
    for seq, event in enumerate(bundle.events, start=1):
        link = chain.link(link, event.bytes.encode())
        if link.hex() != event.link:
            yield f"event {seq} does not continue the chain"
            return
        try:
            view, sent = _sent(bundle.lot_id, event)
        except ValueError as error:
            yield f"event {seq}: {error}"
            return
        at = datetime.fromisoformat(view.at)
        if entered is not None and at < entered:
            yield f"event {seq} entered before the one ahead of it"
        entered = at
        decision = decide(state, sent, _bidder(view), at)
        told = isinstance(decision, Event) and chain.event_bytes(decision, sent.reason)
        if not isinstance(decision, Event) or told != msgspec.json.encode(view):
            yield f"event {seq} ({view.kind}) does not follow from those before it by the rules"
            return
        state = evolve(state, decision)
    yield from _result_faults(bundle, state)


def _terms(bundle: Bundle) -> Terms:
    lot, method, opens_at, scheduled_end, start_price_fen, increment_fen = msgspec.json.decode(
        bundle.terms, type=tuple[str, str, str, str, int, int]
    )
    if lot != str(bundle.lot_id):
        raise ValueError("terms of another lot")
    return Terms(
        method=Method(method),
        opens_at=datetime.fromisoformat(opens_at),
        scheduled_end=datetime.fromisoformat(scheduled_end),
        start_price_fen=Fen(start_price_fen),
        increment_fen=Fen(increment_fen),
    )


def _sent(lot_id: UUID, event: BundleEvent) -> tuple[EventView, Submission]:
    """What was asked for, as far as the event tells; raises ValueError for bytes that are no event of this lot."""
    try:
        sealed = chain.read_sealed(event.bytes.encode())
        assert not isinstance(sealed.event, msgspec.UnsetType)
        view = msgspec.json.decode(sealed.event, type=EventView)
    except (msgspec.MsgspecError, AssertionError):
        raise ValueError("its bytes are no event") from None
    if sealed.v != chain.VERSION or sealed.lot != lot_id:
        raise ValueError("its bytes are of another lot or version")
    if msgspec.json.encode(view) != bytes(sealed.event):
        raise ValueError("its bytes hold more than an event")
    price = Fen(view.price_fen) if view.kind is Kind.BID and isinstance(view.price_fen, int) else None
    return view, Submission(
        lot_id=lot_id,
        kind=view.kind,
        key=NOBODY,
        ingress_at=datetime.fromisoformat(sealed.ingress_at),
        registration_id=NOBODY if view.kind is Kind.BID else None,
        price_fen=Fen(0) if view.kind is Kind.BID and price is None else price,
        confirm_fen=price,
        reason=None if view.reason is UNSET else str(view.reason),
        since=None if view.since is UNSET else datetime.fromisoformat(str(view.since)),
    )


def _bidder(view: EventView) -> Bidder | None:
    if view.kind is not Kind.BID or not isinstance(view.code, str):
        return None
    return Bidder(view.code, None if isinstance(view.rank, msgspec.UnsetType) else view.rank)


def _result_faults(bundle: Bundle, state: LotState) -> Iterator[str]:
    told = bundle.result
    if state.status not in FINISHED:
        yield "the lot has not ended: its last events are missing"
        return
    closed = state.status is Status.CLOSED
    outcome = ("sold" if state.leader else "failed") if closed else None
    ended_at = beijing(state.ends_at) if closed and state.ends_at else None
    replayed = (outcome, ended_at, state.leader, state.price_fen, state.bids, state.extensions)
    if (told.outcome, told.ended_at, told.code, told.price_fen, told.bids, told.extensions) != replayed:
        yield "the result is not the one that the events lead to"
    if told.status not in (state.status, Status.ANNULLED):
        yield f"the lot is {state.status} by its events and not {told.status}"


# -- signatures


def _batch_faults(bundle: Bundle, keys: Mapping[str, PublicKey]) -> Iterator[str]:
    batches = {(batch.share, batch.number): batch for batch in bundle.batches}
    for name, batch in batches.items():
        if not is_signed(_batch_text(batch), batch.key_id, _bytes(batch.signature), keys):
            yield f"batch {name[0]}/{name[1]} is not signed by a key that counts"
    for seq, event in enumerate(bundle.events, start=1):
        held = batches.get((event.share, event.number))
        if held is None or not _is_in(_bytes(event.link), event.leaf, event.path, held.size, held.root):
            yield f"event {seq} is not in the signed batch that it names"


def _batch_text(batch: BundleBatch) -> bytes:
    share, number, size = batch.share, batch.number, batch.size
    return BATCH.format(share=share, number=number, size=size, at=batch.at, root=batch.root).encode()


def _is_in(data: bytes, index: int, path: str, size: int, root: str) -> bool:
    try:
        hashes = merkle.split(_bytes(path))
    except ValueError:
        return False
    found = merkle.root_by_path(merkle.leaf_hash(data), index, size, hashes)
    return found is not None and found.hex() == root


# -- refusals


def _refusal_faults(bundle: Bundle) -> Iterator[str]:
    link = _bytes(bundle.genesis)
    for number, block in enumerate(bundle.refusals, start=1):
        link = chain.block_link(link, [_bytes(one) for one in block.hashes])
        if link.hex() != block.link:
            yield f"block {number} of the refusals does not verify"
            return


# -- the log and its anchors


def _log_faults(bundle: Bundle, keys: Mapping[str, PublicKey]) -> Iterator[str]:
    if bundle.log is None:
        yield "the lot is not in the log yet"
        return
    head, last_seq = bundle.log.head, -1
    if not is_signed(rules.head_text(head.size, head.at, head.root), head.key_id, _bytes(head.signature), keys):
        yield f"head {head.number} of the log is not signed by a key that counts"
    links = [bundle.genesis, *(event.link for event in bundle.events)]
    blocks = [bundle.genesis, *(block.link for block in bundle.refusals)]
    for entry in bundle.log.entries:
        where = f"entry {entry.index} of the log"
        if not _is_in(entry.data.encode(), entry.index, entry.path, head.size, head.root):
            yield f"{where} is not under its signed head"
        try:
            told = rules.read_entry(entry.data.encode())
        except msgspec.MsgspecError:
            yield f"{where} is not readable"
            continue
        if told.lot != bundle.lot_id or _at(links, told.seq) != told.link or _at(blocks, told.blocks) != told.refusals:
            yield f"{where} contradicts the chain: event {told.seq} was another one when it was logged"
        last_seq = max(last_seq, told.seq)
    if last_seq != len(bundle.events):
        yield f"the log knows {max(last_seq, 0)} events of the lot, the bundle has {len(bundle.events)}"


def _anchor_faults(bundle: Bundle, anchors: Iterable[HeadView] | None) -> Iterator[str]:
    if anchors is not None and bundle.log is not None and bundle.log.head not in list(anchors):
        yield f"head {bundle.log.head.number} of the log is not among the anchors"


def _at(links: list[str], number: int) -> str | None:
    return links[number] if 0 <= number < len(links) else None


def _bytes(text: str) -> bytes:
    """Bytes from hex; what is no hex is no bytes, and then nothing fits it."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""
