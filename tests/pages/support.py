"""A whole server in a thread of its own, so that browser tests are plain functions; lots that run out right now."""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID, uuid4

import httpx

from app.platform import Platform
from app.serve import server_for
from appraisal.assets.rules import AssetKind
from auction.lots.rules import Round
from kernel.clock import SystemClock, real_now
from kernel.money import Fen
from kernel.settings import load
from tests.auction.support import make_place, make_published_lot
from tests.bidding.feed.house import free_port
from tests.support.house import opened

T = TypeVar("T")

PASSWORD = "correct horse battery"
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
START, STEP, DEPOSIT = Fen(28_000_000), Fen(200_000), Fen(4_000_000)
REFERENCE = Fen(39_800_000)
TITLE = "杭州市拱墅区某小区38.5平方米住宅一套"


class Site:
    """The running platform; everything here may be called from the test's thread."""

    def __init__(self, parts: Platform, loop: asyncio.AbstractEventLoop, url: str) -> None:
        self.origin = parts.settings.origin
        self._parts, self._loop, self._url = parts, loop, url
        self._http = httpx.Client(base_url=self.origin, trust_env=False)

    def lot(self, *, lasts: timedelta = DAY, opened: timedelta = DAY, **about: Any) -> UUID:
        """A published lot that opened so long ago (in future if negative) and ends after `lasts`."""
        lot_id = self.run(self._lot(lasts, opened, about))
        wanted = "open" if opened > timedelta() else "upcoming"
        until(lambda: self.status(lot_id) == wanted)
        return lot_id

    async def _lot(self, lasts: timedelta, opened_ago: timedelta, about: dict[str, Any]) -> UUID:
        opens_at = real_now() - opened_ago
        ends_at = max(real_now() + lasts, opens_at + DAY)
        terms: dict[str, Any] = {
            "start_price_fen": START,
            "increment_fen": STEP,
            "deposit_fen": DEPOSIT,
            "title": TITLE,
        }
        terms |= about.pop("terms", {}) | {"round": Round.ROUND_1, "opens_at": opens_at, "scheduled_end": ends_at}
        asset: dict[str, Any] = {
            "kind": AssetKind.IMMOVABLE,
            "place": "浙江省杭州市拱墅区",
            "reference_price_fen": REFERENCE,
        } | about
        async with opened(self._url, opens_at - 45 * DAY) as database:
            return await make_published_lot(await make_place(database, **asset), **terms)

    def status(self, lot_id: UUID) -> str | None:
        """Where the lot stands for bidding; None while it has not heard of it."""
        lots = self.get(f"/api/live/lots?ids={lot_id}").json()["lots"]
        return lots[0]["status"] if lots else None

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do `work` on the server's loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self._http.get(path, headers=headers)

    def bidder(self, lot_id: UUID, number: int) -> "Bidder":
        """Somebody registered, admitted and unlocked over the API."""
        bidder = Bidder(httpx.Client(base_url=self.origin, trust_env=False, headers={"origin": self.origin}))
        bidder.sign_up(number)
        bidder.take_part(lot_id)
        return bidder

    def close(self) -> None:
        self._http.close()


@dataclass
class Bidder:
    """A person at the API, without a browser."""

    http: httpx.Client = field(repr=False)
    code: str = ""

    def sign_up(self, number: int) -> None:
        told = {"username": f"bidder-{number}", "password": PASSWORD}
        self.post("/api/register", told | {"real_name": "沈一鸣", "id_number": id_number(number)})
        self.post("/api/login", told)

    def take_part(self, lot_id: UUID) -> None:
        version = self.http.get(f"/api/lots/{lot_id}").json()["announcement_version"]
        wanted = {"kind": "ordinary", "accepts": version, "declares_eligible": True}
        self.post(f"/api/lots/{lot_id}/registrations", wanted)
        until(lambda: self.http.get(f"/api/lots/{lot_id}/deposit").status_code == 200)
        deposit = self.http.get(f"/api/lots/{lot_id}/deposit").json()
        transfer = {"from_account": "6222000000000012345", "payer_name": "沈一鸣", "amount_fen": deposit["missing_fen"]}
        self.post("/api/simulated-bank/transfers", transfer | {"to_account_no": deposit["account_no"]})
        until(lambda: self.own(lot_id)["state"] == "admitted")
        password = self.post(f"/api/lots/{lot_id}/bid-password")["password"]
        self.code = self.post(f"/api/lots/{lot_id}/unlock", {"password": password})["code"]

    def own(self, lot_id: UUID) -> dict[str, Any]:
        own: dict[str, Any] = self.http.get(f"/api/lots/{lot_id}/registration").json()
        return own

    def bid(self, lot_id: UUID, price_fen: int) -> dict[str, Any]:
        return self.post(
            f"/api/lots/{lot_id}/bids", {"key": str(uuid4()), "price_fen": price_fen, "confirm": price_fen}
        )

    def post(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """A command under a fresh key; anything but success fails the test."""
        answer = self.http.post(path, json=body, headers={"idempotency-key": uuid4().hex})
        assert answer.status_code == 201, answer.text
        told: dict[str, Any] = answer.json() if answer.content else {}
        return told


def id_number(number: int) -> str:
    """A well-formed identity number of nobody, a different one for each `number`."""
    body = f"99990019900101{number:03d}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return body + "10X98765432"[sum(int(digit) * weight for digit, weight in zip(body, weights, strict=True)) % 11]


def until(true: Callable[[], bool], seconds: int = 10) -> None:
    """Ask until it is true."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "did not become true in time"
        time.sleep(0.02)


@contextmanager
def serving_site(url: str) -> Iterator[Site]:
    """The platform over the database at `url`, on a free port, while the body runs."""
    settings = load({}, database_url=url, port=free_port(), password_memory_kib=19_456)
    ready = threading.Event()
    made: list[tuple[Platform, asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def serve() -> None:
        parts, stop = Platform(url, settings, SystemClock()), asyncio.Event()
        async with parts.running(), parts.working():
            server = server_for(parts)
            task = asyncio.create_task(server.serve())
            while not server.started and not task.done():
                await asyncio.sleep(0.01)
            made.append((parts, asyncio.get_running_loop(), stop))
            ready.set()
            await stop.wait()
            server.should_exit = True
            await task

    thread = threading.Thread(target=asyncio.run, args=(serve(),), name="site")
    thread.start()
    assert ready.wait(20), "the server did not start"
    parts, loop, stop = made[0]
    site = Site(parts, loop, url)
    try:
        yield site
    finally:
        site.close()
        loop.call_soon_threadsafe(stop.set)
        thread.join(20)
