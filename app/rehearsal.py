"""`auction serve --rehearsal`: the weeks that the law gives pass when the operator says so, on data kept apart.

Platform time is real time plus what was skipped. It runs at its usual pace, so that five minutes of extension are
five minutes, until the operator moves it forward. Then it races to whatever falls due next, waits until the platform
has done it, and goes on: nothing is decided out of order, and no period is shortened. The data folder carries a mark:
a rehearsal's data are never served as real ones, nor real ones rehearsed.
"""

import asyncio
import json
import os
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
from litestar import Litestar, post
from litestar.datastructures import State
from litestar.params import JSONBody
from msgspec import Struct

from bidding import api as bidding
from kernel import outbox
from kernel.actors import Role, platform
from kernel.clock import Clock, Pace, ScaledClock, SystemClock, beijing, monotonic, real_now, to_ms
from kernel.database import Database, Tx
from kernel.decoding import Moment, Wire
from kernel.errors import Busy, Malformed
from kernel.settings import Settings, SettingsError
from kernel.web import allow

MARK = "rehearsal.json"
DEMO_MARK = "demo.json"
RACE = 10_000_000
"""Platform seconds per real second while time is moved forward."""

LONGEST_STEP = timedelta(days=400)
LOOK_S = 0.02
DONE_WITHIN_S = 20

WARNING = """\
**********************************************************************
***  演练 REHEARSAL: time is moved by hand, and nothing here counts.
***  Its data can never be served as real ones.
**********************************************************************"""


def require_kind(settings: Settings) -> None:
    """Refuse (SettingsError) to rehearse or play on real data, and to take a rehearsal's or a demo's for real ones."""
    folder = settings.data_path
    if (folder / DEMO_MARK).exists() and not settings.demo:
        raise SettingsError(f"演示数据 {folder} holds a demo's made-up cases: they are never served as real ones")
    marked = (folder / MARK).exists()
    if marked and not settings.rehearsal:
        raise SettingsError(f"演练数据 {folder} holds a rehearsal: add --rehearsal, or choose another folder")
    if settings.rehearsal and not marked and (folder / "postgres").exists():
        raise SettingsError(f"正式数据 {folder} holds no rehearsal: choose another folder to rehearse in")


def as_marked(settings: Settings) -> Settings:
    """Settings to look at whatever the folder holds, a demo's data too: for `verify`, which serves nobody."""
    return msgspec.structs.replace(settings, demo=(settings.data_path / DEMO_MARK).exists())


def mark(settings: Settings) -> None:
    """Mark a rehearsal's or a demo's folder; called by whoever holds its lock."""
    if settings.rehearsal and not (settings.data_path / MARK).exists():
        _keep(settings.data_path, MARK, {"skipped_ms": 0})
    if settings.demo:
        _keep(settings.data_path, DEMO_MARK, {})


def clock_of(settings: Settings) -> Clock:
    """The platform clock: the system's, or in a rehearsal real time plus what was skipped so far."""
    if not settings.rehearsal:
        return SystemClock()
    path = settings.data_path / MARK
    skipped_ms = json.loads(path.read_text())["skipped_ms"] if path.exists() else 0
    real_ms = to_ms(real_now())
    return ScaledClock(Pace(real_ms, real_ms + skipped_ms, 1, real_ms + skipped_ms, 1))


def _keep(folder: Path, name: str, said: dict[str, int]) -> None:
    """Write a mark so that it survives a power cut: platform time must not step back at the next start."""
    fresh = folder / f"{name}.new"
    with fresh.open("w") as file:
        json.dump(said, file)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(folder / name)


async def _next_due(tx: Tx) -> datetime | None:
    """Asked of one snapshot: between two, what was due could move from where it was not seen yet to where it was."""
    moments = [await outbox.next_due(tx), await bidding.next_due(tx)]
    return min((moment for moment in moments if moment is not None), default=None)


class Rehearsal:
    """Moves the clock of one process; one call at a time."""

    def __init__(self, database: Database, clock: ScaledClock, folder: Path) -> None:
        self._database = database
        self._clock = clock
        self._folder = folder
        self._turn = asyncio.Lock()

    async def forward(self, to_at: Moment) -> None:
        """Let time pass until `to_at`, doing on the way all that falls due; a moment that has passed changes nothing.

        Raises Busy if the platform does not get on with what is due: time then stands where that is.
        """
        async with self._turn:
            stuck_s = monotonic() + DONE_WITHIN_S
            while True:
                async with self._database.reading(platform("rehearsal")) as tx:
                    next_at, now = await _next_due(tx), tx.now()
                if next_at is not None and next_at <= now:
                    if monotonic() > stuck_s:
                        raise Busy()
                elif now >= to_at:
                    return
                else:
                    await self._race(to_at if next_at is None else min(next_at, to_at))
                    stuck_s = monotonic() + DONE_WITHIN_S
                await asyncio.sleep(LOOK_S)

    async def _race(self, to_at: Moment) -> None:
        _keep(self._folder, MARK, {"skipped_ms": to_ms(to_at) - to_ms(real_now())})
        self._clock.run(RACE, to_at, 1)
        await asyncio.sleep((to_at - self._clock.now()) / timedelta(seconds=RACE))


class Forward(Wire, frozen=True):
    """The moment to which time is moved."""

    to: Moment


class Reached(Struct, frozen=True):
    """Platform time once everything due by then is done."""

    now: str


@post("/api/rehearsal/forward", guards=[allow(Role.OPERATOR)], status_code=201)
async def forward(state: State, data: JSONBody[Forward]) -> Reached:
    """Move the rehearsal's time forward. Sent twice it is done once, since the moment is absolute."""
    rehearsal: Rehearsal = state["rehearsal"]
    clock: Clock = state["database"].clock
    if data.to - clock.now() > LONGEST_STEP:
        raise Malformed("$.to", f"a time within {LONGEST_STEP.days} days", f"{LONGEST_STEP.days} 日以内的时间")
    await rehearsal.forward(data.to)
    return Reached(beijing(clock.now()))


def attach(app: Litestar, database: Database, settings: Settings) -> None:
    """Open the operator's door to the clock; only a rehearsal has it."""
    assert isinstance(database.clock, ScaledClock)
    app.state["rehearsal"] = Rehearsal(database, database.clock, settings.data_path)
    app.register(forward)
