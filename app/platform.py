"""The parts of one process, built in order and stopped in reverse: database, identity, desk, feed, relay.

`Platform` is the composition root: it alone knows which handler listens to which event and which routes exist.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
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
from bidding.forwarding.forwarder import Forwarder
from bidding.registration import handlers as registration
from kernel import audit
from kernel.actors import platform
from kernel.clock import Clock, monotonic
from kernel.clock_watch import Clocks, following
from kernel.database import Database
from kernel.identity.door import IdentityDoor
from kernel.outbox import Relay
from kernel.settings import Settings, SettingsError
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

WAITS_S = 15.0
"""How long audit entries may stand unsealed, and ended lots unanchored, while much money is due."""


def keyring_of(settings: Settings) -> Keyring:
    """The keys of this installation. A file that was named must be there: a mistyped path must not make new keys."""
    load = Keyring.load if settings.signing_keys else Keyring.load_or_make
    return load(settings.keyring_path)


def desk_of(
    url: str, settings: Settings, clock: Clock, keyring: Keyring, *, share: int = 0, address: str | None = None
) -> Desk:
    """A desk that has not started; `address` is where it takes what web processes forward."""
    options = DeskOptions(
        hole_s=settings.hole_seconds,
        queue=settings.desk_queue,
        exclusive=settings.embedded,
        share=share,
        address=address,
    )
    return Desk(url, clock, keyring, options)


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
        self.anchoring = Anchoring(self.database, self.keyring, FolderSink(settings.anchor_path))
        self.desk: Desk | None = None
        if settings.role == "all":
            self.desk = desk_of(url, settings, clock, self.keyring)
            self.desk.on_told = self.relay.ring
            self.relay.gives_way = self.desk.hurries
            self.feed = Feed(self.database, self.desk, settings, self.identity)
            self.desk.presence = self.feed.crowd.presence
            self.desk.on_committed.append(self.feed.publish)
            self.desk.on_ended.append(self.feed.desk_ended)
        else:
            assert settings.desk_secret is not None
            self.forwarder = Forwarder(url, clock, settings.desk_secret, settings.desk_queue)
            self.feed = Feed(self.database, self.forwarder, settings, self.identity)
            self.forwarder.presence = self.feed.crowd.presence

    @property
    def live_protocol(self) -> Any:
        """What uvicorn mounts for upgrades to WebSocket."""
        return self.feed.protocol

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Bids are decided or forwarded and the feed ticks while the body runs; the pool is closed at the end."""
        try:
            async with self._deciding(), self.feed.running():
                yield
        finally:
            await self.database.close()

    @asynccontextmanager
    async def _deciding(self) -> AsyncIterator[None]:
        """The desk holds its lease, or the way to the desks of others is kept."""
        if self.desk is not None:
            await self.desk.start()
            try:
                if not self.desk.decides_all:
                    raise SettingsError("lots are shared out among several desks: serve them with --role web and desk")
                yield
            finally:
                await self.desk.stop()
        else:
            async with self.following():
                forwarding = asyncio.create_task(self.forwarder.run(), name="forwarder")
                try:
                    yield
                finally:
                    forwarding.cancel()
                    with contextlib.suppress(asyncio.CancelledError):
                        await forwarding

    @asynccontextmanager
    async def following(self) -> AsyncIterator[None]:
        """A process without a desk follows the database's clock while the body runs; parted, it sweeps no due work."""

        def looked(clocks: Clocks) -> None:
            self.relay.paused = clocks is Clocks.PARTED

        async with following(self.database, looked):
            yield

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Relay the outbox, seal the audit trail and anchor the evidence log while the body runs."""
        scheduler = AsyncIOScheduler(timezone="UTC")
        scheduler.add_job(self.relay.ring, "interval", seconds=1, misfire_grace_time=None, coalesce=True)
        for work in (self._seal, self.anchoring.sweep):
            quiet = self._when_quiet(work)
            scheduler.add_job(quiet, "interval", seconds=1, misfire_grace_time=None, coalesce=True, max_instances=1)
        scheduler.start()
        relaying = asyncio.create_task(self.relay.run(), name="relay")
        try:
            yield
        finally:
            scheduler.shutdown(wait=False)
            relaying.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await relaying

    def _when_quiet(self, work: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
        """`work`, but while thousands of lots end together their money comes first, for some seconds at most."""
        done_s = monotonic()

        async def run() -> None:
            nonlocal done_s
            if not self.relay.much_due or monotonic() > done_s + WAITS_S:
                await work()
                done_s = monotonic()

        return run

    async def _seal(self) -> None:
        """Seal all audit entries that wait."""
        try:
            sealed = audit.MOST_SEALED
            while sealed == audit.MOST_SEALED:
                async with self.database.transaction(platform("sealer")) as tx:
                    sealed = await audit.seal(tx)
        except Exception:
            log.exception("sealer.failed")
