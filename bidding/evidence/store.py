"""SQL of the evidence log and of what a bundle is made of."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import BigInteger, ColumnElement, Select, and_, case, func, or_, select, text, true, tuple_
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.dialects.postgresql import insert as upsert

from bidding.desk.models import BatchRow, DeskOutage, Lot, OutageLot, OutageSeat, RefusalBlock, SigningKey, Submission
from bidding.desk.rules import Kind
from bidding.evidence.availability import Span
from bidding.evidence.models import Anchor, LogEntry, LogHead, LogNode
from bidding.evidence.rules import LotHead
from bidding.registration.models import Registration
from kernel import merkle
from kernel.bulk import Record, add_rows, any_of
from kernel.database import Tx
from kernel.merkle import Place
from kernel.signatures import PublicKey

ONE_AT_A_TIME = 0x6C6F_6773
"""Advisory lock of whoever appends to the log; taken before any row."""

MOST_ENTRIES = 2_000
"""Entries of one signed head; what is left over comes with the next."""

HEADS = """
    SELECT l.lot_id, l.seq, l.link, coalesce(b.number, 0) AS blocks, coalesce(b.link, l.genesis) AS refusals
    FROM {lots} l
    LEFT JOIN LATERAL (SELECT number, link FROM bidding.refusal_block
                       WHERE lot_id = l.lot_id ORDER BY number DESC LIMIT 1) b ON true {which}
    ORDER BY l.lot_id LIMIT :most
"""
ENDED_SINCE = """(
    closed_at >= :since OR closed_at IS NOT NULL
    AND lot_id = ANY (ARRAY(SELECT lot_id FROM bidding.lot_command WHERE decided_at >= :since)))"""
"""A lot that was withdrawn ended when the order was given, though hours may have passed before it was decided.

By the array both halves are read by indexes. When a lot was decided, its own row says too, but each bid changes that.
"""

UNLOGGED = """(
    SELECT lot_id, seq, link, genesis FROM bidding.lot t
    WHERE {ended}
      AND NOT EXISTS (SELECT FROM bidding.log_entry WHERE lot_id = t.lot_id AND seq >= t.seq)
    ORDER BY lot_id LIMIT :most)"""
ENDED = text(HEADS.format(lots=UNLOGGED.format(ended=ENDED_SINCE), which=""))
"""Lots that ended and whose end is not in the log: asked every second, so one look is all that a lot in it costs."""

NEWS = """
    LEFT JOIN LATERAL (SELECT seq, blocks FROM bidding.log_entry
                       WHERE lot_id = l.lot_id ORDER BY number DESC LIMIT 1) e ON true
    WHERE (l.status IN ('upcoming', 'open', 'suspended', 'frozen') OR {ended})
      AND (coalesce(e.seq, -1), coalesce(e.blocks, -1)) < (l.seq, coalesce(b.number, 0))"""
MOVED = text(HEADS.format(lots="bidding.lot", which=NEWS.format(ended=ENDED_SINCE)))
"""Lots in progress, or ended lately, of which the log does not know everything."""


async def lock_log(tx: Tx) -> None:
    """Be the only one who appends until the transaction ends."""
    await tx.session.execute(select(func.pg_advisory_xact_lock(ONE_AT_A_TIME)))


async def last_head(tx: Tx, by: datetime | None = None, made_by: datetime | None = None) -> LogHead | None:
    """The newest signed head; of those of a platform time until `by` and a real time until `made_by`, if given."""
    heads = select(LogHead).order_by(LogHead.number.desc()).limit(1)
    if by is not None and made_by is not None:
        heads = heads.where(LogHead.at <= by, LogHead.made_at <= made_by)
    return await tx.session.scalar(heads)


async def find_heads(tx: Tx, lots: Any, since: datetime) -> list[LotHead]:
    """Heads of lots that are due for the log; `lots` is ENDED or MOVED."""
    rows = await tx.session.execute(lots, {"since": since, "most": MOST_ENTRIES})
    return [LotHead(*row) for row in rows]


async def get_nodes(tx: Tx, places: Iterable[Place]) -> dict[Place, bytes]:
    """The hashes of these complete subtrees."""
    rows = await tx.session.execute(
        select(LogNode.level, LogNode.number, LogNode.hash).where(
            tuple_(LogNode.level, LogNode.number).in_(list(places))
        )
    )
    return {(level, number): hash_ for level, number, hash_ in rows}


async def get_hashes(tx: Tx, ranges: Sequence[merkle.Range]) -> list[bytes]:
    """The hashes of ranges as they occur in proofs and roots."""
    nodes = await get_nodes(tx, {place for leaves in ranges for place in merkle.parts(leaves)})
    return [merkle.fold([nodes[place] for place in merkle.parts(leaves)]) for leaves in ranges]


async def find_counted(tx: Tx, lot_ids: Iterable[UUID]) -> Sequence[Any]:
    """Those of these lots that count faults of the platform or refusals without a row."""
    return (
        await tx.session.execute(
            select(Lot.lot_id, Lot.case_id, Lot.late_entries, Lot.unstored_refusals)
            .where(Lot.lot_id == any_of(lot_ids), or_(Lot.late_entries > 0, Lot.unstored_refusals > 0))
            .order_by(Lot.lot_id)
        )
    ).all()


NEW_ROOT = text(
    """
    SELECT number, link FROM kernel.audit_root
    WHERE number > coalesce(
        (SELECT root FROM bidding.log_entry WHERE lot_id IS NULL ORDER BY number DESC LIMIT 1), 0)
    ORDER BY number DESC LIMIT 1
    """
)


async def find_root(tx: Tx) -> tuple[int, bytes] | None:
    """Number and link of the audit trail's newest root; None if the log knows it, or nothing was ever sealed."""
    found = (await tx.session.execute(NEW_ROOT)).one_or_none()
    return None if found is None else (found.number, found.link)


