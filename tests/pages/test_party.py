"""A party's own pages in a real browser: deadlines, statement and plan, on a phone and on a desk, in both languages."""

import pytest
from playwright.async_api import expect

from appraisal.cases import service as cases
from appraisal.cases.rules import Capacity, PartyKind, PartyRole
from appraisal.cases.schemas import LinkParty
from kernel.clock import real_now
from settlement.papers import service as papers
from tests.appraisal.support import make_claim
from tests.pages.conftest import PHONE, Visitors
from tests.pages.support import Site
from tests.pages.test_pages import wide
from tests.settlement.distribution.road import make_road, party
from tests.support.house import call, opened
from tests.support.people import id_number

pytestmark = [pytest.mark.browser, pytest.mark.anyio]


async def test_a_creditor_reads_their_case(site: Site, visitors: Visitors) -> None:
    who = site.stranger()
    await who.sign_up(3)
    async with opened(site.url, real_now()) as database:
        road = await make_road(
            database,
            party("debtor", PartyRole.DEBTOR),
            party("A", PartyRole.ENFORCEMENT_APPLICANT, PartyKind.ENTERPRISE),
            party("B", PartyRole.CREDITOR, PartyKind.ENTERPRISE),
        )
        await make_claim(database, road.court, road.case, "A", principal_fen=4_000_000)
        await make_claim(database, road.court, road.case, "B", principal_fen=6_000_000)
        await road.bring_money(5_000_000)
        document = "授权委托书"
        wanted = LinkParty("bidder-3", id_number(3), Capacity.REPRESENTATIVE, document)
        await cases.link_party(database, call(road.court.clerk), road.case.id, road.id_of("B"), wanted)
        plan = await road.decide(await road.draft())
        await papers.write_plan(database, call(road.court.clerk), plan.id)
        await road.serve_all(plan)

    page = await visitors.open("/my/cases", PHONE, who)
    await expect(page.get_by_text("对分配方案提出书面异议")).to_be_visible()
    assert not await wide(page)
    await page.get_by_role("link", name=road.case.case_no).click()
    await expect(page.get_by_text("还剩 16 日")).to_be_visible()
    await expect(page.get_by_text("30,000.00").first).to_be_visible()
    await expect(page.get_by_role("link", name="PDF")).to_be_visible()
    assert not await wide(page)

    page = await visitors.open(page.url.removeprefix(site.origin), who=who)
    await expect(page.locator(".rows .own").first).to_contain_text("当事人B")
    await page.get_by_role("button", name="English").click()
    await expect(page.get_by_text("Object to the plan in writing")).to_be_visible()
    assert not await wide(page)


async def test_a_stranger_is_told_to_sign_in_or_that_there_is_nothing(site: Site, visitors: Visitors) -> None:
    page = await visitors.open("/my/cases")
    await expect(page.get_by_text("登录后查看您作为当事人的案件。")).to_be_visible()
    who = site.stranger()
    await who.sign_up(4)
    page = await visitors.open("/my/cases", who=who)
    await expect(page.get_by_text("您的账户尚未关联任何案件。")).to_be_visible()
