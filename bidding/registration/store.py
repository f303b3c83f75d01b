"""All SQL of registration. `registration_identity` is read by the door (`find_own`, `list_own`) and by `reveal_all`."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import exists, func, or_, select, text, tuple_
from sqlalchemy.dialects.postgresql import insert

from bidding.desk.models import Lot, Submission
from bidding.registration.models import (
    Agency,
    IdentityAccess,
    LotPerson,
    PriorityGrant,
    Registration,
    RegistrationIdentity,
    Unlock,
)
from bidding.registration.rules import RegistrationState
from kernel.bulk import add_rows, any_of, change_rows
from kernel.database import Tx
from kernel.errors import NotFound
from kernel.identity.service import real_name
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


LOCK_LOTS = text(
    """
    SELECT l.lot_id FROM bidding.lot l
    WHERE l.lot_id IN (SELECT lot_id FROM bidding.registration WHERE id = ANY(CAST(:ids AS uuid[])))
      AND l.status NOT IN ('closed', 'withdrawn', 'annulled') ORDER BY l.lot_id FOR UPDATE
    """
)
LOCK_STANDINGS = text(
    """
    SELECT r.id, r.lot_id, r.state, l.case_id, l.status, l.leader_registration_id
    FROM bidding.registration r JOIN bidding.lot l USING (lot_id)
    WHERE r.id = ANY(CAST(:ids AS uuid[])) ORDER BY r.id FOR UPDATE OF r
    """
)


class Placed(NamedTuple):
    """A locked registration beside where its lot stands."""

    id: UUID
    lot_id: UUID
    state: str
    case_id: UUID
    status: str
    leader_registration_id: UUID | None


async def lock_placed(tx: Tx, registration_ids: Collection[UUID]) -> list[Placed]:
    """These registrations, locked by id behind their lots. A finished lot is read unlocked: it has its leader for good,
    and a late bid on it must not wait for the money of all its bidders."""
    await tx.session.flush()
    await tx.session.execute(LOCK_LOTS, {"ids": list(registration_ids)})
    rows = await tx.session.execute(LOCK_STANDINGS, {"ids": list(registration_ids)})
    found = [Placed(*row) for row in rows]
    if len(found) < len(registration_ids):
        raise NotFound(what="registration")
    return found


async def lots_of(tx: Tx, registration_ids: Collection[UUID]) -> dict[UUID, tuple[UUID, str]]:
    """Case and status of the lot of each of these registrations."""
    rows = await tx.session.execute(
        select(Registration.id, Lot.case_id, Lot.status)
        .join(Lot, Lot.lot_id == Registration.lot_id)
        .where(Registration.id == any_of(registration_ids))
    )
    found = {registration_id: (case_id, status) for registration_id, case_id, status in rows}
    if len(found) < len(registration_ids):
        raise NotFound(what="registration")
    return found


async def keep_released(tx: Tx, registration_ids: Collection[UUID], at: datetime) -> None:
    """Write that these registrations, which are locked, were released."""
    records = [(registration_id, RegistrationState.RELEASED, at) for registration_id in registration_ids]
    await change_rows(tx, Registration, ("id", "state", "released_at"), records)


async def list_registrations(tx: Tx, lot_id: UUID) -> Sequence[Registration]:
    """All registrations of a lot by code, an order that tells nothing."""
    rows = await tx.session.scalars(
        select(Registration).where(Registration.lot_id == lot_id).order_by(Registration.code)
    )
    return rows.all()


async def find_registrations(tx: Tx, seats: Collection[tuple[UUID, UUID]]) -> dict[tuple[UUID, UUID], UUID]:
    """The door, for many at once: registrations by (lot, person)."""
    rows = await tx.session.execute(
        select(RegistrationIdentity.lot_id, RegistrationIdentity.person_id, RegistrationIdentity.registration_id).where(
            tuple_(RegistrationIdentity.lot_id, RegistrationIdentity.person_id).in_(seats)
        )
    )
    return {(row[0], row[1]): row[2] for row in rows}


async def find_own(tx: Tx, lot_id: UUID, person_id: UUID) -> Registration | None:
    """The door: a person's own registration on a lot."""
    return await tx.session.scalar(
        select(Registration)
        .join(RegistrationIdentity, RegistrationIdentity.registration_id == Registration.id)
        .where(RegistrationIdentity.lot_id == lot_id, RegistrationIdentity.person_id == person_id)
    )


BUYS = (
    select(func.coalesce(Agency.principal_id, RegistrationIdentity.person_id))
    .select_from(RegistrationIdentity)
    .outerjoin(
        Agency,
        (Agency.lot_id == RegistrationIdentity.lot_id) & (Agency.agent_id == RegistrationIdentity.person_id),
    )
)
"""For whom a registration bids: the person themselves, or the principal of an agent (R-PUB-04)."""


async def list_own(tx: Tx, person_id: UUID, most: int) -> Sequence[Registration]:
    """The door: a person's own registrations, those of the lot that ends last first."""
    rows = await tx.session.scalars(
        select(Registration)
        .join(RegistrationIdentity, RegistrationIdentity.registration_id == Registration.id)
        .join(Lot, Lot.lot_id == Registration.lot_id)
        .where(RegistrationIdentity.person_id == person_id)
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


async def real_name_of(tx: Tx, registration_id: UUID) -> str:
    """The real name behind a registration, for a comparison inside this context: it leaves no row and no answer."""
    person_id = await tx.session.scalar(BUYS.where(RegistrationIdentity.registration_id == registration_id))
    if person_id is None:
        raise NotFound(what="registration")
    return await real_name(tx, person_id)


async def reveal_all(tx: Tx, registration_ids: Collection[UUID], purpose: str) -> dict[UUID, UUID]:
    """The persons behind registrations; each leaves an access row in the same transaction (invariant 18)."""
    identity = RegistrationIdentity.registration_id
    rows = await tx.session.execute(BUYS.add_columns(identity).where(identity == any_of(registration_ids)))
    persons = {registration_id: person_id for person_id, registration_id in rows}
    if len(persons) < len(registration_ids):
        raise NotFound(what="registration")
    at, actor = tx.now(), tx.actor
    columns = ("id", "registration_id", "actor_id", "actor_name", "purpose", "at")
    records = [(ordered_id(), each, actor.person_id, actor.name, purpose, at) for each in registration_ids]
    await add_rows(tx, IdentityAccess, columns, records)
    return persons


async def standings(tx: Tx, lot_id: UUID, person_id: UUID) -> set[str]:
    """How the published terms name this person: `applicant`, `barred`, both, or not at all."""
    rows = await tx.session.scalars(
        select(LotPerson.standing).where(LotPerson.lot_id == lot_id, LotPerson.person_id == person_id)
    )
    return set(rows)


async def find_agency(tx: Tx, lot_id: UUID, *person_ids: UUID) -> Agency | None:
    """An agency on the lot in which one of these persons is agent or principal."""
    return await tx.session.scalar(
        select(Agency)
        .where(Agency.lot_id == lot_id, or_(Agency.agent_id.in_(person_ids), Agency.principal_id.in_(person_ids)))
        .limit(1)
    )


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
