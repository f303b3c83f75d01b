"""A desk on a real database with lots and bidders of a test's own."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from app.bench.ground import Ticket, add_bidders
from bidding.desk.chain import genesis
from bidding.desk.desk import Desk, DeskOptions
from bidding.desk.rules import Kind, Method, Terms
from bidding.desk.submissions import Answer, Submission
from bidding.registration.rules import SALT_BYTES, commitment
from bidding.verify import faults
from kernel.actors import platform
from kernel.audit import Said, record_over
from kernel.clock import Clock, FrozenClock, SystemClock, beijing
from kernel.database import Database
from kernel.merkle import HASH_BYTES
from kernel.money import Fen
from tests.support.keys import KEYRING

OPENS = datetime(2025, 4, 10, 2, tzinfo=UTC)
ENDS = OPENS + timedelta(hours=24)
START, STEP = 100_000, 1_000
MS, SECOND, MINUTE = timedelta(milliseconds=1), timedelta(seconds=1), timedelta(minutes=1)


COUNTED = """
    UPDATE bidding.lot l SET admitted = counted.n
    FROM (SELECT lot_id, count(*) AS n FROM bidding.registration WHERE admitted_at IS NOT NULL GROUP BY lot_id) counted
    WHERE counted.lot_id = l.lot_id AND l.admitted <> counted.n
"""
UNTOLD = """
    SELECT r.id, r.lot_id, code, kind, deposit_due_fen, admitted_at, person_id, salt
    FROM bidding.registration r LEFT JOIN bidding.registration_identity ON registration_id = r.id
    WHERE NOT EXISTS (SELECT FROM kernel.audit_entry WHERE subject = 'registration:' || r.id)
