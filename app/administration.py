"""`auction migrate` and `auction create-user`: what an administrator does from the command line."""

import argparse
import asyncio
import getpass
import sys

from app.serve import database_of
from kernel.actors import Role
from kernel.clock import SystemClock
from kernel.database import Database
from kernel.errors import Refusal
from kernel.identity import service
from kernel.identity.passwords import Passwords
from kernel.settings import Settings


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


async def _migrate(settings: Settings) -> None:
    async with database_of(settings, say):
        say("the database is at the newest schema")


def main_migrate(settings: Settings) -> int:
    """Migrate the embedded or the connected database."""
    asyncio.run(_migrate(settings))
    return 0


async def _create_user(settings: Settings, arguments: argparse.Namespace, roles: set[Role], password: str) -> None:
    async with database_of(settings, say) as url:
        database = Database(url, SystemClock())
        try:
            person = await service.create_staff(
                database,
                Passwords(settings.password_memory_kib),
                username=arguments.username,
                real_name=arguments.name,
                password=password,
                roles=roles,
                court_code=arguments.court_code,
                court_name=arguments.court_name,
            )
        finally:
            await database.close()
    say(f"created {person.username} ({', '.join(person.roles)}) at {person.court or 'no court'}")


def main_create_user(settings: Settings, arguments: argparse.Namespace) -> int:
    """Create a person with roles; the password is asked for, or read from a pipe."""
    try:
        roles = {Role(role) for role in arguments.role}
    except ValueError as error:
        say(f"{error}; roles are {', '.join(Role)}")
        return 2
    password = getpass.getpass("password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    try:
        asyncio.run(_create_user(settings, arguments, roles, password))
    except Refusal as refusal:
        say(f"{refusal.code}: {refusal.detail_en}")
        return 1
    return 0
