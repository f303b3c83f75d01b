"""`auction export LOT`: a finished lot with all its proofs as a file that `auction verify --bundle` checks offline."""

import asyncio
import sys
from pathlib import Path
from uuid import UUID

import msgspec

from app.files import writing
from app.rehearsal import clock_of
from app.serve import database_of
from bidding.evidence.bundles import make_bundle
from bidding.evidence.schemas import Bundle
from kernel.actors import platform
from kernel.database import Database
from kernel.errors import Refusal
from kernel.settings import Settings


async def _bundle(settings: Settings, lot_id: UUID) -> Bundle:
    async with database_of(settings, lambda line: print(line, file=sys.stderr), make=False) as url:
        database = Database(url, clock_of(settings))
        try:
            return await make_bundle(database, platform("export"), lot_id)
        finally:
            await database.close()


def main_export(settings: Settings, lot_id: UUID, out: str | None) -> int:
    """Write the bundle and print where; exit code 1 with the reason if the lot has none."""
    try:
        bundle = asyncio.run(_bundle(settings, lot_id))
    except Refusal as refusal:
        print(f"{refusal.code}: {refusal.detail} ({refusal.detail_en})", file=sys.stderr)
        return 1
    path = Path(out or f"lot-{lot_id}.json")
    with writing(path):
        path.write_bytes(msgspec.json.encode(bundle))
    print(f"{path}: {len(bundle.events)} events in {len(bundle.batches)} signed batches")
    return 0
