"""A fleet of real processes over one database, and bidders who reach each web process as a reverse proxy would."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any
from uuid import UUID

import asyncpg
import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from app.bench.ground import Ticket
from app.fleet import Member, auction
from kernel.clock import SystemClock, real_now
from tests.bidding.desk.house import MINUTE, House, add_tickets
from tests.bidding.desk.test_kill import Stream
from tests.bidding.feed.house import free_port
from tests.support.keys import SIGNING_KEYS

DESKS, WEBS = 3, 2
SECRET = "a-secret-of-at-least-thirty-two-characters"
STARTS_WITHIN_S = 60


class Fleet:
    """Desks and web processes; whoever a test has killed is started again by `whole`."""

    def __init__(
        self,
        url: str,
        redis_url: str | None,
        folder: Path,
        *,
        desks: int = DESKS,
        origin: str | None = None,
        more: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.url = url
        self.ports = [free_port() for _ in range(WEBS)]
        self.origin = origin or f"http://127.0.0.1:{self.ports[0]}"
        shared = {
            "DATABASE_URL": url,
            "AUCTION_DESK_SECRET": SECRET,
            "AUCTION_PUBLIC_ORIGIN": self.origin,
            "AUCTION_BIDS_PER_MINUTE": "1000000",
            "AUCTION_LOG_LEVEL": "info",
            "AUCTION_DATA_DIR": str(folder),
            "AUCTION_SIGNING_KEYS": SIGNING_KEYS,
            **({"REDIS_URL": redis_url} if redis_url else {}),
            **more,
        }
        desk, web = auction("serve", "--role", "desk"), auction("serve", "--role", "web")
        self.desks = [Member(f"desk-{n}", desk, shared, folder / f"desk-{n}.log") for n in range(desks)]
        self.webs = [
            Member(f"web-{n}", web, shared | {"AUCTION_PORT": str(port)}, folder / f"web-{n}.log")
            for n, port in enumerate(self.ports)
        ]
        self._folder = folder

    def stop(self) -> None:
        for member in [*self.webs, *self.desks]:
            member.signal(signal.SIGKILL)
            member.stop()

    def log(self, member: Member) -> str:
        path = self._folder / f"{member.name}.log"
        return path.read_text() if path.exists() else ""

    def tell(self) -> None:
        """The end of each log, which pytest shows beside a failure."""
        for member in [*self.desks, *self.webs]:
            sys.stdout.write(f"--- {member.name}\n{self.log(member)[-3000:]}\n")

    @asynccontextmanager
    async def whole(self) -> AsyncIterator[House]:
        """Every process runs and is ready: all desks look at the leases, one decides, all web processes answer."""
        for member in [*self.desks, *self.webs]:
            if not member.running:
                member.start()
        db = await asyncpg.connect(self.url)
        try:
            async with asyncio.timeout(STARTS_WITHIN_S):
                while not await self._ready(db):
                    await asyncio.sleep(0.1)
            yield House(self.url, SystemClock(), db)
        finally:
            await db.close()

    async def _ready(self, db: Any) -> bool:
        looking = await db.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'standby' AND datname = current_database()"
        )
        if looking < len(self.desks) or await self._holder(db) is None:
            return False
        try:
            async with httpx.AsyncClient(trust_env=False) as http:
                for port in self.ports:
                    await http.get(f"http://127.0.0.1:{port}/health/live")
        except httpx.TransportError:
            return False
        return True

    async def _holder(self, db: Any) -> Member | None:
        """The desk that gives signs of life."""
        held = await db.fetchval(
            "SELECT l.holder FROM bidding.desk_lease l JOIN bidding.desk_health h USING (share)"
            " WHERE h.epoch = l.epoch AND h.real_at > clock_timestamp() - interval '2 seconds'"
        )
        return next((desk for desk in self.desks if desk.running and held and held.endswith(f":{desk.pid}")), None)

    async def holder(self, place: House) -> Member:
        """The desk that decides, once there is one."""
        async with asyncio.timeout(15):
            while (desk := await self._holder(place.db)) is None:
                await asyncio.sleep(0.05)
        return desk

    async def lot(self, place: House, ends_in: timedelta = timedelta(days=1)) -> UUID:
        """A lot that has been open for an hour."""
        now = real_now()
        return await place.lot(now - 60 * MINUTE, now + ends_in)

    async def tickets(self, *lots: UUID) -> list[Ticket]:
        """A bidder, signed in and admitted, for each lot."""
        return await add_tickets(self.url, list(lots))

    @asynccontextmanager
    async def watch(
        self, web: int, lot_id: UUID, ticket: Ticket | None = None, after: object = None
    ) -> AsyncIterator[Any]:
        """A live socket through this web process."""
        query = "" if after is None else f"?after={after}"
        headers = {"Cookie": f"session={ticket.token}"} if ticket else {}
        uri = f"ws://{self.origin.removeprefix('http://')}/live/lots/{lot_id}{query}"
        options: dict[str, Any] = {"host": "127.0.0.1", "port": self.ports[web], "proxy": None, "compression": None}
        async with connect(uri, origin=self.origin, additional_headers=headers, **options) as live:  # type: ignore[arg-type]
            yield live

    async def http(
        self, web: int, method: str, path: str, ticket: Ticket, body: dict[str, object] | None = None
    ) -> httpx.Response:
        """A request through this web process."""
        headers = {"Cookie": f"session={ticket.token}", "Origin": self.origin, "Host": self.origin.partition("://")[2]}
        async with httpx.AsyncClient(trust_env=False) as http:
            return await http.request(
                method, f"http://127.0.0.1:{self.ports[web]}{path}", json=body, headers=headers, timeout=10
            )

    @asynccontextmanager
    async def bidding(self, lot_id: UUID, tickets: list[Ticket]) -> AsyncIterator["Crowd"]:
        """Bidders who send on through all web processes until the body ends."""
        crowd = Crowd(self, lot_id)
        tasks = [asyncio.create_task(crowd.send_on(ticket, n)) for n, ticket in enumerate(tickets)]
        try:
            yield crowd
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


class Crowd(Stream):
    """The stream of the kill tests, through whichever web process answers."""

    def __init__(self, fleet: Fleet, lot_id: UUID) -> None:
        super().__init__()
        self._fleet = fleet
        self.lot_id = lot_id

    async def send_on(self, ticket: Ticket, web: int) -> None:
        while True:
            web += 1
            try:
                async with self._fleet.watch(web % WEBS, self.lot_id, ticket) as live:
                    while True:
                        await self._one(live)
            except (OSError, TimeoutError, WebSocketException):
                await asyncio.sleep(0.05)

    async def all_kept(self, place: House) -> None:
        """Every acknowledgement by key, seq and price; no seq is missing or doubled (invariants 10, 11)."""
        acks = list(self.acks)
        rows = {row["key"]: row for row in await place.submissions(self.lot_id)}
        assert [(key, rows[key]["seq"], rows[key]["price_fen"]) for key, _, _ in acks if key in rows] == acks
        seqs = [row["seq"] for row in rows.values() if row["seq"] is not None]
        assert seqs == list(range(1, len(seqs) + 1))


async def read(live: ClientConnection, *kinds: str) -> dict[str, Any]:
    """The next frame of one of these kinds."""
    while (frame := json.loads(await live.recv()))["t"] not in kinds:
        pass
    return frame  # type: ignore[no-any-return]


async def bid(live: ClientConnection, price_fen: int, key: UUID) -> dict[str, Any]:
    """Send a bid and read its answer."""
    await live.send(json.dumps({"t": "bid", "key": str(key), "price_fen": price_fen, "confirm": price_fen}))
    while (answer := await read(live, "ack", "refused"))["key"] != str(key):
        pass
    return answer
