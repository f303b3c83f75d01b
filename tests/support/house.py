"""A database with a frozen clock, and actors to act in it: the start of every test of a use case."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import UUID

from kernel.actors import Actor, Role
from kernel.clock import FrozenClock
from kernel.database import Call, Database, Patience
from kernel.ids import ordered_id

START = datetime(2025, 3, 3, 1, 0, tzinfo=UTC)
"""Monday 2025-03-03, 09:00 in Beijing."""

PATIENT = Patience(lock_s=30, statement_s=60, idle_s=60, pool_s=30, connect_s=30)
"""A test's machine may stand still for seconds in the middle of a transaction. A deadlock shows as soon as ever: the
server finds it after a second, whatever is set here.
"""


@asynccontextmanager
async def opened(url: str, at: datetime = START, patience: Patience = PATIENT) -> AsyncIterator[Database]:
    """The database behind `url` with a clock that stands at `at`; `database.clock` moves it."""
    database = Database(url, FrozenClock(at), patience=patience)
    try:
        yield database
    finally:
        await database.close()


def frozen(database: Database) -> FrozenClock:
    """The test's clock."""
    assert isinstance(database.clock, FrozenClock)
    return database.clock


def actor(*roles: Role, court: UUID | None = None, person: UUID | None = None, name: str = "tester") -> Actor:
    """Somebody with these roles who has signed in."""
    return Actor(person or ordered_id(), name, frozenset(roles), court, "127.0.0.1")


def call(who: Actor, key: str | None = None, payload: bytes = b"{}", operation: str = "test") -> Call:
    """A command by `who`, under a fresh key unless one is given."""
    return Call.by(who, operation, key or str(ordered_id()), payload)
