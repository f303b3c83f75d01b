"""`auction demo`: a platform on fresh data that starts in the past, all cases at once, all checked and summed up."""

import asyncio
import contextlib
import logging
import secrets
import shutil
import signal
import socket
import tempfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import msgspec
import structlog

from app.demo.bank import OURS, FileBank
from app.demo.case import Case, Play
from app.demo.live import Afterwards, invitation, keep_alive, prepare, windows_from
from app.demo.people import person
from app.demo.road import travel
from app.demo.sales import SALES, Sale
from app.demo.schedule import Window, at, moment_day, road_to, windows
from app.demo.stage import WALK, Stage
from app.demo.summary import Played, summarise
from app.demo.users import Door
from app.platform import Platform
from app.serve import run, serving
from kernel.actors import platform
from kernel.clock import Pace, ScaledClock, beijing, monotonic, real_now, to_ms
from kernel.logs import configure_logs
from kernel.outbox import backlog
from kernel.settings import Settings

log = structlog.get_logger("demo")

MUCH = 1_000_000
REPORT_EVERY_S = 6
SETTLE_LOOK_S = 0.1
SEALED_AFTER_S = 2
FAILED, STOPPED = 1, 130


class Speaker:
    """What the demo says while it plays: one line for each thing that happened, with the real seconds and the date."""

    def __init__(self) -> None:
        self._began = monotonic()
        self.clock: ScaledClock | None = None

    @property
    def elapsed_s(self) -> float:
        return monotonic() - self._began

    def step(self, who: str, what: str) -> None:
        """A step of a case, on its platform day."""
        day = beijing(self.clock.now())[:10] if self.clock else ""
        print(f"{self.elapsed_s:6.1f}s  {day}  【{who}】{what}", flush=True)

    def plain(self, what: str) -> None:
        print(f"{self.elapsed_s:6.1f}s  {what}", flush=True)


@dataclass
class Options:
    """`leave`: end after the summary. `data_dir`: a new folder, kept; else a temporary one. `only`: keys of sales."""

    leave: bool = False
    port: int | None = None
    data_dir: str | None = None
    only: Collection[str] = ()

    @property
    def sales(self) -> list[Sale]:
        return [sale for sale in SALES if not self.only or sale.key in self.only]


def main_demo(settings: Settings, options: Options) -> int:
    """Play the demo; 0 if nothing was refused, every published figure came out and nothing fails to verify."""
    folder = Path(options.data_dir or tempfile.mkdtemp(prefix="auction-demo-")).absolute()
    if options.data_dir and folder.exists() and any(folder.iterdir()):
        print(f"目录 {folder} 不为空，演示须使用新目录 (not empty; the demo plays on fresh data)")
        return 2
    folder.mkdir(parents=True, exist_ok=True)
    speaker = Speaker()
    with (folder / "demo.log").open("a") as log:
        configure_logs(settings.log_level, log)
        logging.getLogger("httpx").setLevel(logging.WARNING)
        speaker.plain(f"数据 data: {folder}，日志 log: {log.name}")
        code = run(_demo(_settings(settings, options, folder), speaker, options))
    if code != FAILED and options.data_dir is None:
        shutil.rmtree(folder, ignore_errors=True)
    else:
        speaker.plain(f"数据与日志留在 data and log stay in {folder}")
    return code


def _settings(settings: Settings, options: Options, folder: Path) -> Settings:
    """The demo's own settings: embedded, quick passwords, and room for a hundred people signing in at once.

    Deposits are paid in at the simulated bank, as from the pages; all other money comes and goes in bank files.
    """
    return msgspec.structs.replace(
        settings,
        data_dir=str(folder),
        database_url=None,
        redis_url=None,
        rehearsal=False,
        public_origin=None,
        port=_port(settings, options.port),
        password_memory_kib=19_456,
        sign_ups_per_minute=MUCH,
        sign_ins_per_minute=MUCH,
        demo=True,
        simulated_bank=True,
        bank_account=OURS.number,
        bank_account_holder=OURS.holder,
        bank_name=OURS.bank,
    )


def _port(settings: Settings, wanted: int | None) -> int:
    """The port that was asked for; else the usual one, or any free one if that is taken."""
    if wanted is not None:
        return wanted
    for port in (settings.port, 0):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((settings.host, port))
            return int(probe.getsockname()[1])
    return settings.port


