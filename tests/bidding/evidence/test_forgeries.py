"""A superuser's edit, deletion, swap or truncation is found, and so is a chain computed anew from its first link on."""

from datetime import timedelta
from pathlib import Path

import pytest

from bidding.desk import chain
from bidding.desk.receipts import Batch
from bidding.desk.rules import Method, Terms
from bidding.evidence.service import behind
from kernel.money import Fen
from kernel.signatures import Keyring
from tests.bidding.desk.house import START, STEP
from tests.bidding.evidence.house import Archive, archive

pytestmark = pytest.mark.anyio


async def test_an_honest_archive_verifies(database_url: str, tmp_path: Path) -> None:
    async with archive(database_url, tmp_path) as kept:
        assert await kept.faults() == []
        assert await kept.faults(outside=False) == []


EDITS = {
    "a signature": "UPDATE bidding.batch SET signature = set_byte(signature, 0, get_byte(signature, 0) # 1)",
    "a root": "UPDATE bidding.batch SET root = sha256('x') WHERE number = 2",
    "the time of a batch": "UPDATE bidding.batch SET at = at + interval '1 s' WHERE number = 2",
    "a batch taken out": "DELETE FROM bidding.batch WHERE number = 2",
    "the last batch taken out": "DELETE FROM bidding.batch WHERE number = (SELECT max(number) FROM bidding.batch)",
    "a batch renumbered": "UPDATE bidding.batch SET number = 99 WHERE number = 2",
    "a leaf too many": "UPDATE bidding.batch SET leaves = leaves || sha256('x') WHERE number = 2",
    "two events swapped": "UPDATE bidding.submission s SET event = o.event, link = o.link FROM bidding.submission o"
    " WHERE s.lot_id = o.lot_id AND s.seq + o.seq = 5 AND s.seq IN (2, 3)",
    "an event out of its batch": "UPDATE bidding.submission SET batch = NULL, share = NULL WHERE seq = 2",
    "an event in another batch": "UPDATE bidding.submission SET batch = batch + 1 WHERE seq = 2",
    "a public key": "UPDATE bidding.signing_key SET public_key = sha256('x')",
    "no public key": "DELETE FROM bidding.signing_key",
    "another public key": "INSERT INTO bidding.signing_key VALUES ('0123456789abcdef', sha256('x'), '2025-01-01Z')",
    "the log cut": "DELETE FROM bidding.log_entry",
    "an entry": "UPDATE bidding.log_entry SET data = convert_to(replace(convert_from(data, 'UTF8'), '0', '1'), 'UTF8')",
    "columns of an entry": "UPDATE bidding.log_entry SET seq = seq - 1",
    "a node": "UPDATE bidding.log_node SET hash = sha256('x') WHERE level = 0",
    "a head": "UPDATE bidding.log_head SET root = sha256('x')",
    "the size of a head": "UPDATE bidding.log_head SET size = size + 1",
    "no head": "DELETE FROM bidding.log_head",
    "events without the end": "DELETE FROM bidding.submission WHERE kind = 'closed'",
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS.keys())
async def test_an_edit_by_hand_shows(database_url: str, tmp_path: Path, edit: str) -> None:
    async with archive(database_url, tmp_path) as kept:
        await kept.forge(edit)
        assert await kept.faults() != []


TABLES = ("batch", "submission", "signing_key", "log_entry", "log_node", "log_head", "refusal_block")


@pytest.mark.parametrize("table", TABLES)
async def test_an_emptied_table_shows(database_url: str, tmp_path: Path, table: str) -> None:
    async with archive(database_url, tmp_path) as kept:
        await kept.forge(f"DELETE FROM bidding.{table}")
        assert await kept.faults() != []


