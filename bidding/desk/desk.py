"""The bid desk: one desk, one clock, one order (design: the bid desk; R-BID-11, R-HALT-02).

A submission is stamped when it joins the queue. One loop takes what waits, decides it in a transaction under the
lease and the lots' locks, commits, and only then answers and tells the feed. What fails on data is tried lot by lot
and bid by bid; what fails in passing is tried again under its keys. Five seconds in which nobody decided freeze the
lots in their closing minutes before anything else is decided. A foreign epoch ends the desk for good.
"""

import asyncio
import os
import socket
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import structlog

from bidding.desk.batch import Book, Decided, Entry
from bidding.desk.errors import DeskEnded
from bidding.desk.ingresses import SUSPECT_AFTER_S, Presence
from bidding.desk.queue import Queue, Reply
from bidding.desk.rules import Kind
from bidding.desk.session import Session, is_data_fault, lots_in_order
from bidding.desk.store import Outage
from bidding.desk.submissions import Answer, Submission, address
from bidding.desk.watch import Clocks, ClockWatch, follow
from kernel.clock import Clock, SystemClock, monotonic, whole_ms
from kernel.errors import Busy
from kernel.observability import BIDS_DECIDED, CLOSE_LAG
from kernel.signatures import Keyring

log = structlog.get_logger("desk")

MAX_BATCH = 1_000
TICK_S = 0.2
SECOND_S = 1.0
STANDBY_AFTER_S = 2.0
RETRY_S = (0.02, 0.5)
MENDED_FOR_S = 0.5
COME_BACK_S = SUSPECT_AFTER_S + SECOND_S
"""Whoever was cut off together with the desk before is seen again so long after the start of the next one."""

MS, SECOND = timedelta(milliseconds=1), timedelta(seconds=1)
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)

