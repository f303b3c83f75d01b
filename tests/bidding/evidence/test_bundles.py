"""Bundles are made beside a desk: one at a time, in one pass, and again only once their lot has grown."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import msgspec
import pytest

from bidding.evidence import bundles, store
from bidding.evidence.bundles import Bundles, make_bundle
from bidding.evidence.schemas import Bundle
from bidding.evidence.store import Edition
from kernel.actors import platform
from kernel.database import Database
from kernel.errors import Busy
from tests.bidding.evidence.house import archive

pytestmark = pytest.mark.anyio

READER = platform("test")


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Bundle]:
    """Every bundle that was made, and not taken from those kept."""
    found: list[Bundle] = []

    async def counted(*asked: Any) -> Bundle:
        found.append(await make_bundle(*asked))
        return found[-1]

    monkeypatch.setattr(bundles, "make_bundle", counted)
    return found


async def test_pages_of_any_size_give_the_same_bytes(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with archive(database_url, tmp_path) as kept:
        whole = msgspec.json.encode(await kept.bundle())
        assert await bundles.encoded(await kept.bundle()) == whole
        for name in ("PAGE", "ENTRIES_PAGE", "SLICE"):
            monkeypatch.setattr(bundles, name, 1)
        assert await bundles.encoded(await kept.bundle()) == whole
        bundle = await kept.bundle()
        assert bundle.refusals, "control: there are refusals to divide"
        bare = msgspec.structs.replace(bundle, events=[], refusals=[], log=None)
        assert await bundles.encoded(bare) == msgspec.json.encode(bare)


async def test_many_who_ask_at_once_get_one_bundle(database_url: str, tmp_path: Path, made: list[Bundle]) -> None:
    async with archive(database_url, tmp_path) as kept:
        shelf = Bundles(kept.database)
        answers = await asyncio.gather(*(shelf.get(READER, kept.lot_id) for _ in range(6)))
        assert len(made) == 1
        assert set(answers) == {msgspec.json.encode(made[0])}


async def test_a_bundle_that_has_grown_is_made_anew(database_url: str, tmp_path: Path, made: list[Bundle]) -> None:
    async with archive(database_url, tmp_path) as kept:
        shelf = Bundles(kept.database)
        before = await shelf.get(READER, kept.lot_id)
        await kept.forge(
            "INSERT INTO bidding.signing_key VALUES ('ed25519-another', decode(repeat('07', 32), 'hex'), now())"
        )
        after = await shelf.get(READER, kept.lot_id)
        assert len(made) == 2
        assert len(made[1].keys) == len(made[0].keys) + 1
        assert after != before
        assert await shelf.get(READER, kept.lot_id) == after
        assert len(made) == 2


async def test_what_is_kept_is_bounded_by_its_bytes(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: list[Bundle]
) -> None:
    async with archive(database_url, tmp_path) as kept:
        size = len(msgspec.json.encode(await kept.bundle()))
        for most, times in ((size, 1), (size - 1, 2)):
            made.clear()
            monkeypatch.setattr(bundles, "MOST_KEPT_BYTES", most)
            shelf = Bundles(kept.database)
            for _ in range(2):
                await shelf.get(READER, kept.lot_id)
            assert len(made) == times


async def test_one_is_made_at_a_time_and_few_wait(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_work, most = 0, 0

    async def slow(*asked: Any) -> Bundle:
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        await asyncio.sleep(0.05)
        at_work -= 1
        return await make_bundle(*asked)

    monkeypatch.setattr(bundles, "make_bundle", slow)
    monkeypatch.setattr(bundles, "MOST_WAITING", 2)
    monkeypatch.setattr(bundles, "MOST_KEPT_BYTES", 0)
    async with archive(database_url, tmp_path) as kept:
        shelf = Bundles(kept.database)
        answers = await asyncio.gather(*(shelf.get(READER, kept.lot_id) for _ in range(5)), return_exceptions=True)
        assert most == 1
        assert [isinstance(answer, Busy) for answer in answers].count(True) == 2


@dataclass
class Counted:
    """A refusal's row that tells how often it was looked at."""

    entry_: int
    link: bytes
    look: Callable[[], None]

    @property
    def entry(self) -> int:
        self.look()
        return self.entry_

    def __getitem__(self, column: int) -> int:
        return self.entry_


@dataclass
class Block:
    number: int
    last_entry: int
    link: bytes = b""

    def __getitem__(self, column: int) -> int:
        return self.number


class NoDatabase:
    @asynccontextmanager
    async def reading(self, actor: object) -> AsyncIterator[None]:
        yield None


@pytest.mark.parametrize("blocks", [10, 100, 1_000])
async def test_refusals_are_looked_at_once_whatever_the_blocks(blocks: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once per block and refusal, a lot of 1,000 blocks of four held up every live lot for seconds."""
    each, looks = 4, 0

    def look() -> None:
        nonlocal looks
        looks += 1

    refused = [Counted(entry, bytes([entry % 256]), look) for entry in range(1, each * blocks + 1)]
    sealed = [Block(number, each * number) for number in range(1, blocks + 1)]

    async def refusals_of(tx: object, lot_id: object, after: int, last: int, most: int) -> list[Counted]:
        return [row for row in refused if after < row.entry_ <= last][:most]

    async def blocks_of(tx: object, lot_id: object, after: int, last: int, most: int) -> list[Block]:
        return [row for row in sealed if after < row.number <= last][:most]

    monkeypatch.setattr(store, "refusals_of", refusals_of)
    monkeypatch.setattr(store, "blocks_of", blocks_of)
    edition = Edition("closed", 1, blocks, None, 1)
    found = await bundles._blocks(cast(Database, NoDatabase()), READER, uuid4(), edition)
    hashes = [row.link.hex() for row in refused]
    assert [block.hashes for block in found] == [hashes[at : at + each] for at in range(0, len(hashes), each)]
    assert looks <= len(refused) + blocks
