"""The desk's hold on the database: its connection, its lease, and the transaction of one batch."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

import asyncpg
import structlog

from bidding.desk import ingresses, lease, outage_store, said, sealing, shares, store
from bidding.desk.batch import Book, Decided, Entry, Reading, decide_batch, owed
from bidding.desk.errors import DeskEnded, OutageNoticed
from bidding.desk.ingresses import Missing, Presence, Seats
from bidding.desk.lease import Signs
from bidding.desk.outage_store import Hit, Outage
from bidding.desk.receipts import make_ahead
from bidding.desk.rules import FINISHED, Kind, Status, overdue
from bidding.desk.signing import Signer
from bidding.desk.submissions import Submission
from kernel.database import is_passing
from kernel.signatures import Keyring

log = structlog.get_logger("desk")

RECEIPTS_A_TURN = 16
"""Made in one turn of the event loop, between which the database is heard."""

DATA_FAULTS = frozenset({"22", "23", "P0"})
"""Classes of SQLSTATE that speak of the rows themselves: values, constraints, raised exceptions."""


class _Undone(Exception):
    """What was decided is not to be committed."""


class Session:
    """One desk's view of the database. Not shared: one statement at a time, from the desk's loop."""

    def __init__(self, dsn: str, share: int, keyring: Keyring) -> None:
        self._dsn = dsn
        self._share = share
        self._signer = Signer(keyring, share)
        self.part = shares.Part(share)
        self._db: lease.Connection | None = None
        self._refusals: dict[int, dict[int, int]] = {}
        """Of each running lot the stored refusals by bidder, counted once: nobody else writes them."""
        self._held: set[UUID] = set()
        """Lots of which the close waits for bidders behind a silent web process."""
        self.epoch = 0
        self.unsealed: set[UUID] = set()

    async def take_lease(self, holder: str, address: str | None, standby_after_s: float | None) -> Signs:
        """Become the desk; returns what is known of the desk before. Raises DeskElsewhere.

        The number of shares is read under the lease: whoever changes it ends the lease.
        """
        db = await self._connection()
        self.epoch = await lease.take_lease(db, self._share, holder, address, standby_after_s=standby_after_s)
        self.part = shares.Part(self._share, await shares.count(db))
        signs = await lease.last_signs(db, self._share, self.part.of)
        await self._signer.publish_key(db, signs.database_now)
        if signs.latest_stamp is not None:
            self.unsealed = await sealing.find_unsealed(db, signs.latest_stamp, self.part)
        return signs

    async def write(
        self, entries: Sequence[Entry], now: datetime, rate: int, in_time: Callable[[Mapping[UUID, datetime]], bool]
    ) -> tuple[Decided, list[Book]]:
        """Decide a batch and commit it; all or nothing.

        `in_time` is asked once the locks are held, with the lots that the batch closes and their ends: connecting or
        waiting may have taken longer than an outage needs.
        """
        reading = Reading(books={})
        commands = [entry for entry in entries if entry.sent.kind is not Kind.BID]
        try:
            async with self._transaction() as db:
                reading = await self._read(db, entries, commands)
                reading.now = now
                await self._read_stops(db, commands, reading, now)
                if not in_time(_closing(commands, reading.books)):
                    raise OutageNoticed
                decided = decide_batch(entries, reading, rate=rate, batch=await self._signer.open(db))
                self._signer.sign(decided.batch, now)
                with _receipts_made_of(decided):
                    await store.write(db, decided, reading.books.values(), now)
        except BaseException:
            self._doubt(reading.books.values())
            raise
        books = list(reading.books.values())
        self._remember(decided, books)
        return decided, books

    async def write_freezes(
        self, entries: Sequence[Entry], outage: Outage, rate: int, *, everybody: bool
    ) -> tuple[Decided, list[Book]]:
        """Decide the freezes of an outage, and record why. `everybody`: it touched all lots that ran."""
        async with self._transaction() as db:
            decided, books = await self._decide_freezes(db, entries, outage, rate)
            frozen = [entry.sent.lot_id for entry, _ in decided.answers]
            ended: set[outage_store.Key] = set()
            if frozen and not everybody:
                ended = await outage_store.end(db, {(outage.cause, lot): outage.until for lot in frozen}, rate)
            if frozen or everybody:
                await outage_store.keep_outage(db, self.part, self.epoch, outage, len(frozen))
                await ingresses.keep_seats(db, self.part, self.epoch, outage, Seats(frozen, everybody, rate))
                if not everybody:
                    await outage_store.keep_lots(db, self.part, self.epoch, outage, frozen, over=True)
                ended.add((self._share, self.epoch, outage.until))
            await said.record_outages(db, ended)
        return decided, books

    async def try_freezes(self, entries: Sequence[Entry], outage: Outage, rate: int) -> None:
        """Decide freezes and undo it all: raises what the lots fail on."""
        with contextlib.suppress(_Undone):
            async with self._transaction() as db:
                await self._decide_freezes(db, entries, outage, rate)
                raise _Undone

    async def _decide_freezes(
        self, db: lease.Connection, entries: Sequence[Entry], outage: Outage, rate: int
    ) -> tuple[Decided, list[Book]]:
        reading = await self._read(db, entries, entries)
        decided = decide_batch(entries, reading, rate=rate, batch=await self._signer.open(db))
        self._signer.sign(decided.batch, outage.until)
        await store.write(db, decided, reading.books.values(), outage.until)
        return decided, list(reading.books.values())

    async def note_outage(self, outage: Outage, lots: Collection[UUID], rate: int) -> None:
        """Record an outage that goes on for these lots and froze none of them."""
        async with self._transaction() as db:
            await outage_store.keep_outage(db, self.part, self.epoch, outage, 0)
            await outage_store.keep_lots(db, self.part, self.epoch, outage, lots, over=False)
            await ingresses.keep_seats(db, self.part, self.epoch, outage, Seats(lots, everybody=False, rate=rate))
            await said.record_outages(db, {(self._share, self.epoch, outage.until)})

    async def find_going_on(self) -> list[Hit]:
        """Outages of single lots that no desk has seen the end of."""
        return await outage_store.find_going_on(await self._connection(), self.part)

    async def end_outages(self, over: Mapping[Hit, datetime], rate: int) -> None:
        """Record when outages of single lots were over."""
        async with self._transaction() as db:
            await said.record_outages(db, await outage_store.end(db, over, rate))

    async def keep_outage(self, outage: Outage, rate: int) -> None:
        """Record an outage that froze no lot: it took time from those that ran."""
        async with self._transaction() as db:
            await outage_store.keep_outage(db, self.part, self.epoch, outage, 0)
            await ingresses.keep_seats(db, self.part, self.epoch, outage, Seats((), everybody=True, rate=rate))
            await said.record_outages(db, {(self._share, self.epoch, outage.until)})

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[lease.Connection]:
        """A transaction under the lease; commits at the end. A connection that cannot roll back is thrown away."""
        db = await self._connection()
        try:
            await lease.begin(db, self._share, self.epoch)
            yield db
            await db.execute("COMMIT")
        except BaseException:
            self._signer.forget()
            await self._abandon(db)
            raise

    async def database_now(self) -> datetime:
        """The database's clock."""
        return await lease.read_clock(await self._connection())

    async def healthy(self, platform_at: datetime) -> datetime:
        """Write this second's sign of life; returns the database's clock. Raises DeskEnded at a foreign epoch."""
        return await lease.write_health(await self._connection(), self._share, self.epoch, platform_at)

    async def find_due(self, now: datetime) -> list[Submission]:
        """Commands of other use cases, then openings and closings that time demands.

        A close waits while bidders of the lot may be cut off behind a silent web process.
        """
        db = await self._connection()
        orders = await store.find_orders(db, self.part)
        due = await store.find_due(db, now, self.part)
        if closing := [lot_id for lot_id, kind in due if kind is Kind.CLOSED]:
            suspected = await ingresses.find_suspected(db, closing)
            due = [(lot_id, kind) for lot_id, kind in due if kind is not Kind.CLOSED or lot_id not in suspected]
            self._held = suspected
        return orders + [owed(lot_id, kind, now) for lot_id, kind in due]

    async def find_held(self, ended_by: datetime) -> list[tuple[UUID, datetime]]:
        """Lots that ended by then, with their ends, and were not closed when last asked what is due."""
        held, self._held = self._held, set()
        return await store.find_ended(await self._connection(), held, ended_by) if held else []

    async def find_unclosed(self, ended_by: datetime) -> list[tuple[UUID, datetime]]:
        """Lots that ended by then and are not closed, with their ends."""
        return await store.find_unclosed(await self._connection(), ended_by, self.part)

    async def forget_ingresses(self) -> None:
        """No web process of before lives."""
        await ingresses.forget_all(await self._connection())

    async def sign(self, presence: Presence, platform_at: datetime) -> None:
        """The sign of life of the web process that this process is as well."""
        await ingresses.write_sign(await self._connection(), presence, platform_at)

    async def find_missing(self, hole_s: float) -> list[Missing]:
        """Web processes that fell silent for so long, with the lots of their bidders."""
        db = await self._connection()
        await ingresses.forget(db, self.part)
        return await ingresses.find_missing(db, self.part, hole_s)

    async def judged(self, missing: Missing, frozen: Collection[UUID]) -> None:
        """These lots of what `find_missing` found were frozen."""
        await ingresses.judged(await self._connection(), missing.ingress_id, frozen)

    async def find_hit(self, since: datetime, until: datetime, only: Collection[UUID] | None) -> list[UUID]:
        """Lots, of `only` these, that an outage from `since` to `until` may freeze."""
        return await outage_store.find_hit(await self._connection(), since, until, self.part, only)

    async def find_running(self, lots: Collection[UUID], since: datetime) -> list[UUID]:
        """Those of these lots from whose time an outage that began then takes."""
        return await outage_store.find_running(await self._connection(), lots, since, self.part)

    async def seal(self, now: datetime) -> None:
        """Seal the refusals written since the last time."""
        if not self.unsealed:
            return
        async with self._transaction() as db:
            await sealing.seal(db, self.unsealed, now)
        self.unsealed.clear()

    async def give_up(self) -> None:
        """Let another desk begin at once."""
        await lease.give_up_lease(await self._connection(), self._share, self.epoch)

    async def close(self) -> None:
        """Let the connection go."""
        if self._db is not None:
            db, self._db = self._db, None
            with contextlib.suppress(OSError, TimeoutError, asyncpg.InterfaceError, asyncpg.PostgresError):
                await db.close(timeout=1)

    async def _connection(self) -> lease.Connection:
        if self._db is None or self._db.is_closed():
            self._db = await lease.connect(self._dsn)
        return self._db

    async def _abandon(self, db: lease.Connection) -> None:
        """Roll back; a connection that cannot even do that is thrown away."""
        try:
            await db.execute("ROLLBACK", timeout=1)
        except Exception:
            db.terminate()

    async def _read(self, db: lease.Connection, entries: Sequence[Entry], commands: Sequence[Entry]) -> Reading:
        """Lock and read what a batch needs; `commands` are those of its entries that are no bids."""
        closing = {entry.sent.lot_id for entry in commands if entry.sent.kind is Kind.CLOSED}
        groups = await store.lock_groups(db, closing) if closing else {}
        lots = {entry.address[0]: entry.sent.lot_id for entry in entries}
        if groups:
            lots |= {lot_id.int: lot_id for lot_id in await store.unfinished_of(db, groups)}
        books = await store.lock_lots(db, lots.values(), self.part)
        await self._count_refusals(db, entries)
        reading = Reading(
            books=books,
            refusals_kept=self._refusals,
            groups=groups,
        )
        await store.read_submissions(db, entries, reading)
        return reading

    async def _read_stops(
        self, db: lease.Connection, commands: Sequence[Entry], reading: Reading, now: datetime
    ) -> None:
        """What forbids that a lot closes or runs on; asked of lots that have ended or are to be resumed, so seldom."""
        lots = {book.lot_id for book in reading.books.values() if overdue(book.state, now)}
        lots |= {entry.sent.lot_id for entry in commands if entry.sent.kind is Kind.RESUMED}
        if lots:
            await store.read_stops(db, lots, reading)

    async def _count_refusals(self, db: lease.Connection, entries: Sequence[Entry]) -> None:
        """Count the stored refusals of bidders who were not seen before; the desk alone adds to them."""
        unknown = {}
        for entry in entries:
            lot, bidder, _ = entry.address
            sent, counted = entry.sent, self._refusals.get(lot)
            if sent.registration_id is not None and (counted is None or bidder not in counted):
                unknown[lot, bidder] = sent.lot_id, sent.registration_id
        if unknown:
            for (lot, bidder), kept in (await store.count_refusals(db, list(unknown.values()))).items():
                self._refusals.setdefault(lot, {})[bidder] = kept

    def _doubt(self, books: Iterable[Book]) -> None:
        """Nobody knows whether it was committed: refusals of these lots are counted anew, and sealed if they stand."""
        for book in books:
            self._refusals.pop(book.lot_id.int, None)
            self.unsealed.add(book.lot_id)

    def _remember(self, decided: Decided, books: Iterable[Book]) -> None:
        """After a commit: the counts of refusals, and which lots have some to seal."""
        for (lot, bidder), refused in decided.refused.items():
            self._refusals[lot][bidder] += refused
        for book in books:
            if book.refused:
                self.unsealed.add(book.lot_id)
            if book.state.status in FINISHED:
                self._refusals.pop(book.lot_id.int, None)


