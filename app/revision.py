"""Prints a context's first migration from its models: `python -m app.revision 0004 bidding > alembic/versions/…`.

Explicit operations, so that the file says what it does; later revisions are written by hand.
"""

import sys

from alembic.autogenerate import render_python_code
from alembic.operations.ops import CreateIndexOp, CreateTableOp, UpgradeOps

from app.tables import Base
from kernel.database import APPEND_ONLY

HEAD = '''"""Tables of the context `{schema}`."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from kernel import ddl

revision = "{revision}"
down_revision = {down}
branch_labels = None
depends_on = None


def upgrade() -> None:
'''


def first_migration(revision: str, schema: str) -> str:
    """Source of the migration that makes all tables of `schema`, with indexes and append-only triggers."""
    tables = [table for table in Base.metadata.sorted_tables if table.schema == schema]
    operations = UpgradeOps()
    for table in tables:
        operations.ops.append(CreateTableOp.from_table(table))
        for index in sorted(table.indexes, key=lambda one: str(one.name)):
            operations.ops.append(CreateIndexOp.from_index(index))
    down = f'"{int(revision) - 1:04d}"' if int(revision) > 1 else "None"
    lines = [HEAD.format(schema=schema, revision=revision, down=down)]
    if schema == "kernel":
        lines.append("    op.execute(ddl.REFUSE_CHANGE)\n")
    body = render_python_code(operations, user_module_prefix=None)
    lines.append("".join(f"{line}\n" for line in body.splitlines() if "# ###" not in line))
    protected = [table.fullname for table in tables if table.fullname in APPEND_ONLY]
    lines.append("".join(f'    op.execute(ddl.protect("{name}"))\n' for name in protected))
    return "".join(lines).replace("astext_type=Text()", "astext_type=sa.Text()")


if __name__ == "__main__":
    sys.stdout.write(first_migration(sys.argv[1], sys.argv[2]))
