"""The demo's time: it races while nobody acts, walks while lots run out, and slows down for who acts slowly.

Every step of the script waits for its platform time here. When nobody acts and the platform has nothing due, the clock
races to the next thing that happens: a step, a due outbox row, an opening, or 30 minutes before an end; it waits for
the bank. From there to
the last extension it runs at most sixty times as fast as real time. It never passes the real time.
"""

import asyncio
import heapq
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

import structlog
from sqlalchemy import text

from kernel.actors import platform
from kernel.clock import ScaledClock, beijing, monotonic, real_now
from kernel.database import Database
from kernel.outbox import backlog, next_due

log = structlog.get_logger("stage")

RACE = 10_000_000
"""Platform seconds per real second between two things that happen."""

WALK = 60
SLOW = 20
"""While somebody has been acting for longer than `PATIENCE_S`: a slow machine must not make a bidder late."""

PATIENCE_S = 0.3

CLOSING = timedelta(minutes=30)
LOOK_EVERY_S = 0.01
WALK_LOOK_S = 0.1

NEXT_ON_LOTS = text(
    "SELECT min(opens_at) FILTER (WHERE status = 'upcoming' AND opens_at > :now) AS opens_at, min(ends_at) AS ends_at,"
    " coalesce(bool_or(status = 'upcoming' AND opens_at <= :now), false) AS opening,"
    " EXISTS (SELECT FROM bidding.lot_command WHERE decided_at IS NULL) AS commanded,"
    " EXISTS (SELECT FROM settlement.payment_order o WHERE NOT EXISTS ("
    "   SELECT FROM settlement.payment_answer a WHERE a.order_id = o.id)) AS paying"
    " FROM bidding.lot WHERE status IN ('upcoming', 'open')"
)


class OutOfTime(Exception):
    """The script would go on after the real time: its dates were planned wrongly."""


@dataclass
class Stage:
    """Who waits for which platform time, and the clock that takes them there."""

    database: Database
    clock: ScaledClock
    changes_of_pace: int = 0
    _waiting: list[tuple[datetime, int, asyncio.Future[None]]] = field(default_factory=list)
    _acting: int = 0
    _acting_since_s: float = 0
    _order: Iterator[int] = field(default_factory=count)
    _pace: int = 0

    @asynccontextmanager
    async def at(self, moment: datetime) -> AsyncIterator[None]:
        """Wait until platform time is `moment`, then act: inside the block time does not race away."""
        arrived: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (moment, next(self._order), arrived))
        await arrived
        try:
            yield
        finally:
            self._acting -= 1

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Time does not race away while the body runs: for who acts unasked, as a bank does."""
        self._acting_since_s = self._acting_since_s if self._acting else monotonic()
        self._acting += 1
        try:
            yield
        finally:
            self._acting -= 1

    async def conduct(self) -> None:
        """Move the clock until cancelled."""
        while True:
            self._wake()
            pause_s = LOOK_EVERY_S
            if self._acting:
                self._run(SLOW if monotonic() - self._acting_since_s > PATIENCE_S else WALK)
            elif self._waiting:
                pause_s = await self._advance()
            await asyncio.sleep(pause_s)

    def _wake(self) -> None:
        now = self.clock.now()
        while self._waiting and self._waiting[0][0] <= now:
            arrived = heapq.heappop(self._waiting)[2]
            if not arrived.done():
                self._acting_since_s = self._acting_since_s if self._acting else monotonic()
                self._acting += 1
                arrived.set_result(None)

    async def _advance(self) -> float:
        """Race to what happens next, or walk if that is too near; returns for how long nobody need look again."""
        async with self.database.reading(platform("stage")) as tx:
            now = tx.now()
            waiting, _ = await backlog(tx)
            due_at = await next_due(tx, after=now)
            lots = (await tx.session.execute(NEXT_ON_LOTS, {"now": now})).one()
        closing_at = lots.ends_at - CLOSING if lots.ends_at else None
        step_at = self._waiting[0][0]
        if waiting or lots.opening or lots.commanded or lots.paying or (closing_at and closing_at <= now):
            self._run(WALK)
            return min(WALK_LOOK_S, max(LOOK_EVERY_S, (step_at - now).total_seconds() / WALK))
        goal = min(moment for moment in (step_at, due_at, lots.opens_at, closing_at) if moment is not None)
        if goal > real_now():
            raise OutOfTime(f"{beijing(goal)} lies after the real time")
        self._run(RACE, until=goal)
        return LOOK_EVERY_S

    def _run(self, pace: int, until: datetime | None = None) -> None:
        """Change the pace; a race ends at `until` and goes over into a walk."""
        if pace != self._pace or until is not None:
            now = self.clock.now()
            self._pace = WALK if until else pace
            self.changes_of_pace += 1
            self.clock.run(pace, until or now, self._pace)
            log.info("stage.pace", platform_at=beijing(now), rate=pace, until=until and beijing(until))

    def arrive(self) -> None:
        """The script is over: platform time is real time from now on."""
        self.clock.run(RACE, real_now(), 1)
        log.info("stage.arrived", platform_at=beijing(self.clock.now()))
