"""SQL of enquiries."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select

from auction.enquiries.models import Enquiry
from auction.enquiries.rules import EnquiryState
from kernel.database import Tx
from kernel.errors import NotFound


async def add(tx: Tx, enquiry: Enquiry) -> None:
    tx.session.add(enquiry)
    await tx.session.flush()


async def lock(tx: Tx, enquiry_id: UUID) -> Enquiry:
    found = await tx.session.get(Enquiry, enquiry_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound(what="enquiry")
    return found


async def count_waiting(tx: Tx, lot_id: UUID, person_id: UUID) -> int:
    """How many of the person's enquiries on the lot have no answer yet."""
    waiting = select(func.count()).where(
        Enquiry.lot_id == lot_id, Enquiry.person_id == person_id, Enquiry.state == EnquiryState.WAITING
    )
    return await tx.session.scalar(waiting) or 0


async def list_published(tx: Tx, lot_id: UUID, most: int) -> Sequence[Enquiry]:
    """Questions with answers that everybody may read, the latest answer first."""
    found = select(Enquiry).where(Enquiry.lot_id == lot_id, Enquiry.published)
    return (await tx.session.scalars(found.order_by(Enquiry.answered_at.desc(), Enquiry.id).limit(most))).all()


async def list_own(tx: Tx, person_id: UUID, most: int) -> Sequence[Enquiry]:
    """The person's enquiries, the latest first."""
    found = select(Enquiry).where(Enquiry.person_id == person_id)
    return (await tx.session.scalars(found.order_by(Enquiry.asked_at.desc(), Enquiry.id).limit(most))).all()


async def list_waiting(tx: Tx, court_id: UUID, most: int) -> Sequence[Enquiry]:
    """What waits for the court's answer, the oldest first."""
    found = select(Enquiry).where(Enquiry.court_id == court_id, Enquiry.state == EnquiryState.WAITING)
    return (await tx.session.scalars(found.order_by(Enquiry.asked_at, Enquiry.id).limit(most))).all()


async def list_lot(tx: Tx, lot_id: UUID, most: int) -> Sequence[Enquiry]:
    """All enquiries on a lot, the oldest first."""
    found = select(Enquiry).where(Enquiry.lot_id == lot_id)
    return (await tx.session.scalars(found.order_by(Enquiry.asked_at, Enquiry.id).limit(most))).all()
