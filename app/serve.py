"""`auction serve` and `auction worker`: one process, started in the order that keeps every promise.

PostgreSQL up and migrated, then the parts of `app.platform` (lease, clock, holes, overdue closings), and only then
the port. Embedded, the process holds the data folder's lock, runs its own PostgreSQL and restarts it when it dies.
"""

import asyncio
import contextlib
import gc
import os
import signal
import socket
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
import structlog
import uvicorn

from app.asgi import create_app
from app.connections import http_protocol
from app.embedded import EmbeddedPostgres
from app.migrate import migrate_async
from app.open_files import raise_open_files
from app.platform import Platform, desk_of, keyring_of
from app.rehearsal import WARNING, attach, clock_of, mark, require_kind
from bidding.desk.batch import Book
from bidding.desk.desk import Desk
from bidding.desk.standby import Standby
from bidding.evidence.service import behind
from bidding.evidence.sinks import FolderSink
from bidding.feed.bell import Bell
from bidding.forwarding.door import Door
from kernel.clock import Clock, SystemClock
from kernel.ddl import APP_ROLE
from kernel.logs import configure_logs
from kernel.settings import Settings, SettingsError

log = structlog.get_logger("serve")

T = TypeVar("T")

GRACE_S = 5
BACKLOG = 4_096
ANSWER_WITHIN_S = 10.0


@asynccontextmanager
async def database_of(settings: Settings, say: Callable[[str], None], *, make: bool = True) -> AsyncIterator[str]:
    """The address of a migrated database: the one in `DATABASE_URL`, or our own embedded PostgreSQL.

    Without `make`, for commands that look at what is there, SettingsError where nothing is: a mistyped folder must not
    be taken for an empty one, nor the tables of a replica changed. SettingsError too for real data in a rehearsal and
    the other way round, and for a database that does not answer; FolderInUse while a server runs on the folder.
    """
    if settings.database_url is not None:
        if not make:
            await _require_tables(settings.database_url)
        elif settings.role == "all":  # of several processes none may change the tables under the others
            await _require_tables(settings.database_url, found=False)
            await migrate_async(settings.database_url)
        yield settings.database_url
        return
    require_kind(settings)
    if not make and not (settings.data_path / "postgres").exists():
        raise SettingsError(f"{settings.data_path} holds no data: --data-dir names the folder that was served")
    postgres = EmbeddedPostgres(settings.data_path, binaries=settings.postgres_bin, say=say)
    async with AsyncExitStack() as stack:
        stack.enter_context(ended_by_sigterm())
        stack.push_async_callback(asyncio.to_thread, postgres.stop)  # also a start that goes on in its thread
        await asyncio.to_thread(postgres.start)
        watching = asyncio.create_task(postgres.watch(), name="postgres-watch")
        stack.callback(watching.cancel)
        mark(settings)
        await migrate_async(postgres.dsn())
        yield postgres.dsn(user=APP_ROLE)


@contextlib.contextmanager
def ended_by_sigterm() -> Iterator[None]:
    """A command that does not handle SIGTERM itself is cancelled by it, so that its PostgreSQL does not outlive it."""
    ours = threading.current_thread() is threading.main_thread()
    if not ours or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    task, loop, told = asyncio.current_task(), asyncio.get_running_loop(), asyncio.Event()
    assert task is not None

    def end() -> None:
        told.set()
        task.cancel()

    loop.add_signal_handler(signal.SIGTERM, end)
    try:
        yield
    except asyncio.CancelledError:
        if told.is_set():
            raise SystemExit(128 + signal.SIGTERM) from None
        raise
    finally:
        loop.remove_signal_handler(signal.SIGTERM)


async def _require_tables(url: str, *, found: bool = True) -> None:
    """Raises SettingsError, which tells no password, where nobody lets us in, or where our tables should be found."""
    try:
        db = await asyncpg.connect(url, timeout=ANSWER_WITHIN_S)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error) or "no answer"
        raise SettingsError(f"DATABASE_URL: {reason}") from None
    try:
        if found and await db.fetchval("SELECT to_regnamespace('bidding') IS NULL"):
            raise SettingsError("DATABASE_URL: the database holds no tables of the platform: `auction migrate`")
    finally:
        await db.close()


GC_YOUNG = 200_000
"""Objects made before the collector looks at the young ones; Python's 700 is a few bids."""


class Server(uvicorn.Server):
    """uvicorn inside our own loop: signals are ours, since the database must outlive the last request."""

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        yield


def server_for(parts: Platform) -> Server:
    """The HTTP and WebSocket server of one process, not yet started."""
    app = create_app(parts)
    if parts.settings.rehearsal:
        attach(app, parts.database, parts.settings)
    config = uvicorn.Config(
        app,
        host=parts.settings.host,
        port=parts.settings.port,
        ws=parts.live_protocol,
        http=http_protocol(parts.settings),  # type: ignore[arg-type]  # it is called, and need be no class
        loop="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=GRACE_S,
        backlog=BACKLOG,
    )
    return Server(config)


async def _refuse_an_old_backup(parts: Platform) -> None:
    """Raises SettingsError if the anchors know more than the database. A default folder beside `DATABASE_URL` is not
    asked: it may hold the anchors of another one."""
    if parts.settings.embedded or parts.settings.anchor_dir:
        fault = await behind(parts.database, FolderSink(parts.settings.anchor_path))
        if fault:
            await parts.database.close()
            raise SettingsError(f"{parts.settings.anchor_path}: {fault}")


