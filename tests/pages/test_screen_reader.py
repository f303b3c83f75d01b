"""Bidding by what a screen reader gets: the browser's own accessibility tree, the keyboard, and live announcements.

No screen reader runs here. What one is given does: roles, names and descriptions as Chromium tells them to the system
(`Accessibility.getFullAXTree`), the element that has the focus, and every text that enters a live region, in order.
"""

import re
from typing import Any

import pytest
from playwright.async_api import CDPSession, Page, expect

from tests.pages.conftest import DESK, Visitors
from tests.pages.support import MINUTE, START, STEP, Site

pytestmark = [pytest.mark.browser, pytest.mark.anyio]

MOST_TABS = 80
LISTEN = """
window.heard = [];
const LIVE = "[role=status], [role=alert], [aria-live=polite], [aria-live=assertive]";
new MutationObserver((records) => {
  const changed = records.flatMap(({ target, addedNodes }) => [target, ...addedNodes])
    .map((node) => (node.nodeType === Node.ELEMENT_NODE ? node : node.parentElement));
  const regions = changed.filter(Boolean)
    .flatMap((node) => [node.closest(LIVE), ...node.querySelectorAll(":scope > " + LIVE)]);
  for (const region of new Set(regions.filter(Boolean))) {
    const text = region.textContent.trim().replace(/\\s+/g, " ");
    if (text && region.said !== text) window.heard.push(text);
    region.said = text;
  }
}).observe(document, { subtree: true, childList: true, characterData: true });
"""


class Reader:
    """Somebody at the keyboard who hears what the accessibility tree says."""

    def __init__(self, page: Page, session: CDPSession) -> None:
        self.page = page
        self._session = session

    async def tree(self) -> list[dict[str, Any]]:
        """The nodes that are told, in the order of reading."""
        nodes: list[dict[str, Any]] = (await self._session.send("Accessibility.getFullAXTree"))["nodes"]
        return [node for node in nodes if not node["ignored"]]

    async def here(self) -> tuple[str, str, str]:
        """Role, name and description of what has the focus."""
        for node in reversed(await self.tree()):
            if any(known["name"] == "focused" and known["value"].get("value") for known in node.get("properties", [])):
                return _text(node, "role"), _text(node, "name"), _text(node, "description")
        return "", "", ""

    async def tab_to(self, role: str, name: str) -> tuple[str, str, str]:
        """Press Tab until something of that role and name has the focus; everything on the way has a name too."""
        for _ in range(MOST_TABS):
            await self.page.keyboard.press("Tab")
            found = await self.here()
            assert found[1] or found[0] in ("", "RootWebArea"), f"{found[0]} without a name"
            if found[0] == role and re.search(name, found[1]):
                return found
        raise AssertionError(f"no {role} {name} within {MOST_TABS} tabs")

    async def hears(self, *wanted: str) -> None:
        """Wait until these were announced, one after the other, and forget what was said up to there."""
        for words in wanted:
            at = await self._heard_at(words)
            await self.page.evaluate("at => { window.heard = window.heard.slice(at); }", at + 1)

    async def _heard_at(self, words: str) -> int:
        for _ in range(300):
            heard: list[str] = await self.page.evaluate("window.heard")
            for at, text in enumerate(heard):
                if re.search(words, text):
                    return at
            await self.page.wait_for_timeout(50)
        raise AssertionError(f"{words} was not announced, but {heard}")


def _text(node: dict[str, Any], name: str) -> str:
    return str(node.get(name, {}).get("value", ""))


async def reader(page: Page) -> Reader:
    session = await page.context.new_cdp_session(page)
    await session.send("Accessibility.enable")
    return Reader(page, session)


