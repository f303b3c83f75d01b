"""The bid desk: one desk, one clock, one order (decision 0001; R-BID-11, R-HALT-02).

A submission is stamped when it joins the queue. One loop takes what waits, decides it in a transaction under the
lease and the lots' locks, commits, and only then answers and tells the feed. What fails on data is tried lot by lot
and bid by bid; what fails in passing is tried again under its keys. Five seconds in which nobody decided freeze the
lots in their closing minutes before anything else is decided. A foreign epoch ends the desk for good.
"""

import asyncio
import os
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from bidding.desk.batch import Book, Decided, Entry
from bidding.desk.errors import DeskEnded, OutageNoticed
from bidding.desk.ingresses import Presence
from bidding.desk.outages import LONG_AGO, SECOND_S, Outages, Stamps
from bidding.desk.queue import Queue, Reply
from bidding.desk.rules import Kind
from bidding.desk.session import Session, is_data_fault, lots_in_order
from bidding.desk.submissions import Answer, Submission, address
from bidding.desk.telling import Telling
from kernel.clock import Clock, SystemClock, monotonic, whole_ms
from kernel.clock_watch import Clocks, ClockWatch
from kernel.errors import Busy
from kernel.observability import BIDS_DECIDED, CLOSE_LAG
from kernel.signatures import Keyring

log = structlog.get_logger("desk")

MAX_BATCH, MAX_BIDS = 1_000, 320
"""Entries and bids in one commit. Of a flood some are decided while others are told and send their next, so that
neither the database nor this process waits for the other."""
TOLD_A_TURN = 16
WORTH_A_BATCH = 100
"""So many that wait are decided while the batch before is still being told; fewer may become more until then."""
TICK_S = 0.2
MUCH_DUE = 500
STANDBY_AFTER_S = 2.0
RETRY_S = (0.02, 0.5)

Listener = Callable[[UUID, list[tuple[int, bytes]], Book], None]
"""Told after each commit: the lot, its new events as (seq, JSON), and the lot as it stands."""


@dataclass(frozen=True, slots=True)
class DeskOptions:
    """`hole_s`: real seconds without decisions that count as an outage; `queue`: bids that may wait at once.

    `exclusive`: this process holds the data folder's lock, which proves every desk before it dead.
    """

    hole_s: float = 5.0
    queue: int = 20_000
    exclusive: bool = False
    share: int = 0
    address: str | None = None


