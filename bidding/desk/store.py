"""What a batch reads and writes: asyncpg, set-based, no ORM (a batch is a handful of statements).

Lock order: lease (`lease.begin`), sale groups by id, lots by id. Law times come as parameters;
`clock_timestamp()` is real time.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from bidding.desk.batch import Admission, Book, Decided, Entry, Reading, Stored
from bidding.desk.copying import COLUMNS, copy_bytes
from bidding.desk.groups import Group
from bidding.desk.lease import ANSWER_WITHIN_S, Connection
from bidding.desk.receipts import Batch
from bidding.desk.rules import HALTED, Bidder, Kind, LotState, Method, Status, Terms
from bidding.desk.shares import Part
from bidding.desk.signing import find_proofs
from bidding.desk.submissions import Submission
from kernel import contracts
from kernel.money import Fen

MAX_DUE = 2_000
"""Openings, closings or commands taken from the tables at once."""


# -- what a batch reads

LOCK_LOTS = """
    SELECT lot_id, method, opens_at, scheduled_end, start_price_fen, increment_fen, status, ends_at, remaining_ms,
           opened, leader_registration_id, leader_code, leader_rank, price_fen, seq, entries, bids, extensions, link,
           last_received_at, late_entries, unstored_refusals, closed_at, sale_group_id, resumed_at
    FROM bidding.lot WHERE lot_id = ANY($1) AND bucket % $3 = $2 ORDER BY lot_id FOR NO KEY UPDATE
"""
LOCK_GROUPS = """
    SELECT group_id, target_fen, sold_fen, consented_at FROM bidding.sale_group
    WHERE group_id IN (SELECT sale_group_id FROM bidding.lot WHERE lot_id = ANY($1))
    ORDER BY group_id FOR NO KEY UPDATE
"""
UNFINISHED_OF_GROUPS = """
    SELECT lot_id FROM bidding.lot
    WHERE sale_group_id = ANY($1) AND status IN ('upcoming', 'open', 'suspended', 'frozen')
"""
# `LATERAL … LIMIT 1` looks each key up by its index, whatever a plan made over empty tables would rather do: as a plain
# join a thousand keys once meant a thousand walks through the table. The ORDER BY names the index by its order.
READ_BIDS = """
    SELECT r.lot_id, r.code, r.priority_rank, CASE WHEN r.state = 'admitted' THEN r.admitted_at END,
           s.payload_hash, s.seq, s.refusal, s.event, s.link
    FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) WITH ORDINALITY a (lot_id, registration_id, key, place)
    LEFT JOIN LATERAL (SELECT * FROM bidding.registration WHERE id = a.registration_id LIMIT 1) r ON true
    LEFT JOIN LATERAL (
        SELECT * FROM bidding.submission
        WHERE lot_id = a.lot_id AND registration_id = a.registration_id AND key = a.key LIMIT 1) s ON true
    ORDER BY a.place
"""
READ_COMMANDS = """
    SELECT s.payload_hash, s.seq, s.refusal, s.event, s.link
    FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY a (lot_id, key, place)
    LEFT JOIN LATERAL (
        SELECT * FROM bidding.submission
        WHERE lot_id = a.lot_id AND registration_id IS NULL AND key = a.key
        ORDER BY registration_id, key LIMIT 1) s ON true
    ORDER BY a.place
"""
COUNT_REFUSALS = """
    SELECT lot_id, registration_id, count(*) FROM bidding.submission
    WHERE (lot_id, registration_id) IN (SELECT * FROM unnest($1::uuid[], $2::uuid[])) AND seq IS NULL GROUP BY 1, 2
"""
READ_STOPS = """
    SELECT id, lot_id, kind, reason, actor_id, requested_at FROM bidding.lot_command
    WHERE lot_id = ANY($1) AND decided_at IS NULL AND kind <> 'resumed'
    UNION ALL
    SELECT hold_id, lot_id, NULL, reason, NULL, placed_at FROM bidding.lot_hold
    WHERE lot_id = ANY($1) AND lifted_at IS NULL
    ORDER BY requested_at, id
