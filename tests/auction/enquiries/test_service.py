"""Questions and viewings: asked by number, answered once by the lot's court, published without a trace of who asked."""

from datetime import timedelta
from uuid import UUID

import pytest

from auction.enquiries import service
from auction.enquiries.errors import AlreadyAnswered, EnquiriesClosed, TooManyEnquiries
from auction.enquiries.rules import MOST_WAITING, EnquiryKind
from auction.enquiries.schemas import Answer, Ask
from auction.lots import handlers
from kernel.actors import Role
from kernel.contracts import LotClosed, LotOpened
from kernel.errors import NotFound
from kernel.ids import ordered_id
from tests.auction.support import each, happen, make_draft, make_place, make_published_lot
from tests.support.house import actor, call, frozen, opened

pytestmark = pytest.mark.anyio

QUESTION = Ask(kind=EnquiryKind.QUESTION, words="是否可以办理贷款？")
VIEWING = Ask(kind=EnquiryKind.VIEWING, words="周六上午，两人")


async def test_a_question_is_answered_for_everybody_and_a_viewing_for_its_asker(database_url: str) -> None:
    async with opened(database_url) as database:
        place = await make_place(database)
        lot_id = await make_published_lot(place)
        asker = actor(Role.BIDDER, name="mk-asker")
        question = await service.ask(database, call(asker), lot_id, QUESTION)
        frozen(database).advance(timedelta(seconds=1))
        viewing = await service.ask(database, call(asker), lot_id, VIEWING)
        assert (await service.show_questions(database, actor(), lot_id)).questions == ()
        waiting = await service.show_waiting(database, place.clerk)
        assert [each.number for each in waiting.enquiries] == [question.number, viewing.number]
        assert "mk-asker" not in repr(waiting)
        assert str(asker.person) not in repr(waiting)

        told = Answer(answer="可以，详见公告第五条。", publish=True)
        await service.answer(database, call(place.clerk), question.id, told)
        told = Answer(answer="周六 10:00 在现场", publish=True, granted=True)
        granted = await service.answer(database, call(place.judge), viewing.id, told)
        assert (granted.state, granted.published) == ("granted", False)
        published = (await service.show_questions(database, actor(), lot_id)).questions
        assert [(each.words, each.answer) for each in published] == [(QUESTION.words, "可以，详见公告第五条。")]
        own = (await service.show_own(database, asker)).enquiries
        assert {each.state for each in own} == {"answered", "granted"}
        assert (await service.show_own(database, actor(Role.BIDDER))).enquiries == ()
        assert (await service.show_waiting(database, place.clerk)).enquiries == ()
        assert len((await service.show_lot(database, place.clerk, lot_id)).enquiries) == 2
        with pytest.raises(AlreadyAnswered):
            await service.answer(database, call(place.clerk), viewing.id, told)


async def test_what_is_not_taken(database_url: str) -> None:
    async with opened(database_url) as database:
        place = await make_place(database)
        lot_id = await make_published_lot(place)
        asker, stranger = actor(Role.BIDDER), actor(Role.CLERK, court=ordered_id())
        sent = [await service.ask(database, call(asker), lot_id, QUESTION) for _ in range(MOST_WAITING)]
        with pytest.raises(TooManyEnquiries):
            await service.ask(database, call(asker), lot_id, QUESTION)
        await service.ask(database, call(actor(Role.BIDDER)), lot_id, QUESTION)
        for answered in (service.show_lot(database, stranger, lot_id), _answered(database, stranger, sent[0].id)):
            with pytest.raises(NotFound):
                await answered
        assert (await service.show_waiting(database, stranger)).enquiries == ()
        with pytest.raises(NotFound):
            await service.ask(database, call(asker), await make_draft(await make_place(database)), QUESTION)

        now = database.clock.now()
        closed = LotClosed(
            lot_id=lot_id,
            status="failed",
            registration_id=None,
            code=None,
            price_fen=None,
            ended_at=now,
            bids=0,
            extensions=0,
        )
        await happen(database, handlers.open_lot, LotOpened(lot_id=lot_id, at=now))
        await happen(database, each(handlers.close_lots), closed)
        with pytest.raises(EnquiriesClosed):
            await service.ask(database, call(actor(Role.BIDDER)), lot_id, VIEWING)
        told = await _answered(database, place.clerk, sent[0].id)
        assert told.published is False, "what was asked before the end is still answered"


async def _answered(database: service.Database, who: service.Actor, enquiry_id: UUID) -> service.EnquiryView:
    return await service.answer(database, call(who), enquiry_id, Answer(answer="不可以", publish=False))
