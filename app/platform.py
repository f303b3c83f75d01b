"""The parts of one process, built in order and stopped in reverse: database, identity, desk, feed, relay.

`Platform` is the composition root: it alone knows which handler listens to which event and which routes exist.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from kernel import audit
from kernel.actors import platform
from kernel.clock import Clock
from kernel.database import Database
from kernel.identity.door import IdentityDoor
from kernel.outbox import Relay
from kernel.settings import Settings

log = structlog.get_logger("platform")


class Platform:
    """One process's parts. `working` says whether it sweeps due work and seals the audit trail too."""

    def __init__(self, url: str, settings: Settings, clock: Clock) -> None:
        self.settings = settings
        self.clock = clock
        self.database = Database(url, clock)
        self.identity = IdentityDoor(self.database, settings)
        self.relay = Relay(self.database)
        self.database.on_told = self.relay.ring

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Relay the outbox and seal the audit trail while the body runs."""
        scheduler = AsyncIOScheduler(timezone="UTC")
        scheduler.add_job(self.relay.ring, "interval", seconds=1, misfire_grace_time=None, coalesce=True)
        scheduler.add_job(self._seal, "interval", seconds=1, misfire_grace_time=None, coalesce=True, max_instances=1)
        scheduler.start()
        relaying = asyncio.create_task(self.relay.run(), name="relay")
        try:
            yield
        finally:
            scheduler.shutdown(wait=False)
            relaying.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await relaying

    async def _seal(self) -> None:
        try:
            async with self.database.transaction(platform("sealer")) as tx:
                await audit.seal(tx)
        except Exception:
            log.exception("sealer.failed")

    async def close(self) -> None:
        await self.database.close()
