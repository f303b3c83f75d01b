"""SQL of feeds, over published lots alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, select, tuple_

from auction.lots.models import Lot
from auction.lots.rules import OPEN
from kernel.database import Tx


@dataclass(frozen=True, slots=True)
class Selection:
    """Which lots a feed is about; None: all."""

    court_id: UUID | None = None
    asset_kind: str | None = None


async def list_latest(tx: Tx, wanted: Selection, most: int) -> Sequence[Lot]:
    """The lots published last, newest first."""
    lots = _published(wanted).order_by(Lot.published_at.desc(), Lot.id.desc())
    return (await tx.session.scalars(lots.limit(most))).all()


async def list_ahead(tx: Tx, wanted: Selection, most: int) -> Sequence[Lot]:
    """Published lots without an outcome, the one that ends first first."""
    lots = _published(wanted).where(Lot.status.in_(OPEN)).order_by(Lot.ends_rank, Lot.id)
    return (await tx.session.scalars(lots.limit(most))).all()


def _published(wanted: Selection) -> Select[Lot]:
    lots = select(Lot).where(Lot.published_at.is_not(None))
    if wanted.court_id is not None:
        lots = lots.where(Lot.court_id == wanted.court_id)
    return lots if wanted.asset_kind is None else lots.where(Lot.asset_kind == wanted.asset_kind)


async def list_changed(tx: Tx, after: tuple[datetime, UUID] | None, before: datetime, most: int) -> Sequence[Lot]:
    """Published lots by their last change, those after the cursor and before the moment."""
    lots = select(Lot).where(Lot.published_at.is_not(None), Lot.changed_at < before)
    if after is not None:
        lots = lots.where(tuple_(Lot.changed_at, Lot.id) > tuple_(*after))
    return (await tx.session.scalars(lots.order_by(Lot.changed_at, Lot.id).limit(most))).all()
