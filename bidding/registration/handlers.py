"""Reactions to auction and appraisal: published terms are copied, holds reach the lots of their asset, helpers go."""

from datetime import timedelta

from appraisal.api import find_holds
from bidding.desk import commands
from bidding.registration import admission
from bidding.registration.models import BarredPerson
from kernel.contracts import HelperLinked, HoldLifted, HoldPlaced, LotPublished
from kernel.database import Tx
from kernel.outbox import Relay, tell

LOOK_AGAIN = timedelta(minutes=1)
"""How soon a helper who leads is looked at again."""


async def copy_terms(tx: Tx, event: LotPublished) -> None:
    """Copy the published terms, holds and the persons they bar, so that registration and desk read their own tables."""
    lot = await commands.copy_lot(tx, event)
    # A hold that was told before this found no lot to stop; one that is placed from here on waits, and finds it.
    for hold in await find_holds(tx, event.asset_id, lock=True):
        await commands.copy_hold(tx, lot, hold.id, hold.reason)
    barred = sorted(set(event.barred_person_ids))
    tx.session.add_all(BarredPerson(lot_id=event.lot_id, person_id=person_id) for person_id in barred)


async def place_hold(tx: Tx, event: HoldPlaced) -> None:
    """A hold on the asset suspends its running lots (R-CASE-09)."""
    await commands.place_hold(tx, event)


async def lift_hold(tx: Tx, event: HoldLifted) -> None:
    """The hold no longer stands in the way of a resume."""
    await commands.lift_hold(tx, event)


async def bar_helpers(tx: Tx, event: HelperLinked) -> None:
    """Helpers of the case who registered before the court linked them bid no more (R-BID-14).

    One who leads stays until outbid, for no bid is withdrawn (R-BID-13): then the next look ends it.
    """
    if await admission.bar_helpers(tx, event.case_id):
        await tell(tx, event, due_at=tx.now() + LOOK_AGAIN)


def subscribe(relay: Relay) -> None:
    relay.on(LotPublished, copy_terms)
    relay.on(HoldPlaced, place_hold)
    relay.on(HoldLifted, lift_hold)
    relay.on(HelperLinked, bar_helpers)
