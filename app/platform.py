"""The parts of one process, built in order and stopped in reverse: database, identity, desk, feed, relay.

`Platform` is the composition root: it alone knows which handler listens to which event and which routes exist.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from auction.lots import handlers as lots
from auction.statistics import handlers as statistics
from bidding.desk.desk import Desk, DeskOptions
from bidding.evidence.jobs import Anchoring
from bidding.evidence.sinks import FolderSink
from bidding.feed.feed import Feed
from bidding.registration import handlers as registration
from kernel import audit
from kernel.actors import platform
from kernel.clock import Clock
from kernel.database import Database
from kernel.identity.door import IdentityDoor
from kernel.outbox import Relay
from kernel.settings import Settings
from kernel.signatures import Keyring
from settlement.bank import jobs as bank
from settlement.bank_files import jobs as bank_files
from settlement.closing import handlers as closing
from settlement.completion import handlers as completion
from settlement.deposits import handlers as deposits
from settlement.distribution import handlers as distribution
from settlement.payouts import handlers as payouts

log = structlog.get_logger("platform")

SUBSCRIBERS = (lots, statistics, registration, bank_files, closing, deposits, completion, distribution, payouts)
"""Who listens to events, in the order in which handlers of one event run."""


def keyring_of(settings: Settings) -> Keyring:
    """The keys of this installation. A file that was named must be there: a mistyped path must not make new keys."""
    load = Keyring.load if settings.signing_keys else Keyring.load_or_make
    return load(settings.keyring_path)


class Platform:
    """One process's parts. `working` says whether it sweeps due work and seals the audit trail too."""

    def __init__(self, url: str, settings: Settings, clock: Clock) -> None:
        self.settings = settings
        self.clock = clock
        self.keyring = keyring_of(settings)
        self.database = Database(url, clock)
        self.identity = IdentityDoor(self.database, settings)
        self.relay = Relay(self.database)
        self.database.on_told = self.relay.ring
        for handlers in SUBSCRIBERS:
            handlers.subscribe(self.relay)
        bank.subscribe(self.relay, simulated_bank=settings.simulated_bank and settings.bank_account is None)
        options = DeskOptions(hole_s=settings.hole_seconds, queue=settings.desk_queue, exclusive=settings.embedded)
        self.desk = Desk(url, clock, self.keyring, options)
        self.desk.on_told = self.relay.ring
        self.anchoring = Anchoring(self.database, self.keyring, FolderSink(settings.anchor_path))
        self.feed = Feed(self.database, self.desk, settings, self.identity)

    @property
    def live_protocol(self) -> Any:
        """What uvicorn mounts for upgrades to WebSocket."""
        return self.feed.protocol

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The desk holds its lease and the feed ticks while the body runs; the pool is closed at the end."""
        try:
            await self.desk.start()
            try:
                async with self.feed.running():
                    yield
            finally:
                await self.desk.stop()
        finally:
            await self.database.close()

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Relay the outbox, seal the audit trail and anchor the evidence log while the body runs."""
        scheduler = AsyncIOScheduler(timezone="UTC")
        scheduler.add_job(self.relay.ring, "interval", seconds=1, misfire_grace_time=None, coalesce=True)
        scheduler.add_job(self._seal, "interval", seconds=1, misfire_grace_time=None, coalesce=True, max_instances=1)
        scheduler.add_job(
            self.anchoring.sweep, "interval", seconds=1, misfire_grace_time=None, coalesce=True, max_instances=1
        )
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
