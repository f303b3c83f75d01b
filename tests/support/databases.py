"""One PostgreSQL for a test run, one migrated template in it, one fresh clone for each test.

A clone costs a few milliseconds, so every test starts from the real migrations and nothing has to be cleaned up
behind it: append-only tables need no back door.
"""

import asyncio
import fcntl
import shutil
import time
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import asyncpg

from app.embedded import EmbeddedPostgres, FolderInUse
from tests.support.places import PREFIX, disk_root, fast_root, new_folder

TEMPLATE = "auction_template"
MAKE_TEMPLATE = 0x74656D70
"""Advisory lock under which the first worker that needs the template makes it."""

GRACE_S = 2.0
"""How long a connection may take to be gone after its test."""


class ConnectionsLeft(AssertionError):
    """A test ended while somebody was still connected to its database."""


def start_for_run() -> EmbeddedPostgres:
    """The run's server: fast, forgetful, in memory where there is room."""
    server = EmbeddedPostgres(
        new_folder(fast_root()),
        durable=False,
        settings={"max_connections": "300", "max_wal_size": "256MB"},
        say=lambda _: None,
    )
    server.start()
    return server


YOUNG_S = 600


def throw_away(server: EmbeddedPostgres) -> None:
    """Stop the server and remove its folder; what a killed postmaster left behind writes on until it notices."""
    server.stop()
    for _ in range(50):
        with suppress(OSError):
            shutil.rmtree(server.folder)
            return
        time.sleep(0.1)
    shutil.rmtree(server.folder)


def sweep() -> None:
    """Throw away servers of runs that were killed; the lock of their folder is free.

    That of a young folder may be free because another run has just killed its server, to start it again.
    """
    for folder in [*fast_root().glob(f"{PREFIX}*"), *disk_root().glob(f"{PREFIX}*")]:
        with suppress(OSError, FolderInUse):  # another user's, or still in use
            if time.time() - folder.stat().st_mtime < YOUNG_S:
                continue
            left = EmbeddedPostgres(folder, durable=False, say=lambda _: None)
            if left.alive():
                left.start()
                left.stop()
            with (folder / "lock").open() as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder)


class Clones:
    """Makes and drops clones of the template, over one connection of its own loop."""

    def __init__(self, server: EmbeddedPostgres, worker: str) -> None:
        self._server = server
        self._worker = worker
        self._numbers = count(1)
        self._runner = asyncio.Runner()
        self._admin = self._runner.run(asyncpg.connect(server.dsn()))
        try:
            self._make_template()
        except BaseException:
            self.close()
            raise

    def make(self, template: str = TEMPLATE) -> str:
        """A fresh database, migrated unless made of another template; returns its name."""
        name = f"test_{self._worker}_{next(self._numbers)}"
        self._run(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        return name

    def drop(self, name: str) -> None:
        """Drop the database. Raises ConnectionsLeft, after dropping it, if somebody does not let go."""
        left = self._connections(name)
        until = time.monotonic() + GRACE_S
        while left and time.monotonic() < until:
            time.sleep(0.005)
            left = self._connections(name)
        self._run(f"DROP DATABASE {name} WITH (FORCE)")
        if left:
            raise ConnectionsLeft(f"{len(left)} connections were left open; their last statements: {left}")

    def close(self) -> None:
        self._runner.run(self._admin.close())
        self._runner.close()

    def _make_template(self) -> None:
        self._run(f"SELECT pg_advisory_lock({MAKE_TEMPLATE})")
        try:
            if not self._run("SELECT 1 FROM pg_database WHERE datname = $1", TEMPLATE):
                fresh = f"{TEMPLATE}_new"
                self._run(f"DROP DATABASE IF EXISTS {fresh}")
                self._run(f"CREATE DATABASE {fresh}")
                _migrate(self._server.dsn(fresh))
                self._run(f"ALTER DATABASE {fresh} RENAME TO {TEMPLATE}")
        finally:
            self._run(f"SELECT pg_advisory_unlock({MAKE_TEMPLATE})")

    def _connections(self, name: str) -> list[str]:
        found = "SELECT query FROM pg_stat_activity WHERE datname = $1 AND backend_type = 'client backend'"
        return [row["query"] for row in self._run(found, name)]

    def _run(self, statement: str, *arguments: str) -> list[Any]:
        return self._runner.run(self._admin.fetch(statement, *arguments))


def migrated_on_disk(folder: Path) -> EmbeddedPostgres:
    """A durable server of its own with a migrated database `postgres`: for tests that crash it."""
    server = EmbeddedPostgres(folder, say=lambda _: None)
    server.start()
    _migrate(server.dsn())
    return server


def _migrate(url: str) -> None:
    from app.migrate import migrate  # imports every table of the house, which tests of pure rules do without

    migrate(url)
