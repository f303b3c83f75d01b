"""`auction fleet`: the production form on one machine, each part a process that may die.

PostgreSQL and Redis of our own, two web processes on one port, one desk more than there are shares, one worker. What
dies is started again; until then another one has taken over. On several machines the same commands run under whatever
supervises services there (docs/operations.md).
"""

import asyncio
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from types import MappingProxyType

import msgspec
import structlog

from app.embedded import EmbeddedPostgres
from app.migrate import migrate_async
from app.platform import keyring_of
from app.redis_binary import find_redis
from app.serve import port_of, run, signalled
from bidding.desk import lease, shares
from kernel.ddl import APP_ROLE
from kernel.files import write_whole
from kernel.logs import configure_logs
from kernel.settings import Settings, SettingsError

log = structlog.get_logger("fleet")

WEB_PROCESSES = 2
LOOK_EVERY_S = 0.5
STOP_WITHIN_S = 10.0


class Member:
    """One process of the fleet; its output goes where ours goes, or into a file."""

    def __init__(
        self, name: str, command: Sequence[str], environment: Mapping[str, str], output: Path | None = None
    ) -> None:
        self.name = name
        self._command = command
        self._environment = os.environ | environment
        self._output = output
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start; in a session of its own, so that Ctrl-C reaches it through us alone."""
        out = None if self._output is None else self._output.open("ab")
        self._process = subprocess.Popen(  # noqa: S603 - our own commands
            self._command, env=self._environment, stdout=out, stderr=out, start_new_session=True
        )
        if out is not None:
            out.close()

    def signal(self, number: signal.Signals) -> None:
        if self.running:
            os.kill(self.pid, number)

    def stop(self) -> None:
        """SIGTERM and wait; SIGKILL to what does not end. Also ends what was halted."""
        self.signal(signal.SIGTERM)
        self.signal(signal.SIGCONT)
        if self._process is not None:
            try:
                self._process.wait(STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()


def auction(*arguments: str) -> list[str]:
    """One of our own commands, by the Python that runs us."""
    return [sys.executable, "-m", "app.cli", *arguments]


def redis_server(binary: Path, folder: Path) -> Member:
    """A server without port and persistence; it loses everything when it stops, as it may."""
    without_disk = ["--port", "0", "--save", "", "--appendonly", "no", "--dir", str(folder)]
    listening = ["--unixsocket", str(folder / "redis.sock"), "--unixsocketperm", "700"]
    return Member("redis", [str(binary), *without_disk, *listening], {}, folder / "redis.log")


def members(
    environment: Mapping[str, str],
    desks: int,
    *,
    own: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
    logs: Path | None = None,
) -> list[Member]:
    """The processes of ours, in the order in which they start; the last desk stands by.

    `own`: what single members, by name, have in their environment alone. `logs`: the folder of a file for each.
    """
    commands = {f"desk-{n}": auction("serve", "--role", "desk") for n in range(1, desks + 2)}
    commands["worker"] = auction("worker")
    commands |= {f"web-{n}": auction("serve", "--role", "web") for n in range(1, WEB_PROCESSES + 1)}
    shared = {**environment, "AUCTION_SHARE_PORT": "true"}
    return [
        Member(name, command, {**shared, **own.get(name, {})}, None if logs is None else logs / f"{name}.log")
        for name, command in commands.items()
    ]


def _secret_in(folder: Path) -> str:
    """The secret of this folder's fleet, the same at every start: processes of a killed one may still be about."""
    path = folder / "desk.secret"
    if not path.exists() or not path.stat().st_size:  # an empty one was left by a start that was killed
        write_whole(path, secrets.token_urlsafe(32).encode(), replace=True)
    return path.read_text()


async def _share_out(url: str, desks: int) -> None:
    db = await lease.connect(url, "fleet")
    try:
        if await shares.count(db) != desks:
            await shares.change(db, desks)
    finally:
        await db.close()


async def _sail(settings: Settings, desks: int) -> None:
    stop = signalled()
    folder = settings.data_path
    async with AsyncExitStack() as stack:
        postgres = EmbeddedPostgres(folder, binaries=settings.postgres_bin, say=_say)
        await asyncio.to_thread(postgres.start)
        stack.push_async_callback(asyncio.to_thread, postgres.stop)
        watching = asyncio.create_task(postgres.watch(), name="postgres-watch")
        stack.callback(watching.cancel)
        await migrate_async(postgres.dsn())
        await _share_out(postgres.dsn(), desks)
        keyring_of(settings)  # made here once, since all start at the same time
        environment = {
            "DATABASE_URL": postgres.dsn(user=APP_ROLE),
            "AUCTION_DATA_DIR": str(folder),
            "AUCTION_HOST": settings.host,
            "AUCTION_PORT": str(settings.port),
            "AUCTION_PUBLIC_ORIGIN": settings.origin,
            "AUCTION_DESK_SECRET": settings.desk_secret or _secret_in(folder),
        }
        binary = find_redis()
        fleet = [] if binary is None else [redis_server(binary, folder)]
        if fleet:
            environment["REDIS_URL"] = f"unix://{folder / 'redis.sock'}"
        else:
            _say("no Redis here: screens follow within a second instead of at once")
        fleet += members(environment, desks)
        for member in fleet:
            member.start()
            stack.push_async_callback(asyncio.to_thread, member.stop)
            _say(f"{member.name}: process {member.pid}")
        _say(f"网络司法拍卖平台 {settings.origin}")
        await keep(fleet, stop)


def _say(line: str) -> None:
    print(line, flush=True)


async def keep(fleet: Sequence[Member], stop: asyncio.Event, say: Callable[[str], None] = _say) -> None:
    """Start again whatever dies, until `stop`."""
    while not stop.is_set():
        for member in fleet:
            if not member.running:
                member.start()
                say(f"{member.name} had died; now process {member.pid}")
        try:
            await asyncio.wait_for(stop.wait(), LOOK_EVERY_S)
        except TimeoutError:
            continue


def main_fleet(settings: Settings, desks: int) -> int:
    """Serve by several processes until signalled; the data are those of `auction serve` in the same folder."""
    if not settings.embedded:
        raise SettingsError("`auction fleet` brings its own PostgreSQL; with DATABASE_URL start each process")
    with port_of(msgspec.structs.replace(settings, share_port=True)):
        pass  # a port that is taken is said once, not by processes that die and die again
    configure_logs(settings.log_level)
    run(_sail(settings, desks))
    return 0
