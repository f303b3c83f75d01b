"""Refusals are sealed per lot like audit rows: chained in blocks within a second, so that none can be taken out.

The desk is the only writer of `submission`, so the refusals of a lot after its last block are just those to seal.
"""

import itertools
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from bidding.desk.chain import block_link
from bidding.desk.lease import Connection
from bidding.desk.shares import Part

MAX_BLOCK = 10_000
"""Refusals sealed in one block."""

AT_ONCE = 1_000
"""Lots whose refusals are sealed with three statements: thousands that end together get one in the same second."""

LAST_BLOCKS = """
    SELECT l.lot_id, coalesce(b.number, 0) AS number, coalesce(b.last_entry, 0) AS last_entry,
           coalesce(b.link, l.genesis) AS link
    FROM bidding.lot l LEFT JOIN LATERAL (
        SELECT number, last_entry, link FROM bidding.refusal_block
        WHERE lot_id = l.lot_id ORDER BY number DESC LIMIT 1) b ON true
    WHERE l.lot_id = ANY($1)
"""
UNSEALED = """
    SELECT s.lot_id, s.entry, s.link FROM unnest($1::uuid[], $2::int8[]) l (lot_id, last_entry)
    CROSS JOIN LATERAL (
        SELECT lot_id, entry, link FROM bidding.submission
        WHERE lot_id = l.lot_id AND entry > l.last_entry AND seq IS NULL ORDER BY lot_id, entry LIMIT $3) s
    ORDER BY s.lot_id, s.entry
"""
KEEP_BLOCKS = """
    INSERT INTO bidding.refusal_block (lot_id, number, first_entry, last_entry, refusals, link, sealed_at)
    SELECT b.*, $7 FROM unnest($1::uuid[], $2::int8[], $3::int8[], $4::int8[], $5::int8[], $6::bytea[]) b
"""
RECENTLY_REFUSED = """
    SELECT lot_id FROM bidding.lot
    WHERE status IN ('upcoming', 'open', 'suspended', 'frozen') AND entries > seq AND bucket % $3 = $2
    UNION
    SELECT lot_id FROM bidding.lot
    WHERE closed_at IS NOT NULL AND entries > seq AND bucket % $3 = $2
      AND (last_received_at > $1
           OR lot_id = ANY (ARRAY(SELECT lot_id FROM bidding.lot_command WHERE decided_at > $1)))
"""
"""Of finished lots those that something entered lately: bids are refused long after the end, and the end of a lot that
was withdrawn is when the order was given. What counts from an order, its refusal too, may lie before, so that orders
are sought by when they were decided. It walks through all lots, once for each desk.
"""

LOOK_BACK = timedelta(hours=1)
"""How long before the last stamp the last refusals may lie that a dead desk left unsealed."""


async def seal(db: Connection, lot_ids: Iterable[UUID], now: datetime) -> None:
    """Seal the refusals of these lots, inside the desk's open transaction."""
    in_order = sorted(lot_ids)
    for start in range(0, len(in_order), AT_ONCE):
        await _seal(db, in_order[start : start + AT_ONCE], now)


async def _seal(db: Connection, lot_ids: Sequence[UUID], now: datetime) -> None:
    last = {row["lot_id"]: row for row in await db.fetch(LAST_BLOCKS, lot_ids)}
    unsealed = await db.fetch(UNSEALED, list(last), [row["last_entry"] for row in last.values()], MAX_BLOCK)
    blocks = []
    for lot_id, group in itertools.groupby(unsealed, lambda row: row["lot_id"]):
        rows, before = list(group), last[lot_id]
        link = block_link(before["link"], [row["link"] for row in rows])
        blocks.append((lot_id, before["number"] + 1, rows[0]["entry"], rows[-1]["entry"], len(rows), link))
    if blocks:
        await db.execute(KEEP_BLOCKS, *zip(*blocks, strict=True), now)


async def find_unsealed(db: Connection, latest_stamp: datetime, part: Part) -> set[UUID]:
    """Lots of this part whose last refusals the desk before may have left unsealed."""
    return {row[0] for row in await db.fetch(RECENTLY_REFUSED, latest_stamp - LOOK_BACK, part.share, part.of)}
