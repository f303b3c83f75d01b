"""Submissions on their way to desks in one process: over real connections, in order, each decided once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from random import Random
from uuid import UUID, uuid4

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from bidding.desk import lease, shares
from bidding.desk.desk import Desk, DeskOptions
from bidding.desk.standby import Standby
from bidding.forwarding import schemas
from bidding.forwarding.door import Door
from bidding.forwarding.forwarder import HEARD_WITHIN_S, SIGN_EVERY_S, Forwarder
from kernel.clock import Clock, FrozenClock
from kernel.errors import NotFound
from tests.bidding.desk.house import OPENS, START, STEP, House, code_of, codes, house
from tests.campaign.proxy import Proxy
from tests.support.keys import KEYRING

pytestmark = pytest.mark.anyio

SECRET = "a-secret-of-at-least-thirty-two-characters"


@asynccontextmanager
async def standing_by(url: str, clock: Clock | None = None, queue: int = 20_000) -> AsyncIterator[tuple[Standby, Door]]:
    """A desk process, without the process."""

    def make(share: int) -> Desk:
        options = DeskOptions(queue=queue, share=share, address=door.address)
        return Desk(url, clock or FrozenClock(OPENS), KEYRING, options)

    standby = Standby(url, make)
    door = Door(standby.desks, SECRET)
    await door.open("127.0.0.1", 0)
    running = asyncio.create_task(standby.run())
    try:
        yield standby, door
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await standby.stop()
        await door.close()


@asynccontextmanager
async def forwarding(url: str, limit: int = 1_000, secret: str = SECRET) -> AsyncIterator[Forwarder]:
    """The web process's end."""
    forwarder = Forwarder(url, FrozenClock(OPENS), secret, limit)
    running = asyncio.create_task(forwarder.run())
    try:
        yield forwarder
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def share_out(url: str, number: int) -> None:
    db = await lease.connect(url, "test")
    await shares.change(db, number)
    await db.close()


async def lots_of(place: House, wanted: int, of: int) -> list[UUID]:
    """Lots until every share has `wanted`."""
    lots: list[UUID] = []
    while any(sum(lot.int % 4096 % of == share for lot in lots) < wanted for share in range(of)):
        lots.append(await place.lot())
    return lots


async def test_a_forwarded_bid_is_answered_as_at_the_desk(database_url: str) -> None:
    async with house(database_url) as place, standing_by(database_url), forwarding(database_url) as web:
        lot = await place.lot()
        first, second = await place.bidder(lot, "B1"), await place.bidder(lot, "B2")
        bid = place.bid(lot, first, START)
        async with asyncio.timeout(5):
            answers = await asyncio.gather(
                web.submit(bid),
                web.submit(place.bid(lot, second, START)),
                web.submit(place.bid(lot, second, START + STEP)),
            )
        assert codes(answers) == ["accepted", "below-minimum", "accepted"]
        assert b'"t":"ack"' in answers[0].frame  # type: ignore[attr-defined]
        refusal = answers[1].refusal
        assert refusal is not None
        assert (refusal.facts, refusal.status) == ({"minimum_fen": START + STEP}, 409)
        assert "出价低于" in refusal.detail
        assert await web.submit(bid) == answers[0], "the stored answer is given again"
        other = place.bid(lot, first, START + 2 * STEP, key=bid.key)
        assert code_of(await web.submit(other)) == "key-reused"
        assert not web.waits((bid.lot_id, bid.registration_id, bid.key))
        unknown = await web.submit(place.bid(uuid4(), first, START))
        assert isinstance(unknown.refusal, NotFound)
        assert [row["received_at"] for row in await place.submissions(lot)]


