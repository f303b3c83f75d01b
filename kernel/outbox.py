"""The outbox: what happened, told to other contexts, and work that falls due; both are rows, never timers.

A row is written in the transaction of the change it speaks of. `Relay` (any process) claims rows whose due time
has come, runs their handlers, each in a transaction of its own with an inbox row that makes a second run
harmless, and marks them done. Rows of one key are handled in order; a failing row is tried again with growing
delay and its error stays visible. Due times are platform time, retries and leases real time.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

import msgspec
import structlog
from sqlalchemy import Identity, Index, func, select, text
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, mapped_column

from kernel.actors import platform
from kernel.clock import real_now
from kernel.contracts import Event
from kernel.database import Base, Database, Tx

log = structlog.get_logger("relay")

LEASE = timedelta(seconds=30)
BATCH = 50
LONGEST_RETRY_S = 60


class Outbox(Base):
    """One event told, or one piece of due work."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_waiting", "due_at", "id", postgresql_where=text("done_at IS NULL")),
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
        due_at=due_at or tx.now(),
    )
    if once is not None:
        row = row.on_conflict_do_nothing(index_elements=["topic", "once"], index_where=text("once IS NOT NULL"))
    await tx.session.execute(row)


async def tell_all(tx: Tx, events: Sequence[Event]) -> None:
    """Write events that all are due now, in this order, with one statement."""
    if events:
        tx.told = True
        rows = [
            {"topic": type(event).__name__, "key": event.key, "payload": msgspec.to_builtins(event), "due_at": tx.now()}
            for event in events
        ]
        await tx.session.execute(insert(Outbox), rows)


AnEvent = TypeVar("AnEvent", bound=Event)
Handler = Callable[[Tx, Any], Awaitable[None]]

CLAIM = text(
    """
    UPDATE kernel.outbox SET lease_until = :lease_until, lease_no = lease_no + 1, attempts = attempts + 1
    WHERE id IN (
        SELECT id FROM kernel.outbox o
        WHERE done_at IS NULL AND due_at <= :now
          AND (lease_until IS NULL OR lease_until < :real) AND (retry_at IS NULL OR retry_at <= :real)
          AND NOT EXISTS (SELECT 1 FROM kernel.outbox e
                          WHERE e.key = o.key AND e.id < o.id AND e.done_at IS NULL AND e.due_at <= :now)
        ORDER BY due_at, id LIMIT :most FOR UPDATE SKIP LOCKED)
    RETURNING id, topic, payload, lease_no, attempts
    """
)
DONE = text("UPDATE kernel.outbox SET done_at = :now, last_error = NULL WHERE id = :id AND lease_no = :lease_no")
FAILED = text(
    "UPDATE kernel.outbox SET lease_until = NULL, retry_at = :retry_at, last_error = :error"
    " WHERE id = :id AND lease_no = :lease_no"
)


@dataclass
class Relay:
    """Runs handlers of due outbox rows until stopped. `ring` wakes it at once; it also looks by itself."""

    database: Database
    handlers: dict[str, list[Handler]] = field(default_factory=dict)
    types: dict[str, type[Event]] = field(default_factory=dict)
    _bell: asyncio.Event = field(default_factory=asyncio.Event)

    def on(self, event_type: type[AnEvent], handler: Callable[[Tx, AnEvent], Awaitable[None]]) -> None:
        """Register a handler; several may listen to one topic."""
        self.types[event_type.__name__] = event_type
        self.handlers.setdefault(event_type.__name__, []).append(handler)

    def ring(self) -> None:
        self._bell.set()

    async def run(self) -> None:
        """Relay for ever; an unreachable database only makes it wait."""
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

    async def sweep(self) -> int:
        """Handle one batch of due rows; returns how many were claimed."""
        real = real_now()
        async with self.database.transaction(platform("relay")) as tx:
            claim = {"now": tx.now(), "real": real, "lease_until": real + LEASE, "most": BATCH}
            rows = (await tx.session.execute(CLAIM, claim)).all()
        for row in sorted(rows):
            await self._handle(row.id, row.topic, row.payload, row.lease_no, row.attempts)
        return len(rows)

    async def settle(self) -> None:
        """Sweep until nothing is due: for tests and for the demo's clock, which races only when all is done."""
        while await self.sweep():
            pass

    async def _handle(self, row_id: int, topic: str, payload: object, lease_no: int, attempts: int) -> None:
        try:
            event = msgspec.convert(payload, self.types[topic]) if topic in self.types else None
            for handler in self.handlers.get(topic, []):
                await self._run_once(handler, row_id, event)
            outcome, values = DONE, {"now": self.database.clock.now()}
        except Exception as error:
            log.exception("relay.handler-failed", topic=topic, outbox_id=row_id, attempts=attempts)
            delay = timedelta(seconds=min(LONGEST_RETRY_S, 2 ** min(attempts, 10) / 4))
            outcome, values = FAILED, {"retry_at": real_now() + delay, "error": repr(error)[:500]}  # type: ignore[dict-item]
        async with self.database.transaction(platform("relay")) as tx:
            await tx.session.execute(outcome, {"id": row_id, "lease_no": lease_no} | values)

    async def _run_once(self, handler: Handler, row_id: int, event: Event | None) -> None:
        name = f"{handler.__module__}.{handler.__qualname__}"
        async with self.database.transaction(platform(name)) as tx:
            first = await tx.session.execute(
                insert(Inbox)
                .values(handler=name, outbox_id=row_id, at=tx.now())
                .on_conflict_do_nothing()
                .returning(Inbox.outbox_id)
            )
            if first.first() is not None:
                await handler(tx, event)


async def backlog(tx: Tx) -> tuple[int, datetime | None]:
    """How many due rows wait, and the oldest due time: shown in metrics and by `/health/ready`."""
    row = (
        await tx.session.execute(
            select(func.count(), func.min(Outbox.due_at)).where(Outbox.done_at.is_(None), Outbox.due_at <= tx.now())
        )
    ).one()
    return row[0], row[1]
