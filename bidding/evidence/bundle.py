"""What a bundle proves, checked by itself: no database, no network, no clock (docs/evidence.md). Pure.

`faults` says in one sentence each what does not hold: terms, chain, signed batches, sealed refusals, log and anchors,
and whether each event follows from those before it by the rules of the desk. Whom to believe is the reader's choice:
with keys and anchors got from elsewhere, a bundle made up by whoever has all tables of the platform is found too.
"""

from collections.abc import Iterable, Iterator, Mapping

from bidding.desk import chain
from bidding.desk.batch import decide
from bidding.desk.receipts import BATCH
from bidding.desk.rules import FINISHED, Event, LotState, Status, evolve, published
from bidding.evidence import rules
from bidding.evidence.reading import Told, read_entry, read_event, read_terms
from bidding.evidence.schemas import Bundle, BundleBatch, HeadView
from kernel import merkle
from kernel.clock import beijing
from kernel.decoding import Expected
from kernel.hexadecimal import from_hex
from kernel.merkle import HASH_BYTES
from kernel.signatures import SIGNATURE_BYTES, PublicKey, by_id, is_signed


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


def unproved(bundle: Bundle, *, anchored: bool) -> list[str]:
    """What a bundle without a fault says and does not prove: nothing of it is in the chain, or under a signature."""
    told = [f"the title ({shown(bundle.title)})", "whether the sale was annulled afterwards"]
    return told if anchored else [*told, "the number of the log's head, and that others were shown it"]


# -- the chain, and the rules of the desk


def _history_faults(bundle: Bundle) -> Iterator[str]:
    try:
        terms = read_terms(bundle.lot_id, bundle.terms)
    except ValueError:
        yield "the terms are not readable"
        return
    state, link = published(terms), chain.genesis(bundle.lot_id, terms)
    if link.hex() != bundle.genesis:
        yield "the chain does not begin with the terms"
    entered = None
    for seq, event in enumerate(bundle.events, start=1):
        link = chain.link(link, event.bytes.encode())
        if link.hex() != event.link:
            yield f"event {seq} does not continue the chain"
            return
        try:
            told = read_event(bundle.lot_id, event.bytes)
        except Expected as error:
            yield f"event {seq}: expected {error}"
            return
        except ValueError as error:
            yield f"event {seq}: {error}"
            return
        if entered is not None and told.at < entered:
            yield f"event {seq} entered before the one ahead of it"
        entered = told.at
        try:
            following = _after(state, told)
        except Exception:  # whatever a file of anybody's brings the rules to, it is a fault of that file
            yield f"event {seq} cannot be replayed"
            return
        if following is None:
            yield f"event {seq} ({told.sent.kind}) does not follow from those before it by the rules"
            return
        state = following
    yield from _result_faults(bundle, state)


def _after(state: LotState, told: Told) -> LotState | None:
    """The state after the event; None where the rules lead to another event, or to none."""
    decision = decide(state, told.sent, told.bidder, told.at)
    if not isinstance(decision, Event) or chain.event_bytes(decision, told.sent.reason) != told.inner:
        return None
    return evolve(state, decision)


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
    if told.status != state.status:
        yield f"the lot is {state.status} by its events and not {shown(told.status)}"


# -- signatures


def _batch_faults(bundle: Bundle, keys: Mapping[str, PublicKey]) -> Iterator[str]:
    batches = {(batch.share, batch.number): batch for batch in bundle.batches}
    if len(batches) != len(bundle.batches):
        yield "a batch stands in it twice"
    for name, batch in batches.items():
        if not _is_signed(_batch_text(batch), batch, keys):
            yield f"batch {name[0]}/{name[1]} is not signed by a key that counts"
    for seq, event in enumerate(bundle.events, start=1):
        held = batches.get((event.share, event.number))
        link = from_hex(event.link, HASH_BYTES)
        if held is None or link is None or not _is_in(link, event.leaf, event.path, held.size, held.root):
            yield f"event {seq} is not in the signed batch that it names"


def _batch_text(batch: BundleBatch) -> bytes:
    share, number, size = batch.share, batch.number, batch.size
    return BATCH.format(share=share, number=number, size=size, at=batch.at, root=batch.root).encode()


def _is_signed(text: bytes, signed: BundleBatch | HeadView, keys: Mapping[str, PublicKey]) -> bool:
    signature = from_hex(signed.signature, SIGNATURE_BYTES)
    return signature is not None and is_signed(text, signed.key_id, signature, keys)


def _is_in(data: bytes, index: int, path: str, size: int, root: str) -> bool:
    hashes = _hashes([path[at : at + 2 * HASH_BYTES] for at in range(0, len(path), 2 * HASH_BYTES)])
    found = None if hashes is None else merkle.root_by_path(merkle.leaf_hash(data), index, size, hashes)
    return found is not None and found.hex() == root


def _hashes(texts: Iterable[str]) -> list[bytes] | None:
    """Hashes from their hex; None where one of them is no hash, for several behind one another hash to the same."""
    hashes = [from_hex(text, HASH_BYTES) for text in texts]
    found = [hash_ for hash_ in hashes if hash_ is not None]
    return found if len(found) == len(hashes) else None


# -- refusals


def _refusal_faults(bundle: Bundle) -> Iterator[str]:
    link = from_hex(bundle.genesis, HASH_BYTES)
    for number, block in enumerate(bundle.refusals, start=1):
        hashes = _hashes(block.hashes)
        link = None if link is None or hashes is None else chain.block_link(link, hashes)
        if link is None or link.hex() != block.link:
            yield f"block {number} of the refusals does not verify"
            return


# -- the log and its anchors


def _log_faults(bundle: Bundle, keys: Mapping[str, PublicKey]) -> Iterator[str]:
    if bundle.log is None:
        yield "the lot is not in the log yet"
        return
    head, last_seq, last_block = bundle.log.head, -1, 0
    if not _is_signed(rules.head_text(head.size, head.at, head.root), head, keys):
        yield f"head {head.number} of the log is not signed by a key that counts"
    links = [bundle.genesis, *(event.link for event in bundle.events)]
    blocks = [bundle.genesis, *(block.link for block in bundle.refusals)]
    for entry in bundle.log.entries:
        where = f"entry {entry.index} of the log"
        if not _is_in(entry.data.encode(), entry.index, entry.path, head.size, head.root):
            yield f"{where} is not under its signed head"
        try:
            told = read_entry(entry.data)
        except ValueError:
            yield f"{where} is not readable"
            continue
        if told.lot != bundle.lot_id or _at(links, told.seq) != told.link or _at(blocks, told.blocks) != told.refusals:
            yield f"{where} contradicts the chain: event {told.seq} was another one when it was logged"
        last_seq, last_block = max(last_seq, told.seq), max(last_block, told.blocks)
    if last_seq != len(bundle.events):
        yield f"the log knows {max(last_seq, 0)} events of the lot, the bundle has {len(bundle.events)}"
    if last_block != len(bundle.refusals):
        yield f"the log knows {last_block} blocks of refusals of the lot, the bundle has {len(bundle.refusals)}"


def _anchor_faults(bundle: Bundle, anchors: Iterable[HeadView] | None) -> Iterator[str]:
    if anchors is not None and bundle.log is not None and bundle.log.head not in list(anchors):
        yield f"head {bundle.log.head.number} of the log is not among the anchors"


def _at(links: list[str], number: int) -> str | None:
    return links[number] if 0 <= number < len(links) else None


def shown(text: str) -> str:
    """Text of a file on the terminal of whoever checks it, where it may neither move the cursor nor begin a line."""
    return text if text.isprintable() else ascii(text)
