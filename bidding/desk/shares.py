"""How the lots are shared out among desks: by a bucket of each lot, which the database makes from its id.

The number of shares stands in the database, so that all processes agree. Changing it raises the epoch of every share:
what was decided under the old one can commit no more, and each desk ends and is looked for anew.
"""

from collections.abc import Collection
from uuid import UUID

import msgspec

from bidding.desk.lease import Connection

MAX_SHARES = 64


class Part(msgspec.Struct, frozen=True):
    """One of `of` shares: the lots whose bucket leaves `share` when divided by `of`."""

    share: int = 0
    of: int = 1


class Seat(msgspec.Struct, frozen=True):
    """The lease of a share as others see it. `address` is where its desk takes submissions; None if it takes none."""

    share: int
    epoch: int = 0
    address: str | None = None
    free: bool = True
    """Nobody holds it, or who did gave it up."""
    silent_s: float | None = None
    """How long ago its desk gave its last sign of life, or took the lease; None without a lease."""


COUNT = "SELECT shares FROM bidding.desk_shares"
SEATS = """
    SELECT n.share, coalesce(l.epoch, 0), l.address, l.holder IS NULL OR l.holder = '' AS free,
           extract(epoch FROM clock_timestamp() - greatest(h.real_at, l.taken_at))::float8 AS silent_s
    FROM bidding.desk_shares s CROSS JOIN LATERAL generate_series(0, s.shares - 1) n (share)
    LEFT JOIN bidding.desk_lease l ON l.share = n.share LEFT JOIN bidding.desk_health h ON h.share = n.share
    ORDER BY n.share
"""
LOCK_COUNT = "SELECT shares FROM bidding.desk_shares FOR UPDATE"
CHANGE_COUNT = "UPDATE bidding.desk_shares SET shares = $1, changed_at = clock_timestamp()"
UNSEAT_ALL = """
    INSERT INTO bidding.desk_lease AS l (share, epoch, holder, address, taken_at)
    SELECT share, 1, '', NULL, clock_timestamp() FROM generate_series(0, $1::int8 - 1) share
    ON CONFLICT (share) DO UPDATE SET epoch = l.epoch + 1, holder = '', address = NULL, taken_at = clock_timestamp()
"""
OLDEST_SIGN = "SELECT min(real_at), min(platform_at) FROM bidding.desk_health WHERE share < $1"
SPREAD_SIGN = """
    INSERT INTO bidding.desk_health AS h (share, epoch, real_at, platform_at)
    SELECT l.share, l.epoch, $2, $3 FROM bidding.desk_lease l WHERE l.share < $1
    ON CONFLICT (share) DO UPDATE SET epoch = excluded.epoch, real_at = $2, platform_at = $3
"""


BUCKETS_OF = "SELECT lot_id, bucket FROM bidding.lot WHERE lot_id = ANY($1)"


async def buckets(db: Connection, lot_ids: Collection[UUID]) -> dict[UUID, int]:
    """The buckets of published lots among these; a lot keeps its own for ever."""
    return {row[0]: row[1] for row in await db.fetch(BUCKETS_OF, lot_ids)}


async def count(db: Connection) -> int:
    """Among how many desks the lots are shared out."""
    return int(await db.fetchval(COUNT))


async def seats(db: Connection) -> list[Seat]:
    """Every share with its lease."""
    return [Seat(*row) for row in await db.fetch(SEATS)]


async def change(db: Connection, shares: int) -> None:
    """Share the lots out among so many desks; raises ValueError outside 1 to MAX_SHARES.

    A desk of the new shares counts its silence from the oldest sign of life of the old ones: some lot may have been
    without a desk for so long.
    """
    if not 1 <= shares <= MAX_SHARES:
        raise ValueError(f"1 to {MAX_SHARES} shares")
    async with db.transaction():
        before = await db.fetchval(LOCK_COUNT)
        oldest = await db.fetchrow(OLDEST_SIGN, before)
        await db.execute(CHANGE_COUNT, shares)
        await db.execute(UNSEAT_ALL, max(before, shares))
        if oldest is not None and oldest[0] is not None:
            await db.execute(SPREAD_SIGN, shares, *oldest)
