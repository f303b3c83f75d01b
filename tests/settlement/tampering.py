"""What `verify` finds after somebody with all rights changed a row by hand; nothing of it is kept."""

from contextlib import suppress

from sqlalchemy import text

from kernel.actors import platform
from kernel.database import Database
from settlement import verify


async def faults(database: Database) -> list[str]:
    async with database.reading(platform("verify")) as tx:
        return await verify.faults(tx)


class Undone(Exception):
    """Rolls a transaction back."""


async def found_after(database: Database, table: str, statement: str) -> list[str]:
    """What is found after a superuser switched the triggers off and changed a row; nothing of it is kept."""
    found: list[str] = []
    with suppress(Undone):
        async with database.transaction(platform("thief")) as tx:
            await tx.session.execute(text(f"ALTER TABLE settlement.{table} DISABLE TRIGGER ALL"))
            changed = await tx.session.execute(text(f"{statement} RETURNING 1"))
            assert changed.all(), statement
            found = await verify.faults(tx)
            raise Undone
    return found
