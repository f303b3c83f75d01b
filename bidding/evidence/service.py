"""Use cases of evidence: lots and the audit trail enter the log, it is signed and anchored, and anybody proves it."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from msgspec.structs import asdict

from bidding.desk import chain, commands
from bidding.desk.models import BatchRow, Lot
from bidding.desk.rules import FINISHED, Method, Status, Terms
from bidding.evidence import rules, store
from bidding.evidence.errors import BeyondLog
from bidding.evidence.models import LogHead
from bidding.evidence.schemas import (
    BUNDLE,
    Bundle,
    BundleBatch,
    BundleBlock,
    BundleEntry,
    BundleEvent,
    BundleLog,
    BundleResult,
    ConsistencyView,
    EntriesPage,
    EntryView,
    HeadsPage,
    HeadView,
    InclusionView,
    KeysView,
)
from bidding.evidence.sinks import AnchorSink
from bidding.feed.errors import RecordSealed
from kernel import merkle
from kernel.actors import Actor, platform
from kernel.audit import Said, chain_of, record_each
from kernel.bulk import Record
from kernel.clock import beijing, real_now
from kernel.database import Database, Tx
from kernel.merkle import Place
from kernel.signatures import Keyring

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
MOST_IN_BUNDLE = 100_000


# -- the log grows


async def log_ended(database: Database, keyring: Keyring) -> int:
    """Log the lots that ended since the last head; returns how many. Nothing is signed where there are none."""
    async with database.transaction(platform("evidence")) as tx:
        await store.lock_log(tx)
        return await _append(tx, keyring, store.ENDED, await _last_believed(tx))


async def log_all(database: Database, keyring: Keyring) -> int:
    """Log whatever moved and sign the log, moved or not, if ten minutes have passed; returns how many lots moved."""
    async with database.transaction(platform("evidence")) as tx:
        await store.lock_log(tx)
        believed = await _last_believed(tx)
        if not rules.is_due(believed.made_at if believed else None, real_now()):
            return 0
        moved = await _append(tx, keyring, store.MOVED, believed)
        if not moved:
            await _grow(tx, keyring, await store.last_head(tx), [])
        return moved


async def _last_believed(tx: Tx) -> LogHead | None:
    """The newest head that is not from the future, by which all is counted: one that a process signed while its clock
    was ahead would hide what ended since, and put the next one off, until that time had come.
    """
    return await store.last_head(tx, tx.now(), real_now())


async def _append(tx: Tx, keyring: Keyring, which: Any, believed: LogHead | None) -> int:
    """Log these lots to the last; returns how many. The log grows from its newest head, whatever time it tells."""
    since = believed.at - rules.LOOK_BACK if believed else LONG_AGO
    last, logged = await store.last_head(tx), 0
    while lots := await store.find_heads(tx, which, since):
        await _record_counts(tx, [lot.lot_id for lot in lots])
        last = await _grow(tx, keyring, last, lots)
        logged += len(lots)
    return logged


async def _record_counts(tx: Tx, lot_ids: Sequence[UUID]) -> None:
    """Tell the audit trail what these lots have counted by now: late entries, and refusals that were not stored."""
    said = [
        Said(
            chain_of(lot.case_id),
            f"lot:{lot.lot_id}",
            {"late_entries": lot.late_entries, "unstored_refusals": lot.unstored_refusals},
        )
        for lot in await store.find_counted(tx, lot_ids)
    ]
    await record_each(tx, rules.COUNTED, said)


async def _grow(tx: Tx, keyring: Keyring, last: LogHead | None, lots: Sequence[rules.LotHead]) -> LogHead:
    """Append the heads of these lots and of the audit trail, if it grew, and sign the log as it then is."""
    now, size = tx.now(), last.size if last else 0
    new: list[Record] = [(lot.lot_id, lot.seq, lot.blocks, None, rules.entry_bytes(lot, now)) for lot in lots]
    if (trail := await store.find_root(tx)) is not None:
        new.append((None, 0, 0, trail[0], rules.trail_bytes(*trail, now)))
    nodes = await store.get_nodes(tx, merkle.parts((0, size)))
    added: list[tuple[Place, bytes]] = []
    for number, (*_, data) in enumerate(new, start=size):
        grown = merkle.grown(number, merkle.leaf_hash(data), nodes.__getitem__)
        nodes.update(grown)
        added += grown
    await store.append(tx, [(number, *entry) for number, entry in enumerate(new, start=size)], added)
    size += len(new)
    root = merkle.fold([nodes[place] for place in merkle.parts((0, size))])
    await store.keep_key(tx, keyring.current, real_now())
    head = LogHead(
        number=last.number + 1 if last else 1,
        size=size,
        at=now,
        made_at=real_now(),
        root=root,
        key_id=keyring.key_id,
        signature=keyring.sign(rules.head_text(size, beijing(now), root.hex())),
    )
    tx.session.add(head)
    await tx.session.flush()
    return head


async def anchor(database: Database, sink: AnchorSink) -> int:
    """Hand the sink what it lacks, then note that it has it; returns how many heads. A repeat is harmless."""
    async with database.reading(platform("evidence")) as tx:
        heads = await store.unanchored(tx, sink.name)
    if not heads:
        return 0
    await asyncio.to_thread(sink.append, [head_view(head) for head in heads])
    async with database.transaction(platform("evidence")) as tx:
        await store.keep_anchors(tx, sink.name, [head.number for head in heads], real_now())
    return len(heads)


async def behind(database: Database, sink: AnchorSink) -> str | None:
    """Why this database cannot be the one whose heads were anchored; None if it may be: the newest anchor is in it.

    An old backup, put live, would give out numbers and links a second time.
    """
    anchored = await asyncio.to_thread(lambda: list(sink.heads()))
    newest = max(anchored, key=lambda head: head.number, default=None)
    if newest is None:
        return None
    async with database.reading(platform("evidence")) as tx:
        ours = await store.heads_after(tx, newest.number - 1, 1)
    if ours and head_view(ours[0]) == newest:
        return None
    return f"the newest anchor (head {newest.number} of {newest.at}) is not in this database: it is old, or another"


# -- the log is read


async def list_keys(database: Database, actor: Actor) -> KeysView:
    """The public keys."""
    async with database.reading(actor) as tx:
        return KeysView(await store.keys(tx))


async def list_heads(database: Database, actor: Actor, after: int, most: int) -> HeadsPage:
    """Signed heads behind a number."""
    async with database.reading(actor) as tx:
        return HeadsPage([head_view(head) for head in await store.heads_after(tx, after, most)])


async def show_head(database: Database, actor: Actor) -> HeadView:
    """The newest signed head; refuses `beyond-log` before there is one."""
    async with database.reading(actor) as tx:
        return head_view(await _last(tx))


async def list_entries(database: Database, actor: Actor, first: int, most: int, lot_id: UUID | None) -> EntriesPage:
    """Entries from an index on, of all lots or of one."""
    async with database.reading(actor) as tx:
        entries = await store.entries_from(tx, first, most, lot_id)
    return EntriesPage([EntryView(entry.number, entry.data.decode()) for entry in entries])


async def prove_inclusion(database: Database, actor: Actor, index: int, size: int | None) -> InclusionView:
    """That the entry at `index` is in the log of `size` entries, by default the signed one; refuses `beyond-log`."""
    async with database.reading(actor) as tx:
        newest = (await _last(tx)).size
        size = newest if size is None else size
        if not index < size <= newest:
            raise BeyondLog()
        (entry,) = await store.entries_from(tx, index, 1)
        root, *path = await store.get_hashes(tx, [(0, size), *merkle.inclusion(index, size)])
    return InclusionView(index, size, entry.data.decode(), root.hex(), b"".join(path).hex())


async def prove_consistency(database: Database, actor: Actor, first: int, second: int | None) -> ConsistencyView:
    """That the log of `first` entries is the beginning of that of `second`; refuses `beyond-log`."""
    async with database.reading(actor) as tx:
        newest = (await _last(tx)).size
        second = newest if second is None else second
        if not first <= second <= newest:
            raise BeyondLog()
        ranges = merkle.consistency(first, second)
        first_root, second_root, *path = await store.get_hashes(tx, [(0, first), (0, second), *ranges])
    return ConsistencyView(first, first_root.hex(), second, second_root.hex(), b"".join(path).hex())


async def _last(tx: Tx) -> LogHead:
    last = await store.last_head(tx)
    if last is None:
        raise BeyondLog()
    return last


def head_view(head: LogHead) -> HeadView:
    """A signed head on the wire and in an anchor."""
    return HeadView(head.number, head.size, beijing(head.at), head.root.hex(), head.key_id, head.signature.hex())


# -- the bundle of a lot


async def show_bundle(database: Database, actor: Actor, lot_id: UUID) -> Bundle:
    """A finished lot with all its proofs; refuses `record-sealed` before it has ended."""
    async with database.reading(actor) as tx:
        return await make_bundle(tx, lot_id)


async def make_bundle(tx: Tx, lot_id: UUID) -> Bundle:
    """The same inside an open transaction."""
    lot = await commands.get_lot(tx, lot_id)
    if Status(lot.status) not in FINISHED:
        raise RecordSealed()
    batches = {(row.share, row.number): row for row in await store.batches_of(tx, lot_id)}
    return Bundle(
        format=BUNDLE,
        lot_id=lot_id,
        title=lot.title,
        terms=_terms(lot),
        genesis=lot.genesis.hex(),
        result=_result(lot),
        events=await _events(tx, lot_id, batches),
        batches=[BundleBatch(**asdict(row.view())) for row in batches.values()],
        refusals=await _blocks(tx, lot_id),
        log=await _log(tx, lot_id),
        keys=await store.keys(tx),
    )


def _terms(lot: Lot) -> str:
    terms = Terms(
        method=Method(lot.method),
        opens_at=lot.opens_at,
        scheduled_end=lot.scheduled_end,
        start_price_fen=lot.start_price_fen,
        increment_fen=lot.increment_fen,
    )
    return chain.terms_bytes(lot.lot_id, terms).decode()


def _result(lot: Lot) -> BundleResult:
    ended_at = commands.ended_at(lot)
    return BundleResult(
        status=lot.status,
        outcome=lot.outcome,
        ended_at=beijing(ended_at) if ended_at else None,
        code=lot.leader_code,
        price_fen=lot.price_fen,
        bids=lot.bids,
        extensions=lot.extensions,
    )


async def _events(tx: Tx, lot_id: UUID, batches: dict[tuple[int, int], BatchRow]) -> list[BundleEvent]:
    signed = {name: row.signed() for name, row in batches.items()}
    places = {link: (batch, leaf) for batch in signed.values() for leaf, link in enumerate(batch.links)}
    events = []
    for row in await store.events_of(tx, lot_id):
        batch, leaf = places[row.link]
        path = batch.path(leaf).hex()
        events.append(BundleEvent(row.event.decode(), row.link.hex(), batch.share, batch.number, leaf, path))
    return events


async def _blocks(tx: Tx, lot_id: UUID) -> list[BundleBlock]:
    refusals = await store.refusals_of(tx, lot_id)
    blocks, sealed_to = [], 0
    for block in await store.blocks_of(tx, lot_id):
        hashes = [row.link.hex() for row in refusals if sealed_to < row.entry <= block.last_entry]
        blocks.append(BundleBlock(hashes, block.link.hex()))
        sealed_to = block.last_entry
    return blocks


async def _log(tx: Tx, lot_id: UUID) -> BundleLog | None:
    """What the log says of the lot under the first head that covers all of it; None before that is logged."""
    entries = await store.entries_from(tx, 0, MOST_IN_BUNDLE, lot_id)
    head = await store.head_over(tx, entries[-1].number) if entries else None
    if head is None:
        return None
    ranges = [merkle.inclusion(entry.number, head.size) for entry in entries]
    hashes = iter(await store.get_hashes(tx, [one for path in ranges for one in path]))
    paths = [b"".join(next(hashes) for _ in path).hex() for path in ranges]
    proved = [BundleEntry(entry.number, entry.data.decode(), path) for entry, path in zip(entries, paths, strict=True)]
    return BundleLog(head_view(head), proved)
