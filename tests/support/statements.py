"""How many statements a piece of work sends to the database: what is set-based sends few, however much it moves."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import event

from kernel.database import Database


@dataclass
class Statements:
    """The number sent so far."""

    sent: int = 0


@contextmanager
def counting(database: Database) -> Iterator[Statements]:
    """Counts what the body sends."""
    found = Statements()

    def count(*_: Any) -> None:
        found.sent += 1

    engine = database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", count)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", count)
