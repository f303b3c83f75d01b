"""The road beside the room, in a real browser: one's own place, records checked and tampered with, a halt, weight."""

import json
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any
from uuid import UUID

import pytest
from playwright.async_api import Page, Route, expect

from appraisal.cases.rules import Subject
from kernel.actors import Role
from tests.pages.conftest import DESK, PHONE, Visitors
from tests.pages.support import DAY, MINUTE, START, STEP, Site, until

pytestmark = [pytest.mark.browser, pytest.mark.anyio]

MOST_BYTES = 200_000
MOST_REQUESTS = 8
LIVE_WITHIN_MS = 1_000
OPENINGS, ROUNDS = 7, 3
WHEN_LIVE = """
new MutationObserver(() => {
  const shown = (place) => /\\d/.test(document.querySelector(place)?.textContent ?? "");
  const live = document.querySelector(".connection-live") && shown(".price-figure") && shown(".clock .countdown");
  if (live && !window.liveAt) window.liveAt = performance.now();
}).observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
"""


async def test_from_the_hammer_to_the_paid_balance(site: Site, visitors: Visitors) -> None:
    """What needs the buyer's hand stands first; paid, the road moves on; the loser's deposit is on its way back."""
    lot_id = await site.lot(lasts=10 * MINUTE)
    buyer, loser = await site.bidder(lot_id), await site.bidder(lot_id)
    await loser.bid(lot_id, START)
    page = await visitors.open("/mine", PHONE, loser)
    await expect(page.get_by_text("▲ 您领先")).to_be_visible()
    await buyer.bid(lot_id, START + STEP)
    await expect(page.locator(".need-outbid")).to_contain_text("已被超越，现价 ¥282,000.00")

    await site.pass_time(timedelta(minutes=20))
    await buyer.until_finds(f"/api/lots/{lot_id}/confirmation")
    await expect(page.get_by_text("已退还")).to_be_visible()
    page = await visitors.open("/mine", DESK, buyer)
    await expect(page.locator(".need-balance")).to_contain_text("付尾款 ¥242,000.00")
    await expect(page.locator(".road-done")).to_have_count(1)
    await page.get_by_role("button", name="在模拟银行付款").click()
    await expect(page.locator(".road-done")).to_have_count(2)
    await expect(page.locator(".need-balance")).to_have_count(0)
    await page.get_by_text("我的出价回执").click()
    await expect(page.get_by_role("row").filter(has_text="282,000.00")).to_have_count(1)
    await page.get_by_role("link", name="竞价公开记录").click()
    await expect(page.get_by_role("heading", name="成交确认书")).to_be_visible()
    await expect(page.locator(".confirmation")).to_contain_text("沈一鸣")


async def test_a_lot_is_followed_asked_about_and_answered(site: Site, visitors: Visitors) -> None:
    lot_id = await site.lot(opened_ago=-30 * MINUTE)
    reader = await site.person()
    page = await visitors.open(f"/lots/{lot_id}", PHONE, reader)
    await page.get_by_role("button", name="关注").click()
    await expect(page.get_by_role("button", name="取消关注")).to_have_attribute("aria-pressed", "true")
    calendar = await reader.http.get(f"/api/lots/{lot_id}/calendar.ics")
    assert calendar.text.startswith("BEGIN:VCALENDAR")
    await page.get_by_role("tab", name="咨询与看样").click()
    await page.get_by_role("radio", name="预约看样").check()
    await page.get_by_label("内容").fill("周六上午，两人")
    await page.get_by_role("button", name="提交").click()
    await expect(page.get_by_text("已提交，编号")).to_be_visible()

    clerk = await site.staff(lot_id, Role.CLERK)
    (waiting,) = (await clerk.read("/api/enquiries"))["enquiries"]
    await clerk.post(f"/api/enquiries/{waiting['id']}/answer", {"answer": "周六 10:00，现场集合", "publish": False})
    await page.goto("/mine")
    await expect(page.locator(".enquiry")).to_contain_text("周六 10:00，现场集合")
    await expect(page.get_by_text("关注的标的即将开始")).to_be_visible()
    await page.get_by_role("button", name="取消关注").click()
    await expect(page.get_by_text("您还没有关注任何标的")).to_be_visible()


