"""Use cases of papers: written from what the officer may read, laid out in a thread, kept as documents.

A paper says what was true when it was read; said again unchanged, it is the same paper, else a new version beside it.
"""

import asyncio
from collections.abc import Collection
from uuid import UUID

from appraisal import api as appraisal
from appraisal.api import CaseFacts
from kernel.actors import COURT_STAFF, Actor
from kernel.audit import record
from kernel.clock import beijing, beijing_day
from kernel.database import Call, Database, Tx
from kernel.documents import Document, get_document, store_document
from kernel.errors import NotFound
from kernel.ids import ordered_id
from settlement.completion import case_money
from settlement.completion import service as completion
from settlement.distribution import service as distribution
from settlement.papers import contents, rules, store
from settlement.papers.models import PaperRow
from settlement.papers.rules import Paper, PaperKind
from settlement.papers.schemas import Papers, PaperView
from settlement.payouts import account
from settlement.payouts import service as payouts

HTML = "text/html; charset=utf-8"


async def write_confirmation(database: Database, call: Call, lot_id: UUID) -> PaperView:
    """The confirmation of a sale (成交确认书), which everybody may read (R-CLOSE-01)."""
    sale = await completion.show_sale(database, call.actor, lot_id)
    paper = contents.confirmation(await completion.show_confirmation(database, call.actor, lot_id))
    return await _keep(database, call, paper, kind=PaperKind.CONFIRMATION, about=lot_id, case_id=sale.case_id)


async def write_payment_notice(database: Database, call: Call, lot_id: UUID) -> PaperView:
    """The notice to pay the balance (缴款通知书, R-CLOSE-04)."""
    sale = await completion.show_sale(database, call.actor, lot_id)
    paper = contents.payment_notice(sale, await completion.show_confirmation(database, call.actor, lot_id))
    return await _keep(database, call, paper, kind=PaperKind.PAYMENT_NOTICE, about=lot_id, case_id=sale.case_id)


async def write_plan(database: Database, call: Call, plan_id: UUID) -> PaperView:
    """The distribution plan with its table (分配方案, R-DIST-04)."""
    view = await distribution.show_plan(database, call.actor, plan_id)
    case = await _case(database, call.actor, view.case_id)
    paper = contents.plan(view, case.court_name, case.case_no)
    return await _keep(database, call, paper, kind=PaperKind.PLAN, about=plan_id, case_id=view.case_id)


async def write_payout_form(database: Database, call: Call, batch_id: UUID) -> PaperView:
    """The approval form of a payout batch (发放审批表, R-ACCT-06)."""
    view = await payouts.show_batch(database, call.actor, batch_id)
    held = await account.show_account(database, call.actor, view.case_id)
    case = await _case(database, call.actor, view.case_id)
    paper = contents.payout_form(view, held, case.court_name)
    return await _keep(database, call, paper, kind=PaperKind.PAYOUT_FORM, about=batch_id, case_id=view.case_id)


async def write_case_account(database: Database, call: Call, case_id: UUID) -> PaperView:
    """The statement of the case account as of today (案款账户对账单, R-ACCT-08)."""
    held = await account.show_account(database, call.actor, case_id)
    case = await _case(database, call.actor, case_id)
    today = beijing_day(database.clock.now()).isoformat()
    paper = contents.case_account(held, case.court_name, today)
    return await _keep(database, call, paper, kind=PaperKind.CASE_ACCOUNT, about=case_id, case_id=case_id)


async def show_papers(database: Database, actor: Actor, case_id: UUID) -> Papers:
    """The papers of a case of the reader's court, newest first."""
    async with database.reading(actor) as tx:
        tx.actor.must_be(*COURT_STAFF)
        case = await case_money.served_case(tx, case_id)
        return Papers(tuple([await _view(tx, paper) for paper in await store.papers_of(tx, case.id)]))


async def list_readable(tx: Tx, lot_id: UUID) -> tuple[PaperView, ...]:
    """The latest paper of each kind about a lot that the reader may read."""
    found: dict[str, PaperRow] = {}
    for paper in await store.papers_about(tx, lot_id):
        if paper.kind not in found and await _may_read(tx, paper):
            found[paper.kind] = paper
    return tuple([await _view(tx, paper) for paper in found.values()])


