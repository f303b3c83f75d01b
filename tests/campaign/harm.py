"""What each kind of harm is: done, kept up for a while, healed; and when watchers may have been blind."""

import asyncio
import contextlib
import signal
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from kernel.clock import monotonic
from tests.campaign.forms import Form
from tests.campaign.people import BROKEN
from tests.campaign.plan import Fault, Step
from tests.campaign.proxy import Proxy
from tests.campaign.world import World

HARMED_SHARE = 0.5

BLINDING = frozenset(
    {
        Fault.KILL_SERVER,
        Fault.STOP_SERVER,
        Fault.KILL_WEB,
        Fault.STOP_WEB,
        Fault.KILL_POSTGRES,
        Fault.KILL_POSTMASTER,
        Fault.KILL_BACKEND,
        Fault.STOP_POSTGRES,
        Fault.DISK_FULL,
        Fault.DELAY,
        Fault.RESET,
        Fault.HALF_OPEN,
        Fault.CUT,
    }
)
"""What may take the view from a watcher while it lasts. Desks, Redis, worker and the links may not."""


@dataclass
class Supervisor:
    """The hands that do harm, and their own journal."""

    place: World
    form: Form
    proxy: Proxy
    chance: Random
    say: Callable[[str], None]
    done: Counter[str] = field(default_factory=Counter)
    blind: list[tuple[float, float]] = field(default_factory=list)
    """Spans in monotonic seconds in which a watcher may have seen nothing."""
    _healing: set[asyncio.Task[None]] = field(default_factory=set)

    async def play(self, steps: list[Step]) -> None:
        """One step after the other."""
        for step in steps:
            await asyncio.sleep(step.wait_s)
            self.say(f"{step.fault} for {step.lasts_s:.1f} s")
            begun_s = monotonic()
            with contextlib.suppress(*BROKEN):
                await self._inject(step)
            self.done[step.fault] += 1
            if step.fault in BLINDING:
                healing = asyncio.create_task(self._until_whole(begun_s))
                self._healing.add(healing)
        await asyncio.gather(*self._healing)

    async def _until_whole(self, begun_s: float) -> None:
        await self.form.answers()
        self.blind.append((begun_s, monotonic()))

    async def _inject(self, step: Step) -> None:
        verb, _, part = step.fault.partition("-")
        match step.fault:
            case Fault.WAKE_DESK:
                await self._wake_after_takeover(step.lasts_s)
            case _ if part in {"server", "web", "desk", "standby", "worker"}:
                member = await self.form.victim(part, self.chance)
                if verb == "kill":
                    member.signal(signal.SIGKILL)
                else:
                    await self._halted(member.signal, step.lasts_s)
            case _ if verb == "link":
                await self._harm_way(self.form.links, part, step.lasts_s)
            case Fault.DELAY | Fault.RESET | Fault.CUT | Fault.HALF_OPEN:
                await self._harm_way([self.proxy], step.fault, step.lasts_s)
            case Fault.STEP_DATABASE | Fault.STEP_SERVER:
                clock = self.place.database_clock if part.startswith("database") else self.place.server_clock
                clock.step(step.by_s)
                await asyncio.sleep(step.lasts_s)
                clock.step(0)
            case _:
                await self._harm_store(step)

    async def _wake_after_takeover(self, longer_s: float) -> None:
        """The desk sleeps until another one has taken its place, and wakes in the belief that nothing happened."""
        sleeper = await self.form.victim("desk", self.chance)
        sleeper.signal(signal.SIGSTOP)
        try:
            await self.form.taken_over(sleeper)
            await asyncio.sleep(longer_s)
        finally:
            sleeper.signal(signal.SIGCONT)

    async def _halted(self, send: Callable[[signal.Signals], None], lasts_s: float) -> None:
        send(signal.SIGSTOP)
        try:
            await asyncio.sleep(lasts_s)
        finally:
            send(signal.SIGCONT)

    async def _harm_way(self, ways: list[Proxy], fault: str, lasts_s: float) -> None:
        for way in ways:
            match fault:
                case Fault.DELAY:
                    way.delay_s = 0.2
                case Fault.RESET:
                    way.reset(HARMED_SHARE)
                case Fault.CUT:
                    way.cut(HARMED_SHARE)
                case Fault.HALF_OPEN:
                    way.half_open(HARMED_SHARE)
                case _:
                    way.down()
        if fault not in {Fault.RESET, Fault.CUT}:
            await asyncio.sleep(lasts_s)
            for way in ways:
                way.heal()

    async def _harm_store(self, step: Step) -> None:
        """PostgreSQL, Redis, the disk."""
        place, valkey = self.place, self.place.valkey
        match step.fault:
            case Fault.KILL_POSTGRES:
                place.signal_postgres(signal.SIGKILL)
            case Fault.KILL_POSTMASTER:
                place.signal_postgres(signal.SIGKILL, of=place.postgres_processes()[:1])
            case Fault.KILL_BACKEND:
                backends = place.backends()
                place.signal_postgres(signal.SIGKILL, of=self.chance.sample(backends, min(1, len(backends))))
            case Fault.STOP_POSTGRES:
                await self._halted(place.signal_postgres, step.lasts_s)
            case Fault.KILL_REDIS if valkey:
                valkey.kill()
                await asyncio.to_thread(valkey.start)
            case Fault.STOP_REDIS if valkey:
                valkey.pause()
                await asyncio.sleep(step.lasts_s)
                valkey.resume()
            case Fault.WIPE_REDIS if valkey:
                valkey.wipe()
            case Fault.DISK_FULL:
                await asyncio.to_thread(place.fill_disk)
                await asyncio.sleep(step.lasts_s)
                place.free_disk()
