"""Checks signed batches, the log of all lots and its anchors against the tables (invariant 28).

A superuser can edit any row and compute every hash anew, but not the signatures, and not what was anchored outside. So
with the keys and anchors of `Outside` a rewritten chain shows; without them only what contradicts itself does.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import msgspec
from sqlalchemy import and_, func, select, text

from bidding.desk.models import BatchRow, Lot, RefusalBlock, SigningKey, Submission
from bidding.evidence import rules, store
from bidding.evidence.models import LogEntry, LogHead, LogNode
from bidding.evidence.schemas import HeadView
from bidding.evidence.service import head_view
from kernel import merkle
from kernel.audit import AuditEntry, AuditRoot
from kernel.clock import real_now
from kernel.database import Tx
from kernel.merkle import Place
from kernel.signatures import PublicKey, by_id, is_signed, key_id_of

SETTLED = timedelta(minutes=1)
"""Real time after which an ended lot must be in the log, and a head in the sink."""

MOST = 100
"""Faults of one kind that are named."""


@dataclass(frozen=True, slots=True)
class Outside:
    """What the database administrator cannot write: public keys from the keyring, heads from the sink."""

    keys: Mapping[str, PublicKey]
    anchors: Sequence[HeadView]


async def faults(tx: Tx, outside: Outside | None = None) -> list[str]:
    """One sentence for each thing that does not verify."""
    await tx.session.execute(text("SET LOCAL statement_timeout = 0"))  # whole tables are read in order
    keys = by_id(await store.keys(tx))
    found = [f"signing key {key_id} is not in the keyring" for key_id in keys if outside and key_id not in outside.keys]
    trusted = outside.keys if outside else keys
    heads = (await tx.session.scalars(select(LogHead).order_by(LogHead.number))).all()
    return [
        *found,
        *await _key_faults(tx),
        *await _batch_faults(tx, trusted),
        *await _event_faults(tx),
        *await _log_faults(tx, heads, trusted),
        *await _entry_faults(tx),
        *await _trail_faults(tx),
        *await _count_faults(tx),
        *await _unlogged(tx, heads),
        *(_anchor_faults(heads, outside.anchors) if outside else ()),
    ]


# -- keys and batches


async def _key_faults(tx: Tx) -> list[str]:
    rows = await tx.session.scalars(select(SigningKey))
    changed = [f"signing key {row.key_id} was changed" for row in rows if key_id_of(row.public_key) != row.key_id]
    there = select(SigningKey.key_id).where(SigningKey.key_id == BatchRow.key_id)
    used = await tx.session.scalars(select(BatchRow.key_id).where(~there.exists()).distinct().limit(MOST))
    return changed + [f"signing key {key_id} was taken out" for key_id in used]


async def _batch_faults(tx: Tx, keys: Mapping[str, PublicKey]) -> list[str]:
    """Each batch is numbered, signed, and holds just the events that name it."""
    found: list[str] = []
    numbers: dict[int, int] = {}
    rows = await tx.session.stream(
        select(BatchRow, func.array_remove(func.array_agg(Submission.link), None))
        .outerjoin(Submission, and_(Submission.share == BatchRow.share, Submission.batch == BatchRow.number))
        .group_by(BatchRow.share, BatchRow.number)
        .order_by(BatchRow.share, BatchRow.number)
        .execution_options(yield_per=200)
    )
    async for row, links in rows:
        where = f"batch {row.share}/{row.number}"
        expected = numbers.get(row.share, 0) + 1
        if row.number != expected:
            found.append(f"batch {row.share}/{expected} is missing")
        numbers[row.share] = row.number
        batch = row.signed()
        if batch.root != row.root or not is_signed(batch.statement(row.at), row.key_id, row.signature, keys):
            found.append(f"{where} is not signed by a key that counts")
        if sorted(batch.links) != sorted(links):
            found.append(f"{where} does not hold the events that name it")
    return found


async def _event_faults(tx: Tx) -> list[str]:
    """Events without a batch: taken out of it, or written by nobody who could sign."""
    held = select(BatchRow.number).where(BatchRow.share == Submission.share, BatchRow.number == Submission.batch)
    rows = await tx.session.execute(
        select(Submission.lot_id, Submission.seq)
        .where(Submission.seq.is_not(None), ~held.exists())
        .order_by(Submission.lot_id, Submission.seq)
        .limit(MOST)
    )
    return [f"lot {lot_id}: event {seq} is in no signed batch" for lot_id, seq in rows]


# -- the log


async def _log_faults(tx: Tx, heads: Sequence[LogHead], keys: Mapping[str, PublicKey]) -> list[str]:
    """Entries make the nodes that are stored and the roots that were signed."""
    found = list(_head_faults(heads, keys))
    nodes: dict[Place, bytes] = {}
    roots = {0: merkle.EMPTY}
    sizes = {head.size for head in heads}
    rows = await tx.session.stream(
        select(LogEntry.number, LogEntry.data).order_by(LogEntry.number).execution_options(yield_per=2_000)
    )
    size = 0
    async for number, data in rows:
        if number != size:
            found.append(f"entry {size} of the log is missing")
            return found
        nodes.update(merkle.grown(number, merkle.leaf_hash(data), nodes.__getitem__))
        size += 1
        if size in sizes:
            roots[size] = merkle.fold([nodes[place] for place in merkle.parts((0, size))])
    found += [
        f"head {head.number} of the log was signed over other entries"
        for head in heads
        if roots.get(head.size) != head.root
    ]
    stored = await tx.session.execute(select(LogNode.level, LogNode.number, LogNode.hash))
    if {(level, number): hash_ for level, number, hash_ in stored} != nodes:
        found.append("the nodes of the log are not those of its entries")
    if size != (heads[-1].size if heads else 0):
        found.append(f"the log has {size} entries, its last head says {heads[-1].size if heads else 0}")
    return found


def _head_faults(heads: Sequence[LogHead], keys: Mapping[str, PublicKey]) -> Iterator[str]:
    size = 0
    for expected, head in enumerate(heads, start=1):
        if head.number != expected:
            yield f"head {expected} of the log is missing"
            return
        view = head_view(head)
        if not is_signed(rules.head_text(view.size, view.at, view.root), head.key_id, head.signature, keys):
            yield f"head {head.number} of the log is not signed by a key that counts"
        if head.size < size:
            yield f"head {head.number} of the log is smaller than the one before"
        size = head.size


async def _entry_faults(tx: Tx) -> list[str]:
    """Every entry is still true: the lot's chain and its refusals pass through the links that were logged."""
    rows = await tx.session.stream(
        select(LogEntry, Lot.genesis, Submission.link, RefusalBlock.link)
        .outerjoin(Lot, Lot.lot_id == LogEntry.lot_id)
        .outerjoin(Submission, and_(Submission.lot_id == LogEntry.lot_id, Submission.seq == LogEntry.seq))
        .outerjoin(RefusalBlock, and_(RefusalBlock.lot_id == LogEntry.lot_id, RefusalBlock.number == LogEntry.blocks))
        .where(LogEntry.root.is_(None))
        .order_by(LogEntry.number)
        .execution_options(yield_per=1_000)
    )
    found = []
    async for entry, genesis, link, block in rows:
        if not _is_true(entry, genesis if entry.seq == 0 else link, genesis if entry.blocks == 0 else block):
            found.append(f"lot {entry.lot_id}: its chain is not the one that entry {entry.number} of the log saw")
    return found[:MOST]


