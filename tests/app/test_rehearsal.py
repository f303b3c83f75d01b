"""A rehearsal's data and real data are never taken for each other, and its time only ever goes forward."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from app.administration import NewUser, read_users
from app.cli import main
from app.rehearsal import DEMO_MARK, MARK, Rehearsal, as_marked, clock_of, mark, require_kind
from kernel.actors import Role, platform
from kernel.clock import ScaledClock, SystemClock
from kernel.contracts import DueWork
from kernel.database import Database, Tx
from kernel.errors import Busy
from kernel.outbox import Relay, tell
from kernel.settings import Settings, SettingsError, load
from tests.bidding.support import publish

DAY = timedelta(days=1)


def _settings(folder: Path, *, rehearsal: bool) -> Settings:
    return Settings(data_dir=str(folder), rehearsal=rehearsal)


def test_a_marked_folder_is_never_served_as_real(tmp_path: Path) -> None:
    require_kind(_settings(tmp_path, rehearsal=True))
    mark(_settings(tmp_path, rehearsal=True))
    require_kind(_settings(tmp_path, rehearsal=True))
    with pytest.raises(SettingsError, match="holds a rehearsal"):
        require_kind(_settings(tmp_path, rehearsal=False))


def test_a_demo_s_folder_is_served_by_nobody_else(tmp_path: Path) -> None:
    played = Settings(data_dir=str(tmp_path), demo=True)
    require_kind(played)
    mark(played)
    require_kind(played)
    assert (tmp_path / DEMO_MARK).exists()
    for rehearsal in (False, True):
        with pytest.raises(SettingsError, match="never served as real"):
            require_kind(_settings(tmp_path, rehearsal=rehearsal))
    require_kind(as_marked(_settings(tmp_path, rehearsal=False)))


def test_nobody_plays_a_demo_by_a_setting() -> None:
    with pytest.raises(SettingsError, match="auction demo"):
        load({"AUCTION_DEMO": "true"})


def test_real_data_are_never_rehearsed(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    require_kind(_settings(tmp_path, rehearsal=False))
    with pytest.raises(SettingsError, match="holds no rehearsal"):
        require_kind(_settings(tmp_path, rehearsal=True))
    assert not (tmp_path / MARK).exists()


def test_real_data_get_no_mark(tmp_path: Path) -> None:
    mark(_settings(tmp_path, rehearsal=False))
    assert not (tmp_path / MARK).exists()
    assert isinstance(clock_of(_settings(tmp_path, rehearsal=False)), SystemClock)


def test_a_rehearsal_keeps_its_hands_off_a_managed_database() -> None:
    with pytest.raises(SettingsError, match="DATABASE_URL"):
        load({"DATABASE_URL": "postgresql://x/y", "AUCTION_REHEARSAL": "true"})


def test_the_command_line_refuses_a_wrong_folder_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    mark(_settings(tmp_path, rehearsal=True))
    assert main(["verify", "--data-dir", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


class Chore(DueWork, frozen=True, kw_only=True):
    """Something that falls due on the way."""

    @property
    def key(self) -> str:
        return "chore"


@pytest.fixture
async def database(database_url: str, tmp_path: Path) -> AsyncIterator[Database]:
    opened = Database(database_url, clock_of(_settings(tmp_path, rehearsal=True)))
    yield opened
    await opened.close()


def _rehearsal(database: Database, folder: Path) -> Rehearsal:
    assert isinstance(database.clock, ScaledClock)
    return Rehearsal(database, database.clock, folder)


@pytest.mark.anyio
async def test_time_stops_at_what_falls_due_and_goes_on_when_it_is_done(database: Database, tmp_path: Path) -> None:
    done: list[datetime] = []
    relay = Relay(database)

    async def do(tx: Tx, chore: Chore) -> None:
        done.append(tx.now())

    relay.on(Chore, do)
    start = database.clock.now()
    async with database.transaction(platform("test")) as tx:
        await tell(tx, Chore(), due_at=start + 5 * DAY)
    relaying = asyncio.create_task(relay.run())
    await _rehearsal(database, tmp_path).forward(start + 20 * DAY)
    relaying.cancel()
    assert timedelta() <= done[0] - (start + 5 * DAY) < timedelta(minutes=1), "done on its day, not on the last"
    assert timedelta() <= database.clock.now() - (start + 20 * DAY) < timedelta(minutes=1)
    assert database.clock.rate == 1


@pytest.mark.anyio
async def test_time_waits_where_the_platform_is_stuck(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.rehearsal.DONE_WITHIN_S", 1)
    start = database.clock.now()
    async with database.transaction(platform("test")) as tx:
        await tell(tx, Chore(), due_at=start + 5 * DAY)
    with pytest.raises(Busy):
        await _rehearsal(database, tmp_path).forward(start + 20 * DAY)
    assert database.clock.now() < start + 6 * DAY
    async with database.transaction(platform("test")) as tx:
        await tx.session.execute(text("UPDATE kernel.outbox SET done_at = now()"))


@pytest.mark.anyio
async def test_time_waits_for_the_desk_to_open_and_close(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.rehearsal.DONE_WITHIN_S", 0.2)
    opens_at = database.clock.now() + 5 * DAY
    await publish(database, opens_at=opens_at, scheduled_end=opens_at + DAY)
    for reached, status in ((opens_at, "open"), (opens_at + DAY, "withdrawn")):
        with pytest.raises(Busy):
            await _rehearsal(database, tmp_path).forward(opens_at + 20 * DAY)
        assert timedelta() <= database.clock.now() - reached < timedelta(minutes=1)
        async with database.transaction(platform("test")) as tx:
            await tx.session.execute(text("UPDATE bidding.lot SET status = :status"), {"status": status})


@pytest.mark.anyio
async def test_a_restart_goes_on_no_earlier_than_it_ended(database: Database, tmp_path: Path) -> None:
    to = database.clock.now() + 20 * DAY
    rehearsal = _rehearsal(database, tmp_path)
    await rehearsal.forward(to)
    await rehearsal.forward(to - DAY)
    ended = database.clock.now()
    again = clock_of(_settings(tmp_path, rehearsal=True)).now()
    assert ended <= again < to + timedelta(minutes=1)


def test_users_are_read_strictly() -> None:
    header = "username,name,roles,password"
    assert read_users([header, "li,李,clerk judge,a long one"]) == [
        NewUser("li", "李", frozenset({Role.CLERK, Role.JUDGE}), "a long one")
    ]
    for wrong in ([], ["name,username,roles,password"], [header, "li,李,clerk"], [header, "li,李,emperor,secret"]):
        with pytest.raises(ValueError, match=r"first line|columns|roles are"):
            read_users(wrong)
