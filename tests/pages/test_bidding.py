"""Bidding in a real browser: from a stranger to the leading bid, against others, through refusals and lost networks."""

import re

import pytest
from playwright.async_api import expect

from tests.pages.conftest import DESK, PHONE, Visitors
from tests.pages.support import MINUTE, PASSWORD, START, STEP, Site, id_number

pytestmark = [pytest.mark.browser, pytest.mark.anyio]


async def test_a_stranger_comes_to_lead_without_leaving_the_lot(site: Site, visitors: Visitors) -> None:
    """Register, deposit, bid password, unlock, bid, on a phone; hears of a higher bid (R-BID-04 to 08)."""
    lot_id = await site.lot()
    rival = await site.bidder(lot_id)
    page = await visitors.open(f"/lots/{lot_id}", PHONE)
    await page.get_by_role("link", name="实名注册").click()
    await page.get_by_label("真实姓名").fill("欧阳文静")
    await page.get_by_label("居民身份证号").fill("110101199001011234")
    await page.get_by_label("用户名").fill("wenjing")
    await page.get_by_label("密码").fill(PASSWORD)
    await page.get_by_role("button", name="注册并登录").click()
    await expect(page.get_by_role("alert")).to_have_text("居民身份证号有误，请核对 18 位号码和末位校验码。")
    await page.get_by_label("居民身份证号").fill(id_number(2))
    await page.get_by_role("button", name="注册并登录").click()
    await page.wait_for_url(f"**/lots/{lot_id}")
    await page.get_by_label("我已阅读并接受").check()
    await page.get_by_label("我声明具备").check()
    await page.get_by_role("button", name="报名，保证金 ¥40,000.00").click()
    await expect(page.locator(".account-no")).to_have_text(re.compile(r"\d{18}"))
    await page.get_by_role("button", name="在模拟银行付款").click()
    await page.get_by_role("button", name="生成参拍密码").click()
    await page.get_by_role("button", name="确认密码，进入竞价").click()

    await page.get_by_role("button", name="出价 ¥280,000", exact=True).first.click()

    await expect(page.locator(".stance")).to_have_text("您领先")
    await expect(page.locator(".outcome-accepted")).to_have_text("已接受 ¥280,000，序号 2")
    assert await site.leader(lot_id) != rival.code
    await rival.bid(lot_id, START + STEP)
    await expect(page.locator(".stance")).to_have_text("已被超越")
    await expect(page.locator(".price-figure")).to_have_text("¥282,000.00")
    await expect(page.locator(".bid-button")).to_have_text("出价 ¥284,000")


async def test_two_bidders_extend_the_end_before_each_other(site: Site, visitors: Visitors) -> None:
    """Each sees the other's bid, and the end that it moved, within the socket's time (R-BID-10)."""
    lot_id = await site.lot(lasts=3 * MINUTE)
    one, other = await site.bidder(lot_id), await site.bidder(lot_id)
    here = await visitors.open(f"/lots/{lot_id}", DESK, one)
    there = await visitors.open(f"/lots/{lot_id}", PHONE, other)
    await expect(here.locator(".clock .countdown")).to_have_text(re.compile(r"^0[12]:\d\d$"))

    await here.locator(".bid-button").click()

    for page in (here, there):
        await expect(page.locator(".panel-head .state")).to_have_text("延时中")
        await expect(page.locator(".clock .countdown")).to_have_text(re.compile(r"^04:[45]\d$|^05:00$"))
    await expect(there.locator(".ladder-first").first).to_contain_text(one.code)
    await there.get_by_role("button", name="加 5 个增价幅度").click()
    await expect(there.locator(".read-back")).to_contain_text("贰拾玖万元整")
    await expect(there.locator(".read-back")).to_contain_text("比当前价高 5 个增价幅度")
    await there.locator(".bid-button").click()
    await expect(there.locator(".stance")).to_have_text("您领先")
    await expect(here.locator(".stance")).to_have_text("已被超越")
    await expect(here.locator(".price-figure")).to_have_text("¥290,000.00")
    await expect(here.locator(".clock-note")).to_contain_text("已延时 2 次")
    await expect(here.locator("[aria-live=polite]").filter(has_text=other.code)).to_have_count(1)