async def test_what_waits_for_a_desk_is_decided_by_the_next_one(database_url: str) -> None:
    async with house(database_url) as place, forwarding(database_url) as web:
        lot = await place.lot()
        bidder = await place.bidder(lot, "B1")
        bid = place.bid(lot, bidder, START)
        async with asyncio.timeout(10):
            waiting = asyncio.ensure_future(web.submit(bid))
            await asyncio.sleep(0)
            assert web.waits((bid.lot_id, bid.registration_id, bid.key))
            async with standing_by(database_url):
                assert code_of(await waiting) == "accepted"
            again = asyncio.ensure_future(web.submit(bid))
            later = asyncio.ensure_future(web.submit(place.bid(lot, bidder, START + STEP, confirm=START + STEP)))
            async with standing_by(database_url):
                assert codes([await again, await later]) == ["accepted", "accepted"]
        assert (await place.row(lot))["bids"] == 2
        assert await place.db.fetchval("SELECT epoch FROM bidding.desk_lease") == 2


async def test_a_way_that_swallows_everything_silences_the_web_process(database_url: str) -> None:
    """Half open, so that nothing breaks: no sign of life until the desk is heard again; the bid is known."""
    async with house(database_url) as place, standing_by(database_url) as (standby, door), Proxy([], Random(1)) as way:
        way.targets.append(int(door.address.rpartition(":")[2]))
        door.address = f"127.0.0.1:{way.port}"
        async with forwarding(database_url) as web, asyncio.timeout(30):
            lot = await place.lot()
            bidder = await place.bidder(lot, "B1")
            assert code_of(await web.submit(place.bid(lot, bidder, START))) == "accepted"

            async def sign_within(seconds: float) -> bool:
                before = await place.db.fetchval("SELECT max(real_at) FROM bidding.ingress")
                with suppress(TimeoutError):
                    async with asyncio.timeout(seconds):
                        while await place.db.fetchval("SELECT max(real_at) FROM bidding.ingress") == before:
                            await asyncio.sleep(0.02)
                        return True
                return False

            assert await sign_within(3), "the control: a process that hears its desk gives signs"
            way.half_open(1.0)
            waiting = asyncio.ensure_future(web.submit(place.bid(lot, bidder, START + STEP, confirm=START + STEP)))
            await asyncio.sleep(HEARD_WITHIN_S + SIGN_EVERY_S)
            assert not await sign_within(2.5)
            assert await place.db.fetchval("SELECT count(*) FROM bidding.ingress_bidder WHERE lot_id = $1", lot) == 1
            way.heal()
            assert await sign_within(3)
            assert code_of(await waiting) == "accepted"
            assert serving(standby) == [0]


async def test_two_processes_share_the_lots_and_replace_each_other(database_url: str) -> None:
    await share_out(database_url, 2)
    async with house(database_url) as place, forwarding(database_url) as web, AsyncExitStack() as rest:
        lots = await lots_of(place, 2, of=2)
        bidders = [await place.bidder(lot, "B1") for lot in lots]
        async with asyncio.timeout(15):
            one, _ = await rest.enter_async_context(standing_by(database_url))
            async with standing_by(database_url) as (two, _):
                while len(serving(one)) + len(serving(two)) < 2:
                    await asyncio.sleep(0.02)
                assert len(serving(one)) == len(serving(two)) == 1, "the idle process takes what is free"
                bids = [place.bid(lot, bidder, START) for lot, bidder in zip(lots, bidders, strict=True)]
                assert set(codes(await asyncio.gather(*map(web.submit, bids)))) == {"accepted"}
            raised = [replace_price(place, bid, START + STEP) for bid in bids]
            assert set(codes(await asyncio.gather(*map(web.submit, raised)))) == {"accepted"}
            assert serving(one) == [0, 1], "the one that is left decides everything"
        for lot in lots:
            assert (await place.row(lot))["bids"] == 2


def serving(standby: Standby) -> list[int]:
    """The shares that this process decides."""
    return sorted(share for share, desk in standby.desks.items() if desk.serving)


def replace_price(place: House, bid: object, price: int) -> object:
    return place.bid(bid.lot_id, bid.registration_id, price, confirm=price)  # type: ignore[attr-defined]


