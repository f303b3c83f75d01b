"""Receipts and bundles checked in a real browser, by its own hashing and signature code."""

import json

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
