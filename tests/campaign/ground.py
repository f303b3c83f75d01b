"""The lots and people of a campaign."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from app.bench.ground import Ticket, add_bidders
from kernel.clock import FrozenClock, SystemClock
from tests.bidding.desk.house import MINUTE, START, STEP, desk_of, house

BUSY_LOTS = 3
BIDDERS_EACH = 5
QUIET_EVERY_S = 1.5
LATE_EVERY = 4
"""Every fourth of the lots that end has somebody who bids in its last moment."""


@dataclass(frozen=True, slots=True)
class Ground:
    """`busy` take a stream of bids; `ending` end one after another, some `led` since long ago."""

    busy: list[UUID]
    ending: dict[UUID, datetime]
    led: frozenset[UUID]
    bidders: list[Ticket]
    late: list[Ticket]


async def lay_out(url: str, seconds: float) -> Ground:
    """Lots that are open now, as an earlier desk left them, and people who may bid on them."""
    now = SystemClock().now()
    past = FrozenClock(now - 10 * MINUTE)
    opens = now - 60 * MINUTE
    async with house(url, past) as place, desk_of(place) as desk:
        busy = [await place.lot(opens, now + timedelta(days=1)) for _ in range(BUSY_LOTS)]
        ends = [now + timedelta(seconds=8 + QUIET_EVERY_S * number) for number in range(int(seconds / QUIET_EVERY_S))]
        ending = {await place.lot(opens, end): end for end in ends}
        led = frozenset(list(ending)[::2])
        for lot_id in led:
            early = await place.bidder(lot_id, "E1", admitted_at=opens)
            assert (await desk.submit(place.bid(lot_id, early, START))).accepted
        await asyncio.sleep(0.6)  # the desk opens the others by itself
        await place.db.execute("DELETE FROM kernel.outbox")  # other contexts do not know these lots
    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://", 1), poolclass=NullPool)
    async with engine.begin() as db:
        bidders = await add_bidders(db, busy * BIDDERS_EACH)
        late = await add_bidders(db, list(ending)[1::LATE_EVERY])
    await engine.dispose()
    return Ground(busy, ending, led, bidders, late)


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
