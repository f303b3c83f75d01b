"""The audit trail: every change of state leaves an entry in its own transaction, and entries are chained.

An entry's `facts` are the exact bytes that were hashed. One sealer chains entries in blocks per case (or per
`chain`, for what belongs to no case), so that no writer queues on a chain's head; entries younger than a
few seconds may be unsealed. `verify` rebuilds all of it, so a changed, missing or added row shows.
"""

import hashlib
import itertools
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import CheckConstraint, ForeignKey, Identity, Uuid, bindparam, select, text
from sqlalchemy.orm import Mapped, mapped_column

from kernel.clock import to_ms
from kernel.database import Base, Milliseconds, Tx, append_only, count_rows

FORMAT = b"audit/1"
NO_LINK = bytes(32)
MOST_SEALED = 5_000
"""Entries sealed in one transaction."""

_By = tuple[UUID | None, str, str, str]
"""Who acted: person, name, roles, source."""

_encode = msgspec.json.Encoder(order="deterministic").encode


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
    """Entries that wait for the sealer; not evidence, so rows come and go.

    No foreign key: entries and these rows are written by one statement, and entries stay for good.
    """

    __tablename__ = "audit_unsealed"
    __table_args__ = ({"schema": "kernel"},)

    entry_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


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
    __table_args__ = ({"schema": "kernel"},)

    entry_id: Mapped[int] = mapped_column(ForeignKey(AuditEntry.id), primary_key=True, autoincrement=False)
    chain: Mapped[str]
    number: Mapped[int]


for _table in (AuditEntry, AuditBlock, AuditSeal):
    append_only(_table.__table__)


def entry_hash(entry: AuditEntry) -> bytes:
    """The hash over everything the entry says: when, by whom, action, chain, subject and reason, then the facts."""
    begun = _begun(entry.at, (entry.actor_id, entry.actor_name, entry.roles, entry.source), entry.action)
    return hashlib.sha256(begun + _ended(entry.chain, entry.subject, entry.reason) + entry.facts).digest()


def _begun(at: datetime, by: _By, action: str) -> bytes:
    """What entries of one action and moment begin with: a JSON array that is still open."""
    actor_id, *person = by
    return FORMAT + msgspec.json.encode([to_ms(at), actor_id and str(actor_id), *person, action])[:-1]


def _ended(chain: str, subject: str, reason: str | None) -> bytes:
    """The rest of that array."""
    return b"," + msgspec.json.encode((chain, subject, reason))[1:]


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
    of_chain = chain or chain_of(case_id)
    await record_each(tx, action, [Said(of_chain, subject, about, reason) for subject, about in facts.items()])


def chain_of(case_id: UUID | None) -> str:
    """The chain that entries of a case stand in; what belongs to no case has the platform's."""
    return f"case:{case_id}" if case_id else "platform"


class Said(NamedTuple):
    """What one of many entries says: the chain it belongs to, about what, and the facts."""

    chain: str
    subject: str
    facts: object
    reason: str | None = None


RECORD = text(
    """
    WITH written AS (
        INSERT INTO kernel.audit_entry
               (at, actor_id, actor_name, roles, source, action, chain, subject, reason, facts, hash)
        SELECT :at, :actor_id, :actor_name, :roles, :source, :action, e.chain, e.subject, e.reason, e.facts, e.hash
        FROM unnest(CAST(:chains AS text[]), CAST(:subjects AS text[]), CAST(:reasons AS text[]),
                    CAST(:facts AS bytea[]), CAST(:hashes AS bytea[]))
             WITH ORDINALITY e (chain, subject, reason, facts, hash, place)
        ORDER BY place RETURNING id)
    INSERT INTO kernel.audit_unsealed (entry_id) SELECT id FROM written
    """
).bindparams(bindparam("at", type_=Milliseconds), bindparam("actor_id", type_=Uuid()))


async def record_each(tx: Tx, action: str, entries: Sequence[Said]) -> None:
    """Leave entries of one action, of any chains, in this order, with one statement."""
    if not entries:
        return
    at, actor = tx.now(), tx.actor
    by = (actor.person_id, actor.name, ",".join(sorted(actor.roles)), actor.source)
    facts = [_encode(each.facts) for each in entries]
    begun = _begun(at, by, action)
    values: dict[str, object] = {
        "at": at,
        "actor_id": by[0],
        "actor_name": by[1],
        "roles": by[2],
        "source": by[3],
        "action": action,
        "chains": [each.chain for each in entries],
        "subjects": [each.subject for each in entries],
        "reasons": [each.reason for each in entries],
        "facts": facts,
        "hashes": [
            hashlib.sha256(begun + _ended(each.chain, each.subject, each.reason) + about).digest()
            for each, about in zip(entries, facts, strict=True)
        ],
    }
    await tx.session.execute(RECORD, values)


WAITING = text(
    """
    SELECT e.id, e.chain, e.hash
    FROM (SELECT entry_id FROM kernel.audit_unsealed ORDER BY entry_id LIMIT :most FOR UPDATE SKIP LOCKED) u
    JOIN kernel.audit_entry e ON e.id = u.entry_id
    ORDER BY e.chain, e.id
    """
)
LAST_BLOCKS = text(
    """
    SELECT c.chain, b.number, b.link FROM unnest(CAST(:chains AS text[])) c (chain)
    CROSS JOIN LATERAL (SELECT number, link FROM kernel.audit_block
                        WHERE chain = c.chain ORDER BY number DESC LIMIT 1) b
    """
)
SEAL_BLOCKS = text(
    """
    INSERT INTO kernel.audit_block (chain, number, link, sealed_at)
    SELECT b.chain, b.number, b.link, :at
    FROM unnest(CAST(:chains AS text[]), CAST(:numbers AS int8[]), CAST(:links AS bytea[])) b (chain, number, link)
    """
).bindparams(bindparam("at", type_=Milliseconds))
SEAL_ENTRIES = text(
    """
    WITH gone AS (DELETE FROM kernel.audit_unsealed WHERE entry_id = ANY(CAST(:ids AS int8[])))
    INSERT INTO kernel.audit_seal (entry_id, chain, number)
    SELECT * FROM unnest(CAST(:ids AS int8[]), CAST(:chains AS text[]), CAST(:numbers AS int8[]))
    """
)


async def seal(tx: Tx) -> int:
    """Chain what waits, oldest first; returns how many entries were sealed. Only one sealer runs at a time."""
    waiting = (await tx.session.execute(WAITING, {"most": MOST_SEALED})).all()
    if not waiting:
        return 0
    chains = {chain: list(entries) for chain, entries in itertools.groupby(waiting, lambda entry: entry.chain)}
    last = {row.chain: row for row in await tx.session.execute(LAST_BLOCKS, {"chains": list(chains)})}
    numbers = {chain: last[chain].number + 1 if chain in last else 1 for chain in chains}
    links = [
        block_link(bytes(last[chain].link) if chain in last else NO_LINK, [bytes(entry.hash) for entry in entries])
        for chain, entries in chains.items()
    ]
    blocks = {"chains": list(chains), "numbers": list(numbers.values()), "links": links, "at": tx.now()}
    await tx.session.execute(SEAL_BLOCKS, blocks)
    seals = {
        "ids": [entry.id for entry in waiting],
        "chains": [entry.chain for entry in waiting],
        "numbers": [numbers[entry.chain] for entry in waiting],
    }
    await tx.session.execute(SEAL_ENTRIES, seals)
    return len(waiting)


async def counted(tx: Tx) -> dict[str, int]:
    """How much `faults` looks at."""
    return await count_rows(tx, {"audit entries": AuditEntry})


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
