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
from bidding.desk.shares import Part
from bidding.desk.store import Outage
from kernel.ids import random_id

SUSPECT_AFTER_S = 2.0
"""A web process gives a sign each second; after two without one, lots of its bidders are not closed yet."""

FORGET_AFTER_S = 60.0
"""Who has not come back by then has left; a lot that enters its last minutes later is not concerned."""

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

    def changes(self, waiting: Collection[Seat] = ()) -> tuple[set[Seat], set[Seat]]:
        """Who came and who went since `written`; whoever has a bid `waiting` is here too."""
        here = self._sockets.keys() | waiting
        return here - self._written, self._written - here

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
    INSERT INTO bidding.ingress AS i (id, real_at, platform_at) VALUES ($1, clock_timestamp(), $2)
    ON CONFLICT (id) DO UPDATE SET real_at = clock_timestamp(), platform_at = $2
"""
SILENT = """
    INSERT INTO bidding.ingress (id, real_at, platform_at) VALUES ($1, clock_timestamp(), $2) ON CONFLICT DO NOTHING
"""
CAME = """
    INSERT INTO bidding.ingress_bidder (ingress_id, came_at, lot_id, registration_id)
    SELECT $1, $2, * FROM unnest($3::uuid[], $4::uuid[])
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
NOT_BACK = """
    b.went_at IS NULL AND i.real_at < clock_timestamp() - make_interval(secs => $1)
    AND i.real_at > clock_timestamp() - make_interval(secs => $2)
    AND EXISTS (SELECT FROM bidding.registration r WHERE r.id = b.registration_id AND r.state = 'admitted')
    AND NOT EXISTS (
        SELECT FROM bidding.ingress_bidder o JOIN bidding.ingress e ON e.id = o.ingress_id
        WHERE o.lot_id = b.lot_id AND o.registration_id = b.registration_id AND o.went_at IS NULL
              AND e.real_at > i.real_at
    )
"""
FIND_MISSING = f"""
    SELECT i.id, i.platform_at, extract(epoch FROM clock_timestamp() - i.real_at)::float8, array_agg(DISTINCT b.lot_id)
    FROM bidding.ingress i JOIN bidding.ingress_bidder b ON b.ingress_id = i.id JOIN bidding.lot l USING (lot_id)
    WHERE {NOT_BACK} AND l.status IN ('upcoming', 'open') AND l.bucket % $4 = $3 GROUP BY i.id
"""  # noqa: S608 - made of constants
FIND_SUSPECTED = f"""
    SELECT DISTINCT b.lot_id FROM bidding.ingress i JOIN bidding.ingress_bidder b ON b.ingress_id = i.id
    WHERE {NOT_BACK} AND b.lot_id = ANY($3)
"""  # noqa: S608 - made of constants
JUDGED = "DELETE FROM bidding.ingress_bidder WHERE ingress_id = $1 AND lot_id = ANY($2)"
FORGET = "DELETE FROM bidding.ingress WHERE real_at < clock_timestamp() - make_interval(secs => $1)"
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
    await db.execute(SILENT if cut_off else SIGN, presence.ingress_id, platform_at)
    came, went = presence.changes(waiting)
    for statement, seats in ((CAME, came), (WENT, went)):
        if seats:
            await db.execute(statement, presence.ingress_id, platform_at, *zip(*seats, strict=True))
    presence.written(came, went)
    if not cut_off:
        await db.execute(BACK, presence.ingress_id, platform_at)


async def find_missing(db: Connection, part: Part, hole_s: float) -> list[Missing]:
    """Web processes silent for `hole_s` whose bidders on lots of this part are not back."""
    rows = await db.fetch(FIND_MISSING, hole_s, FORGET_AFTER_S, part.share, part.of)
    return [Missing(row[0], row[1], row[2], frozenset(row[3])) for row in rows]


async def find_suspected(db: Connection, lot_ids: Collection[UUID]) -> set[UUID]:
    """Lots among these with bidders behind a silent web process, who may yet come back or make a hole."""
    rows = await db.fetch(FIND_SUSPECTED, SUSPECT_AFTER_S, FORGET_AFTER_S, lot_ids)
    return {row[0] for row in rows}


async def judged(db: Connection, missing: Missing) -> None:
    """These lots were frozen, or have too long to run to be concerned; ask no more."""
    await db.execute(JUDGED, missing.ingress_id, list(missing.lots))


async def forget(db: Connection) -> None:
    """Web processes that are long gone."""
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
