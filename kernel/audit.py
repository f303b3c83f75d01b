"""The audit trail: every change of state leaves an entry in its own transaction, and entries are chained.

An entry's `facts` are the exact bytes that were hashed. One sealer chains entries in blocks per case (or per
`chain`, for what belongs to no case), so that no writer queues on a chain's head; entries younger than a
few seconds may be unsealed. `verify` rebuilds all of it, so a changed, missing or added row shows.

A chain alone does not know that its end was cut off. So each sealing adds a root over its blocks, and roots are one
chain of the whole trail, whose newest link enters the log that is anchored outside (docs/evidence.md).
"""

import hashlib
import itertools
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol
from uuid import UUID

import msgspec
from sqlalchemy import CheckConstraint, ForeignKey, Identity, Uuid, bindparam, select, text
from sqlalchemy.orm import Mapped, mapped_column

from kernel.actors import Actor
from kernel.clock import to_ms
from kernel.database import Base, Milliseconds, Tx, append_only, count_rows

FORMAT = b"audit/1"
ROOT_FORMAT = b"audit-root/1"
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
    root: Mapped[int]
    """The sealing that it was part of."""
    sealed_at: Mapped[datetime]


class AuditRoot(Base):
    """All blocks of one sealing: link = SHA-256(format, previous link, time, links of the blocks by chain and number).

    Root 0 was made with the table and holds the blocks of before.
    """

    __tablename__ = "audit_root"
    __table_args__ = (CheckConstraint("number >= 0 AND octet_length(link) = 32", "root"), {"schema": "kernel"})

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


for _table in (AuditEntry, AuditBlock, AuditRoot, AuditSeal):
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


def root_link(previous: bytes, sealed_at: datetime, links: Sequence[bytes]) -> bytes:
    """The link of a root after `previous`."""
    return hashlib.sha256(ROOT_FORMAT + previous + to_ms(sealed_at).to_bytes(8) + b"".join(links)).digest()


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


_RECORD = """
    WITH written AS (
        INSERT INTO kernel.audit_entry
               (at, actor_id, actor_name, roles, source, action, chain, subject, reason, facts, hash)
        SELECT CAST({at} AS timestamptz), CAST({actor_id} AS uuid), CAST({actor_name} AS text), CAST({roles} AS text),
               CAST({source} AS text), CAST({action} AS text), e.chain, e.subject, e.reason, e.facts, e.hash
        FROM unnest(CAST({chains} AS text[]), CAST({subjects} AS text[]), CAST({reasons} AS text[]),
                    CAST({facts} AS bytea[]), CAST({hashes} AS bytea[]))
             WITH ORDINALITY e (chain, subject, reason, facts, hash, place)
        ORDER BY place RETURNING id)
    INSERT INTO kernel.audit_unsealed (entry_id) SELECT id FROM written
"""
_VALUES = (
    *("at", "actor_id", "actor_name", "roles", "source", "action"),
    *("chains", "subjects", "reasons", "facts", "hashes"),
)
RECORD = text(_RECORD.format(**{name: f":{name}" for name in _VALUES})).bindparams(
    bindparam("at", type_=Milliseconds), bindparam("actor_id", type_=Uuid())
)
RECORD_OVER = _RECORD.format(**{name: f"${place}" for place, name in enumerate(_VALUES, start=1)})


class Executes(Protocol):
    """A connection of the database's driver, for who writes without a session."""

    async def execute(self, query: str, *args: Any) -> str: ...


async def record_each(tx: Tx, action: str, entries: Sequence[Said]) -> None:
    """Leave entries of one action, of any chains, in this order, with one statement."""
    if entries:
        await tx.session.execute(RECORD, _values(tx.now(), tx.actor, action, entries))


async def record_over(db: Executes, at: datetime, actor: Actor, action: str, entries: Sequence[Said]) -> None:
    """The same inside a transaction that the caller has opened on a bare connection."""
    if entries:
        values = _values(at, actor, action, entries)
        await db.execute(RECORD_OVER, *(values[name] for name in _VALUES))


def _values(at: datetime, actor: Actor, action: str, entries: Sequence[Said]) -> dict[str, object]:
    by = (actor.person_id, actor.name, ",".join(sorted(actor.roles)), actor.source)
    facts = [_encode(each.facts) for each in entries]
    begun = _begun(at, by, action)
    return {
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
LAST_ROOT = select(AuditRoot).order_by(AuditRoot.number.desc()).limit(1)
SEAL_BLOCKS = text(
    """
    WITH sealed AS (INSERT INTO kernel.audit_root (number, link, sealed_at) VALUES (:root, :root_link, :at))
    INSERT INTO kernel.audit_block (chain, number, link, root, sealed_at)
    SELECT b.chain, b.number, b.link, :root, :at
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
    await _keep_blocks(tx, list(chains), list(numbers.values()), links)
    seals = {
        "ids": [entry.id for entry in waiting],
        "chains": [entry.chain for entry in waiting],
        "numbers": [numbers[entry.chain] for entry in waiting],
    }
    await tx.session.execute(SEAL_ENTRIES, seals)
    return len(waiting)


async def _keep_blocks(tx: Tx, chains: list[str], numbers: list[int], links: list[bytes]) -> None:
    """Write new blocks of these chains under the next root."""
    last, at = (await tx.session.scalars(LAST_ROOT)).one(), tx.now()
    in_order = [link for _, link in sorted(zip(chains, links, strict=True))]
    root = {"root": last.number + 1, "root_link": root_link(last.link, at, in_order), "at": at}
    await tx.session.execute(SEAL_BLOCKS, root | {"chains": chains, "numbers": numbers, "links": links})


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
    roots = (await tx.session.scalars(select(AuditRoot).order_by(AuditRoot.number))).all()
    return [*found, *_broken_roots(roots, blocks)]


def _broken_roots(roots: Sequence[AuditRoot], blocks: Sequence[AuditBlock]) -> Iterator[str]:
    """What does not hold of the chain over all sealings, in which no chain's end can be left out."""
    links: defaultdict[int, list[bytes]] = defaultdict(list)
    for block in sorted(blocks, key=lambda block: (block.chain, block.number)):
        links[block.root].append(block.link)
    previous = NO_LINK
    for expected, root in enumerate(roots):
        if root.number != expected:
            yield f"audit root {expected} is missing"
            return
        if root_link(previous, root.sealed_at, links.pop(root.number, [])) != root.link:
            yield f"audit root {root.number} does not verify"
        previous = root.link
    for number in sorted(links):
        yield f"audit root {number} is missing"
