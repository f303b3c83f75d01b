"""The two forms of the platform under a campaign: one process that is everything, and the processes of a fleet."""

import asyncio
import contextlib
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random

import asyncpg

from app import fleet
from app.fleet import Member, auction
from kernel.ddl import APP_ROLE
from tests.campaign import epochs
from tests.campaign.load import patient
from tests.campaign.people import BROKEN
from tests.campaign.plan import OF_A_FLEET, OF_ONE_SERVER, Fault
from tests.campaign.proxy import Proxy
from tests.campaign.world import World, connected, free_port

START_WITHIN_S = 60.0
TAKEN_OVER_WITHIN_S = 15.0
SECRET = "a-secret-of-at-least-thirty-two-characters"
DESKS = 1
WAKE_LATE_S = 0.2


class Form:
    """Processes of ours behind one port; whatever dies is started again."""

    faults: frozenset[Fault]

    def __init__(self, port: int, host: str, members: Sequence[Member], logs: Path) -> None:
        self.port = port
        self.members = members
        self.links: list[Proxy] = []
        """The ways between web processes and desks."""
        self._question = f"GET /health/ready HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
        self._logs = logs
        self._stop = asyncio.Event()

    async def watch(self) -> None:
        """Supervise, as the fleet does, until `end`."""
        while not self._stop.is_set():
            with contextlib.suppress(OSError):  # no room for a log: tried again
                await fleet.keep(self.members, self._stop, lambda line: None)

    async def answers(self) -> None:
        """Wait until it is ready; raises TimeoutError with the end of its logs."""
        try:
            async with asyncio.timeout(patient(START_WITHIN_S)):
                while not await self.ready():
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise TimeoutError(f"the platform is not ready:\n{self.last_words()}") from None

    async def ready(self) -> bool:
        """Whether the port answers that all is well."""
        try:
            async with asyncio.timeout(3):
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                writer.write(self._question)
                line = await reader.readline()
                writer.close()
        except (OSError, TimeoutError):
            return False
        return b" 200 " in line

    def last_words(self) -> str:
        """The ends of the logs."""
        said = []
        for member in self.members:
            path = self._logs / f"{member.name}.log"
            lines = path.read_text(errors="replace").splitlines() if path.exists() else []
            said += [f"--- {member.name}", *(line[:300] for line in lines[-40:])]
        return "\n".join(said)

    async def victim(self, part: str, chance: Random) -> Member:
        """Whom a fault of this part hits."""
        return chance.choice([member for member in self.members if member.name.partition("-")[0] == part])

    async def taken_over(self, sleeper: Member) -> None:
        """Wait until another process than this one is the desk; gives up where there is no such thing."""

    def end(self) -> None:
        """No process is left."""
        self._stop.set()
        for member in self.members:
            member.signal(signal.SIGKILL)
            member.stop()


class OneServer(Form):
    """`auction serve`, with everything in it."""

    faults = OF_ONE_SERVER

    def __init__(self, place: World, host: str, settings: Mapping[str, str]) -> None:
        port, logs = free_port(), place.folder
        own = {"DATABASE_URL": place.postgres.dsn(), "AUCTION_PORT": str(port), **place.server_clock.environment}
        server = Member("server", auction("serve"), {**settings, **own}, logs / "server.log")
        super().__init__(port, host, [server], logs)


class Fleet(Form):
    """The processes that `auction fleet` starts, with a proxy between web processes and each desk."""

    faults = OF_A_FLEET

    def __init__(self, place: World, host: str, settings: Mapping[str, str], links: list[Proxy]) -> None:
        port, logs = free_port(), place.folder
        self._url, self._place = place.postgres.dsn(user=APP_ROLE), place
        shared = {
            "DATABASE_URL": self._url,
            "AUCTION_HOST": "127.0.0.1",
            "AUCTION_PORT": str(port),
            "AUCTION_DESK_SECRET": SECRET,
            **place.server_clock.environment,
        }
        own = {}
        for number, link in enumerate(links, 1):
            name = f"desk-{number}"
            link.targets[:] = [free_port()]
            own[name] = {
                "DATABASE_URL": epochs.signed(self._url, name),
                "AUCTION_DESK_PORT": str(link.targets[0]),
                "AUCTION_DESK_ADDRESS": f"127.0.0.1:{link.port}",
            }
        super().__init__(port, host, fleet.members({**settings, **shared}, DESKS, own=own, logs=logs), logs)
        self.links = links

    async def ready(self) -> bool:
        """Both web processes share the port: it is asked again and again, and a desk must give signs of life."""
        return await self._holder() is not None and all([await super(Fleet, self).ready() for _ in range(4)])

    async def victim(self, part: str, chance: Random) -> Member:
        if part not in {"desk", "standby"}:
            return await super().victim(part, chance)
        desks = [member for member in self.members if member.name.startswith("desk")]
        holder = await self._holder() or desks[0]
        return holder if part == "desk" else chance.choice([desk for desk in desks if desk is not holder])

    async def taken_over(self, sleeper: Member) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(TAKEN_OVER_WITHIN_S):
                while await self._holder() in {None, sleeper}:
                    await asyncio.sleep(0.1)
                await asyncio.sleep(WAKE_LATE_S)

    async def _holder(self) -> Member | None:
        """The desk that gives signs of life."""
        try:
            db = await connected(self._place.postgres.dsn(), within_s=0.5)
        except (*BROKEN, asyncpg.PostgresError):
            return None
        try:
            async with asyncio.timeout(2):
                held = await db.fetchval(HOLDER)
        except (*BROKEN, asyncpg.PostgresError, asyncpg.InterfaceError):
            return None
        finally:
            db.terminate()
        return next((one for one in self.members if one.running and held and held.endswith(f":{one.pid}")), None)


HOLDER = """
    SELECT l.holder FROM bidding.desk_lease l JOIN bidding.desk_health h USING (share)
    WHERE h.epoch = l.epoch AND h.real_at > clock_timestamp() - interval '2 seconds'
"""
