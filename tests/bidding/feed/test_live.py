"""The live protocol as a page uses it: snapshot, events, ticks, bids, resume (docs/live.md)."""

import asyncio
import itertools
from uuid import UUID, uuid4

import pytest

from bidding import api
from bidding.feed.rooms import FLOOD_EVENTS
from kernel.actors import platform
from tests.bidding.feed.house import Client, House, serve
from tests.bidding.support import START_FEN, STEP_FEN, admitted

pytestmark = pytest.mark.anyio


async def test_a_page_from_snapshot_to_close(database_url: str) -> None:
    async with serve(database_url) as house:
        lot_id = await house.open_lot()
        who = await house.bidder(lot_id)
        async with house.watch(lot_id) as watcher, house.watch(lot_id, who) as bidder:
            first = await watcher.read()
            assert (first["t"], first["seq"], first["rate"]) == ("snapshot", 1, 1)
            assert first["lot"]["status"] == "open"
            assert first["lot"]["price_fen"] is None
            assert 86_000_000 < first["remaining_ms"] <= 86_400_000
            tick = await watcher.next("tick")
            assert (tick["seq"], tick["watchers"], tick["bidders"], first["lot"]["bidders"]) == (1, 0, 0, 0)

            key = uuid4()
            ack = await bidder.bid(START_FEN, key)
            assert (ack["t"], ack["key"], ack["seq"]) == ("ack", str(key), 2)
            event = ack["receipt"]["event"]
            assert event["price_fen"] == START_FEN
            frame = await watcher.next("events")
            assert frame == {"t": "events", "from": 2, "to": 2, "events": [event]}
            async with house.parts.database.reading(platform("test")) as tx:
                result = await api.get_result(tx, lot_id)
            assert (event["code"], event["seq"]) == (result.code, 2)

            low = await bidder.bid(START_FEN + 1)
            assert (low["code"], low["rule"], low["minimum_fen"]) == ("below-minimum", "R-BID-08", START_FEN + STEP_FEN)
            assert low["detail"]
        async with house.watch(lot_id) as late:
            snapshot = await late.read()
            assert (snapshot["seq"], snapshot["lot"]["leader"], snapshot["lot"]["bids"]) == (2, event["code"], 1)


async def test_how_many_take_part_is_told_coarsely(database_url: str) -> None:
    """Nine bidders look like one; the tenth is told as ten, to pages open and to those that come (R-BID-07)."""
    async with serve(database_url) as house:
        lot_id = await house.open_lot()
        for _ in range(9):
            await admitted(house.parts.database, lot_id)
        async with house.watch(lot_id) as watcher:
            assert (await watcher.read())["lot"]["bidders"] == 0
            assert (await watcher.next("tick"))["bidders"] == 0
            for _ in range(3):
                await admitted(house.parts.database, lot_id)
            async with asyncio.timeout(10):
                while (await watcher.next("tick"))["bidders"] != 10:
                    pass
            async with house.watch(lot_id) as late:
                assert (await late.read())["lot"]["bidders"] == 10
        listed = (await house.http.get(f"/api/live/lots?ids={lot_id}")).json()["lots"]
        assert [lot["bidders"] for lot in listed] == [10]


async def bid_up(client: Client, first_fen: int, times: int) -> None:
    for price_fen in itertools.islice(itertools.count(first_fen, STEP_FEN), times):
        answer = await client.bid(price_fen)
        assert answer["t"] == "ack", answer


async def follow(client: Client, start: int, last: int) -> list[dict[str, object]]:
    """Read events until `last`; every frame must follow on the one before (invariant 32)."""
    events: list[dict[str, object]] = []
    seq = start
    while seq < last:
        frame = await client.next("events")
        assert frame["from"] == seq + 1
        assert frame["to"] == frame["from"] + len(frame["events"]) - 1 or len(frame["events"]) == FLOOD_EVENTS
        assert [event["seq"] for event in frame["events"]] == list(
            range(frame["to"] - len(frame["events"]) + 1, frame["to"] + 1)
        )
        events += frame["events"]
        seq = frame["to"]
    assert seq == last
    return events


