"""The only door to this context for bidding and settlement. Every function works inside the caller's transaction."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from auction.announcements import service as announcements
from auction.lots import service as lots
from auction.lots.models import Lot
from auction.statistics import service as statistics
from kernel.database import Tx
from kernel.money import Fen


@dataclass(frozen=True, slots=True)
class LotFacts:
    """A lot as downstream contexts see it; amounts in fen. The times are None only in a resale that was just ordered.

    `announcement_version` is what a bidder accepts (R-BID-16); None in a draft.
    """

    id: UUID
    case_id: UUID
    court_id: UUID
    court_name: str
    asset_id: UUID
    asset_kind: str
    title: str
    round: str
    method: str
    previous_lot_id: UUID | None
    status: str
    start_price_fen: Fen
    increment_fen: Fen
    deposit_fen: Fen
    reference_price_fen: Fen
    opens_at: datetime | None
    scheduled_end: datetime | None
    balance_due_days: int
    published_at: datetime | None
    price_fen: Fen | None
    ended_at: datetime | None
    purchase_limited: bool
    announcement_version: str | None


async def get_lot(tx: Tx, lot_id: UUID) -> LotFacts:
    """The lot; refuses one that does not exist. A draft is found too: show nothing of it outside its court."""
    return await _facts(tx, await lots.get_lot(tx, lot_id))


async def get_lots(tx: Tx, lot_ids: Collection[UUID]) -> list[LotFacts]:
    """Many lots, each as `get_lot` tells it."""
    versions = await announcements.find_versions(tx, lot_ids)
    return [_facts_of(lot, versions.get(lot.id)) for lot in await lots.get_lots(tx, lot_ids)]


async def list_lots(tx: Tx, case_id: UUID) -> list[LotFacts]:
    """All lots of a case, oldest first, drafts among them."""
    return [await _facts(tx, lot) for lot in await lots.find_case_lots(tx, case_id)]


async def mark_defaulted(tx: Tx, lot_id: UUID) -> None:
    """The buyer did not pay: the sale is shown as `defaulted` and counts as a failed round. Refuses one not sold."""
    await lots.mark_defaulted(tx, lot_id)
    await statistics.count_default(tx, lot_id)


async def mark_annulled(tx: Tx, lot_id: UUID) -> None:
    """The court undid the sale: it is shown as `annulled` and counts as a failed round. Refuses one not sold."""
    await lots.mark_annulled(tx, lot_id)
    await statistics.count_annulment(tx, lot_id)


async def note_priority(tx: Tx, lot_id: UUID) -> None:
    """The court confirmed somebody who may buy before others: the lot says from now on that there is one."""
    await lots.note_priority(tx, lot_id)


async def order_resale(tx: Tx, lot_id: UUID, decision_id: UUID, *, barred_person_ids: Sequence[UUID] = ()) -> UUID:
    """Draft the resale of a defaulted or annulled lot, who caused it barred (R-CLOSE-10); again: the same draft."""
    return await lots.order_resale(tx, lot_id, decision_id, barred_person_ids)


async def _facts(tx: Tx, lot: Lot) -> LotFacts:
    announcement = await announcements.find_announcement(tx, lot.id)
    return _facts_of(lot, announcement.version if announcement else None)


def _facts_of(lot: Any, announcement_version: str | None) -> LotFacts:
    """`lot`: a mapped lot, or a row of its columns."""
    return LotFacts(
        id=lot.id,
        case_id=lot.case_id,
        court_id=lot.court_id,
        court_name=lot.court_name,
        asset_id=lot.asset_id,
        asset_kind=lot.asset_kind,
        title=lot.title,
        round=lot.round,
        method=lot.method,
        previous_lot_id=lot.previous_lot_id,
        status=lot.status,
        start_price_fen=lot.start_price_fen,
        increment_fen=lot.increment_fen,
        deposit_fen=lot.deposit_fen,
        reference_price_fen=lot.reference_price_fen,
        opens_at=lot.opens_at,
        scheduled_end=lot.scheduled_end,
        balance_due_days=lot.balance_due_days,
        published_at=lot.published_at,
        price_fen=lot.price_fen,
        ended_at=lot.ended_at,
        purchase_limited=lot.purchase_limited,
        announcement_version=announcement_version,
    )
