"""A bundle proves itself without a database, and no change to it passes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.cli import main
from app.verify import main_verify_bundle
from bidding.desk import chain
from bidding.desk.rules import Kind
from bidding.evidence import bundle as check
from bidding.evidence import reading, service, store
from bidding.evidence.bundles import make_bundle
from bidding.evidence.schemas import Bundle
from bidding.feed.errors import RecordSealed
from kernel.actors import platform
from kernel.signatures import Keyring
from tests.bidding.desk.house import ENDS, OPENS, SECOND, START, at, codes, desk_of, house
from tests.bidding.evidence.house import Archive, archive
from tests.support.house import opened
from tests.support.keys import KEYRING

pytestmark = pytest.mark.anyio

Json = dict[str, Any]
TRUSTED = list(KEYRING.keys.values())


@asynccontextmanager
async def bundled(url: str, folder: Path) -> AsyncIterator[tuple[Archive, Bundle]]:
    async with archive(url, folder) as kept:
        yield kept, await kept.bundle()


async def test_an_honest_bundle_verifies_by_itself_and_against_keys_and_anchors(
    database_url: str, tmp_path: Path
) -> None:
    async with bundled(database_url, tmp_path) as (kept, bundle):
        raw = msgspec.json.encode(bundle)
        again = reading.read_bundle(raw)
        assert check.faults(again) == []
        assert check.faults(again, TRUSTED, kept.anchors()) == []
        assert again.result.outcome == "sold"
        assert len(again.events) == (await kept.place.row(kept.lot_id))["seq"]


async def test_nothing_secret_is_in_a_bundle(database_url: str, tmp_path: Path) -> None:
    async with bundled(database_url, tmp_path) as (kept, bundle):
        raw = msgspec.json.encode(bundle).decode()
        rows = await kept.place.submissions(kept.lot_id)
        for row in rows:
            for secret in (row["registration_id"], row["key"], row["actor_id"]):
                assert secret is None or str(secret) not in raw
            if row["seq"] is None:
                assert row["event"].decode() not in raw, "what was refused is shown to its bidder alone"
                assert row["link"].hex() in raw
        assert KEYRING._private.private_bytes_raw().hex() not in raw


async def test_an_honest_bundle_of_a_lot_that_was_held_at_its_end_verifies(database_url: str) -> None:
    """It is suspended in place of its close (R-CASE-09), and closed once the court resumes it."""
    async with house(database_url) as place, opened(database_url, ENDS) as database:
        lot = await place.lot()
        async with desk_of(place) as desk:
            await place.settled(lot, "open")
            await place.db.execute(
                "INSERT INTO bidding.lot_hold (lot_id, hold_id, reason, placed_at) VALUES ($1, $1, '案外人异议', $2)",
                lot,
                OPENS,
            )
            at(place).set(ENDS)
            await place.settled(lot, "suspended")
            await place.db.execute("UPDATE bidding.lot_hold SET lifted_at = $1", ENDS)
            await desk.submit(place.order(lot, Kind.RESUMED))
            at(place).advance(SECOND)
            await place.settled(lot, "closed")
        await service.log_ended(database, KEYRING)
        assert check.faults(await make_bundle(database, platform("test"), lot), TRUSTED) == []


async def test_there_is_none_before_the_end(database_url: str, tmp_path: Path) -> None:
    async with archive(database_url, tmp_path) as kept:
        kept.lot_id = await kept.place.lot()
        with pytest.raises(RecordSealed):
            await kept.bundle()


def _swap(bundle: Json, key: str, one: int, other: int) -> None:
    bundle[key][one], bundle[key][other] = bundle[key][other], bundle[key][one]


def _event(bundle: Json, old: str, new: str, at: int = 1) -> None:
    event = bundle["events"][at]
    assert old in event["bytes"]
    event["bytes"] = event["bytes"].replace(old, new)


def _hashes(bundle: Json) -> list[str]:
    hashes: list[str] = bundle["refusals"][0]["hashes"]
    return hashes


def _block_after(link: str) -> Json:
    """A block that the platform never sealed, of a refusal that never was."""
    return {"hashes": ["00" * 32], "link": chain.block_link(bytes.fromhex(link), [b"\0" * 32]).hex()}


CHANGES: dict[str, Callable[[Json], Any]] = {
    "a price": lambda bundle: _event(bundle, '"price_fen":100000', '"price_fen":101000'),
    "a code": lambda bundle: _event(bundle, '"code":"B1"', '"code":"B2"'),
    "white space": lambda bundle: _event(bundle, '"seq":2', '"seq": 2'),
    "an event taken out": lambda bundle: bundle["events"].pop(2),
    "the last event taken out": lambda bundle: bundle["events"].pop(),
    "an event twice": lambda bundle: bundle["events"].insert(2, bundle["events"][2]),
    "two events swapped": lambda bundle: _swap(bundle, "events", 2, 3),
    "a link": lambda bundle: bundle["events"][1].update(link="00" * 32),
    "no path": lambda bundle: bundle["events"][1].update(path="00"),
    "another leaf": lambda bundle: bundle["events"][1].update(leaf=7),
    "another batch": lambda bundle: bundle["events"][1].update(number=1),
    "a batch taken out": lambda bundle: bundle["batches"].pop(),
    "a root": lambda bundle: bundle["batches"][0].update(root="00" * 32),
    "a signature": lambda bundle: bundle["batches"][0].update(signature="00" * 64),
    "no signature": lambda bundle: bundle["batches"][0].update(signature="zz"),
    "the time of a batch": lambda bundle: bundle["batches"][0].update(at="2025-04-10T10:00:01.000+08:00"),
    "the terms": lambda bundle: bundle.update(terms=bundle["terms"].replace("100000", "90000")),
    "terms of nothing": lambda bundle: bundle.update(terms="[]"),
    "the genesis": lambda bundle: bundle.update(genesis="00" * 32),
    "the result": lambda bundle: bundle["result"].update(price_fen=1),
    "the winner": lambda bundle: bundle["result"].update(code="B2"),
    "the state": lambda bundle: bundle["result"].update(status="withdrawn"),
    "an annulment": lambda bundle: bundle["result"].update(status="annulled"),
    "refusals written as one": lambda bundle: bundle["refusals"][0].update(hashes=["".join(_hashes(bundle))]),
    "a refusal of no bytes": lambda bundle: _hashes(bundle).append(""),
    "a refusal in capitals": lambda bundle: bundle["refusals"][0].update(hashes=[h.upper() for h in _hashes(bundle)]),
    "an invented block": lambda bundle: bundle["refusals"].append(_block_after(bundle["refusals"][-1]["link"])),
    "a batch twice": lambda bundle: bundle["batches"].insert(0, bundle["batches"][0] | {"root": "00" * 32}),
    "another algorithm": lambda bundle: bundle["keys"][0].update(algorithm="none"),
    "a refusal taken out": lambda bundle: bundle["refusals"][0]["hashes"].pop(),
    "a block taken out": lambda bundle: bundle["refusals"].pop(),
    "no key": lambda bundle: bundle.update(keys=[]),
    "another key": lambda bundle: bundle["keys"][0].update(public_key="00" * 32),
    "no log": lambda bundle: bundle.update(log=None),
    "no entry": lambda bundle: bundle["log"].update(entries=[]),
    "an entry": lambda bundle: bundle["log"]["entries"][0].update(data="{}"),
    "an entry moved": lambda bundle: bundle["log"]["entries"][0].update(index=5),
    "a head": lambda bundle: bundle["log"]["head"].update(root="00" * 32),
    "another lot": lambda bundle: bundle.update(lot_id="00000000-0000-7000-8000-000000000001"),
}


async def test_no_change_passes(database_url: str, tmp_path: Path) -> None:
    """One sale for all changes: each is tried on a fresh copy, with nothing known from elsewhere."""
    async with bundled(database_url, tmp_path) as (_, bundle):
        raw = msgspec.json.encode(bundle)
        passed = []
        for name, change in CHANGES.items():
            document = msgspec.json.decode(raw)
            change(document)
            if not check.faults(reading.read_bundle(msgspec.json.encode(document))):
                passed.append(name)
        assert passed == []


async def test_a_bundle_of_a_forgers_own_make_needs_keys_or_anchors(database_url: str, tmp_path: Path) -> None:
    """Control: a whole sale that somebody else signed agrees with itself; keys or anchors from elsewhere find it."""
    async with bundled(database_url, tmp_path) as (kept, bundle):
        assert check.faults(bundle) == []
        foreign = Keyring.make()
        assert check.faults(bundle, foreign.keys.values()) != []
        others = [msgspec.structs.replace(head, root="00" * 32) for head in kept.anchors()]
        assert check.faults(bundle, None, others) == ["head 1 of the log is not among the anchors"]


async def test_the_command_says_what_fails(
    database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with bundled(database_url, tmp_path / "anchors") as (kept, bundle):
        path, keys = tmp_path / "lot.json", tmp_path / "keys.json"
        path.write_bytes(msgspec.json.encode(bundle))
        keys.write_bytes(msgspec.json.encode({"keys": TRUSTED}))
        anchors = [str(file) for file in kept.sink.folder.iterdir()]
    capsys.readouterr()
    assert main(["verify", "--bundle", str(path), "--keys", str(keys), "--anchors", *anchors]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said == [
        "not proved: the title (测试标的); whether the sale was annulled afterwards",
        "verified: no fault found",
    ]
    assert main(["verify", "--bundle", str(path)]) == 0
    said = capsys.readouterr().out.splitlines()
    assert KEYRING.key_id in said[0], "whose keys were believed"
    assert "the number of the log's head" in said[1], "what only anchors prove"
    path.write_text(path.read_text().replace('\\"extended\\":false', '\\"extended\\":true', 1))
    assert main_verify_bundle(str(path), None, []) == 1
    assert "does not continue the chain" in capsys.readouterr().out
    path.write_text("{}")
    assert main_verify_bundle(str(path), None, []) == 2
    assert main_verify_bundle(str(tmp_path / "none"), None, []) == 2


async def test_refusals_that_the_log_does_not_know_yet_are_left_out(database_url: str, tmp_path: Path) -> None:
    """Nothing proves them before the next entry of the lot, so that an invented block would look the same."""
    async with bundled(database_url, tmp_path) as (kept, bundle):
        place, lot_id = kept.place, kept.lot_id
        late = await place.bidder(lot_id, "B9")
        async with desk_of(place) as desk:
            assert codes([await desk.submit(place.bid(lot_id, late, START))]) == ["after-end"]
            async with asyncio.timeout(10):
                while await place.db.fetchval("SELECT count(*) FROM bidding.refusal_block") < 2:
                    await asyncio.sleep(0.05)
        again = await kept.bundle()
        assert again.refusals == bundle.refusals
        assert check.faults(again, TRUSTED, kept.anchors()) == []
        async with kept.database.transaction(platform("test")) as tx:
            await service._append(tx, KEYRING, store.MOVED, None)
        again = await kept.bundle()
        assert again.refusals[:1] == bundle.refusals
        assert len(again.refusals) == 2
        assert check.faults(again, TRUSTED) == []