async def test_from_the_catalogue_to_an_accepted_bid_by_keyboard_and_ear(site: Site, visitors: Visitors) -> None:
    """Searched, found, opened and bid on without a mouse; lead, loss, extension, refusal and silence are announced."""
    title = "朗读区一号住宅"
    lot_id = await site.lot(lasts=4 * MINUTE, terms={"title": title})
    rival, own = await site.bidder(lot_id), await site.bidder(lot_id)
    page = await visitors.open("/", DESK, own)
    await page.context.add_init_script(LISTEN)
    await page.reload()
    blind = await reader(page)

    assert (await blind.tab_to("link", "跳到正文"))[1] == "跳到正文"
    await blind.tab_to("searchbox", "搜索标的、法院、地点或案号")
    await page.keyboard.type(title)
    await page.keyboard.press("Enter")
    await blind.hears("共 1 件")
    _, card, _ = await blind.tab_to("link", f"(竞价中|延时中).*{title}")
    assert "¥280,000.00" in card
    await page.keyboard.press("Enter")

    await page.wait_for_url(f"**/lots/{lot_id}")
    await expect(page.locator(".bid-button")).to_be_enabled()
    blind = await reader(page)
    told = [(_text(node, "role"), _text(node, "name")) for node in await blind.tree()]
    assert ("heading", title) in told
    for landmark in ("banner", "main", "contentinfo", "navigation", "complementary"):
        assert any(role == landmark for role, _ in told), landmark
    timers = [name for role, name in told if role == "timer"]
    assert timers, "the time left is told"
    assert all(re.fullmatch(r"距结束 \d\d:\d\d", name) for name in timers), (
        "a timer is read by its name, not by its text"
    )
    assert "status" not in {role for role, _ in told}, "what stands in one is passed over by a reader that names it"

    _, _, described = await blind.tab_to("textbox", "出价金额（元）")
    assert "贰拾捌万元整" in described
    _, button, _ = await blind.tab_to("button", "^出价 ¥")
    assert button == "出价 ¥280,000"
    await page.keyboard.press("Enter")
    await blind.hears("您领先")
    await blind.hears("竞价顺延 5 分钟")

    await rival.bid(lot_id, START + STEP)
    await blind.hears("已被超越")

    await page.get_by_label("出价金额（元）").focus()
    await page.keyboard.press("Control+A")
    await page.keyboard.type("284,100")
    _, button, _ = await blind.tab_to("button", "^出价 ¥")
    await page.keyboard.press("Enter")
    await blind.hears("整数倍的增价幅度.*R-BID-08")

    await page.context.set_offline(True)
    await blind.hears("网络已断开")
    await page.context.set_offline(False)
    await blind.hears("实时")


async def test_each_step_of_taking_part_takes_the_focus(site: Site, visitors: Visitors) -> None:
    """The button that was pressed is gone with its step: without this one would start again at the top of the page."""
    lot_id = await site.lot()
    page = await visitors.open(f"/lots/{lot_id}", DESK, await site.person())
    await page.context.add_init_script(LISTEN)
    await page.reload()
    blind = await reader(page)
    await page.get_by_label("我已阅读并接受").focus()
    await page.keyboard.press("Space")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Space")
    for press, then in (
        ("^报名", "保证金"),
        ("在模拟银行付款", ""),
        ("生成参拍密码", "参拍密码"),
        ("确认密码", "出价"),
    ):
        await blind.tab_to("button", press)
        await page.keyboard.press("Enter")
        if then:
            await expect(page.locator("h2:focus")).to_contain_text(then)
        else:
            await blind.hears("您已取得竞买资格，竞买代码 [A-Z]")
    await blind.tab_to("textbox", "出价金额（元）")


async def test_a_jump_is_asked_about_where_the_focus_is(site: Site, visitors: Visitors) -> None:
    """The question takes the focus, begins at the way back, and gives the focus back when it is closed (R-BID-13)."""
    lot_id = await site.lot()
    page = await visitors.open(f"/lots/{lot_id}", DESK, await site.bidder(lot_id))
    await expect(page.locator(".bid-button")).to_be_enabled()
    blind = await reader(page)
    await blind.tab_to("textbox", "出价金额（元）")
    await page.keyboard.type("50万")
    await blind.tab_to("button", "^出价 ¥500,000")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog", name="出价远高于当前价，请确认金额")).to_be_visible()
    assert (await blind.here())[:2] == ("button", "返回修改")
    await page.keyboard.press("Escape")
    assert (await blind.here())[:2] == ("button", "出价 ¥500,000")
    assert await site.leader(lot_id) is None
