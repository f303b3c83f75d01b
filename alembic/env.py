"""Runs migrations on a synchronous view of the asyncpg connection handed over by `app.migrate`."""

from alembic import context

from app.tables import Base
from kernel.database import SCHEMAS

connection = context.config.attributes["connection"]


def ours(name: str | None, kind: str, parents: object) -> bool:
    """Only the schemas of our contexts are compared."""
    return name in SCHEMAS if kind == "schema" else True


context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    include_schemas=True,
    include_name=ours,
    version_table_schema="kernel",
    compare_type=True,
    compare_server_default=False,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
