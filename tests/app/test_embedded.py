"""The embedded PostgreSQL: durable, private, held by one process, back after every kind of death."""

import asyncio
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from app.embedded import MAX_SOCKET_PATH_BYTES, SOCKET_NAME, EmbeddedPostgres, FolderInUse, PostgresFailed
from app.embedded.binaries import find_binaries
from tests.support.places import disk_root, fast_root, new_folder

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

BUSY = "SELECT count(*) FROM generate_series(1, 100000) a, generate_series(1, 100000) b"
"""Minutes of work that notices nothing, least of all that its postmaster is gone."""

START_AND_WAIT = """
import sys
from pathlib import Path
from app.embedded import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]), say=print)
server.start()
print("started", flush=True)
sys.stdin.read()
"""

A_COMMAND = """
import asyncio, sys
from app.serve import database_of
from kernel.settings import load
async def command():
    async with database_of(load({}, data_dir=sys.argv[1]), print):
        print("started", flush=True)
        await asyncio.sleep(600)
asyncio.run(command())
"""
A_BENCHMARK = """
import sys
from app.bench.stage import folder_for_data
from app.embedded import EmbeddedPostgres
with folder_for_data(sys.argv[1] + "/bench") as folder, EmbeddedPostgres(folder):
    print("started", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty data folder in memory."""
    made = new_folder(fast_root())
    yield made
    _remove(made)


def _remove(folder: Path) -> None:
    subprocess.run(["rm", "-rf", str(folder)], check=True)


async def _ask(server: EmbeddedPostgres, query: str) -> object:
    connection = await asyncpg.connect(server.dsn())
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def _until_answers(server: EmbeddedPostgres, query: str, seconds: float = 10) -> object:
    async with asyncio.timeout(seconds):
        while True:
            try:
                return await _ask(server, query)
            except (OSError, asyncpg.PostgresError):
                await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("fsync", "on"),
        ("synchronous_commit", "on"),
        ("full_page_writes", "on"),
        ("data_checksums", "on"),
        ("TimeZone", "UTC"),
        ("server_encoding", "UTF8"),
        ("listen_addresses", ""),
        ("unix_socket_permissions", "0700"),
    ],
)
async def test_a_durable_server_says_so_itself(durable_server: EmbeddedPostgres, setting: str, value: str) -> None:
    assert await _ask(durable_server, f"SHOW {setting}") == value


@pytest.fixture(scope="module")
def durable_server() -> Iterator[EmbeddedPostgres]:
    folder = new_folder(disk_root())
    with EmbeddedPostgres(folder, say=lambda _: None) as server:
        yield server
    _remove(folder)


async def test_nobody_else_reaches_it(durable_server: EmbeddedPostgres) -> None:
    assert stat.S_IMODE(durable_server.socket_folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(durable_server.data.stat().st_mode) == 0o700


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="needs Linux's /proc")
async def test_no_port_is_open(durable_server: EmbeddedPostgres) -> None:
    held = {os.readlink(entry) for entry in Path(f"/proc/{durable_server.pid}/fd").iterdir()}
    tables = [Path(f"/proc/{durable_server.pid}/net/{name}").read_text() for name in ("tcp", "tcp6", "unix")]
    tcp = {f"socket:[{line.split()[9]}]" for table in tables[:2] for line in table.splitlines()[1:]}
    unix = {f"socket:[{line.split()[6]}]" for line in tables[2].splitlines()[1:]}
    assert held & unix, "the server's own sockets must be seen, or this test proves nothing"
    assert not held & tcp


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can ask as somebody else")
async def test_another_account_is_turned_away(durable_server: EmbeddedPostgres) -> None:
    path = str(durable_server.socket_folder / SOCKET_NAME)
    with socket.socket(socket.AF_UNIX) as ours, socket.socket(socket.AF_UNIX) as theirs:
        ours.connect(path)
        os.seteuid(54321)
        try:
            with pytest.raises(PermissionError):
                theirs.connect(path)
        finally:
            os.seteuid(0)


