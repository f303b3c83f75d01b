"""A process that is ready to be the desk of any share that nobody holds.

A desk counts as gone when its last sign of life is two seconds old, or when it gave its lease up. A process without a
share takes one at once; one that decides already waits a second longer, so that the idle ones go first, and takes it
all the same when there are none: well within the five seconds of a hole.
"""

import asyncio
from collections.abc import Callable
from functools import partial

import structlog

from bidding.desk import lease, shares
from bidding.desk.desk import STANDBY_AFTER_S, Desk
from bidding.desk.errors import DeskElsewhere
from bidding.desk.shares import Seat
from kernel.clock import monotonic

log = structlog.get_logger("desk")

LOOK_EVERY_S = 0.2
AFTER_THE_IDLE_S = 1.0


class Standby:
    """Keeps `desks`, by share, while `run` runs; `make` gives a desk that has not started."""

    def __init__(self, dsn: str, make: Callable[[int], Desk]) -> None:
        self.desks: dict[int, Desk] = {}
        self._dsn = dsn
        self._make = make
        self._db: lease.Connection | None = None
        self._free_since_s: dict[int, float] = {}
        self._ended: set[asyncio.Task[None]] = set()
        self._stopping = False

    async def run(self) -> None:
        """Look for a free share until cancelled."""
        while True:
            try:
                for share in self._wanted(await self._seats()):
                    await self._begin(share)
            except Exception as error:
                log.warning("standby.look-failed", error=repr(error))
                self._forget_connection()
            await asyncio.sleep(LOOK_EVERY_S)

    async def stop(self) -> None:
        """Let every desk decide what waits, and give its lease up."""
        self._stopping = True
        await asyncio.gather(*(desk.stop() for desk in list(self.desks.values())), *self._ended)
        if self._db is not None:
            await self._db.close(timeout=1)

    async def _seats(self) -> list[Seat]:
        if self._db is None or self._db.is_closed():
            self._db = await lease.connect(self._dsn, "standby")
        return await shares.seats(self._db)

    def _wanted(self, seats: list[Seat]) -> list[int]:
        """The share to take now, if any."""
        now_s = monotonic()
        free = [seat.share for seat in seats if seat.share not in self.desks and _is_free(seat)]
        self._free_since_s = {share: self._free_since_s.get(share, now_s) for share in free}
        patience_s = AFTER_THE_IDLE_S if self.desks else 0
        return [share for share in free if now_s - self._free_since_s[share] >= patience_s][:1]

    async def _begin(self, share: int) -> None:
        desk = self._make(share)
        desk.on_ended.append(partial(self._end, share, desk))
        self.desks[share] = desk
        try:
            await desk.start()
        except BaseException as error:
            del self.desks[share]
            await desk.stop()
            if not isinstance(error, DeskElsewhere):
                raise

    def _end(self, share: int, desk: Desk) -> None:
        if self.desks.get(share) is desk:
            del self.desks[share]
            if self._stopping:
                return
            stopping = asyncio.create_task(desk.stop(), name="desk-stop")
            self._ended.add(stopping)
            stopping.add_done_callback(self._ended.discard)

    def _forget_connection(self) -> None:
        if self._db is not None:
            self._db.terminate()
            self._db = None


def _is_free(seat: Seat) -> bool:
    return seat.free or seat.silent_s is None or seat.silent_s >= STANDBY_AFTER_S