"""


async def add_tickets(url: str, lots: list[UUID]) -> list[Ticket]:
    """A bidder, signed in and admitted, for each element of `lots`; all of it or, if something fails, nothing."""
    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://", 1), poolclass=NullPool)
    try:
        async with engine.begin() as db:
            tickets = await add_bidders(db, lots)
            await _enter_registrations((await db.get_raw_connection()).driver_connection, SystemClock())
            return tickets
    finally:
        await engine.dispose()


async def _enter_registrations(db: Any, clock: Clock) -> None:
    """Count registrations that were written straight into the table, and tell the audit trail of them."""
    await db.execute(COUNTED)
    said = [
        Said(
            "platform",
            f"registration:{row['id']}",
            {
                "kind": row["kind"],
                "deposit_due_fen": row["deposit_due_fen"],
                "admitted_at": row["admitted_at"] and beijing(row["admitted_at"]),
            }
            | _bidder_of(row),
        )
        for row in await db.fetch(UNTOLD)
    ]
    await record_over(db, clock.now(), platform("test"), "registration.make", said)


def _bidder_of(row: Any) -> dict[str, str]:
    """The commitment to who bids; nothing where nobody stands behind the registration, or no salt does."""
    if row["salt"] is None:
        return {}
    return {"bidder": commitment(row["salt"], row["id"], row["lot_id"], row["person_id"], row["code"]).hex()}


@dataclass
class House:
    """Writes what registration and publication would have written, and reads what the desk wrote."""

    url: str
    clock: Clock
    db: Any = field(repr=False)

    async def lot(
        self,
        opens_at: datetime = OPENS,
        ends_at: datetime = ENDS,
        *,
        method: Method = Method.AUCTION,
        start_fen: int = START,
        step_fen: int = STEP,
        group_id: UUID | None = None,
    ) -> UUID:
        """A published lot, as the handler of LotPublished copies it."""
        lot_id = uuid4()
        terms = Terms(
            method=method,
            opens_at=opens_at,
            scheduled_end=ends_at,
            start_price_fen=Fen(start_fen),
            increment_fen=Fen(step_fen),
        )
        link = genesis(lot_id, terms)
        await self.db.execute(
            "INSERT INTO bidding.lot (lot_id, case_id, court_id, asset_id, title, method, opens_at, scheduled_end,"
            " start_price_fen, increment_fen, deposit_fen, genesis, status, ends_at, link, sale_group_id)"
            " VALUES ($1, $2, $2, $2, '测试标的', $3, $4, $5, $6, $7, 10000, $8, 'upcoming', $5, $8, $9)",
            lot_id,
            uuid4(),
            method,
            opens_at,
            ends_at,
            start_fen,
            step_fen,
            link,
            group_id,
        )
        return lot_id

    async def group(self, target_fen: int, consented_at: datetime | None = None) -> UUID:
        """Lots that serve one debt of `target_fen`; `consented_at`: since when the debtor lets the rest be sold."""
        group_id = uuid4()
        await self.db.execute(
            "INSERT INTO bidding.sale_group (group_id, case_id, court_id, target_fen, consented_at, consent_proof)"
            " VALUES ($1, $1, $1, $2, $3, $4)",
            group_id,
            target_fen,
            consented_at,
            "同意书" if consented_at else None,
        )
        return group_id

    async def bidder(
        self, lot_id: UUID, code: str, *, rank: int | None = None, admitted_at: datetime | None = OPENS
    ) -> UUID:
        """An admitted registration, with a rank of a person whom the court confirmed; `admitted_at` None leaves it
        without its deposit."""
        registration_id, due_fen = uuid4(), 0 if admitted_at else 10_000
        await self.db.execute(
            "INSERT INTO bidding.registration (id, lot_id, code, bid_password_hash, kind, priority_rank,"
            " deposit_due_fen, state, admitted_at) VALUES ($1, $2, $3, $4, 'ordinary', $5, $8, $6, $7)",
            registration_id,
            lot_id,
            code,
            bytes(32),
            rank,
            "admitted" if admitted_at else "awaiting_deposit",
            admitted_at,
            due_fen,
        )
        if rank is not None:
            await self._confirm(lot_id, registration_id, rank)
        await _enter_registrations(self.db, self.clock)
        return registration_id

    async def _confirm(self, lot_id: UUID, registration_id: UUID, rank: int) -> None:
        """Somebody behind a registration, and the court's grant, as if it had come before they registered."""
        person_id = uuid4()
        await self.db.execute(
            "INSERT INTO bidding.registration_identity (registration_id, lot_id, person_id, salt)"
            " VALUES ($1, $2, $3, $4)",
            *(registration_id, lot_id, person_id, secrets.token_bytes(SALT_BYTES)),
        )
        await self._grant(lot_id, person_id, rank)

    async def confirm_anew(self, registration_id: UUID, rank: int) -> None:
        """The court confirms another rank to a priority purchaser who bids already."""
        lot_id, person_id = await self.db.fetchrow(
            "SELECT lot_id, person_id FROM bidding.registration_identity WHERE registration_id = $1", registration_id
        )
        await self.db.execute("UPDATE bidding.registration SET priority_rank = $2 WHERE id = $1", registration_id, rank)
        await self._grant(lot_id, person_id, rank)

    async def _grant(self, lot_id: UUID, person_id: UUID, rank: int) -> None:
        decision_id, now = uuid4(), self.clock.now()
        await self.db.execute(
            "INSERT INTO bidding.priority_grant (lot_id, person_id, rank, decision_id, granted_at)"
            " VALUES ($1, $2, $3, $4, $5)"
            " ON CONFLICT (lot_id, person_id) DO UPDATE SET rank = excluded.rank, decision_id = excluded.decision_id",
            *(lot_id, person_id, rank, decision_id, now),
        )
        chance = secrets.token_hex(HASH_BYTES)
        facts = {"person": str(person_id), "rank": rank, "decision_id": str(decision_id), "bidder": chance}
        said = [Said("platform", f"lot:{lot_id}", facts)]
        await record_over(self.db, now, platform("test"), "registration.grant-priority", said)

    def bid(
        self,
        lot_id: UUID,
        registration_id: UUID,
        price: int,
        *,
        key: UUID | None = None,
        confirm: int | None = None,
        ingress_at: datetime | None = None,
    ) -> Submission:
        """A bid of `price` fen."""
        return Submission(
            lot_id=lot_id,
            kind=Kind.BID,
            key=key or uuid4(),
            ingress_at=ingress_at or self.clock.now(),
            registration_id=registration_id,
            price_fen=Fen(price),
            confirm_fen=None if confirm is None else Fen(confirm),
        )

    def order(self, lot_id: UUID, kind: Kind, reason: str = "法院裁定") -> Submission:
        """A court's command."""
        return Submission(
            lot_id=lot_id, kind=kind, key=uuid4(), ingress_at=self.clock.now(), reason=reason, actor_id=uuid4()
        )

    async def row(self, lot_id: UUID) -> dict[str, Any]:
        """The lot as the desk left it."""
        return dict(await self.db.fetchrow("SELECT * FROM bidding.lot WHERE lot_id = $1", lot_id))

    async def submissions(self, lot_id: UUID) -> list[dict[str, Any]]:
        """All stored submissions of a lot, in order of decision."""
        rows = await self.db.fetch("SELECT * FROM bidding.submission WHERE lot_id = $1 ORDER BY entry", lot_id)
        return [dict(row) for row in rows]

    async def kinds(self, lot_id: UUID) -> list[str]:
        """The lot's events, by kind."""
        return [row["kind"] for row in await self.submissions(lot_id) if row["seq"] is not None]

    async def settled(self, lot_id: UUID, status: str, within_s: float = 5.0) -> dict[str, Any]:
        """The lot once it has reached `status`."""
        async with asyncio.timeout(within_s):
            while (row := await self.row(lot_id))["status"] != status:
                await asyncio.sleep(0.02)
        return row


