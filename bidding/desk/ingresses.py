"""Signs of life of web processes, and which bidders are connected to each.

A web process that falls silent while the lots of its bidders are about to end is an outage for those who have not come
back to another one: their lots wait with the close until it is clear, and are frozen when the silence is a hole
(R-HALT-02). One that hears nothing from a desk gives no sign either. Connected means: a live socket of an admitted
bidder, whether they bid or only watch, or a bid of theirs that waits.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from bidding.desk.lease import Connection
from bidding.desk.outage_store import Outage
from bidding.desk.shares import Part
from kernel.ids import random_id

SUSPECT_AFTER_S = 2.0
"""A web process gives a sign each second; after two without one, lots of its bidders are not closed yet."""

FORGET_AFTER_S = 60.0
"""So long what needs no judgement is kept: a process without anybody to wait for, and who went by themselves."""

LEFT_AFTER_S = 3600.0
"""Who has not come back in so long a time, in all of which another process would have taken them, has left."""

MOST_SEATS = 2_000
"""Given up at once: those of a large process go in several looks, none of which keeps bids waiting."""

Seat = tuple[UUID, UUID]
"""A lot and a registration."""


class Presence:
    """Who is connected to this process, and what of it the database does not know yet."""

    def __init__(self) -> None:
        self.ingress_id = random_id()
        self._sockets: Counter[Seat] = Counter()
        self._written: set[Seat] = set()

    def come(self, seat: Seat) -> None:
        """A socket of this bidder opened."""
        self._sockets[seat] += 1

    def go(self, seat: Seat) -> None:
        """A socket of this bidder closed."""
        self._sockets[seat] -= 1
        if not self._sockets[seat]:
            del self._sockets[seat]

    def changes(self, waiting: Collection[Seat] = (), *, anew: bool = False) -> tuple[set[Seat], set[Seat]]:
        """Who came and who went since `written`; whoever has a bid `waiting` is here too.

        `anew`: all who are here come, since their seats may have been given up while nothing was heard of this process.
        """
        here = self._sockets.keys() | waiting
        return here if anew else here - self._written, self._written - here

    def written(self, came: Iterable[Seat], went: Iterable[Seat]) -> None:
        """The database knows of these changes."""
        self._written = (self._written | set(came)) - set(went)


class Missing(msgspec.Struct, frozen=True):
    """A silent web process: its last sign in platform time, how long ago, and lots with bidders who are not back."""

    ingress_id: UUID
    platform_at: datetime
    silent_s: float
    lots: frozenset[UUID]


SIGN = """
    INSERT INTO bidding.ingress AS i (id, real_at, platform_at, began_at)
    VALUES ($1, statement_timestamp(), $2, statement_timestamp())
    ON CONFLICT (id) DO UPDATE SET
        real_at = excluded.real_at, platform_at = $2,
        began_at = CASE WHEN i.real_at < excluded.real_at - make_interval(secs => $3) THEN excluded.real_at
                        ELSE i.began_at END
    RETURNING began_at = real_at
"""
SILENT = """
    INSERT INTO bidding.ingress (id, real_at, platform_at, began_at)
    VALUES ($1, statement_timestamp(), $2, statement_timestamp()) ON CONFLICT DO NOTHING
"""
CAME = """
    INSERT INTO bidding.ingress_bidder (ingress_id, came_at, lot_id, registration_id)
    SELECT $1, $2, s.* FROM unnest($3::uuid[], $4::uuid[]) s (lot_id, registration_id)
    WHERE NOT EXISTS (
        SELECT FROM bidding.ingress_bidder b WHERE b.ingress_id = $1 AND b.lot_id = s.lot_id
        AND b.registration_id = s.registration_id AND b.went_at IS NULL)
    ON CONFLICT (ingress_id, lot_id, registration_id) DO UPDATE SET went_at = NULL
"""
WENT = """
    UPDATE bidding.ingress_bidder b SET went_at = $2 FROM unnest($3::uuid[], $4::uuid[]) w (lot_id, registration_id)
    WHERE b.ingress_id = $1 AND b.lot_id = w.lot_id AND b.registration_id = w.registration_id
"""
BACK = """
    WITH away AS MATERIALIZED (
        SELECT * FROM bidding.outage_seat
        WHERE back_at IS NULL AND until BETWEEN $2::timestamptz - interval '1 day' AND $2
    )
    UPDATE bidding.outage_seat s SET back_at = $2
    FROM away a JOIN bidding.ingress_bidder b ON b.ingress_id = $1 AND b.went_at IS NULL
         AND b.lot_id = a.lot_id AND b.registration_id = a.registration_id
    WHERE (s.share, s.epoch, s.until, s.lot_id, s.registration_id)
        = (a.share, a.epoch, a.until, a.lot_id, a.registration_id)