async def test_every_client_log_is_gapless_under_load_and_after_resume(database_url: str) -> None:
    async with serve(database_url) as house:
        lot_id = await house.open_lot()
        who = await house.bidder(lot_id)
        async with house.watch(lot_id) as steady, house.watch(lot_id, who) as bidder:
            assert (await steady.read())["seq"] == 1
            bidding = asyncio.create_task(bid_up(bidder, START_FEN, 150))
            last = 1
            while last < 151:  # comes and goes all the time
                async with house.watch(lot_id, after=last) as visitor:
                    frame = await visitor.next("events")
                    assert frame["from"] == last + 1
                    last = frame["to"]
            await bidding
            await follow(steady, 1, 151)
            frames = len(steady.seen)
            assert frames < 150
        async with house.watch(lot_id, after=0) as reader:
            events = await follow(reader, 0, 151)
        assert [event["price_fen"] for event in events[1:]] == [START_FEN + STEP_FEN * n for n in range(150)]


async def test_frames_are_conflated_to_twenty_a_second(database_url: str) -> None:
    async with serve(database_url) as house:
        lot_id = await house.open_lot()
        people = [await house.bidder(lot_id) for _ in range(4)]
        async with house.watch(lot_id) as watcher:
            await watcher.read()
            loop = asyncio.get_running_loop()
            prices, started = itertools.count(START_FEN, STEP_FEN), loop.time()

            async def storm(index: int) -> None:
                async with house.watch(lot_id, people[index]) as socket:
                    while loop.time() < started + 1.5:
                        await socket.bid(next(prices))

            await asyncio.gather(*(storm(index) for index in range(4)))
            async with house.parts.database.reading(platform("test")) as tx:
                last = (await api.get_result(tx, lot_id)).bids + 1
            await follow(watcher, 1, last)
            assert last > 100
            assert len(watcher.seen) <= 1 + 20 * (loop.time() - started)


async def test_an_unknown_place_is_answered_by_a_snapshot(database_url: str) -> None:
    """Row 38: future, negative and unreadable."""
    async with serve(database_url) as house:
        lot_id = await house.open_lot()
        for after in ("-1", "999999", "99999999999999999999", "x", "1.0", ""):
            async with house.watch(lot_id, after=after) as reader:
                frame = await reader.read()
                assert (frame["t"], frame["seq"]) == ("snapshot", 1)


async def test_far_behind_is_a_snapshot_and_the_rest_is_paged(database_url: str) -> None:
    """Row 39: more than a thousand events behind, from the database alone."""
    async with serve(database_url) as house:
        lot_id = await house.open_lot()
        who = await house.bidder(lot_id)
        async with house.watch(lot_id, who) as bidder:
            await bid_up(bidder, START_FEN, 1_050)
        async with house.watch(lot_id, after=0) as reader:
            assert (await reader.read())["t"] == "snapshot"
        async with house.watch(lot_id, after=51) as reader:
            events = await follow(reader, 51, 1_051)
            assert len(events) == 1_000
        paged: list[int] = []
        while len(paged) < 1_051:
            after = paged[-1] if paged else 0
            page = (await house.http.get(f"/api/lots/{lot_id}/events", params={"after": after, "limit": 400})).json()
            assert page["seq"] == 1_051
            paged += [event["seq"] for event in page["events"]]
        assert paged == list(range(1, 1_052))


async def test_what_another_process_wrote_heals_within_a_second(database_url: str) -> None:
    """A lost ring: the room misses events and finds them by comparing itself with the database."""
    async with serve(database_url) as house:
        lot_id = await house.open_lot()
        who = await house.bidder(lot_id)
        house.parts.desk.on_committed.remove(house.parts.feed.publish)
        async with house.watch(lot_id) as watcher, house.watch(lot_id, who) as bidder:
            await watcher.read()
            await bid_up(bidder, START_FEN, 3)
            assert await follow(watcher, 1, 4)
            house.parts.desk.on_committed.append(house.parts.feed.publish)
            await bid_up(bidder, START_FEN + 3 * STEP_FEN, 1)
            assert await follow(watcher, 4, 5)


async def test_a_gap_in_what_the_desk_tells_is_filled_at_once(database_url: str) -> None:
    async with serve(database_url) as house:
        lot_id = await house.open_lot()
        who = await house.bidder(lot_id)
        publish = house.parts.feed.publish
        async with house.watch(lot_id) as watcher, house.watch(lot_id, who) as bidder:
            await watcher.read()
            house.parts.desk.on_committed.remove(publish)
            await bid_up(bidder, START_FEN, 2)
            house.parts.desk.on_committed.append(publish)
            await bid_up(bidder, START_FEN + 2 * STEP_FEN, 1)
            await follow(watcher, 1, 4)


