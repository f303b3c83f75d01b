"""The supervised world: PostgreSQL, Redis, disk and clocks, and the means to harm and heal each of them."""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import asyncpg

from app.embedded import EmbeddedPostgres
from app.migrate import migrate
from app.redis_binary import find_redis
from kernel.clock import monotonic
from tests.campaign.plan import OF_A_FLEET, OF_ONE_SERVER, Fault
from tests.support.databases import disk_root, new_folder
from tests.support.valkey import Valkey

DISK_MIB = 700
FAKETIME = "/usr/lib/*/faketime/libfaketime.so.1"


class ClockFile:
    """What libfaketime adds to one process's wall clock; its monotonic clock stays true."""

    def __init__(self, path: Path, library: Path | None) -> None:
        self._path, self._library = path, library
        self.step(0)
        path.chmod(0o644)

    def step(self, seconds: int) -> None:
        """Set the wall clock `seconds` off."""
        self._path.write_text(f"{seconds:+d}\n")

    @property
    def environment(self) -> dict[str, str]:
        if self._library is None:
            return {}
        return {
            "LD_PRELOAD": str(self._library),
            "FAKETIME_TIMESTAMP_FILE": str(self._path),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }


class World:
    """Everything that runs. `harm` and `heal` are the supervisor's hands."""

    def __init__(
        self, folder: Path, postgres: EmbeddedPostgres, valkey: Valkey | None, say: Callable[[str], None]
    ) -> None:
        library = next(iter(sorted(Path("/").glob(FAKETIME.lstrip("/")))), None)
        self.folder, self.postgres, self.valkey, self.say = folder, postgres, valkey, say
        self.database_clock = ClockFile(folder / "database-clock", library)
        self.server_clock = ClockFile(folder / "server-clock", library)
        self.can_step = library is not None
        self.on_tmpfs = False
        self._filler = folder / "filler"

    def postgres_processes(self) -> list[int]:
        """The postmaster and its children."""
        postmaster = self.postgres.pid
        if postmaster is None:
            return []
        try:
            children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
        except OSError:
            return []
        return [postmaster, *(int(child) for child in children)]

    def backends(self) -> list[int]:
        """The processes that serve connections: PostgreSQL names them by user, database and socket."""
        return [process for process in self.postgres_processes()[1:] if b"[local]" in _title(process)]

    def signal_postgres(self, number: signal.Signals, of: Sequence[int] | None = None) -> None:
        """Signal all its processes, or those of `of`."""
        for process in self.postgres_processes() if of is None else of:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, number)

    def fill_disk(self) -> None:
        """Take all the room that is left."""
        with self._filler.open("wb", buffering=0) as filler, contextlib.suppress(OSError):
            while True:
                filler.write(bytes(1 << 20))

    def free_disk(self) -> None:
        self._filler.unlink(missing_ok=True)

    @contextlib.contextmanager
    def stepped(self) -> "contextlib.AbstractContextManager[None]":  # type: ignore[misc]
        """While PostgreSQL is started: it inherits its clock from here."""
        before = dict(os.environ)
        os.environ.update(self.database_clock.environment)
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)

    async def watch_postgres(self) -> None:
        """Start PostgreSQL again whenever it has died, until cancelled."""
        while True:
            if not self.postgres.alive():
                with self.stepped():
                    try:
                        await asyncio.to_thread(self.postgres.restart_if_dead)
                    except Exception as error:
                        self.say(f"PostgreSQL cannot start yet: {error!s:.80}")
            await asyncio.sleep(0.1)

    def available(self, form: frozenset[Fault]) -> frozenset[Fault]:
        """The faults that can be brought about on this machine, and a word on those that cannot.

        `form`: those that only this form of the platform knows.
        """
        faults = set(Fault) - (OF_ONE_SERVER | OF_A_FLEET) | form
        if self.valkey is None:
            faults -= {Fault.KILL_REDIS, Fault.STOP_REDIS, Fault.WIPE_REDIS}
            self.say("no Redis here: its faults are left out")
        if not self.on_tmpfs:
            faults -= {Fault.DISK_FULL}
            self.say("no right to mount: the full disk is left out")
        if not self.can_step:
            faults -= {Fault.STEP_DATABASE, Fault.STEP_SERVER}
            self.say("no libfaketime here: the stepped clocks are left out")
        return frozenset(faults)


def _title(process: int) -> bytes:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return b""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def opened(say: Callable[[str], None]) -> AsyncIterator[World]:
    """PostgreSQL migrated on a small disk of its own where that is allowed, and Redis; all gone afterwards."""
    folder = new_folder(disk_root())
    async with AsyncExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        on_tmpfs = _mount(folder)
        if on_tmpfs:
            stack.callback(subprocess.run, ["umount", "-l", str(folder)], check=False)
        binary, valkey = find_redis(), None
        if binary is not None:
            redis_folder = Path(tempfile.mkdtemp(prefix="auc-"))
            stack.callback(shutil.rmtree, redis_folder, ignore_errors=True)
            valkey = Valkey(binary, redis_folder)
            valkey.start()
            stack.callback(valkey.kill)
        # Small enough for the disk: what is not about space must not end for want of it.
        limits = {"max_wal_size": "96MB", "min_wal_size": "32MB", "shared_buffers": "64MB", "wal_compression": "off"}
        postgres = EmbeddedPostgres(folder / "data", settings=limits, say=lambda line: None)
        world = World(folder, postgres, valkey, say)
        world.on_tmpfs = on_tmpfs
        with world.stepped():
            postgres.start()
        stack.callback(postgres.stop)
        await asyncio.to_thread(migrate, postgres.dsn())
        yield world


def _mount(folder: Path) -> bool:
    if os.geteuid() != 0 or shutil.which("mount") is None:
        return False
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m,mode=0755", "tmpfs", str(folder)],
        check=False,
        capture_output=True,
    )
    return done.returncode == 0


async def connected(url: str, within_s: float = 30.0) -> "asyncpg.Connection[asyncpg.Record]":
    """A connection of the supervisor's own, once the database takes it."""
    deadline = monotonic() + within_s
    while True:
        try:
            return await asyncpg.connect(url, timeout=5)
        except (OSError, asyncpg.PostgresError, TimeoutError):
            if monotonic() > deadline:
                raise
            await asyncio.sleep(0.1)