async def test_what_nobody_bought_is_told_once_and_printed_dark_on_light(site: Site, visitors: Visitors) -> None:
    """The record of a failed sale has no curve and names the start price once; paper is white on a dark screen too."""
    lot_id = await site.lot(lasts=10 * MINUTE)
    await site.pass_time(timedelta(minutes=20))
    page = await visitors.open(f"/lots/{lot_id}", DESK)
    await expect(page.locator(".panel-head .state")).to_have_text("已流拍")
    await expect(page.locator(".record")).to_contain_text("无人出价。")
    page = await visitors.open(f"/lots/{lot_id}/record", DESK, color_scheme="dark")
    await expect(page.locator(".course .events").first).to_contain_text("竞价结束")
    await expect(page.locator(".record-facts dt", has_text="起拍价")).to_have_count(1)
    await expect(page.locator("section.record")).to_have_count(0)
    ink = "getComputedStyle(document.querySelector('h1')).color"
    assert await page.evaluate(ink) == "rgb(233, 237, 242)"
    await page.emulate_media(media="print", color_scheme="dark")
    assert await page.evaluate(ink) == "rgb(24, 33, 44)"


async def test_an_extended_bid_is_read_on_a_phone(site: Site, visitors: Visitors) -> None:
    """The record's row of a bid that moved the end: its time and its note do not stand on each other."""
    lot_id = await site.lot(lasts=4 * MINUTE)
    buyer = await site.bidder(lot_id)
    await buyer.bid(lot_id, START)
    await site.pass_time(timedelta(minutes=20))
    await buyer.until_finds(f"/api/lots/{lot_id}/confirmation")
    page = await visitors.open(f"/lots/{lot_id}/record", PHONE)
    row = page.locator(".on-screen .event-bid").first
    await expect(row).to_contain_text("延时")
    fits = "cells => cells.every(({ scrollWidth, clientWidth }) => scrollWidth <= clientWidth)"
    assert await row.locator("td:visible").evaluate_all(fits)


async def test_what_one_must_know_stands_on_card_and_lot(site: Site, visitors: Visitors) -> None:
    """Badges by the court's own words, today's ends counted, and of the bidders no more than a coarse number."""
    details = {"vacated": "已腾空", "priority": "有优先购买权人：承租人"}
    lot_id = await site.lot(lasts=4 * MINUTE, details=details, terms={"title": "梧桐里九号住宅"})
    page = await visitors.open("/?q=梧桐里", PHONE, await site.bidder(lot_id))
    card = page.locator(".cards .card").first
    for badge in ("已腾空", "有优先购买权人"):
        await expect(card).to_contain_text(badge)
    await page.locator(".facets > summary").click()
    await expect(page.get_by_role("link", name="今日结束 1", exact=True)).to_be_visible()
    await page.goto(f"/lots/{lot_id}")
    await expect(page.locator(".badges")).to_contain_text("已腾空")
    await expect(page.locator(".badges")).to_contain_text("有优先购买权人")
    await expect(page.locator(".numbers").first).to_contain_text("不足 10 人")


async def test_a_priority_purchaser_confirmed_later_shows_as_one_who_exists(site: Site) -> None:
    """The court confirms one after publication (R-PRIO-01): the lot says that there is one, and has changed."""
    lot_id = await site.lot(opened_ago=-DAY)
    before = await site.http.get(f"/api/lots/{lot_id}")
    assert not before.json()["priority_purchaser"]
    tenant = await site.person()
    name = (await tenant.read("/api/me"))["username"]
    decision = str(await site.decide(lot_id, Subject.PRIORITY))
    judge = await site.staff(lot_id, Role.JUDGE)
    await judge.post(f"/api/lots/{lot_id}/priority", {"username": name, "rank": 1, "decision_id": decision})
    after = await site.http.get(f"/api/lots/{lot_id}")
    assert after.json()["priority_purchaser"]
    assert name not in after.text