async def rewrite(kept: Archive, forger: Keyring | None) -> None:
    """Another history of the lot, flawless by all hashes: it opened an hour earlier, and every link says so.

    Without a `forger` the batches keep their old signatures; with one they are signed by his key, which he publishes in
    the tables. The log keeps its entries.
    """
    db, lot = kept.place.db, await kept.place.row(kept.lot_id)
    opens_at = lot["opens_at"] - timedelta(hours=1)
    terms = Terms(
        method=Method(lot["method"]),
        opens_at=opens_at,
        scheduled_end=lot["scheduled_end"],
        start_price_fen=Fen(START),
        increment_fen=Fen(STEP),
    )
    genesis = link = chain.genesis(kept.lot_id, terms)
    await db.execute("SET session_replication_role = replica")
    await db.execute("UPDATE bidding.lot SET opens_at = $1, genesis = $2", opens_at, genesis)
    number = 0
    for row in await kept.place.submissions(kept.lot_id):
        if row["seq"] is None:
            continue
        number += 1
        link = chain.link(link, row["event"])
        batch = Batch(0, number)
        batch.add(link)
        at = row["received_at"]
        await db.execute("UPDATE bidding.submission SET link = $1, batch = $2 WHERE seq = $3", link, number, row["seq"])
        if forger is not None:
            await db.execute("DELETE FROM bidding.batch WHERE number = $1", number)
            signature, leaves = forger.sign(batch.statement(at)), b"".join(batch.links)
            await db.execute(
                "INSERT INTO bidding.batch VALUES (0, $1, $2, $3, $4, $5, $6)",
                *(number, at, leaves, batch.root, forger.key_id, signature),
            )
    if forger is not None:
        await db.execute("DELETE FROM bidding.batch WHERE number > $1", number)
        key = bytes.fromhex(forger.current.public_key)
        await db.execute("UPDATE bidding.signing_key SET key_id = $1, public_key = $2", forger.key_id, key)
    await db.execute("UPDATE bidding.lot SET link = $1", link)
    blocks = await db.fetch("SELECT number, first_entry, last_entry FROM bidding.refusal_block ORDER BY number")
    sealed = genesis
    for block in blocks:
        inside = await db.fetch(
            "SELECT link FROM bidding.submission WHERE seq IS NULL AND entry BETWEEN $1 AND $2 ORDER BY entry",
            *(block["first_entry"], block["last_entry"]),
        )
        sealed = chain.block_link(sealed, [row["link"] for row in inside])
        await db.execute("UPDATE bidding.refusal_block SET link = $1 WHERE number = $2", sealed, block["number"])
    await db.execute("RESET session_replication_role")


async def test_a_chain_computed_anew_shows_by_the_signatures(database_url: str, tmp_path: Path) -> None:
    """The terms are changed under the bids and every link is computed anew: the chain holds, signatures do not."""
    async with archive(database_url, tmp_path) as kept:
        await rewrite(kept, None)
        found = await kept.faults(outside=False)
        assert any("does not hold the events" in fault for fault in found)
        assert not [fault for fault in found if "chain" in fault and "log" not in fault], "by hashes alone it is whole"


async def test_a_chain_signed_anew_shows_by_the_keyring_and_the_log(database_url: str, tmp_path: Path) -> None:
    async with archive(database_url, tmp_path) as kept:
        await rewrite(kept, Keyring.make())
        found = await kept.faults()
        assert any("is not in the keyring" in fault for fault in found)
        assert any("is not the one that entry" in fault for fault in found)


async def test_tables_all_of_one_piece_show_by_what_is_kept_outside(database_url: str, tmp_path: Path) -> None:
    """Control and proof: with the log thrown away too, the tables hold together; keyring and anchors do not agree."""
    async with archive(database_url, tmp_path) as kept:
        await rewrite(kept, Keyring.make())
        await kept.forge(
            "DELETE FROM bidding.anchor",
            "DELETE FROM bidding.log_node",
            "DELETE FROM bidding.log_entry",
            "DELETE FROM bidding.log_head",
        )
        assert await kept.faults(outside=False) == []
        found = await kept.faults()
        assert any("is not in the keyring" in fault for fault in found)
        assert any("as it was anchored" in fault for fault in found)


async def test_an_old_backup_is_known_by_its_anchors(database_url: str, tmp_path: Path) -> None:
    async with archive(database_url, tmp_path) as kept:
        assert await behind(kept.database, kept.sink) is None
        await kept.forge("DELETE FROM bidding.log_head WHERE number = (SELECT max(number) FROM bidding.log_head)")
        assert "is not in this database" in str(await behind(kept.database, kept.sink))
