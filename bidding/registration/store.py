"""All SQL of registration. `registration_identity` is read by two functions alone: `door` and `reveal` (R-BID-07), and
digested for `verify` by a third, `digests`, which names nobody (decision 0016).
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import LargeBinary, and_, exists, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert

from bidding.desk.models import Lot, Submission
from bidding.desk.rules import FINISHED, Status
from bidding.registration.models import (
    BarredPerson,
    IdentityAccess,
    Mandate,
    PriorityGrant,
    Registration,
    RegistrationIdentity,
    Unlock,
)
from bidding.registration.rules import RegistrationState, commitment
from kernel.bulk import add_rows, any_of, change_rows
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
        .where(identity.person_id == any_of(person_ids))
    )
    if lot_ids is not None:
        found = found.where(identity.lot_id == any_of(lot_ids))
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


async def reveal(tx: Tx, registration_ids: Collection[UUID], purpose: str) -> dict[UUID, tuple[UUID, UUID]]:
    """Lot and person behind registrations; each leaves an access row in the same transaction (invariant 18)."""
    identity = RegistrationIdentity
    rows = await tx.session.execute(
        select(identity.registration_id, identity.lot_id, identity.person_id).where(
            identity.registration_id == any_of(registration_ids)
        )
    )
    found = {registration_id: (lot_id, person_id) for registration_id, lot_id, person_id in rows}
    if len(found) < len(set(registration_ids)):
        raise NotFound(what="registration")
    at, actor = tx.now(), tx.actor
    columns = ("id", "registration_id", "actor_id", "actor_name", "purpose", "at")
    await add_rows(
        tx, IdentityAccess, columns, [(ordered_id(), each, actor.person_id, actor.name, purpose, at) for each in found]
    )
    return found


async def digests(
    tx: Tx, ranks: Mapping[tuple[UUID, UUID], Sequence[int | None]]
) -> AsyncIterator[tuple[UUID, bytes | None, Sequence[int | None]]]:
    """For `verify`: of each registration behind which somebody stands the digest of who, None without a salt, and
    which of the `ranks`, by lot and bidder, are theirs.

    What it is made of stays here. A row of another lot than its registration's is as good as none.
    """
    identity = RegistrationIdentity
    rows = await tx.session.stream(
        select(identity.registration_id, identity.lot_id, identity.person_id, identity.salt, Registration.code)
        .join(Registration, and_(Registration.id == identity.registration_id, Registration.lot_id == identity.lot_id))
        .execution_options(yield_per=2_000)
    )
    async for registration_id, lot_id, person_id, salt, code in rows:
        digest = salt and commitment(salt, registration_id, lot_id, person_id, code)
        yield registration_id, digest, ranks.get((lot_id, person_id), ())


async def barred_among(tx: Tx, lot_id: UUID, person_ids: Collection[UUID]) -> set[UUID]:
    """Which of these persons the published terms bar."""
    barred = BarredPerson
    return set(
        await tx.session.scalars(
            select(barred.person_id).where(barred.lot_id == lot_id, barred.person_id.in_(person_ids))
        )
    )


async def lock_running_lots(tx: Tx, case_id: UUID) -> Sequence[Lot]:
    """The lots of a case whose bidding has not ended, locked by id."""
    running = [str(status) for status in Status if status not in FINISHED]
    rows = await tx.session.scalars(
        select(Lot)
        .where(Lot.case_id == case_id, Lot.status.in_(running))
        .order_by(Lot.lot_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return rows.all()


async def bidders_for(tx: Tx, lot_id: UUID, person_ids: Collection[UUID]) -> set[UUID]:
    """Who would bid on the lot if it were for these persons: they themselves, and those who bid for them."""
    return {*person_ids, *(mandate.bidder_id for mandate in await find_mandates(tx, lot_id, person_ids))}


async def mandates_of(tx: Tx, bidders: Collection[tuple[UUID, UUID]]) -> dict[tuple[UUID, UUID], list[Mandate]]:
    """For whom persons bid, by (lot, bidder), in the court's order; who bids for themselves is not among them."""
    lots, persons = {lot_id for lot_id, _ in bidders}, {person_id for _, person_id in bidders}
    rows = await tx.session.scalars(
        select(Mandate)
        .where(Mandate.lot_id == any_of(lots), Mandate.bidder_id == any_of(persons))
        .order_by(Mandate.place)
    )
    found: dict[tuple[UUID, UUID], list[Mandate]] = {}
    for mandate in rows:
        found.setdefault((mandate.lot_id, mandate.bidder_id), []).append(mandate)
    return found


async def buyers_of(tx: Tx, lot_id: UUID, bidder_id: UUID) -> list[UUID]:
    """Who buys when this person wins: themselves, the principal of an agent, or all joint bidders."""
    mandates = (await mandates_of(tx, [(lot_id, bidder_id)])).get((lot_id, bidder_id), [])
    return [mandate.buyer_id for mandate in mandates] or [bidder_id]


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


async def add_registration(tx: Tx, registration: Registration, person_id: UUID, salt: bytes) -> None:
    tx.session.add(registration)
    await tx.session.flush()
    identity = RegistrationIdentity(
        registration_id=registration.id, lot_id=registration.lot_id, person_id=person_id, salt=salt
    )
    tx.session.add(identity)
    await tx.session.flush()


async def change_salt(tx: Tx, registration_id: UUID, salt: bytes) -> None:
    """Another salt for a registration whose code changes, so that nothing has to be read to commit to it anew."""
    await tx.session.execute(
        update(RegistrationIdentity).where(RegistrationIdentity.registration_id == registration_id).values(salt=salt)
    )


async def keep_unlock(tx: Tx, digest: bytes, at: datetime) -> None:
    await tx.session.execute(insert(Unlock).values(digest=digest, at=at).on_conflict_do_nothing())


async def is_unlocked(tx: Tx, digest: bytes) -> bool:
    return digest in await unlocked_among(tx, [digest])


async def unlocked_among(tx: Tx, digests: Collection[bytes]) -> set[bytes]:
    """Which of these name a lot, session and network in which the bid password was entered."""
    return set(await tx.session.scalars(select(Unlock.digest).where(Unlock.digest == any_of(digests, LargeBinary()))))