async def test_where_the_price_never_rests_one_is_told_to_type(site: Site, visitors: Visitors) -> None:
    """The amount that follows the price cannot be pressed while it moves; what to do instead is said, and it passes."""
    lot_id = await site.lot()
    rivals = [await site.bidder(lot_id) for _ in range(4)]
    page = await visitors.open(f"/lots/{lot_id}", PHONE, await site.bidder(lot_id))
    hint = page.locator(".bid-box").get_by_text("请自行输入您愿意出的金额")
    for price in range(START, START + 400 * STEP, STEP):
        await rivals[price // STEP % len(rivals)].bid(lot_id, price)
        if await hint.is_visible():
            break
    await expect(page.locator(".bid-button")).to_be_disabled()
    await expect(hint).to_have_count(0)
    await expect(page.locator(".bid-button")).to_be_enabled()


async def test_a_jump_is_confirmed_and_a_refusal_names_its_rule(site: Site, visitors: Visitors) -> None:
    """One cannot take a bid back, so the amount is asked for twice (R-BID-13); what is refused says why (R-BID-08)."""
    lot_id = await site.lot()
    page = await visitors.open(f"/lots/{lot_id}", DESK, await site.bidder(lot_id))
    await page.get_by_label("出价金额（元）").fill("43万")
    await page.locator(".bid-button").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("肆拾叁万元整")
    await dialog.get_by_role("button", name="返回修改").click()
    await expect(dialog).to_be_hidden()
    assert await site.leader(lot_id) is None, "nothing was sent"

    await page.locator(".bid-button").click()
    await dialog.get_by_role("button", name="确认出价 ¥430,000").click()
    await expect(page.locator(".stance")).to_have_text("您领先")

    await page.get_by_label("出价金额（元）").fill("500,100")
    await expect(page.locator(".read-back")).to_contain_text("整数倍增价幅度")
    await page.locator(".bid-button").click()
    await dialog.get_by_role("button", name="确认出价 ¥500,100").click()
    await expect(page.get_by_role("alert")).to_contain_text("出价须为起拍价加整数倍的增价幅度 R-BID-08")
    await expect(page.locator(".price-figure")).to_have_text("¥430,000.00")
    await page.get_by_role("button", name="English").click()
    await expect(page.get_by_role("alert")).to_contain_text("A bid is the start price plus whole increments")


async def test_a_bid_from_a_lost_network_counts_once_and_only_when_confirmed(site: Site, visitors: Visitors) -> None:
    """Offline nothing is claimed; back online the same key is found or sent, never twice."""
    lot_id = await site.lot()
    rival = await site.bidder(lot_id)
    page = await visitors.open(f"/lots/{lot_id}", PHONE, await site.bidder(lot_id))
    await expect(page.locator(".connection")).to_have_text("实时")
    await page.context.set_offline(True)
    await expect(page.locator(".connection")).to_have_text("网络已断开")
    await expect(page.locator(".stance")).to_have_text("未连接，显示的价格可能不是最新")

    await page.locator(".bid-button").click()
    await expect(page.locator(".stance")).to_contain_text("¥280,000 尚未确认送达")
    assert await site.leader(lot_id) is None

    await page.context.set_offline(False)
    await expect(page.locator(".outcome-accepted")).to_have_text("已接受 ¥280,000，序号 2")
    await expect(page.locator(".connection")).to_have_text("实时")
    await expect(page.locator(".stance")).to_have_text("您领先")
    await rival.bid(lot_id, START + STEP)
    await expect(page.locator(".ladder-first").first).to_contain_text(rival.code)
    assert await site.bids(lot_id) == 2
