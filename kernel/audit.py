"""The audit trail: every change of state leaves an entry in its own transaction, and entries are chained.

An entry's `facts` are the exact bytes that were hashed. One sealer chains entries in blocks per case (or per
`chain`, for what belongs to no case), so that no writer queues on a chain's head; entries younger than a
few seconds may be unsealed. `verify` rebuilds all of it, so a changed, missing or added row shows.
"""

import hashlib
import itertools
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import CheckConstraint, ForeignKey, Identity, UniqueConstraint, delete, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from kernel.clock import to_ms
from kernel.database import Base, Tx, append_only

FORMAT = b"audit/1"
NO_LINK = bytes(32)


class AuditEntry(Base):
    """Who did what to which thing, when, and why."""

    __tablename__ = "audit_entry"
    __table_args__ = (CheckConstraint("octet_length(hash) = 32", "hash_length"), {"schema": "kernel"})

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    at: Mapped[datetime]
    actor_id: Mapped[UUID | None]
    actor_name: Mapped[str]
    roles: Mapped[str]
    source: Mapped[str]
    action: Mapped[str]
    chain: Mapped[str]
    subject: Mapped[str]
    reason: Mapped[str | None]
    facts: Mapped[bytes]
    hash: Mapped[bytes]


class AuditUnsealed(Base):
    """Entries that wait for the sealer; not evidence, so rows come and go."""

    __tablename__ = "audit_unsealed"
    __table_args__ = ({"schema": "kernel"},)

    entry_id: Mapped[int] = mapped_column(ForeignKey(AuditEntry.id), primary_key=True, autoincrement=False)


class AuditBlock(Base):
    """A run of entries of one chain: link = SHA-256(format, previous link, hashes of the entries by id)."""

    __tablename__ = "audit_block"
    __table_args__ = ({"schema": "kernel"},)

    chain: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    link: Mapped[bytes]
    sealed_at: Mapped[datetime]


class AuditSeal(Base):
    """Which block an entry went into."""

    __tablename__ = "audit_seal"
    __table_args__ = (UniqueConstraint("chain", "number", "entry_id"), {"schema": "kernel"})

    entry_id: Mapped[int] = mapped_column(ForeignKey(AuditEntry.id), primary_key=True, autoincrement=False)
    chain: Mapped[str]
    number: Mapped[int]


for _table in (AuditEntry, AuditBlock, AuditSeal):
    append_only(_table.__table__)


def entry_hash(entry: AuditEntry) -> bytes:
    """The hash over everything the entry says, in a frozen order."""
    columns: list[object] = [
        to_ms(entry.at),
        entry.actor_id and str(entry.actor_id),
        entry.actor_name,
        entry.roles,
        entry.source,
        entry.action,
        entry.chain,
        entry.subject,
        entry.reason,
    ]
    return hashlib.sha256(FORMAT + msgspec.json.encode(columns) + entry.facts).digest()


def block_link(previous: bytes, hashes: list[bytes]) -> bytes:
    """The link of a block after `previous`."""
    return hashlib.sha256(FORMAT + previous + b"".join(hashes)).digest()


async def record(
    tx: Tx,
    action: str,
    subject: str,
    facts: object,
    *,
    case_id: UUID | None = None,
    chain: str | None = None,
    reason: str | None = None,
) -> None:
    """Leave an audit entry: `action` is `slice.verb`, `subject` is `kind:id`, `facts` anything JSON can hold.

    Facts never hold a password, a token or an identity number.
    """
    await record_all(tx, action, {subject: facts}, case_id=case_id, chain=chain, reason=reason)


