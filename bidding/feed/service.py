"""The HTTP doors beside the socket: bids and their answers, events in pages, the record, and orders of the court."""

import asyncio
from collections.abc import Collection, Sequence
from uuid import UUID

import msgspec

from appraisal.api import get_decision
from bidding.desk import chain, commands, errors
from bidding.desk.commands import Order
from bidding.desk.models import Lot, LotCommand, SaleGroup
from bidding.desk.rules import FINISHED, Status
from bidding.desk.submissions import Answer
from bidding.feed import store
from bidding.feed.errors import RecordSealed
from bidding.feed.feed import Feed
from bidding.feed.rooms import view_of
from bidding.feed.rules import PUBLIC_KINDS
from bidding.feed.schemas import (
    Chain,
    ChainLink,
    ChainPage,
    ConsentToRest,
    EventsPage,
    GroupView,
    LotsNow,
    OrderLot,
    OrderView,
    PlaceBid,
    RecordView,
)
from bidding.registration.service import standing
from kernel.actors import Actor, Role
from kernel.clock import beijing
from kernel.database import AlreadyAnswered, Call, Database, Tx
from kernel.errors import NotFound

ANSWER_WITHIN_S = 5.0
"""How long a request waits for the desk; after that the bidder asks by the key."""

ORDER_WITHIN_S = 3.0
ASK_EVERY_S = 0.05

LADDER = 100
MOST_RECEIPTS = 100

DECISION_ON: dict[Order, str] = {
    "suspend": "suspension",
    "defer": "suspension",
    "resume": "suspension",
    "withdraw": "withdrawal",
}
"""What the panel's decision behind an order is about."""


async def place_bid(feed: Feed, actor: Actor, lot_id: UUID, bid: PlaceBid) -> Answer | None:
    """The desk's answer to a bid; None if it is not decided yet. The same fields and limits as on the socket."""
    feed.bids.limits.spend("message", str(actor.person))
    submission = feed.bids.submission(lot_id, await feed.bids.door(actor, lot_id), bid)
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            return await feed.desk.submit(submission)
    except TimeoutError:
        return None


async def find_answer(feed: Feed, database: Database, actor: Actor, lot_id: UUID, key: UUID) -> Answer | None:
    """The stored answer under one's own key; None while it waits. `not-found` means: send again with the same key."""
    found = await standing(database, actor, lot_id)
    if found is None:
        raise NotFound(what="bid")
    waits = feed.desk.waits((lot_id, found.registration_id, key))
    async with database.reading(actor) as tx:
        stored = await store.find_answer(tx, lot_id, found.registration_id, key)
    if stored is not None:
        return stored.told(key)
    if waits or feed.desk.waits((lot_id, found.registration_id, key)):
        return None
    raise NotFound(what="bid")


async def list_now(database: Database, actor: Actor, lot_ids: Collection[UUID]) -> LotsNow:
    """These lots as they stand."""
    async with database.reading(actor) as tx:
        lots = await store.find_lots(tx, lot_ids)
        return LotsNow(beijing(tx.now()), [view_of(lot, store.state_of(lot)) for lot in lots])


async def list_events(database: Database, actor: Actor, lot_id: UUID, after: int, most: int) -> EventsPage:
    """At most `most` events behind `after`."""
    async with database.reading(actor) as tx:
        lot = await commands.get_lot(tx, lot_id)
        events = await store.events_after(tx, lot_id, after, most)
    return EventsPage(lot_id, lot.seq, [msgspec.json.decode(event) for _, event in events])


async def show_record(database: Database, actor: Actor, lot_id: UUID) -> RecordView:
    """The record of a finished lot; refuses `record-sealed` before."""
    async with database.reading(actor) as tx:
        return await _record(tx, await _finished(tx, lot_id))


async def list_own_bids(database: Database, actor: Actor, lot_id: UUID) -> list[Answer]:
    """One's own accepted bids, newest first, each as it was acknowledged; refuses who is not registered."""
    found = await standing(database, actor, lot_id)
    if found is None:
        raise NotFound(what="registration")
    async with database.reading(actor) as tx:
        kept = await store.list_own_bids(tx, lot_id, found.registration_id, MOST_RECEIPTS)
    return [stored.told(key) for key, stored in kept]


