"""A lot that was sold, logged and anchored, and a forger who may do to the tables whatever a superuser can."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from bidding import verify
from bidding.evidence import service
from bidding.evidence.bundles import make_bundle
from bidding.evidence.schemas import Bundle, HeadView
from bidding.evidence.sinks import FolderSink
from bidding.evidence.verify import Outside
from kernel.actors import platform
from kernel.clock import FrozenClock
from kernel.database import Database
from tests.bidding.desk.house import ENDS, House, house
from tests.bidding.test_verify import a_full_life
from tests.support.intruder import as_superuser
from tests.support.keys import KEYRING


@dataclass
class Archive:
    """The platform after a sale: its tables, and what is kept outside them."""

    place: House
    database: Database
    sink: FolderSink
    lot_id: UUID

    async def log(self) -> None:
        """What the sweep does each second."""
        await service.log_ended(self.database, KEYRING)
        await service.log_all(self.database, KEYRING)
        await service.anchor(self.database, self.sink)

    async def faults(self, *, outside: bool = True) -> list[str]:
        """What `auction verify` finds, with or without what is kept outside."""
        kept = Outside(KEYRING.keys, list(self.sink.heads())) if outside else None
        async with self.database.reading(platform("verify")) as tx:
            return await verify.faults(tx, kept)

    async def bundle(self) -> Bundle:
        return await make_bundle(self.database, platform("test"), self.lot_id)

    def anchors(self) -> list[HeadView]:
        return list(self.sink.heads())

    async def forge(self, *statements: str) -> None:
        await as_superuser(self.place.url, *statements)


@asynccontextmanager
async def archive(url: str, folder: Path) -> AsyncIterator[Archive]:
    """An honest archive with one sold lot."""
    async with house(url) as place:
        lot_id = await a_full_life(place)
        database = Database(url, FrozenClock(ENDS + timedelta(hours=2)))
        try:
            kept = Archive(place, database, FolderSink(folder), lot_id)
            await kept.log()
            yield kept
        finally:
            await database.close()
