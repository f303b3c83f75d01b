"""`auction bank import` and `auction bank export`: the bank's files by hand or by a timer, without a machine account.

Both may be killed at any step and run again: a file that was taken is known, a movement is booked once per bank
reference, and a payment file is written anew, byte for byte, until the bank has answered all its orders.
"""

import argparse
import asyncio
import sys
from pathlib import Path

from app.files import writing
from app.serve import database_of
from kernel.actors import platform
from kernel.clock import SystemClock
from kernel.clock_watch import follow, read_database_clock
from kernel.database import Database
from kernel.errors import Refusal
from kernel.files import write_whole
from kernel.settings import Settings
from settlement.bank_files import service
from settlement.bank_files.models import PaymentFile
from settlement.bank_files.routes import account_of
from settlement.bank_files.rules import OurAccount

MACHINE = platform("auction bank")


async def import_file(database: Database, ours: OurAccount, path: Path) -> str:
    """Take one file and book all its movements; returns a line that says what became of them."""
    content = await asyncio.to_thread(path.read_bytes)
    message = await service.read(content, ours)
    async with database.transaction(MACHINE) as tx:
        taken = await service.take(tx, message, content)
    more = True
    while more:
        async with database.transaction(MACHINE) as tx:
            more = await service.book_some(tx, taken.id)
    view = await service.show_file(database, MACHINE, taken.id)
    told = [f"{number} {outcome}" for outcome, number in view.outcomes.items()]
    refused = [f"{each.reference} refused: {each.code}" for each in view.refused]
    return "; ".join([f"{path}: {view.kind} {view.message_id}", *told, *refused])


async def export_files(database: Database, ours: OurAccount, folder: Path) -> list[Path]:
    """Make a file of the orders that wait, then write every file that the bank has not answered whole."""
    service.load()
    async with database.transaction(MACHINE) as tx:
        await service.export(tx, ours)
    async with database.reading(MACHINE) as tx:
        files = await service.unanswered_files(tx)
    return [await asyncio.to_thread(_write_whole, folder, file) for file in files]


def _write_whole(folder: Path, file: PaymentFile) -> Path:
    """Write the file under its message id, so that whoever looks sees all of it or nothing."""
    path = folder / f"{file.id.hex}.xml"
    with writing(path):
        write_whole(path, file.content, replace=True)
    return path


async def _run(settings: Settings, ours: OurAccount, arguments: argparse.Namespace) -> int:
    failed = 0
    async with database_of(settings, lambda line: print(line, file=sys.stderr), make=False) as url:
        database = Database(url, SystemClock())
        try:
            follow(database.clock, await read_database_clock(database))
            if arguments.action == "export":
                for written in await export_files(database, ours, Path(arguments.folder)):
                    print(written)
            else:
                for path in arguments.files:
                    try:
                        print(await import_file(database, ours, Path(path)))
                    except (Refusal, OSError) as error:
                        failed = 1
                        reason = error.detail_en if isinstance(error, Refusal) else error.strerror
                        print(f"{path}: {reason}", file=sys.stderr)
        finally:
            await database.close()
    return failed


def main_bank(settings: Settings, arguments: argparse.Namespace) -> int:
    """Import or export; exit code 1 if a file could not be taken, 2 without a bank account in the settings."""
    ours = account_of(settings)
    if ours is None:
        print("no bank whose files are exchanged: set AUCTION_BANK_ACCOUNT", file=sys.stderr)
        return 2
    return asyncio.run(_run(settings, ours, arguments))
