"""Every page is usable without eyes, mouse or colours: axe-core finds nothing serious, light or dark, on any width."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from appraisal.cases.rules import Subject
from kernel.actors import Role
from tests.pages.conftest import DESK, PHONE, Visitors
from tests.pages.support import DAY, MINUTE, START, STEP, Bidder, Site

pytestmark = [pytest.mark.browser, pytest.mark.anyio]

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text()
RUN = """
async () => {
  const runOnly = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
  const { violations } = await axe.run(document, { runOnly, resultTypes: ["violations"] });
  return violations.filter(({ impact }) => ["serious", "critical"].includes(impact))
    .map(({ id, nodes }) => ({ id, where: nodes.map(({ html, failureSummary }) => html + failureSummary) }));
}
"""


async def findings(page: Page) -> list[Any]:
    """What axe-core calls serious or critical; evaluated by the debugger, so the content policy stands."""
    await page.evaluate(AXE)
    found: list[Any] = await page.evaluate(RUN)
    return found


async def sold_to(site: Site, bidder: Bidder, lot_id: object) -> None:
    """Time passes until the lot is sold and its sale opened."""
    await site.pass_time(timedelta(minutes=20))
    await bidder.until_finds(f"/api/lots/{lot_id}/confirmation")


async def test_no_page_has_serious_findings(site: Site, visitors: Visitors) -> None:
    sold, failed = await site.lot(lasts=10 * MINUTE), await site.lot(lasts=10 * MINUTE)
    buyer = await site.bidder(sold)
    await buyer.bid(sold, START)
    await sold_to(site, buyer, sold)
    live, upcoming = await site.lot(), await site.lot(opened_ago=-DAY)
    await buyer.take_part(live)
    await buyer.bid(live, START + STEP)
    halted = await site.lot()
    decision = str(await site.decide(halted, Subject.SUSPENSION))
    judge = await site.staff(halted, Role.JUDGE)
    await judge.post(f"/api/lots/{halted}/suspend", {"reason": "案外人提出书面异议", "decision_id": decision})
    await buyer.post(f"/api/lots/{upcoming}/follow")
    await buyer.post(f"/api/lots/{upcoming}/enquiries", {"kind": "question", "words": "能否办理贷款？"})
    paths = (
        "/",
        "/?kind=movable&q=没有",
        f"/lots/{live}",
        f"/lots/{upcoming}",
        f"/lots/{sold}",
        f"/lots/{sold}/record",
        f"/lots/{live}/record",
        "/mine",
        "/statistics",
        "/sign-in",
        "/register",
        "/verify",
        "/my/cases",
        "/?loan=yes&ends=today",
        f"/lots/{failed}",
        f"/lots/{halted}",
        "/nowhere",
    )
    for size, scheme, who, looked_at in (
        (DESK, "light", buyer, paths),
        (PHONE, "dark", buyer, paths),
        (PHONE, "light", None, (f"/lots/{live}", "/mine", "/my/cases")),
    ):
        page = await visitors.open("/", size, who, color_scheme=scheme)
        for path in looked_at:
            await page.goto(path)
            await expect(page.get_by_role("heading", level=1)).to_be_visible()
            await expect(page.locator("[aria-busy=true]")).to_have_count(0)
            assert await findings(page) == [], (path, scheme)


async def test_a_bid_is_placed_and_heard_without_eyes_or_mouse(site: Site, visitors: Visitors) -> None:
    """Names, roles and announcements are what a screen reader gets; the keyboard alone brings the bid to the desk."""
    lot_id = await site.lot()
    rival = await site.bidder(lot_id)
    page = await visitors.open(f"/lots/{lot_id}", DESK, await site.bidder(lot_id))
    amount = page.get_by_role("textbox", name="出价金额（元）")
    await amount.focus()
    described = await amount.evaluate(
        "field => document.getElementById(field.getAttribute('aria-describedby')).innerText"
    )
    assert "贰拾捌万元整" in described
    await page.keyboard.press("Tab")
    await expect(page.locator(":focus")).to_have_text("出价 ¥280,000")
    await page.keyboard.press("Enter")
    own = page.locator("[aria-live=polite]")
    await expect(own.filter(has_text="您领先")).to_have_count(1)
    await rival.bid(lot_id, START + STEP)
    polite = page.locator("[aria-live=polite]")
    await expect(polite.filter(has_text=f"{rival.code} 出价 ¥282,000")).to_have_count(1)
    await expect(polite.filter(has_text="已被超越")).to_have_count(1)
    timer = page.get_by_role("timer")
    assert await timer.first.get_attribute("aria-live") == "off", "seconds are shown and not read out"


async def test_focus_is_seen_and_nothing_moves_for_who_asks_so(site: Site, visitors: Visitors) -> None:
    page = await visitors.open(f"/lots/{await site.lot()}", PHONE)
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    for _ in range(12):
        await page.keyboard.press("Tab")
        outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none", await page.evaluate("document.activeElement.outerHTML")
    moving = "[...document.getAnimations()].length"
    assert await page.evaluate(moving) == 0
