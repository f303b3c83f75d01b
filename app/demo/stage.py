"""The demo's time: it races while nobody acts and walks while somebody bids.

Every step of the script waits for its platform time here. When all of them wait and the platform has nothing due, the
clock races to the next thing that happens: a step, a due outbox row, an opening, or 30 minutes before an end. From
there to the last extension it runs at most sixty times as fast as real time.
"""

import asyncio
import heapq
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

from sqlalchemy import text

from kernel.actors import platform
from kernel.clock import ScaledClock
from kernel.database import Database
from kernel.outbox import backlog

RACE = 1_000_000
"""Platform seconds per real second between two things that happen."""

WALK = 60
CLOSING = timedelta(minutes=30)

NEXT_DUE = text("SELECT min(due_at) FROM kernel.outbox WHERE done_at IS NULL AND due_at > :now")
LOTS = text(
    "SELECT min(opens_at) FILTER (WHERE NOT opened AND opens_at > :now), min(ends_at),"
    " bool_or(status = 'upcoming' AND opens_at <= :now) FROM bidding.lot WHERE status IN ('upcoming', 'open')"
)


@dataclass
class Stage:
    """Who waits for which platform time, and the clock that takes them there."""

    database: Database
    clock: ScaledClock
    paces: list[str] = field(default_factory=list)
    """Changes of pace, logged for the summary; they are no clock faults."""
    _waiting: list[tuple[datetime, int, asyncio.Future[None]]] = field(default_factory=list)
    _busy: int = 0
    _order: count[int] = field(default_factory=count)

    def enter(self) -> None:
        """One more actor plays; the clock does not race while any of them is acting."""
        self._busy += 1

    def leave(self) -> None:
        self._busy -= 1

    async def reach(self, moment: datetime) -> None:
        """Wait until platform time is `moment`."""
        if self.clock.now() >= moment:
            return
        arrived: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (moment, next(self._order), arrived))
        self._busy -= 1
        try:
            await arrived
        finally:
            self._busy += 1

    async def conduct(self) -> None:
        """Move the clock until cancelled."""
        while True:
            self._wake()
            if self._busy == 0 and self._waiting:
                await self._advance()
            await asyncio.sleep(0.01)

    def _wake(self) -> None:
        now = self.clock.now()
        while self._waiting and self._waiting[0][0] <= now:
            _, _, arrived = heapq.heappop(self._waiting)
            if not arrived.done():
                arrived.set_result(None)

    async def _advance(self) -> None:
        async with self.database.reading(platform("stage")) as tx:
            now = tx.now()
            waiting, _ = await backlog(tx)
            due = (await tx.session.execute(NEXT_DUE, {"now": now})).scalar_one()
            opens, ends, opening = (await tx.session.execute(LOTS, {"now": now})).one()
        if waiting or opening or (ends is not None and ends - CLOSING <= now):
            self._pace(WALK, now + timedelta(minutes=1), WALK)
            return
        goals = [self._waiting[0][0], due, opens, ends and ends - CLOSING]
        self._pace(RACE, min(goal for goal in goals if goal is not None), WALK)

    def _pace(self, rate: int, until: datetime, after: int) -> None:
        if self.clock.rate != rate:
            self.paces.append(f"{self.clock.now():%Y-%m-%d %H:%M:%S} x{rate}")
        self.clock.run(rate, until, after)
