"""The doors of auction over HTTP: a court drafts, fills in and publishes a lot; everybody finds and checks it."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, cast
from urllib.parse import quote

import httpx
import msgspec
import pytest

from app.asgi import create_app
from app.platform import Platform
from kernel.actors import Role
from kernel.clock import FrozenClock, beijing
from kernel.identity.service import create_staff
from kernel.ids import ordered_id
from kernel.settings import Settings
from tests.appraisal.support import QUICK_PASSWORDS
from tests.auction import support
from tests.support.house import START
from tests.support.keys import SIGNING_KEYS

pytestmark = pytest.mark.anyio

SETTINGS = Settings(signing_keys=SIGNING_KEYS)
PASSWORD = "a long password"
PNG = b"\x89PNG\r\n\x1a\nrest"


class Caller:
    """A browser of one person, or of nobody."""

    def __init__(self, parts: Platform) -> None:
        transport = httpx.ASGITransport(app=cast(Any, create_app(parts)), raise_app_exceptions=False)
        self.http = httpx.AsyncClient(transport=transport, base_url=SETTINGS.origin)

    async def get(self, path: str, **query: Any) -> httpx.Response:
        return await self.http.get(path, params=query)

    async def post(self, path: str, body: Any = None, key: str | None = None, **headers: str) -> httpx.Response:
        content = body if isinstance(body, bytes) else msgspec.json.encode(body) if body is not None else b""
        headers = {"origin": SETTINGS.origin, "idempotency-key": key or str(ordered_id())} | headers
        if not isinstance(body, bytes):
            headers["content-type"] = "application/json"
        return await self.http.post(path, content=content, headers=headers)


@asynccontextmanager
async def house(url: str) -> AsyncIterator[Platform]:
    parts = Platform(url, SETTINGS, FrozenClock(START))
    try:
        yield parts
    finally:
        await parts.database.close()


async def signed_in(parts: Platform, place: support.Place, role: Role) -> Caller:
    """Another person of the place's court."""
    username = f"{role}-{ordered_id().hex[-6:]}"
    await create_staff(
        parts.database,
        QUICK_PASSWORDS,
        username=username,
        real_name="法院人员",
        password=PASSWORD,
        roles=[role],
        court_code=place.court.code,
    )
    caller = Caller(parts)
    answer = await caller.post("/api/login", {"username": username, "password": PASSWORD})
    assert answer.status_code == 201, answer.text
    return caller


async def wanted_terms(place: support.Place) -> dict[str, Any]:
    return {
        "asset_id": str(place.asset_id),
        "round": "round_1",
        "title": "宝马牌轿车",
        "method": "auction",
        "start_price_fen": 70_000_00,
        "increment_fen": 500_00,
        "deposit_fen": 7_000_00,
        "opens_at": beijing(START + timedelta(days=40)),
        "scheduled_end": beijing(START + timedelta(days=41)),
        "balance_due_days": 10,
        "decision_id": str(await support.decide(place)),
    }


