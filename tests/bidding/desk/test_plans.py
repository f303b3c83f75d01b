"""The desk keeps the plans of its start, made over tables that may be empty then: they look everything up by key."""

from typing import Any

import pytest

from bidding.desk import lease, store

pytestmark = pytest.mark.anyio


async def plan_of(db: Any, statement: str, arguments: int) -> str:
    await db.execute(f"PREPARE asked AS {statement}")
    rows = await db.fetch(f"EXPLAIN EXECUTE asked ({', '.join(['NULL'] * arguments)})")
    return "\n".join(row[0] for row in rows)


@pytest.mark.parametrize(
    ("statement", "arguments", "by"),
    [
        (store.READ_BIDS, 3, ["lot_id = a.lot_id", "registration_id = a.registration_id", "key = a.key"]),
        (store.READ_COMMANDS, 2, ["lot_id = a.lot_id", "registration_id IS NULL", "key = a.key"]),
    ],
)
async def test_keys_are_looked_up_by_their_index(
    database_url: str, statement: str, arguments: int, by: list[str]
) -> None:
    db = await lease.connect(database_url)
    try:
        plan = await plan_of(db, statement, arguments)
    finally:
        await db.close()
    conditions = [line for line in plan.splitlines() if "Index Cond" in line]
    assert any(all(part in line for part in by) for line in conditions), plan
    for walk in ("Seq Scan", "Hash", "Merge", "Materialize"):
        assert walk not in plan, plan