"""


async def lock_groups(db: Connection, closing: Iterable[UUID]) -> dict[UUID, Group]:
    """The sale groups of lots that are to be closed, locked before any lot (R-CLOSE-12)."""
    return {row["group_id"]: Group(*row) for row in await db.fetch(LOCK_GROUPS, list(closing))}


async def unfinished_of(db: Connection, group_ids: Iterable[UUID]) -> list[UUID]:
    """The lots of these groups that a covered debt would stop."""
    return [row[0] for row in await db.fetch(UNFINISHED_OF_GROUPS, list(group_ids))]


async def lock_lots(db: Connection, lot_ids: Iterable[UUID], part: Part) -> dict[int, Book]:
    """The lots of a batch, locked in the order of their ids; lots of another desk are not found."""
    return {row["lot_id"].int: book_of(row) for row in await db.fetch(LOCK_LOTS, list(lot_ids), part.share, part.of)}


def book_of(row: Any) -> Book:
    """A row of `lot` as the rules see it."""
    terms = Terms(
        method=Method(row["method"]),
        opens_at=row["opens_at"],
        scheduled_end=row["scheduled_end"],
        start_price_fen=Fen(row["start_price_fen"]),
        increment_fen=Fen(row["increment_fen"]),
    )
    remaining_ms = row["remaining_ms"]
    state = LotState(
        terms=terms,
        status=Status(row["status"]),
        ends_at=row["ends_at"],
        remaining=None if remaining_ms is None else timedelta(milliseconds=remaining_ms),
        opened=row["opened"],
        leader=row["leader_code"],
        leader_rank=row["leader_rank"],
        price_fen=row["price_fen"],
        seq=row["seq"],
        bids=row["bids"],
        extensions=row["extensions"],
        resumed_at=row["resumed_at"],
    )
    return Book(
        lot_id=row["lot_id"],
        state=state,
        link=row["link"],
        entries=row["entries"],
        leader_registration_id=row["leader_registration_id"],
        last_received_at=row["last_received_at"],
        late_entries=row["late_entries"],
        unstored_refusals=row["unstored_refusals"],
        group_id=row["sale_group_id"],
        closed_at=row["closed_at"],
    )


async def read_submissions(db: Connection, entries: Sequence[Entry], reading: Reading) -> None:
    """The registrations behind a batch's bids, and the answers given before under the keys of its submissions."""
    bids = [entry for entry in entries if entry.address[1]]
    commands = [entry for entry in entries if not entry.address[1]]
    answered: list[tuple[Entry, Any]] = []
    if bids:
        sent = [(entry.sent.lot_id, entry.sent.registration_id, entry.sent.key) for entry in bids]
        for entry, row in zip(bids, await db.fetch(READ_BIDS, *zip(*sent, strict=True)), strict=True):
            if row[0] is not None:
                reading.admissions[entry.address[1]] = Admission(row[0], Bidder(row[1], row[2]), row[3])
            if row[4] is not None:
                answered.append((entry, row[4:]))
    if commands:
        keys = [(entry.sent.lot_id, entry.sent.key) for entry in commands]
        rows = await db.fetch(READ_COMMANDS, *zip(*keys, strict=True))
        answered += [(entry, row) for entry, row in zip(commands, rows, strict=True) if row[0] is not None]
    accepted = [(entry.sent.lot_id, seq) for entry, (_, seq, *_) in answered if seq is not None]
    proofs = await find_proofs(db, accepted) if accepted else {}
    for entry, (payload, seq, refusal, event, link) in answered:
        proof = proofs.get((entry.address[0], seq or 0))
        reading.stored[entry.address] = Stored(payload, seq, refusal, event, link, proof)


async def count_refusals(db: Connection, bidders: Sequence[tuple[UUID, UUID]]) -> dict[tuple[int, int], int]:
    """How many refusals of these (lot, registration) are stored; asked once per bidder and desk."""
    rows = await db.fetch(COUNT_REFUSALS, *zip(*bidders, strict=True))
    none_stored = {(lot.int, registration.int): 0 for lot, registration in bidders}
    return none_stored | {(row[0].int, row[1].int): row[2] for row in rows}


