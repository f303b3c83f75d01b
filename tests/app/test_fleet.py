"""`auction fleet`: one command starts everything, replaces what dies, and ends it all."""

import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app.fleet import _secret_in
from tests.bidding.feed.house import free_port
from tests.support.places import disk_root, new_folder

pytestmark = pytest.mark.slow

WITHIN_S = 120


class Running:
    """The command, and what it has said."""

    def __init__(self, folder: Path, port: int) -> None:
        self.address = f"http://127.0.0.1:{port}"
        self._log = folder / "fleet.log"
        command = [sys.executable, "-m", "app.cli", "fleet", "--port", str(port), "--data-dir", str(folder)]
        with self._log.open("ab") as log:
            quiet = os.environ | {"AUCTION_LOG_LEVEL": "warning"}
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=quiet)

    def said(self) -> str:
        return self._log.read_text()

    def pids(self) -> dict[str, int]:
        """The last process of each name."""
        return {name: int(pid) for name, pid in re.findall(r"^([a-z]+(?:-\d)?)\b.*process (\d+)$", self.said(), re.M)}

    def answers(self) -> bool:
        """On a new connection, so that either web process may take it."""
        try:
            return httpx.get(f"{self.address}/health/ready", trust_env=False, timeout=5).status_code == 200
        except httpx.TransportError:
            return False


def wait_for(what: object, because: Running) -> None:
    until = time.monotonic() + WITHIN_S
    while not what():  # type: ignore[operator]
        assert because.process.poll() is None, because.said()[-3000:]
        assert time.monotonic() < until, because.said()[-3000:]
        time.sleep(0.1)


@pytest.fixture
def running() -> Iterator[Running]:
    folder = new_folder(disk_root())
    fleet = Running(folder, free_port())
    yield fleet
    if fleet.process.poll() is None:
        fleet.process.send_signal(signal.SIGINT)
        fleet.process.wait(30)
    shutil.rmtree(folder)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_one_command_starts_replaces_and_ends_a_fleet(running: Running) -> None:
    wait_for(lambda: running.said().count("网络司法拍卖平台") == 3, running)  # ours and those of two web processes
    first = running.pids()
    assert {"desk-1", "desk-2", "worker", "web-1", "web-2"} <= first.keys()
    assert running.answers()

    os.kill(first["web-1"], signal.SIGKILL)
    wait_for(lambda: running.pids()["web-1"] != first["web-1"], running)
    wait_for(running.answers, running)
    assert "web-1 had died" in running.said()

    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(40) == 0, running.said()[-3000:]
    left = [name for name, pid in {**first, **running.pids()}.items() if alive(pid)]
    assert not left


@pytest.mark.parametrize("left", [None, b""])
def test_a_secret_is_made_once_and_not_taken_empty(tmp_path: Path, left: bytes | None) -> None:
    """A start that was killed between making the file and writing it left every later fleet without a secret."""
    path = tmp_path / "desk.secret"
    if left is not None:
        path.write_bytes(left)
    secret = _secret_in(tmp_path)
    assert len(secret) >= 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert _secret_in(tmp_path) == secret
