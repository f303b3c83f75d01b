"""The log of all lots: what enters it and when, its proofs, its anchors, and who may read it."""

import asyncio
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest
from structlog.testing import capture_logs

from bidding.desk.rules import Kind
from bidding.evidence import rules, service
from bidding.evidence.jobs import Anchoring
from bidding.evidence.schemas import HeadView
from bidding.evidence.sinks import FolderSink
from kernel import merkle
from kernel.actors import platform
from kernel.clock import FrozenClock
from kernel.database import Database
from kernel.signatures import is_signed
from tests.bidding.desk.house import ENDS, OPENS, START, STEP, House, at, desk_of, house, put_order
from tests.bidding.evidence.house import Archive, archive
from tests.bidding.feed.house import serve
from tests.support.house import frozen, opened
from tests.support.keys import KEYRING

pytestmark = pytest.mark.anyio

NOBODY = platform("test")


async def age(place: House, by: timedelta = rules.HEAD_EVERY) -> None:
    """Let real time pass for the log."""
    async with place.db.transaction():
        await place.db.execute("SET LOCAL session_replication_role = replica")
        await place.db.execute("UPDATE bidding.log_head SET made_at = made_at - $1::interval", by)


async def entries(place: House) -> list[tuple[UUID, int]]:
    rows = await place.db.fetch("SELECT lot_id, seq FROM bidding.log_entry ORDER BY number")
    return [(row["lot_id"], row["seq"]) for row in rows]


async def test_every_ten_minutes_what_moved_is_logged_and_the_log_signed_anyway(database_url: str) -> None:
    async with house(database_url) as place, desk_of(place) as desk:
        lot, other = await place.lot(), await place.lot(OPENS + timedelta(hours=1))
        database = Database(database_url, place.clock)
        await place.settled(lot, "open")  # while it is logged, its opening would be one more that moved
        try:
            assert await service.log_all(database, KEYRING) == 2
            assert await service.log_all(database, KEYRING) == 0
            await desk.submit(place.bid(lot, await place.bidder(lot, "B1"), START))
            assert await service.log_all(database, KEYRING) == 0, "ten minutes have not passed"
            await age(place)
            assert await service.log_all(database, KEYRING) == 1
            await age(place)
            assert await service.log_all(database, KEYRING) == 0
            heads = (await service.list_heads(database, NOBODY, 0, 10)).heads
        finally:
            await database.close()
        assert {entry[0] for entry in (await entries(place))[:2]} == {lot, other}
        assert (await entries(place))[2:] == [(lot, 2)]
        assert [(head.number, head.size) for head in heads] == [(1, 2), (2, 3), (3, 3)]


async def test_an_end_is_logged_at_once_and_once(database_url: str) -> None:
    async with house(database_url) as place:
        database = Database(database_url, place.clock)
        try:
            async with desk_of(place):
                lots = [await place.lot() for _ in range(3)]
                await service.log_all(database, KEYRING)
                assert await service.log_ended(database, KEYRING) == 0
                assert isinstance(place.clock, FrozenClock)
                place.clock.set(ENDS)
                for lot in lots:
                    await place.settled(lot, "closed")
            logged = await asyncio.gather(*(service.log_ended(database, KEYRING) for _ in range(4)))
            assert sorted(logged) == [0, 0, 0, 3], "of several sweepers one logs"
        finally:
            await database.close()
        assert sorted((await entries(place))[3:]) == sorted((lot, 2) for lot in lots)


@pytest.mark.parametrize("waited", [timedelta(), 3 * rules.LOOK_BACK])
async def test_an_end_by_an_order_is_logged_however_long_nobody_decided_it(
    database_url: str, waited: timedelta
) -> None:
    """It ended when the order was given, and before the last head; what is refused since is logged as well."""
    async with house(database_url) as place, opened(database_url, OPENS) as database:
        async with desk_of(place):
            lot = await place.lot()
            await place.settled(lot, "open")
        await service.log_all(database, KEYRING)
        await put_order(place.db, lot, Kind.WITHDRAWN, place.clock.now())
        for clock in (at(place), frozen(database)):
            clock.advance(waited)
        await age(place)
        assert await service.log_all(database, KEYRING) == 0, "a head that nothing moved for"
        async with desk_of(place) as desk:
            assert (await place.settled(lot, "withdrawn"))["closed_at"] == OPENS
            assert await service.log_ended(database, KEYRING) == 1
            assert await service.log_ended(database, KEYRING) == 0
            await desk.submit(place.bid(lot, await place.bidder(lot, "B1"), START))
            await sealed_blocks(place, 1)
        await age(place)
        assert await service.log_all(database, KEYRING) == 1
        logged = await place.db.fetch("SELECT seq, blocks FROM bidding.log_entry ORDER BY number")
        assert [tuple(row) for row in logged] == [(1, 0), (2, 0), (2, 1)]


async def sealed_blocks(place: House, number: int) -> None:
    """Wait until so many blocks of refusals are sealed."""
    async with asyncio.timeout(10):
        while await place.db.fetchval("SELECT count(*) FROM bidding.refusal_block") < number:
            await asyncio.sleep(0.05)