async def read_stops(db: Connection, lot_ids: Iterable[UUID], reading: Reading) -> None:
    """What stops these lots: undecided orders as they were given, and holds. A resume waits for its place."""
    for row in await db.fetch(READ_STOPS, list(lot_ids)):
        lot = row["lot_id"].int
        if row["kind"] is None:
            reading.held.setdefault(lot, row["reason"])
        else:
            sent = ordered(row)
            reading.orders.setdefault(lot, []).append(Entry(sent, sent.address, row["requested_at"]))


def ordered(row: Any) -> Submission:
    """A row of `lot_command` as it enters the queue."""
    return Submission(
        lot_id=row["lot_id"],
        kind=Kind(row["kind"]),
        key=row["id"],
        ingress_at=row["requested_at"],
        reason=row["reason"],
        actor_id=row["actor_id"],
        requested_at=row["requested_at"],
    )


# -- what a batch writes

KEEP = """
    WITH signed AS (
        INSERT INTO bidding.batch (share, number, at, leaves, root, key_id, signature)
        SELECT $20::int8, $21::int8, $22::timestamptz, $23::bytea, $24::bytea, $25::text, $26::bytea
        WHERE $26 IS NOT NULL)
    UPDATE bidding.lot l SET
        status = n.status, ends_at = n.ends_at, remaining_ms = n.remaining_ms, opened = n.opened,
        leader_registration_id = n.registration_id, leader_code = n.code, leader_rank = n.rank, price_fen = n.price_fen,
        seq = n.seq, entries = n.entries, bids = n.bids, extensions = n.extensions, link = n.link,
        outcome = CASE WHEN n.status = 'closed' THEN CASE WHEN n.bids > 0 THEN 'sold' ELSE 'failed' END END,
        closed_at = n.closed_at, last_received_at = n.received_at, decided_at = clock_timestamp(),
        late_entries = n.late_entries, unstored_refusals = n.unstored_refusals, resumed_at = n.resumed_at
    FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::int8[], $5::bool[], $6::uuid[], $7::text[], $8::int8[],
                $9::int8[], $10::int8[], $11::int8[], $12::int8[], $13::int8[], $14::bytea[], $15::timestamptz[],
                $16::timestamptz[], $17::int8[], $18::int8[], $19::timestamptz[])
         n (lot_id, status, ends_at, remaining_ms, opened, registration_id, code, rank, price_fen, seq, entries, bids,
            extensions, link, closed_at, received_at, late_entries, unstored_refusals, resumed_at)
    WHERE l.lot_id = n.lot_id
"""
KEEP_GROUPS = """
    UPDATE bidding.sale_group g SET sold_fen = n.sold_fen
    FROM unnest($1::uuid[], $2::int8[]) n (group_id, sold_fen) WHERE g.group_id = n.group_id
"""
TELL = """
    INSERT INTO kernel.outbox (topic, key, payload, due_at)
    SELECT t.topic, t.key, t.payload, $4 FROM unnest($1::text[], $2::text[], $3::jsonb[]) WITH ORDINALITY
           t (topic, key, payload, place) ORDER BY place
"""
COMMANDS_DECIDED = """
    UPDATE bidding.lot_command c SET decided_at = $3, refusal = d.refusal
    FROM unnest($1::uuid[], $2::text[]) d (id, refusal) WHERE c.id = d.id
"""
_MS = timedelta(milliseconds=1)


async def write(db: Connection, decided: Decided, books: Iterable[Book], now: datetime) -> None:
    """All rows of a batch; the caller commits."""
    if decided.rows:
        await db.copy_to_table(
            "submission",
            schema_name="bidding",
            columns=COLUMNS,
            source=copy_bytes(decided.rows),  # type: ignore[arg-type]  # any buffer goes over as it is
            format="binary",
            timeout=ANSWER_WITHIN_S,
        )
    if touched := [_lot_row(book) for book in books if book.touched]:
        await db.execute(KEEP, *zip(*touched, strict=True), *_batch_row(decided.batch, now))
    if decided.groups:
        sums = [(group.group_id, group.sold_fen) for group in decided.groups.values()]
        await db.execute(KEEP_GROUPS, *zip(*sums, strict=True))
    if decided.told:
        await _tell(db, decided.told, now)
    if decided.commands:
        ids, refusals = zip(*decided.commands, strict=True)
        await db.execute(COMMANDS_DECIDED, ids, refusals, now)