async def _demo(settings: Settings, speaker: Speaker, options: Options) -> int:
    """Play until done or until SIGINT or SIGTERM."""
    show = Show(settings, speaker, options)
    playing = asyncio.create_task(show.play())
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, playing.cancel)
    try:
        await playing
    except asyncio.CancelledError:
        speaker.plain("已停止 stopped")
    except Exception as error:
        for fault in _leaves(error):
            speaker.plain(f"失败 failed: {type(fault).__name__}: {fault}")
            log.error("demo.failed", exc_info=fault)
        return FAILED
    return show.code


def _leaves(error: BaseException) -> list[BaseException]:
    """What really went wrong inside groups of exceptions."""
    if isinstance(error, BaseExceptionGroup):
        return [leaf for each in error.exceptions for leaf in _leaves(each)]
    return [error]


@dataclass
class Show:
    """One run of the demo. `code` is the exit code so far: stopped early, until everything was checked."""

    settings: Settings
    speaker: Speaker
    options: Options
    code: int = STOPPED

    async def play(self) -> None:
        """Play all cases from the past to now, check and sum up; then serve on, unless the demo is to end."""
        first, second = windows(moment_day(real_now()))
        filed = min(road_to(moment_day(first.opens_at), movable=movable).filed for movable in (True, False))
        began_ms = to_ms(at(filed, 8))
        clock = self.speaker.clock = ScaledClock(Pace(to_ms(real_now()), began_ms, WALK, began_ms, WALK))
        async with serving(self.settings, clock, self.speaker.plain) as parts:
            door = Door(self.settings.origin, parts.database, parts.identity.passwords, secrets.token_urlsafe(9))
            try:
                stage = Stage(parts.database, clock)
                bank = FileBank(await door.machine(person("bank", door.next_number())), stage)
                play = Play(stage, door, bank, self.speaker.step)
                cases, afterwards = await _act(play, first, second, self.options)
                harmless = await bank.replay()
                await _settle(parts)
                told = Played(cases, bank, self.speaker.elapsed_s, stage.changes_of_pace, replay_harmless=harmless)
                self.code = 0 if await summarise(parts, told) else FAILED
                if afterwards is not None:
                    await _serve_on(afterwards, bank, door.password)
            finally:
                await door.close()


async def _act(play: Play, first: Window, second: Window, options: Options) -> tuple[list[Case], Afterwards | None]:
    """All cases at once, until the last payout; then platform time is real time."""
    async with asyncio.TaskGroup() as tasks:
        play.tasks = tasks
        always = (play.stage.conduct(), play.bank.run(), _report(play))
        helpers = [tasks.create_task(helper) for helper in always]
        roads = [tasks.create_task(travel(play, sale, first, second)) for sale in options.sales]
        live = tasks.create_task(prepare(play, windows_from(real_now()))) if not options.leave else None
        cases = await asyncio.gather(*roads)
        afterwards = await live if live else None
        async with play.stage.at(real_now()):
            for helper in helpers:
                helper.cancel()
    play.stage.arrive()
    return cases, afterwards


async def _serve_on(afterwards: Afterwards, bank: FileBank, password: str) -> None:
    """Serve until cancelled, with people bidding on the live lots and the bank at work."""
    working = asyncio.create_task(bank.run())
    for line in invitation(afterwards, password):
        print(line, flush=True)
    try:
        await keep_alive(afterwards.lots)
    except Exception as error:
        log.exception("demo.bidders-failed", error=repr(error))
    await working


async def _report(play: Play) -> None:
    """Say now and then how bidding goes on, for its steps are too many to tell."""
    told = 0
    while True:
        await asyncio.sleep(REPORT_EVERY_S)
        if play.bids_made > told:
            told = play.bids_made
            play.say("竞价", f"{beijing(play.stage.clock.now())[11:16]} 已出价 {told} 次 bids so far")


async def _settle(parts: Platform) -> None:
    """Wait until the platform has nothing due, and everything of the last seconds is sealed."""
    await asyncio.sleep(SEALED_AFTER_S)
    while True:
        async with parts.database.reading(platform("demo")) as tx:
            waiting, _ = await backlog(tx)
        if not waiting:
            return
        await asyncio.sleep(SETTLE_LOOK_S)
