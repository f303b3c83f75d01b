"""A whole server in the test's own loop, lots that run out right now, and bidders at the API."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx

from app.platform import Platform
from app.rehearsal import Rehearsal
from app.serve import server_for
from appraisal.assets.rules import AssetKind
from appraisal.cases.rules import Subject
from auction.lots.rules import Round
from kernel.actors import Role
from kernel.clock import Pace, ScaledClock, real_now, to_ms
from kernel.identity.service import create_staff
from kernel.money import Fen
from kernel.settings import load
from tests.appraisal.support import QUICK_PASSWORDS, make_decision
from tests.auction.support import Place, make_place, make_published_lot
from tests.bidding.feed.house import free_port
from tests.support.house import opened
from tests.support.keys import ANCHORS, SIGNING_KEYS
from tests.support.people import id_number

NUMBERS = count(100)
"""Of people, so that no two of a run have one name or identity number."""

PASSWORD = "correct horse battery"
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
START, STEP, DEPOSIT = Fen(28_000_000), Fen(200_000), Fen(4_000_000)
REFERENCE = Fen(39_800_000)
LIMITS: dict[str, Any] = {"password_memory_kib": 19_456, "sign_ups_per_minute": 10_000, "sign_ins_per_minute": 10_000}
TITLE = "杭州市拱墅区某小区38.5平方米住宅一套"


class Site:
    """The running platform over the database at `url`, in a rehearsal of its own: `pass_time` moves its clock."""

    def __init__(self, parts: Platform, url: str, rehearsal: Rehearsal) -> None:
        origin = parts.settings.origin
        self.parts = parts
        self.origin = origin
        self._rehearsal = rehearsal
        self.http = httpx.AsyncClient(base_url=origin, trust_env=False)
        self.url = url
        self._clients = [self.http]
        self.places: dict[UUID, Place] = {}
        """The court and case of each lot made here."""

    async def lot(self, *, lasts: timedelta = DAY, opened_ago: timedelta = DAY, **about: Any) -> UUID:
        """A published lot that opened so long ago (will open, if negative) and ends after `lasts`."""
        now = self.parts.clock.now()
        opens_at = now - opened_ago
        ends_at = max(now + lasts, opens_at + DAY)
        terms: dict[str, Any] = {"start_price_fen": START, "increment_fen": STEP, "deposit_fen": DEPOSIT}
        terms |= {"title": TITLE} | about.pop("terms", {})
        terms |= {"round": Round.ROUND_1, "opens_at": opens_at, "scheduled_end": ends_at}
        asset: dict[str, Any] = {"kind": AssetKind.IMMOVABLE, "place": "浙江省杭州市拱墅区"}
        asset |= {"reference_price_fen": REFERENCE} | about
        async with opened(self.url, opens_at - 45 * DAY) as database:
            place = await make_place(database, **asset)
            lot_id = await make_published_lot(place, **terms)
            self.places[lot_id] = place
        wanted = "open" if opened_ago > timedelta() else "upcoming"
        await until(lambda: self._has(lot_id, "status", wanted))
        return lot_id

    async def pass_time(self, by: timedelta) -> None:
        """Let platform time pass; everything that falls due meanwhile is done."""
        await self._rehearsal.forward(self.parts.clock.now() + by)

    async def decide(self, lot_id: UUID, subject: Subject, facts: dict[str, Any] | None = None) -> UUID:
        """A decision of the panel in the case of a lot."""
        place = self.places[lot_id]
        async with opened(self.url, self.parts.clock.now()) as database:
            return (await make_decision(database, place.court, place.case, subject, facts=facts)).id

    async def staff(self, lot_id: UUID, role: Role) -> "Bidder":
        """Somebody of the lot's court, signed in."""
        username = f"{role}-{uuid4().hex[:8]}"
        await create_staff(
            self.parts.database,
            QUICK_PASSWORDS,
            username=username,
            real_name="法院人员",
            password=PASSWORD,
            roles=[role],
            court_code=self.places[lot_id].court.code,
        )
        person = self.stranger()
        await person.post("/api/login", {"username": username, "password": PASSWORD})
        return person

    def stranger(self) -> "Bidder":
        """Somebody who has not signed in."""
        http = httpx.AsyncClient(base_url=self.origin, trust_env=False, headers={"origin": self.origin})
        self._clients.append(http)
        return Bidder(http)

    async def leader(self, lot_id: UUID) -> str | None:
        """Whose bid leads, by code."""
        code: str | None = (await self._now(lot_id))["leader"]
        return code

    async def bids(self, lot_id: UUID) -> int:
        """How many bids were accepted."""
        return int((await self._now(lot_id))["bids"])

    async def bidder(self, lot_id: UUID) -> "Bidder":
        """Somebody registered, admitted and unlocked over the API."""
        bidder = await self.person()
        await bidder.take_part(lot_id)
        return bidder

    async def person(self) -> "Bidder":
        """Somebody who opened an account and signed in."""
        bidder = self.stranger()
        await bidder.sign_up(next(NUMBERS))
        return bidder

    async def close(self) -> None:
        """End every client's connections."""
        for http in self._clients:
            await http.aclose()

    async def _has(self, lot_id: UUID, name: str, wanted: str) -> bool:
        return bool((await self._now(lot_id)).get(name) == wanted)

    async def _now(self, lot_id: UUID) -> dict[str, Any]:
        lots = (await self.http.get(f"/api/live/lots?ids={lot_id}")).json()["lots"]
        return lots[0] if lots else {}