async def test_without_the_lock_two_sweepers_would_number_alike(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of the test above: the same sweepers, none of whom waits for another."""

    async def no_lock(_: object) -> None:
        await asyncio.sleep(0.05)

    async with house(database_url) as place:
        database = Database(database_url, place.clock)
        try:
            async with desk_of(place):
                lot = await place.lot()
                assert isinstance(place.clock, FrozenClock)
                place.clock.set(ENDS)
                await place.settled(lot, "closed")
            monkeypatch.setattr("bidding.evidence.store.lock_log", no_lock)
            sweeps = (service.log_ended(database, KEYRING) for _ in range(4))
            outcomes = await asyncio.gather(*sweeps, return_exceptions=True)
        finally:
            await database.close()
        assert sum(isinstance(outcome, Exception) for outcome in outcomes) > 0


async def test_what_a_sink_missed_it_gets_later_and_twice_does_no_harm(database_url: str, tmp_path: Path) -> None:
    class Away(FolderSink):
        def append(self, heads: Any) -> None:
            raise OSError("no such mount")

    async with house(database_url) as place:
        database = Database(database_url, place.clock)
        sink = FolderSink(tmp_path)
        try:
            await place.lot()
            await Anchoring(database, KEYRING, Away(tmp_path)).sweep()
            assert list(sink.heads()) == []
            await Anchoring(database, KEYRING, sink).sweep()
            (head,) = sink.heads()
            await place.db.execute("SET session_replication_role = replica; DELETE FROM bidding.anchor")
            await asyncio.gather(*(service.anchor(database, sink) for _ in range(3)))
            assert set(sink.heads()) == {head}
            assert head == await service.show_head(database, NOBODY)
            assert await service.anchor(database, sink) == 0
        finally:
            await database.close()


def test_a_line_that_is_no_anchor_is_named(tmp_path: Path) -> None:
    sink = FolderSink(tmp_path)
    assert list(sink.heads()) == []
    head = HeadView(1, 0, "2025-04-10T10:00:00.000+08:00", "00" * 32, "0" * 16, "00" * 64)
    sink.append([head, head])
    assert list(sink.heads()) == [head, head]
    (path,) = tmp_path.iterdir()
    path.write_text(path.read_text() + "cut off")
    with pytest.raises(ValueError, match=r"heads-2025.jsonl: line 3 is no anchor"):
        list(sink.heads())


HEADS = [HeadView(number, 0, "2025-04-10T10:00:00.000+08:00", "00" * 32, "0" * 16, "00" * 64) for number in (1, 2, 3)]


@contextmanager
def full_disk(path: Path, left: int) -> Iterator[None]:
    """The file may grow by `left` bytes: what is longer is written in part, as on a disk that is full, and then not."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + left, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)


def test_a_full_disk_tears_no_line(tmp_path: Path) -> None:
    """Written in part, the next head stood behind the rest on one line: no server would start on it again."""
    sink = FolderSink(tmp_path)
    sink.append(HEADS[:1])
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    with full_disk(path, 50):
        with pytest.raises(OSError, match="too large"):
            sink.append(HEADS[1:])
        with path.open("ab", buffering=0) as control:
            assert control.write(whole) == 50, "control: the disk takes a part of a line"
    path.write_bytes(path.read_bytes()[:-50])
    assert path.read_bytes() == whole
    sink.append(HEADS[1:])
    assert list(sink.heads()) == HEADS


@pytest.mark.parametrize("left", [1, 5, 50, 250])
def test_what_a_crash_tore_is_no_anchor_and_hides_none(tmp_path: Path, left: int) -> None:
    """Also twice, where a disk that only appends lets nothing be taken back."""
    sink = FolderSink(tmp_path)
    sink.append(HEADS[:1])
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    for torn in (whole[:left], b"\n" + whole[:1]):
        path.write_bytes(path.read_bytes() + torn)
        assert list(sink.heads()) == HEADS[:1]
    with capture_logs() as told:
        sink.append(HEADS[1:])
    assert [entry["event"] for entry in told] == ["evidence.torn-anchor"]
    assert list(sink.heads()) == HEADS
    assert path.read_bytes().startswith(whole + whole[:left] + b"\n"), "nothing that stood there is taken away"


async def test_anchors_that_cannot_be_read_are_told_in_a_sentence(database_url: str, tmp_path: Path) -> None:
    async with archive(database_url, tmp_path) as kept:
        assert await service.behind(kept.database, kept.sink) is None
        (path,) = tmp_path.iterdir()
        line = path.read_bytes().splitlines()[0]
        path.write_bytes(line[:50] + line + b"\n")
        told = await service.behind(kept.database, kept.sink)
        assert told is not None
        assert f"{path}: line 1 is no anchor" in told
        path.unlink()
        path.mkdir()
        told = await service.behind(kept.database, kept.sink)
        assert told is not None
        assert f"{path}: Is a directory" in told
        path.rmdir()
        tmp_path.rmdir()
        assert await service.behind(kept.database, kept.sink) is None, "control: none was anchored yet"
        tmp_path.touch()  # as a folder that may not be looked into, which root always may
        told = await service.behind(kept.database, kept.sink)
        assert told is not None
        assert f"{tmp_path}: Not a directory" in told


async def grow(place: House, database: Database, times: int) -> None:
    """A log of one lot with an entry a bid."""
    async with desk_of(place) as desk:
        lot = await place.lot()
        bidders = [await place.bidder(lot, f"B{number}") for number in range(2)]
        for number in range(times):
            await desk.submit(place.bid(lot, bidders[number % 2], START + number * STEP))
            await service.log_all(database, KEYRING)
            await age(place)


async def test_every_entry_and_every_beginning_is_proved(database_url: str) -> None:
    async with house(database_url) as place:
        database = Database(database_url, place.clock)
        try:
            await grow(place, database, 9)
            heads = (await service.list_heads(database, NOBODY, 0, 100)).heads
            for head in heads:
                text = rules.head_text(head.size, head.at, head.root)
                assert is_signed(text, head.key_id, bytes.fromhex(head.signature), KEYRING.keys)
                for index in range(head.size):
                    proof = await service.prove_inclusion(database, NOBODY, index, head.size)
                    path = merkle.split(bytes.fromhex(proof.path))
                    leaf = merkle.leaf_hash(proof.data.encode())
                    assert merkle.root_by_path(leaf, index, head.size, path) == bytes.fromhex(head.root)
                for earlier in heads[: head.number]:
                    shown = await service.prove_consistency(database, NOBODY, earlier.size, head.size)
                    path = merkle.split(bytes.fromhex(shown.path))
                    roots = bytes.fromhex(earlier.root), bytes.fromhex(head.root)
                    assert merkle.is_prefix(earlier.size, roots[0], head.size, roots[1], path)
        finally:
            await database.close()


async def test_everybody_reads_the_log_and_nobody_past_its_end(database_url: str, tmp_path: Path) -> None:
    async with serve(database_url, anchor_dir=str(tmp_path)) as site:
        http = site.http
        assert await code(http, "/api/evidence/head") == "beyond-log"
        lot_id = await site.open_lot()
        await site.parts.anchoring.sweep()
        head = (await http.get("/api/evidence/head")).json()
        assert (head["number"], head["size"]) == (1, 1)
        assert (await http.get("/api/evidence/heads")).json() == {"heads": [head]}
        assert (await http.get("/api/evidence/heads?after=1")).json() == {"heads": []}
        (entry,) = (await http.get(f"/api/evidence/entries?lot={lot_id}")).json()["entries"]
        assert msgspec.json.decode(entry["data"])["lot"] == str(lot_id)
        assert (await http.get(f"/api/evidence/entries?lot={uuid4()}")).json() == {"entries": []}
        assert (await http.get("/api/evidence/entries?first=1")).json() == {"entries": []}
        (key,) = (await http.get("/api/evidence/keys")).json()["keys"]
        assert key == msgspec.to_builtins(site.parts.keyring.current)
        proof = (await http.get("/api/evidence/inclusion?index=0")).json()
        assert (proof["root"], proof["path"], proof["data"]) == (head["root"], "", entry["data"])
        assert (await http.get("/api/evidence/consistency?first=1")).json()["path"] == ""
        for beyond in ("inclusion?index=1", "inclusion?index=0&size=2", "consistency?first=2"):
            assert await code(http, f"/api/evidence/{beyond}") == "beyond-log"
        for wrong in ("inclusion?index=-1", "entries?limit=1001", "consistency?first=x", "entries?lot=x"):
            assert (await http.get(f"/api/evidence/{wrong}")).status_code == 400
        assert await code(http, f"/api/lots/{lot_id}/bundle") == "record-sealed"
        assert await code(http, f"/api/lots/{uuid4()}/bundle") == "not-found"
        assert [path.name[:5] for path in tmp_path.iterdir()] == ["heads"]


async def code(http: httpx.AsyncClient, path: str) -> str:
    answer = await http.get(path)
    assert answer.status_code in {404, 409}
    told: str = answer.json()["code"]
    return told


async def test_the_bundle_of_a_finished_lot_is_a_public_file(database_url: str, tmp_path: Path) -> None:
    async with archive(database_url, tmp_path) as kept:
        await kept.place.db.execute("DELETE FROM bidding.desk_health")
        await _is_sent(database_url, kept)


async def _is_sent(database_url: str, kept: Archive) -> None:
    async with serve(database_url) as site:
        answer = await site.http.get(f"/api/lots/{kept.lot_id}/bundle")
        assert answer.headers["content-disposition"] == f'attachment; filename="lot-{kept.lot_id}.json"'
        assert answer.content == msgspec.json.encode(await kept.bundle())


def test_the_head_is_due_by_real_time() -> None:
    ten_minutes = timedelta(minutes=10)
    assert rules.is_due(None, OPENS)
    assert rules.is_due(OPENS - ten_minutes, OPENS)
    assert not rules.is_due(OPENS - ten_minutes + timedelta(milliseconds=1), OPENS)
