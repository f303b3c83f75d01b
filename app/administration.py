"""`auction migrate`, `create-user`, `create-users` and `keys`: what an administrator does from the command line."""

import argparse
import asyncio
import csv
import getpass
import io
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from app.files import read_file, reading
from app.rehearsal import clock_of
from app.serve import database_of
from bidding.desk import lease, shares
from bidding.evidence.schemas import KeysView
from kernel.actors import Role
from kernel.database import Database
from kernel.errors import Refusal
from kernel.identity import service
from kernel.identity.passwords import Passwords
from kernel.settings import Settings
from kernel.signatures import Keyring


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


async def _migrate(settings: Settings) -> None:
    async with database_of(settings, say):
        say("the database is at the newest schema")


def main_migrate(settings: Settings) -> int:
    """Migrate the embedded or the connected database."""
    asyncio.run(_migrate(settings))
    return 0


@dataclass(frozen=True, slots=True)
class NewUser:
    """A member of staff or a machine, as an administrator names them."""

    username: str
    name: str
    roles: frozenset[Role]
    password: str


COLUMNS = ("username", "name", "roles", "password")


def read_users(lines: Iterable[str]) -> list[NewUser]:
    """The rows of a CSV with the header `username,name,roles,password`, several roles parted by blanks.

    Raises ValueError for what is no CSV, another header, a row of another width, and a role that does not exist.
    """
    try:
        header, *rows = list(csv.reader(lines)) or [[]]
    except csv.Error as error:
        raise ValueError(f"no CSV: {error}") from None
    if tuple(header) != COLUMNS:
        raise ValueError(f"the first line must be {','.join(COLUMNS)}")
    if wrong := next((row for row in rows if len(row) != len(COLUMNS)), None):
        raise ValueError(f"not {len(COLUMNS)} columns: {','.join(wrong[:1])}…")
    return [NewUser(row[0], row[1], read_roles(row[2].split()), row[3]) for row in rows]


def read_roles(names: Iterable[str]) -> frozenset[Role]:
    """Raises ValueError, naming all roles, for one that does not exist."""
    wanted = set(names)
    if unknown := wanted.difference(Role):
        raise ValueError(f"no role {', '.join(sorted(unknown))}; roles are {', '.join(Role)}")
    return frozenset(map(Role, wanted))


async def _create(settings: Settings, users: Sequence[NewUser], court_code: str | None, court_name: str | None) -> None:
    async with database_of(settings, say) as url:
        database = Database(url, clock_of(settings))
        try:
            for user in users:
                person = await service.create_staff(
                    database,
                    Passwords(settings.password_memory_kib),
                    username=user.username,
                    real_name=user.name,
                    password=user.password,
                    roles=user.roles,
                    court_code=court_code,
                    court_name=court_name,
                )
                say(f"created {person.username} ({', '.join(person.roles)}) at {person.court or 'no court'}")
        finally:
            await database.close()


def _run(settings: Settings, users: Sequence[NewUser], arguments: argparse.Namespace) -> int:
    try:
        asyncio.run(_create(settings, users, arguments.court_code, arguments.court_name))
    except Refusal as refusal:
        say(f"{refusal.code}: {refusal.detail_en}")
        return 1
    return 0


def main_create_user(settings: Settings, arguments: argparse.Namespace) -> int:
    """Create a person with roles; the password is asked for, or read from a pipe."""
    try:
        roles = read_roles(arguments.roles)
    except ValueError as error:
        say(str(error))
        return 2
    password = getpass.getpass("password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    return _run(settings, [NewUser(arguments.username, arguments.name, roles, password)], arguments)


async def _show_or_change_desks(settings: Settings, number: int | None) -> None:
    async with database_of(settings, say, make=False) as url:
        db = await lease.connect(url, "desks")
        try:
            if number is not None:
                await shares.change(db, number)
            for seat in await shares.seats(db):
                alive = "free" if seat.free or seat.silent_s is None else f"last sign {seat.silent_s:.1f} s ago"
                print(f"share {seat.share}: epoch {seat.epoch}, {seat.address or '-'}, {alive}")
        finally:
            await db.close()


def main_desks(settings: Settings, number: int | None) -> int:
    """Print who decides which share of the lots, after sharing them out anew among `number` desks if given."""
    asyncio.run(_show_or_change_desks(settings, number))
    return 0


def main_create_users(settings: Settings, arguments: argparse.Namespace) -> int:
    """Create the staff of one court from a CSV; at a refusal those before it are created."""
    with reading(arguments.file):
        users = read_users(io.StringIO(read_file(arguments.file).decode(), newline=""))
    return _run(settings, users, arguments)


def main_keys(action: str, file: str) -> int:
    """Make, change or show a file of signing keys; what is printed are the public keys, as `--keys` reads them."""
    path = Path(file)
    if action == "new" and path.exists():
        say(f"{path} exists already")
        return 1
    keyring = Keyring.load_or_make(path) if action == "new" else Keyring.load(path)
    if action == "rotate":
        keyring = keyring.rotated()
        keyring.write(path, replace=True)
    print(msgspec.json.encode(KeysView(list(keyring.keys.values()))).decode())
    return 0
