"""The end of the audit trail enters the log: who cuts it off, or makes it anew, contradicts an anchor."""

from pathlib import Path

import pytest

from kernel import audit
from kernel.actors import platform
from kernel.audit import NO_LINK, block_link, root_link
from tests.bidding.evidence.house import Archive, archive
from tests.bidding.evidence.test_log import age

pytestmark = pytest.mark.anyio


async def act(kept: Archive, reason: str) -> None:
    """Something happens in two cases, and is sealed."""
    async with kept.database.transaction(platform("test")) as tx:
        for chain in ("case:1", "case:2"):
            await audit.record(tx, "test.act", "thing:1", {}, chain=chain, reason=reason)
    async with kept.database.transaction(platform("sealer")) as tx:
        await audit.seal(tx)


async def of_the_trail(kept: Archive) -> list[str]:
    """What the trail finds of itself, without the log."""
    async with kept.database.reading(platform("verify")) as tx:
        return await audit.faults(tx)


async def logged(kept: Archive) -> None:
    await age(kept.place)
    await kept.log()


CUT = (
    "DELETE FROM kernel.audit_entry e USING kernel.audit_seal s JOIN kernel.audit_block b USING (chain, number)"
    " WHERE s.entry_id = e.id AND b.root > {root}",
    "DELETE FROM kernel.audit_seal s USING kernel.audit_block b"
    " WHERE (b.chain, b.number) = (s.chain, s.number) AND b.root > {root}",
    "DELETE FROM kernel.audit_block WHERE root > {root}",
    "DELETE FROM kernel.audit_root WHERE number > {root}",
)


async def test_the_trail_enters_the_log_when_it_has_grown(database_url: str, tmp_path: Path) -> None:
    async with archive(database_url, tmp_path) as kept:
        roots = "SELECT root FROM bidding.log_entry WHERE root IS NOT NULL ORDER BY number"
        assert [row[0] for row in await kept.place.db.fetch(roots)] == [], "nothing was sealed yet"
        await act(kept, "first")
        await logged(kept)
        await logged(kept)
        await act(kept, "second")
        await act(kept, "third")
        await logged(kept)
        assert [row[0] for row in await kept.place.db.fetch(roots)] == [1, 3]
        assert await kept.faults() == await of_the_trail(kept) == []


async def test_the_trails_end_cut_off_behind_an_anchor_shows(database_url: str, tmp_path: Path) -> None:
    """All that was sealed last goes, of every chain, without a trace in the trail itself: that is the control."""
    async with archive(database_url, tmp_path) as kept:
        await act(kept, "first")
        await act(kept, "second")
        await logged(kept)
        await kept.forge(*(statement.format(root=1) for statement in CUT))
        assert await of_the_trail(kept) == [], "control: by itself the trail is whole"
        assert [fault for fault in await kept.faults() if "the audit trail is not the one" in fault]
        await act(kept, "something else")
        assert [fault for fault in await kept.faults() if "the audit trail is not the one" in fault], "nor regrown"


async def test_control_what_no_anchor_saw_can_be_cut_off(database_url: str, tmp_path: Path) -> None:
    async with archive(database_url, tmp_path) as kept:
        await act(kept, "first")
        await logged(kept)
        await act(kept, "second")
        await kept.forge(*(statement.format(root=1) for statement in CUT))
        assert await kept.faults() == await of_the_trail(kept) == []


async def test_a_trail_made_anew_shows(database_url: str, tmp_path: Path) -> None:
    """Entries are changed and every hash behind them computed anew: the trail is whole, and not the logged one."""
    async with archive(database_url, tmp_path) as kept:
        await kept.forge("DELETE FROM kernel.audit_unsealed", "DELETE FROM kernel.audit_entry")
        await act(kept, "first")
        await logged(kept)
        await _rewrite(kept)
        assert await of_the_trail(kept) == [], "control: by itself the trail is whole"
        assert [fault for fault in await kept.faults() if "the audit trail is not the one" in fault]


async def _rewrite(kept: Archive) -> None:
    await kept.forge("UPDATE kernel.audit_entry SET reason = 'another'")
    db = kept.place.db
    async with kept.database.reading(platform("forger")) as tx:
        entries = (await tx.session.scalars(audit.select(audit.AuditEntry))).all()
    first = await db.fetchrow("SELECT link FROM kernel.audit_root WHERE number = 0")
    root = await db.fetchrow("SELECT sealed_at FROM kernel.audit_root WHERE number = 1")
    links = {entry.chain: block_link(NO_LINK, [audit.entry_hash(entry)]) for entry in entries}
    await db.execute("SET session_replication_role = replica")
    for entry in entries:
        await db.execute("UPDATE kernel.audit_entry SET hash = $1 WHERE id = $2", audit.entry_hash(entry), entry.id)
        await db.execute("UPDATE kernel.audit_block SET link = $1 WHERE chain = $2", links[entry.chain], entry.chain)
    link = root_link(first["link"], root["sealed_at"], [links[chain] for chain in sorted(links)])
    await db.execute("UPDATE kernel.audit_root SET link = $1 WHERE number = 1", link)
    await db.execute("RESET session_replication_role")


EDITS = {
    "another root": "UPDATE bidding.log_entry SET root = 0 WHERE root = 1",
    "no root": "DELETE FROM bidding.log_entry WHERE root = 1",
    "a lot's in its place": "UPDATE bidding.log_entry SET root = NULL, lot_id = gen_random_uuid() WHERE root = 1",
    "its bytes": "UPDATE bidding.log_entry SET data = data || ' ' WHERE root = 1",
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS.keys())
async def test_an_edited_entry_shows(database_url: str, tmp_path: Path, edit: str) -> None:
    async with archive(database_url, tmp_path) as kept:
        await act(kept, "first")
        await logged(kept)
        assert await kept.faults() == []
        await kept.forge(edit)
        assert await kept.faults() != []


async def test_counters_that_fell_since_they_were_logged_show(database_url: str, tmp_path: Path) -> None:
    """What left no row: late entries of the platform, and refusals past a bidder's thousandth."""
    async with archive(database_url, tmp_path) as kept:
        await kept.forge(
            "UPDATE bidding.lot SET late_entries = 2, unstored_refusals = 1",
            "DELETE FROM bidding.anchor",
            "DELETE FROM bidding.log_node",
            "DELETE FROM bidding.log_entry",
            "DELETE FROM bidding.log_head",
        )
        await kept.log()
        assert [fault for fault in await kept.faults(outside=False) if "it was logged with" in fault] == []
        await kept.forge("UPDATE bidding.lot SET late_entries = 1, unstored_refusals = 0")
        found = [fault for fault in await kept.faults(outside=False) if "it was logged with" in fault]
        assert len(found) == 2