async def show_chain(database: Database, actor: Actor, lot_id: UUID, after: int, most: int) -> ChainPage:
    """The hashed bytes and links of a finished lot, to be hashed again by anybody; refuses `record-sealed` before."""
    async with database.reading(actor) as tx:
        lot = await _finished(tx, lot_id)
        links = await store.links_after(tx, lot_id, after - 1 if after else 0, most + 1)
    previous = links.pop(0)[2] if after and links else lot.genesis
    assert all(kind in PUBLIC_KINDS for kind, _, _ in links), "the bytes of hidden events are nobody's to read"
    events = [ChainLink(sealed.decode(), link.hex()) for _, sealed, link in links[:most]]
    return ChainPage(lot_id, previous.hex(), lot.link.hex(), lot.seq, events)


async def order_lot(database: Database, call: Call, lot_id: UUID, kind: Order, wanted: OrderLot) -> OrderView:
    """Suspend, defer, resume or withdraw a lot by a panel decision, and wait for its place among the bids.

    The kept answer says that the order stands; a repeat asks again what became of it. Raises the desk's refusal.
    """
    try:
        async with database.command(call) as tx:
            tx.actor.must_be(Role.JUDGE)
            lot = await commands.get_lot(tx, lot_id)
            tx.actor.must_serve(lot.court_id, "lot")
            await get_decision(tx, wanted.decision_id, case_id=lot.case_id, subject=DECISION_ON[kind])
            ordered = tx.answer(_view(await commands.order(tx, lot_id, kind, wanted.reason, wanted.decision_id)))
    except AlreadyAnswered as repeat:
        ordered = msgspec.json.decode(repeat.answer, type=OrderView)
    return await _outcome(database, call.actor, ordered)


async def show_group(database: Database, actor: Actor, group_id: UUID) -> GroupView:
    """A sale group for its court: what it is to bring in, and how far its lots have done so."""
    async with database.reading(actor) as tx:
        group, lots = await commands.get_group(tx, group_id)
        actor.must_serve(group.court_id, "sale group")
        return _group_view(group, lots)


async def consent_to_rest(database: Database, call: Call, group_id: UUID, wanted: ConsentToRest) -> GroupView:
    """Record that the debtor agrees to the sale of the rest although the debt is covered (R-CLOSE-12)."""
    async with database.command(call) as tx:
        tx.actor.must_be(Role.JUDGE)
        group = await commands.lock_group(tx, group_id)
        tx.actor.must_serve(group.court_id, "sale group")
        await commands.consent(tx, group, wanted.proof)
        return tx.answer(_group_view(*await commands.get_group(tx, group_id)))


def _group_view(group: SaleGroup, lots: Sequence[Lot]) -> GroupView:
    return GroupView(
        id=group.group_id,
        case_id=group.case_id,
        target_fen=group.target_fen,
        sold_fen=group.sold_fen,
        consented_at=beijing(group.consented_at) if group.consented_at else None,
        lots=[view_of(lot, store.state_of(lot)) for lot in lots],
    )


async def _outcome(database: Database, actor: Actor, ordered: OrderView) -> OrderView:
    loop = asyncio.get_running_loop()
    until_s = loop.time() + ORDER_WITHIN_S
    while True:
        async with database.reading(actor) as tx:
            command = await commands.find_command(tx, ordered.command_id)
        assert command is not None
        if command.refusal is not None:
            raise errors.BY_CODE[command.refusal]()
        if command.decided_at is not None or loop.time() > until_s:
            return _view(command)
        await asyncio.sleep(ASK_EVERY_S)


def _view(command: LotCommand) -> OrderView:
    state = "waiting" if command.decided_at is None else "done"
    return OrderView(command.id, command.lot_id, command.kind, beijing(command.requested_at), state)


async def _finished(tx: Tx, lot_id: UUID) -> Lot:
    lot = await commands.get_lot(tx, lot_id)
    if Status(lot.status) not in FINISHED:
        raise RecordSealed()
    return lot


async def _record(tx: Tx, lot: Lot) -> RecordView:
    ended_at = commands.ended_at(lot)
    ladder = await store.last_bids(tx, lot.lot_id, LADDER)
    events = f"/api/lots/{lot.lot_id}/events"
    return RecordView(
        lot=view_of(lot, store.state_of(lot)),
        bidders=await store.count_bidders(tx, lot.lot_id),
        ended_at=beijing(ended_at) if ended_at else None,
        ladder=[msgspec.json.decode(event) for event in ladder],
        chain=Chain(chain.VERSION, lot.genesis.hex(), lot.link.hex(), lot.seq),
        links={
            "events": events,
            "chain": f"/api/lots/{lot.lot_id}/chain",
            "lot": f"/api/lots/{lot.lot_id}",
            "availability": f"/api/lots/{lot.lot_id}/availability",
            "bundle": f"/api/lots/{lot.lot_id}/bundle",
        },
    )