@asynccontextmanager
async def house(url: str, clock: Clock | None = None) -> AsyncIterator[House]:
    """A connection of the test's own beside the desk's."""
    db = await asyncpg.connect(url)
    try:
        yield House(url, clock or FrozenClock(OPENS), db)
    finally:
        await db.close()


@asynccontextmanager
async def desk_of(place: House, *, exclusive: bool = True, **options: Any) -> AsyncIterator[Desk]:
    """A desk that takes bids until the body ends."""
    desk = Desk(place.url, place.clock, KEYRING, DeskOptions(exclusive=exclusive, **options))
    await desk.start()
    try:
        yield desk
    finally:
        await desk.stop()


async def put_order(db: Any, lot: UUID, kind: Kind, at: datetime) -> UUID:
    """An order as `commands.order` writes it."""
    order_id = uuid4()
    await db.execute(
        "INSERT INTO bidding.lot_command (id, lot_id, kind, reason, requested_at) VALUES ($1, $2, $3, '裁定', $4)",
        order_id,
        lot,
        kind,
        at,
    )
    return order_id


async def stood_still(desk: Desk) -> None:
    """From here on the desk does nothing by itself: a test that calls its parts has its connection alone."""
    still = asyncio.Event()

    async def tick() -> None:
        still.set()

    desk._tick = tick  # type: ignore[method-assign]
    await still.wait()


def code_of(answer: Answer) -> str:
    """`accepted`, or the refusal's code."""
    return answer.refusal.code if answer.refusal else "accepted"


def codes(answers: Sequence[Answer]) -> list[str]:
    return [code_of(answer) for answer in answers]


def at(place: House) -> FrozenClock:
    """The house's clock, which only moves when it is told to."""
    assert isinstance(place.clock, FrozenClock)
    return place.clock


async def verified(url: str, clock: Clock | None = None) -> list[str]:
    """What `auction verify` finds wrong with bidding."""
    database = Database(url, clock or SystemClock())
    try:
        async with database.reading(platform("verify")) as tx:
            return await faults(tx)
    finally:
        await database.close()
