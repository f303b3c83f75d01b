"""Migrations make exactly the tables that the models describe, and may be run again at every start."""

import asyncpg
import pytest

from app.embedded import EmbeddedPostgres
from app.migrate import drift, migrate
from app.tables import Base
from kernel.database import SCHEMAS


def test_models_and_migrated_tables_agree(database_url: str) -> None:
    assert drift(database_url) == []


def test_the_drift_check_sees_a_missing_table(postgres_server: EmbeddedPostgres) -> None:
    assert drift(postgres_server.dsn("postgres")) != []


def test_migrating_again_changes_nothing(database_url: str) -> None:
    migrate(database_url)
    assert drift(database_url) == []


@pytest.mark.anyio
async def test_every_table_stands_in_the_schema_of_its_context(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    rows = await connection.fetch(
        "SELECT schemaname || '.' || tablename AS name FROM pg_tables"
        " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
    )
    await connection.close()
    assert {row["name"] for row in rows} == {*Base.metadata.tables, "kernel.alembic_version"}
    assert {row["name"].split(".")[0] for row in rows} <= set(SCHEMAS)
