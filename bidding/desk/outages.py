"""An outage is a state (R-HALT-02): when nobody decided, or bidders were cut off, the lots it may have hit are frozen.

`Outages` knows since when nothing was decided and asks each second who was turned away, delayed or cut off. It freezes
before anything else is decided; the court resumes. The outage goes on until something is decided again.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from uuid import UUID, uuid4

import structlog

from bidding.desk.batch import Book, Decided, Entry
from bidding.desk.ingresses import SUSPECT_AFTER_S
from bidding.desk.outage_store import Hit, Outage
from bidding.desk.queue import Queue
from bidding.desk.rules import Kind
from bidding.desk.session import Session, is_data_fault
from bidding.desk.submissions import Submission
from kernel.clock import Clock, monotonic, whole_ms

log = structlog.get_logger("desk")

SECOND_S = 1.0
MENDED_FOR_S = 0.5
RECOVERED_S = 1.0
"""An outage is over once the database has answered for so long: one batch between two failures ends none."""
PAUSE_SHARE = 0.4
"""A silence of this share of a hole is a pause: several of them, each too short for a hole, keep a close waiting."""
COME_BACK_S = SUSPECT_AFTER_S + SECOND_S
"""Whoever was cut off together with the desk before is seen again so long after the start of the next one."""

OVER_AFTER_S = 5.0
"""An outage of a single lot is over once nothing more of it was noticed for so long."""

LONGEST_LOOK_S = 0.3
"""Of a second, for lots that were turned away."""
MOST_ENDED = 200

REST, LONGEST_REST_S = 10, 3.0
"""How long to leave the database to bids between two looks for thousands who are cut off, by what a look took."""

MS, SECOND = timedelta(milliseconds=1), timedelta(seconds=1)
A_WHILE = timedelta(minutes=1)
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)

OUTAGE_REASONS = {
    "no-desk": "平台竞价进程中断，期间无法受理出价 (no process was deciding bids)",
    "no-decision": "平台故障，期间无法裁定出价 (bids could not be decided)",
    "overdue": "平台停顿，竞价结束时未能及时裁定 (the platform paused and could not decide the end in time)",
    "clock-offset": "平台时钟异常，期间时间不可靠 (the platform's clocks parted)",
    "busy": "平台过载，期间出价未能受理 (bids were turned away as busy)",
    "undecided": "出价已到达平台而长时间未能裁定 (a bid waited inside the platform)",
    "ingress-missing": "部分竞买人与平台的连接因平台故障中断 (bidders were cut off by a fault of the platform)",
}
RESUMES = "；由法院决定恢复时间 (the court decides when to resume)"


class Stamps:
    """Platform time as a desk gives it out: never before anything that it or one before it has stamped (R-BID-11)."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._floor = LONG_AGO

    @property
    def rate(self) -> int:
        """Platform seconds per real second."""
        return self._clock.rate

    def now(self) -> datetime:
        self._floor = max(self._floor, self._clock.now())
        return self._floor

    def not_before(self, moment: datetime) -> None:
        """Nothing is stamped earlier than `moment` any more."""
        self._floor = max(self._floor, moment)