class Desk:
    """Decides everything that happens to the lots of its share. `enter` is the hot door, `submit` the patient one."""

    def __init__(self, dsn: str, clock: Clock, keyring: Keyring, options: DeskOptions = DeskOptions()) -> None:
        self.options = options
        self.serving = False
        self._much_due = False
        self.on_committed: list[Listener] = []
        self.on_ended: list[Callable[[], None]] = []
        self.on_told: Callable[[], None] = lambda: None
        self.presence: Presence | None = None
        """Who is connected to this process, where it is the web process too."""
        self._clock = clock
        self._session = Session(dsn, options.share, keyring)
        self._queue = Queue(options.queue)
        self._stamps = Stamps(clock)
        self._outages = Outages(self._session, self._queue, self._stamps, options.hole_s, self._publish)
        self._telling = Telling()
        self._wake = asyncio.Event()
        self._loop_task: asyncio.Task[None] | None = None
        self._ticker: asyncio.TimerHandle | None = None
        self._stopping = False
        self._next_second_s = 0.0
        self._clocks = ClockWatch(clock)

    @property
    def epoch(self) -> int:
        """Of the lease that this desk took; 0 before."""
        return self._session.epoch

    @property
    def decides_all(self) -> bool:
        """Whether the lots are not shared out among several desks."""
        return self._session.part.of == 1

    # -- the doors

    def enter(self, sent: Submission, reply: Reply) -> None:
        """Put a submission in the queue; `reply` is called with its answer, at once if it cannot join."""
        if not self.serving:
            reply(Answer(sent.key, refusal=Busy()))
            return
        self._queue.put(sent, self._stamps.now, reply, monotonic())
        self._wake.set()

    async def submit(self, sent: Submission) -> Answer:
        """The answer to a submission. A caller that gives up waiting changes nothing: the key finds the answer."""
        answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self.enter(sent, lambda answer: None if answered.done() else answered.set_result(answer))
        return await answered

    def waits(self, sent_as: tuple[UUID, UUID | None, UUID]) -> bool:
        """Whether a submission under this (lot, registration, key) is not yet decided."""
        return self._queue.holds(address(*sent_as))

    def hurries(self) -> bool:
        """Whether hundreds of lots have ended and are not closed yet: what follows from closes gives way to them."""
        return self._much_due

    def now(self) -> datetime:
        """Platform time as this desk stamps it."""
        return self._stamps.now()

    # -- start and stop

    async def start(self) -> None:
        """Clock, lease, holes, overdue closings; then the queue opens. Raises DeskElsewhere while another lives."""
        holder = f"{socket.gethostname()}:{os.getpid()}"
        standby_after_s = None if self.options.exclusive else STANDBY_AFTER_S
        await self._clocks.together(self._session.database_now)
        signs = await self._session.take_lease(holder, self.options.address, standby_after_s)
        if signs.latest_stamp is not None:
            self._stamps.not_before(whole_ms(signs.latest_stamp))
            if isinstance(self._clock, SystemClock):
                self._clock.not_before(signs.latest_stamp)
        log.info("desk.took-lease", epoch=self._session.epoch, silent_s=signs.silent and signs.silent.total_seconds())
        silent = signs.silent
        if silent is None or silent >= timedelta(seconds=self.options.hole_s):
            since = signs.platform_at or LONG_AGO
            await self._outages.freeze(since, "no-desk", (silent or timedelta()).total_seconds())
            silent = timedelta()
        if self.options.exclusive:
            await self._session.forget_ingresses()
        self._outages.taken_over(max(silent, timedelta()), signs.platform_at)
        await self._outages.freeze_where_overdue()
        await self._decide_overdue()
        self._outages.begin()
        self.serving = True
        self._arm()
        self._loop_task = asyncio.create_task(self._run(), name="desk")

    async def stop(self) -> None:
        """Decide what waits, seal, then stop. Anything that still cannot be decided is answered `busy`."""
        self._stopping = True
        self.serving = False
        self._wake.set()
        if self._loop_task is not None:
            await self._loop_task
            try:
                await self._outages.end_what_is_over(after_s=0)
                await self._session.seal(self.now())
                await self._session.give_up()
            except Exception as error:
                log.warning("desk.left-unfinished", error=repr(error))
        await self._session.close()

    # -- the loop

    async def _run(self) -> None:
        try:
            while not self._stopping or len(self._queue):
                await self._wake.wait()
                self._wake.clear()
                await self._step()
        except DeskEnded:
            log.warning("desk.ended", epoch=self._session.epoch)
        except Exception:
            log.exception("desk.failed")
        finally:
            self._end()

    async def _step(self) -> None:
        if self._ticker is None:
            await self._tick()
        if len(self._queue) < WORTH_A_BATCH:
            await self._telling.done()
        if batch := self._queue.take(MAX_BATCH, MAX_BIDS):
            await self._decide(batch)
        if len(self._queue):
            self._wake.set()

    def _arm(self) -> None:
        def ring() -> None:
            self._ticker = None
            self._wake.set()

        self._ticker = asyncio.get_running_loop().call_later(TICK_S, ring)

    def _end(self) -> None:
        self.serving = self._much_due = False
        if self._ticker is not None:
            self._ticker.cancel()
        self._telling.finish()
        self._queue.turn_away()
        for ended in self.on_ended:
            ended()

    # -- deciding

    async def _decide(self, entries: list[Entry]) -> None:
        """Decide a batch; one that fails on data is decided lot by lot, then bid by bid, before anything later."""
        try:
            await self._write(entries)
        except DeskEnded:
            raise
        except Exception as error:
            log.error("desk.batch-failed", entries=len(entries), error=repr(error))
            parts = lots_in_order(entries)
            if len(parts) == 1:
                parts = [[entry] for entry in entries]
            if len(parts) == 1:
                await self._decide_poison(entries[0])
                return
            for part in parts:
                await self._decide(part)

    async def _decide_poison(self, entry: Entry) -> None:
        """A submission that fails alone is stored as `not-processable`; if even that fails it is only answered."""
        if entry.poison:
            self._queue.answer(entry, Answer(entry.sent.key, refusal=Busy()))
            return
        entry.poison = True
        await self._decide([entry])

    async def _write(self, entries: list[Entry]) -> None:
        """Write a batch, again and again while the database only passes out; raises on data and at a foreign epoch."""
        delay_s, longest_s = RETRY_S
        while True:
            try:
                await self._outages.mend()
                if any(entry.sent.kind is Kind.CLOSED for entry in entries):
                    await self._outages.freeze_where_overdue()
                await self._outages.freeze_where_delayed(entries)
                decided, books = await self._session.write(entries, self.now(), self._clock.rate, self._outages.in_time)
            except DeskEnded:
                raise
            except Exception as error:
                if is_data_fault(error):
                    raise
                log.warning("desk.retries", error=repr(error), entries=len(entries))
                if not isinstance(error, OutageNoticed):  # the database is well; what stood still was this process
                    self._outages.failed()
                if self._stopping:
                    raise DeskEnded from error
                await asyncio.sleep(delay_s)
                delay_s = min(2 * delay_s, longest_s)
            else:
                self._outages.decided()
                self._telling.begin(self._in_slices(entries, decided, books))
                return

    def _publish(self, entries: list[Entry], decided: Decided, books: list[Book]) -> None:
        """After the commit: tell everybody now."""
        self._telling.finish()
        for _ in self._in_slices(entries, decided, books):
            pass

    def _in_slices(self, entries: list[Entry], decided: Decided, books: list[Book]) -> Iterator[None]:
        """Answers first, in slices, then the feed's bell and the relay's."""
        for place, (entry, answer) in enumerate(decided.answers, start=1):
            try:
                self._queue.answer(entry, answer)
            except Exception:  # what one bidder's way to them breaks on, nobody behind them waits for
                log.exception("desk.answer-failed")
            if place % TOLD_A_TURN == 0:
                yield
        if len(decided.answers) < len(entries):
            answered = {id(entry) for entry, _ in decided.answers}
            for entry in entries:
                if id(entry) not in answered:
                    self._queue.drop(entry)
        for book in books:
            if book.touched:
                for listener in self.on_committed:
                    listener(book.lot_id, book.events, book)
        if decided.told:
            self.on_told()
        self._count(decided, books)

    def _count(self, decided: Decided, books: list[Book]) -> None:
        bids, closed = Counter[str](), set[UUID]()
        for entry, answer in decided.answers:
            if entry.sent.kind is Kind.BID:
                bids["accepted" if answer.refusal is None else answer.refusal.code] += 1
            elif entry.sent.kind is Kind.CLOSED and answer.accepted:
                closed.add(entry.sent.lot_id)
        for outcome, times in bids.items():
            BIDS_DECIDED.labels(outcome).inc(times)
        for book in books:
            if book.lot_id in closed and book.state.ends_at is not None:
                CLOSE_LAG.observe((self.now() - book.state.ends_at).total_seconds())

    # -- due work, every fifth of a second, and signs of life, every second

    async def _tick(self) -> None:
        self._arm()
        try:
            await self._outages.mend()
            if monotonic() >= self._next_second_s:
                await self._second()
            await self._outages.freeze_where_overdue()
            due = await self._session.find_due(self.now())
            self._much_due = len(due) >= MUCH_DUE
            for sent in due:
                self._queue.put(sent, self.now, _nobody, monotonic())
            await self._outages.freeze_where_held()
            await self._outages.mend()  # what was asked since may have hung for long
            self._outages.lively()
        except DeskEnded:
            raise
        except Exception as error:
            log.warning("desk.tick-failed", error=repr(error))
            self._outages.failed()

    async def _second(self) -> None:
        self._next_second_s = monotonic() + SECOND_S
        clocks = await self._clocks.look(self._session.healthy(self.now()))
        since = self._outages.lively_at
        if clocks is not Clocks.TOGETHER:
            await self._outages.freeze(since, "clock-offset", 0.0)
        if self.presence is not None:
            await self._session.sign(self.presence, self.now())
        await self._outages.look()
        await self._session.seal(self.now())

    async def _decide_overdue(self) -> None:
        """Before the port opens: everything that fell due while nobody decided, until nothing new is due."""
        self._next_second_s = monotonic() + SECOND_S
        await self._session.healthy(self.now())
        tried: set[tuple[UUID, UUID]] = set()
        while due := [one for one in await self._session.find_due(self.now()) if (one.lot_id, one.key) not in tried]:
            tried |= {(one.lot_id, one.key) for one in due}
            for sent in due:
                self._queue.put(sent, self.now, _nobody, monotonic())
            await self._decide(self._queue.take(len(due), len(due)))


def _nobody(answer: Answer) -> None:
    """The desk's own commands have no one waiting."""
