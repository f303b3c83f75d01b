"""What the benchmarks run against: `auction serve` in a process of its own, embedded, on a disk, as durable as it is.

Beside it what tells whether a run is honest: the file system, the settings as PostgreSQL reports them, and the CPU
time that server and PostgreSQL took.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

START_WITHIN_S = 180.0
STOP_WITHIN_S = 60.0
MEMORY_FILE_SYSTEMS = frozenset({"tmpfs", "ramfs", "devtmpfs"})
DURABILITY = ("fsync", "synchronous_commit", "full_page_writes")
_TICKS_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Served:
    """A server that answers on `port`."""

    port: int
    pid: int


@contextmanager
def own_folder(data_dir: str) -> Iterator[Path]:
    """A new folder for one run's data, which PostgreSQL may enter as another account; gone afterwards."""
    parent = Path(data_dir).absolute()
    parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=parent))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def served(folder: Path, settings: Mapping[str, str]) -> Iterator[Served]:
    """`auction serve` on a free port, embedded, until the body ends; `settings` are `AUCTION_…`."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "app.cli", "serve", "--port", str(port), "--data-dir", str(folder)]
    environment = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
    log = folder / "server.log"
    with log.open("wb") as out:
        process = subprocess.Popen(  # noqa: S603 - our own command
            command, env=environment | {"AUCTION_LOG_LEVEL": "warning"} | dict(settings), stdout=out, stderr=out
        )
        try:
            _wait_for(port, process, log)
            yield Served(port, process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            if process.wait(STOP_WITHIN_S) not in {0, -signal.SIGTERM}:
                say(f"the server ended with {process.returncode}:\n{log.read_text()[-2000:]}")


def _wait_for(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_WITHIN_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"the server does not start:\n{log.read_text()[-2000:]}")


async def durability(db: Any) -> dict[str, str]:
    """The settings that make a commit last, as the server reports them."""
    return {name: await db.fetchval(f"SHOW {name}") for name in DURABILITY}


def in_memory(folder: Path) -> bool:
    """Whether `folder` lies in memory, where a commit costs nothing; False where nobody tells."""
    mounts = Path("/proc/mounts")
    if not mounts.exists():
        return False
    found = [line.split()[1:3] for line in mounts.read_text().splitlines()]
    inside = [(point, kind) for point, kind in found if folder.is_relative_to(point)]
    return bool(inside) and max(inside, key=lambda mount: len(mount[0]))[1] in MEMORY_FILE_SYSTEMS


def cpu_s(pid: int, *, family: bool = False) -> float:
    """CPU seconds of a process so far, with `family` those of its children too, living and dead; 0 without `/proc`."""
    ticks, pids = 0, [pid, *_children(pid)] if family else [pid]
    for each in pids:
        try:
            fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += sum(int(field) for field in fields[11 : 15 if each == pid and family else 13])
    return ticks / _TICKS_S


def _children(pid: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            found.append(int(stat.parent.name))
    return found


def say(line: str) -> None:
    """Tell whoever waits; the report alone goes to standard output."""
    print(f"==> {line}", file=sys.stderr, flush=True)