async def test_a_suspension_is_seen_live_and_bidding_goes_on_after_it(site: Site, visitors: Visitors) -> None:
    """R-HALT-01, 03: reason and kept time are shown at once, no bid is offered, and the lot runs on."""
    lot_id = await site.lot()
    page = await visitors.open(f"/lots/{lot_id}", PHONE, await site.bidder(lot_id))
    await expect(page.locator(".bid-button")).to_be_enabled()
    decision = str(await site.decide(lot_id, Subject.SUSPENSION))
    judge = await site.staff(lot_id, Role.JUDGE)
    await judge.post(f"/api/lots/{lot_id}/suspend", {"reason": "案外人提出书面异议", "decision_id": decision})
    await expect(page.locator(".panel-head .state")).to_have_text("已中止")
    await expect(page.locator(".clock-note")).to_contain_text("案外人提出书面异议")
    await expect(page.locator(".bid-button")).to_be_hidden()
    await judge.post(f"/api/lots/{lot_id}/resume", {"reason": "异议已审查完毕", "decision_id": decision})
    await expect(page.locator(".panel-head .state")).to_have_text("竞价中")
    await page.locator(".bid-button").click()
    await expect(page.locator(".stance")).to_have_text("您领先")


@pytest.fixture(scope="module")
async def sold_lot(site: Site) -> UUID:
    """A lot sold after seventy bids."""
    lot_id = await site.lot(lasts=10 * MINUTE)
    one, other = await site.bidder(lot_id), await site.bidder(lot_id)
    for number in range(70):
        await (one, other)[number % 2].bid(lot_id, START + number * STEP)
    await site.pass_time(timedelta(minutes=20))
    await one.until_finds(f"/api/lots/{lot_id}/confirmation")
    return lot_id


@pytest.fixture
async def record(sold_lot: UUID, visitors: Visitors) -> Page:
    """Its record."""
    page = await visitors.open(f"/lots/{sold_lot}/record", DESK, accept_downloads=True)
    await expect(page.get_by_role("heading", name="竞价全过程")).to_be_visible()
    return page


async def test_a_record_is_read_in_pages_and_checked_in_the_browser(record: Page) -> None:
    rows = record.locator(".on-screen .events tbody tr")
    await expect(rows).to_have_count(50)
    await record.get_by_role("button", name="末页").click()
    await expect(rows).to_have_count(22)
    await expect(rows.last).to_contain_text("竞价结束")
    await record.get_by_role("button", name="核验本记录").click()
    await expect(record.locator(".finding-good")).to_contain_text("记录完整，未被改动。 72 条事件逐条相扣")
    await record.get_by_role("button", name="连同签名与日志核验").click()
    await expect(record.locator(".finding-good").filter(has_text="批次由平台签名")).to_be_visible()
    await expect(record.locator(".finding-good").filter(has_text="链条连续")).to_be_visible()


