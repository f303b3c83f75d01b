"""The doors of enquiries: bidders ask, courts answer, everybody reads what was answered for everybody."""

from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from auction.enquiries import service
from auction.enquiries.schemas import Answer, Ask, Enquiries, EnquiryView, Questions
from kernel.actors import Actor, Role
from kernel.database import Call, Database
from kernel.web import allow, anyone


@post("/api/lots/{lot_id:uuid}/enquiries", guards=[allow(Role.BIDDER)], status_code=201)
async def ask(
    database: NamedDependency[Database], call: NamedDependency[Call], lot_id: FromPath[UUID], data: JSONBody[Ask]
) -> EnquiryView:
    """Ask the court about a lot (咨询), or ask to view it (预约看样)."""
    return await service.ask(database, call, lot_id, data)


@post("/api/enquiries/{enquiry_id:uuid}/answer", guards=[allow(*service.ANSWERERS)], status_code=201)
async def answer(
    database: NamedDependency[Database], call: NamedDependency[Call], enquiry_id: FromPath[UUID], data: JSONBody[Answer]
) -> EnquiryView:
    """Answer a question, or grant or decline a viewing."""
    return await service.answer(database, call, enquiry_id, data)


@get("/api/lots/{lot_id:uuid}/questions", guards=[anyone])
async def show_questions(
    database: NamedDependency[Database], actor: NamedDependency[Actor], lot_id: FromPath[UUID]
) -> Questions:
    """Questions that the court answered for everybody."""
    return await service.show_questions(database, actor, lot_id)


@get("/api/me/enquiries", guards=[allow(Role.BIDDER)])
async def show_own(database: NamedDependency[Database], actor: NamedDependency[Actor]) -> Enquiries:
    """One's own questions and viewings, the latest first."""
    return await service.show_own(database, actor)


@get("/api/enquiries", guards=[allow(*service.ANSWERERS)])
async def show_waiting(database: NamedDependency[Database], actor: NamedDependency[Actor]) -> Enquiries:
    """What waits for an answer of the reader's court, the oldest first."""
    return await service.show_waiting(database, actor)


@get("/api/lots/{lot_id:uuid}/enquiries", guards=[allow(*service.ANSWERERS)])
async def show_lot(
    database: NamedDependency[Database], actor: NamedDependency[Actor], lot_id: FromPath[UUID]
) -> Enquiries:
    """All enquiries on a lot, for its court; never who asked."""
    return await service.show_lot(database, actor, lot_id)


ROUTES = [ask, answer, show_questions, show_own, show_waiting, show_lot]
