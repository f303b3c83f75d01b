"""Where heads of the log are anchored outside the database: a port, and a folder as its first real end.

The folder belongs on a disk, mount or account that the database's administrator cannot write; what stands there once
stays. A court may add a second sink, such as a time-stamping authority, behind the same port.
"""

import fcntl
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from bidding.evidence.schemas import HeadView

FILE = "heads-{year}.jsonl"


class AnchorSink(Protocol):
    """A place that keeps what it was given. `name` is told with the anchors and never changes."""

    @property
    def name(self) -> str: ...

    def append(self, heads: Sequence[HeadView]) -> None:
        """Keep these heads for good before returning; a head that is there already may be kept twice. Blocks."""

    def heads(self) -> Iterator[HeadView]:
        """Everything kept, in order of keeping; raises ValueError for what is no head."""


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
            descriptor = os.open(
                self.folder / FILE.format(year=head.at[:4]), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644
            )
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                os.write(descriptor, msgspec.json.encode(head) + b"\n")
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def heads(self) -> Iterator[HeadView]:
        for path in sorted(self.folder.glob(FILE.format(year="[0-9]" * 4))):
            try:
                yield from read_heads(path)
            except ValueError as error:
                raise ValueError(f"{path}: {error}") from None


def read_heads(path: Path) -> Iterator[HeadView]:
    """The heads of an anchor file; raises ValueError, with the line, for what is no head."""
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            yield msgspec.json.decode(line, type=HeadView)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise ValueError(f"line {number} is no anchor") from None
