"""HTTP routes of papers."""

from urllib.parse import quote
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from kernel.actors import COURT_STAFF, Actor, Role
from kernel.database import Call, Database
from kernel.documents import Document
from kernel.web import allow, anyone
from settlement.papers import service
from settlement.papers.schemas import Papers, PaperView

OFFICERS = (Role.CLERK, Role.JUDGE, Role.MAKER, Role.CHECKER, Role.PAYER)


@post("/api/lots/{lot_id:uuid}/confirmation-paper", guards=[allow(*OFFICERS)], status_code=201)
async def write_confirmation(
    database: NamedDependency[Database], call: NamedDependency[Call], lot_id: FromPath[UUID]
) -> PaperView:
    """Write the confirmation of a sale (成交确认书) as PDF and HTML."""
    return await service.write_confirmation(database, call, lot_id)


@post("/api/lots/{lot_id:uuid}/payment-notice", guards=[allow(*OFFICERS)], status_code=201)
async def write_payment_notice(
    database: NamedDependency[Database], call: NamedDependency[Call], lot_id: FromPath[UUID]
) -> PaperView:
    """Write the notice to pay the balance (缴款通知书) as PDF and HTML."""
    return await service.write_payment_notice(database, call, lot_id)


@post("/api/plans/{plan_id:uuid}/paper", guards=[allow(*OFFICERS)], status_code=201)
async def write_plan(
    database: NamedDependency[Database], call: NamedDependency[Call], plan_id: FromPath[UUID]
) -> PaperView:
    """Write the distribution plan (分配方案) with its table as PDF and HTML."""
    return await service.write_plan(database, call, plan_id)


@post("/api/payouts/{batch_id:uuid}/form", guards=[allow(*OFFICERS)], status_code=201)
async def write_payout_form(
    database: NamedDependency[Database], call: NamedDependency[Call], batch_id: FromPath[UUID]
) -> PaperView:
    """Write the approval form of a payout (案款发放审批表) as PDF and HTML."""
    return await service.write_payout_form(database, call, batch_id)


@post("/api/cases/{case_id:uuid}/account/paper", guards=[allow(*OFFICERS)], status_code=201)
async def write_case_account(
    database: NamedDependency[Database], call: NamedDependency[Call], case_id: FromPath[UUID]
) -> PaperView:
    """Write the statement of the case account (案款账户对账单) as PDF and HTML."""
    return await service.write_case_account(database, call, case_id)


@get("/api/cases/{case_id:uuid}/papers", guards=[allow(*COURT_STAFF)])
async def show_papers(
    database: NamedDependency[Database], actor: NamedDependency[Actor], case_id: FromPath[UUID]
) -> Papers:
    """The papers of a case with their hashes, newest first."""
    return await service.show_papers(database, actor, case_id)


@get("/api/papers/{paper_id:uuid}/pdf", guards=[anyone])
async def read_pdf(
    database: NamedDependency[Database], actor: NamedDependency[Actor], paper_id: FromPath[UUID]
) -> Response[bytes]:
    """A paper as PDF: confirmations for everybody, the rest for those they concern."""
    return _answer(await service.read_pdf(database, actor, paper_id))


@get("/api/papers/{paper_id:uuid}/html", guards=[anyone])
async def read_html(
    database: NamedDependency[Database], actor: NamedDependency[Actor], paper_id: FromPath[UUID]
) -> Response[bytes]:
    """A paper as a page: confirmations for everybody, the rest for those they concern."""
    return _answer(await service.read_html(database, actor, paper_id))


def _answer(document: Document) -> Response[bytes]:
    headers = {
        "content-disposition": f"inline; filename*=UTF-8''{quote(document.name, safe='')}",
        "cache-control": "private, max-age=86400, immutable",
        "etag": f'"{document.sha256.hex()}"',
    }
    return Response(document.content, media_type=document.bare_type, headers=headers)


ROUTES = [
    write_confirmation,
    write_payment_notice,
    write_plan,
    write_payout_form,
    write_case_account,
    show_papers,
    read_pdf,
    read_html,
]
