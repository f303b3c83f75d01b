"""Rows that a benchmark's ground writes by the thousand."""

from collections.abc import Sequence
from typing import Any


async def copy_rows(db: Any, table: Any, rows: Sequence[dict[str, Any]]) -> None:
    """Write rows of the same columns by COPY; `db` is a connection of the driver."""
    if rows:
        columns = list(rows[0])
        records = [tuple(row[column] for column in columns) for row in rows]
        await db.copy_records_to_table(table.name, schema_name=table.schema, columns=columns, records=records)