async def test_a_second_start_on_the_folder_is_refused(folder: Path) -> None:
    with EmbeddedPostgres(folder, durable=False) as server:
        with pytest.raises(FolderInUse, match=rf"in use by process {os.getpid()}: stop that process first"):
            EmbeddedPostgres(folder, durable=False).start()
        assert await _ask(server, "SELECT 1") == 1


async def test_data_outlive_a_stop(folder: Path) -> None:
    with EmbeddedPostgres(folder, durable=False) as server:
        await _ask(server, "CREATE TABLE kept AS SELECT 42 AS n")
    assert not server.alive()
    with EmbeddedPostgres(folder, durable=False) as server:
        assert await _ask(server, "SELECT n FROM kept") == 42


async def test_a_long_chinese_path_works(folder: Path) -> None:
    deep = folder / ("网络司法拍卖平台" * 4) / "数据"
    with EmbeddedPostgres(deep, durable=False) as server:
        assert len(os.fsencode(server.socket_folder / SOCKET_NAME)) <= MAX_SOCKET_PATH_BYTES
        assert not server.socket_folder.is_relative_to(deep)
        assert await _ask(server, "SELECT 1") == 1
        assert stat.S_IMODE(server.socket_folder.stat().st_mode) == 0o700
    server.socket_folder.rmdir()


async def test_a_socket_folder_of_somebody_else_is_not_used(folder: Path) -> None:
    server = EmbeddedPostgres(folder / ("很长的名字" * 8), durable=False)
    server.socket_folder.symlink_to(folder)
    try:
        with pytest.raises(PostgresFailed, match="belongs to somebody else"):
            server.start()
    finally:
        server.socket_folder.unlink()


@pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="orphans are only ended where /proc shows them")
async def test_a_killed_postmaster_is_back_although_its_children_still_work(folder: Path) -> None:
    with EmbeddedPostgres(folder) as server:
        await _ask(server, "CREATE TABLE kept AS SELECT 42 AS n")
        connections = [await asyncpg.connect(server.dsn()) for _ in range(3)]
        busy = [asyncio.create_task(connection.fetchval(BUSY)) for connection in connections]
        await asyncio.sleep(0.3)
        watch = asyncio.create_task(server.watch())
        killed = server.pid
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        began = time.monotonic()
        assert await _until_answers(server, "SELECT n FROM kept") == 42
        assert time.monotonic() - began < 5, "longer than that is a hole (R-HALT-02)"
        assert server.pid != killed
        watch.cancel()
        ended = await asyncio.gather(*busy, watch, return_exceptions=True)
        assert all(isinstance(outcome, BaseException) for outcome in ended)
        for connection in connections:
            connection.terminate()


async def test_nothing_brings_back_a_dead_server_but_the_watch(folder: Path) -> None:
    with EmbeddedPostgres(folder, durable=False) as server:
        assert server.pid is not None
        os.kill(server.pid, signal.SIGKILL)
        await asyncio.sleep(0.5)
        assert not server.alive()
        assert server.restart_if_dead()
        assert not server.restart_if_dead()
        assert await _ask(server, "SELECT 1") == 1


async def test_a_server_that_was_stopped_is_not_brought_back(folder: Path) -> None:
    server = EmbeddedPostgres(folder, durable=False)
    server.start()
    server.stop()
    server.stop()
    assert not server.restart_if_dead()
    assert not server.alive()