OUTAGE_REASONS = {
    "no-desk": "平台竞价进程中断，期间无法受理出价 (no process was deciding bids)",
    "no-decision": "平台故障，期间无法裁定出价 (bids could not be decided)",
    "clock-offset": "平台时钟异常，期间时间不可靠 (the platform's clocks parted)",
    "busy": "平台过载，期间出价未能受理 (bids were turned away as busy)",
    "undecided": "出价已到达平台而长时间未能裁定 (a bid waited inside the platform)",
    "ingress-missing": "部分竞买人与平台的连接因平台故障中断 (bidders were cut off by a fault of the platform)",
}
RESUMES = "；由法院决定恢复时间 (the court decides when to resume)"

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
        self.on_committed: list[Listener] = []
        self.on_ended: list[Callable[[], None]] = []
        self.on_told: Callable[[], None] = lambda: None
        self.presence: Presence | None = None
        """Who is connected to this process, where it is the web process too."""
        self._clock = clock
        self._session = Session(dsn, options.share, keyring)
        self._queue = Queue(options.queue)
        self._floor = LONG_AGO
        self._wake = asyncio.Event()
        self._loop_task: asyncio.Task[None] | None = None
        self._ticker: asyncio.TimerHandle | None = None
        self._stopping = False
        self._alive_s = 0.0
        self._alive_at = LONG_AGO
        self._locked = (0.0, LONG_AGO)
        self._mended_s = 0.0
        self._next_second_s = 0.0
        self._last_second_s = self._watchful_from_s = monotonic()
        self._clocks = ClockWatch()
        self._last_outage = LONG_AGO

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
        self._queue.put(sent, self.now, reply, monotonic())
        self._wake.set()

    async def submit(self, sent: Submission) -> Answer:
        """The answer to a submission. A caller that gives up waiting changes nothing: the key finds the answer."""
        answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self.enter(sent, lambda answer: None if answered.done() else answered.set_result(answer))
        return await answered

    def waits(self, sent_as: tuple[UUID, UUID | None, UUID]) -> bool:
        """Whether a submission under this (lot, registration, key) is not yet decided."""
        return self._queue.holds(address(*sent_as))

    def now(self) -> datetime:
        """Platform time, never before anything this desk or one before it has stamped (R-BID-11)."""
        now = self._clock.now()
        self._floor = max(self._floor, now)
        return self._floor

    # -- start and stop

    async def start(self) -> None:
        """Lease, clock, holes, overdue closings; then the queue opens. Raises DeskElsewhere while another lives."""
        holder = f"{socket.gethostname()}:{os.getpid()}"
        standby_after_s = None if self.options.exclusive else STANDBY_AFTER_S
        signs = await self._session.take_lease(holder, self.options.address, standby_after_s)
        follow(self._clock, signs.database_now)
        if signs.latest_stamp is not None:
            self._floor = whole_ms(signs.latest_stamp)
            if isinstance(self._clock, SystemClock):
                self._clock.not_before(signs.latest_stamp)
        log.info("desk.took-lease", epoch=self._session.epoch, silent_s=signs.silent and signs.silent.total_seconds())
        if signs.silent is None or signs.silent >= timedelta(seconds=self.options.hole_s):
            since = signs.platform_at or LONG_AGO
            await self._freeze(since, "no-desk", (signs.silent or timedelta()).total_seconds())
        if self.options.exclusive:
            await self._session.forget_ingresses()
        self._lively()
        await self._decide_overdue()
        self._last_second_s = monotonic()
        self._watchful_from_s = self._last_second_s + COME_BACK_S
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
        if batch := self._queue.take(MAX_BATCH):
            await self._decide(batch)
        if len(self._queue):
            self._wake.set()

    def _arm(self) -> None:
        def ring() -> None:
            self._ticker = None
            self._wake.set()

        self._ticker = asyncio.get_running_loop().call_later(TICK_S, ring)

    def _end(self) -> None:
        self.serving = False
        if self._ticker is not None:
            self._ticker.cancel()
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
                await self._mend_hole()
                await self._freeze_where_delayed(entries)
                decided, books = await self._session.write(entries, self.now(), self._clock.rate, self._in_time)
            except DeskEnded:
                raise
            except Exception as error:
                if is_data_fault(error):
                    raise
                log.warning("desk.retries", error=repr(error), entries=len(entries))
                if self._stopping:
                    raise DeskEnded from error
                await asyncio.sleep(delay_s)
                delay_s = min(2 * delay_s, longest_s)
            else:
                self._alive_s, self._alive_at = self._locked
                self._publish(entries, decided, books)
                return

    def _publish(self, entries: list[Entry], decided: Decided, books: list[Book]) -> None:
        """After the commit: answers first, then the feed's bell and the relay's."""
        for entry, answer in decided.answers:
            self._queue.answer(entry, answer)
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
        bids: Counter[str] = Counter()
        closed = set()
        for entry, answer in decided.answers:
            if entry.sent.kind is Kind.BID:
                bids["accepted" if answer.refusal is None else answer.refusal.code] += 1
            elif entry.sent.kind is Kind.CLOSED and answer.accepted:
                closed.add(entry.sent.lot_id)
        for code, times in bids.items():
            BIDS_DECIDED.labels(code).inc(times)
        for book in books:
            if book.lot_id in closed and book.state.ends_at is not None:
                CLOSE_LAG.observe((self.now() - book.state.ends_at).total_seconds())

    # -- due work, every fifth of a second, and signs of life, every second

    async def _tick(self) -> None:
        self._arm()
        try:
            await self._mend_hole()
            if monotonic() >= self._next_second_s:
                await self._second()
            for sent in await self._session.find_due(self.now()):
                self._queue.put(sent, self.now, _nobody, monotonic())
            await self._freeze_where_held()
            self._lively()
        except DeskEnded:
            raise
        except Exception as error:
            log.warning("desk.tick-failed", error=repr(error))

    async def _second(self) -> None:
        self._next_second_s = monotonic() + SECOND_S
        before_s = monotonic()
        database_now = await self._session.healthy(self.now())
        clocks = self._clocks.look(before_s, database_now, monotonic())
        since = self._alive_at
        if clocks is Clocks.PARTED:
            log.error("desk.clocks-parted", database_now=database_now.isoformat())
        else:
            follow(self._clock, database_now)
        if clocks is not Clocks.TOGETHER:
            await self._freeze(since, "clock-offset", 0.0)
        if self.presence is not None:
            await self._session.sign(self.presence, self.now())
        await self._freeze_where_busy()
        await self._freeze_where_cut_off()
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
            await self._decide(self._queue.take(len(due)))

    # -- outages

    def _lively(self) -> None:
        self._alive_s, self._alive_at = monotonic(), self.now()

    async def _mend_hole(self) -> None:
        """Freeze what an outage hit, if nobody decided for `hole_s` (R-HALT-02); before anything else is decided.

        The outage goes on until something is decided again: only that makes the desk lively.
        """
        gap_s = monotonic() - self._alive_s
        if gap_s >= self.options.hole_s:
            await self._freeze(self._alive_at, "no-decision", gap_s)
            self._mended_s = monotonic()

    def _in_time(self) -> bool:
        """Whether a batch may be decided now: no outage is going on, or it was mended this very moment.

        If it is committed, its decisions date from here: a slow commit does not stretch the time without any.
        """
        now_s = monotonic()
        self._locked = now_s, self.now()
        return now_s - self._alive_s < self.options.hole_s or now_s - self._mended_s < MENDED_FOR_S

    async def _freeze_where_busy(self) -> None:
        """Lots whose bids were answered `busy`, and nothing else, for `hole_s` running were closed in effect."""
        now_s = monotonic()
        for lot_id, (first_s, last_s) in list(self._queue.turned_away.items()):
            if last_s - first_s >= self.options.hole_s:
                since = self.now() - timedelta(seconds=round(now_s - first_s)) * self._clock.rate
                await self._freeze(since, "busy", now_s - first_s, only=[lot_id])
            elif now_s - last_s < self.options.hole_s:
                continue
            del self._queue.turned_away[lot_id]

    async def _freeze_where_delayed(self, entries: list[Entry]) -> None:
        """Lots whose bids were on their way here for as long as a hole: behind a web process cut off from its desk."""
        longest = timedelta(seconds=self.options.hole_s) * self._clock.rate
        late = [
            one for one in entries if one.received_at - one.sent.ingress_at >= longest and one.sent.kind is Kind.BID
        ]
        for lot_id in {one.sent.lot_id for one in late}:
            since = min(one.sent.ingress_at for one in late if one.sent.lot_id == lot_id)
            await self._freeze(since, "undecided", (self.now() - since) / SECOND / self._clock.rate, only=[lot_id])

    async def _freeze_where_held(self) -> None:
        """Lots whose close waits for bidders behind silent web processes, one after the other, for as long as a hole.

        No lot is closed later than that after its end: then it is the court's to resume.
        """
        hole = timedelta(seconds=self.options.hole_s)
        for lot_id, ends_at in await self._session.find_held(self.now() - hole * self._clock.rate):
            await self._freeze(ends_at - MS, "ingress-missing", hole / SECOND, only=[lot_id])

    async def _freeze_where_cut_off(self) -> None:
        """Lots of bidders whose web process fell silent, and who are not back at another one.

        When nobody could write for a while, this desk least of all, silence says nothing about the others yet.
        """
        now_s = monotonic()
        if now_s - self._last_second_s > SUSPECT_AFTER_S:
            self._watchful_from_s = now_s + SUSPECT_AFTER_S
        self._last_second_s = now_s
        if now_s < self._watchful_from_s:
            return
        for missing in await self._session.find_missing(self.options.hole_s):
            await self._freeze(missing.platform_at, "ingress-missing", missing.silent_s, only=missing.lots)
            await self._session.judged(missing)

    async def _freeze(self, since: datetime, cause: str, real_s: float, only: Collection[UUID] | None = None) -> None:
        until = self._last_outage = max(self.now(), self._last_outage + MS)  # an outage is known by its end
        self._floor = max(self._floor, until)
        outage = Outage(since, until, real_s, cause)
        lots = [lot for lot in await self._session.find_hit(since, until) if only is None or lot in only]
        if not lots:
            if since > LONG_AGO and only is None:
                await self._session.keep_outage(outage, self._clock.rate)
            return
        reason = OUTAGE_REASONS[cause] + RESUMES
        freezes = [
            Submission(lot_id=lot, kind=Kind.FROZEN, key=uuid4(), ingress_at=until, reason=reason, since=since)
            for lot in lots
        ]
        entries = [Entry(freeze, freeze.address, until) for freeze in freezes]
        decided, books = await self._session.write_freezes(entries, outage, self._clock.rate, everybody=only is None)
        log.error("desk.froze", cause=cause, lots=len(decided.answers), since=since.isoformat(), real_s=real_s)
        self._publish(entries, decided, books)


def _nobody(answer: Answer) -> None:
    """The desk's own commands have no one waiting."""