async def test_a_court_publishes_and_everybody_checks(database_url: str) -> None:
    async with house(database_url) as parts:
        place = await support.make_place(parts.database)
        clerk, judge, public = (
            await signed_in(parts, place, Role.CLERK),
            await signed_in(parts, place, Role.JUDGE),
            Caller(parts),
        )
        terms = await wanted_terms(place)
        drafted = await clerk.post("/api/lots", terms, key="draft-the-car")
        assert drafted.status_code == 201, drafted.text
        again = await clerk.post("/api/lots", terms, key="draft-the-car")
        assert again.json() == drafted.json()
        lot = f"/api/lots/{drafted.json()['id']}"
        assert (await public.get(lot)).status_code == 404
        assert (await clerk.get(f"/api/cases/{place.case.id}/lots")).json()["lots"][0]["status"] == "draft"

        filled = await clerk.post(f"{lot}/checklist", {"items": support.CHECKLIST_TEXTS})
        assert [missing["rule"] for missing in filled.json()["missing"]] == ["R-PUB-05"]
        refused = await judge.post(f"{lot}/publish")
        assert (refused.status_code, refused.json()["rule"]) == (409, "R-PUB-05")
        assert refused.json()["law"] == "法释〔2016〕18号 第十六条"
        for party in filled.json()["notices"]:
            notice = {"party_id": party["party_id"], "outcome": "notified", "on": "2025-03-03", "proof": "回证"}
            assert (await clerk.post(f"{lot}/notices", notice)).status_code == 201
        picture = await clerk.post(f"{lot}/documents?kind=picture", PNG, **{"x-file-name": quote("车 正面.png")})
        assert picture.status_code == 201, picture.text
        assert picture.json()["name"] == "车 正面.png"
        assert (await public.get(f"/api/documents/{picture.json()['id']}")).status_code == 404
        words = await clerk.post(f"{lot}/documents?kind=other", "说明".encode(), **{"x-file-name": quote("说明.txt")})

        frozen_clock = parts.clock
        assert isinstance(frozen_clock, FrozenClock)
        frozen_clock.advance(timedelta(days=3))
        published = await judge.post(f"{lot}/publish")
        assert published.status_code == 201, published.text
        announcement = await public.get(f"{lot}/announcement")
        assert hashlib.sha256(announcement.content).hexdigest() == published.json()["announcement_version"]
        shown = await public.get(f"/api/documents/{picture.json()['id']}")
        assert (shown.content, shown.headers["content-type"]) == (PNG, "image/png")
        assert shown.headers["x-content-type-options"] == "nosniff"
        told = await public.get(f"/api/documents/{words.json()['id']}")
        assert (told.text, told.headers["content-type"]) == ("说明", "text/plain; charset=utf-8")
        page = (await public.get(lot)).json()
        assert page["announcement"]["terms"]["start_price_fen"] == 70_000_00
        assert page["opens_at"].endswith("+08:00")
        found = (await public.get("/api/lots", q="宝马", round="round_1", kind="movable", price_max=8_000_000)).json()
        assert [card["picture"] for card in found["lots"]] == [picture.json()["id"]]
        assert (await public.get("/api/statistics", year=2025)).json()["rounds"] == 0


@pytest.mark.parametrize(
    ("field", "value", "path"),
    [
        ("start_price_fen", 70_000.5, "start_price_fen"),
        ("start_price_fen", "7000000", "start_price_fen"),
        ("start_price_fen", 0, "start_price_fen"),
        ("deposit_fen", True, "deposit_fen"),
        ("opens_at", "2025-04-12T09:00:00", "opens_at"),
        ("round", "round_3", "round"),
        ("method", "sell_off", "method"),
        ("scheduled_end", "2025-01-01T09:00:00+08:00", "scheduled_end"),
        ("surprise", 1, "surprise"),
    ],
)
async def test_unreadable_terms_name_their_place(database_url: str, field: str, value: object, path: str) -> None:
    async with house(database_url) as parts:
        place = await support.make_place(parts.database)
        clerk = await signed_in(parts, place, Role.CLERK)
        refused = await clerk.post("/api/lots", await wanted_terms(place) | {field: value})
        assert (refused.status_code, refused.json()["code"]) == (400, "malformed")
        assert path in refused.json()["path"]


async def test_wrong_roles_and_unreadable_questions_are_refused(database_url: str) -> None:
    async with house(database_url) as parts:
        place = await support.make_place(parts.database)
        lot = f"/api/lots/{await support.make_ready_lot(place)}"
        clerk, public = await signed_in(parts, place, Role.CLERK), Caller(parts)
        assert (await clerk.post(f"{lot}/publish")).status_code == 403
        assert (await public.post("/api/lots", {})).status_code == 401
        foreign = await clerk.post(f"{lot}/checklist", {"items": {"title": "x"}}, origin="https://elsewhere.example")
        assert foreign.status_code == 403
        for question in (
            {"q": "x" * 200},
            {"q": "a\x00b"},
            {"place": "a\x00b"},
            {"limit": 0},
            {"limit": 1_000},
            {"sort": "random"},
            {"status": "draft; --"},
            {"after": "nonsense"},
            {"price_min": "1.5"},
            {"court": "nowhere"},
        ):
            refused = await public.get("/api/lots", **question)
            assert (refused.status_code, refused.json()["code"]) == (400, "malformed"), question
        assert (await public.get("/api/lots", status="draft")).json()["total"] == 0
        for name in ("", "%ff", quote("a\nb"), quote("x" * 300)):
            bad = await clerk.post(f"{lot}/documents?kind=other", b"text", **{"x-file-name": name})
            assert bad.status_code == 400, name
        for content in (b"", b"<html>", b"MZ\x00"):
            bad = await clerk.post(f"{lot}/documents?kind=other", content, **{"x-file-name": "a"})
            assert bad.status_code == 400, content
        assert (await clerk.post(f"{lot}/checklist", {"items": {"unknown": "x"}})).status_code == 400
