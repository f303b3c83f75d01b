"""One seed from beginning to end: lay out, harm and heal, come to rest, check."""

import asyncio
import contextlib
import os
import signal
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx
import msgspec

from kernel.clock import SystemClock, monotonic
from kernel.ids import ordered_id
from tests.campaign import check, ground, world
from tests.campaign.people import ANSWER_WITHIN_S, BROKEN, Bidder, Market, Watcher
from tests.campaign.plan import Fault, Step, plan
from tests.campaign.proxy import Proxy
from tests.campaign.world import Server, World

CONVERGE_WITHIN_S = 30.0
HARMED_SHARE = 0.5


class Report(msgspec.Struct):
    """What a campaign did and found. `faults` counts harm done by kind; `broken` is empty when all held."""

    seed: int
    seconds: float
    faults: dict[str, int]
    bids: int
    accepted: int
    refused: dict[str, int]
    lots_closed: int
    lots_frozen: int
    outages: dict[str, int]
    converged_s: float
    broken: list[str]


@dataclass
class Campaign:
    """The supervisor of one seed."""

    seed: int
    seconds: float
    say: Callable[[str], None]
    done: Counter[str] = field(default_factory=Counter)

    async def run(self, only: frozenset[Fault] | None = None) -> Report:
        """Play the seed. `only`: the faults to choose from."""
        async with world.opened(self.say) as place:
            available = place.available() & (only or frozenset(Fault))
            steps = plan(self.seed, self.seconds, available)
            land = await ground.lay_out(place.postgres.dsn(), self.seconds)
            async with (
                Proxy([], Random(self.seed)) as proxy,
                httpx.AsyncClient(
                    base_url=f"http://127.0.0.1:{proxy.port}", timeout=ANSWER_WITHIN_S, verify=False, trust_env=False
                ) as http,
            ):
                return await self._play(place, proxy, http, land, steps)

    async def _play(
        self, place: World, proxy: Proxy, http: httpx.AsyncClient, land: ground.Ground, steps: list[Step]
    ) -> Report:
        origin, chance = f"http://127.0.0.1:{proxy.port}", Random(self.seed)
        server = Server(
            world.free_port(), f"127.0.0.1:{proxy.port}", _environment(place, origin), place.folder / "server.log"
        )
        proxy.targets.append(server.port)
        market = Market(dict.fromkeys([*land.busy, *land.ending], ground.FIRST_PRICE), ground.STEP_FEN)
        bidders = [Bidder(ticket, origin, http, market, Random(chance.random())) for ticket in land.bidders]
        late = [Bidder(ticket, origin, http, market, Random(chance.random())) for ticket in land.late]
        watchers = [Watcher(lot_id, origin) for lot_id in [*land.busy, *list(land.ending)[:4]]]
        upkeep = [asyncio.create_task(work) for work in (server.watch(), place.watch_postgres())]
        outside: list[asyncio.Task[None]] = []
        try:
            first = asyncio.create_task(ground.keep_fresh(place.postgres.dsn()))
            await server.answers()
            first.cancel()
            outside = [asyncio.create_task(watcher.watch()) for watcher in watchers]
            bidding = [asyncio.create_task(bidder.live()) for bidder in bidders]
            bidding += [asyncio.create_task(_bid_late(one, land.ending[one.lot_id])) for one in late]
            court = asyncio.create_task(_court(place, land))
            begun_s = monotonic()
            await self._harm(place, proxy, server, steps)
            await asyncio.sleep(max(0.0, 10 + self.seconds - (monotonic() - begun_s)))  # the last ends pass
            healed_s = monotonic()
            await server.answers()
            court.cancel()
            for bidder in [*bidders, *late]:
                bidder.bidding = False
            await _settled([*bidders, *late], server)
            await asyncio.gather(*bidding, return_exceptions=True)
            await check.at_rest(place.postgres.dsn(), watchers, CONVERGE_WITHIN_S)
            converged_s = monotonic() - healed_s
            findings = await check.everything(place.postgres.dsn(), land, [*bidders, *late], watchers)
        finally:
            for task in [*upkeep, *outside]:
                task.cancel()
            await asyncio.gather(*upkeep, *outside, return_exceptions=True)
            server.end()
        return self._report(findings, [*bidders, *late], converged_s)

    def _report(self, findings: check.Findings, bidders: list[Bidder], converged_s: float) -> Report:
        sent = [one for bidder in bidders for one in bidder.journal]
        answers = [one.answers[0] for one in sent if one.answers]
        return Report(
            seed=self.seed,
            seconds=self.seconds,
            faults=dict(self.done),
            bids=len(sent),
            accepted=sum(answer["t"] == "ack" for answer in answers),
            refused=dict(Counter(answer["code"] for answer in answers if answer["t"] == "refused")),
            lots_closed=findings.closed,
            lots_frozen=findings.frozen,
            outages=findings.outages,
            converged_s=round(converged_s, 1),
            broken=findings.broken,
        )

    async def _harm(self, place: World, proxy: Proxy, server: Server, steps: list[Step]) -> None:
        for step in steps:
            await asyncio.sleep(step.wait_s)
            self.say(f"{step.fault} for {step.lasts_s:.1f} s")
            with contextlib.suppress(*BROKEN):
                await _inject(step, place, proxy, server)
            self.done[step.fault] += 1