ENTRY = ("number", "lot_id", "seq", "blocks", "root", "data")


async def append(tx: Tx, entries: Sequence[Record], nodes: Sequence[tuple[Place, bytes]]) -> None:
    """Write entries, the columns of `ENTRY`, with the subtrees that they complete."""
    await add_rows(tx, LogEntry, ENTRY, entries)
    await add_rows(tx, LogNode, ("level", "number", "hash"), [(*place, hash_) for place, hash_ in nodes])


async def unanchored(tx: Tx, sink: str, most: int = 100) -> Sequence[LogHead]:
    """Heads that this sink does not have yet, oldest first."""
    there = select(Anchor.head).where(Anchor.head == LogHead.number, Anchor.sink == sink).exists()
    return (await tx.session.scalars(select(LogHead).where(~there).order_by(LogHead.number).limit(most))).all()


async def keep_anchors(tx: Tx, sink: str, heads: Iterable[int], at: datetime) -> None:
    """Note what a sink has; two who wrote the same note it once."""
    rows = [{"head": head, "sink": sink, "anchored_at": at} for head in heads]
    await tx.session.execute(upsert(Anchor).on_conflict_do_nothing(), rows)


async def keys(tx: Tx) -> list[PublicKey]:
    """Every public key that a desk ever signed with, by age."""
    rows = await tx.session.scalars(select(SigningKey).order_by(SigningKey.first_used_at, SigningKey.key_id))
    return [PublicKey(row.key_id, row.public_key.hex()) for row in rows]


async def keep_key(tx: Tx, key: PublicKey, at: datetime) -> None:
    """Leave a public key where everybody finds it, before it signs."""
    row = {"key_id": key.key_id, "public_key": bytes.fromhex(key.public_key), "first_used_at": at}
    await tx.session.execute(upsert(SigningKey).values(row).on_conflict_do_nothing())


# -- what is read of the log


async def heads_after(tx: Tx, after: int, most: int) -> Sequence[LogHead]:
    """Signed heads behind a number."""
    return (
        await tx.session.scalars(select(LogHead).where(LogHead.number > after).order_by(LogHead.number).limit(most))
    ).all()


async def head_over(tx: Tx, index: int) -> LogHead | None:
    """The first signed head that covers the entry at `index`."""
    return await tx.session.scalar(select(LogHead).where(LogHead.size > index).order_by(LogHead.number).limit(1))


async def entries_from(tx: Tx, first: int, most: int, lot_id: UUID | None = None) -> Sequence[LogEntry]:
    """Entries from an index on, of all lots or of one."""
    mine = true() if lot_id is None else LogEntry.lot_id == lot_id
    return (
        await tx.session.scalars(
            select(LogEntry).where(LogEntry.number >= first, mine).order_by(LogEntry.number).limit(most)
        )
    ).all()


# -- availability


