"""Receipts prove themselves, are the same at every resend, and keep their key over restarts."""

import asyncio
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import msgspec
import pytest

from bidding.desk.batch import Entry
from bidding.desk.desk import Desk, DeskOptions
from bidding.desk.receipts import BATCH, Batch, Proof, make_ahead, receipt
from bidding.desk.session import Session
from bidding.desk.submissions import Answer, Submission
from bidding.feed.schemas import ack_frame
from kernel import merkle
from kernel.signatures import Keyring, is_signed
from tests.bidding.desk.house import OPENS, START, STEP, House, desk_of, house
from tests.bidding.feed.house import serve
from tests.bidding.support import START_FEN
from tests.support.keys import KEYRING

pytestmark = pytest.mark.anyio


def receipt_of(place_lot: Any, answer: Answer) -> dict[str, Any]:
    receipt: dict[str, Any] = msgspec.json.decode(ack_frame(place_lot, answer))["receipt"]
    return receipt


def proves_itself(receipt: dict[str, Any], keyring: Keyring = KEYRING) -> bool:
    """The steps of docs/evidence.md, written apart from the platform's own code where that is possible."""
    import hashlib

    def sha(*pieces: bytes) -> bytes:
        return hashlib.sha256(b"".join(pieces)).digest()

    raw, batch = receipt["bytes"].encode(), receipt["batch"]
    link = sha(b"\x01", bytes.fromhex(receipt["previous"]), sha(raw))
    path = merkle.split(bytes.fromhex(receipt["path"]))
    root = merkle.root_by_path(sha(b"\0", link), receipt["leaf"], batch["size"], path)
    text = BATCH.format(**batch).encode()
    return (
        link.hex() == receipt["link"]
        and msgspec.json.decode(raw)["event"] == receipt["event"]
        and root is not None
        and root.hex() == batch["root"]
        and is_signed(text, batch["key_id"], bytes.fromhex(batch["signature"]), keyring.keys)
    )


async def test_one_signature_serves_all_bids_of_a_commit(database_url: str) -> None:
    async with house(database_url) as place, desk_of(place) as desk:
        lots = [await place.lot() for _ in range(3)]
        bids = [place.bid(lot, await place.bidder(lot, f"B{number}"), START) for number, lot in enumerate(lots)]
        answers = await asyncio.gather(*(desk.submit(bid) for bid in bids))
        receipts = [receipt_of(lot, answer) for lot, answer in zip(lots, answers, strict=True)]
        assert all(proves_itself(receipt) for receipt in receipts)
        assert len({receipt["batch"]["signature"] for receipt in receipts}) == 1
        assert receipts[0]["batch"]["size"] == 6, "three openings and three bids"
        assert receipts[0]["event"]["price_fen"] == START
        assert {"seq", "code", "price_fen", "at"} <= receipts[0]["event"].keys()


CHANGES = {
    "price": lambda receipt: receipt["event"].update(price_fen=1),
    "bytes": lambda receipt: receipt.update(bytes=receipt["bytes"].replace(str(START), str(START + STEP))),
    "previous": lambda receipt: receipt.update(previous="00" * 32),
    "link": lambda receipt: receipt.update(link="00" * 32),
    "leaf": lambda receipt: receipt.update(leaf=receipt["leaf"] + 1),
    "path": lambda receipt: receipt.update(path="00" * 32),
    "root": lambda receipt: receipt["batch"].update(root="00" * 32),
    "number": lambda receipt: receipt["batch"].update(number=99),
    "time": lambda receipt: receipt["batch"].update(at="2025-04-10T10:00:00.001+08:00"),
    "signature": lambda receipt: receipt["batch"].update(signature="00" * 64),
    "key": lambda receipt: receipt["batch"].update(key_id="0" * 16),
}


async def test_a_tampered_receipt_proves_nothing(database_url: str) -> None:
    async with house(database_url) as place, desk_of(place) as desk:
        lot = await place.lot()
        answer = await desk.submit(place.bid(lot, await place.bidder(lot, "B1"), START))
        assert proves_itself(receipt_of(lot, answer))
        assert not proves_itself(receipt_of(lot, answer), Keyring.make())
        for name, change in CHANGES.items():
            receipt = receipt_of(lot, answer)
            change(receipt)
            assert not proves_itself(receipt), name


async def test_a_resend_gives_the_same_receipt_before_and_after_a_restart(database_url: str) -> None:
    async with house(database_url) as place:
        lot = await place.lot()
        bidders = [await place.bidder(lot, f"B{number}") for number in range(5)]
        bids = [
            place.bid(lot, bidder, price, confirm=price)
            for bidder, price in zip(bidders, range(START, START + 5 * STEP, STEP), strict=True)
        ]
        async with desk_of(place) as desk:
            first = await asyncio.gather(*(desk.submit(bid) for bid in bids))
            second = await asyncio.gather(*(desk.submit(bid) for bid in bids))
        async with desk_of(place) as desk:
            third = await asyncio.gather(*(desk.submit(bid) for bid in reversed(bids)))
        frames = [ack_frame(lot, answer) for answer in first]
        assert frames == [ack_frame(lot, answer) for answer in second]
        assert frames == [ack_frame(lot, answer) for answer in reversed(third)]
        assert all(proves_itself(receipt_of(lot, answer)) for answer in first)


