"""What others do to a registration in their own transaction: admit, release, bar, learn who bought, match a payer.

Whatever gives or takes eligibility locks the lot's row first, so that it falls between two batches of the desk and
never inside one: who was admitted at or before a bid's time of entry is eligible, exactly.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from appraisal.api import helpers_of
from bidding.desk import commands
from bidding.desk.models import Lot
from bidding.desk.rules import FINISHED, Status
from bidding.registration import rules, store
from bidding.registration.errors import BarredFromSale, IdentitySealed
from bidding.registration.models import Mandate, Registration
from bidding.registration.rules import RegistrationState
from kernel.audit import Said, chain_of, record, record_each
from kernel.clock import beijing
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
        lot.admitted += 1
        facts = {"admitted_at": beijing(registration.admitted_at)}
        await record(tx, "registration.admit", registration.subject, facts, case_id=lot.case_id)


async def release(tx: Tx, registration_ids: Collection[UUID]) -> None:
    """End eligibility and let deposits go; refused while a registration leads, and for a buyer (R-BID-13)."""
    going = []
    for found in await store.lock_placed(tx, registration_ids):
        sale_stands = found.status not in (Status.WITHDRAWN, Status.ANNULLED)
        leads = sale_stands and found.leader_registration_id == found.id
        if rules.released(RegistrationState(found.state), leads) is not None:
            going.append(found)
    at = tx.now()
    await store.keep_released(tx, [found.id for found in going], at)
    facts = {"released_at": beijing(at)}
    said = [Said(chain_of(found.case_id), f"registration:{found.id}", facts) for found in going]
    await record_each(tx, "registration.release", said)


async def bar_helpers(tx: Tx, case_id: UUID) -> bool:
    """End the eligibility of all who bid as a helper of the case or for one, on its running lots (R-BID-14).

    Returns whether one of them leads, whose bid stands. Through the door: from the helpers to what is theirs.
    """
    helpers, lead = await helpers_of(tx, case_id), False
    for lot in await store.lock_running_lots(tx, case_id):
        bidders = await store.bidders_for(tx, lot.lot_id, helpers)
        for own in (await store.door(tx, bidders, [lot.lot_id])).values():
            registration = await store.lock_registration(tx, own.id)
            if registration.id == lot.leader_registration_id:
                lead = True
            else:
                await _bar(tx, lot, registration)
    return lead


async def _bar(tx: Tx, lot: Lot, registration: Registration) -> None:
    state = rules.barred(RegistrationState(registration.state))
    if state is not None:
        registration.state, registration.barred_reason = state, BarredFromSale.rule
        await record(tx, "registration.bar", registration.subject, {"rule": BarredFromSale.rule}, case_id=lot.case_id)


async def reveal_buyers(tx: Tx, registration_ids: Collection[UUID], purpose: str) -> dict[UUID, list[Buyer]]:
    """Everybody who buys by these registrations, for a stated purpose; `identity-sealed` before bidding has ended."""
    lots = await store.lots_of(tx, registration_ids)
    if any(Status(status) not in FINISHED for _, status in lots.values()):
        raise IdentitySealed()
    behind = await store.reveal(tx, registration_ids, purpose)
    said = [
        Said(chain_of(case_id), f"registration:{registration_id}", {"purpose": purpose})
        for registration_id, (case_id, _) in lots.items()
    ]
    await record_each(tx, "registration.reveal", said)
    mandates = await store.mandates_of(tx, behind.values())
    return {
        registration_id: _buyers(person, mandates.get((lot, person), []))
        for registration_id, (lot, person) in behind.items()
    }


def _buyers(person_id: UUID, mandates: Sequence[Mandate]) -> list[Buyer]:
    """Those for whom a person bids, with their shares; without a mandate the person alone."""
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
    codes = {registration.id: registration.code for registration in await store.list_registrations(tx, lot_id)}
    behind = await store.reveal(tx, codes.keys(), purpose)
    addresses = await addresses_of(tx, {person_id for _, person_id in behind.values()})
    return {codes[registration_id]: addresses[person_id] for registration_id, (_, person_id) in behind.items()}


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