OF_SINGLE_LOTS = ("busy", "ingress-missing", "overdue", "undecided")
"""Causes that concern only the lots that are named with them."""


class Hole(msgspec.Struct, frozen=True):
    """What an outage took from one lot: its span in platform time, and its length in real time."""

    key: tuple[int, int, datetime]
    cause: str
    since: datetime
    until: datetime
    real_ms: int


async def spans_between(tx: Tx, lot_id: UUID, since: datetime, until: datetime) -> list[Span]:
    """All the time that outages took from this span, as `outages_between` knows them, however many there are."""
    found = _outages(lot_id, since, until).subquery()
    rows = await tx.session.execute(select(found.c.since, found.c.ended))
    return [Span(*row) for row in rows]


async def outages_between(tx: Tx, lot_id: UUID, since: datetime, until: datetime, most: int) -> list[Hole]:
    """The first that touch this span, in order of their beginnings.

    One that went on before it froze the lot was kept twice: the freeze, which ends it, tells of it.
    """
    found = _outages(lot_id, since, until).subquery()
    once = select(found).ext(distinct_on(found.c.cause, found.c.since))
    told = once.order_by(found.c.cause, found.c.since, found.c.ended.desc(), found.c.until.desc()).subquery()
    rows = await tx.session.execute(select(told).order_by(told.c.since, told.c.ended, told.c.cause).limit(most))
    return [Hole((row.share, row.epoch, row.until), row.cause, row.since, row.ended, row.real_ms) for row in rows]


def _outages(lot_id: UUID, since: datetime, until: datetime) -> Select[Any]:
    """What touches this span: outages of the desk that the lot had then, and of this lot alone.

    What goes on lasts up to `until`.
    """
    of_all = (DeskOutage.cause.not_in(OF_SINGLE_LOTS), Lot.bucket % DeskOutage.of == DeskOutage.share)
    alone = OutageLot.lot_id.is_not(None)
    ended = case((alone, func.coalesce(OutageLot.over_at, until)), else_=DeskOutage.until)
    real_ms = func.coalesce(OutageLot.real_ms, DeskOutage.real_ms)
    named = DeskOutage.share, DeskOutage.epoch, DeskOutage.until
    return (
        select(*named, DeskOutage.cause, DeskOutage.since, ended.label("ended"), real_ms.label("real_ms"))
        .select_from(DeskOutage)
        .join(Lot, Lot.lot_id == lot_id)
        .outerjoin(
            OutageLot,
            and_(
                OutageLot.lot_id == lot_id,
                OutageLot.share == DeskOutage.share,
                OutageLot.epoch == DeskOutage.epoch,
                OutageLot.until == DeskOutage.until,
            ),
        )
        .where(or_(alone, and_(*of_all)))
        .where(ended > since, DeskOutage.since < until)
    )


async def seats_of(tx: Tx, lot_id: UUID, by: datetime) -> dict[tuple[int, int, datetime], tuple[int, int]]:
    """Of each outage, by its key: how many bidders of the lot were connected when it began, and how many of them had
    not come back `by` then, neither with a socket nor with a bid."""
    away = _away(lot_id, by)
    rows = await tx.session.execute(
        select(OutageSeat.share, OutageSeat.epoch, OutageSeat.until, func.count(), func.count().filter(away))
        .where(OutageSeat.lot_id == lot_id)
        .group_by(OutageSeat.share, OutageSeat.epoch, OutageSeat.until)
    )
    return {(share, epoch, until): (connected, gone) for share, epoch, until, connected, gone in rows}


async def codes_of_seats(tx: Tx, lot_id: UUID, by: datetime) -> list[tuple[tuple[int, int, datetime], str, bool]]:
    """The same by code, in order of the codes: each with its outage, and whether they had not come back `by` then."""
    rows = await tx.session.execute(
        select(OutageSeat.share, OutageSeat.epoch, OutageSeat.until, Registration.code, _away(lot_id, by))
        .join(Registration, Registration.id == OutageSeat.registration_id)
        .where(OutageSeat.lot_id == lot_id)
        .order_by(Registration.code)
    )
    return [((share, epoch, until), code, gone) for share, epoch, until, code, gone in rows]