class Outages:
    """The outages of one desk. `publish` tells of what was frozen; `hole_s` without a decision is an outage."""

    def __init__(
        self,
        session: Session,
        queue: Queue,
        stamps: Stamps,
        hole_s: float,
        publish: Callable[[list[Entry], Decided, list[Book]], None],
    ) -> None:
        self.lively_at = LONG_AGO
        """Platform time of the last sign that decisions are made."""
        self._session = session
        self._queue = queue
        self._stamps = stamps
        self._hole_s = hole_s
        self._publish = publish
        self._lively_s = self._failed_s = 0.0
        self._trouble: tuple[float, datetime] | None = None
        """The last sign of life before the database began to fail, until it has recovered."""
        self._paused_until = LONG_AGO
        """Platform time at which the last pause in deciding was over."""
        self._locked = (0.0, LONG_AGO)
        self._unfit = set[UUID]()
        """Lots whose rows fail on what they hold. Closing one fails alone; freezing it would stop what is frozen with
        it, and a desk that cannot freeze decides nothing."""
        self._mended_s = 0.0
        self._last_second_s = self._watchful_from_s = self._rested_s = monotonic()
        self._latest = LONG_AGO
        self._going_on: dict[Hit, tuple[float, datetime]] | None = None
        """Outages of single lots that froze nothing so far, and when each was noticed last; None before they are read.
        Each is one row however long it goes on."""

    # -- who decides is lively

    def lively(self, ago: timedelta = timedelta()) -> None:
        """The desk could decide just now, or the one before it so long `ago` (real time)."""
        at = self._stamps.now()
        if ago:
            at = whole_ms(at - ago * self._stamps.rate)  # the database counts it in microseconds, events in whole ms
        self._live(monotonic() - ago.total_seconds(), at)

    def taken_over(self, ago: timedelta, seen_at: datetime | None) -> None:
        """The desk begins; the one before it could decide so long `ago`, at the platform time `seen_at`.

        What that one had not closed by then, though its end had come, a pause may have kept waiting: nobody knows.
        """
        self.lively(ago)
        self._paused_until = max(self._paused_until, seen_at or LONG_AGO)

    def failed(self) -> None:
        """The database did not let the desk decide just now."""
        self._failed_s = monotonic()
        self._trouble = self._trouble or (self._lively_s, self.lively_at)

    def _live(self, now_s: float, at: datetime) -> None:
        if self.lively_at > LONG_AGO and self._pauses(now_s):
            self._paused_until = at
        self._lively_s, self.lively_at = now_s, at
        if now_s - self._failed_s >= RECOVERED_S:
            self._trouble = None

    def _pauses(self, now_s: float) -> bool:
        return now_s - self._lively_s >= PAUSE_SHARE * self._hole_s

    def _overdue_by(self) -> datetime:
        """Ends up to here must have been closed, and a pause may be why they are not.

        What a pause of more than a minute ago kept waiting was closed or frozen since.
        """
        now, rate = self._stamps.now(), self._stamps.rate
        paused_until = now if self._pauses(monotonic()) else self._paused_until
        last = now - timedelta(seconds=self._hole_s) * rate
        return min(last, paused_until) if paused_until >= last - A_WHILE * rate else LONG_AGO

    def _gap(self, now_s: float) -> tuple[float, datetime]:
        """For how long nobody decides, and since when; 0 in a moment of life between two failures."""
        begun_s, begun_at = self._lively_s, self.lively_at
        if self._trouble and now_s - begun_s >= RECOVERED_S:
            begun_s, begun_at = self._trouble
        return now_s - begun_s, begun_at

    def in_time(self, closing: Mapping[UUID, datetime]) -> bool:
        """Whether a batch may be decided now: no outage is going on, or it was mended this very moment, and none of
        the lots that it closes, by their ends, is overdue.

        If it is committed, its decisions date from here: a slow commit does not stretch the time without any.
        """
        now_s = monotonic()
        self._locked = now_s, self._stamps.now()
        overdue_by = self._overdue_by()
        if any(end <= overdue_by for lot, end in closing.items() if lot not in self._unfit):
            return False
        return self._gap(now_s)[0] < self._hole_s or now_s - self._mended_s < MENDED_FOR_S

    def decided(self) -> None:
        """The batch that was found `in_time` is committed."""
        self._live(*self._locked)

    def begin(self) -> None:
        """The desk opens: what was cut off with the one before it may come back first."""
        self._last_second_s = monotonic()
        self._watchful_from_s = self._last_second_s + COME_BACK_S

    # -- freezing

    async def mend(self) -> None:
        """Freeze what an outage hit, if nobody decided for `hole_s`; before anything else is decided."""
        gap_s, since = self._gap(monotonic())
        if gap_s >= self._hole_s:
            await self.freeze(since, "no-decision", gap_s)
            self._mended_s, self._trouble = monotonic(), None

    async def freeze_where_delayed(self, entries: Iterable[Entry]) -> None:
        """Lots whose bids were on their way here for as long as a hole: behind a web process cut off from its desk."""
        longest = timedelta(seconds=self._hole_s) * self._stamps.rate
        late = [
            one for one in entries if one.received_at - one.sent.ingress_at >= longest and one.sent.kind is Kind.BID
        ]
        for lot_id in {one.sent.lot_id for one in late}:
            since = min(one.sent.ingress_at for one in late if one.sent.lot_id == lot_id)
            real_s = (self._stamps.now() - since) / SECOND / self._stamps.rate
            await self.freeze(since, "undecided", real_s, only=[lot_id])

    async def look(self) -> None:
        """Once a second: freeze where bids were turned away and where bidders were cut off."""
        await self._freeze_where_busy()
        await self._freeze_where_cut_off()
        await self.end_what_is_over()

    async def freeze_where_held(self) -> None:
        """Lots whose close waits for bidders behind silent web processes, one after the other, for as long as a hole.

        No lot is closed later than that after its end: then it is the court's to resume.
        """
        hole = timedelta(seconds=self._hole_s)
        for lot_id, ends_at in await self._session.find_held(self._stamps.now() - hole * self._stamps.rate):
            await self.freeze(ends_at - MS, "ingress-missing", hole / SECOND, only=[lot_id])

    async def freeze_where_overdue(self) -> None:
        """Lots that ended a hole ago or longer and are not closed, where a pause is to blame and not their number.

        An outage is measured between signs of life, and a desk can be alive between a lot's end and its close. So a
        close may wait through a hole that began a moment after the end, or through two pauses with a moment between.
        """
        overdue_by = self._overdue_by()
        if overdue_by == LONG_AGO:
            return
        unclosed = [found for found in await self._session.find_unclosed(overdue_by) if found[0] not in self._unfit]
        for ends in _by_second(unclosed):
            since = min(ends.values()) - MS
            real_s = (self._stamps.now() - since) / SECOND / self._stamps.rate
            await self.freeze(since, "overdue", real_s, only=list(ends))

    async def freeze(
        self, since: datetime, cause: str, real_s: float, only: Collection[UUID] | None = None
    ) -> set[UUID]:
        """Freeze the lots that an outage since then may have hit, of `only` these; returns which.

        It is recorded whether it froze any or not: it took time from those that ran.
        """
        outage = self._outage(since, cause, real_s)
        if only is None:
            self._paused_until = outage.until
        lots = [lot for lot in await self._session.find_hit(since, outage.until, only) if lot not in self._unfit]
        frozen = await self._freeze(outage, lots, everybody=only is None) if lots else set()
        if only is not None:
            await self._notice(self._outage(since, cause, real_s) if frozen else outage, set(only) - frozen)
        elif not lots and since > LONG_AGO:
            await self._session.keep_outage(outage, self._stamps.rate)
        return frozen

    def _outage(self, since: datetime, cause: str, real_s: float) -> Outage:
        """One that lasts until now; it is known by its end, which no other has."""
        until = self._latest = max(self._stamps.now(), self._latest + MS)
        self._stamps.not_before(until)
        return Outage(since, until, real_s, cause)

    async def _freeze(self, outage: Outage, lots: Iterable[UUID], *, everybody: bool) -> set[UUID]:
        since, until, reason = outage.since, outage.until, OUTAGE_REASONS[outage.cause] + RESUMES
        freezes = [
            Submission(lot_id=lot, kind=Kind.FROZEN, key=uuid4(), ingress_at=until, reason=reason, since=since)
            for lot in lots
        ]
        entries = [Entry(freeze, freeze.address, until) for freeze in freezes]
        rate = self._stamps.rate
        try:
            decided, books = await self._session.write_freezes(entries, outage, rate, everybody=everybody)
        except Exception as error:
            if not is_data_fault(error) or not await self._find_unfit(entries, outage):
                raise
            if fit := [entry.sent.lot_id for entry in entries if entry.sent.lot_id not in self._unfit]:
                return await self._freeze(outage, fit, everybody=everybody)
            if everybody:
                await self._session.keep_outage(outage, rate)
            return set()
        frozen = {entry.sent.lot_id for entry, _ in decided.answers}
        log.error("desk.froze", cause=outage.cause, lots=len(frozen), since=since.isoformat(), real_s=outage.real_s)
        self._publish(entries, decided, books)
        return frozen

    async def _find_unfit(self, entries: Sequence[Entry], outage: Outage) -> int:
        """How many of these lots cannot be frozen: found by halves, in transactions that are undone."""
        try:
            await self._session.try_freezes(entries, outage, self._stamps.rate)
            return 0
        except Exception as error:
            if not is_data_fault(error):
                raise
            if len(entries) == 1:
                log.exception("desk.unfit", lot=str(entries[0].sent.lot_id))
                self._unfit.add(entries[0].sent.lot_id)
                return 1
        half = len(entries) // 2
        return await self._find_unfit(entries[:half], outage) + await self._find_unfit(entries[half:], outage)

    # -- what takes time from single lots and freezes none

    async def _notice(self, outage: Outage, lots: Collection[UUID]) -> None:
        """An outage goes on for those of these lots whose time runs; for whom it is new, it is recorded."""
        running = await self._session.find_running(lots, outage.since) if lots else []
        hits = [(outage.cause, lot) for lot in running]
        going_on = await self._all_going_on()
        if new := [lot for cause, lot in hits if (cause, lot) not in going_on]:
            await self._session.note_outage(outage, new, self._stamps.rate)
        going_on.update(dict.fromkeys(hits, (monotonic(), outage.until)))

    async def end_what_is_over(self, after_s: float = OVER_AFTER_S) -> None:
        """Record the end of outages of which nothing more was noticed for so long; of thousands some at a time."""
        going_on = await self._all_going_on()
        before_s = monotonic() - after_s
        ended = ((hit, at) for hit, (noticed_s, at) in going_on.items() if noticed_s <= before_s)
        if over := dict(islice(ended, MOST_ENDED)):
            await self._session.end_outages(over, self._stamps.rate)
            for hit in over:
                del going_on[hit]

    async def _all_going_on(self) -> dict[Hit, tuple[float, datetime]]:
        """With those that the desk before did not see the end of."""
        if self._going_on is None:
            now = monotonic(), self._stamps.now()
            self._going_on = dict.fromkeys(await self._session.find_going_on(), now)
        return self._going_on

    # -- what is asked each second

    async def _freeze_where_busy(self) -> None:
        """Lots whose bids were answered `busy`, and nothing else, for `hole_s` running were closed in effect.

        The queue is full of other bids then: whichever lots this look has no time for come first in the next one.
        """
        now_s, turned_away = monotonic(), self._queue.turned_away
        for lot_id, away in list(turned_away.items()):
            if monotonic() - now_s > LONGEST_LOOK_S:
                return
            if turned_away.pop(lot_id, None) is not away:
                continue  # while the database was asked about others, a bid was taken
            turned_away[lot_id] = away
            frozen = set[UUID]()
            if away.last_s - away.first_s >= self._hole_s:
                frozen = await self.freeze(away.since, "busy", now_s - away.first_s, only=[lot_id])
            if frozen or now_s - away.last_s >= self._hole_s:
                turned_away.pop(lot_id, None)  # while the database was asked, a bid may have been taken

    async def _freeze_where_cut_off(self) -> None:
        """Lots of bidders whose web process fell silent, and who are not back at another one.

        When nobody could write for a while, this desk least of all, silence says nothing about the others yet.
        """
        now_s = monotonic()
        if now_s - self._last_second_s > SUSPECT_AFTER_S:
            self._watchful_from_s = now_s + SUSPECT_AFTER_S
        self._last_second_s = now_s
        if now_s < max(self._watchful_from_s, self._rested_s):
            return
        for missing in await self._session.find_missing(self._hole_s):
            if frozen := await self.freeze(missing.platform_at, "ingress-missing", missing.silent_s, only=missing.lots):
                await self._session.judged(missing, frozen)
        self._rested_s = monotonic() + min(REST * (monotonic() - now_s), LONGEST_REST_S)


def _by_second(unclosed: Iterable[tuple[UUID, datetime]]) -> list[dict[UUID, datetime]]:
    """Lots by their ends, those of one second together: each group is one transaction and one outage on record."""
    seconds = defaultdict[datetime, dict[UUID, datetime]](dict)
    for lot, ends_at in sorted(unclosed, key=lambda found: found[1]):
        seconds[ends_at.replace(microsecond=0)][lot] = ends_at
    return list(seconds.values())
