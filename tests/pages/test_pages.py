"""The catalogue and the plain pages in a real browser: found, filtered, translated, on a phone, with the keyboard."""

import re

import pytest
from playwright.async_api import Page, expect

from appraisal.assets.rules import AssetKind
from kernel.money import Fen
from tests.pages.conftest import PHONE, Visitors
from tests.pages.support import DAY, MINUTE, START, Site

pytestmark = [pytest.mark.browser, pytest.mark.anyio]

LONG = (
    "漳州市龙海区某大学城学生公寓楼群（1#至18#楼，建筑面积共计112,356.78平方米）及相应土地使用权、附属设施设备整体拍卖"
)


async def wide(page: Page) -> bool:
    """Whether the page is wider than its window."""
    return bool(await page.evaluate("document.documentElement.scrollWidth > innerWidth"))


async def test_the_catalogue_finds_filters_and_follows_the_bidding(site: Site, visitors: Visitors) -> None:
    """The address holds the question; the back button takes it back; prices are those of this moment."""
    flat = await site.lot(terms={"title": "金陵花园住宅一套"})
    await site.lot(kind=AssetKind.MOVABLE, terms={"title": "金陵 宝马730Li小型轿车一辆"}, opened_ago=-5 * MINUTE)
    await (await site.bidder(flat)).bid(flat, START)
    page = await visitors.open("/?q=金陵")
    cards = page.locator(".cards .card:not(.card-empty)")
    await expect(cards).to_have_count(2)
    await expect(cards.filter(has_text="住宅")).to_contain_text("当前价")
    await expect(cards.filter(has_text="住宅")).to_contain_text("¥280,000.00")
    await expect(cards.filter(has_text="宝马")).to_contain_text(re.compile("即将开始[\\s\\S]*还剩 04:"))

    await page.get_by_role("link", name="动产 1", exact=True).click()
    await expect(cards).to_have_count(1)
    assert page.url.endswith("&kind=movable")
    await page.get_by_role("searchbox").fill("金陵 住宅")
    await page.get_by_role("button", name="搜索").click()
    await expect(page.get_by_text("没有符合条件的标的。")).to_be_visible()
    await page.go_back()
    await expect(cards).to_have_count(1)

    await page.get_by_role("button", name="English").click()
    await expect(page.get_by_role("heading", name="Lots", exact=True)).to_be_visible()
    assert page.url.endswith("&kind=movable")
    await cards.first.get_by_role("link").click()
    await expect(page.get_by_text("How to take part")).to_be_visible()
    assert (await page.title()).endswith("Online judicial auction")


async def test_long_names_and_large_sums_fit_a_phone(site: Site, visitors: Visitors) -> None:
    """No page is wider than a phone, in either language; the bar keeps price, time and the way on in reach."""
    start = Fen(20_000_000_000)
    terms = {
        "title": LONG,
        "start_price_fen": start,
        "increment_fen": Fen(50_000_000),
        "deposit_fen": Fen(2_000_000_000),
    }
    lot_id = await site.lot(reference_price_fen=Fen(28_000_000_000), terms=terms, lasts=2 * DAY)
    page = await visitors.open(f"/lots/{lot_id}", PHONE)
    await expect(page.locator(".bid-bar")).to_contain_text("¥200,000,000.00")
    await expect(page.locator(".bid-bar")).to_contain_text("1 天 23:59:")
    assert not await wide(page)
    await page.get_by_role("button", name="English").click()
    await expect(page.locator(".price-words")).to_contain_text("¥200 million")
    for path in (f"/lots/{lot_id}", "/", "/statistics", "/register", "/sign-in", "/mine", "/nowhere"):
        await page.goto(path)
        await expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert not await wide(page), path


async def test_the_lot_is_read_with_the_keyboard(site: Site, visitors: Visitors) -> None:
    """Skip link first; arrow keys move between the tabs; documents show their hashes."""
    page = await visitors.open(f"/lots/{await site.lot()}")
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    await page.keyboard.press("Tab")
    await expect(page.locator(":focus")).to_have_text("跳到正文")
    await page.get_by_role("tab", name="拍卖条件").focus()
    for _ in range(3):
        await page.keyboard.press("ArrowRight")
    await expect(page.locator(":focus")).to_have_text("文件")
    await expect(page.get_by_role("tabpanel")).to_contain_text(re.compile("[0-9a-f]{64}"))


async def test_conditions_narrow_and_an_empty_list_says_what_to_let_go(site: Site, visitors: Visitors) -> None:
    """Loans, discounts and today are links with counts; nothing found tells what each condition keeps out."""
    loan = {"loan": "合作银行可办理按揭贷款"}
    await site.lot(details=loan, terms={"title": "宽路三号商铺"})
    await site.lot(kind=AssetKind.MOVABLE, terms={"title": "宽路停放轿车"}, opened_ago=-5 * MINUTE)
    page = await visitors.open("/?q=宽路")
    cards = page.locator(".cards .card:not(.card-empty)")
    await expect(cards).to_have_count(2)
    await page.get_by_role("link", name="可贷款 1", exact=True).click()
    await expect(cards).to_have_count(1)
    await expect(cards).to_contain_text("可贷款")
    await page.get_by_role("link", name="20% 以上", exact=True).click()
    await expect(cards).to_have_count(1)
    await page.goto("/?q=宽路&loan=yes&kind=movable")
    await expect(page.get_by_text("没有符合条件的标的。")).to_be_visible()
    widen = page.locator(".widen li")
    await expect(widen).to_have_count(3)
    await expect(widen.filter(has_text="去掉“可贷款”")).to_contain_text("共 1 件")
    await expect(widen.filter(has_text="去掉“动产”")).to_contain_text("共 1 件")
    await widen.filter(has_text="去掉“动产”").get_by_role("link").click()
    await expect(cards).to_have_count(1)
    assert "kind=" not in page.url
    await page.locator(".chosen").get_by_role("link", name="清除筛选").click()
    await page.get_by_label("排序").select_option("关注最多")
    assert page.url.endswith("/?sort=most_watched")