"""
# The seats of silent processes are looked up first, process by process, or the planner walks through all running lots.
ANY_SILENT = "SELECT EXISTS (SELECT FROM bidding.ingress WHERE real_at < clock_timestamp() - make_interval(secs => $1))"
SEATS_OF_SILENT = """
    WITH b AS MATERIALIZED (
        SELECT s.*, i.real_at, i.platform_at FROM bidding.ingress i CROSS JOIN LATERAL (
            SELECT ingress_id, lot_id, registration_id FROM bidding.ingress_bidder
            WHERE ingress_id = i.id AND went_at IS NULL OFFSET 0) s
        WHERE i.real_at < clock_timestamp() - make_interval(secs => $1)),
    mine AS MATERIALIZED (
        SELECT b.*, l.status FROM b CROSS JOIN LATERAL (
            SELECT status FROM bidding.lot WHERE lot_id = b.lot_id AND bucket % $3 = $2 LIMIT 1) l)
"""
IS_BACK = """
    EXISTS (
        SELECT FROM bidding.ingress_bidder o JOIN bidding.ingress e ON e.id = o.ingress_id
        WHERE o.lot_id = b.lot_id AND o.registration_id = b.registration_id
              AND (o.went_at IS NULL OR o.went_at > b.platform_at) AND e.real_at > b.real_at
        OFFSET 0)
"""
MAY_BID = """
    EXISTS (SELECT FROM bidding.registration WHERE id = b.registration_id AND state = 'admitted' OFFSET 0)
"""
SAME_SEAT = "(s.ingress_id, s.lot_id, s.registration_id) = (b.ingress_id, b.lot_id, b.registration_id)"
FIND_MISSING = f"""
    {SEATS_OF_SILENT},
    judged AS MATERIALIZED (SELECT b.*, {IS_BACK} AS back FROM mine b),
    released AS (
        UPDATE bidding.ingress_bidder s SET went_at = b.platform_at + interval '1 ms'
        FROM (SELECT * FROM judged WHERE back LIMIT $4) b WHERE {SAME_SEAT})
    SELECT ingress_id, platform_at, extract(epoch FROM clock_timestamp() - real_at)::float8, array_agg(DISTINCT lot_id)
    FROM judged b WHERE NOT back AND status IN ('upcoming', 'open') AND {MAY_BID}
    GROUP BY ingress_id, platform_at, real_at
"""  # noqa: S608 - made of constants
FIND_SUSPECTED = f"""
    SELECT DISTINCT b.lot_id FROM (
        SELECT b.*, i.real_at, i.platform_at FROM bidding.ingress_bidder b JOIN bidding.ingress i ON i.id = b.ingress_id
        WHERE b.lot_id = ANY($2) AND b.went_at IS NULL
              AND i.real_at < clock_timestamp() - make_interval(secs => $1) OFFSET 0) b
    WHERE {MAY_BID} AND NOT {IS_BACK}
"""  # noqa: S608 - made of constants
JUDGED = "DELETE FROM bidding.ingress_bidder WHERE ingress_id = $1 AND lot_id = ANY($2)"
FORGET_SEATS = f"""
    {SEATS_OF_SILENT}
    DELETE FROM bidding.ingress_bidder s USING (
        SELECT * FROM mine WHERE status NOT IN ('upcoming', 'open')
        OR real_at < clock_timestamp() - make_interval(secs => $4) AND EXISTS (
            SELECT FROM bidding.ingress e WHERE e.real_at > clock_timestamp() - make_interval(secs => $5)
            AND e.began_at < clock_timestamp() - make_interval(secs => $4))
        LIMIT $6) b
    WHERE {SAME_SEAT}
"""  # noqa: S608 - made of constants
FORGET = """
    DELETE FROM bidding.ingress i WHERE i.real_at < clock_timestamp() - make_interval(secs => $1)
    AND NOT EXISTS (SELECT FROM bidding.ingress_bidder b WHERE b.ingress_id = i.id AND b.went_at IS NULL)
"""
FORGET_ALL = "DELETE FROM bidding.ingress"
FORGET_GONE = """
    DELETE FROM bidding.ingress_bidder b USING bidding.ingress i
    WHERE i.id = b.ingress_id AND b.went_at < i.platform_at - make_interval(secs => $1)