async def test_socket_post_and_get_give_the_same_receipt(database_url: str) -> None:
    async with serve(database_url) as site:
        lot_id = await site.open_lot()
        person, key = await site.bidder(lot_id), uuid4()
        async with site.watch(lot_id, person) as client:
            told = await client.bid(START_FEN, key)
            again = await client.bid(START_FEN, key)
        body = {"key": str(key), "price_fen": START_FEN, "confirm": START_FEN}
        posted = (await site.bid(person, lot_id, body)).json()
        asked = await site.http.get(f"/api/lots/{lot_id}/bids/{key}", headers={"Cookie": person.cookie})
        assert told == again == posted == asked.json()
        assert proves_itself(told["receipt"], site.parts.keyring)


async def test_the_key_outlives_restarts_and_is_one_for_all_desks(database_url: str, tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    async with house(database_url) as place:
        key_ids = set()
        for number in range(3):
            desk = Desk(place.url, place.clock, Keyring.load_or_make(path), DeskOptions(exclusive=True))
            await desk.start()
            lot = await place.lot()
            answer = await desk.submit(place.bid(lot, await place.bidder(lot, f"B{number}"), START))
            key_ids.add(receipt_of(lot, answer)["batch"]["key_id"])
            await desk.stop()
        assert key_ids == {Keyring.load(path).key_id}
        assert await place.db.fetchval("SELECT count(*) FROM bidding.signing_key") == 1
        assert [row["number"] for row in await batches(place)] == [1, 2, 3]


async def test_after_a_change_of_keys_old_receipts_still_prove_themselves(database_url: str, tmp_path: Path) -> None:
    async with house(database_url) as place:
        before, lot = Keyring.make(), await place.lot()
        after = before.rotated()
        bids = [place.bid(lot, await place.bidder(lot, f"B{step}"), START + step * STEP) for step in range(2)]
        receipts = []
        for keyring, bid in zip((before, after), bids, strict=True):
            desk = Desk(place.url, place.clock, keyring, DeskOptions(exclusive=True))
            await desk.start()
            receipts += [receipt_of(lot, await desk.submit(one)) for one in bids[: bids.index(bid) + 1]]
            await desk.stop()
        assert receipts[0] == receipts[1], "the old bid, sent again to the new desk"
        assert [receipt["batch"]["key_id"] for receipt in receipts[1:]] == [before.key_id, after.key_id]
        assert all(proves_itself(receipt, after) for receipt in receipts)


async def test_a_commit_that_fails_uses_up_no_number(database_url: str) -> None:
    async with house(database_url) as place, desk_of(place) as desk:
        lot = await place.lot()
        await desk.submit(place.bid(lot, await place.bidder(lot, "B1"), START))
        poison = place.bid(lot, await place.bidder(lot, "B2"), START + STEP)
        too_much = msgspec.structs.replace(poison, price_fen=2**70)
        assert not (await desk.submit(too_much)).accepted
        await desk.submit(place.bid(lot, await place.bidder(lot, "B3"), START + STEP))
        assert [row["number"] for row in await batches(place)] == [1, 2]


async def test_two_who_number_alike_cannot_both_commit(database_url: str) -> None:
    """The race that the lease prevents: a number that was read too early is refused, and read anew it follows on."""
    async with house(database_url) as place:
        lot = await place.lot()
        bids = [place.bid(lot, await place.bidder(lot, f"B{step}"), START + step * STEP) for step in range(3)]
        one, other = (Session(place.url, 0, KEYRING) for _ in range(2))
        try:
            await one.take_lease("one", None, None)
            other.epoch = one.epoch  # control: as if the lease did not keep them apart
            await decide(place, one, bids[0])
            await decide(place, other, bids[1])
            with pytest.raises(asyncpg.UniqueViolationError):
                await decide(place, one, bids[2])
            await decide(place, one, bids[2])
        finally:
            await one.close()
            await other.close()
        assert [row["number"] for row in await batches(place)] == [1, 2, 3]


async def batches(place: House) -> list[Any]:
    return list(await place.db.fetch("SELECT * FROM bidding.batch ORDER BY share, number"))


async def decide(place: House, session: Session, bid: Submission) -> None:
    now = place.clock.now()
    await session.write([Entry(bid, bid.address, now)], now, 1, lambda _: True)


async def test_a_receipt_made_ahead_is_the_one_made_when_it_is_told() -> None:
    """While a large batch is written its receipts are made already; who asks later gets the same bytes."""
    lot_id, batch = uuid4(), Batch(3, 7)
    events = [b'{"seq":%d}' % seq for seq in range(5)]
    links = [bytes([seq]) * 32 for seq in range(5)]
    proofs = [Proof(event, bytes(32), batch, batch.add(link)) for event, link in zip(events, links, strict=True)]
    batch.close(OPENS, KEYRING.key_id, KEYRING.sign(batch.statement(OPENS)))
    told = [receipt(lot_id, *one) for one in zip(events, links, proofs, strict=True)]
    for one in list(zip(events, links, proofs, strict=True))[1:]:
        make_ahead(lot_id, *one)
    assert sorted(batch.receipts) == [1, 2, 3, 4]
    assert [receipt(lot_id, *one) for one in zip(events, links, proofs, strict=True)] == told
    assert len(set(told)) == 5
