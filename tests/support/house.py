"""A database with a frozen clock, and actors to act in it: the start of every test of a use case."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import UUID

from kernel.actors import Actor, Role
from kernel.clock import FrozenClock
from kernel.database import Call, Database
from kernel.ids import ordered_id

START = datetime(2025, 3, 3, 1, 0, tzinfo=UTC)
"""Monday 2025-03-03, 09:00 in Beijing."""


@asynccontextmanager
async def opened(url: str, at: datetime = START) -> AsyncIterator[Database]:
    """The database behind `url` with a clock that stands at `at`; `database.clock` moves it."""
    database = Database(url, FrozenClock(at))
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
