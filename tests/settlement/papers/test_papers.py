"""Papers: the same bytes from the same data, text that can be selected, kept with hashes, read by whom they concern."""

import re
import zlib
from dataclasses import replace
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import text

from kernel.actors import Actor, Role, platform, visitor
from kernel.database import Database
from kernel.errors import Forbidden, NotFound
from kernel.identity.service import create_staff
from kernel.ids import ordered_id
from settlement import verify
from settlement.papers import rules, service
from settlement.papers.errors import UnprintableText
from settlement.papers.layout import pdf_of
from settlement.papers.rules import Paper, Table
from tests.appraisal.support import QUICK_PASSWORDS, make_claim
from tests.settlement.distribution.road import Road, make_road, parties
from tests.settlement.distribution.test_setting_off import bought, of_creditors
from tests.settlement.hall import hall
from tests.support.house import actor, call, opened

pytestmark = pytest.mark.anyio

PAPER = Paper(
    title="执行财产分配方案",
    court="某市中级人民法院",
    case_no="（2025）沪0115执恢12号",
    on="2025-03-03",
    code="分配方案 1",
    fields=(("可分配款项", "人民币 1,234.56 元"), ("债权人", '㛃䶮𬀩𫖯堃 <b>&"#eval("1")')),
    paragraphs=("#panic() $x$ *not bold* @ref 第一百一十条",),
    tables=(Table("明细", ("序号", "金额（元）"), (1, 2), (1,), tuple((str(n), "1,000.00") for n in range(300))),),
    signatures=(("制单", ""), ("复核", "2025-03-03 09:00:00")),
)


def characters_in(pdf: bytes) -> set[str]:
    """Every character that a reader can select: what the fonts of the file map their glyphs to."""
    found: set[str] = set()
    for start in re.finditer(rb"(?<!end)stream\r?\n", pdf):
        try:
            inside = zlib.decompressobj().decompress(pdf[start.end() :])
        except zlib.error:
            continue
        for block in re.findall(rb"beginbfchar(.*?)endbfchar", inside, re.DOTALL):
            for target in re.findall(rb"<[0-9A-Fa-f]+>\s*<([0-9A-Fa-f]+)>", block):
                found.update(bytes.fromhex(target.decode()).decode("utf-16-be"))
        for block in re.findall(rb"beginbfrange(.*?)endbfrange", inside, re.DOTALL):
            for first, last, target in re.findall(rb"<(\w+)>\s*<(\w+)>\s*<(\w+)>", block):
                lowest = bytes.fromhex(target.decode()).decode("utf-16-be")
                found.update(chr(ord(lowest) + n) for n in range(int(last, 16) - int(first, 16) + 1))
    return found


def words_of(paper: Paper) -> set[str]:
    """Every character that the paper shows."""
    flat = msgspec.to_builtins(paper)
    shown: list[str] = []

    def walk(value: object) -> None:
        if isinstance(value, str):
            shown.append(value)
        elif isinstance(value, dict):
            for one in value.values():
                walk(one)
        elif isinstance(value, list | tuple):
            for one in value:
                walk(one)

    walk(flat)
    return set("".join(shown)) - {" "}


def test_the_same_data_give_the_same_bytes_with_text_to_select() -> None:
    data = rules.data_of(PAPER)
    pdf = pdf_of(data)
    assert pdf == pdf_of(data)
    assert pdf.startswith(b"%PDF-1.7")
    assert b"pdfaid" in pdf
    assert words_of(PAPER) - characters_in(pdf) == set()
    assert pdf != pdf_of(rules.data_of(replace(PAPER, code="分配方案 2")))


def test_a_character_without_a_glyph_is_named() -> None:
    with pytest.raises(UnprintableText) as told:
        pdf_of(rules.data_of(replace(PAPER, court="𠮷法院")))
    assert "𠮷" in told.value.detail


def test_a_page_says_the_same_and_runs_nothing() -> None:
    page = rules.html_of(rules.data_of(PAPER)).decode()
    assert page == rules.html_of(rules.data_of(PAPER)).decode()
    assert "&lt;b&gt;&amp;&quot;#eval" in page
    assert "<script" not in page
    assert page.count("<td>1,000.00</td>") == 300


async def content_of(database: Database, who: Actor, paper_id: UUID) -> tuple[bytes, str]:
    pdf, html = await service.read_pdf(database, who, paper_id), await service.read_html(database, who, paper_id)
    return pdf.content, html.content.decode()


async def test_the_papers_of_a_sale(database_url: str) -> None:
    async with hall(database_url) as place:
        lot_id = await place.lot()
        buyer = await place.sold(lot_id, 80_000_00)
        database, clerk = place.database, place.court.clerk
        paper = await service.write_confirmation(database, call(clerk), lot_id)
        assert await service.write_confirmation(database, call(place.court.judge), lot_id) == paper
        pdf, page = await content_of(database, visitor("test"), paper.id)
        assert set("王小明成交确认书8000.,") <= characters_in(pdf)
        assert "80,000.00" in page
        notice = await service.write_payment_notice(database, call(clerk), lot_id)
        _, page = await content_of(database, buyer.actor, notice.id)
        assert "73,000.00" in page
        for who in (visitor("test"), actor(Role.BIDDER), actor(Role.CLERK, court=ordered_id())):
            with pytest.raises(NotFound):
                await service.read_pdf(database, who, notice.id)
        with pytest.raises(Forbidden):
            await service.write_payment_notice(database, call(buyer.actor), lot_id)
        with pytest.raises(NotFound):
            await service.write_confirmation(database, call(actor(Role.CLERK, court=ordered_id())), lot_id)
        await place.pay_balance(buyer, lot_id)
        changed = await service.write_payment_notice(database, call(clerk), lot_id)
        assert changed.id != notice.id
        listed = await service.show_papers(database, clerk, place.case_id)
        assert [each.id for each in listed.papers] == [changed.id, notice.id, paper.id]


