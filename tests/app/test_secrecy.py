"""Invariant 16: before the close nothing that anybody is shown ties a bidder to a lot or a code.

Every trait of two bidders is a word found nowhere else. They register, pay and bid; then everybody asks everything.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from sqlalchemy import text
from websockets.asyncio.client import connect

from app.platform import Platform
from app.serve import server_for
from auction.lots import service as lots
from kernel.actors import Role, platform
from kernel.clock import FrozenClock
from kernel.ddl import APP_ROLE
from tests.app.doors import Door, attempt, doors_of
from tests.auction.support import make_place
from tests.bidding.feed.house import free_port
from tests.kernel.identity.test_rules import numbered
from tests.settlement.hall import Hall
from tests.support.house import START, frozen
from tests.support.web import PASSWORD, SETTINGS, Browser, Site, signed_in

pytestmark = pytest.mark.anyio


@dataclass(frozen=True)
class Marked:
    """A bidder whose every trait is unique."""

    username: str
    real_name: str
    id_number: str
    account: str
    address: str

    def markers(self) -> list[str]:
        return [self.username, self.real_name, self.id_number, self.account, self.address, self.id_number[6:14]]


WINNER = Marked("mk-wolverine", "欧阳墨标", numbered("11010519310714321"), "6222987654321098", "10.77.66.55")
LOSER = Marked("mk-platypus", "司徒印记", numbered("44052419420917654"), "6228123409871234", "10.77.66.56")


@dataclass
class Sale:
    """A lot on its way, and how to look at it as anybody."""

    site: Site
    hall: Hall
    lot_id: UUID
    bidders: dict[Marked, Browser]
    codes: dict[Marked, str]

    async def join(self, who: Marked) -> None:
        """Sign up, register, pay the deposit from a bank account, and enter the bid password."""
        browser = self.bidders[who] = Browser(self.site, who.address)
        sent = {"username": who.username, "real_name": who.real_name, "id_number": who.id_number}
        await done(browser.post("/api/register", sent | {"password": PASSWORD}))
        await done(browser.sign_in(who.username))
        lot = f"/api/lots/{self.lot_id}"
        accepts = (await browser.get(lot)).json()["announcement_version"]
        wanted = {"kind": "ordinary", "accepts": accepts, "declares_eligible": True}
        await done(browser.post(f"{lot}/registrations", wanted))
        await self.site.parts.relay.settle()
        deposit = (await browser.get(f"{lot}/deposit")).json()
        bank = await signed_in(self.site, Role.MACHINE)
        credit = {
            "bank_ref": str(uuid4()),
            "account_no": deposit["account_no"],
            "amount_fen": deposit["due_fen"],
            "payer_name": who.real_name,
            "payer_account": who.account,
            "booked_at": "2025-03-03T09:00:00+08:00",
        }
        await done(bank.post("/api/bank/credits", credit))
        await self.site.parts.relay.settle()
        issued = await done(browser.post(f"{lot}/bid-password"))
        own = await done(browser.post(f"{lot}/unlock", {"password": issued["password"]}))
        self.codes[who] = own["code"]

    async def everything(self) -> list[tuple[str, str]]:
        """What every role of the court, strangers and visitors are answered by every route that reads."""
        lot = await self._lot()
        ids = {"lot_id": self.lot_id, "case_id": lot.case_id, "asset_id": lot.asset_id}
        court = self.hall.court.code
        people = {role.value: await signed_in(self.site, role, court=court) for role in Role}
        people["everything at once"] = await signed_in(self.site, *Role, court=court)
        people["visitor"] = Browser(self.site)
        doors = [door for door in doors_of(self.site) if door.method == "GET" and "{release" not in door.path]
        return [
            (f"{name}: {door}", await self._answer(browser, door, ids))
            for name, browser in people.items()
            for door in doors
        ]

    async def _answer(self, browser: Browser, door: Door, ids: dict[str, UUID]) -> str:
        path = door.at(**ids)
        answer = await browser.http.get(path) if not path.startswith("/api") else await attempt(browser, door, path)
        return f"{answer.headers} {answer.text}"

    async def _lot(self) -> Any:
        async with self.site.database.reading(platform("test")) as tx:
            return await lots.get_lot(tx, self.lot_id)


async def done(posting: Any) -> Any:
    answer = await posting
    assert answer.status_code == 201, answer.text
    return answer.json()


def hits(seen: list[tuple[str, str]], *people: Marked) -> list[tuple[str, str]]:
    """Where a trait of one of these people stands in what was seen."""
    return [
        (where, marker)
        for where, shown in seen
        for who in people
        for marker in who.markers()
        if marker in shown or json.dumps(marker).strip('"') in shown
    ]


@asynccontextmanager
async def sale(url: str) -> AsyncIterator[Sale]:
    settings = msgspec.structs.replace(SETTINGS, port=free_port(), proxies="127.0.0.1")
    parts = Platform(url.replace("postgres@", f"{APP_ROLE}@", 1), settings, FrozenClock(START))
    try:
        hall = Hall(parts.database, await make_place(parts.database), parts.relay)
        yield Sale(Site(parts), hall, await hall.lot(), {}, {})
    finally:
        await parts.database.close()


@asynccontextmanager
async def listening(parts: Platform) -> AsyncIterator[None]:
    """The desk decides and the port is open while the body runs."""
    async with parts.running():
        server = server_for(parts)
        serving = asyncio.create_task(server.serve())
        try:
            async with asyncio.timeout(10):
                while not server.started:
                    await asyncio.sleep(0.01)
            yield
        finally:
            server.should_exit = True
            await serving


async def bid(place: Sale, who: Marked, price_fen: int, frames: list[str]) -> dict[str, Any]:
    """Bid over a live socket; what others are told meanwhile is kept in `frames`."""
    uri = place.site.origin.replace("http", "ws") + f"/live/lots/{place.lot_id}"
    own_headers = {"Cookie": f"session={place.bidders[who].token}", "X-Forwarded-For": who.address}
    origin: Any = place.site.origin
    async with (
        connect(uri, origin=origin, proxy=None) as other,
        connect(uri, origin=origin, proxy=None, additional_headers=own_headers) as own,
    ):
        message = {"t": "bid", "key": str(uuid4()), "price_fen": price_fen, "confirm": price_fen}
        await own.send(json.dumps(message))
        async with asyncio.timeout(5):
            while (answer := json.loads(await own.recv()))["t"] not in ("ack", "refused"):
                pass
            if answer["t"] == "ack":
                while f'"price_fen":{price_fen}' not in (frame := str(await other.recv())):
                    frames.append(frame)
                frames.append(frame)
        frames.append(json.dumps(answer, ensure_ascii=False))
        told: dict[str, Any] = answer
        return told


async def test_nobody_learns_who_bids_before_the_close(
    database_url: str, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """Logs are looked at before anything in them is blanked."""
    caplog.set_level(logging.INFO)
    frames: list[str] = []
    async with sale(database_url) as place:
        clock = frozen(place.site.database)
        lot = await place._lot()
        for who in (WINNER, LOSER):
            await place.join(who)
        clock.set(lot.opens_at + timedelta(hours=1))
        async with listening(place.site.parts):
            assert (await bid(place, LOSER, 70_000_00, frames))["t"] == "ack"
            assert (await bid(place, WINNER, 70_500_00, frames))["t"] == "ack"
            assert (await bid(place, LOSER, 70_500_00, frames))["code"] == "below-minimum"
            refused = await place.bidders[LOSER].post(
                f"/api/lots/{place.lot_id}/bids", {"key": str(uuid4()), "price_fen": 1}
            )
            frames.append(refused.text)
            seen = await place.everything()
            own = await place.bidders[WINNER].get("/api/me")
        seen += [("frame", frame) for frame in frames]
        seen += [("log", caplog.text), ("log", capsys.readouterr().out)]
        shown = "".join(text_ for _, text_ in seen)
        assert place.codes[WINNER] in shown, "the codes are public, so somebody looked at the lot"
        assert hits([("me", own.text)], WINNER), "and the search finds what is there"
        assert len(seen) > 400
        assert hits(seen, WINNER, LOSER) == []
        assert await kept_beside_the_link(place) == []

        clock.set(lot.scheduled_end + timedelta(seconds=1))
        async with place.hall.desk():
            pass
        await place.site.parts.relay.settle()
        confirmed = (await Browser(place.site).get(f"/api/lots/{place.lot_id}/confirmation")).text
        assert WINNER.real_name in confirmed, "the law publishes the buyer's name after the sale (R-CLOSE-01)"
        public = [("confirmation", confirmed)]
        assert {marker for _, marker in hits(public, WINNER, LOSER)} == {WINNER.real_name}


async def kept_beside_the_link(place: Sale) -> list[str]:
    """Rows that name a bidder and, beside that, the registration, the code or the lot: only one table may."""
    kept = (
        "SELECT concat('audit ', e, convert_from(e.facts, 'UTF8')) FROM kernel.audit_entry e"
        " UNION ALL SELECT concat('answer ', i, convert_from(i.answer, 'UTF8')) FROM kernel.idempotency i"
        " UNION ALL SELECT concat('outbox ', o) FROM kernel.outbox o"
    )
    async with place.site.database.reading(platform("test")) as tx:
        rows = [str(row) for row in (await tx.session.scalars(text(kept))).all()]
    assert len(rows) > 20
    found = []
    for who, browser in place.bidders.items():
        own = (await browser.get(f"/api/lots/{place.lot_id}/registration")).json()
        names = ((await browser.get("/api/me")).json()["id"], *who.markers())
        ties = (own["registration_id"], own["code"], str(place.lot_id))
        found += [row for row in rows if any(name in row for name in names) and any(tie in row for tie in ties)]
    return found