def _closing(commands: Iterable[Entry], books: dict[int, Book]) -> dict[UUID, datetime]:
    """The running lots that these commands close, with their ends."""
    closing = [books.get(entry.address[0]) for entry in commands if entry.sent.kind is Kind.CLOSED]
    running = [book for book in closing if book and book.state.status is Status.OPEN]
    return {book.lot_id: book.state.ends_at for book in running if book.state.ends_at}


@contextlib.contextmanager
def _receipts_made_of(decided: Decided) -> Iterator[None]:
    """Make the receipts of a large batch while the database writes it; those that are not made then are made later."""
    making = asyncio.create_task(_make_receipts(decided)) if len(decided.answers) > RECEIPTS_A_TURN else None
    try:
        yield
    finally:
        if making is not None:
            making.cancel()


async def _make_receipts(decided: Decided) -> None:
    for number, (entry, answer) in enumerate(decided.answers):
        if number % RECEIPTS_A_TURN == 0:
            await asyncio.sleep(0)
        if answer.proof is not None and answer.event is not None and answer.link is not None:
            make_ahead(entry.sent.lot_id, answer.event, answer.link, answer.proof)


def is_data_fault(error: BaseException) -> bool:
    """Whether a batch failed on what it holds, so that trying it again whole is no use."""
    if isinstance(error, asyncpg.PostgresError):
        return str(getattr(error, "sqlstate", ""))[:2] in DATA_FAULTS
    passing = isinstance(error, asyncpg.InterfaceError | asyncpg.InternalClientError) or is_passing(error)
    return not passing and not isinstance(error, DeskEnded | OutageNoticed)


def lots_in_order(entries: Iterable[Entry]) -> list[list[Entry]]:
    """The entries of a batch lot by lot, each in order of entry."""
    lots: dict[int, list[Entry]] = {}
    for entry in entries:
        lots.setdefault(entry.sent.lot_id.int, []).append(entry)
    return list(lots.values())