def _away(lot_id: UUID, by: datetime) -> ColumnElement[bool]:
    """Neither a socket nor a bid came of this seat's bidder between the outage and `by`."""
    bid = (
        select(Submission.entry)
        .where(Submission.lot_id == lot_id, Submission.registration_id == OutageSeat.registration_id)
        .where(Submission.received_at >= OutageSeat.until, Submission.received_at <= by)
        .exists()
    )
    return and_(func.coalesce(OutageSeat.back_at > by, true()), ~bid)


async def halts_of(tx: Tx, lot_id: UUID) -> Sequence[bytes]:
    """The bytes of all events of a lot that stopped its time or let it run on."""
    return (
        await tx.session.scalars(
            select(Submission.event)
            .where(
                Submission.lot_id == lot_id,
                Submission.seq.is_not(None),
                Submission.kind.in_([Kind.SUSPENDED, Kind.DEFERRED, Kind.FROZEN, Kind.RESUMED]),
            )
            .order_by(Submission.seq)
        )
    ).all()


# -- what a bundle is made of


@dataclass(frozen=True, slots=True)
class Edition:
    """How far what a bundle tells has grown, by its last event, block of refusals, entry in the log, and key.

    All of that is append-only, so that a bundle of the same edition is the same to the byte.
    """

    status: str
    seq: int
    blocks: int
    logged: int | None
    keys: int


async def get_edition(tx: Tx, lot_id: UUID) -> Edition:
    """The edition of a lot's bundle as it would be made now."""
    block = select(func.max(RefusalBlock.number)).where(RefusalBlock.lot_id == lot_id)
    entry = select(func.max(LogEntry.number)).where(LogEntry.lot_id == lot_id)
    key = select(func.count()).select_from(SigningKey)
    numbers = block.scalar_subquery(), entry.scalar_subquery(), key.scalar_subquery()
    row = await tx.session.execute(select(Lot.status, Lot.seq, *numbers).where(Lot.lot_id == lot_id))
    status, seq, blocks, logged, keys = row.one()
    return Edition(status, seq, blocks or 0, logged, keys)


async def events_of(tx: Tx, lot_id: UUID, after: int, last: int, most: int) -> Sequence[Any]:
    """Events of a lot behind one and up to another, with their batches, in order."""
    return (
        await tx.session.execute(
            select(Submission.seq, Submission.event, Submission.link, Submission.share, Submission.batch)
            .where(Submission.lot_id == lot_id, Submission.seq.is_not(None))
            .where(Submission.seq > after, Submission.seq <= last)
            .order_by(Submission.seq)
            .limit(most)
        )
    ).all()


async def batches_of(tx: Tx, names: Collection[tuple[int, int]]) -> list[BatchRow]:
    """The batches of these shares and numbers."""
    found: list[BatchRow] = []
    for share in {share for share, _ in names}:
        numbers = any_of([number for of, number in names if of == share], BigInteger())
        found += await tx.session.scalars(select(BatchRow).where(BatchRow.share == share, BatchRow.number == numbers))
    return found


async def refusals_of(tx: Tx, lot_id: UUID, after: int, last: int, most: int) -> Sequence[Any]:
    """Entry and hash of refusals of a lot behind one and up to another, in order."""
    return (
        await tx.session.execute(
            select(Submission.entry, Submission.link)
            .where(Submission.lot_id == lot_id, Submission.seq.is_(None))
            .where(Submission.entry > after, Submission.entry <= last)
            .order_by(Submission.entry)
            .limit(most)
        )
    ).all()


async def blocks_of(tx: Tx, lot_id: UUID, after: int, last: int, most: int) -> Sequence[Any]:
    """Number, last entry and link of the sealed blocks of refusals behind one and up to another, in order."""
    return (
        await tx.session.execute(
            select(RefusalBlock.number, RefusalBlock.last_entry, RefusalBlock.link)
            .where(RefusalBlock.lot_id == lot_id, RefusalBlock.number > after, RefusalBlock.number <= last)
            .order_by(RefusalBlock.number)
            .limit(most)
        )
    ).all()


async def entries_of(tx: Tx, lot_id: UUID, after: int, last: int, most: int) -> Sequence[Any]:
    """Index and bytes of a lot's entries in the log behind one and up to another, in order."""
    return (
        await tx.session.execute(
            select(LogEntry.number, LogEntry.data)
            .where(LogEntry.lot_id == lot_id, LogEntry.number > after, LogEntry.number <= last)
            .order_by(LogEntry.number)
            .limit(most)
        )
    ).all()