def _batch_row(batch: Batch, now: datetime) -> tuple[object, ...]:
    if not batch.links:
        return (None,) * 7
    leaves = b"".join(batch.links)
    return batch.share, batch.number, now, leaves, batch.root, batch.key_id, batch.signature


def _lot_row(book: Book) -> tuple[object, ...]:
    state = book.state
    assert (state.ends_at is None) <= (state.status in HALTED or state.status is Status.WITHDRAWN)
    return (
        book.lot_id,
        state.status,
        state.ends_at,
        None if state.remaining is None else state.remaining // _MS,
        state.opened,
        book.leader_registration_id,
        state.leader,
        state.leader_rank,
        state.price_fen,
        state.seq,
        book.entries,
        state.bids,
        state.extensions,
        book.link,
        book.closed_at,
        book.last_received_at,
        book.late_entries,
        book.unstored_refusals,
        state.resumed_at,
    )


async def _tell(db: Connection, events: Sequence[contracts.Event], now: datetime) -> None:
    topics = [type(event).__name__ for event in events]
    payloads = [msgspec.json.encode(event).decode() for event in events]
    await db.execute(TELL, topics, [event.key for event in events], payloads, now)


# -- due work

FIND_DUE = """
    (SELECT lot_id, 'opened' AS kind FROM bidding.lot
     WHERE status = 'upcoming' AND opens_at <= $1 AND bucket % $4 = $3 ORDER BY opens_at, lot_id LIMIT $2)
    UNION ALL
    (SELECT lot_id, 'closed' FROM bidding.lot
     WHERE status = 'open' AND ends_at <= $1 AND bucket % $4 = $3 ORDER BY ends_at, lot_id LIMIT $2)
"""
FIND_ORDERS = """
    SELECT c.id, c.lot_id, c.kind, c.reason, c.actor_id, c.requested_at
    FROM bidding.lot_command c JOIN bidding.lot l USING (lot_id)
    WHERE c.decided_at IS NULL AND l.bucket % $3 = $2 ORDER BY c.requested_at, c.id LIMIT $1
"""
FIND_ENDED = "SELECT lot_id, ends_at FROM bidding.lot WHERE lot_id = ANY($1) AND status = 'open' AND ends_at <= $2"
FIND_UNCLOSED = """
    SELECT lot_id, ends_at FROM bidding.lot WHERE status = 'open' AND ends_at <= $1 AND bucket % $3 = $2
"""


async def find_due(db: Connection, now: datetime, part: Part) -> list[tuple[UUID, Kind]]:
    """Openings and closings whose time has come, in the order of their times."""
    return [(row[0], Kind(row[1])) for row in await db.fetch(FIND_DUE, now, MAX_DUE, part.share, part.of)]


async def find_orders(db: Connection, part: Part) -> list[Submission]:
    """Orders of other use cases that the desk has not decided."""
    return [ordered(row) for row in await db.fetch(FIND_ORDERS, MAX_DUE, part.share, part.of)]


async def find_unclosed(db: Connection, ended_by: datetime, part: Part) -> list[tuple[UUID, datetime]]:
    """Lots that ended by then and are not closed, with their ends."""
    return [(row[0], row[1]) for row in await db.fetch(FIND_UNCLOSED, ended_by, part.share, part.of)]


async def find_ended(db: Connection, lot_ids: Iterable[UUID], by: datetime) -> list[tuple[UUID, datetime]]:
    """Those of these lots whose end came by then, with their ends."""
    return [(row[0], row[1]) for row in await db.fetch(FIND_ENDED, list(lot_ids), by)]
