"""The transaction boundary: one use case is one transaction, committed before its answer exists.

`Database.command` opens it for a call from outside and makes it idempotent; `Database.transaction` opens it
for the platform's own work; `Database.reading` cannot write. Inside, lock first, then ask `Tx.now` for the time,
then decide. Nothing commits but this module.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, TypeVar
from uuid import UUID

import asyncpg
import msgspec
import structlog
from sqlalchemy import BigInteger, MetaData, Table, Text, Uuid, func, select, text
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import LargeBinary

from kernel.actors import Actor
from kernel.clock import Clock
from kernel.errors import Busy, KeyReused
from kernel.money import Fen

log = structlog.get_logger("database")

SCHEMAS = ("kernel", "appraisal", "auction", "bidding", "settlement")
PASSING = frozenset({"55P03", "40P01", "40001", "57P01", "57P02", "57P03", "08006", "08003", "53300", "57014"})
"""SQLSTATEs of a database that is busy or coming back: the caller may send again with the same key."""

PLANNING = {"random_page_cost": "1.1"}
"""What is asked for lies in memory or on a disk without arms. By PostgreSQL's default of 4 a thousand rows by their
keys seem dearer than reading the whole table, which for lots that end together is done over and over."""

Milliseconds = TIMESTAMP(timezone=True, precision=3)


T = TypeVar("T")


class Base(DeclarativeBase):
    """Mapped tables of all contexts, one PostgreSQL schema each."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        Fen: BigInteger,
        int: BigInteger,
        str: Text,
        bytes: LargeBinary,
        datetime: Milliseconds,
        UUID: Uuid(),
    }


APPEND_ONLY: list[str] = []
"""Tables that refuse UPDATE and DELETE, by trigger and by grant (law of the house 6); `schema.table`."""


def append_only(table: Any) -> None:
    """Declare a mapped table append-only. The migration that makes it calls `kernel.ddl.protect`."""
    assert isinstance(table, Table)
    APPEND_ONLY.append(table.fullname)


class AlreadyAnswered(Exception):
    """The same call was answered before; `answer` holds the bytes of that answer."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        super().__init__("answered before")


@dataclass(frozen=True, slots=True)
class Call:
    """One command from outside: who, what, and the idempotency key with a digest of the payload."""

    actor: Actor
    operation: str
    key: str
    digest: bytes

    @classmethod
    def by(cls, actor: Actor, operation: str, key: str, payload: bytes) -> "Call":
        return cls(actor, operation, key, hashlib.sha256(payload).digest())


@dataclass(slots=True)
class Tx:
    """An open transaction: the session, the platform clock and who acts."""

    session: AsyncSession
    clock: Clock
    actor: Actor
    told: bool = False
    """Whether an outbox row was written, so that the relay is woken after the commit."""
    _answer: bytes | None = field(default=None, repr=False)

    def now(self) -> datetime:
        """Platform time. Ask after taking the locks, never before (law of the house 2)."""
        return self.clock.now()

    def answer(self, view: T) -> T:
        """Keep `view` as the answer under this call's key and hand it back."""
        self._answer = msgspec.json.encode(view)
        return view


@dataclass(frozen=True, slots=True)
class Patience:
    """For how long a transaction may wait, seconds each; then it is given up as `busy`, and nothing was recorded.

    `idle_s` is how long the server lets it keep its locks while nothing is asked; a process that stands still for
    longer, as on a machine with too much to do, finds its connection gone.
    """

    lock_s: int = 3
    statement_s: int = 5
    idle_s: int = 2
    pool_s: int = 3
    connect_s: int = 5

    @property
    def of_session(self) -> dict[str, str]:
        """As the server takes it."""
        return {
            "lock_timeout": f"{self.lock_s}s",
            "statement_timeout": f"{self.statement_s}s",
            "idle_in_transaction_session_timeout": f"{self.idle_s}s",
        }


