"""A process that exports or imports and is killed in the middle: `python -m … URL STEP PATH`."""

import asyncio
import sys
from pathlib import Path

import app.bank
from kernel.clock import FrozenClock
from kernel.database import Database
from settlement.bank_files import service, store
from tests.settlement.bank_files.bank import OURS
from tests.settlement.dying import Step, die_at
from tests.support.house import START

STEPS: dict[str, Step] = {
    "export: orders claimed, nothing committed": (service, "record", 1),
    "export: committed, nothing written": (app.bank, "_write_whole", 1),
    "export: written beside its name": (Path, "replace", 1),
    "export: written": (app.bank, "print", 1),
    "import: read, nothing taken": (store, "add_file", 1),
    "import: taken, nothing committed": (service, "tell", 1),
    "import: taken, nothing booked": (service, "book_some", 1),
    "import: some booked, nothing committed": (store, "add_outcomes", 2),
    "import: first ones booked": (service, "book_some", 2),
}
"""What the process is about to do when it dies."""


async def work(url: str, action: str, path: Path) -> None:
    service.ANSWERS_AT_ONCE = 2
    database = Database(url, FrozenClock(START))
    if action == "export":
        await app.bank.export_files(database, OURS, path)
        getattr(app.bank, "print", print)("written")
    else:
        await app.bank.import_file(database, OURS, path)
    await database.close()


if __name__ == "__main__":
    die_at(STEPS[sys.argv[2]])
    asyncio.run(work(sys.argv[1], sys.argv[2].partition(":")[0], Path(sys.argv[3])))