"""
KEEP_SEATS = """
    INSERT INTO bidding.outage_seat (share, epoch, until, lot_id, registration_id)
    SELECT DISTINCT $1::int8, $2::int8, $3::timestamptz, b.lot_id, b.registration_id
    FROM bidding.ingress_bidder b JOIN bidding.ingress i ON i.id = b.ingress_id JOIN bidding.lot l USING (lot_id)
    JOIN bidding.registration r ON r.id = b.registration_id AND r.state = 'admitted'
    WHERE b.came_at <= $4 AND (b.went_at IS NULL OR b.went_at > $4) AND i.platform_at > $4::timestamptz - $5::interval
      AND l.bucket % $6 = $1 AND (l.lot_id = ANY($7) OR $8 AND l.status IN ('upcoming', 'open'))
    ON CONFLICT DO NOTHING
"""


async def write_sign(
    db: Connection, presence: Presence, platform_at: datetime, *, cut_off: bool = False, waiting: Collection[Seat] = ()
) -> None:
    """This second's sign of life and who is connected.

    No sign from a process that is `cut_off` from a desk: what it takes is not decided, as if it were not there.
    """
    anew = False
    if cut_off:
        await db.execute(SILENT, presence.ingress_id, platform_at)
    else:
        anew = await db.fetchval(SIGN, presence.ingress_id, platform_at, SUSPECT_AFTER_S)
    came, went = presence.changes(waiting, anew=anew)
    for statement, seats in ((CAME, came), (WENT, went)):
        if seats:
            await db.execute(statement, presence.ingress_id, platform_at, *zip(*seats, strict=True))
    presence.written(came, went)
    if not cut_off:
        await db.execute(BACK, presence.ingress_id, platform_at)


async def find_missing(db: Connection, part: Part, hole_s: float) -> list[Missing]:
    """Web processes silent for `hole_s` whose bidders on running lots of this part are not back.

    Who is found back at another process is it for good: if they leave that one, they have left by themselves.
    """
    if not await db.fetchval(ANY_SILENT, hole_s):
        return []
    rows = await db.fetch(FIND_MISSING, hole_s, part.share, part.of, MOST_SEATS)
    return [Missing(row[0], row[1], row[2], frozenset(row[3])) for row in rows]


async def find_suspected(db: Connection, lot_ids: Collection[UUID]) -> set[UUID]:
    """Lots among these with bidders behind a silent web process, who may yet come back or make a hole."""
    rows = await db.fetch(FIND_SUSPECTED, SUSPECT_AFTER_S, lot_ids)
    return {row[0] for row in rows}


async def judged(db: Connection, ingress_id: UUID, frozen: Collection[UUID]) -> None:
    """These lots were frozen for whom this process cut off; ask no more."""
    await db.execute(JUDGED, ingress_id, frozen)


async def forget(db: Connection, part: Part) -> None:
    """Seats of silent processes that freeze nothing any more, and web processes behind which nobody is waited for.

    A lot that stands still or has ended waits for nobody: the court says when it runs on, and who wants to bids then.
    """
    if await db.fetchval(ANY_SILENT, FORGET_AFTER_S):
        left = LEFT_AFTER_S, SUSPECT_AFTER_S, MOST_SEATS
        await db.execute(FORGET_SEATS, FORGET_AFTER_S, part.share, part.of, *left)
        await db.execute(FORGET, FORGET_AFTER_S)
    await db.execute(FORGET_GONE, FORGET_AFTER_S)


async def forget_all(db: Connection) -> None:
    """Web processes of before, where this one is alone with its data: their silence was the desk's own gap."""
    await db.execute(FORGET_ALL)


class Seats(msgspec.Struct, frozen=True):
    """Whose connections an outage touched: those of the lots it froze and, if it was everybody's, of all that ran.

    `rate` is the platform clock's.
    """

    frozen: Collection[UUID]
    everybody: bool
    rate: int


async def keep_seats(db: Connection, part: Part, epoch: int, outage: Outage, seats: Seats) -> None:
    """Keep who was connected when an outage began, for the record that tells their number."""
    since, until, fresh = outage.since, outage.until, timedelta(seconds=SUSPECT_AFTER_S + 1) * seats.rate
    await db.execute(KEEP_SEATS, part.share, epoch, until, since, fresh, part.of, list(seats.frozen), seats.everybody)
