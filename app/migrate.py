"""Brings a database to the newest schema, and tells whether tables and models have drifted apart."""

import asyncio
from functools import partial
from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from app.tables import Base
from kernel import ddl
from kernel.database import SCHEMAS

SCRIPTS = Path(__file__).parent.parent / "alembic"
LOCK_TIMEOUT_MS = 4_000
ONE_AT_A_TIME = 0x6A75_6469
"""Advisory lock of migrations, so that two starting processes do not migrate at once."""


def migrate(url: str) -> None:
    """Upgrade the database at `url` (as its owner) to the newest revision and grant the application its rights."""
    asyncio.run(migrate_async(url))


async def migrate_async(url: str, revision: str = "head") -> None:
    """The same inside a running loop, or no further than to `revision`."""
    await _with_connection(url, partial(_upgrade, revision=revision))


def drift(url: str) -> list[Any]:
    """Differences between the migrated tables and the models; empty when they agree."""
    return asyncio.run(_with_connection(url, _drift))


async def _with_connection(url: str, work: Any) -> Any:
    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://", 1), poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            outcome = await connection.run_sync(work)
            await connection.commit()
            return outcome
    finally:
        await engine.dispose()


def _upgrade(connection: Connection, *, revision: str) -> None:
    connection.execute(text(f"SET lock_timeout = {LOCK_TIMEOUT_MS}"))
    connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": ONE_AT_A_TIME})
    for schema in SCHEMAS:
        connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {schema}"))
    connection.execute(text(ddl.CREATE_ROLE))
    connection.commit()
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
    protected = connection.execute(text(ddl.PROTECTED)).scalars().all()
    for grant in ddl.grants(SCHEMAS, protected):
        connection.execute(text(grant))
    connection.commit()
    connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": ONE_AT_A_TIME})


def _drift(connection: Connection) -> list[Any]:
    context = MigrationContext.configure(
        connection,
        opts={
            "include_schemas": True,
            "include_name": lambda name, kind, _: name in SCHEMAS if kind == "schema" else True,
            "version_table_schema": "kernel",
            "compare_type": True,
        },
    )
    return list(compare_metadata(context, Base.metadata))