class Database:
    """A pool of connections and the ways to open a transaction on it."""

    def __init__(self, url: str, clock: Clock, *, pool_size: int = 8, patience: Patience = Patience()) -> None:
        self.url = url
        self.clock = clock
        self.on_told: Callable[[], None] = lambda: None
        self.engine = create_async_engine(
            url.replace("postgresql://", "postgresql+asyncpg://", 1),
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=patience.pool_s,
            hide_parameters=True,  # an error in the log must not show what was written
            connect_args={
                "server_settings": patience.of_session | PLANNING | {"timezone": "UTC"},
                "timeout": patience.connect_s,
            },
        )
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False, autoflush=True)

    @asynccontextmanager
    async def transaction(self, actor: Actor) -> AsyncIterator[Tx]:
        """A writing transaction; commits at the end, rolls back on any exception.

        A commit once begun goes to its end, and its connection back to the pool, even if the caller is cancelled
        meanwhile. A database that is busy, restarting or deadlocked is answered `busy`: nothing was recorded.
        """
        session = self._sessions()
        tx = Tx(session, self.clock, actor)
        try:
            try:
                yield tx
            except BaseException:
                await _to_its_end(session.close())
                raise
            await _to_its_end(_commit(session))
        except (DBAPIError, OSError, asyncpg.InterfaceError, TimeoutError, PoolExhausted) as error:
            if is_passing(error):
                raise Busy() from error
            raise
        if tx.told:
            self.on_told()

    @asynccontextmanager
    async def command(self, call: Call) -> AsyncIterator[Tx]:
        """The transaction of one call from outside, at most once per key (law of the house 5).

        The key's row is written first, so a second copy waits for the first and then gets its answer. A refusal
        rolls the row back: a refused call may be mended and sent again under the same key. The use case
        ends with `return tx.answer(view)`.
        """
        async with self.transaction(call.actor) as tx:
            await _claim_key(tx.session, call, self.clock.now())
            yield tx
            assert tx._answer is not None, f"{call.operation} ended without tx.answer"
            await tx.session.execute(KEEP_ANSWER, _key_of(call) | {"answer": tx._answer})

    @asynccontextmanager
    async def reading(self, actor: Actor) -> AsyncIterator[Tx]:
        """A read-only transaction on one snapshot."""
        async with self.transaction(actor) as tx:
            await tx.session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
            yield tx

    async def close(self) -> None:
        await self.engine.dispose()


async def _commit(session: AsyncSession) -> None:
    try:
        await session.commit()
    finally:
        await session.close()


async def _to_its_end(work: Coroutine[Any, Any, None]) -> None:
    """Await `work`; if we are cancelled it goes on without us, and its failure has been told by nobody else."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        _unattended.add(task)
        task.add_done_callback(_attend)
        raise


_unattended: set[asyncio.Future[None]] = set()
"""The loop keeps only weak references."""


def _attend(task: asyncio.Future[None]) -> None:
    _unattended.discard(task)
    if not task.cancelled() and (error := task.exception()) is not None:
        log.warning("database.unattended-end", error=repr(error))


async def count_rows(tx: Tx, tables: Mapping[str, type[Base]]) -> dict[str, int]:
    """How many rows each table has, under the names given to them."""
    counts = [select(func.count()).select_from(table).scalar_subquery() for table in tables.values()]
    return dict(zip(tables, (await tx.session.execute(select(*counts))).one(), strict=True))


CLAIM_KEY = text(
    "INSERT INTO kernel.idempotency (person_id, operation, key, digest, at)"
    " VALUES (:person, :operation, :key, :digest, :at) ON CONFLICT DO NOTHING RETURNING 1"
)
FIND_KEY = text(
    "SELECT digest, answer FROM kernel.idempotency WHERE person_id = :person AND operation = :operation AND key = :key"
)
KEEP_ANSWER = text(
    "UPDATE kernel.idempotency SET answer = :answer WHERE person_id = :person AND operation = :operation AND key = :key"
)


def _key_of(call: Call) -> dict[str, object]:
    return {"person": call.actor.person, "operation": call.operation, "key": call.key}


async def _claim_key(session: AsyncSession, call: Call, now: datetime) -> None:
    claimed = await session.execute(CLAIM_KEY, _key_of(call) | {"digest": call.digest, "at": now})
    if claimed.first() is not None:
        return
    earlier = (await session.execute(FIND_KEY, _key_of(call))).one()
    if bytes(earlier.digest) != call.digest:
        raise KeyReused()
    raise AlreadyAnswered(bytes(earlier.answer))


def is_passing(error: BaseException) -> bool:
    """Whether the database is only busy, restarting or deadlocked."""
    original = getattr(error, "orig", None)
    state = getattr(original, "sqlstate", None) or getattr(error, "sqlstate", None)
    if state is not None:
        return state in PASSING
    return isinstance(error, OSError | TimeoutError | PoolExhausted) or getattr(error, "connection_invalidated", False)