async def test_a_server_whose_parent_was_killed_is_adopted(folder: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", START_AND_WAIT, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    assert parent.stdin is not None
    with parent, parent.stdout, parent.stdin:
        while parent.stdout.readline() != "started\n":
            assert parent.poll() is None
        server = EmbeddedPostgres(folder)
        with pytest.raises(FolderInUse, match=f"process {parent.pid}"):
            server.start()
        parent.kill()
    before = server.pid
    said: list[str] = []
    server = EmbeddedPostgres(folder, say=said.append)
    server.start()
    try:
        assert said == [f"PostgreSQL (process {before}) is still running in {folder}; adopted"]
        assert await _ask(server, "SELECT 1") == 1
    finally:
        server.stop()
    assert server.pid is None
    assert not server.alive()


@pytest.mark.parametrize("code", [A_COMMAND, A_BENCHMARK])
async def test_a_command_that_is_terminated_leaves_no_server(folder: Path, code: str) -> None:
    """By SIGTERM, as a supervisor ends it; what SIGKILL leaves is adopted at the next start."""
    command = subprocess.Popen(
        [sys.executable, "-c", code, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert command.stdout is not None
    assert command.stdin is not None
    with command, command.stdout, command.stdin:
        while command.stdout.readline() != "started\n":
            assert command.poll() is None
        (lock_file,) = folder.rglob("postmaster.pid")
        pid = int(lock_file.read_text().split("\n")[0])
        os.kill(pid, 0)
        command.terminate()
        assert command.wait(60) == 128 + signal.SIGTERM
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="needs Linux's /proc")
async def test_a_lock_file_naming_a_strangers_process_does_not_stop_the_start(folder: Path) -> None:
    with EmbeddedPostgres(folder, durable=False) as server:
        assert server.pid is not None
        lock_file = (server.data / "postmaster.pid").read_text()
        os.kill(server.pid, signal.SIGKILL)
        server.restart_if_dead()
    stranger = subprocess.Popen(["sleep", "60"], user=server.data.stat().st_uid if os.geteuid() == 0 else None)
    try:
        named = lock_file.split("\n")
        (server.data / "postmaster.pid").write_text("\n".join([str(stranger.pid), *named[1:]]))
        with EmbeddedPostgres(folder, durable=False) as server:
            assert await _ask(server, "SELECT 1") == 1
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


async def test_half_a_cluster_is_made_anew(folder: Path) -> None:
    (folder / "postgres.new").mkdir()
    (folder / "postgres.new" / "PG_VERSION").write_text("18\n")
    with EmbeddedPostgres(folder, durable=False) as server:
        assert await _ask(server, "SELECT 1") == 1
    assert not (folder / "postgres.new").exists()


async def test_data_it_cannot_read_are_named_with_the_servers_own_words(folder: Path) -> None:
    with EmbeddedPostgres(folder, durable=False):
        pass
    (folder / "postgres" / "PG_VERSION").write_text("14\n")
    with pytest.raises(PostgresFailed, match="database files are incompatible with server"):
        EmbeddedPostgres(folder, durable=False).start()


async def test_another_bin_folder_is_used_when_named(folder: Path) -> None:
    elsewhere = folder / "elsewhere"
    named = EmbeddedPostgres(folder / "data", durable=False, binaries=str(elsewhere))
    with pytest.raises(PostgresFailed, match="elsewhere has no initdb and no postgres"):
        named.start()
    elsewhere.symlink_to(find_binaries(None))
    with named:
        assert await _ask(named, "SELECT 1") == 1


@pytest.fixture
def locked_folder(folder: Path) -> Path:
    """A data folder below one that only its owner may enter."""
    inner = folder / "private"
    inner.mkdir(mode=0o700)
    return inner / "data"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root cannot run PostgreSQL as itself")
@pytest.mark.parametrize("unshare", [True, False])
async def test_root_below_a_folder_that_only_root_may_enter(
    locked_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unshare: bool
) -> None:
    if not unshare:
        (tmp_path / "sh").symlink_to("/bin/sh")
        monkeypatch.setenv("PATH", str(tmp_path))
    for _ in range(2):
        with EmbeddedPostgres(locked_folder) as server:
            await _ask(server, "CREATE TABLE IF NOT EXISTS kept(n int)")
            before = server.pid
            assert before is not None
            os.kill(before, signal.SIGKILL)
            while server.alive():
                await asyncio.sleep(0.01)
            server.restart_if_dead()
            assert await _ask(server, "SELECT count(*) FROM kept") == 0
    assert stat.S_IMODE(locked_folder.parent.stat().st_mode) == 0o700, "no folder of ours was opened to others"
