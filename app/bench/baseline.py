"""What the desk is measured against: SQLAlchemy's async ORM, `SELECT … FOR UPDATE`, a transaction per bid, no sockets.

The same rules decide and the same rows are written, on the same server in the same run. Prices come from a counter,
too, and only accepted bids count; the best of several numbers of connections is taken.
"""

import asyncio
import time
from collections.abc import Iterator
from uuid import uuid4

from msgspec.structs import asdict
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from app.bench.ground import INCREMENT_FEN, START_FEN, Ticket
from bidding.desk.batch import Admission, Book, Entry, Reading, decide_batch
from bidding.desk.models import Lot, Submission
from bidding.desk.rules import Bidder, Kind, LotState, Status
from bidding.desk.submissions import Submission as Sent
from bidding.registration.models import Registration
from kernel.clock import SystemClock
from kernel.money import Fen

CONNECTIONS = (1, 4, 16)


async def accepted_per_s(url: str, tickets: list[Ticket], seconds: float) -> dict[int, float]:
    """Accepted bids a second by number of connections; all tickets are of one lot nobody else bids on."""
    prices = iter(range(START_FEN, 10**15, INCREMENT_FEN))
    return {number: round(await _run(url, tickets, prices, number, seconds), 1) for number in CONNECTIONS}


async def _run(url: str, tickets: list[Ticket], prices: Iterator[int], connections: int, seconds: float) -> float:
    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://", 1), pool_size=connections)
    sessions = async_sessionmaker(engine, expire_on_commit=False)
    clock = SystemClock()
    accepted = 0
    warm = time.perf_counter() + min(1.0, seconds / 4)
    end = warm + seconds

    async def bidder(number: int) -> None:
        nonlocal accepted
        while (now := time.perf_counter()) < end:
            ticket = tickets[number % len(tickets)]
            good = await _bid(sessions, clock, ticket, Fen(next(prices)))
            accepted += good and now >= warm

    await asyncio.gather(*(bidder(number) for number in range(connections)))
    await engine.dispose()
    return accepted / seconds


async def _bid(sessions: async_sessionmaker[AsyncSession], clock: SystemClock, ticket: Ticket, price: Fen) -> bool:
    sent = Sent(
        lot_id=ticket.lot_id,
        kind=Kind.BID,
        key=uuid4(),
        ingress_at=clock.now(),
        registration_id=ticket.registration_id,
        price_fen=price,
        confirm_fen=price,
    )
    async with sessions.begin() as session:
        lot = (await session.execute(select(Lot).where(Lot.lot_id == sent.lot_id).with_for_update())).scalar_one()
        at = clock.now()
        earlier = await session.scalar(
            select(Submission.entry).where(
                Submission.lot_id == sent.lot_id,
                Submission.registration_id == sent.registration_id,
                Submission.key == sent.key,
            )
        )
        assert earlier is None
        registration = await session.get_one(Registration, ticket.registration_id)
        bidder = Bidder(registration.code, registration.priority_rank)
        admission = Admission(lot.lot_id, bidder, registration.admitted_at)
        book = _book(lot)
        reading = Reading({lot.lot_id.int: book}, {registration.id.int: admission})
        decided = decide_batch([Entry(sent, sent.address, at)], reading)
        session.add_all(Submission(**asdict(row)) for row in decided.rows)
        _carry_over(lot, book)
    return decided.answers[0][1].accepted


def _book(lot: Lot) -> Book:
    state = LotState(
        terms=lot.terms,
        status=Status(lot.status),
        ends_at=lot.ends_at,
        opened=lot.opened,
        leader=lot.leader_code,
        leader_rank=lot.leader_rank,
        price_fen=lot.price_fen,
        seq=lot.seq,
        bids=lot.bids,
        extensions=lot.extensions,
    )
    return Book(
        lot_id=lot.lot_id,
        state=state,
        link=lot.link,
        entries=lot.entries,
        leader_registration_id=lot.leader_registration_id,
        last_received_at=None,  # 16 connections stamp before they lock: their times may fall
        late_entries=0,
        unstored_refusals=0,
    )


def _carry_over(lot: Lot, book: Book) -> None:
    state = asdict(book.state)
    lot.status, lot.ends_at, lot.opened = state["status"], state["ends_at"], state["opened"]
    lot.leader_code, lot.leader_rank, lot.price_fen = state["leader"], state["leader_rank"], state["price_fen"]
    lot.leader_registration_id = book.leader_registration_id
    lot.seq, lot.bids, lot.extensions = state["seq"], state["bids"], state["extensions"]
    lot.entries, lot.link, lot.last_received_at = book.entries, book.link, book.last_received_at
    lot.decided_at = book.last_received_at
