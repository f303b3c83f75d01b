"""Use cases: how available a lot was, with the outages and halts behind it, for everybody and at any time; and whom the
outages cut off, for its court after the end."""

from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import UNSET

from bidding.desk import chain, commands
from bidding.desk.chain import EventView
from bidding.desk.rules import FINISHED, Kind, Status
from bidding.evidence import store
from bidding.evidence.availability import Span, availability
from bidding.evidence.schemas import AvailabilityView, CutOffByOutage, CutOffView, HaltView, OutageView
from bidding.evidence.store import Hole
from bidding.feed.errors import RecordSealed
from kernel.actors import Actor
from kernel.clock import beijing
from kernel.database import Database

MOST_OUTAGES = 1_000
"""Outages of a lot that are listed; the time that they took counts all of them."""

Seats = dict[tuple[int, int, datetime], tuple[int, int]]


async def show_availability(database: Database, actor: Actor, lot_id: UUID) -> AvailabilityView:
    """Availability from the opening to the end, or up to now; refuses `not-found`."""
    async with database.reading(actor) as tx:
        lot = await commands.get_lot(tx, lot_id)
        until = max(lot.opens_at, commands.ended_at(lot) or lot.closed_at or tx.now())
        outages = await store.outages_between(tx, lot_id, lot.opens_at, until, MOST_OUTAGES)
        lost = await store.spans_between(tx, lot_id, lot.opens_at, until)
        ended = Status(lot.status) in FINISHED
        seats = await store.seats_of(tx, lot_id, until) if ended else None
        halts = _halts([_event(sealed) for sealed in await store.halts_of(tx, lot_id)])
    stood = [Span(_time(halt.at), _time(halt.until) if halt.until else until) for halt in halts]
    found = availability(Span(lot.opens_at, until), stood, lost)
    return AvailabilityView(
        lot_id=lot_id,
        opens_at=beijing(lot.opens_at),
        until=beijing(until),
        running_ms=found.running_ms,
        unavailable_ms=found.unavailable_ms,
        available_ppm=found.available_ppm,
        late_entries=lot.late_entries,
        outages=[_view(one, seats) for one in outages],
        halts=halts,
    )


async def show_cut_off(database: Database, actor: Actor, lot_id: UUID) -> CutOffView:
    """For the lot's court, once bidding has ended: the codes of those whom each outage found connected.

    A code is public and names nobody (R-BID-07); before the end even the court does not learn who bids (R-BID-12).
    """
    async with database.reading(actor) as tx:
        lot = await commands.get_lot(tx, lot_id)
        tx.actor.must_serve(lot.court_id, "lot")
        if Status(lot.status) not in FINISHED:
            raise RecordSealed()
        until = commands.ended_at(lot) or lot.closed_at or tx.now()
        outages = await store.outages_between(tx, lot_id, lot.opens_at, until, MOST_OUTAGES)
        codes = await store.codes_of_seats(tx, lot_id, until)
    return CutOffView(
        lot_id=lot_id,
        outages=[
            CutOffByOutage(
                since=beijing(one.since),
                until=beijing(one.until),
                cause=one.cause,
                connected=[code for key, code, _ in codes if key == one.key],
                not_back=[code for key, code, gone in codes if key == one.key and gone],
            )
            for one in outages
        ],
    )


def _event(sealed: bytes) -> EventView:
    return msgspec.json.decode(chain.inner_event(sealed), type=EventView)


def _halts(events: list[EventView]) -> list[HaltView]:
    """Halts with their ends; a freeze stops the time where the outage began."""
    found: list[HaltView] = []
    for event in events:
        if event.kind is Kind.RESUMED:
            found[-1] = msgspec.structs.replace(found[-1], until=event.at)
            continue
        since = None if event.since is UNSET else str(event.since)
        reason = None if event.reason is UNSET else str(event.reason)
        found.append(HaltView(event.kind, event.at, None, since, reason))
    return found


def _view(outage: Hole, seats: Seats | None) -> OutageView:
    """`seats`: connected and not back by outage; None while nobody may know how many bid."""
    connected, not_back = (None, None) if seats is None else seats.get(outage.key, (0, 0))
    return OutageView(beijing(outage.since), beijing(outage.until), outage.real_ms, outage.cause, connected, not_back)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
