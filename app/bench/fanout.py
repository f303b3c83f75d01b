"""`auction bench fanout`: what a frame costs the server when thousands watch one lot, beside nchan in the same run.

The server is `auction serve` in a process of its own, with its own durable PostgreSQL; bidders and watchers are two
further processes. CPU is the server process's user and system time over the measured seconds, PostgreSQL's apart,
divided by the frames that arrived in them: events, ticks and answers, whatever else the server did meanwhile included.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from app.bench import nchan
from app.bench.ground import Ticket, lay_out
from app.bench.load import Outcome, plan_of, played
from app.bench.processes import CpuClock, cpu_s, resident_kib
from app.bench.stage import LIMITS, folder_for_data, look_up, not_durable, postgres_in, say, server
from app.bench.watchers import Look, Ready, Seen, Sent
from app.migrate import migrate
from app.open_files import raise_open_files

WARM_UP_S = 5.0
FEWEST_WATCHERS = 5_000
FEWEST_SECONDS = 20
SPARE_FILES = 1_000


class Options(msgspec.Struct, frozen=True):
    """The command line. `rate` is bids offered a second in all."""

    watchers: int = FEWEST_WATCHERS
    bidders: int = 10
    rate: int = 10
    seconds: int = FEWEST_SECONDS
    data_dir: str = ".data"
    warm_up_s: float = WARM_UP_S


class Run(msgspec.Struct, frozen=True):
    """What was seen of our own server."""

    outcome: Outcome
    seen: Seen
    connect_s: float
    connect_cpu_s: float
    cpu_s: float
    over_s: float
    held_kib: int
    acks: Path


def main_bench_fanout(options: Options) -> int:
    """Run the benchmark; exit code 1 if a watcher missed an event or an acknowledgement was lost."""
    with folder_for_data(options.data_dir) as folder:
        report = _measure(options, folder)
    print(msgspec.json.encode(report).decode(), flush=True)
    return 1 if report["lost"] or report["gaps"] or report["missing"] else 0


def _measure(options: Options, folder: Path) -> dict[str, Any]:
    files = raise_open_files()
    if files < options.watchers + SPARE_FILES:
        raise SystemExit(f"only {files} files may be open (ulimit -Hn), {options.watchers + SPARE_FILES} are needed")
    with postgres_in(folder) as postgres:
        migrate(postgres.dsn())
        tickets = asyncio.run(lay_out(postgres.dsn(), 1, options.bidders))
    run = _run(options, folder, tickets)
    with postgres_in(folder) as postgres:
        lost, settings = asyncio.run(look_up(postgres.dsn(), run.acks))
    say(f"{run.seen.frames} frames to watchers, {run.outcome.acks_on_file} bids, {lost} lost")
    beside = None
    if nchan.installed():
        say("the same to as many sockets by nginx with nchan")
        beside = nchan.measured(folder, watching, options.watchers, run.seen.messages, run.over_s)
    frames = run.seen.frames + run.outcome.frames
    each_us = round(run.cpu_s / frames * 1e6, 2) if frames else None
    return {
        "watchers": options.watchers,
        "cpu_us_per_message": each_us,
        "p50_ms": run.seen.p50_ms,
        "p99_ms": run.seen.p99_ms,
        "last_p50_ms": run.seen.last_p50_ms,
        "last_p99_ms": run.seen.last_p99_ms,
        "memory_kib_per_socket": round(run.held_kib / options.watchers, 1),
        "nchan_cpu_us_per_message": beside.cpu_us_per_message if beside else None,
        "ratio_to_nchan": _ratio(each_us, beside),
        "nchan": beside,
        "bidders": options.bidders,
        "rate": options.rate,
        "frames": frames,
        "frames_per_s": round(frames / run.over_s, 1),
        "messages": len(run.seen.messages),
        "gaps": run.seen.gaps,
        "missing": run.seen.missing + run.seen.lost_sockets,
        "accepted": run.outcome.accepted,
        "refusals": run.outcome.refusals,
        "lost": lost + run.outcome.unanswered,
        "ack_p50_ms": run.outcome.p50_ms,
        "ack_p99_ms": run.outcome.p99_ms,
        "server_cpu_share": round(run.cpu_s / run.over_s, 2),
        "connect_s": run.connect_s,
        "connect_cpu_ms_per_socket": round(run.connect_cpu_s / options.watchers * 1000, 2),
        "seconds": round(run.over_s, 2),
        "warm_up_s": options.warm_up_s,
        "cores": os.cpu_count(),
        "load_average": round(os.getloadavg()[0], 1),
        "open_files": files,
        "limits": LIMITS,
        "settings": settings,
        "void": _void(options, folder, run, settings),
    }


def _ratio(each_us: float | None, beside: nchan.Beside | None) -> float | None:
    return round(each_us / beside.cpu_us_per_message, 2) if each_us and beside and beside.cpu_us_per_message else None


def _run(options: Options, folder: Path, tickets: list[Ticket]) -> Run:
    with server(folder) as served:
        say(f"{options.watchers} watchers, {options.rate} bids a second by {options.bidders} bidders")
        plan = plan_of(
            tickets,
            served.port,
            folder,
            watchers=0,
            rate=options.rate,
            warm_up_s=options.warm_up_s,
            seconds=options.seconds,
        )
        before_kib, before_s = resident_kib(served.pid), cpu_s(served.pid)
        look = Look(host=plan.host, port=plan.port, path=f"/live/lots/{plan.lots[0]}", sockets=options.watchers)
        with watching(look) as watchers, CpuClock(served.pid) as clock:
            held_kib, connect_cpu_s = resident_kib(served.pid) - before_kib, cpu_s(served.pid) - before_s
            outcome = played(plan)
            begin_s, end_s = outcome.begin_s, outcome.begin_s + outcome.measured_s
            lines = (line.split("\t") for line in Path(plan.sent_file).read_text().splitlines())
            sent = {int(seq): float(at) for seq, at in lines if begin_s <= float(at) < end_s}
            seen = watchers.seen(Sent(begin_s, end_s, sent))
        cpu, over_s = clock.between(begin_s, end_s)
    return Run(outcome, seen, watchers.connect_s, connect_cpu_s, cpu, over_s, held_kib, Path(plan.acks_file))


class Watching:
    """The process of the watchers, once all their sockets are open."""

    def __init__(self, process: "subprocess.Popen[bytes]", look: Look) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._to, self._from = process.stdin, process.stdout
        self._tell(look)
        self.connect_s = msgspec.json.decode(self._answer(), type=Ready).connect_s

    def seen(self, sent: Sent) -> Seen:
        """End the watch; what came of what was sent."""
        self._tell(sent)
        return msgspec.json.decode(self._answer(), type=Seen)

    def _tell(self, told: msgspec.Struct) -> None:
        self._to.write(msgspec.json.encode(told) + b"\n")
        self._to.flush()

    def _answer(self) -> bytes:
        line = self._from.readline()
        if not line:
            raise RuntimeError("the process of the watchers ended")
        return line


@contextmanager
def watching(look: Look) -> Iterator[Watching]:
    """A process with all the sockets of `look` open, until the body ends."""
    command = [sys.executable, "-m", "app.bench.watchers"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:  # noqa: S603 - our own
        try:
            yield Watching(process, look)
        finally:
            process.kill()


def _void(options: Options, folder: Path, run: Run, settings: dict[str, str]) -> list[str]:
    """Why the figures prove nothing; empty for an honest run."""
    reasons = []
    if options.watchers < FEWEST_WATCHERS:
        reasons.append(f"fewer than {FEWEST_WATCHERS} watchers")
    if options.seconds < FEWEST_SECONDS or options.warm_up_s < WARM_UP_S:
        reasons.append(f"under {WARM_UP_S:.0f} s of warm-up and {FEWEST_SECONDS} s measured")
    if run.outcome.accepted < 0.9 * options.rate * options.seconds:
        reasons.append(f"under 90 % of {options.rate} bids a second accepted")
    return reasons + not_durable(folder, settings)
