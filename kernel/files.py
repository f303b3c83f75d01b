"""Files that are there whole or not at all, whatever ends the writer: keys, secrets, bank files."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path


def flush_folder(folder: Path) -> None:
    """Make names in `folder`, new ones and renamed ones, survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_whole(path: Path, content: bytes, *, replace: bool) -> None:
    """Put a file in place for its owner alone, durably; without `replace` one that stands there stays as it is.

    Raises OSError, as on a full disk, and then nothing has changed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    beside = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as draft:
            draft.write(content)
            draft.flush()
            os.fsync(descriptor)
        if replace:
            beside.replace(path)
        else:
            with suppress(FileExistsError):
                path.hardlink_to(beside)
    finally:
        beside.unlink(missing_ok=True)
