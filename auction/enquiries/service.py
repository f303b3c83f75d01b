"""Use cases of enquiries: ask, answer, and the lists of those who ask, who answer, and everybody."""

from collections.abc import Iterable
from uuid import UUID

from auction.enquiries import rules, store
from auction.enquiries.models import Enquiry
from auction.enquiries.rules import EnquiryKind, EnquiryState
from auction.enquiries.schemas import Answer, Ask, Enquiries, EnquiryView, Questions, QuestionView
from auction.lots import service as lots
from auction.lots.rules import Status
from kernel.actors import Actor, Role
from kernel.audit import record
from kernel.clock import beijing
from kernel.database import Call, Database, Tx
from kernel.ids import random_id

ANSWERERS = (Role.CLERK, Role.JUDGE)
"""Who of a court answers what citizens ask."""

MOST = 200
DIGITS = 8


async def ask(database: Database, call: Call, lot_id: UUID, wanted: Ask) -> EnquiryView:
    """Send a question or a request to view to the court of the lot.

    The audit entry names no person and no words: it stands where the court can read it.
    """
    async with database.command(call) as tx:
        lot = await lots.lock_published(tx, lot_id)
        rules.check_taken(Status(lot.status), await store.count_waiting(tx, lot_id, tx.actor.person))
        enquiry = Enquiry(
            id=random_id(),
            lot_id=lot_id,
            court_id=lot.court_id,
            person_id=tx.actor.person,
            kind=wanted.kind,
            words=wanted.words,
            state=EnquiryState.WAITING,
            asked_at=tx.now(),
            published=False,
        )
        await store.add(tx, enquiry)
        return tx.answer(_view(enquiry, lot.title))


async def answer(database: Database, call: Call, enquiry_id: UUID, wanted: Answer) -> EnquiryView:
    """Answer for the court of the lot, once. A viewing is granted or declined and never published."""
    async with database.command(call) as tx:
        tx.actor.must_be(*ANSWERERS)
        enquiry = await store.lock(tx, enquiry_id)
        tx.actor.must_serve(enquiry.court_id, "enquiry")
        lot = await lots.get_lot(tx, enquiry.lot_id)
        kind = EnquiryKind(enquiry.kind)
        enquiry.state = rules.answered(kind, EnquiryState(enquiry.state), wanted.granted)
        enquiry.answer, enquiry.answered_at = wanted.answer, tx.now()
        enquiry.published = wanted.publish and kind is EnquiryKind.QUESTION
        facts = {"state": enquiry.state, "published": enquiry.published}
        await record(tx, "enquiries.answer", f"enquiry:{enquiry.id}", facts, case_id=lot.case_id)
        return tx.answer(_view(enquiry, lot.title))


async def show_questions(database: Database, actor: Actor, lot_id: UUID) -> Questions:
    """What the court answered for everybody about a published lot."""
    async with database.reading(actor) as tx:
        await lots.get_published(tx, lot_id)
        return Questions(lot_id, tuple(_question(found) for found in await store.list_published(tx, lot_id, MOST)))


async def show_own(database: Database, actor: Actor) -> Enquiries:
    """The person's own enquiries, the latest first."""
    async with database.reading(actor) as tx:
        return await _views(tx, await store.list_own(tx, actor.person, MOST))


async def show_waiting(database: Database, actor: Actor) -> Enquiries:
    """What waits for the answer of the reader's court, the oldest first."""
    async with database.reading(actor) as tx:
        actor.must_be(*ANSWERERS)
        return await _views(tx, await store.list_waiting(tx, actor.court_id, MOST) if actor.court_id else ())


async def show_lot(database: Database, actor: Actor, lot_id: UUID) -> Enquiries:
    """All enquiries on a lot of the reader's court, the oldest first."""
    async with database.reading(actor) as tx:
        actor.must_be(*ANSWERERS)
        actor.must_serve((await lots.get_lot(tx, lot_id)).court_id, "lot")
        return await _views(tx, await store.list_lot(tx, lot_id, MOST))


async def _views(tx: Tx, found: Iterable[Enquiry]) -> Enquiries:
    return Enquiries(tuple([_view(each, (await lots.get_lot(tx, each.lot_id)).title) for each in found]))


def _view(enquiry: Enquiry, title: str) -> EnquiryView:
    return EnquiryView(
        id=enquiry.id,
        number=enquiry.id.hex[:DIGITS].upper(),
        lot_id=enquiry.lot_id,
        title=title,
        kind=enquiry.kind,
        words=enquiry.words,
        state=enquiry.state,
        asked_at=beijing(enquiry.asked_at),
        answer=enquiry.answer,
        answered_at=beijing(enquiry.answered_at) if enquiry.answered_at else None,
        published=enquiry.published,
    )


def _question(enquiry: Enquiry) -> QuestionView:
    assert enquiry.answer is not None, "published questions are answered"
    assert enquiry.answered_at is not None
    return QuestionView(enquiry.words, enquiry.answer, beijing(enquiry.answered_at))