async def papers_of_parties(tx: Tx, case_id: UUID, party_ids: Collection[UUID]) -> list[PaperView]:
    """The papers of a case that these parties may read, newest first: confirmations, and plans served on them."""
    found = []
    for paper in await store.papers_of(tx, case_id):
        kind = PaperKind(paper.kind)
        served = await distribution.served_parties(tx, paper.about) if kind is PaperKind.PLAN else frozenset()
        if kind is PaperKind.CONFIRMATION or not served.isdisjoint(party_ids):
            found.append(await _view(tx, paper))
    return found


async def read_pdf(database: Database, actor: Actor, paper_id: UUID) -> Document:
    """The paper's PDF, for those it concerns."""
    async with database.reading(actor) as tx:
        return await get_document(tx, (await _readable(tx, paper_id)).pdf_id)


async def read_html(database: Database, actor: Actor, paper_id: UUID) -> Document:
    """The paper's page, for those it concerns."""
    async with database.reading(actor) as tx:
        return await get_document(tx, (await _readable(tx, paper_id)).html_id)


async def _readable(tx: Tx, paper_id: UUID) -> PaperRow:
    paper = await store.get_paper(tx, paper_id)
    if not await _may_read(tx, paper):
        raise NotFound(what="paper")
    return paper


async def _may_read(tx: Tx, paper: PaperRow) -> bool:
    """The confirmation is everybody's, a notice its buyer's, a plan those it was served on, everything the court's."""
    kind, case = PaperKind(paper.kind), await appraisal.get_case(tx, paper.case_id)
    actor = tx.actor
    if kind is PaperKind.CONFIRMATION:
        return True
    if actor.court_id == case.court_id and actor.roles.intersection(COURT_STAFF):
        return True
    if kind is PaperKind.PAYMENT_NOTICE:
        return await completion.is_buyer(tx, paper.about, actor.person_id)
    own = {party.id for party in case.parties if actor.signed_in and party.person_id == actor.person_id}
    return kind is PaperKind.PLAN and bool(own & await distribution.served_parties(tx, paper.about))


async def _case(database: Database, actor: Actor, case_id: UUID) -> CaseFacts:
    async with database.reading(actor) as tx:
        return await appraisal.get_case(tx, case_id)


async def _keep(
    database: Database, call: Call, paper: Paper, *, kind: PaperKind, about: UUID, case_id: UUID
) -> PaperView:
    call.actor.must_be(*COURT_STAFF)
    data = rules.data_of(paper)
    digest, pdf, html = rules.data_hash(data), await asyncio.to_thread(_pdf, data), rules.html_of(data)
    async with database.command(call) as tx:
        same = await store.find_same(tx, kind, about, digest)
        if same is not None:
            return tx.answer(await _view(tx, same))
        earlier = await store.find_latest(tx, kind, about)
        public, name = kind is PaperKind.CONFIRMATION, f"{paper.title}{paper.case_no}"
        kept_pdf = await store_document(
            tx, f"{name}.pdf", pdf, public=public, case_id=case_id, previous_id=earlier.pdf_id if earlier else None
        )
        kept_html = await store_document(
            tx,
            f"{name}.html",
            html,
            public=public,
            case_id=case_id,
            previous_id=earlier.html_id if earlier else None,
            media_type=HTML,
        )
        row: dict[str, object] = {
            "id": ordered_id(),
            "kind": str(kind),
            "about": about,
            "case_id": case_id,
            "data": data,
            "data_hash": digest,
            "pdf_id": kept_pdf.id,
            "html_id": kept_html.id,
            "made_at": tx.now(),
        }
        await store.add_paper(tx, row)
        facts = {"kind": kind, "about": str(about), "data_hash": digest.hex(), "pdf": kept_pdf.sha256.hex()}
        await record(tx, "papers.write", f"paper:{row['id']}", facts, case_id=case_id)
        found = await store.find_same(tx, kind, about, digest)
        assert found is not None, "written or found"
        return tx.answer(await _view(tx, found))


async def _view(tx: Tx, paper: PaperRow) -> PaperView:
    pdf, html = await get_document(tx, paper.pdf_id), await get_document(tx, paper.html_id)
    return PaperView(
        id=paper.id,
        kind=paper.kind,
        title=rules.TITLES[PaperKind(paper.kind)],
        about=paper.about,
        case_id=paper.case_id,
        made_at=beijing(paper.made_at),
        data_hash=paper.data_hash.hex(),
        pdf_sha256=pdf.sha256.hex(),
        html_sha256=html.sha256.hex(),
    )


def _pdf(data: bytes) -> bytes:
    from settlement.papers.layout import pdf_of  # loaded by who writes papers, not by every start

    return pdf_of(data)
