"""A served site and a Chromium that reports every fault of a page."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, ViewportSize, async_playwright

from tests.pages.support import Bidder, Site, serving_site

PHONE, DESK = ViewportSize(width=390, height=844), ViewportSize(width=1280, height=900)
LOADING = "Failed to load resource"
"""How Chromium reports answers of 4xx, which a page may well expect (not registered yet)."""


@pytest.fixture
async def site(database_url: str) -> AsyncIterator[Site]:
    """The platform over a fresh database."""
    async with serving_site(database_url) as running:
        yield running


@dataclass
class Visitors:
    """Opens pages, each in a context of its own, and collects what goes wrong in them."""

    browser: Browser
    origin: str
    faults: list[str] = field(default_factory=list)

    async def open(self, path: str, size: ViewportSize = DESK, who: Bidder | None = None) -> Page:
        context = await self.browser.new_context(viewport=size, base_url=self.origin, reduced_motion="reduce")
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
async def visitors(chromium: str, site: Site) -> AsyncIterator[Visitors]:
    """Visitors whose pages must not report a single fault, a breach of the content policy included."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        visiting = Visitors(browser, site.origin)
        yield visiting
        await browser.close()
    assert visiting.faults == []
