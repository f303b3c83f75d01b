"""Somebody with all rights over the database and bad intentions."""

import asyncpg


async def as_superuser(url: str, *statements: str) -> None:
    """Triggers off, then anything, in one transaction; each statement must hit something."""
    db = await asyncpg.connect(url)
    try:
        async with db.transaction():
            await db.execute("SET LOCAL session_replication_role = replica")
            for statement in statements:
                done = await db.execute(statement)
                assert not done.endswith(" 0"), f"the edit must hit something: {statement}"
    finally:
        await db.close()