async def test_the_payment_notice_says_what_is_set_off(database_url: str) -> None:
    async with of_creditors(database_url) as place:
        won = await bought(place)
        await won.set_off()
        notice = await service.write_payment_notice(place.database, call(place.court.clerk), won.lot_id)
        pdf, page = await content_of(place.database, won.buyer.actor, notice.id)
        assert "<dt>以债权抵价款</dt><dd>人民币 14,400.00 元</dd>" in page
        assert "经合议庭决定以债权抵价款 人民币 14,400.00 元，尚应支付 人民币 58,600.00 元" in page
        assert set("以债权抵价款") <= characters_in(pdf)


async def officer(road: Road, name: str, role: Role) -> Actor:
    """Somebody of the road's court with an account in their real name."""
    person = await create_staff(
        road.database,
        QUICK_PASSWORDS,
        username=f"officer-{ordered_id().hex[-12:]}",
        real_name=name,
        password="a long password",
        roles=[role],
        court_code=road.court.code,
    )
    return actor(role, court=road.court.id, person=person.id, name=person.username)


async def test_the_payout_form_names_parties_payers_and_who_signed_when(database_url: str) -> None:
    """R-ACCT-06: the maker, the chief who approves, the payer, each by name and time, on page and in print."""
    async with opened(database_url) as database:
        road = await make_road(database, *parties("A", "B"))
        road = replace(
            road,
            maker=await officer(road, "制单人甲", Role.MAKER),
            checker=await officer(road, "执行局长乙", Role.CHIEF),
            payer=await officer(road, "财务丙", Role.PAYER),
        )
        await make_claim(database, road.court, road.case, "A", principal_fen=20_000)
        await make_claim(database, road.court, road.case, "B", principal_fen=30_000)
        await road.bring_money(60_000)
        batch = await road.make(await road.confirmed())
        form = await service.write_payout_form(database, call(road.maker), batch.id)
        _, page = await content_of(database, road.payer, form.id)
        made = batch.made_at[:19].replace("T", " ")
        assert f"<p>制单：制单人甲 {made}</p>" in page
        assert "<p>支付：</p>" in page, "nobody has signed yet"
        checked = await road.check(batch)
        paid = await road.pay(checked)
        form = await service.write_payout_form(database, call(road.maker), batch.id)
        pdf, page = await content_of(database, road.payer, form.id)
        for who in (f"复核审批（局长或分管院长）：执行局长乙 {made}", f"支付：财务丙 {made}"):
            assert f"<p>{who}</p>" in page
        assert (paid.maker, paid.checker, paid.payer) == ("制单人甲", "执行局长乙", "财务丙")
        for name, value in (("申请执行人", "当事人A"), ("被执行人", "当事人debtor")):
            assert f"<dt>{name}</dt><dd>{value}</dd>" in page
        assert "<td>王小明</td><td>到账</td>" in page, "who paid the money in"
        assert set("制单人甲执行局长乙财务丙王小明") <= characters_in(pdf)
        account = await service.write_case_account(database, call(road.maker), road.case.id)
        _, page = await content_of(database, road.payer, account.id)
        assert "<dt>申请执行人</dt><dd>当事人A</dd>" in page
        assert "<td>王小明</td>" in page


async def test_the_papers_of_a_case_s_money(database_url: str) -> None:
    async with opened(database_url) as database:
        road = await make_road(database, *parties("A", "B"))
        await make_claim(database, road.court, road.case, "A", principal_fen=20_000)
        await make_claim(database, road.court, road.case, "B", principal_fen=30_000)
        await road.bring_money(60_000)
        plan = await road.confirmed()
        batch = await road.paid(plan)
        written = [
            await service.write_plan(database, call(road.court.judge), plan.id),
            await service.write_payout_form(database, call(road.maker), batch.id),
            await service.write_case_account(database, call(road.checker), road.case.id),
        ]
        told = [await content_of(database, road.payer, paper.id) for paper in written]
        for (pdf, page), words in zip(told, (plan.hash, batch.hash, "结存"), strict=True):
            assert words in page or words in "结存"
            assert set("人民法院") <= characters_in(pdf)
        assert "当事人A" in told[0][1]
        assert "6222A" in told[1][1]
        for paper in written:
            with pytest.raises(NotFound):
                await service.read_html(database, actor(Role.MAKER, court=ordered_id()), paper.id)
        async with database.transaction(platform("test")) as tx:
            person = ordered_id()
            linked = text("UPDATE appraisal.party SET person_id = :person WHERE id = :party")
            await tx.session.execute(linked, {"person": person, "party": road.id_of("A")})
        creditor = actor(Role.BIDDER, person=person)
        assert (await content_of(database, creditor, written[0].id)) == told[0]
        for paper in written[1:]:
            with pytest.raises(NotFound):
                await service.read_pdf(database, creditor, paper.id)
        async with database.reading(platform("verify")) as tx:
            assert await verify.faults(tx) == []
        async with database.transaction(platform("thief")) as tx:
            await tx.session.execute(text("ALTER TABLE kernel.document DISABLE TRIGGER ALL"))
            await tx.session.execute(text("UPDATE kernel.document SET content = content || ' '"))
            assert len([fault for fault in await verify.faults(tx) if fault.startswith("paper")]) == 9
