"""The whole application behind its front door, and browsers that keep cookies and send what our own pages send."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, cast

import httpx
import msgspec

from app.asgi import create_app
from app.platform import Platform
from kernel.actors import Role
from kernel.clock import FrozenClock
from kernel.identity.passwords import Passwords
from kernel.identity.service import create_staff
from kernel.ids import ordered_id
from kernel.law import citation
from kernel.settings import Settings
from tests.support.house import START
from tests.support.keys import SIGNING_KEYS

SETTINGS = Settings(
    password_memory_kib=19_456, sign_ins_per_minute=100_000, sign_ups_per_minute=100_000, signing_keys=SIGNING_KEYS
)
PASSWORD = "a long password"
QUICK_PASSWORDS = Passwords(1_024)


class Site:
    """The application over the parts of one process; nobody listens on a port."""

    def __init__(self, parts: Platform) -> None:
        self.parts = parts
        self.app = create_app(parts)
        self.database = parts.database
        self.identity = parts.identity
        self.origin = parts.settings.origin


@asynccontextmanager
async def opened_site(url: str, settings: Settings = SETTINGS, at: datetime = START) -> AsyncIterator[Site]:
    """A site on a clock that stands still."""
    parts = Platform(url, settings, FrozenClock(at))
    try:
        yield Site(parts)
    finally:
        await parts.database.close()


class Browser:
    """Somebody's browser at `address`; every answer is checked for what all answers owe."""

    def __init__(self, site: Site, address: str = "127.0.0.1") -> None:
        self.site = site
        self.origin = site.origin
        app = cast(Any, site.app)
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False, client=(address, 40_000))
        self.http = httpx.AsyncClient(transport=transport, base_url=self.origin)

    async def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Any request; refusals must explain themselves and nothing may be a fault of ours."""
        answer = await self.http.request(method, path, **options)
        assert answer.status_code < 500, f"{method} {path}: {answer.status_code} {answer.text}"
        if answer.status_code >= 400:
            check_problem(answer)
        return answer

    async def get(self, path: str, **query: Any) -> httpx.Response:
        return await self.send("GET", path, params=query)

    async def post(self, path: str, body: object = None, **headers: str | None) -> httpx.Response:
        """A command as our pages send it; a header given as None is left out, `_` in its name is a dash."""
        content = body if isinstance(body, bytes) else msgspec.json.encode(body) if body is not None else b""
        usual = {"origin": self.origin, "idempotency-key": str(ordered_id()), "content-type": "application/json"}
        wanted = usual | {name.replace("_", "-"): value for name, value in headers.items()}
        chosen = {name: value for name, value in wanted.items() if value is not None}
        return await self.send("POST", path, content=content, headers=chosen)

    async def sign_in(self, username: str, password: str = PASSWORD) -> httpx.Response:
        return await self.post("/api/login", {"username": username, "password": password})

    @property
    def token(self) -> str | None:
        return self.http.cookies.get(self.site.identity.cookie_name)


def check_problem(answer: httpx.Response) -> None:
    """A refusal is a problem document in both languages that names its law where a rule decided (RFC 9457)."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    told = answer.json()
    assert told["status"] == answer.status_code
    assert told["type"].startswith("urn:"), told
    assert told["code"] == told["title"], told
    assert any("\u4e00" <= character <= "\u9fff" for character in told["detail"]), told
    assert told["detail_en"].isprintable(), told
    assert told["law"] == (citation(told["rule"]) if told["rule"] else None), told


async def signed_in(
    site: Site, *roles: Role, court: str | None = None, username: str | None = None, address: str = "127.0.0.1"
) -> Browser:
    """A new person with these roles, signed in."""
    username = username or f"u{ordered_id().hex[-12:]}"
    await create_staff(
        site.database,
        QUICK_PASSWORDS,
        username=username,
        real_name="某人",
        password=PASSWORD,
        roles=roles,
        court_code=court,
        court_name=court,
    )
    browser = Browser(site, address)
    assert (await browser.sign_in(username)).status_code == 201
    return browser