@contextmanager
def listening(host: str, port: int) -> Iterator[None]:
    """Turns the OSError of who takes a port that is not to be had into SettingsError."""
    try:
        yield
    except OSError as error:
        unknown = isinstance(error, socket.gaierror)
        reason = error.strerror if unknown or error.errno is None else os.strerror(error.errno)
        raise SettingsError(f"cannot listen on {host}:{port}: {reason}") from None


@contextmanager
def port_of(settings: Settings) -> Iterator[list[socket.socket]]:
    """The port is ours while the body runs, but nobody is let in until somebody listens. Raises SettingsError.

    With `share_port` it is ours beside other processes that share it.
    """
    host, port = settings.host, settings.port
    with ExitStack() as stack:
        with listening(host, port):
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
            sockets = [_bound(stack, family, address, settings.share_port) for family, *_, address in found]
        yield sockets


def _bound(stack: ExitStack, family: int, address: Any, share: bool) -> socket.socket:
    bound = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if share:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if family == socket.AF_INET6:
        bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    bound.bind(address)
    return bound


@asynccontextmanager
async def serving(settings: Settings, clock: Clock, say: Callable[[str], None]) -> AsyncIterator[Platform]:
    """A whole embedded or connected process, answering on its port while the body runs."""
    with port_of(settings) as sockets:
        async with database_of(settings, say) as url:
            parts = Platform(url, settings, clock)
            await _refuse_an_old_backup(parts)
            async with AsyncExitStack() as stack:
                await stack.enter_async_context(parts.running())
                if settings.role == "all":
                    await stack.enter_async_context(parts.working())
                await stack.enter_async_context(_answering(parts, sockets))
                _settle_memory()
                say(f"网络司法拍卖平台 {settings.origin}")
                if settings.rehearsal:
                    say(WARNING)
                yield parts


@asynccontextmanager
async def _answering(parts: Platform, sockets: list[socket.socket]) -> AsyncIterator[None]:
    """HTTP and WebSockets are answered on the bound `sockets` while the body runs. Raises SettingsError."""
    with listening(parts.settings.host, parts.settings.port):
        for bound in sockets:
            bound.listen(BACKLOG)  # taken after all if somebody was bound to it as we are and listens first
    server = server_for(parts)
    task = asyncio.create_task(server.serve(sockets), name="http")
    try:
        while not server.started and not task.done():  # noqa: ASYNC110 - uvicorn offers no event
            await asyncio.sleep(0.01)
        if task.done():
            task.result()
        yield
    finally:
        server.should_exit = True
        await task


def _settle_memory() -> None:
    """Take what was imported out of the collector's sight, and let it look less often: a batch makes no cycles."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_YOUNG, 20, 50)


def signalled() -> asyncio.Event:
    """An event that SIGINT and SIGTERM set."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    return stop


async def _until_signalled(settings: Settings) -> None:
    stop = signalled()
    async with serving(settings, clock_of(settings), lambda line: print(line, flush=True)):
        await stop.wait()
        log.info("serve.stopping")


def main_serve(settings: Settings) -> int:
    """Serve until SIGINT or SIGTERM; returns the exit code."""
    configure_logs(settings.log_level)
    raise_open_files()
    run(_until_signalled(settings))
    return 0


@asynccontextmanager
async def standing_by(settings: Settings) -> AsyncIterator[Standby]:
    """A process that is the desk of every share that it can get, while the body runs."""
    assert settings.database_url is not None
    assert settings.desk_secret is not None
    url, clock, keyring = settings.database_url, SystemClock(), keyring_of(settings)
    bell = Bell(settings.redis_url) if settings.redis_url else None

    def ring(lot_id: UUID, events: list[tuple[int, bytes]], book: Book) -> None:
        if bell is not None and events:
            bell.ring(lot_id, events[-1][0])

    def make(share: int) -> Desk:
        desk = desk_of(url, settings, clock, keyring, share=share, address=settings.desk_address or door.address)
        desk.on_committed.append(ring)
        return desk

    standby = Standby(url, make)
    door = Door(standby.desks, settings.desk_secret)
    with listening(settings.desk_host, settings.desk_port):
        await door.open(settings.desk_host, settings.desk_port)
    running = [asyncio.create_task(standby.run(), name="standby")]
    if bell is not None:
        running.append(asyncio.create_task(bell.run(), name="bell"))
    try:
        yield standby
    finally:
        running[0].cancel()
        await asyncio.gather(running[0], return_exceptions=True)
        await standby.stop()
        await door.close()
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def _decide(settings: Settings) -> None:
    stop = signalled()
    async with standing_by(settings):
        _settle_memory()
        log.info("desk.stands-by")
        await stop.wait()


def main_desk(settings: Settings) -> int:
    """Stand by as a desk of the database in `DATABASE_URL`, and be one, until signalled."""
    configure_logs(settings.log_level)
    run(_decide(settings))
    return 0


async def _work(settings: Settings) -> None:
    assert settings.database_url is not None
    parts = Platform(settings.database_url, settings, SystemClock())
    try:
        async with parts.following():
            stop = signalled()  # until there is work, a signal ends us at once
            async with parts.working():
                log.info("worker.started")
                await stop.wait()
    finally:
        await parts.database.close()


def main_worker(settings: Settings) -> int:
    """Sweep due work and relay the outbox of the database in `DATABASE_URL` until signalled."""
    configure_logs(settings.log_level)
    if settings.database_url is None:
        raise SettingsError("`auction worker` needs DATABASE_URL; embedded, `auction serve` is the worker too")
    run(_work(settings))
    return 0


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run on uvloop where there is one; returns what `main` returns."""
    try:
        import uvloop
    except ImportError:
        return asyncio.run(main)
    return uvloop.run(main)