async def test_sharing_out_anew_ends_the_desks_and_loses_nothing(database_url: str) -> None:
    async with house(database_url) as place, standing_by(database_url) as (standby, _), forwarding(database_url) as web:
        lots = await lots_of(place, 1, of=3)
        bidders = [await place.bidder(lot, "B1") for lot in lots]
        async with asyncio.timeout(20):
            for lot, bidder in zip(lots, bidders, strict=True):
                assert code_of(await web.submit(place.bid(lot, bidder, START))) == "accepted"
            first = standby.desks[0]
            await share_out(database_url, 3)
            price = START + STEP
            bids = [place.bid(lot, bidder, price, confirm=price) for lot, bidder in zip(lots, bidders, strict=True)]
            assert set(codes(await asyncio.gather(*map(web.submit, bids)))) == {"accepted"}
            assert not first.serving
            assert sorted(standby.desks) == [0, 1, 2]
        assert {(await place.row(lot))["bids"] for lot in lots} == {2}


async def test_a_desk_decides_no_lot_of_another(database_url: str) -> None:
    await share_out(database_url, 2)
    async with house(database_url) as place:
        lots = await lots_of(place, 1, of=2)
        desk = Desk(database_url, place.clock, KEYRING, DeskOptions(exclusive=True, share=1))
        await desk.start()
        try:
            for lot in lots:
                answer = await desk.submit(place.bid(lot, await place.bidder(lot, "B1"), START))
                assert code_of(answer) == ("accepted" if lot.int % 4096 % 2 == 1 else "not-found")
            statuses = {lot: (await place.row(lot))["status"] for lot in lots}
            assert {status for lot, status in statuses.items() if lot.int % 2 == 0} == {"upcoming"}
        finally:
            await desk.stop()


async def test_too_many_waiting_are_turned_away(database_url: str) -> None:
    async with house(database_url) as place, forwarding(database_url, limit=1) as web:
        lot = await place.lot()
        bidder = await place.bidder(lot, "B1")
        waiting = asyncio.ensure_future(web.submit(place.bid(lot, bidder, START)))
        await asyncio.sleep(0)
        assert code_of(await web.submit(place.bid(lot, bidder, START))) == "busy"
        waiting.cancel()


async def test_a_stranger_is_turned_away_at_the_door(database_url: str) -> None:
    async with standing_by(database_url) as (standby, door):
        async with asyncio.timeout(5):
            while not (0 in standby.desks and standby.desks[0].serving):
                await asyncio.sleep(0.02)
        shown = {"Authorization": f"Bearer {SECRET}"}
        address = f"ws://{door.address}/forward/1/"
        for path, headers, status in (
            ("0/1", {}, 401),
            ("0/1", {"Authorization": "Bearer wrong"}, 401),
            ("0/1", shown | {"Origin": "http://127.0.0.1:8000"}, 401),
            ("0/2", shown, 503),
            ("1/1", shown, 503),
            ("x", shown, 503),
        ):
            with pytest.raises(InvalidStatus) as refused:
                await connect(address + path, additional_headers=headers, proxy=None)
            assert refused.value.response.status_code == status, (path, headers)
        for garbage in (b"\xc1", "text", schemas.encode([1, 2]), bytes(schemas.MAX_SUBMISSIONS_BYTES + 1)):
            async with connect(address + "0/1", additional_headers=shown, proxy=None) as line:
                await line.send(garbage)
                with pytest.raises(ConnectionClosed):
                    await line.recv()
        assert standby.desks[0].serving


def test_frames_come_back_as_they_went(database_url: str) -> None:
    place = House(database_url, FrozenClock(OPENS), None)  # type: ignore[arg-type]
    sent = place.bid(uuid4(), uuid4(), START, confirm=START)
    [read] = schemas.read_forwarded(schemas.encode([schemas.forwarded(7, sent)]))
    assert (read.number, read.submission()) == (7, sent)
