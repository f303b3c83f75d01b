"""Watching the clocks (invariant 35): the database's clock may not part from our monotonic one, nor jump.

Half a second counts as an outage: an end that such a clock has reached is not decided, the lot is frozen for the court
(a clock set an hour ahead closes nothing early). The platform clock goes on by the monotonic clock meanwhile. Small
differences are the ordinary slewing of clocks and are followed. A step that stays is taken over after ten steady
seconds, as an outage: what ended by the step alone is frozen, never closed.

A desk looks with each of its signs of life (bidding); a process without a desk, be it web or worker, is `following`
(app).
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from enum import Enum, auto

import structlog
from sqlalchemy import text

from kernel.actors import platform
from kernel.clock import Clock, SystemClock, monotonic
from kernel.database import Database

log = structlog.get_logger("clock")

LOOK_EVERY_S, PARTED_EVERY_S = 1.0, 0.1

MAX_OFFSET = timedelta(milliseconds=500)
STEADY_S = 10.0
"""After a step the clocks count as together again once they have kept step with each other for so long."""

QUICK_S = 0.1
"""A slower answer tells too little of the moment it was given at, and no line is drawn through it."""

Reading = tuple[datetime, float]
"""What the database's clock said, and the monotonic seconds at that moment."""


class Clocks(Enum):
    """How the two clocks stand to each other."""

    TOGETHER = auto()
    PARTED = auto()
    SETTLED = auto()
    """They had parted and keep step again, on a line of their own: the platform clock has to follow by a jump."""


class ClockWatch:
    """Compares the database's clock with where our monotonic clock says that it must be; `clock` follows it.

    The line begins at the machine's own clock. A database that says otherwise at the first look may just be off by an
    hour for a moment, so it is believed no sooner than at any other step.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._anchor: Reading | None = (clock.reading(), monotonic()) if isinstance(clock, SystemClock) else None
        self._aside: Reading | None = None
        """The last reading off the line, and since when they form a line of their own."""
        self._aside_since_s = 0.0

    async def together(self, ask: Callable[[], Awaitable[datetime]]) -> None:
        """Return once the clock follows the database's: at once, or when one of the two is right again or stays so."""
        clocks = await self.look(ask())
        while clocks is Clocks.PARTED:
            await asyncio.sleep(PARTED_EVERY_S)
            clocks = await self.look(ask())

    async def look(self, asked: Awaitable[datetime]) -> Clocks:
        """Await what the database's clock says, and follow it unless it parted from ours."""
        before_s = monotonic()
        database_now = await asked
        clocks = self.compare(before_s, database_now, monotonic())
        if clocks is Clocks.PARTED:
            log.error("clock.parted", database_now=database_now.isoformat())
        else:
            follow(self._clock, database_now)
        return clocks

    def compare(self, before_s: float, database_now: datetime, after_s: float) -> Clocks:
        """Compare; `database_now` was read between two looks at the monotonic clock.

        A clock that comes back to its line is trusted at once, one that stays off it after ten steady seconds.
        """
        reading = (database_now, (before_s + after_s) / 2) if after_s - before_s <= QUICK_S else None
        if self._anchor is None or _keeps_step(self._anchor, before_s, database_now, after_s):
            self._anchor, self._aside = reading or self._anchor, None
            return Clocks.TOGETHER
        if self._aside is None or not _keeps_step(self._aside, before_s, database_now, after_s):
            self._aside_since_s = before_s
        self._aside = reading or self._aside
        if after_s - self._aside_since_s < STEADY_S:
            return Clocks.PARTED
        self._anchor, self._aside = reading or self._aside, None
        return Clocks.SETTLED


def _keeps_step(reading: Reading, before_s: float, database_now: datetime, after_s: float) -> bool:
    then, then_s = reading
    earliest = then + timedelta(seconds=before_s - then_s) - MAX_OFFSET
    latest = then + timedelta(seconds=after_s - then_s) + MAX_OFFSET
    return earliest <= database_now <= latest


def follow(clock: Clock, database_now: datetime) -> None:
    """Discipline the platform clock to the database's; the demo's clock and frozen ones follow nobody."""
    if isinstance(clock, SystemClock):
        clock.discipline(database_now)


async def read_database_clock(database: Database) -> datetime:
    """What the database's clock says."""
    async with database.reading(platform("clock")) as tx:
        now: datetime = (await tx.session.execute(text("SELECT clock_timestamp()"))).scalar_one()
        return now


@asynccontextmanager
async def following(database: Database, looked: Callable[[Clocks], None]) -> AsyncIterator[None]:
    """The platform clock follows the database's while the body runs, and does so before the body can ask it anything:
    it never goes back, so it would stand still at a wrong time that it once told. `looked` hears of each look.
    Where the machine's clock and the database's differ, the body waits ten steady seconds.
    """
    follows = asyncio.Event()

    async def look_each_second() -> None:
        watch = ClockWatch(database.clock)
        while True:
            try:
                looked(clocks := await watch.look(read_database_clock(database)))
                if clocks is not Clocks.PARTED:
                    follows.set()
            except Exception as error:
                log.warning("clock.not-read", error=repr(error))
            await asyncio.sleep(LOOK_EVERY_S if follows.is_set() else PARTED_EVERY_S)

    looking = asyncio.create_task(look_each_second(), name="clock")
    try:
        await follows.wait()
        yield
    finally:
        looking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await looking
