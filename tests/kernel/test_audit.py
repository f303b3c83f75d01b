"""The audit trail: sealed in blocks per chain; a changed, missing or added row is found."""

import runpy

import pytest

from kernel import audit
from kernel.actors import Role, platform
from kernel.database import Database
from kernel.ids import ordered_id
from tests.support.house import actor, opened
from tests.support.intruder import as_superuser

pytestmark = pytest.mark.anyio


async def _three_sealed_entries(database: Database) -> None:
    case_id = ordered_id()
    async with database.transaction(actor(Role.CLERK)) as tx:
        for number in range(3):
            await audit.record(
                tx, "test.act", f"thing:{number}", {"案号": "（2025）沪0115执1号", "n": number}, case_id=case_id
            )
    async with database.transaction(platform("sealer")) as tx:
        assert await audit.seal(tx) == 3


async def _faults(database: Database) -> list[str]:
    async with database.reading(platform("verify")) as tx:
        return await audit.faults(tx)


CUT = (
    "DELETE FROM kernel.audit_entry WHERE id > (SELECT max(id) - 3 FROM kernel.audit_entry)",
    "DELETE FROM kernel.audit_seal WHERE entry_id NOT IN (SELECT id FROM kernel.audit_entry)",
    "DELETE FROM kernel.audit_block b WHERE NOT EXISTS"
    " (SELECT FROM kernel.audit_seal s WHERE s.chain = b.chain AND s.number = b.number)",
)
"""The three newest entries, with all that names them."""

FIRST_ROOT = runpy.run_path("alembic/versions/0045_proofs.py")["FIRST_ROOT"]


async def test_an_untouched_trail_verifies(database_url: str) -> None:
    async with opened(database_url) as database:
        await _three_sealed_entries(database)
        assert await _faults(database) == []


async def test_entries_that_wait_for_the_sealer_are_no_fault(database_url: str) -> None:
    async with opened(database_url) as database:
        async with database.transaction(platform("test")) as tx:
            await audit.record(tx, "test.act", "thing:1", {})
        assert await _faults(database) == []


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE kernel.audit_entry SET facts = '{}' WHERE id = 2",
        "UPDATE kernel.audit_entry SET actor_name = 'somebody else' WHERE id = 2",
        "UPDATE kernel.audit_entry SET at = at + interval '1 ms' WHERE id = 3",
        "DELETE FROM kernel.audit_entry WHERE id = 2",
        "DELETE FROM kernel.audit_block",
        "UPDATE kernel.audit_seal SET entry_id = 9 WHERE entry_id = 2",
        "UPDATE kernel.audit_root SET link = sha256('x') WHERE number = 1",
        "UPDATE kernel.audit_root SET sealed_at = sealed_at - interval '1 ms' WHERE number = 1",
        "UPDATE kernel.audit_block SET root = 0",
        "DELETE FROM kernel.audit_root",
        "DELETE FROM kernel.audit_root WHERE number = 1",
        "INSERT INTO kernel.audit_entry (at, actor_name, roles, source, action, chain, subject, facts, hash)"
        " SELECT at, actor_name, roles, source, action, chain, subject, facts, hash FROM kernel.audit_entry LIMIT 1",
    ],
)
async def test_a_superusers_change_is_found(database_url: str, tampering: str) -> None:
    async with opened(database_url) as database:
        await _three_sealed_entries(database)
        await as_superuser(database_url, tampering)
        assert await _faults(database) != []


async def test_a_chain_cut_at_its_end_shows_by_the_roots(database_url: str) -> None:
    """The last block of a chain goes with its entries and seals: the chain holds, the sealing's root does not."""
    async with opened(database_url) as database:
        await _three_sealed_entries(database)
        await _three_sealed_entries(database)
        await as_superuser(database_url, *CUT)
        assert await _faults(database) == ["audit root 2 does not verify"]


async def test_what_was_sealed_before_there_were_roots_is_root_0s(database_url: str) -> None:
    """The migration's SQL makes of old blocks what `root_link` makes of them."""
    async with opened(database_url) as database:
        await _three_sealed_entries(database)
        await _three_sealed_entries(database)
        as_before = ("UPDATE kernel.audit_block SET root = 0", "DELETE FROM kernel.audit_root", FIRST_ROOT)
        await as_superuser(database_url, *as_before)
        assert await _faults(database) == []
        await _three_sealed_entries(database)
        assert await _faults(database) == []
        await as_superuser(database_url, *CUT)
        assert await _faults(database) == ["audit root 1 does not verify"]
