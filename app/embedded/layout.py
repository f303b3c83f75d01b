"""The files and folders of one server, whom they belong to, and the lock by which one process holds them."""

import fcntl
import hashlib
import os
import socket
import stat
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from app.embedded.errors import FolderInUse, PostgresFailed

MAX_SOCKET_PATH_BYTES = 103
"""Longest path of a socket that every system takes (macOS 103, Linux 107): bytes, not characters."""

SOCKET_NAME = ".s.PGSQL.5432"
MAX_LOG_BYTES = 10 * 2**20


class Layout:
    """Where a server whose data lie in `folder` keeps everything; any process finds it by the folder alone."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder).absolute()
        self.data = self.folder / "postgres"
        self.log = self.folder / "postgres.log"
        self.socket_folder = _socket_folder(self.folder)

    @property
    def pid(self) -> int | None:
        """The postmaster's process id by its own lock file; None without such a file."""
        try:
            return int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
        except (FileNotFoundError, NotADirectoryError, ValueError):
            return None

    def takes_connections(self, pid: int | None) -> bool:
        """Whether that postmaster has written `ready` into its lock file: what `pg_ctl -w` waits for."""
        with suppress(FileNotFoundError):
            lines = (self.data / "postmaster.pid").read_text().splitlines()
            return len(lines) > 7 and lines[0] == str(pid) and lines[7].strip() == "ready"
        return False

    def listening(self) -> bool:
        """Whether somebody listens on the socket."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(1)
            try:
                probe.connect(str(self.socket_folder / SOCKET_NAME))
            except OSError:
                return False
            return True

    def make_socket_folder(self, owner: int) -> None:
        """Make it, for the server's account alone; raises PostgresFailed if it is somebody else's."""
        path = self.socket_folder
        with suppress(FileExistsError):
            path.mkdir(mode=0o700)
        found = path.lstat()
        ours = path.is_relative_to(self.folder) or found.st_uid in {owner, os.geteuid()}
        if not stat.S_ISDIR(found.st_mode) or not ours:
            raise PostgresFailed(f"{path} is needed for PostgreSQL's socket but belongs to somebody else")
        give_to(path, owner)
        path.chmod(0o700)

    def keep_log_small(self) -> None:
        """One log of before is kept."""
        if self.log.exists() and self.log.stat().st_size > MAX_LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))

    def tail(self, *, lines: int = 15) -> str:
        """The end of the log."""
        with self.log.open("rb") as source:
            source.seek(max(0, self.log.stat().st_size - 8192))
            return "\n".join(source.read().decode(errors="replace").splitlines()[-lines:])

    def processes(self) -> set[int]:
        """Processes of any PostgreSQL on this data folder, where the system lists processes in /proc."""
        found = set()
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # ended meanwhile, a zombie, or somebody else's
                named = process.joinpath("exe").readlink().name
                if process.joinpath("cwd").samefile(self.data) and named.startswith("postgres"):
                    found.add(int(process.name))
        return found


class Hold:
    """The lock on a data folder: let go by the kernel when its process dies."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: int | None = None

    def __bool__(self) -> bool:
        return self._held is not None

    def take(self) -> None:
        """Make the folder and lock it; raises FolderInUse, and PostgresFailed for a folder that cannot be made."""
        if self._held is not None:
            raise FolderInUse(f"This process already runs PostgreSQL in {self._folder}")
        try:
            # Root's folder may be entered, though not listed, by others: `nobody` has its data in there.
            self._folder.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
            held = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise PostgresFailed(f"{self._folder} cannot be the folder of the data: {error.strerror}") from None
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(held, 20, 0).decode().strip() or "?"
            os.close(held)
            raise FolderInUse(
                f"数据目录 {self._folder} 正由进程 {holder} 使用，请先停止该进程或另选目录。"
                f" The data folder {self._folder} is in use by process {holder}:"
                " stop that process first, or choose another folder."
            ) from None
        os.ftruncate(held, 0)
        os.pwrite(held, f"{os.getpid()}\n".encode(), 0)
        self._held = held

    def let_go(self) -> None:
        """May be repeated."""
        if self._held is not None:
            os.close(self._held)
            self._held = None


def _socket_folder(folder: Path) -> Path:
    """Depends on `folder` alone, so that any process finds the server."""
    near = folder / "run"
    if len(os.fsencode(near / SOCKET_NAME)) <= MAX_SOCKET_PATH_BYTES:
        return near
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"auc-{digest}"


def give_to(path: Path, owner: int) -> None:
    """Make `owner` own everything in and below `path`, as far as only root can and needs to."""
    if os.geteuid() != 0 or path.stat().st_uid == owner:
        return
    below: Iterable[Path] = path.rglob("*")
    for each in [*below, path]:
        os.chown(each, owner, -1, follow_symlinks=False)