async def test_what_was_tampered_with_shows(record: Page, tmp_path: Path) -> None:
    """A kept file with one digit changed, a file of another ending, and a server that tells another price."""
    async with record.expect_download() as downloading:
        await record.get_by_role("link", name="下载证据包（可离线核验）").click()
    kept = tmp_path / "record.json"
    await (await downloading.value).save_as(kept)
    chosen = record.locator("input[type=file]")
    await chosen.set_input_files(kept)
    await expect(record.locator(".finding-good").first).to_contain_text("记录完整，未被改动")
    await expect(record.locator(".finding-bad")).to_have_count(0)

    told = json.loads(kept.read_text())
    told["events"][40]["bytes"] = told["events"][40]["bytes"].replace('"price_fen":', '"price_fen":1')
    kept.write_text(json.dumps(told))
    await chosen.set_input_files(kept)
    await expect(record.locator(".finding-bad").first).to_contain_text("第 41 条与前一条不相扣，此前 40 条无误")
    kept.write_text("[]")
    await chosen.set_input_files(kept)
    await expect(record.locator(".finding-bad")).to_contain_text("内容不是出价回执，也不是证据包")

    async def lie(route: Route) -> None:
        answer = await route.fetch()
        page: dict[str, Any] = await answer.json()
        page["events"][5]["bytes"] = page["events"][5]["bytes"].replace('"code":"', '"code":"X')
        await route.fulfill(response=answer, json=page)

    await record.route("**/chain?*", lie)
    await record.get_by_role("button", name="核验本记录").click()
    await expect(record.locator(".finding-bad")).to_contain_text("第 6 条与前一条不相扣")


async def test_a_printed_record_has_every_event(record: Page) -> None:
    await record.emulate_media(media="print")
    await expect(record.locator(".on-paper .events tbody tr")).to_have_count(72)
    await expect(record.locator(".on-paper")).to_be_visible()
    await expect(record.locator(".masthead")).to_be_hidden()
    await expect(record.get_by_role("button", name="核验本记录")).to_be_hidden()


async def test_a_lot_is_light_and_live_at_once(site: Site, visitors: Visitors) -> None:
    """At most 200 KB to a first-time visitor, photos apart; live within a second of opening, in the median.

    Measured is a phone's page with an empty cache over loopback, from the start of the navigation until price and time
    left are shown and the socket has spoken. A round whose machine was busy elsewhere may be repeated, twice.
    """
    lot_id = await site.lot()
    medians = []
    for _ in range(ROUNDS):
        openings = [await opened_anew(visitors, f"/lots/{lot_id}") for _ in range(OPENINGS)]
        for _, sizes in openings:
            assert 20_000 < sum(sizes) <= MOST_BYTES
            assert len(sizes) <= MOST_REQUESTS
        medians.append(median(live_after_ms for live_after_ms, _ in openings))
        if medians[-1] <= LIVE_WITHIN_MS:
            return
    pytest.fail(f"live after {medians} ms in the median")


async def opened_anew(visitors: Visitors, path: str) -> tuple[float, list[int]]:
    """A page without anything in the cache: milliseconds until it is live, and the bytes of each answer."""
    page = await visitors.open("/nowhere", PHONE)
    await page.add_init_script(WHEN_LIVE)
    session = await page.context.new_cdp_session(page)
    await session.send("Network.enable")
    await session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    sizes: list[int] = []
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    await page.goto(path)
    await until(lambda: page.evaluate("window.liveAt !== undefined"), 30)
    live_after_ms = float(await page.evaluate("window.liveAt"))
    await page.context.close()
    return live_after_ms, sizes


async def test_charts_have_tables_and_downloads(site: Site, visitors: Visitors, sold_lot: UUID) -> None:
    assert (await site.http.get("/api/statistics")).json()["sold"] > 0, sold_lot
    page = await visitors.open("/statistics", DESK)
    charts = page.locator("figure.chart")
    await expect(charts).to_have_count(4)
    await expect(page.locator("figure.chart svg")).to_have_count(4)
    stage = charts.filter(has_text="各轮次结果")
    await stage.get_by_text("数据表").click()
    await expect(stage.get_by_role("row").filter(has_text="一拍")).to_contain_text("%")
    for kind, media_type in (("CSV", "text/csv"), ("JSON", "application/json")):
        address = await stage.get_by_role("link", name=kind).get_attribute("href")
        answer = await site.http.get(str(address))
        assert answer.headers["content-type"].startswith(media_type)
    await page.get_by_label("年份").select_option("2017")
    await expect(charts.first).to_contain_text("尚无已结束的场次")
