"""Publication: blocked by each missing thing with its rule, frozen once out, told to bidding once."""

import hashlib
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from appraisal.assets.rules import AssetKind
from appraisal.assets.service import lift_hold
from auction.announcements import service
from auction.announcements.rules import DocumentKind
from auction.announcements.schemas import Checklist
from auction.catalogue.service import show_lot
from auction.lots.errors import NotADraft
from kernel.actors import Role, platform, visitor
from kernel.clock import beijing_day
from kernel.contracts import LotPublished
from kernel.database import AlreadyAnswered
from kernel.errors import Forbidden, Malformed, NotFound, Refusal
from tests.auction import support
from tests.support.house import actor, call, frozen, opened

pytestmark = pytest.mark.anyio


async def test_a_whole_draft_is_published_and_told_to_bidding(database_url: str) -> None:
    async with opened(database_url) as database:
        place = await support.make_place(database)
        lot_id = await support.make_ready_lot(place)
        published = await support.publish(place, lot_id)
        page = await show_lot(database, visitor("test"), lot_id)
        content = await service.read_announcement(database, visitor("test"), lot_id)
        [event] = await support.told(database, "LotPublished")
    assert hashlib.sha256(content).hexdigest() == published.announcement_version == page.announcement_version
    assert page.status == "published"
    assert page.draft is None
    assert page.announcement is not None
    assert page.announcement.terms.start_price_fen == 70_000_00
    assert page.announcement.asset.details == {"occupation": "空置"}
    assert set(page.announcement.checklist) == set(support.CHECKLIST_TEXTS)
    assert event["lot_id"] == str(lot_id)
    assert event["deposit_fen"] == 7_000_00
    assert event["method"] == "auction"


async def missing_of(place: support.Place, lot_id: object) -> list[tuple[str, str | None]]:
    page = await show_lot(place.database, place.clerk, lot_id)  # type: ignore[arg-type]
    assert page.draft is not None
    return [(missing.code, missing.rule) for missing in page.draft.missing]


@pytest.mark.parametrize("left_out", ["defects", "announcement"])
async def test_an_incomplete_checklist_blocks(database_url: str, left_out: str) -> None:
    async with opened(database_url) as database:
        place = await support.make_place(database)
        lot_id = await support.make_draft(place)
        await support.fill_in(
            place, lot_id, {key: value for key, value in support.CHECKLIST_TEXTS.items() if key != left_out}
        )
        for ref in support.MUST_BE_TOLD:
            await support.notify(place, lot_id, ref)
        frozen(database).advance(timedelta(days=3))
        assert await missing_of(place, lot_id) == [("checklist-incomplete", "R-PUB-03")]
        with pytest.raises(Refusal) as refused:
            await support.publish(place, lot_id)
        assert refused.value.facts["missing"] == [left_out]
        await support.fill_in(place, lot_id, {left_out: "已补充"})
        await support.publish(place, lot_id)


async def test_whoever_must_be_told_blocks_until_three_days_passed(database_url: str) -> None:
    async with opened(database_url) as database:
        place = await support.make_place(database)
        lot_id = await support.make_draft(place)
        await support.fill_in(place, lot_id)
        await support.notify(place, lot_id, "applicant")
        await support.notify(place, lot_id, "tenant", "waived")
        frozen(database).advance(timedelta(days=3))
        assert await missing_of(place, lot_id) == [("notice-outstanding", "R-PUB-05")]
        await support.notify(place, lot_id, "debtor")
        frozen(database).advance(timedelta(days=2))
        assert await missing_of(place, lot_id) == [("notice-outstanding", "R-PUB-05")]
        frozen(database).advance(timedelta(days=1))
        assert await missing_of(place, lot_id) == []
        await support.publish(place, lot_id)


async def test_a_notice_cannot_be_of_the_future_or_to_a_stranger(database_url: str) -> None:
    async with opened(database_url) as database:
        place, other = await support.make_place(database), await support.make_place(database)
        lot_id = await support.make_draft(place)
        with pytest.raises(Malformed):
            await support.notify(place, lot_id, "debtor", on=beijing_day(database.clock.now()) + timedelta(days=1))
        with pytest.raises(NotFound):
            await support.notify(place.with_parties_of(other), lot_id, "debtor")


@pytest.mark.parametrize(
    ("kind", "days"),
    [pytest.param(AssetKind.MOVABLE, 15, id="movable"), pytest.param(AssetKind.IMMOVABLE, 30, id="immovable")],
)
async def test_the_announcement_stands_its_full_days(database_url: str, kind: AssetKind, days: int) -> None:
    async with opened(database_url) as database:
        place = await support.make_place(database, kind=kind)
        opens_at = database.clock.now() + timedelta(days=3 + days)
        lot_id = await support.make_ready_lot(place, opens_at=opens_at, scheduled_end=opens_at + timedelta(days=1))
        frozen(database).advance(timedelta(days=1))
        assert await missing_of(place, lot_id) == [("published-too-late", "R-PUB-01")]
        with pytest.raises(Refusal, match=str(days)):
            await support.publish(place, lot_id)

    async with opened(database_url) as database:
        place = await support.make_place(database, kind=kind)
        opens_at = database.clock.now() + timedelta(days=3 + days)
        await support.make_published_lot(place, opens_at=opens_at, scheduled_end=opens_at + timedelta(days=1))


