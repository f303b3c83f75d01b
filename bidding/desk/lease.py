"""The desk's connection, its lease, and its signs of life.

A batch transaction begins with the lease row FOR SHARE: a takeover, which updates that row, waits for the batch in
flight, and no batch of an older epoch can commit after it. (A plain SELECT would let one; there is a test.) Here
`clock_timestamp()` is real time; platform times come as parameters.
"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import asyncpg
import msgspec

from bidding.desk.errors import DeskElsewhere, DeskEnded

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]
else:
    Connection = asyncpg.Connection

SESSION = {
    "timezone": "UTC",
    "lock_timeout": "1000",
    "statement_timeout": "1000",
    "idle_in_transaction_session_timeout": "1000",
    # Every read of the desk is by key. A plan made while the tables were empty must not scan them later.
    "enable_seqscan": "off",
    "plan_cache_mode": "force_generic_plan",
}
ANSWER_WITHIN_S = 3.0
"""The desk's own patience with a server that does not even cancel a statement."""


async def connect(dsn: str, name: str = "desk") -> Connection:
    """A connection with the desk's timeouts, under `name` in PostgreSQL's list of activity."""
    settings = SESSION | {"application_name": name}
    return await asyncpg.connect(
        dsn, server_settings=settings, command_timeout=ANSWER_WITHIN_S, timeout=ANSWER_WITHIN_S
    )


FIND_LEASE = """
    SELECT l.epoch, l.holder,
           abs(extract(epoch FROM clock_timestamp() - greatest(h.real_at, l.taken_at)))::float8 AS silent_s
    FROM bidding.desk_lease l LEFT JOIN bidding.desk_health h USING (share) WHERE l.share = $1
"""
TAKE_LEASE = """
    INSERT INTO bidding.desk_lease AS l (share, epoch, holder, address, taken_at)
    VALUES ($1, 1, $2, $3, clock_timestamp())
    ON CONFLICT (share) DO UPDATE SET epoch = l.epoch + 1, holder = $2, address = $3, taken_at = clock_timestamp()
    WHERE l.epoch = $4 RETURNING epoch
"""
END_STUCK = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE application_name = 'desk' AND datname = current_database() AND pid <> pg_backend_pid()
      AND state = 'active' AND wait_event IN ('ClientRead', 'ClientWrite')
      AND query_start < clock_timestamp() - make_interval(secs => $1)
"""
"""Sessions of desks that stopped in the middle of a COPY or of an answer, and hold the lease by it: no timeout of
PostgreSQL's ends what waits for its client."""
GIVE_UP_LEASE = "UPDATE bidding.desk_lease SET holder = '', address = NULL WHERE share = $1 AND epoch = $2"
BEGIN_UNDER_LEASE = "BEGIN; SELECT FROM bidding.desk_lease WHERE share = {:d} AND epoch = {:d} FOR SHARE"
"""One round trip. A takeover that was waited for changes the epoch, and then the row is not found any more."""


async def take_lease(
    db: Connection, share: int, holder: str, address: str | None, *, standby_after_s: float | None
) -> int:
    """Become the desk of `share` and return the epoch; raises DeskElsewhere while another desk lives.

    `standby_after_s` is the silence after which the other counts as dead; None: it is known to be dead.
    """
    found = await db.fetchrow(FIND_LEASE, share)
    if found is not None and standby_after_s is not None:
        silent_s = found["silent_s"]
        if found["holder"] and silent_s is not None and silent_s < standby_after_s:
            raise DeskElsewhere(found["holder"])
        await db.execute(END_STUCK, standby_after_s)
    epoch = await db.fetchval(TAKE_LEASE, share, holder, address, found["epoch"] if found else 0)
    if epoch is None:
        raise DeskElsewhere("another process was quicker")
    return int(epoch)


async def give_up_lease(db: Connection, share: int, epoch: int) -> None:
    """A desk that has decided everything and stops lets the next one begin at once."""
    await db.execute(GIVE_UP_LEASE, share, epoch)


async def begin(db: Connection, share: int, epoch: int) -> None:
    """Open a batch transaction under the lease; raises DeskEnded at a foreign epoch."""
    if await db.execute(BEGIN_UNDER_LEASE.format(share, epoch)) != "SELECT 1":
        raise DeskEnded


class Signs(msgspec.Struct, frozen=True):
    """The last signs of life of the desk before: platform time, and how long ago in real time."""

    platform_at: datetime | None
    silent: timedelta | None
    latest_stamp: datetime | None
    """The greatest of all times that a desk has given out."""
    database_now: datetime


# A sign of life from the future was written while the database's clock was stepped: it tells nothing, and a desk that
# lives writes a true one within a second.
LAST_SIGNS = """
    SELECT h.platform_at, clock_timestamp() - greatest(r.real_at, l.decided_at) AS silent,
           greatest(h.platform_at, l.received_at) AS latest_stamp, clock_timestamp() AS database_now
    FROM (SELECT max(last_received_at) AS received_at,
                 max(decided_at) FILTER (WHERE decided_at <= clock_timestamp()) AS decided_at
          FROM bidding.lot WHERE status IN ('upcoming', 'open', 'suspended', 'frozen') AND bucket % $2 = $1) l
    LEFT JOIN bidding.desk_health h ON h.share = $1
    LEFT JOIN bidding.desk_health r ON r.share = $1 AND r.real_at <= clock_timestamp()
"""
HEALTHY = """
    INSERT INTO bidding.desk_health AS h (share, epoch, real_at, platform_at)
    VALUES ($1, $2, clock_timestamp(), $3)
    ON CONFLICT (share) DO UPDATE SET epoch = $2, real_at = clock_timestamp(), platform_at = $3
    WHERE h.epoch <= $2 RETURNING clock_timestamp()
"""


async def last_signs(db: Connection, share: int, of: int) -> Signs:
    """What a new desk must know of the one before it on this share `of` all."""
    row = await db.fetchrow(LAST_SIGNS, share, of)
    assert row is not None
    stamp = row["latest_stamp"]
    return Signs(stamp if row["platform_at"] else None, row["silent"], stamp, row["database_now"])


async def read_clock(db: Connection) -> datetime:
    """The database's clock."""
    now: datetime = await db.fetchval("SELECT clock_timestamp()")
    return now


async def write_health(db: Connection, share: int, epoch: int, platform_at: datetime) -> datetime:
    """The sign of life of this second; returns the database's clock. Raises DeskEnded at a foreign epoch."""
    now: datetime | None = await db.fetchval(HEALTHY, share, epoch, platform_at)
    if now is None:
        raise DeskEnded
    return now