@dataclass
class Bidder:
    """A person at the API, without a browser."""

    http: httpx.AsyncClient = field(repr=False)
    code: str = ""

    async def sign_up(self, number: int) -> None:
        told = {"username": f"bidder-{number}", "password": PASSWORD}
        await self.post("/api/register", told | {"real_name": "沈一鸣", "id_number": id_number(number)})
        await self.post("/api/login", told)

    async def take_part(self, lot_id: UUID) -> None:
        lot = await self.read(f"/api/lots/{lot_id}")
        wanted = {"kind": "ordinary", "accepts": lot["announcement_version"], "declares_eligible": True}
        await self.post(f"/api/lots/{lot_id}/registrations", wanted)
        await until(lambda: self._finds(f"/api/lots/{lot_id}/deposit"))
        deposit = await self.read(f"/api/lots/{lot_id}/deposit")
        transfer = {"from_account": "6222000000000012345", "payer_name": "沈一鸣", "amount_fen": deposit["missing_fen"]}
        await self.post("/api/simulated-bank/transfers", transfer | {"to_account_no": deposit["account_no"]})
        await until(lambda: self._admitted(lot_id))
        password = (await self.post(f"/api/lots/{lot_id}/bid-password"))["password"]
        self.code = (await self.post(f"/api/lots/{lot_id}/unlock", {"password": password}))["code"]

    async def bid(self, lot_id: UUID, price_fen: int) -> dict[str, Any]:
        told = {"key": str(uuid4()), "price_fen": price_fen, "confirm": price_fen}
        return await self.post(f"/api/lots/{lot_id}/bids", told)

    async def read(self, path: str) -> dict[str, Any]:
        told: dict[str, Any] = (await self.http.get(path)).json()
        return told

    async def post(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """A command under a fresh key; anything but success fails the test."""
        answer = await self.http.post(path, json=body, headers={"idempotency-key": uuid4().hex})
        assert answer.status_code == 201, answer.text
        told: dict[str, Any] = answer.json() if answer.content else {}
        return told

    async def until_finds(self, path: str) -> None:
        """Wait until there is something at `path`."""
        await until(lambda: self._finds(path), 20)

    async def _finds(self, path: str) -> bool:
        return (await self.http.get(path)).status_code == 200

    async def _admitted(self, lot_id: UUID) -> bool:
        return bool((await self.read(f"/api/lots/{lot_id}/registration"))["state"] == "admitted")


async def until(true: Callable[[], Awaitable[bool]], seconds: int = 10) -> None:
    """Ask until it is true."""
    async with asyncio.timeout(seconds):
        while not await true():
            await asyncio.sleep(0.02)


@asynccontextmanager
async def serving_site(url: str, folder: Path) -> AsyncIterator[Site]:
    """The platform over the database at `url`, on a free port, while the body runs; `folder` marks the rehearsal."""
    settings = load({}, database_url=url, port=free_port(), signing_keys=SIGNING_KEYS, anchor_dir=ANCHORS, **LIMITS)
    real_ms = to_ms(real_now())
    clock = ScaledClock(Pace(real_ms, real_ms, 1, real_ms, 1))
    parts = Platform(url, settings, clock)
    async with parts.running(), parts.working():
        server = server_for(parts)
        serving = asyncio.create_task(server.serve())
        try:
            while not server.started and not serving.done():
                await asyncio.sleep(0.01)
            site = Site(parts, url, Rehearsal(parts.database, clock, folder))
            try:
                yield site
            finally:
                await site.close()
        finally:
            server.should_exit = True
            await serving
