"""`auction verify`: replays and checks the database, or a bundle without one, and prints what does not hold."""

import asyncio
import sys
from pathlib import Path

import msgspec
from sqlalchemy import text

from app.files import WrongFile, read_file, reading
from app.rehearsal import as_marked, clock_of
from app.serve import database_of
from bidding import verify as bidding_verify
from bidding.evidence import bundle
from bidding.evidence.reading import MOST_BYTES, read_bundle
from bidding.evidence.schemas import HeadView, KeyFile
from bidding.evidence.sinks import FolderSink, read_heads
from bidding.evidence.verify import Outside
from kernel import audit
from kernel.actors import platform
from kernel.database import Database, Tx
from kernel.settings import Settings, SettingsError
from kernel.signatures import Keyring, KeyringError, PublicKey
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


async def checked(tx: Tx) -> str:
    """How much `faults` looks at, as the end of a sentence."""
    counted = await bidding_verify.counted(tx) | await settlement_verify.counted(tx) | await audit.counted(tx)
    return f" ({', '.join(f'{things} {number}' for things, number in counted.items())})"


async def _verify(settings: Settings) -> tuple[list[str], str]:
    async with database_of(settings, lambda line: print(line, file=sys.stderr), make=False) as url:
        database = Database(url, clock_of(settings))
        try:
            async with database.reading(platform("verify")) as tx:
                return await faults(tx, outside_of(settings)), await checked(tx)
        finally:
            await database.close()


def main_verify(settings: Settings) -> int:
    """Print every fault, or how much was checked; exit code 1 if there is any."""
    return _tell(*asyncio.run(_verify(as_marked(settings))))


def main_verify_bundle(path: str, keys: str | None, anchors: list[str]) -> int:
    """Check a bundle without database and network; exit code 1 for any fault, 2 for files that are none.

    `keys` and `anchors` are files got from elsewhere: without keys those in the bundle are believed, and named.
    """
    try:
        with reading(path):
            given = read_bundle(read_file(path, MOST_BYTES + 1))  # no more than shows that it is too large
        trusted = _public_keys(keys) if keys else None
        kept = [head for name in anchors for head in _heads(name)] if anchors else None
    except WrongFile as error:
        print(error, file=sys.stderr)
        return 2
    found = bundle.faults(given, trusted, kept)
    if trusted is None:
        named = ", ".join(sorted({bundle.shown(batch.key_id) for batch in given.batches}))
        print(f"keys are taken from the bundle itself; compare with those that were published: {named}")
    if not found:
        print(f"not proved: {'; '.join(bundle.unproved(given, anchored=kept is not None))}")
    return _tell(found)


def _public_keys(name: str) -> list[PublicKey]:
    with reading(name):
        try:
            return msgspec.json.decode(read_file(name), type=KeyFile).keys
        except (msgspec.MsgspecError, RecursionError) as error:
            raise ValueError(f"no public keys: {error}") from None


def _heads(name: str) -> list[HeadView]:
    with reading(name):
        return list(read_heads(Path(name)))


def _tell(found: list[str], checked: str = "") -> int:
    for fault in found:
        print(fault)
    print(f"{len(found)} faults found" if found else f"verified: no fault found{checked}")
    return 1 if found else 0