async def record_all(
    tx: Tx,
    action: str,
    facts: Mapping[str, object],
    *,
    case_id: UUID | None = None,
    chain: str | None = None,
    reason: str | None = None,
) -> None:
    """Leave one entry for each subject that the same was done to, in the order of `facts`, with few statements."""
    if not facts:
        return
    common: dict[str, object] = {
        "at": tx.now(),
        "actor_id": tx.actor.person_id,
        "actor_name": tx.actor.name,
        "roles": ",".join(sorted(tx.actor.roles)),
        "source": tx.actor.source,
        "action": action,
        "chain": chain or (f"case:{case_id}" if case_id else "platform"),
        "reason": reason,
    }
    rows = [
        common | {"subject": subject, "facts": msgspec.json.encode(about, order="deterministic")}
        for subject, about in facts.items()
    ]
    for row in rows:
        row["hash"] = entry_hash(AuditEntry(**row))
    written = await tx.session.scalars(insert(AuditEntry).returning(AuditEntry.id), rows)
    await tx.session.execute(insert(AuditUnsealed), [{"entry_id": entry_id} for entry_id in written])


async def seal(tx: Tx, most: int = 2_000) -> int:
    """Chain what waits, oldest first; returns how many entries were sealed. Only one sealer runs at a time."""
    waiting = (
        await tx.session.scalars(
            select(AuditEntry)
            .join(AuditUnsealed, AuditUnsealed.entry_id == AuditEntry.id)
            .order_by(AuditEntry.chain, AuditEntry.id)
            .limit(most)
            .with_for_update(of=AuditUnsealed, skip_locked=True)
        )
    ).all()
    for chain, entries in itertools.groupby(waiting, lambda entry: entry.chain):
        await _seal_block(tx, chain, list(entries))
    await tx.session.execute(delete(AuditUnsealed).where(AuditUnsealed.entry_id.in_([entry.id for entry in waiting])))
    return len(waiting)


async def _seal_block(tx: Tx, chain: str, entries: list[AuditEntry]) -> None:
    last = await tx.session.scalar(
        select(AuditBlock).where(AuditBlock.chain == chain).order_by(AuditBlock.number.desc()).limit(1)
    )
    number = last.number + 1 if last else 1
    link = block_link(last.link if last else NO_LINK, [entry.hash for entry in entries])
    tx.session.add(AuditBlock(chain=chain, number=number, link=link, sealed_at=tx.now()))
    await tx.session.flush()
    await tx.session.execute(
        insert(AuditSeal), [{"entry_id": entry.id, "chain": chain, "number": number} for entry in entries]
    )


async def faults(tx: Tx) -> list[str]:
    """Everything in the audit trail that does not verify, one sentence each; empty when all is well."""
    found = []
    hashes: dict[tuple[str, int], list[bytes]] = {}
    rows = await tx.session.stream(
        select(AuditEntry, AuditSeal.chain, AuditSeal.number, AuditUnsealed.entry_id)
        .outerjoin(AuditSeal, AuditSeal.entry_id == AuditEntry.id)
        .outerjoin(AuditUnsealed, AuditUnsealed.entry_id == AuditEntry.id)
        .order_by(AuditEntry.id)
        .execution_options(yield_per=1_000)
    )
    async for entry, chain, number, unsealed in rows:
        if entry_hash(entry) != entry.hash:
            found.append(f"audit entry {entry.id} ({entry.action}) was changed")
        if chain is None and unsealed is None:
            found.append(f"audit entry {entry.id} ({entry.action}) was added behind the sealer's back")
        elif chain is not None:
            if chain != entry.chain:
                found.append(f"audit entry {entry.id} is sealed in a foreign chain")
            hashes.setdefault((chain, number), []).append(entry.hash)
    return found + await _broken_blocks(tx, hashes)


async def _broken_blocks(tx: Tx, hashes: dict[tuple[str, int], list[bytes]]) -> list[str]:
    found = []
    blocks = (await tx.session.scalars(select(AuditBlock).order_by(AuditBlock.chain, AuditBlock.number))).all()
    for chain, chain_blocks in itertools.groupby(blocks, lambda block: block.chain):
        previous = NO_LINK
        for expected, block in enumerate(chain_blocks, start=1):
            if block.number != expected:
                found.append(f"audit chain {chain}: block {expected} is missing")
                break
            if block_link(previous, hashes.pop((chain, block.number), [])) != block.link:
                found.append(f"audit chain {chain}: block {block.number} does not verify")
            previous = block.link
    found += [f"audit chain {chain}: block {number} is missing" for chain, number in hashes]
    return found
