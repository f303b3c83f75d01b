"""The supervised world: PostgreSQL, Redis, the server, and the means to harm and heal each of them."""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import asyncpg

from app.embedded import EmbeddedPostgres
from app.migrate import migrate
from kernel.clock import monotonic
from tests.campaign.plan import Fault
from tests.support.databases import disk_root, new_folder
from tests.support.valkey import Valkey, find_valkey

DISK_MIB = 700
START_WITHIN_S = 60.0
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


class Server:
    """`auction serve` as a process that is killed, stopped and started again."""

    def __init__(self, port: int, host: str, environment: dict[str, str], log: Path) -> None:
        self.port = port
        self._question = f"GET /health/ready HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
        self._environment, self._log = environment, log
        self._process: subprocess.Popen[bytes] | None = None
        self.wanted = True

    def start(self) -> None:
        command = [sys.executable, "-m", "app.cli", "serve", "--port", str(self.port)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, env=self._environment, stdout=log, stderr=log)

    async def watch(self) -> None:
        """Start it again whenever it has died, until cancelled."""
        while True:
            if self.wanted and (self._process is None or self._process.poll() is not None):
                self.start()
            await asyncio.sleep(0.1)

    async def answers(self) -> None:
        """Wait until it is ready; raises TimeoutError with the end of its log."""
        try:
            async with asyncio.timeout(START_WITHIN_S):
                while not await self._ready():
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise TimeoutError(f"the server is not ready:\n{self.last_words()}") from None

    async def _ready(self) -> bool:
        try:
            async with asyncio.timeout(3):
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                writer.write(self._question)
                line = await reader.readline()
                writer.close()
        except (OSError, TimeoutError):
            return False
        return b" 200 " in line

    def last_words(self) -> str:
        """The end of its log."""
        return "\n".join(line[:300] for line in self._log.read_text().splitlines()[-60:])

    def signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

    def end(self) -> None:
        self.wanted = False
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGCONT)
            self._process.kill()
            self._process.wait()


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

    def signal_postgres(self, number: signal.Signals) -> None:
        for process in self.postgres_processes():
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

    def available(self) -> frozenset[Fault]:
        """The faults that can be brought about on this machine, and a word on those that cannot."""
        faults = set(Fault)
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
        binary, valkey = find_valkey(), None
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
