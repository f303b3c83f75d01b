"""One seed from beginning to end: lay out, harm and heal, come to rest, check."""

import asyncio
import contextlib
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import Any

import asyncpg
import httpx
import msgspec
from sqlalchemy.exc import DBAPIError

from kernel.clock import SystemClock, monotonic
from kernel.ids import ordered_id
from tests.campaign import check, epochs, ground, world
from tests.campaign.forms import DESKS, Fleet, Form, OneServer
from tests.campaign.harm import Supervisor
from tests.campaign.load import load, patient
from tests.campaign.people import ANSWER_WITHIN_S, BROKEN, Bidder, Market, Watcher
from tests.campaign.plan import Fault, Step, plan
from tests.campaign.proxy import Proxy
from tests.campaign.world import World
from tests.support.keys import SIGNING_KEYS

CONVERGE_WITHIN_S = 30.0
PULSE_S = 0.1


class Report(msgspec.Struct):
    """What a campaign did and found. `faults` counts harm done by kind; `broken` is empty when all held.

    `load`: how many processes waited for each core at the end; 1 or less is a machine of our own.
    """

    form: str
    seed: int
    seconds: float
    faults: dict[str, int]
    bids: int
    accepted: int
    refused: dict[str, int]
    lots_closed: int
    lots_frozen: int
    outages: dict[str, int]
    slowest_view_s: float
    load: float
    converged_s: float
    broken: list[str]


@dataclass
class Campaign:
    """The supervisor of one seed. `fleet`: against the processes of a fleet, else against one that is everything."""

    seed: int
    seconds: float
    say: Callable[[str], None]
    fleet: bool = False

    async def run(self, only: frozenset[Fault] | None = None) -> Report:
        """Play the seed. `only`: the faults to choose from."""
        async with world.opened(self.say) as place:
            available = place.available(Fleet.faults if self.fleet else OneServer.faults) & (only or frozenset(Fault))
            steps = plan(self.seed, self.seconds, available)
            land = await ground.lay_out(place.postgres.dsn(), self.seconds)
            async with AsyncExitStack() as stack:
                chance = Random(self.seed)
                proxy, *links = [
                    await stack.enter_async_context(Proxy([], Random(chance.random()))) for _ in range(DESKS + 2)
                ]
                origin = f"http://127.0.0.1:{proxy.port}"
                http = httpx.AsyncClient(
                    base_url=origin, timeout=ANSWER_WITHIN_S * min(load(), 5.0), verify=False, trust_env=False
                )
                await stack.enter_async_context(http)
                form = self._form(place, f"127.0.0.1:{proxy.port}", _settings(place, origin), links)
                proxy.targets.append(form.port)
                supervisor = Supervisor(place, form, proxy, chance, self.say)
                return await self._play(supervisor, land, lambda: Crowd(land, origin, http, chance), steps)

    def _form(self, place: World, host: str, settings: dict[str, str], links: list[Proxy]) -> Form:
        return Fleet(place, host, settings, links) if self.fleet else OneServer(place, host, settings)

    async def _play(
        self, supervisor: Supervisor, land: ground.Ground, gather: "Callable[[], Crowd]", steps: list[Step]
    ) -> Report:
        place, form = supervisor.place, supervisor.form
        url = place.postgres.dsn()
        if self.fleet:
            await _note_epochs(url)
        upkeep = [asyncio.create_task(work) for work in (form.watch(), place.watch_postgres())]
        try:
            async with _kept_fresh(url):
                await form.answers()
            await ground.settle(url, land, self.seconds)
            crowd = gather()
            begun_s = monotonic()
            filling = crowd.filled(url, begun_s + self.seconds)
            async with crowd.outside(), _running(_court(place, land), filling), _pulse(supervisor):
                await supervisor.play(steps)
                await asyncio.sleep(max(0.0, 10 + self.seconds - (monotonic() - begun_s)))  # the last ends pass
                healed_s = monotonic()
                await form.answers()
                await crowd.settled(form)
                await check.at_rest(url, crowd.watchers, patient(CONVERGE_WITHIN_S))
                converged_s = monotonic() - healed_s
                findings = await check.everything(url, crowd.land, crowd.bidders, crowd.watchers, supervisor.blind)
                if self.fleet:
                    findings.broken += await _foreign_epochs(url)
        finally:
            for task in upkeep:
                task.cancel()
            await asyncio.gather(*upkeep, return_exceptions=True)
            form.end()
        return self._report(supervisor, findings, crowd.bidders, converged_s)

    def _report(
        self, supervisor: Supervisor, findings: check.Findings, bidders: list[Bidder], converged_s: float
    ) -> Report:
        sent = [one for bidder in bidders for one in bidder.journal]
        answers = [one.answers[0] for one in sent if one.answers]
        return Report(
            form="fleet" if self.fleet else "server",
            seed=self.seed,
            seconds=self.seconds,
            faults=dict(supervisor.done),
            bids=len(sent),
            accepted=sum(answer["t"] == "ack" for answer in answers),
            refused=dict(Counter(answer["code"] for answer in answers if answer["t"] == "refused")),
            lots_closed=findings.closed,
            lots_frozen=findings.frozen,
            outages=findings.outages,
            load=round(load(), 1),
            slowest_view_s=round(findings.slowest_view_s, 2),
            converged_s=round(converged_s, 1),
            broken=findings.broken,
        )


