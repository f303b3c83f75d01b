"""All SQL of registration. `registration_identity` is read by two functions alone: `door` and `reveal` (R-BID-07)."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, func, or_, select
from sqlalchemy.dialects.postgresql import insert

from bidding.desk.models import Lot, Submission
from bidding.registration.models import (
    IdentityAccess,
    LotPerson,
    Mandate,
    PriorityGrant,
    Registration,
    RegistrationIdentity,
    Unlock,
)
from kernel.database import Tx
from kernel.errors import NotFound
from kernel.ids import ordered_id
from kernel.money import Fen


async def get_registration(tx: Tx, registration_id: UUID) -> Registration:
    found = await tx.session.get(Registration, registration_id)
    if found is None:
        raise NotFound(what="registration")
    return found


async def lock_registration(tx: Tx, registration_id: UUID) -> Registration:
    """The registration, locked; lock its lot first where the lot is locked at all."""
    found = await tx.session.scalar(
        select(Registration)
        .where(Registration.id == registration_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise NotFound(what="registration")
    return found


async def list_registrations(tx: Tx, lot_id: UUID) -> Sequence[Registration]:
    """All registrations of a lot by code, an order that tells nothing."""
    rows = await tx.session.scalars(
        select(Registration).where(Registration.lot_id == lot_id).order_by(Registration.code)
    )
    return rows.all()


async def door(
    tx: Tx, person_ids: Collection[UUID], lot_ids: Collection[UUID] | None = None
) -> dict[tuple[UUID, UUID], Registration]:
    """The door: these persons' own registrations by (lot, person), on these lots or on all.

    It leads from a person to what is theirs, never back.
    """
    identity = RegistrationIdentity
    found = (
        select(identity.lot_id, identity.person_id, Registration)
        .join(Registration, Registration.id == identity.registration_id)
        .where(identity.person_id.in_(person_ids))
    )
    if lot_ids is not None:
        found = found.where(identity.lot_id.in_(lot_ids))
    return {(lot_id, person_id): own for lot_id, person_id, own in await tx.session.execute(found)}


async def find_own(tx: Tx, lot_id: UUID, person_id: UUID) -> Registration | None:
    """A person's own registration on a lot."""
    return (await door(tx, [person_id], [lot_id])).get((lot_id, person_id))


async def list_own(tx: Tx, person_id: UUID, most: int) -> Sequence[Registration]:
    """A person's own registrations, those of the lot that ends last first."""
    own = [registration.id for registration in (await door(tx, [person_id])).values()]
    rows = await tx.session.scalars(
        select(Registration)
        .join(Lot, Lot.lot_id == Registration.lot_id)
        .where(Registration.id.in_(own))
        .order_by(Lot.scheduled_end.desc(), Lot.lot_id)
        .limit(most)
    )
    return rows.all()


async def own_bids(tx: Tx, registration: Registration) -> tuple[int, Fen | None]:
    """How many bids of this registration were accepted, and the highest of them in fen."""
    row = await tx.session.execute(
        select(func.count(), func.max(Submission.price_fen)).where(
            Submission.lot_id == registration.lot_id,
            Submission.registration_id == registration.id,
            Submission.seq.is_not(None),
        )
    )
    number, highest = row.one()
    return number, highest


async def reveal(tx: Tx, registration_id: UUID, purpose: str) -> tuple[UUID, UUID]:
    """Lot and person behind a registration; leaves an access row in the same transaction (invariant 18)."""
    identity = RegistrationIdentity
    found = select(identity.lot_id, identity.person_id).where(identity.registration_id == registration_id)
    row = (await tx.session.execute(found)).one_or_none()
    if row is None:
        raise NotFound(what="registration")
    access = IdentityAccess(
        id=ordered_id(),
        registration_id=registration_id,
        actor_id=tx.actor.person_id,
        actor_name=tx.actor.name,
        purpose=purpose,
        at=tx.now(),
    )
    tx.session.add(access)
    return row.lot_id, row.person_id


async def standings(tx: Tx, lot_id: UUID, person_ids: Collection[UUID]) -> set[tuple[UUID, str]]:
    """How the published terms name these persons: (person, `applicant` or `barred`)."""
    rows = await tx.session.execute(
        select(LotPerson.person_id, LotPerson.standing).where(
            LotPerson.lot_id == lot_id, LotPerson.person_id.in_(person_ids)
        )
    )
    return {(person_id, standing) for person_id, standing in rows}


async def mandates_of(tx: Tx, lot_id: UUID, bidder_id: UUID) -> Sequence[Mandate]:
    """For whom this person bids on the lot, in the court's order; empty for somebody who bids for themselves."""
    rows = await tx.session.scalars(
        select(Mandate).where(Mandate.lot_id == lot_id, Mandate.bidder_id == bidder_id).order_by(Mandate.place)
    )
    return rows.all()


async def buyers_of(tx: Tx, lot_id: UUID, bidder_id: UUID) -> list[UUID]:
    """Who buys when this person wins: themselves, the principal of an agent, or all joint bidders."""
    return [mandate.buyer_id for mandate in await mandates_of(tx, lot_id, bidder_id)] or [bidder_id]


async def find_mandates(tx: Tx, lot_id: UUID, person_ids: Collection[UUID]) -> Sequence[Mandate]:
    """The mandates on the lot in which one of these persons bids or buys."""
    rows = await tx.session.scalars(
        select(Mandate).where(
            Mandate.lot_id == lot_id, or_(Mandate.bidder_id.in_(person_ids), Mandate.buyer_id.in_(person_ids))
        )
    )
    return rows.all()


async def code_taken(tx: Tx, lot_id: UUID, code: str) -> bool:
    found = await tx.session.scalar(select(exists().where(Registration.lot_id == lot_id, Registration.code == code)))
    return bool(found)


async def has_submitted(tx: Tx, registration: Registration) -> bool:
    """Whether anything was submitted under this registration, accepted or refused."""
    found = await tx.session.scalar(
        select(exists().where(Submission.lot_id == registration.lot_id, Submission.registration_id == registration.id))
    )
    return bool(found)


async def find_grant(tx: Tx, lot_id: UUID, person_id: UUID) -> PriorityGrant | None:
    return await tx.session.get(PriorityGrant, (lot_id, person_id))


async def ranks_of(tx: Tx, lot_id: UUID, person_ids: Collection[UUID]) -> dict[UUID, int]:
    """The confirmed ranks of those among these persons who are priority purchasers on the lot."""
    rows = await tx.session.scalars(
        select(PriorityGrant).where(PriorityGrant.lot_id == lot_id, PriorityGrant.person_id.in_(person_ids))
    )
    return {grant.person_id: grant.rank for grant in rows}


async def add_registration(tx: Tx, registration: Registration, person_id: UUID) -> None:
    tx.session.add(registration)
    await tx.session.flush()
    identity = RegistrationIdentity(registration_id=registration.id, lot_id=registration.lot_id, person_id=person_id)
    tx.session.add(identity)
    await tx.session.flush()


async def keep_unlock(tx: Tx, digest: bytes, at: datetime) -> None:
    await tx.session.execute(insert(Unlock).values(digest=digest, at=at).on_conflict_do_nothing())


async def is_unlocked(tx: Tx, digest: bytes) -> bool:
    return await tx.session.get(Unlock, digest) is not None
