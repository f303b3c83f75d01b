"""What an announcement says, and what bidding is told of it."""

from datetime import datetime

import appraisal.api as appraisal
from auction.announcements import store
from auction.announcements.models import LotDocument
from auction.announcements.schemas import (
    AnnouncementText,
    AssetText,
    DocumentView,
    GroupText,
    PriceText,
    TermsText,
)
from auction.lots.models import Lot
from auction.lots.rules import Method
from auction.sale_groups import service as sale_groups
from auction.sale_groups.models import SaleGroup
from kernel.clock import beijing
from kernel.contracts import LotPublished
from kernel.database import Tx


async def compose(
    tx: Tx, lot: Lot, asset: appraisal.AssetFacts, price: appraisal.ReferencePrice, now: datetime
) -> AnnouncementText:
    """The announcement as it will be frozen (R-PUB-02, 03)."""
    schedule = lot.schedule
    assert schedule is not None, "terms are checked before"
    group = await _group_of(tx, lot)
    return AnnouncementText(
        lot_id=lot.id,
        case_no=lot.case_no,
        court_name=lot.court_name,
        title=lot.title,
        round=lot.round,
        method=lot.method,
        previous_lot_id=lot.previous_lot_id,
        purchase_limited=lot.purchase_limited,
        sale_group=GroupText(group.id, group.target_fen) if group else None,
        terms=TermsText(
            start_price_fen=lot.start_price_fen,
            increment_fen=lot.increment_fen,
            deposit_fen=lot.deposit_fen,
            opens_at=beijing(schedule.opens_at),
            scheduled_end=beijing(schedule.ends_at),
            balance_due_days=lot.balance_due_days,
            decision_id=schedule.decision_id,
        ),
        reference_price=PriceText(
            price.price_fen, price.method, price.fixed_on.isoformat(), price.valid_until.isoformat()
        ),
        asset=AssetText(asset.id, asset.kind, asset.title, asset.description, asset.place, dict(asset.details)),
        checklist=await store.read_checklist(tx, lot.id),
        documents=tuple(view_document(row) for row in await store.list_documents(tx, lot.id)),
        published_at=beijing(now),
    )


async def published(tx: Tx, lot: Lot, version: str) -> LotPublished:
    """What bidding is told of a published lot."""
    schedule = lot.schedule
    assert schedule is not None, "terms are checked before"
    group = await _group_of(tx, lot)
    return LotPublished(
        lot_id=lot.id,
        case_id=lot.case_id,
        court_id=lot.court_id,
        asset_id=lot.asset_id,
        title=lot.title,
        method=Method(lot.method).value,
        opens_at=schedule.opens_at,
        scheduled_end=schedule.ends_at,
        start_price_fen=lot.start_price_fen,
        increment_fen=lot.increment_fen,
        deposit_fen=lot.deposit_fen,
        barred_person_ids=tuple(lot.barred_person_ids),
        announcement_version=version,
        sale_group_id=lot.sale_group_id,
        sale_group_target_fen=group.target_fen if group else None,
    )


async def _group_of(tx: Tx, lot: Lot) -> SaleGroup | None:
    """The sale group of a lot that has one."""
    return await sale_groups.get_group_of(tx, lot.sale_group_id, lot.case_id) if lot.sale_group_id else None


def view_document(row: LotDocument) -> DocumentView:
    """A document's line on the lot page."""
    return DocumentView(row.document_id, row.kind, row.name, row.media_type, row.size, row.sha256.hex())
