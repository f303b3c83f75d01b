"""A file is there whole or not at all."""

import errno
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from kernel.files import write_whole


def test_a_file_is_its_owners_alone_and_replaced_only_where_wanted(tmp_path: Path) -> None:
    path = tmp_path / "new" / "secret"
    write_whole(path, b"one", replace=False)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    write_whole(path, b"two", replace=False)
    assert path.read_bytes() == b"one"
    write_whole(path, b"three", replace=True)
    assert path.read_bytes() == b"three"
    assert list(path.parent.iterdir()) == [path]


def test_a_full_disk_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "secret"
    write_whole(path, b"one", replace=True)

    def full(*asked: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    for replace in (True, False):
        with pytest.raises(OSError, match="No space left"):
            write_whole(path, b"two", replace=replace)
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == b"one"
