"""All SQL of papers."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as insert_or_keep

from kernel.database import Tx
from kernel.errors import NotFound
from settlement.papers.models import PaperRow


async def add_paper(tx: Tx, paper: dict[str, object]) -> bool:
    """Write the paper; False when the same was said before (waits for one in flight)."""
    row = insert_or_keep(PaperRow).values(**paper).on_conflict_do_nothing().returning(PaperRow.id)
    return (await tx.session.execute(row)).first() is not None


async def find_same(tx: Tx, kind: str, about: UUID, data_hash: bytes) -> PaperRow | None:
    found = select(PaperRow).where(PaperRow.kind == kind, PaperRow.about == about, PaperRow.data_hash == data_hash)
    return (await tx.session.scalars(found)).one_or_none()


async def find_latest(tx: Tx, kind: str, about: UUID) -> PaperRow | None:
    """The last paper of this kind about this thing."""
    found = select(PaperRow).where(PaperRow.kind == kind, PaperRow.about == about)
    return (await tx.session.scalars(found.order_by(PaperRow.id.desc()).limit(1))).first()


async def get_paper(tx: Tx, paper_id: UUID) -> PaperRow:
    paper = await tx.session.get(PaperRow, paper_id)
    if paper is None:
        raise NotFound(what="paper")
    return paper


async def papers_of(tx: Tx, case_id: UUID) -> Sequence[PaperRow]:
    """The case's papers, newest first."""
    found = select(PaperRow).where(PaperRow.case_id == case_id).order_by(PaperRow.id.desc())
    return (await tx.session.scalars(found)).all()


async def papers_about(tx: Tx, about: UUID) -> Sequence[PaperRow]:
    """The papers about one lot, plan, batch or case, newest first."""
    found = select(PaperRow).where(PaperRow.about == about).order_by(PaperRow.id.desc())
    return (await tx.session.scalars(found)).all()


async def all_papers(tx: Tx) -> Sequence[PaperRow]:
    return (await tx.session.scalars(select(PaperRow).order_by(PaperRow.id))).all()
