"""Refusals are sealed per lot like audit rows: chained in blocks within a second, so that none can be taken out.

The desk is the only writer of `submission`, so the refusals of a lot after its last block are just those to seal.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from bidding.desk.chain import block_link
from bidding.desk.lease import Connection
from bidding.desk.shares import Part

MAX_BLOCK = 10_000
"""Refusals sealed in one block."""

LAST_BLOCK = """
    SELECT l.lot_id, coalesce(b.number, 0) AS number, coalesce(b.last_entry, 0) AS last_entry,
           coalesce(b.link, l.genesis) AS link
    FROM bidding.lot l LEFT JOIN LATERAL (
        SELECT number, last_entry, link FROM bidding.refusal_block
        WHERE lot_id = l.lot_id ORDER BY number DESC LIMIT 1) b ON true
    WHERE l.lot_id = $1
"""
UNSEALED = """
    SELECT entry, link FROM bidding.submission WHERE lot_id = $1 AND entry > $2 AND seq IS NULL ORDER BY entry LIMIT $3
"""
KEEP_BLOCK = """
    INSERT INTO bidding.refusal_block (lot_id, number, first_entry, last_entry, refusals, link, sealed_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
"""
RECENTLY_REFUSED = """
    SELECT lot_id FROM bidding.lot
    WHERE status IN ('upcoming', 'open', 'suspended', 'frozen') AND entries > seq AND bucket % $3 = $2
    UNION
    SELECT lot_id FROM bidding.lot WHERE closed_at > $1 AND entries > seq AND bucket % $3 = $2
"""
LOOK_BACK = timedelta(hours=1)
"""How long before the last stamp a lot may have finished and still have refusals that a dead desk left unsealed."""


async def seal(db: Connection, lot_ids: Iterable[UUID], now: datetime) -> None:
    """Seal the refusals of these lots, inside the desk's open transaction."""
    for lot_id in sorted(lot_ids):
        block = await db.fetchrow(LAST_BLOCK, lot_id)
        assert block is not None
        rows = await db.fetch(UNSEALED, lot_id, block["last_entry"], MAX_BLOCK)
        if rows:
            link = block_link(block["link"], [row["link"] for row in rows])
            first, last = rows[0]["entry"], rows[-1]["entry"]
            await db.execute(KEEP_BLOCK, lot_id, block["number"] + 1, first, last, len(rows), link, now)


async def find_unsealed(db: Connection, latest_stamp: datetime, part: Part) -> set[UUID]:
    """Lots of this part whose last refusals the desk before may have left unsealed."""
    return {row[0] for row in await db.fetch(RECENTLY_REFUSED, latest_stamp - LOOK_BACK, part.share, part.of)}
