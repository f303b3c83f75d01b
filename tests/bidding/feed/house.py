"""A whole server on a free port, bidders with real sign-ins, and a client that reads the live protocol."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import uvicorn
from sqlalchemy import text
from websockets.asyncio.client import ClientConnection, connect

from app.platform import Platform
from app.serve import server_for
from bidding import api
from bidding.registration import service
from bidding.registration.schemas import UnlockLot
from kernel.actors import Actor, Role, platform
from kernel.clock import SystemClock, real_now
from kernel.identity.service import create_staff
from kernel.settings import load
from tests.bidding.support import admitted, publish
from tests.support.house import call
from tests.support.keys import SIGNING_KEYS

PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class Person:
    """Somebody signed in: the Cookie header, and who that is."""

    cookie: str
    actor: Actor
    username: str


class Client:
    """One live socket; frames are decoded, and what it has seen of events is kept."""

    def __init__(self, raw: ClientConnection) -> None:
        self.raw = raw
        self.seen: list[tuple[int, int]] = []
        """(from, to) of every frame of events, and (seq, seq) of every snapshot."""

    async def read(self) -> dict[str, Any]:
        frame: dict[str, Any] = json.loads(await self.raw.recv())
        if frame["t"] == "events":
            self.seen.append((frame["from"], frame["to"]))
        return frame

    async def next(self, *kinds: str) -> dict[str, Any]:
        """The next frame of one of these kinds; others are passed over."""
        while (frame := await self.read())["t"] not in kinds:
            pass
        return frame

    async def bid(self, price_fen: int, key: UUID | None = None, **more: object) -> dict[str, Any]:
        """Send a bid and read its answer; it stands confirmed unless told otherwise."""
        message = {"t": "bid", "key": str(key or uuid4()), "price_fen": price_fen, "confirm": price_fen} | more
        await self.raw.send(json.dumps({name: value for name, value in message.items() if value is not None}))
        return await self.next("ack", "refused")


class House:
    """The running server under test."""

    def __init__(self, parts: Platform, http: httpx.AsyncClient) -> None:
        self.parts = parts
        self.http = http
        self.origin = parts.settings.origin

    async def open_lot(self, **terms: object) -> UUID:
        """A lot that opened a second ago and runs for a day."""
        now = real_now()
        times = {"opens_at": now - timedelta(seconds=1), "scheduled_end": now + timedelta(days=1)}
        lot_id = await publish(self.parts.database, **(times | terms))
        await until(lambda: self.status(lot_id), "open")
        return lot_id

    async def status(self, lot_id: UUID) -> str:
        async with self.parts.database.reading(platform("test")) as tx:
            return (await api.get_result(tx, lot_id)).status

    async def sign_in(self, *roles: Role, court: str | None = None) -> Person:
        """Somebody new with these roles (a bidder unless told otherwise)."""
        username = f"u{uuid4().hex[:12]}"
        made = await create_staff(
            self.parts.database,
            self.parts.identity.passwords,
            username=username,
            real_name="某人",
            password=PASSWORD,
            roles=roles or (Role.BIDDER,),
            court_code=court,
            court_name=court,
        )
        body = {"username": made.username, "password": PASSWORD}
        answer = await self.http.post("/api/login", json=body, headers={"Origin": self.origin})
        assert answer.status_code == 201, answer.text
        cookie = answer.headers["set-cookie"].partition(";")[0]
        self.http.cookies.clear()
        actor = await self.parts.identity.resolve(cookie, "127.0.0.1")
        assert actor is not None
        return Person(cookie, actor, username)

    async def bidder(self, lot_id: UUID) -> Person:
        """Somebody admitted to the lot who has entered the bid password."""
        person = await self.sign_in()
        await admitted(self.parts.database, lot_id, person.actor)
        return person

    async def locked_bidder(self, lot_id: UUID) -> tuple[Person, Callable[[], Awaitable[object]]]:
        """Somebody admitted who has not entered the bid password in this session, and the way to do so."""
        person = await self.bidder(lot_id)
        other = await self.sign_in()
        database = self.parts.database
        fresh = Actor(
            person.actor.person_id, person.username, person.actor.roles, None, "127.0.0.1", other.actor.session_id
        )
        async with database.transaction(platform("test")) as tx:
            moved = "UPDATE kernel.login_session SET person_id = :person WHERE id = :id"
            await tx.session.execute(text(moved), {"person": fresh.person_id, "id": fresh.session_id})

        async def unlock() -> object:
            issued = await service.issue_password(database, fresh, lot_id)
            return await service.unlock(database, call(fresh), lot_id, UnlockLot(password=issued.password))

        return Person(other.cookie, fresh, person.username), unlock

    @asynccontextmanager
    async def watch(
        self, lot_id: UUID | str, person: Person | None = None, after: object = None, **more: Any
    ) -> AsyncIterator[Client]:
        """A live socket from our own page."""
        query = "" if after is None else f"?after={after}"
        uri = self.origin.replace("http", "ws") + f"/live/lots/{lot_id}{query}"
        headers = {"Cookie": person.cookie} if person else {}
        options = {"origin": self.origin, "additional_headers": headers, "proxy": None, "compression": None} | more
        async with connect(uri, **options) as raw:
            yield Client(raw)

    async def bid(self, person: Person, lot_id: UUID, body: dict[str, object]) -> httpx.Response:
        """Bid over HTTP."""
        headers = {"Cookie": person.cookie, "Origin": self.origin}
        return await self.http.post(f"/api/lots/{lot_id}/bids", json=body, headers=headers)


async def until(ask: Callable[[], Awaitable[object]], wanted: object, seconds: float = 5) -> None:
    """Ask until the answer is `wanted`."""
    async with asyncio.timeout(seconds):
        while await ask() != wanted:
            await asyncio.sleep(0.02)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def serve(database_url: str, **settings: object) -> AsyncIterator[House]:
    """A server over `database_url` while the body runs: desk, feed and HTTP, without the relay.

    The lots here are bidding's alone, so that auction's handlers would find none of theirs.
    """
    limits = {
        "bids_per_minute": 100_000,
        "sign_ins_per_minute": 100_000,
        "password_memory_kib": 19_456,
        "signing_keys": SIGNING_KEYS,
    }
    chosen = load({}, database_url=database_url, port=free_port(), **(limits | settings))
    parts = Platform(database_url, chosen, SystemClock())
    async with parts.running(), httpx.AsyncClient(base_url=chosen.origin, trust_env=False) as http:
        server = server_for(parts)
        serving = asyncio.create_task(server.serve())
        try:
            await until(_started(server), True)
            yield House(parts, http)
        finally:
            server.should_exit = True
            await serving


def _started(server: uvicorn.Server) -> Callable[[], Awaitable[object]]:
    async def started() -> bool:
        return server.started

    return started
