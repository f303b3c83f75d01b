"""The outbox: what happened, told to other contexts, and work that falls due; both are rows, never timers.

A row is written in the transaction of the change it speaks of. `Relay` (any process) claims rows whose due time
has come, runs their handlers, each in a transaction of its own with an inbox row that makes a second run
harmless, and marks them done. Rows of one key are handled in order; a failing row is tried again with growing
delay and its error stays visible. Due times are platform time, retries and leases the database's: of several workers
one may have a wrong clock, and what it leased when it died must not wait for that.

What can wait says so (`Event.LATER`, `later=True`): it is handled once nothing else is due, so that when ten thousand
lots end together the money moves before the catalogue and the figures follow.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

import msgspec
import structlog
from sqlalchemy import Identity, Index, bindparam, func, select, text
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql.elements import TextClause

from kernel.actors import platform
from kernel.contracts import Event
from kernel.database import Base, Database, Milliseconds, Tx

log = structlog.get_logger("relay")

LEASE = timedelta(seconds=30)
BATCH = 200
LONGEST_RETRY = timedelta(seconds=60)
GIVES_WAY_S, GIVES_WAY_TIMES = 0.05, 20
HELPERS = 3
"""Further sweeps at once in one process while much is due: while one waits for the database the other works."""


class Outbox(Base):
    """One event told, or one piece of due work."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_waiting", "later", "due_at", "id", postgresql_where=text("done_at IS NULL")),
        Index("ix_outbox_key", "key", "id", postgresql_where=text("done_at IS NULL")),
        Index("ux_outbox_once", "topic", "once", unique=True, postgresql_where=text("once IS NOT NULL")),
        {"schema": "kernel"},
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    topic: Mapped[str]
    key: Mapped[str]
    once: Mapped[str | None]
    """Due work that must exist once: a second row with the same topic and `once` is not written."""
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)
    later: Mapped[bool] = mapped_column(server_default=text("false"))
    """It waits while others are due: told so, or all that is left of it are handlers that can wait."""
    due_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(server_default="0")
    retry_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    lease_no: Mapped[int] = mapped_column(server_default="0")
    last_error: Mapped[str | None]


class Inbox(Base):
    """Which handler has dealt with which row."""

    __tablename__ = "inbox"
    __table_args__ = ({"schema": "kernel"},)

    handler: Mapped[str] = mapped_column(primary_key=True)
    outbox_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]


async def tell(tx: Tx, event: Event, *, due_at: datetime | None = None, once: str | None = None) -> None:
    """Write `event` to the outbox: handled once `due_at` (platform time, default now) has come.

    With `once` it is due work of which only one may exist; telling it again changes nothing.
    """
    tx.told = True
    row = insert(Outbox).values(
        topic=type(event).__name__,
        key=event.key,
        once=once,
        payload=msgspec.to_builtins(event),
        later=event.LATER,
        due_at=due_at or tx.now(),
    )
    if once is not None:
        row = row.on_conflict_do_nothing(index_elements=["topic", "once"], index_where=text("once IS NOT NULL"))
    await tx.session.execute(row)


TELL_ALL = text(
    """
    INSERT INTO kernel.outbox (topic, key, payload, later, due_at)
    SELECT t.topic, t.key, t.payload::jsonb, t.later, :due_at
    FROM unnest(CAST(:topics AS text[]), CAST(:keys AS text[]), CAST(:payloads AS text[]), CAST(:later AS bool[]))
         WITH ORDINALITY t (topic, key, payload, later, place) ORDER BY place
    """
).bindparams(bindparam("due_at", type_=Milliseconds))


async def tell_all(tx: Tx, events: Sequence[Event]) -> None:
    """Write events that all are due now, in this order, with one statement."""
    if events:
        tx.told = True
        values = {
            "topics": [type(event).__name__ for event in events],
            "keys": [event.key for event in events],
            "payloads": [msgspec.json.encode(event).decode() for event in events],
            "later": [event.LATER for event in events],
            "due_at": tx.now(),
        }
        await tx.session.execute(TELL_ALL, values)