async def _inject(step: Step, place: World, proxy: Proxy, server: Server) -> None:
    """Do the harm of one step, wait, and heal it."""
    valkey = place.valkey
    match step.fault:
        case Fault.KILL_SERVER:
            server.signal(signal.SIGKILL)
        case Fault.STOP_SERVER:
            server.signal(signal.SIGSTOP)
            await asyncio.sleep(step.lasts_s)
            server.signal(signal.SIGCONT)
        case Fault.KILL_POSTGRES:
            place.signal_postgres(signal.SIGKILL)
        case Fault.STOP_POSTGRES:
            place.signal_postgres(signal.SIGSTOP)
            await asyncio.sleep(step.lasts_s)
            place.signal_postgres(signal.SIGCONT)
        case Fault.KILL_REDIS if valkey:
            valkey.kill()
            valkey.start()
        case Fault.STOP_REDIS if valkey:
            valkey.pause()
            await asyncio.sleep(step.lasts_s)
            valkey.resume()
        case Fault.WIPE_REDIS if valkey:
            valkey.wipe()
        case Fault.DELAY:
            proxy.delay_s = 0.2
            await asyncio.sleep(step.lasts_s)
            proxy.heal()
        case Fault.RESET:
            proxy.reset(HARMED_SHARE)
        case Fault.CUT:
            proxy.cut(HARMED_SHARE)
        case Fault.HALF_OPEN:
            proxy.half_open(HARMED_SHARE)
            await asyncio.sleep(step.lasts_s)
            proxy.heal()
        case Fault.DISK_FULL:
            await asyncio.to_thread(place.fill_disk)
            await asyncio.sleep(step.lasts_s)
            place.free_disk()
        case Fault.STEP_DATABASE:
            place.database_clock.step(step.by_s)
            await asyncio.sleep(step.lasts_s)
            place.database_clock.step(0)
        case Fault.STEP_SERVER:
            place.server_clock.step(step.by_s)
            await asyncio.sleep(step.lasts_s)
            place.server_clock.step(0)


async def _settled(bidders: list[Bidder], server: Server) -> None:
    """Wait until every bid has its outcome; raises TimeoutError with what the platform last said."""
    try:
        async with asyncio.timeout(CONVERGE_WITHIN_S):
            await asyncio.gather(*(bidder.settle() for bidder in bidders))
    except TimeoutError:
        told = "\n".join(f"{len(one.open())} open, told {one.told}" for one in bidders if one.open())
        raise TimeoutError(f"no rest:\n{told}\n{server.last_words()}") from None


def _environment(place: World, origin: str) -> dict[str, str]:
    settings = {
        "DATABASE_URL": place.postgres.dsn(),
        "AUCTION_DATA_DIR": str(place.folder / "server"),
        "AUCTION_PUBLIC_ORIGIN": origin,
        "AUCTION_BIDS_PER_MINUTE": "1000000",
        "AUCTION_SOCKETS_PER_ADDRESS": "100000",
        "AUCTION_LOG_LEVEL": "warning",
    }
    if place.valkey is not None:
        settings["REDIS_URL"] = place.valkey.url
    return os.environ | settings | place.server_clock.environment


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