def _is_true(entry: LogEntry, link: bytes | None, refusals: bytes | None) -> bool:
    try:
        told = rules.read_entry(entry.data)
    except msgspec.MsgspecError:
        return False
    columns = told.lot, told.seq, told.blocks
    links: tuple[Any, Any] = link and link.hex(), refusals and refusals.hex()
    return columns == (entry.lot_id, entry.seq, entry.blocks) and (told.link, told.refusals) == links


async def _trail_faults(tx: Tx) -> list[str]:
    """The audit trail still passes through every root that was logged: nothing before it was cut off or made anew."""
    rows = await tx.session.execute(
        select(LogEntry.number, LogEntry.root, LogEntry.data, AuditRoot.link)
        .outerjoin(AuditRoot, AuditRoot.number == LogEntry.root)
        .where(LogEntry.root.is_not(None))
        .order_by(LogEntry.number)
    )
    return [
        f"the audit trail is not the one that entry {number} of the log saw"
        for number, root, data, link in rows
        if root is not None and not _is_of_trail(data, root, link)
    ][:MOST]


async def _count_faults(tx: Tx) -> list[str]:
    """Counters that fell since the lot was logged: they only grow."""
    rows = await tx.session.execute(
        select(AuditEntry.subject, AuditEntry.facts).where(AuditEntry.action == rules.COUNTED).order_by(AuditEntry.id)
    )
    told = {subject: msgspec.json.decode(facts) for subject, facts in rows}
    found = []
    for lot in await tx.session.execute(select(Lot.lot_id, Lot.late_entries, Lot.unstored_refusals)):
        before = told.get(f"lot:{lot.lot_id}", {})
        found += [
            f"lot {lot.lot_id}: its row says {name} {getattr(lot, name)}, it was logged with {count}"
            for name, count in before.items()
            if getattr(lot, name) < count
        ]
    return found


def _is_of_trail(data: bytes, root: int, link: bytes | None) -> bool:
    try:
        told = rules.read_trail(data)
    except msgspec.MsgspecError:
        return False
    return (told.audit, told.link) == (root, link and link.hex())


async def _unlogged(tx: Tx, heads: Sequence[LogHead]) -> list[str]:
    """Lots that ended well before the last head, be it from the future, and whose end it does not know."""
    if not heads:
        return []
    by = min(heads[-1].made_at, real_now()) - SETTLED
    known = select(LogEntry.number).where(LogEntry.lot_id == Lot.lot_id, LogEntry.seq == Lot.seq)
    rows = await tx.session.scalars(
        select(Lot.lot_id).where(Lot.closed_at.is_not(None), Lot.decided_at < by, ~known.exists()).limit(MOST)
    )
    return [f"lot {lot_id}: its end is not in the log" for lot_id in rows]


# -- the anchors


def _anchor_faults(heads: Sequence[LogHead], anchors: Sequence[HeadView]) -> Iterator[str]:
    """Every anchor is a head of the present log, and every head was anchored."""
    present = {head.number: head_view(head) for head in heads}
    for anchor in anchors:
        if present.get(anchor.number) != anchor:
            yield f"the log does not have head {anchor.number} of {anchor.at} as it was anchored"
            return
    anchored = {anchor.number for anchor in anchors}
    for head in heads:
        if head.number not in anchored and head.made_at < real_now() - SETTLED:
            yield f"head {head.number} of the log was never anchored"
            return