class Crowd:
    """Everybody outside: bidders of the busy lots, bidders of a last moment, watchers."""

    def __init__(self, land: ground.Ground, origin: str, http: httpx.AsyncClient, chance: Random) -> None:
        self.land = land
        market = Market(defaultdict(lambda: ground.FIRST_PRICE), ground.STEP_FEN)
        self._streams = [Bidder(ticket, origin, http, market, Random(chance.random())) for ticket in land.bidders]
        self._make = lambda ticket: Bidder(ticket, origin, http, market, Random(chance.random()))
        self._origin = origin
        self.bidders = list(self._streams)
        self.watchers = [Watcher(lot_id, origin) for lot_id in [*land.busy, *list(land.ending)[:4]]]
        self._seated = [Watcher(ticket.lot_id, origin, ticket) for ticket in land.seated]
        self._watching: list[asyncio.Task[None]] = []
        self._bidding: list[asyncio.Task[None]] = []

    @asynccontextmanager
    async def outside(self) -> AsyncIterator[None]:
        """They watch and bid while the body runs."""
        self._watching = [asyncio.create_task(watcher.watch()) for watcher in [*self.watchers, *self._seated]]
        self._bidding = [asyncio.create_task(bidder.live()) for bidder in self._streams]
        try:
            yield
        finally:
            tasks = [*self._watching, *self._bidding]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def filled(self, url: str, until_s: float) -> None:
        """Again and again a lot that ends soon, with somebody who bids in its last moment and a watcher."""
        while monotonic() < until_s:
            with contextlib.suppress(*BROKEN, asyncpg.PostgresError, asyncpg.InterfaceError, DBAPIError):
                async with asyncio.timeout(5):
                    late, seated = await ground.one_more(url, self.land)
                bidder = self._make(late)
                self.bidders.append(bidder)
                self._bidding.append(asyncio.create_task(_bid_late(bidder, self.land.ending[late.lot_id])))
                self._watching.append(asyncio.create_task(Watcher(seated.lot_id, self._origin, seated).watch()))
            await asyncio.sleep(ground.END_EVERY_S)

    async def settled(self, form: Form) -> None:
        """Wait until every bid has its outcome; raises TimeoutError with what the platform last said."""
        for bidder in self.bidders:
            bidder.bidding = False
        try:
            async with asyncio.timeout(patient(CONVERGE_WITHIN_S)):
                await asyncio.gather(*(bidder.settle() for bidder in self.bidders))
        except TimeoutError:
            told = "\n".join(f"{len(one.open())} open, told {one.told}" for one in self.bidders if one.open())
            raise TimeoutError(f"no rest:\n{told}\n{form.last_words()}") from None
        await asyncio.gather(*self._bidding, return_exceptions=True)


def _settings(place: World, origin: str) -> dict[str, str]:
    """What all processes are told alike."""
    settings = {
        "AUCTION_DATA_DIR": str(place.folder / "server"),
        "AUCTION_SIGNING_KEYS": SIGNING_KEYS,
        "AUCTION_PUBLIC_ORIGIN": origin,
        "AUCTION_BIDS_PER_MINUTE": "1000000",
        "AUCTION_SOCKETS_PER_ADDRESS": "100000",
        "AUCTION_LOG_LEVEL": "warning",
    }
    if place.valkey is not None:
        settings["REDIS_URL"] = place.valkey.url
    return settings


@asynccontextmanager
async def _running(*work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(one) for one in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _kept_fresh(url: str) -> AbstractAsyncContextManager[None]:
    return _running(ground.keep_fresh(url))


def _pulse(supervisor: Supervisor) -> AbstractAsyncContextManager[None]:
    """Note when we ourselves stood still: what a watcher of ours did not see then is no fault of the platform."""

    async def beat() -> None:
        while True:
            before_s = monotonic()
            await asyncio.sleep(PULSE_S)
            if monotonic() - before_s > 3 * PULSE_S:
                supervisor.blind.append((before_s, monotonic()))

    return _running(beat())


async def _note_epochs(url: str) -> None:
    db = await world.connected(url)
    try:
        await epochs.lay_out(db)
    finally:
        await db.close()


async def _foreign_epochs(url: str) -> list[str]:
    db = await world.connected(url)
    try:
        return await epochs.faults(db)
    finally:
        await db.close()


async def _bid_late(bidder: Bidder, ends_at: Any) -> None:
    """One bid at the last moment; then find out what became of it."""
    lead_s = (ends_at - SystemClock().now()).total_seconds() - bidder.chance.uniform(0.0, 0.4)
    await asyncio.sleep(max(0.0, lead_s))
    await bidder.once()


async def _court(place: World, land: ground.Ground) -> None:
    """Resume the busy lots whenever an outage froze them, as the court would, until cancelled."""
    clock = SystemClock()
    while True:
        await asyncio.sleep(0.5)
        with contextlib.suppress(*BROKEN, Exception):
            db = await world.connected(place.postgres.dsn(), within_s=1)
            try:
                await db.execute("DELETE FROM kernel.outbox")  # other contexts do not know these lots
                for lot_id in land.busy:
                    await db.execute(RESUME, ordered_id(), lot_id, clock.now())
            finally:
                await db.close(timeout=1)


RESUME = """
    INSERT INTO bidding.lot_command (id, lot_id, kind, reason, requested_at)
    SELECT $1, lot_id, 'resumed', '故障已排除，恢复拍卖', $3 FROM bidding.lot
    WHERE lot_id = $2 AND status = 'frozen'
      AND NOT EXISTS (SELECT FROM bidding.lot_command c WHERE c.lot_id = $2 AND c.decided_at IS NULL)
    FOR NO KEY UPDATE
"""
