"""Use case: the bundle of a finished lot, made beside a desk that decides other lots in the same event loop.

A lot may have tens of thousands of events, and whoever likes asks for its bundle. So it is read in pages, each in a
transaction of its own, and made in slices between which the loop goes on; a process makes one at a time and keeps the
bytes of the last few. No snapshot holds the pages together: what they read only grows, and the `Edition` that is looked
up first says how far to read.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any
from uuid import UUID

import msgspec
from msgspec.structs import asdict

from bidding.desk import chain, commands
from bidding.desk.models import Lot
from bidding.desk.rules import FINISHED, Status
from bidding.evidence import rules, store
from bidding.evidence.schemas import (
    BUNDLE,
    Bundle,
    BundleBatch,
    BundleBlock,
    BundleEntry,
    BundleEvent,
    BundleLog,
    BundleResult,
)
from bidding.evidence.service import head_view
from bidding.evidence.store import Edition
from bidding.feed.errors import RecordSealed
from bidding.feed.turns import Turns
from kernel import merkle
from kernel.actors import Actor
from kernel.clock import beijing
from kernel.database import Database, Tx

PAGE = 500
ENTRIES_PAGE = 50
"""Each needs some forty nodes of the log for its path."""

SLICE = 2_000
"""Hashes, or as many bytes of JSON times `BYTES_A_HASH`, that are made in one piece: a millisecond or two."""
BYTES_A_HASH = 256

MOST_WAITING = 16
WAIT_S = 30.0
MOST_KEPT_BYTES = 64 * 1024 * 1024


class Bundles:
    """The bundles that one process gives out, as bytes."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._turns = Turns(at_once=1, most_waiting=MOST_WAITING, wait_s=WAIT_S)
        self._kept: OrderedDict[UUID, tuple[Edition, bytes]] = OrderedDict()

    async def get(self, actor: Actor, lot_id: UUID) -> bytes:
        """A finished lot with all its proofs as JSON; refuses `record-sealed` before its end, `busy` behind many."""
        kept = self._find(lot_id, await _current(self._database, actor, lot_id))
        if kept is not None:
            return kept
        async with self._turns.turn(bidder=False):
            edition = await _current(self._database, actor, lot_id)
            made = self._find(lot_id, edition)  # by the one before us
            if made is None:
                made = await encoded(await make_bundle(self._database, actor, lot_id))
                self._keep(lot_id, edition, made)
        return made

    def _find(self, lot_id: UUID, edition: Edition) -> bytes | None:
        found, made = self._kept.get(lot_id, (None, None))
        if found != edition:
            return None
        self._kept.move_to_end(lot_id)
        return made

    def _keep(self, lot_id: UUID, edition: Edition, made: bytes) -> None:
        """An older edition than the bundle's own only costs making it once more."""
        self._kept[lot_id] = edition, made
        self._kept.move_to_end(lot_id)
        while sum(len(bundle) for _, bundle in self._kept.values()) > MOST_KEPT_BYTES:
            self._kept.popitem(last=False)


async def make_bundle(database: Database, actor: Actor, lot_id: UUID) -> Bundle:
    """A finished lot with all its proofs; refuses `record-sealed` before it has ended."""
    async with database.reading(actor) as tx:
        lot, edition = await _finished(tx, lot_id)
        keys = await store.keys(tx)
    pace = _Pace()
    events, batches = await _events(database, actor, lot_id, edition, pace)
    log = await _log(database, actor, lot_id, edition)
    return Bundle(
        format=BUNDLE,
        lot_id=lot_id,
        title=lot.title,
        terms=_terms(lot),
        genesis=lot.genesis.hex(),
        result=_result(lot),
        events=events,
        batches=batches,
        refusals=(await _blocks(database, actor, lot_id, edition))[: _blocks_in(log)],
        log=log,
        keys=keys,
    )


def _blocks_in(log: BundleLog | None) -> int:
    """How many blocks of refusals the log knows: what was sealed since is proved by nothing yet, and is left out."""
    return max(rules.read_entry(entry.data.encode()).blocks for entry in log.entries) if log else 0


