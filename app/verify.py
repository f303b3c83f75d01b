"""`auction verify`: replays and checks the database, or a bundle without one, and prints what does not hold."""

import asyncio
import sys
from pathlib import Path

import msgspec
from sqlalchemy import text

from app.rehearsal import as_marked, clock_of
from app.serve import database_of
from bidding import verify as bidding_verify
from bidding.evidence import bundle
from bidding.evidence.reading import MOST_BYTES, read_bundle
from bidding.evidence.schemas import KeyFile
from bidding.evidence.sinks import FolderSink, read_heads
from bidding.evidence.verify import Outside
from kernel import audit
from kernel.actors import platform
from kernel.database import Database, Tx
from kernel.settings import Settings, SettingsError
from kernel.signatures import Keyring, KeyringError
from settlement import verify as settlement_verify

PATIENCE = text("SET LOCAL idle_in_transaction_session_timeout = '5min'")
"""Replaying takes its time between two readings, and holds no lock."""


async def faults(tx: Tx, outside: Outside | None = None) -> list[str]:
    """One sentence for each thing that does not verify: audit trail, lots and evidence, ledger, plans and payouts."""
    await tx.session.execute(PATIENCE)
    return [*await audit.faults(tx), *await bidding_verify.faults(tx, outside), *await settlement_verify.faults(tx)]


def outside_of(settings: Settings) -> Outside:
    """The keyring and the anchors of this installation; raises SettingsError where they cannot be read.

    Without a file of keys no signature counts.
    """
    try:
        path = settings.keyring_path
        keys = Keyring.load(path).keys if settings.signing_keys or path.exists() else {}
        return Outside(keys, list(FolderSink(settings.anchor_path).heads()))
    except (KeyringError, ValueError) as error:
        raise SettingsError(str(error)) from None


async def _verify(settings: Settings) -> list[str]:
    async with database_of(settings, lambda line: print(line, file=sys.stderr)) as url:
        database = Database(url, clock_of(settings))
        try:
            async with database.reading(platform("verify")) as tx:
                return await faults(tx, outside_of(settings))
        finally:
            await database.close()


def main_verify(settings: Settings) -> int:
    """Print every fault; exit code 1 if there is any."""
    return _tell(asyncio.run(_verify(as_marked(settings))))


def main_verify_bundle(path: str, keys: str | None, anchors: list[str]) -> int:
    """Check a bundle without database and network; exit code 1 for any fault, 2 for files that are none.

    `keys` and `anchors` are files got from elsewhere: without keys those in the bundle are believed, and named.
    """
    try:
        with Path(path).open("rb") as file:  # whatever its size, no more of it is read than shows that it is too large
            given = read_bundle(file.read(MOST_BYTES + 1))
        trusted = msgspec.json.decode(Path(keys).read_bytes(), type=KeyFile).keys if keys else None
        kept = [head for name in anchors for head in read_heads(Path(name))] if anchors else None
    except (OSError, ValueError, RecursionError) as error:
        print(error, file=sys.stderr)
        return 2
    found = bundle.faults(given, trusted, kept)
    if trusted is None:
        named = ", ".join(sorted({bundle.shown(batch.key_id) for batch in given.batches}))
        print(f"keys are taken from the bundle itself; compare with those that were published: {named}")
    if not found:
        print(f"not proved: {'; '.join(bundle.unproved(given, anchored=kept is not None))}")
    return _tell(found)


def _tell(found: list[str]) -> int:
    for fault in found:
        print(fault)
    print(f"{len(found)} faults found" if found else "verified: no fault found")
    return 1 if found else 0
