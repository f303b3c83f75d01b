"""Receipts and bundles checked in a real browser, by its own hashing and signature code."""

import asyncio
import json
from datetime import timedelta
from http import HTTPStatus
from typing import Any
from uuid import UUID

import pytest
from playwright.async_api import expect

from tests.pages.conftest import Visitors
from tests.pages.support import START, Site

pytestmark = [pytest.mark.browser, pytest.mark.anyio]


async def test_a_receipt_is_checked_where_it_is_pasted(site: Site, visitors: Visitors) -> None:
    lot = await site.lot()
    ack = await (await site.bidder(lot)).bid(lot, START)
    page = await visitors.open("/verify")
    text, check = page.get_by_label("或粘贴内容"), page.get_by_role("button", name="核验", exact=True)
    await text.fill(json.dumps(ack))
    await check.click()
    await expect(page.get_by_role("heading", name="核验通过")).to_be_visible()
    await expect(page.get_by_text("¥280,000")).to_be_visible()

    ack["receipt"]["event"]["price_fen"] -= 1
    await text.fill(json.dumps(ack))
    await check.click()
    await expect(page.get_by_role("heading", name="核验未通过")).to_be_visible()
    await expect(page.locator(".checks .bad")).to_have_count(1)

    await text.fill("[]")
    await check.click()
    await expect(page.get_by_role("alert")).to_contain_text("不是出价回执")
    await page.get_by_role("button", name="English").click()
    await expect(page.get_by_role("alert")).to_contain_text("neither a receipt nor a bundle")


async def test_a_browser_without_the_signature_says_so(site: Site, visitors: Visitors) -> None:
    page = await visitors.open("/verify")
    await page.add_init_script("crypto.subtle.importKey = async () => { throw new DOMException('no'); };")
    await page.reload()
    await expect(page.get_by_role("alert")).to_contain_text("不支持 Ed25519")
    await expect(page.get_by_role("button", name="核验", exact=True)).to_have_count(0)


async def _until_logged(site: Site, lot_id: UUID) -> dict[str, Any]:
    """The bundle of a lot, once the log knows its end."""
    async with asyncio.timeout(60):
        while True:
            answer = await site.http.get(f"/api/lots/{lot_id}/bundle")
            if answer.status_code == HTTPStatus.OK and answer.json()["log"]:
                return dict(answer.json())
            await asyncio.sleep(0.2)


async def test_a_bundle_is_checked_and_one_that_was_cut_does_not_hold(site: Site, visitors: Visitors) -> None:
    lot = await site.lot(lasts=timedelta(minutes=10))
    await (await site.bidder(lot)).bid(lot, START)
    await site.pass_time(timedelta(minutes=20))
    bundle = await _until_logged(site, lot)
    page = await visitors.open("/verify")
    text, check = page.get_by_label("或粘贴内容"), page.get_by_role("button", name="核验", exact=True)
    await text.fill(json.dumps(bundle))
    await check.click()
    await expect(page.get_by_role("heading", name="核验通过")).to_be_visible()
    await expect(page.locator(".checks .good")).to_have_count(7)
    await expect(page.get_by_text("不在证明之列")).to_be_visible()

    del bundle["events"][-1]
    bundle["log"]["entries"] = []
    await text.fill(json.dumps(bundle))
    await check.click()
    await expect(page.get_by_role("heading", name="核验未通过")).to_be_visible()
    await expect(page.locator(".checks .bad")).to_have_count(2)
