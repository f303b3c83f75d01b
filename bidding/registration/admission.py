"""What settlement does to a registration in its own transaction: admit, release, learn who bought, match a payer.

Whatever gives or takes eligibility locks the lot's row first, so that it falls between two batches of the desk and
never inside one: who was admitted at or before a bid's time of entry is eligible, exactly.
"""

from dataclasses import dataclass
from uuid import UUID

from bidding.desk import commands
from bidding.desk.models import Lot
from bidding.desk.rules import FINISHED, Status
from bidding.registration import rules, store
from bidding.registration.errors import IdentitySealed
from bidding.registration.models import Registration
from bidding.registration.rules import RegistrationState
from kernel.audit import record
from kernel.database import Tx
from kernel.identity.service import addresses_of, find_persons_named


@dataclass(frozen=True, slots=True)
class Buyer:
    """Somebody who buys; `share` is what they will own, as a fraction in lowest terms."""

    person_id: UUID
    share: str


async def admit(tx: Tx, registration_id: UUID) -> None:
    """Admit after the deposit was confirmed (R-BID-06): eligible for all that enters from now on.

    Refuses `registration-closed` once bidding has ended: the deposit then goes back. Admitting twice, or one that
    was released, changes nothing.
    """
    lot, registration = await lock_both(tx, registration_id)
    rules.check_open(Status(lot.status) in FINISHED, lot.ends_at, tx.now())
    state = rules.admitted(RegistrationState(registration.state))
    if state is not None:
        registration.state = state
        registration.admitted_at = tx.now()
        await record(tx, "registration.admit", registration.subject, {}, case_id=lot.case_id)


async def release(tx: Tx, registration_id: UUID) -> None:
    """End eligibility and let the deposit go; refused while the registration leads, and for the buyer (R-BID-13)."""
    lot, registration = await lock_both(tx, registration_id)
    sale_stands = lot.status not in (Status.WITHDRAWN, Status.ANNULLED)
    leads = sale_stands and lot.leader_registration_id == registration.id
    state = rules.released(RegistrationState(registration.state), leads)
    if state is not None:
        registration.state = state
        registration.released_at = tx.now()
        await record(tx, "registration.release", registration.subject, {}, case_id=lot.case_id)


async def reveal_buyers(tx: Tx, registration_id: UUID, purpose: str) -> list[Buyer]:
    """Everybody who buys by a registration, for a stated purpose; `identity-sealed` before bidding has ended."""
    registration = await store.get_registration(tx, registration_id)
    lot = await commands.get_lot(tx, registration.lot_id)
    if Status(lot.status) not in FINISHED:
        raise IdentitySealed()
    lot_id, person_id = await store.reveal(tx, registration_id, purpose)
    await record(tx, "registration.reveal", registration.subject, {"purpose": purpose}, case_id=lot.case_id)
    mandates = await store.mandates_of(tx, lot_id, person_id)
    shares = rules.shares([mandate.parts for mandate in mandates])
    buyers = [Buyer(mandate.buyer_id, share) for mandate, share in zip(mandates, shares, strict=True)]
    return buyers or [Buyer(person_id, "1")]


async def addresses_by_code(tx: Tx, lot_id: UUID, purpose: str) -> dict[str, set[str]]:
    """From where the bidders of a lot signed in, by code; every link that is opened for it leaves its access row.

    For a review after the end alone (R-GEN-07): before it nothing of the kind is stored beside a registration.
    """
    lot = await commands.get_lot(tx, lot_id)
    if Status(lot.status) not in FINISHED:
        raise IdentitySealed()
    codes = {}
    for registration in await store.list_registrations(tx, lot_id):
        _, codes[registration.code] = await store.reveal(tx, registration.id, purpose)
    addresses = await addresses_of(tx, codes.values())
    return {code: addresses[person_id] for code, person_id in codes.items()}


async def is_payer(tx: Tx, registration_id: UUID, name: str) -> bool:
    """Whether a payment in this name is made by somebody who buys by the registration (R-BID-04): yes or no alone.

    It goes through the door like the payer: from those who are so named to what is theirs on the lot. Nothing leads
    from the registration to a person.
    """
    registration = await store.get_registration(tx, registration_id)
    named = await find_persons_named(tx, name)
    mandates = await store.find_mandates(tx, registration.lot_id, named)
    for_others = {mandate.bidder_id for mandate in mandates}
    bidders = (named - for_others) | {mandate.bidder_id for mandate in mandates if mandate.buyer_id in named}
    own = await store.door(tx, bidders, [registration.lot_id])
    return any(found.id == registration_id for found in own.values())


async def lock_both(tx: Tx, registration_id: UUID) -> tuple[Lot, Registration]:
    """The registration and its lot, locked in the order of the house: lot first."""
    registration = await store.get_registration(tx, registration_id)
    lot = await commands.lock_lot(tx, registration.lot_id)
    return lot, await store.lock_registration(tx, registration_id)