async def encoded(bundle: Bundle) -> bytes:
    """The bundle as JSON, the same bytes as in one piece."""
    pace, encode = _Pace(), msgspec.json.Encoder().encode
    pieces = [b"{"]
    for name in bundle.__struct_fields__:
        value = getattr(bundle, name)
        pieces.append(b'"%b":' % name.encode())
        if not isinstance(value, list):
            pieces += encode(value), b","
            continue
        pieces.append(b"[")
        for one in value:
            pieces += encode(one), b","
            await pace.did(len(pieces[-2]) // BYTES_A_HASH + 1)
        pieces[len(pieces) - bool(value) :] = [b"]", b","]
    pieces[-1] = b"}"
    return b"".join(pieces)


class _Pace:
    """Lets the loop go on whenever a slice has been done."""

    def __init__(self) -> None:
        self._done = 0

    async def did(self, hashes: int) -> None:
        self._done += hashes
        if self._done >= SLICE:
            self._done = 0
            await asyncio.sleep(0)


async def _current(database: Database, actor: Actor, lot_id: UUID) -> Edition:
    async with database.reading(actor) as tx:
        return (await _finished(tx, lot_id))[1]


async def _finished(tx: Tx, lot_id: UUID) -> tuple[Lot, Edition]:
    lot = await commands.get_lot(tx, lot_id)
    if Status(lot.status) not in FINISHED:
        raise RecordSealed()
    return lot, await store.get_edition(tx, lot_id)


async def _pages(
    database: Database, actor: Actor, read: Callable[[Tx, int], Awaitable[Sequence[Any]]]
) -> AsyncIterator[Sequence[Any]]:
    """Pages of what `read` finds behind a number, the first column. While a page is worked on no transaction is open:
    however slow the machine, none is ended for standing idle."""
    after = -1
    while True:
        async with database.reading(actor) as tx:
            page = await read(tx, after)
        if not page:
            return
        yield page
        after = page[-1][0]


def _terms(lot: Lot) -> str:
    return chain.terms_bytes(lot.lot_id, lot.terms).decode()


def _result(lot: Lot) -> BundleResult:
    ended_at = commands.ended_at(lot)
    return BundleResult(
        status=lot.status,
        outcome=lot.outcome,
        ended_at=beijing(ended_at) if ended_at else None,
        code=lot.leader_code,
        price_fen=lot.price_fen,
        bids=lot.bids,
        extensions=lot.extensions,
    )


async def _events(
    database: Database, actor: Actor, lot_id: UUID, edition: Edition, pace: _Pace
) -> tuple[list[BundleEvent], list[BundleBatch]]:
    """All events in order, each with its place in a signed batch, and those batches in order."""
    events: list[BundleEvent] = []
    batches: dict[tuple[int, int], BundleBatch] = {}
    async for page in _pages(database, actor, lambda tx, after: store.events_of(tx, lot_id, after, edition.seq, PAGE)):
        async with database.reading(actor) as tx:
            rows = await store.batches_of(tx, {(row.share, row.batch) for row in page})
        places: dict[bytes, tuple[merkle.Tree, int]] = {}
        for batch in rows:
            batches[batch.share, batch.number] = BundleBatch(**asdict(batch.view()))
            links = merkle.split(batch.leaves)
            tree = merkle.Tree(links)
            places |= {link: (tree, leaf) for leaf, link in enumerate(links)}
            await pace.did(2 * tree.size)
        for row in page:
            tree, leaf = places[row.link]
            path = tree.path(leaf).hex()
            events.append(BundleEvent(row.event.decode(), row.link.hex(), row.share, row.batch, leaf, path))
    return events, [batches[name] for name in sorted(batches)]


async def _blocks(database: Database, actor: Actor, lot_id: UUID, edition: Edition) -> list[BundleBlock]:
    """The sealed blocks of refusals. One pass over blocks and refusals together: a lot may have thousands of either."""
    ends, blocks = [], []
    async for page in _pages(
        database, actor, lambda tx, after: store.blocks_of(tx, lot_id, after, edition.blocks, PAGE)
    ):
        ends += [row.last_entry for row in page]
        blocks += [BundleBlock([], row.link.hex()) for row in page]
    at, last = 0, ends[-1] if ends else 0
    async for page in _pages(database, actor, lambda tx, after: store.refusals_of(tx, lot_id, after, last, PAGE)):
        for row in page:
            while row.entry > ends[at]:
                at += 1
            blocks[at].hashes.append(row.link.hex())
    return blocks


async def _log(database: Database, actor: Actor, lot_id: UUID, edition: Edition) -> BundleLog | None:
    """What the log says of the lot under the first head that covers all of it; None before that is logged."""
    if edition.logged is None:
        return None
    last = edition.logged
    async with database.reading(actor) as tx:
        head = await store.head_over(tx, last)
    if head is None:
        return None
    proved: list[BundleEntry] = []

    async def read(tx: Tx, after: int) -> Sequence[tuple[int, str, list[bytes]]]:
        entries = await store.entries_of(tx, lot_id, after, last, ENTRIES_PAGE)
        ranges = [merkle.inclusion(entry.number, head.size) for entry in entries]
        hashes = iter(await store.get_hashes(tx, [one for path in ranges for one in path]))
        return [
            (entry.number, entry.data.decode(), [next(hashes) for _ in path])
            for entry, path in zip(entries, ranges, strict=True)
        ]

    async for page in _pages(database, actor, read):
        proved += [BundleEntry(index, data, b"".join(path).hex()) for index, data, path in page]
    return BundleLog(head_view(head), proved)
