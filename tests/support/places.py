"""Folders for servers under test: in memory where speed counts, on a disk where durability is the subject."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PREFIX = "auction-tests-"
ROOM_BYTES = 2 * 2**30
"""Free memory that one test run may need at its worst."""


def fast_root() -> Path:
    """`/dev/shm` where there is room, else the temporary folder."""
    memory = Path("/dev/shm")  # in memory: a clone costs a tenth of that on disk
    if os.access(memory, os.W_OK) and shutil.disk_usage(memory).free >= ROOM_BYTES:
        return memory
    return Path(tempfile.gettempdir())


def disk_root() -> Path:
    """`/var/tmp`, which is never in memory, else the temporary folder."""
    disk = Path("/var/tmp")
    return disk if os.access(disk, os.W_OK) else Path(tempfile.gettempdir())


def new_folder(root: Path) -> Path:
    """A fresh folder that the account of PostgreSQL may enter, which for root is another one."""
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=root))
    if os.geteuid() == 0:
        folder.chmod(0o711)
    return folder


@contextmanager
def one_at_a_time(lock: Path) -> Iterator[None]:
    """Wait until no other process is inside the same lock."""
    with lock.open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