AnEvent = TypeVar("AnEvent", bound=Event)
Work = Callable[[Tx, Sequence[Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Handler:
    """Who deals with a topic: `name` in the inbox, how many events at most share a transaction, whether it can wait."""

    name: str
    work: Work
    at_once: int
    later: bool = False


# Nothing here may be left to what the planner believes of a table that held next to nothing undone when last analysed:
# the ids are an array, which is made once (a list in IN was made anew for each row of the table), and the first row of
# each key is looked up in the index of keys. Nor may a plan be kept that was made while there was nothing to do.
# Otherwise ten thousand rows that come at once take their square.
# A lease or a retry further off than any is made was written while the database's clock was ahead: it holds nobody up.
PLAN_ANEW = text("SET LOCAL plan_cache_mode = force_custom_plan")
CLAIM = text(
    """
    UPDATE kernel.outbox SET lease_until = clock_timestamp() + CAST(:lease AS interval),
           lease_no = lease_no + 1, attempts = attempts + 1
    WHERE id = ANY (ARRAY(
        SELECT id FROM kernel.outbox o
        WHERE done_at IS NULL AND due_at <= :now
          AND coalesce(lease_until NOT BETWEEN clock_timestamp() AND clock_timestamp() + CAST(:lease AS interval), true)
          AND coalesce(retry_at NOT BETWEEN clock_timestamp() AND clock_timestamp() + CAST(:longest AS interval), true)
          AND id = (SELECT e.id FROM kernel.outbox e
                    WHERE e.key = o.key AND e.done_at IS NULL AND e.due_at <= :now ORDER BY e.id LIMIT 1)
        ORDER BY later, due_at, id LIMIT :most FOR UPDATE SKIP LOCKED))
    RETURNING id, topic, payload, later, lease_no, attempts
    """
)
END = """
    UPDATE kernel.outbox SET {changes}, last_error = NULL
    WHERE id = ANY (CAST(:ids AS int8[]))
      AND lease_no = (CAST(:lease_nos AS int8[]))[array_position(CAST(:ids AS int8[]), id)]
"""
DONE = text(END.format(changes="done_at = :now")).bindparams(bindparam("now", type_=Milliseconds))
LEFT = text(END.format(changes="later = true, lease_until = NULL, attempts = 0"))
ENTER = text(
    """
    INSERT INTO kernel.inbox (handler, outbox_id, at) SELECT :handler, id, :at FROM unnest(CAST(:ids AS int8[])) id
    ORDER BY id ON CONFLICT DO NOTHING RETURNING outbox_id
    """
).bindparams(bindparam("at", type_=Milliseconds))
FAILED = text(
    "UPDATE kernel.outbox SET lease_until = NULL, retry_at = clock_timestamp() + CAST(:delay AS interval),"
    " last_error = :error"
    " WHERE id = :id AND lease_no = :lease_no"
)


@dataclass(slots=True)
class Row:
    """A claimed row; `error` once a handler has failed on it."""

    id: int
    topic: str
    payload: object
    later: bool
    lease_no: int
    attempts: int
    event: Event | None = None
    error: Exception | None = None


@dataclass
class Relay:
    """Runs handlers of due outbox rows until stopped. `ring` wakes it at once; it also looks by itself.

    Of one key a sweep claims the first row alone, so the rows of a sweep may be handled in any order, topic by topic.
    Events of a handler that takes many share a transaction; when that fails each is handled in one of its own, so that
    one bad event holds up nobody else.
    """

    database: Database
    handlers: dict[str, list[Handler]] = field(default_factory=dict)
    types: dict[str, type[Event]] = field(default_factory=dict)
    paused: bool = False
    """Nothing is claimed meanwhile: nobody knows what is due."""
    gives_way: Callable[[], bool] = lambda: False
    """Whether this process has more urgent things to do: one sweep goes on beside, helpers wait a second at most."""
    _bell: asyncio.Event = field(default_factory=asyncio.Event)
    _much: asyncio.Event = field(default_factory=asyncio.Event)

    def on(self, event_type: type[AnEvent], handler: Callable[[Tx, AnEvent], Awaitable[None]]) -> None:
        """Register a handler; several may listen to one topic."""

        async def one(tx: Tx, events: Sequence[AnEvent]) -> None:
            await handler(tx, events[0])

        self._add(event_type, Handler(_name(handler), one, 1))

    def on_many(
        self,
        event_type: type[AnEvent],
        handler: Callable[[Tx, Sequence[AnEvent]], Awaitable[None]],
        *,
        at_once: int = BATCH,
        later: bool = False,
    ) -> None:
        """Register a handler that takes up to `at_once` events, all of different keys, in one transaction.

        It locks all it needs of one kind before the next kind, as a use case of its own would. `later` ones run after
        all others of the topic, and once nothing else is due.
        """
        self._add(event_type, Handler(_name(handler), handler, at_once, later))

    def _add(self, event_type: type[Event], handler: Handler) -> None:
        self.types[event_type.__name__] = event_type
        self.handlers.setdefault(event_type.__name__, []).append(handler)

    def ring(self) -> None:
        self._bell.set()

    @property
    def much_due(self) -> bool:
        """Whether the last sweep was full: others of this process may wait, and bear in mind that it may last."""
        return self._much.is_set()

    async def run(self) -> None:
        """Relay for ever; an unreachable database only makes it wait. While much is due, `HELPERS` sweep beside."""
        await asyncio.gather(self._sweep_for_ever(), *(self._help() for _ in range(HELPERS)))

    async def _help(self) -> None:
        while True:
            await self._much.wait()
            try:
                await self._give_way()
                await self.sweep()
            except Exception:
                log.exception("relay.sweep-failed")
                await asyncio.sleep(1)

    async def _sweep_for_ever(self) -> None:
        while True:
            try:
                handled = await self.sweep()
            except Exception:
                log.exception("relay.sweep-failed")
                handled = 0
                await asyncio.sleep(1)
            if not handled:
                with contextlib.suppress(TimeoutError):  # wait_for would swallow a cancel that meets the bell
                    async with asyncio.timeout(0.2):
                        await self._bell.wait()
                self._bell.clear()

    async def _give_way(self) -> None:
        for _ in range(GIVES_WAY_TIMES):
            if not self.gives_way():
                break
            await asyncio.sleep(GIVES_WAY_S)

    async def sweep(self) -> int:
        """Handle one batch of due rows; returns how many were claimed."""
        rows = [] if self.paused else await self._claim()
        (self._much.set if len(rows) == BATCH else self._much.clear)()
        rows.sort(key=lambda row: (row.later, row.id))
        for topic, later in dict.fromkeys((row.topic, row.later) for row in rows):
            await self._handle(topic, [row for row in rows if (row.topic, row.later) == (topic, later)])
        return len(rows)

    async def _claim(self) -> list[Row]:
        async with self.database.transaction(platform("relay")) as tx:
            await tx.session.execute(PLAN_ANEW)
            claim = {"now": tx.now(), "lease": LEASE, "longest": LONGEST_RETRY, "most": BATCH}
            return [Row(*row) for row in (await tx.session.execute(CLAIM, claim)).all()]

    async def settle(self) -> None:
        """Sweep until nothing is due; for tests, where no relay runs."""
        while await self.sweep():
            pass

    async def _handle(self, topic: str, rows: Sequence[Row]) -> None:
        """Let the handlers whose turn it is deal with the rows; a row that one fails on, the next ones do not get."""
        for row in rows:
            self._read(row)
        handlers = self.handlers.get(topic, [])
        turn = [handler for handler in handlers if handler.later == rows[0].later] or handlers
        for handler in turn:
            sound = [row for row in rows if row.error is None]
            for start in range(0, len(sound), handler.at_once):
                await self._run(handler, sound[start : start + handler.at_once])
        await self._finish(rows, DONE if rows[0].later or turn == handlers else LEFT)

    def _read(self, row: Row) -> None:
        try:
            row.event = msgspec.convert(row.payload, self.types[row.topic]) if row.topic in self.types else None
        except msgspec.ValidationError as error:
            self._failed(row, error)

    async def _run(self, handler: Handler, rows: Sequence[Row]) -> None:
        """Rows together, and if that fails one by one."""
        if len(rows) > 1:
            try:
                await self._run_once(handler, rows)
            except Exception as error:
                log.warning("relay.together-failed", handler=handler.name, events=len(rows), error=repr(error))
            else:
                return
        for row in rows:
            try:
                await self._run_once(handler, [row])
            except Exception as error:
                self._failed(row, error)

    def _failed(self, row: Row, error: Exception) -> None:
        log.exception("relay.handler-failed", topic=row.topic, outbox_id=row.id, attempts=row.attempts)
        row.error = error

    async def _run_once(self, handler: Handler, rows: Sequence[Row]) -> None:
        async with self.database.transaction(platform(handler.name)) as tx:
            entered = {"handler": handler.name, "ids": [row.id for row in rows], "at": tx.now()}
            first = set(await tx.session.scalars(ENTER, entered))
            if events := [row.event for row in rows if row.id in first]:
                await handler.work(tx, events)

    async def _finish(self, rows: Sequence[Row], end: TextClause) -> None:
        """Mark what is done, or left for later; what failed is tried again, later and later after each attempt."""
        done = [row for row in rows if row.error is None]
        async with self.database.transaction(platform("relay")) as tx:
            values = {"ids": [row.id for row in done], "lease_nos": [row.lease_no for row in done]}
            await tx.session.execute(end, values | ({"now": tx.now()} if end is DONE else {}))
            for row in rows:
                if row.error is not None:
                    delay = min(LONGEST_RETRY, timedelta(seconds=2 ** min(row.attempts, 10) / 4))
                    failed = {"delay": delay, "error": repr(row.error)[:500]}
                    await tx.session.execute(FAILED, {"id": row.id, "lease_no": row.lease_no} | failed)


def _name(handler: Any) -> str:
    return f"{handler.__module__}.{handler.__qualname__}"


async def backlog(tx: Tx) -> tuple[int, datetime | None]:
    """How many due rows wait, and the oldest due time: shown in metrics and by `/health/ready`."""
    row = (
        await tx.session.execute(
            select(func.count(), func.min(Outbox.due_at)).where(Outbox.done_at.is_(None), Outbox.due_at <= tx.now())
        )
    ).one()
    return row[0], row[1]


async def next_due(tx: Tx, *, after: datetime | None = None) -> datetime | None:
    """The due time of what comes next, of all that is undone or of what falls due later than `after`."""
    undone = select(func.min(Outbox.due_at)).where(Outbox.done_at.is_(None))
    return await tx.session.scalar(undone if after is None else undone.where(Outbox.due_at > after))
