"""Use cases of evidence: lots and the audit trail enter the log, it is signed and anchored, and anybody proves it."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from bidding.evidence import rules, store
from bidding.evidence.errors import BeyondLog
from bidding.evidence.models import LogHead
from bidding.evidence.schemas import (
    ConsistencyView,
    EntriesPage,
    EntryView,
    HeadsPage,
    HeadView,
    InclusionView,
    KeysView,
)
from bidding.evidence.sinks import AnchorSink
from kernel import merkle
from kernel.actors import Actor, platform
from kernel.audit import Said, chain_of, record_each
from kernel.bulk import Record
from kernel.clock import beijing, real_now
from kernel.database import Database, Tx
from kernel.merkle import Place
from kernel.signatures import Keyring

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


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
    Anchors that cannot be read are a reason too: nobody knows then what they tell.

    An old backup, put live, would give out numbers and links a second time.
    """
    try:
        anchored = await asyncio.to_thread(lambda: list(sink.heads()))
    except ValueError as error:
        return f"the anchors cannot be read ({error}): whether this database is an old one is not known"
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
