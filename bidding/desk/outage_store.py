"""SQL of outages: which lots one may have hit, and what is kept of it.

An outage of all lots of a share is one row, and its lots follow from how they were shared out then. One of single lots
(a full queue, a bid that waited inside, a web process that fell silent) has a row for each lot besides, which says when
it was over for that lot.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

import msgspec

from bidding.desk.lease import Connection
from bidding.desk.rules import EXTENSION
from bidding.desk.shares import Part


class Outage(msgspec.Struct, frozen=True):
    """A span without reliable decisions, in platform time, with its length in real time."""

    since: datetime
    until: datetime
    real_s: float
    cause: str

    @property
    def real_ms(self) -> int:
        return round(self.real_s * 1000)


Key = tuple[int, int, datetime]
"""What an outage is known by: share, epoch and end of the span."""

Hit = tuple[str, UUID]
"""The cause of an outage of single lots, and a lot that it hit."""

FIND_HIT = """
    SELECT lot_id FROM bidding.lot
    WHERE status IN ('upcoming', 'open') AND opens_at < $2
      AND ends_at > $1 AND ends_at < $5 AND bucket % $4 = $3
"""
FIND_HIT_AMONG = FIND_HIT + "AND lot_id = ANY($6)"
FIND_RUNNING = """
    SELECT lot_id FROM bidding.lot
    WHERE lot_id = ANY($1) AND status = 'open' AND ends_at > $2 AND bucket % $4 = $3
"""
KEEP_OUTAGE = """
    INSERT INTO bidding.desk_outage (share, epoch, until, since, real_ms, cause, lots_frozen, of)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING
"""
KEEP_LOTS = """
    INSERT INTO bidding.outage_lot (share, epoch, until, lot_id, over_at, real_ms)
    SELECT $1, $2, $3, lot_id, $5, $6 FROM unnest($4::uuid[]) lot_id ON CONFLICT DO NOTHING
"""
FIND_GOING_ON = """
    SELECT o.cause, l.lot_id FROM bidding.outage_lot l
    JOIN bidding.desk_outage o USING (share, epoch, until) JOIN bidding.lot USING (lot_id)
    WHERE l.over_at IS NULL AND bucket % $2 = $1
"""
END = """
    UPDATE bidding.outage_lot l SET
        over_at = greatest(n.over_at, o.until),
        real_ms = o.real_ms + greatest(0, round(extract(epoch FROM n.over_at - o.until) * 1000 / $4::int8))
    FROM bidding.desk_outage o, unnest($1::text[], $2::uuid[], $3::timestamptz[]) n (cause, lot_id, over_at)
    WHERE l.over_at IS NULL AND l.lot_id = n.lot_id AND o.cause = n.cause
      AND (o.share, o.epoch, o.until) = (l.share, l.epoch, l.until)
    RETURNING o.share, o.epoch, o.until
"""


async def find_hit(
    db: Connection, since: datetime, until: datetime, part: Part, only: Collection[UUID] | None
) -> list[UUID]:
    """Lots, of `only` these, that an outage may freeze; `rules.hit_by_outage` decides."""
    span = (since, until, part.share, part.of, until + EXTENSION)
    if only is None:
        rows = await db.fetch(FIND_HIT, *span)
    else:
        rows = await db.fetch(FIND_HIT_AMONG, *span, only)
    return [row[0] for row in rows]


async def find_running(db: Connection, lot_ids: Collection[UUID], since: datetime, part: Part) -> list[UUID]:
    """Those of these lots whose time runs, and had not ended when the outage began."""
    return [row[0] for row in await db.fetch(FIND_RUNNING, lot_ids, since, part.share, part.of)]


async def keep_outage(db: Connection, part: Part, epoch: int, outage: Outage, frozen: int) -> None:
    """Record an outage, and how many lots it froze."""
    name = part.share, epoch, outage.until
    await db.execute(KEEP_OUTAGE, *name, outage.since, outage.real_ms, outage.cause, frozen, part.of)


async def keep_lots(
    db: Connection, part: Part, epoch: int, outage: Outage, lot_ids: Collection[UUID], *, over: bool
) -> None:
    """Record which single lots an outage hit, and whether it is over for them."""
    end = (outage.until, outage.real_ms) if over else (None, None)
    await db.execute(KEEP_LOTS, part.share, epoch, outage.until, lot_ids, *end)


async def find_going_on(db: Connection, part: Part) -> list[Hit]:
    """Outages of single lots that are not over."""
    return [(row[0], row[1]) for row in await db.fetch(FIND_GOING_ON, part.share, part.of)]


async def end(db: Connection, over: Mapping[Hit, datetime], rate: int) -> set[Key]:
    """Outages of single lots are over since then; `rate` is the platform clock's. Returns which were recorded."""
    causes, lot_ids = zip(*over, strict=True)
    return {tuple(row) for row in await db.fetch(END, causes, lot_ids, list(over.values()), rate)}
