"""Where heads of the log are anchored outside the database: a port, and a folder as its first real end.

The folder belongs on a disk, mount or account that the database's administrator cannot write; what stands there once
stays. A court may add a second sink, such as a time-stamping authority, behind the same port.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import msgspec
import structlog

from bidding.evidence.schemas import HeadView
from kernel.files import flush_folder

log = structlog.get_logger("evidence")

FILE = "heads-{year}.jsonl"
BEGIN = b'{"number":'
"""How each line begins; in none is there a brace before its end."""


class AnchorSink(Protocol):
    """A place that keeps what it was given. `name` is told with the anchors and never changes."""

    @property
    def name(self) -> str: ...

    def append(self, heads: Sequence[HeadView]) -> None:
        """Keep these heads for good before returning; a head that is there already may be kept twice. Blocks."""

    def heads(self) -> Iterator[HeadView]:
        """Everything kept, in order of keeping; raises ValueError for what is no head or cannot be read."""


class FolderSink:
    """One line of JSON a head, one file a year, written and flushed to the disk under a lock."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def name(self) -> str:
        return "folder"

    def append(self, heads: Sequence[HeadView]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        for head in heads:
            path = self.folder / FILE.format(year=head.at[:4])
            descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                self._write(descriptor, path, msgspec.json.encode(head) + b"\n")
            finally:
                os.close(descriptor)

    def _write(self, descriptor: int, path: Path, line: bytes) -> None:
        """The whole line or nothing, under the lock; behind the rest of one that a crash tore, on a line of its own."""
        size = os.fstat(descriptor).st_size
        if not size:
            flush_folder(self.folder)
        elif os.pread(descriptor, 1, size - 1) != b"\n":
            log.warning("evidence.torn-anchor", file=str(path), at=size)
            line = b"\n" + line
        try:
            while line:
                line = line[os.write(descriptor, line) :]
            os.fsync(descriptor)
        except OSError:
            with contextlib.suppress(OSError):  # where one may only append, it is healed as what a crash leaves
                os.ftruncate(descriptor, size)
            raise

    def heads(self) -> Iterator[HeadView]:
        try:
            for path in self._files():
                try:
                    yield from read_heads(path)
                except ValueError as error:
                    raise ValueError(f"{path}: {error}") from None
        except OSError as error:
            raise ValueError(f"{error.filename}: {error.strerror}") from None

    def _files(self) -> list[Path]:
        """Empty before the first anchor; a folder that may not be looked into is not taken for that."""
        try:
            return sorted(path for path in self.folder.iterdir() if path.match(FILE.format(year="[0-9]" * 4)))
        except FileNotFoundError:
            return []


def read_heads(path: Path) -> Iterator[HeadView]:
    """The heads of an anchor file; raises ValueError, with the line, for what is no head.

    The beginning of a line whose writer was ended is no anchor and no fault: its head was or will be written again.
    """
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            yield msgspec.json.decode(line, type=HeadView)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            if not _is_torn(line):
                raise ValueError(f"line {number} is no anchor") from None


def _is_torn(line: bytes) -> bool:
    return bool(line) and b"}" not in line and (line.startswith(BEGIN) or BEGIN.startswith(line))