async def test_a_hold_blocks_until_it_is_lifted(database_url: str) -> None:
    async with opened(database_url) as database:
        place = await support.make_place(database)
        lot_id = await support.make_ready_lot(place)
        hold_id = await support.hold(place)
        assert await missing_of(place, lot_id) == [("asset-held", "R-CASE-09")]
        with pytest.raises(Refusal, match="disposed"):
            await support.publish(place, lot_id)
        await lift_hold(database, call(place.judge), hold_id)
        await support.publish(place, lot_id)


async def test_an_expired_reference_price_blocks(database_url: str) -> None:
    async with opened(database_url) as database:
        place = await support.make_place(database)
        opens_at = database.clock.now() + timedelta(days=500)
        lot_id = await support.make_ready_lot(place, opens_at=opens_at, scheduled_end=opens_at + timedelta(days=1))
        frozen(database).advance(timedelta(days=400))
        codes = await missing_of(place, lot_id)
        assert [rule for _, rule in codes] == ["R-REF-13"]


async def test_terms_that_differ_from_the_panels_decision_are_refused(database_url: str) -> None:
    async with opened(database_url) as database:
        place = await support.make_place(database)
        decision_id = await support.decide(place, {"deposit_fen": 8_000_00})
        with pytest.raises(Refusal) as refused:
            await support.make_draft(place, decision_id=decision_id)
        assert (refused.value.code, refused.value.rule) == ("decision-differs", "R-GEN-05")
        other = await support.make_place(database)
        with pytest.raises(Refusal):
            await support.make_draft(place, decision_id=await support.decide(other))


async def test_a_draft_is_hidden_from_all_but_its_court(database_url: str) -> None:
    async with opened(database_url) as database:
        place = await support.make_place(database)
        lot_id = await support.make_draft(place)
        document = await service.attach_document(
            database, call(place.clerk), lot_id, kind=DocumentKind.OTHER, name="a.txt", content=b"secret yet"
        )
        stranger = (await support.make_court(database)).clerk
        for who in (visitor("test"), actor(Role.BIDDER), stranger):
            with pytest.raises(NotFound):
                await show_lot(database, who, lot_id)
            with pytest.raises(NotFound):
                await service.read_document(database, who, document.id)
            with pytest.raises(NotFound):
                await service.read_announcement(database, who, lot_id)
        assert (await show_lot(database, place.clerk, lot_id)).draft is not None
        assert (await service.read_document(database, place.clerk, document.id)).content == b"secret yet"
        with pytest.raises(NotFound):
            await service.fill_checklist(database, call(stranger), lot_id, Checklist(items={"title": "x"}))
        with pytest.raises(Forbidden):
            await service.publish(database, call(place.clerk), lot_id)


async def test_documents_become_public_with_their_lot_and_then_cannot_be_added(database_url: str) -> None:
    async with opened(database_url) as database:
        place = await support.make_place(database)
        lot_id = await support.make_ready_lot(place)
        picture = await service.attach_document(
            database,
            call(place.clerk),
            lot_id,
            kind=DocumentKind.PICTURE,
            name="车.png",
            content=b"\x89PNG\r\n\x1a\nrest",
        )
        with pytest.raises(Malformed):
            await service.attach_document(
                database, call(place.clerk), lot_id, kind=DocumentKind.PICTURE, name="x", content=b"no picture"
            )
        await support.publish(place, lot_id)
        document = await service.read_document(database, visitor("test"), picture.id)
        page = await show_lot(database, visitor("test"), lot_id)
        assert page.announcement is not None
        assert [line.sha256 for line in page.announcement.documents] == [document.sha256.hex()]
        with pytest.raises(NotADraft):
            await service.attach_document(
                database, call(place.clerk), lot_id, kind=DocumentKind.OTHER, name="late", content=b"late"
            )


async def test_publishing_twice_under_one_key_answers_once(database_url: str) -> None:
    async with opened(database_url) as database:
        place = await support.make_place(database)
        lot_id = await support.make_ready_lot(place)
        once = call(place.judge, "publish-once")
        published = await service.publish(database, once, lot_id)
        with pytest.raises(AlreadyAnswered) as again:
            await service.publish(database, once, lot_id)
        assert published.announcement_version.encode() in again.value.answer
        with pytest.raises(NotADraft):
            await service.publish(database, call(place.judge), lot_id)
        assert len(await support.told(database, LotPublished.__name__)) == 1


async def test_the_announcement_cannot_be_changed_in_the_database(database_url: str) -> None:
    async with opened(database_url) as database:
        place = await support.make_place(database)
        await support.make_published_lot(place)
        with pytest.raises(DBAPIError, match="append-only"):
            async with database.transaction(platform("test")) as tx:
                await tx.session.execute(text("UPDATE auction.announcement SET content = 'x'"))
