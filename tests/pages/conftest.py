"""A served site and a Chromium that reports every fault of a page."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, ViewportSize, async_playwright, expect

from app.embedded import EmbeddedPostgres
from tests.pages.support import Bidder, Site, serving_site
from tests.support.databases import Clones

PHONE, DESK = ViewportSize(width=390, height=844), ViewportSize(width=1280, height=900)
expect.set_options(timeout=10_000)  # two cores are shared with a server, its database and a browser
LOADING = "Failed to load resource"
"""How Chromium reports answers of 4xx, which a page may well expect (not registered yet)."""


@pytest.fixture(scope="module")
def site_url(database_clones: Clones, postgres_server: EmbeddedPostgres) -> Iterator[str]:
    """A database of this module's own."""
    name = database_clones.make()
    yield postgres_server.dsn(name)
    database_clones.drop(name)


@pytest.fixture(scope="module")
async def site(site_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """One platform for a module, since a start costs more than most tests: each test makes lots of its own."""
    async with serving_site(site_url, tmp_path_factory.mktemp("rehearsal")) as running:
        yield running


@pytest.fixture(scope="module")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    """One Chromium for the tests of a module; every visitor has a context of its own."""
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield running
        await running.close()


@dataclass
class Visitors:
    """Opens pages, each in a context of its own, and collects what goes wrong in them."""

    browser: Browser
    origin: str
    faults: list[str] = field(default_factory=list)

    async def open(self, path: str, size: ViewportSize = DESK, who: Bidder | None = None, **how: Any) -> Page:
        """A page of a new visitor, signed in as `who`; `how` goes to the browser's context."""
        context = await self.browser.new_context(viewport=size, base_url=self.origin, reduced_motion="reduce", **how)
        context.set_default_timeout(10_000)
        if who is not None:
            await self._sign_in(context, who)
        page = await context.new_page()
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        await page.goto(path)
        return page

    async def _sign_in(self, context: BrowserContext, who: Bidder) -> None:
        for name, value in who.http.cookies.items():
            await context.add_cookies([{"name": name, "value": value, "url": self.origin}])

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.text.startswith(LOADING):
            self.faults.append(message.text)


@pytest.fixture
async def visitors(browser: Browser, site: Site) -> AsyncIterator[Visitors]:
    """Visitors whose pages must not report a single fault, a breach of the content policy included."""
    visiting = Visitors(browser, site.origin)
    yield visiting
    for context in browser.contexts:
        await context.close()
    assert visiting.faults == []
