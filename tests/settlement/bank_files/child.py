"""A process that exports or imports and is killed in the middle: `python -m … URL STEP PATH`."""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

import app.bank
from kernel.clock import FrozenClock
from kernel.database import Database
from settlement.bank_files import service, store
from tests.settlement.bank_files.bank import OURS
from tests.support.house import START

STEPS: dict[str, tuple[Any, str, int]] = {
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
"""What the process is about to do when it dies: whose function, which, and at which call."""


def die_at(step: str) -> None:
    """Replace the function of the step by the end of this process."""
    owner, name, times = STEPS[step]
    real, calls = getattr(owner, name, None), 0

    def dying(*arguments: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls >= times:
            os.kill(os.getpid(), signal.SIGKILL)
        assert real is not None
        return real(*arguments, **named)

    setattr(owner, name, dying)


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
    die_at(sys.argv[2])
    asyncio.run(work(sys.argv[1], sys.argv[2].partition(":")[0], Path(sys.argv[3])))
