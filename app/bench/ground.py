"""What a benchmark needs before it starts: lots that are live, and bidders admitted, signed in and unlocked.

Written straight into the tables, in the state in which registration, deposit and sign-in would have left them: what is
measured begins at the socket.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, insert
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from bidding.desk.chain import genesis
from bidding.desk.desk import Desk, DeskOptions
from bidding.desk.models import Lot
from bidding.desk.rules import Method, Status, Terms
from bidding.registration.models import Registration, RegistrationIdentity, Unlock
from bidding.registration.service import unlock_digest
from kernel.actors import Actor, Role
from kernel.clock import SystemClock, real_now
from kernel.identity.models import LoginSession, Person, PersonRole
from kernel.identity.store import token_hash
from kernel.ids import ordered_id, random_id, token
from kernel.money import Fen
from kernel.outbox import Outbox
from kernel.signatures import Keyring

START_FEN = Fen(100_000_00)
INCREMENT_FEN = Fen(100_00)
DEPOSIT_FEN = Fen(10_000_00)
SOURCE = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Ticket:
    """One bidder on one lot: the session token that the socket shows, and the registration behind it."""

    lot_id: UUID
    registration_id: UUID
    token: str


async def lay_out(url: str, lots: int, bidders: int) -> list[Ticket]:
    """Open lots that end in a day, and `bidders` in all, spread over them evenly."""
    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://", 1), poolclass=NullPool)
    try:
        async with engine.begin() as db:
            ids = [await _add_lot(db, number) for number in range(lots)]
            tickets = await add_bidders(db, [ids[number % lots] for number in range(bidders)])
        await _open(url)
        async with engine.begin() as db:
            await db.execute(delete(Outbox))
        return tickets
    finally:
        await engine.dispose()


async def _open(url: str) -> None:
    """Let a desk open the lots; what it tells is for contexts that do not know them."""
    desk = Desk(url, SystemClock(), Keyring.make(), DeskOptions(exclusive=True))
    await desk.start()
    await desk.stop()


async def _add_lot(db: AsyncConnection, number: int) -> UUID:
    now = real_now()
    row = lot_row(number, now - timedelta(minutes=1), now + timedelta(hours=25))
    await db.execute(insert(Lot).values(row))
    return UUID(str(row["lot_id"]))


def lot_row(number: int, opens_at: datetime, ends_at: datetime, lot_id: UUID | None = None) -> dict[str, object]:
    """A published lot as bidding copies it, not opened yet."""
    lot_id = lot_id or ordered_id()
    terms = Terms(
        method=Method.AUCTION,
        opens_at=opens_at,
        scheduled_end=ends_at,
        start_price_fen=START_FEN,
        increment_fen=INCREMENT_FEN,
    )
    link = genesis(lot_id, terms)
    return {
        "lot_id": lot_id,
        "case_id": random_id(),
        "court_id": random_id(),
        "asset_id": random_id(),
        "title": f"基准测试标的 {number + 1}",
        "method": terms.method,
        "opens_at": terms.opens_at,
        "scheduled_end": terms.scheduled_end,
        "start_price_fen": terms.start_price_fen,
        "increment_fen": terms.increment_fen,
        "deposit_fen": DEPOSIT_FEN,
        "genesis": link,
        "status": Status.UPCOMING,
        "ends_at": terms.scheduled_end,
        "link": link,
    }


async def add_bidders(db: AsyncConnection, lots: list[UUID], admitted_at: datetime | None = None) -> list[Ticket]:
    """One bidder for each element of `lots`: a person signed in, admitted to that lot, the bid password entered."""
    now = real_now()
    admitted_at = admitted_at or now - timedelta(minutes=1)
    tickets, rows = [], _Rows([], [], [], [], [], [])
    for number, lot_id in enumerate(lots):
        person_id, session_id = random_id(), ordered_id()
        ticket = Ticket(lot_id, random_id(), token())
        tickets.append(ticket)
        rows.persons.append(
            {
                "id": person_id,
                "username": f"bench-{person_id.hex[:16]}",
                "real_name": "基准",
                "password_hash": "none",
                "registered_at": now,
            }
        )
        rows.roles.append({"person_id": person_id, "role": Role.BIDDER})
        rows.sessions.append(
            {
                "id": session_id,
                "token_hash": token_hash(ticket.token),
                "person_id": person_id,
                "address": SOURCE,
                "started_at": now,
                "expires_at": now + timedelta(days=1),
            }
        )
        rows.registrations.append(
            {
                "id": ticket.registration_id,
                "lot_id": lot_id,
                "code": code_of(number),
                "bid_password_hash": bytes(32),
                "kind": "ordinary",
                "deposit_due_fen": DEPOSIT_FEN,
                "state": "admitted",
                "admitted_at": admitted_at,
            }
        )
        rows.identities.append({"registration_id": ticket.registration_id, "lot_id": lot_id, "person_id": person_id})
        rows.unlocks.append({"digest": _unlocked(lot_id, person_id, session_id), "at": now})
    await rows.write(db)
    return tickets


def code_of(number: int) -> str:
    """The code of the bidder that was added as number `number`."""
    return f"B{number:05}"


def _unlocked(lot_id: UUID, person_id: UUID, session_id: UUID) -> bytes:
    return unlock_digest(lot_id, Actor(person_id, "", frozenset(), None, SOURCE, session_id))


@dataclass(frozen=True, slots=True)
class _Rows:
    persons: list[dict[str, object]]
    roles: list[dict[str, object]]
    sessions: list[dict[str, object]]
    registrations: list[dict[str, object]]
    identities: list[dict[str, object]]
    unlocks: list[dict[str, object]]

    async def write(self, db: AsyncConnection) -> None:
        for table, values in (
            (Person, self.persons),
            (PersonRole, self.roles),
            (LoginSession, self.sessions),
            (Registration, self.registrations),
            (RegistrationIdentity, self.identities),
            (Unlock, self.unlocks),
        ):
            await db.execute(insert(table), values)
