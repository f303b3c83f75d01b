"""SQL of announcements. Whoever writes here holds the lock of the lot."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on, insert

from auction.announcements.models import Announcement, ChecklistText, LotDocument, SaleNotice
from kernel.bulk import any_of
from kernel.database import Tx


async def save_checklist(tx: Tx, lot_id: UUID, items: Mapping[str, str], written_at: datetime) -> None:
    """Write or rewrite the texts of `items`; others stay as they are."""
    rows = [{"lot_id": lot_id, "item": key, "content": content} for key, content in sorted(items.items())]
    row = insert(ChecklistText).values(written_at=written_at)
    await tx.session.execute(
        row.on_conflict_do_update(
            index_elements=["lot_id", "item"],
            set_={"content": row.excluded.content, "written_at": row.excluded.written_at},
        ),
        rows,
    )


async def read_checklist(tx: Tx, lot_id: UUID) -> dict[str, str]:
    """Item -> text."""
    rows = await tx.session.execute(
        select(ChecklistText.item, ChecklistText.content).where(ChecklistText.lot_id == lot_id)
    )
    return {row.item: row.content for row in rows}


async def save_notice(tx: Tx, notice: SaleNotice) -> None:
    """Write or rewrite the notice to one party; the audit trail keeps what stood before."""
    await tx.session.merge(notice)
    await tx.session.flush()


async def list_notices(tx: Tx, lot_id: UUID) -> Sequence[SaleNotice]:
    return (await tx.session.scalars(select(SaleNotice).where(SaleNotice.lot_id == lot_id))).all()


async def add_document(tx: Tx, document: LotDocument) -> None:
    tx.session.add(document)
    await tx.session.flush()


async def list_documents(tx: Tx, lot_id: UUID) -> Sequence[LotDocument]:
    """The lot's documents in the order they were added."""
    return (
        await tx.session.scalars(select(LotDocument).where(LotDocument.lot_id == lot_id).order_by(LotDocument.position))
    ).all()


async def find_pictures(tx: Tx, lot_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """The first picture of each lot that has one: lot -> document."""
    rows = await tx.session.execute(
        select(LotDocument.lot_id, LotDocument.document_id)
        .where(LotDocument.lot_id.in_(lot_ids), LotDocument.kind == "picture")
        .order_by(LotDocument.lot_id, LotDocument.position)
        .ext(distinct_on(LotDocument.lot_id))
    )
    return {row.lot_id: row.document_id for row in rows}


async def find_lot_of_document(tx: Tx, document_id: UUID) -> UUID | None:
    return await tx.session.scalar(select(LotDocument.lot_id).where(LotDocument.document_id == document_id))


async def add_announcement(tx: Tx, announcement: Announcement) -> None:
    tx.session.add(announcement)
    await tx.session.flush()


async def find_versions(tx: Tx, lot_ids: Collection[UUID]) -> dict[UUID, str]:
    """The version of the published announcement of each of these lots that has one."""
    rows = await tx.session.execute(
        select(Announcement.lot_id, Announcement.version).where(Announcement.lot_id == any_of(lot_ids))
    )
    return {row.lot_id: row.version for row in rows}


async def find_announcement(tx: Tx, lot_id: UUID) -> Announcement | None:
    return await tx.session.get(Announcement, lot_id)
