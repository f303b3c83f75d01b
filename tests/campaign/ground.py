"""The lots and people of a campaign."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from app.bench.ground import Ticket
from kernel.clock import FrozenClock, SystemClock
from tests.bidding.desk.house import MINUTE, START, STEP, add_tickets, desk_of, house
from tests.campaign.load import patient

BUSY_LOTS = 3
BIDDERS_EACH = 4
FIRST_END_S = 8.0
END_EVERY_S = 3.0
LONGEST_START_S = 30.0


@dataclass
class Ground:
    """`busy` take a stream of bids; `ending` end one after another, half of them led since long ago.

    `seated` only watch the end of their lots, signed in.
    """

    busy: list[UUID]
    ending: dict[UUID, datetime]
    bidders: list[Ticket]
    seated: list[Ticket] = field(default_factory=list)


async def lay_out(url: str, seconds: float) -> Ground:
    """Before the platform starts: lots that are open now, as an earlier desk left them, and people who may bid.

    Nobody knows how long the start takes, so there are led lots enough for a slow one; `settle` keeps those in time.
    """
    now = SystemClock().now()
    opens = now - 60 * MINUTE
    async with house(url, FrozenClock(now - 10 * MINUTE)) as place, desk_of(place) as desk:
        busy = [await place.lot(opens, now + timedelta(days=1)) for _ in range(BUSY_LOTS)]
        number = int((patient(LONGEST_START_S) + seconds) / END_EVERY_S)
        ends = [now + timedelta(seconds=FIRST_END_S + END_EVERY_S * n) for n in range(number)]
        led = {await place.lot(opens, end): end for end in ends}
        for lot_id in led:
            early = await place.bidder(lot_id, "E1", admitted_at=opens)
            assert (await desk.submit(place.bid(lot_id, early, START))).accepted
        await asyncio.sleep(0.6)  # the desk opens the others by itself
        await place.db.execute("DELETE FROM kernel.outbox")  # other contexts do not know these lots
    return Ground(busy, led, await add_tickets(url, busy * BIDDERS_EACH))


async def settle(url: str, land: Ground, seconds: float) -> None:
    """Now that the platform runs: the led lots that end from here on, and who watches some of them, signed in."""
    first = SystemClock().now() + timedelta(seconds=FIRST_END_S)
    land.ending = {lot: end for lot, end in land.ending.items() if first <= end < first + timedelta(seconds=seconds)}
    land.seated = await add_tickets(url, list(land.ending)[::3])


async def one_more(url: str, land: Ground) -> tuple[Ticket, Ticket]:
    """A lot that ends soon, somebody who will bid on it in the last moment, and somebody who watches it.

    Made along the way: an outage freezes every lot that has five minutes left, and there should be others behind it.
    """
    now = SystemClock().now()
    async with house(url, SystemClock()) as place:
        lot = await place.lot(now - 60 * MINUTE, now + timedelta(seconds=FIRST_END_S))
    late, seated = await add_tickets(url, [lot, lot])
    land.ending[lot] = now + timedelta(seconds=FIRST_END_S)
    return late, seated


async def keep_fresh(url: str) -> None:
    """Until cancelled: the earlier desk fell silent three seconds ago. So the first start is no outage."""
    db = await asyncpg.connect(url)
    try:
        epoch = await db.fetchval("SELECT epoch FROM bidding.desk_lease")
        while True:
            await db.execute(FRESH, epoch)
            await asyncio.sleep(0.2)
    finally:
        await db.close()


FRESH = """
    UPDATE bidding.desk_health SET real_at = clock_timestamp() - interval '3 seconds', platform_at = clock_timestamp()
    WHERE epoch = $1
"""
FIRST_PRICE, STEP_FEN = START, STEP
