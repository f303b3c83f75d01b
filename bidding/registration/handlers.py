"""Reactions to auction and appraisal: the published terms are copied, holds reach the lots of their asset."""

from appraisal.api import find_holds
from bidding.desk import commands
from bidding.registration.models import LotPerson
from kernel.contracts import HoldLifted, HoldPlaced, LotPublished
from kernel.database import Tx
from kernel.outbox import Relay


async def copy_terms(tx: Tx, event: LotPublished) -> None:
    """Copy the published terms, holds and the persons named, so that registration and desk read their own tables."""
    lot = await commands.copy_lot(tx, event)
    # A hold that was told before this found no lot to stop; one that is placed from here on waits, and finds it.
    for hold in await find_holds(tx, event.asset_id, lock=True):
        await commands.copy_hold(tx, lot, hold.id, hold.reason)
    named = [(person, "applicant") for person in event.applicant_person_ids]
    named += [(person, "barred") for person in event.barred_person_ids]
    tx.session.add_all(
        LotPerson(lot_id=event.lot_id, person_id=person, standing=standing) for person, standing in sorted(set(named))
    )


async def place_hold(tx: Tx, event: HoldPlaced) -> None:
    """A hold on the asset suspends its running lots (R-CASE-09)."""
    await commands.place_hold(tx, event)


async def lift_hold(tx: Tx, event: HoldLifted) -> None:
    """The hold no longer stands in the way of a resume."""
    await commands.lift_hold(tx, event)


def subscribe(relay: Relay) -> None:
    relay.on(LotPublished, copy_terms)
    relay.on(HoldPlaced, place_hold)
    relay.on(HoldLifted, lift_hold)