async def test_same_key_same_answer_on_both_doors(database_url: str) -> None:
    """Rows 41, 42, 76, 77: replayed frames, a lost reply, copies in parallel, another payload."""
    async with serve(database_url) as house:
        lot_id = await house.open_lot()
        who = await house.bidder(lot_id)
        key = uuid4()
        async with house.watch(lot_id, who) as one, house.watch(lot_id, who) as other:
            body = {"key": str(key), "price_fen": START_FEN, "confirm": START_FEN}
            answers = await asyncio.gather(
                one.bid(START_FEN, key), other.bid(START_FEN, key), house.bid(who, lot_id, dict(body))
            )
            first, second = answers[0], answers[1]
            assert isinstance(first, dict)
            assert first == second == answers[2].json()
            assert answers[2].status_code == 201
            replayed = await one.bid(START_FEN, key)
            assert replayed == first
            reused = await other.bid(START_FEN + STEP_FEN, key)
            assert reused["code"] == "key-reused"
            over_http = await house.bid(who, lot_id, body | {"price_fen": START_FEN + 1, "confirm": START_FEN + 1})
            assert (over_http.status_code, over_http.json()["code"]) == (422, "key-reused")
        asked = await house.http.get(f"/api/lots/{lot_id}/bids/{key}", headers={"Cookie": who.cookie})
        assert (asked.status_code, asked.json()) == (200, first)
        assert (await bids_of(house, lot_id)) == 1


async def bids_of(house: House, lot_id: UUID) -> int:
    async with house.parts.database.reading(platform("test")) as tx:
        return (await api.get_result(tx, lot_id)).bids


async def test_a_bid_whose_sender_is_gone_is_found_by_its_key(database_url: str) -> None:
    async with serve(database_url) as house:
        lot_id = await house.open_lot()
        who, key = await house.bidder(lot_id), uuid4()
        async with house.watch(lot_id, who) as socket:
            await socket.bid(START_FEN)  # the door knows the bidder, so the next one is handled where it is parsed
            price = START_FEN + STEP_FEN
            await socket.raw.send(f'{{"t":"bid","key":"{key}","price_fen":{price},"confirm":{price}}}')
            socket.raw.transport.abort()
        headers = {"Cookie": who.cookie}
        async with asyncio.timeout(5):
            while (asked := await house.http.get(f"/api/lots/{lot_id}/bids/{key}", headers=headers)).status_code != 200:
                await asyncio.sleep(0.05)
        assert asked.json()["t"] == "ack"
        nobody = await house.http.get(f"/api/lots/{lot_id}/bids/{uuid4()}", headers=headers)
        assert nobody.status_code == 404


async def test_thirty_equal_bids_at_once(database_url: str) -> None:
    """Row 75: one is accepted, the others are told the lowest price now possible."""
    async with serve(database_url) as house:
        lot_id = await house.open_lot()
        people = [await house.bidder(lot_id) for _ in range(30)]

        async def once(index: int) -> str:
            async with house.watch(lot_id, people[index]) as socket:
                answer = await socket.bid(START_FEN)
                return str(answer.get("code", answer["t"]))

        answers = await asyncio.gather(*(once(index) for index in range(30)))
        assert sorted(answers) == ["ack", *["below-minimum"] * 29]


async def test_no_frame_and_no_page_names_a_person(database_url: str) -> None:
    """Invariants 16 and 33, for everything the public sees of a running lot."""
    async with serve(database_url) as house:
        lot_id = await house.open_lot()
        who = await house.bidder(lot_id)
        seen: list[str] = []
        async with house.watch(lot_id) as watcher, house.watch(lot_id, who) as bidder:
            await bid_up(bidder, START_FEN, 2)
            async with asyncio.timeout(1.5):
                while len(seen) < 3:
                    seen.append(str(await watcher.read()))
        seen += [(await house.http.get(f"/api/lots/{lot_id}/{path}")).text for path in ("events", "record")]
        async with house.parts.database.reading(platform("test")) as tx:
            own = await api.find_own_registration(tx, lot_id, who.actor.person)
        assert own is not None
        markers = [who.username, str(who.actor.person_id), str(own.id), str(who.actor.session_id), "某人"]
        assert not [marker for marker in markers if any(marker in text for text in seen)]
        assert any(own.code in text for text in seen)
