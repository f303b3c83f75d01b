"""Where a benchmark of the live side plays: a folder on a disk, the server in a process of its own, and what shows
afterwards that the figures are honest.
"""

import http.client
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

import asyncpg

from app.embedded import EmbeddedPostgres
from kernel.settings import load

START_WITHIN_S = 180.0
STOP_WITHIN_S = 60.0
MEMORY_FILE_SYSTEMS = frozenset({"tmpfs", "ramfs", "devtmpfs"})

LIMITS = {"AUCTION_BIDS_PER_MINUTE": "10000000", "AUCTION_SOCKETS_PER_ADDRESS": "1000000"}
"""Raised because all bidders come from one address and none is a hand."""

DURABILITY = ("fsync", "synchronous_commit", "full_page_writes")


@dataclass(frozen=True, slots=True)
class Served:
    """The server under test; its PostgreSQL is not in `pid`."""

    port: int
    pid: int


@contextmanager
def folder_for_data(data_dir: str) -> Iterator[Path]:
    """A new folder below `data_dir`, gone afterwards; PostgreSQL may pass through it under another account.

    SIGTERM ends the body as an exception would, so that it takes down what it started there.
    """
    parent = Path(data_dir).absolute()
    parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=parent))
    folder.chmod(0o711)
    before = signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        yield folder
    finally:
        signal.signal(signal.SIGTERM, before)
        shutil.rmtree(folder, ignore_errors=True)


def postgres_in(folder: Path) -> EmbeddedPostgres:
    """The PostgreSQL of `auction serve` on that folder, not started."""
    return EmbeddedPostgres(folder, binaries=load().postgres_bin)


@contextmanager
def server(folder: Path, settings: Mapping[str, str] = LIMITS) -> Iterator[Served]:
    """`auction serve` on a free port, embedded, until the body ends; `settings` are `AUCTION_…`."""
    port = free_port()
    command = [sys.executable, "-m", "app.cli", "serve", "--port", str(port), "--data-dir", str(folder)]
    environment = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
    log = folder / "server.log"
    with log.open("wb") as out:
        process = subprocess.Popen(  # noqa: S603 - our own command
            command, env=environment | {"AUCTION_LOG_LEVEL": "warning"} | dict(settings), stdout=out, stderr=out
        )
        try:
            wait_for(port, process, log)
            yield Served(port, process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            if process.wait(STOP_WITHIN_S) not in {0, -signal.SIGTERM}:
                say(f"the server ended with {process.returncode}:\n{log.read_text()[-2000:]}")


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Return once `process` serves on `port`; raises RuntimeError with the end of its log if it never does."""
    deadline = time.monotonic() + START_WITHIN_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        if _serves(port):
            return
        time.sleep(0.05)
    raise RuntimeError(f"the server does not start:\n{log.read_text()[-2000:]}")


def _serves(port: int) -> bool:
    """Whether it answers, and does not say that it is not ready; nginx knows no such address, and is."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status < http.client.INTERNAL_SERVER_ERROR
    except OSError:
        return False
    finally:
        connection.close()


LOST = """
    SELECT count(*) FROM ack a LEFT JOIN bidding.submission s
      ON s.lot_id = a.lot_id AND s.key = a.key AND s.seq = a.seq AND s.price_fen = a.price_fen
    WHERE s.lot_id IS NULL
"""


async def look_up(url: str, acks: Path) -> tuple[int, dict[str, str]]:
    """How many acknowledged bids are not in the database as acknowledged; and how durable the server was."""
    db = await asyncpg.connect(url)
    try:
        await db.execute("CREATE TEMP TABLE ack (lot_id uuid, key uuid, seq int8, price_fen int8)")
        await db.copy_to_table("ack", source=acks, format="text")
        await db.execute("ANALYZE ack")
        await db.execute("ANALYZE bidding.submission")
        lost: int = await db.fetchval(LOST)
        return lost, await durability(db)
    finally:
        await db.close()


async def durability(db: Any) -> dict[str, str]:
    """The settings that make a commit last, as the server reports them."""
    return {name: await db.fetchval(f"SHOW {name}") for name in DURABILITY}


def not_durable(folder: Path, settings: dict[str, str]) -> list[str]:
    """Why what was measured is not what a real server does; empty if it is."""
    reasons = []
    if _file_system(folder) in MEMORY_FILE_SYSTEMS:
        reasons.append("the data lie in memory")
    if set(settings.values()) != {"on"}:
        reasons.append("durability was switched off")
    return reasons


def _file_system(folder: Path) -> str:
    """Type of the file system that holds `folder`; `unknown` where nobody tells."""
    mounts = Path("/proc/mounts")
    if not mounts.exists():
        return "unknown"
    found = [line.split()[1:3] for line in mounts.read_text().splitlines()]
    inside = [(point, kind) for point, kind in found if folder.is_relative_to(point)]
    return max(inside, key=lambda mount: len(mount[0]))[1] if inside else "unknown"


def say(line: str) -> None:
    """Progress, beside the report."""
    print(f"==> {line}", file=sys.stderr, flush=True)
