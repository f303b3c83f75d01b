"""The use case of my place: a bidder's registrations with deposit, result, money and papers, in one reading."""

from auction import api as auction
from bidding import api as bidding
from kernel.actors import Actor
from kernel.clock import beijing
from kernel.database import Database, Tx
from settlement.completion import service as completion
from settlement.deposits import service as deposits
from settlement.mine.schemas import MyAuction, MyAuctions, OwnBids
from settlement.papers import service as papers

MOST = 100
"""Registrations shown; older ones are found at their lots."""


async def show_mine(database: Database, actor: Actor) -> MyAuctions:
    """The reader's own auctions and nobody else's (R-BID-07)."""
    async with database.reading(actor) as tx:
        standings = await bidding.list_own_standings(tx, actor.person, MOST)
        return MyAuctions(beijing(tx.now()), database.clock.rate, tuple([await _auction(tx, own) for own in standings]))


async def _auction(tx: Tx, own: bidding.OwnStanding) -> MyAuction:
    registration = own.registration
    lot = await auction.get_lot(tx, registration.lot_id)
    return MyAuction(
        lot=own.lot,
        court_name=lot.court_name,
        round=lot.round,
        kind=registration.kind,
        state=registration.state,
        code=registration.code if registration.admitted_at else None,
        priority_rank=own.priority_rank,
        has_password=own.has_password,
        admitted_at=beijing(registration.admitted_at) if registration.admitted_at else None,
        bids=OwnBids(own.bids, own.highest_fen, own.leads),
        deposit=await deposits.find_own(tx, registration),
        sale=await completion.find_bought(tx, registration.lot_id),
        papers=await papers.list_readable(tx, registration.lot_id),
    )
