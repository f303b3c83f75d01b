"""Web processes that fall silent: their bidders' lots wait with the close, and are frozen if nobody comes back."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from bidding.desk import ingresses, lease
from bidding.desk.ingresses import Presence
from bidding.desk.shares import Part
from tests.bidding.desk.house import ENDS, MINUTE, OPENS, SECOND, START, House, code_of, desk_of, house

pytestmark = pytest.mark.anyio

SEAT = "INSERT INTO bidding.ingress_bidder (ingress_id, lot_id, registration_id, came_at) VALUES ($1, $2, $3, $4)"
ALIVE = -60
"""Of a process that gives signs all through a test: its last one lies ahead."""

HERE = "SELECT lot_id, registration_id FROM bidding.ingress_bidder WHERE went_at IS NULL"


async def ingress(place: House, silent_s: float, *seats: tuple[UUID, UUID]) -> UUID:
    """A web process whose last sign is so old, with these bidders connected."""
    ingress_id = uuid4()
    await place.db.execute(
        "INSERT INTO bidding.ingress VALUES ($1, clock_timestamp() - make_interval(secs => $2), $3, clock_timestamp())",
        ingress_id,
        silent_s,
        place.clock.now(),
    )
    for lot_id, registration_id in seats:
        await place.db.execute(SEAT, ingress_id, lot_id, registration_id, place.clock.now())
    return ingress_id


async def silent(place: House, ingress_id: UUID, silent_s: float) -> None:
    """As if it had been silent for so long."""
    await place.db.execute(
        "UPDATE bidding.ingress SET real_at = clock_timestamp() - make_interval(secs => $2) WHERE id = $1",
        ingress_id,
        silent_s,
    )


async def ending(place: House) -> tuple[UUID, UUID]:
    """A lot with a leader, and its bidder."""
    lot = await place.lot()
    return lot, await place.bidder(lot, "B1")


def set_clock(place: House, at: Any) -> None:
    place.clock.set(at)  # type: ignore[attr-defined]


async def test_a_lot_whose_bidders_are_cut_off_is_not_closed_over_their_heads(database_url: str) -> None:
    async with house(database_url) as place, desk_of(place) as desk:
        cut_off, returned, calm = await ending(place), await ending(place), await ending(place)
        for lot, bidder in (cut_off, returned, calm):
            assert (await desk.submit(place.bid(lot, bidder, START))).accepted
        set_clock(place, ENDS - 2 * SECOND)
        gone = await ingress(place, 3, cut_off, returned)
        other = await ingress(place, 0, calm)
        set_clock(place, ENDS)
        await place.settled(calm[0], "closed")
        assert [(await place.row(lot))["status"] for lot, _ in (cut_off, returned)] == ["open", "open"]

        await place.db.execute(SEAT, other, *returned, place.clock.now())
        assert (await place.settled(returned[0], "closed"))["ends_at"] == ENDS
        assert (await place.row(cut_off[0]))["status"] == "open"

        await silent(place, gone, 5.5)
        row = await place.settled(cut_off[0], "frozen")
        assert (row["remaining_ms"], row["outcome"]) == (300_000, None)
        outage = await place.db.fetchrow("SELECT * FROM bidding.desk_outage")
        assert (outage["cause"], outage["lots_frozen"], outage["since"]) == ("ingress-missing", 1, ENDS - 2 * SECOND)


async def test_short_silences_one_after_the_other_do_not_put_a_close_off_for_longer_than_a_hole(
    database_url: str,
) -> None:
    """No silence is a hole by itself; the second process falls silent as the first is back."""
    async with house(database_url) as place, desk_of(place) as desk:
        lot, bidder = await ending(place)
        assert (await desk.submit(place.bid(lot, bidder, START))).accepted
        set_clock(place, ENDS)
        first, second = await ingress(place, 3, (lot, bidder)), await ingress(place, 0, (lot, bidder))
        await silent(place, second, 2.5)
        set_clock(place, ENDS + 4.9 * SECOND)
        await asyncio.sleep(0.6)
        assert (await place.row(lot))["status"] == "open"
        await silent(place, first, 2.2)
        await silent(place, second, 3)
        set_clock(place, ENDS + 5 * SECOND)
        row = await place.settled(lot, "frozen")
        assert (row["remaining_ms"], row["leader_code"]) == (300_000, "B1")
        outage = await place.db.fetchrow("SELECT * FROM bidding.desk_outage")
        assert (outage["cause"], outage["lots_frozen"]) == ("ingress-missing", 1)


async def test_nobody_is_waited_for_who_died_with_the_only_process(database_url: str) -> None:
    """Who alone holds the data folder knows every process of before dead; its gap was the desk's, and was short."""
    async with house(database_url) as place:
        lot, bidder = await ending(place)
        async with desk_of(place) as desk:
            assert (await desk.submit(place.bid(lot, bidder, START))).accepted
            await ingress(place, 3, (lot, bidder))
        set_clock(place, ENDS)
        async with desk_of(place):
            assert (await place.settled(lot, "closed"))["ends_at"] == ENDS


async def test_nobody_is_waited_for_who_could_not_bid_or_left(database_url: str) -> None:
    """The control: an applicant without a deposit, one who closed their page and one who did so elsewhere, having come
    back; a lot far from its end."""
    async with house(database_url) as place, desk_of(place):
        applicant_lot, far_lot = await place.lot(), await place.lot(ends_at=ENDS + 60 * MINUTE)
        applicant = applicant_lot, await place.bidder(applicant_lot, "B1", admitted_at=None)
        far, gone, moved = (far_lot, await place.bidder(far_lot, "B1")), await ending(place), await ending(place)
        set_clock(place, ENDS - 6 * MINUTE)
        web, other = await ingress(place, 0, applicant, far, gone, moved), await ingress(place, ALIVE)
        await left(place, web, gone)
        await silent(place, web, 6)
        set_clock(place, ENDS - 6 * MINUTE + 6 * SECOND)
        await place.db.execute(SEAT, other, *moved, place.clock.now())
        await left(place, other, moved)
        await measured(place, far_lot)
        set_clock(place, ENDS)
        for lot, _ in (applicant, gone, moved):
            await place.settled(lot, "closed")
        assert (await place.row(far_lot))["status"] == "open"
        assert await place.db.fetchval("SELECT sum(lots_frozen) FROM bidding.desk_outage") == 0


async def left(place: House, ingress_id: UUID, seat: tuple[UUID, UUID]) -> None:
    """As the process writes it once the bidder's last socket is closed."""
    gone = (
        "UPDATE bidding.ingress_bidder SET went_at = $2 WHERE ingress_id = $1 AND lot_id = $3 AND registration_id = $4"
    )
    await place.db.execute(gone, ingress_id, place.clock.now(), *seat)


@pytest.mark.parametrize("restarted", [False, True])
async def test_who_stays_cut_off_into_the_last_minutes_freezes_the_lot_then(database_url: str, restarted: bool) -> None:
    """Their process died long before them (R-HALT-02), the desk perhaps too. Who came back elsewhere is no reason."""
    async with house(database_url) as place:
        async with desk_of(place) as desk:
            cut_off, back = await ending(place), await ending(place)
            for lot, bidder in (cut_off, back):
                assert (await desk.submit(place.bid(lot, bidder, START))).accepted
            set_clock(place, ENDS - 10 * MINUTE)
            dead, other = await ingress(place, 6, cut_off, back), await ingress(place, ALIVE)
            await measured(place, cut_off[0])
            await place.db.execute(SEAT, other, *back, place.clock.now())
            await asyncio.sleep(1.5)
            assert (await place.row(cut_off[0]))["status"] == "open"
            if not restarted:
                await frozen_at_last(place, cut_off[0], back[0], dead)
        if restarted:
            async with desk_of(place, exclusive=False):
                await frozen_at_last(place, cut_off[0], back[0], dead)


async def frozen_at_last(place: House, cut_off: UUID, back: UUID, dead: UUID) -> None:
    """The last minutes begin, the process has been silent for most of an hour, and the lots come to their end."""
    await silent(place, dead, 3_000)
    set_clock(place, ENDS - 4 * MINUTE)
    row = await place.settled(cut_off, "frozen", within_s=8)
    assert row["remaining_ms"] == 10 * 60_000, "since the process fell silent"
    set_clock(place, ENDS)
    assert (await place.settled(back, "closed"))["ends_at"] == ENDS
    seats = "SELECT count(*) FROM bidding.ingress_bidder WHERE ingress_id = $1 AND went_at IS NULL"
    assert await place.db.fetchval(seats, dead) == 0, "judged, or back"


@pytest.mark.parametrize(("others_alive_s", "status"), [(3_700, "closed"), (1_800, "frozen")])
async def test_who_does_not_come_back_in_an_hour_in_which_they_could_has_left(
    database_url: str, others_alive_s: int, status: str
) -> None:
    """The control: while no other process lived for so long, nobody is held to have left."""
    async with house(database_url) as place, desk_of(place) as desk:
        lot, bidder = await ending(place)
        assert (await desk.submit(place.bid(lot, bidder, START))).accepted
        other, _ = await ingress(place, ALIVE), await ingress(place, 3_650, (lot, bidder))
        began = "UPDATE bidding.ingress SET began_at = began_at - make_interval(secs => $2) WHERE id = $1"
        await place.db.execute(began, other, float(others_alive_s))
        await asyncio.sleep(1.5)
        set_clock(place, ENDS)
        await place.settled(lot, status)


async def test_a_process_that_was_silent_tells_anew_who_is_connected(database_url: str) -> None:
    """Its seats were given up meanwhile, though some of its sockets lived on."""
    async with house(database_url) as place:
        db, presence, seat = await lease.connect(database_url, "ingress"), Presence(), (uuid4(), uuid4())
        try:
            presence.come(seat)
            await ingresses.write_sign(db, presence, OPENS)
            began_at = await place.db.fetchval("SELECT began_at FROM bidding.ingress")
            await ingresses.judged(db, presence.ingress_id, [seat[0]])
            await ingresses.write_sign(db, presence, OPENS)
            assert await place.db.fetch(HERE) == [], "the control: it was never silent, and believes them written"
            assert await place.db.fetchval("SELECT began_at FROM bidding.ingress") == began_at
            await silent(place, presence.ingress_id, 6)
            await ingresses.write_sign(db, presence, OPENS)
            assert [tuple(row) for row in await place.db.fetch(HERE)] == [seat]
            assert await place.db.fetchval("SELECT began_at FROM bidding.ingress") > began_at
        finally:
            await db.close()


async def measured(place: House, lot_id: UUID) -> None:
    """Wait for the record of an outage of this lot."""
    async with asyncio.timeout(8):
        while not await place.db.fetchval("SELECT count(*) FROM bidding.outage_lot WHERE lot_id = $1", lot_id):
            await asyncio.sleep(0.05)


async def test_who_is_connected_is_written_with_the_sign_of_life(database_url: str) -> None:
    async with house(database_url) as place:
        db, presence = await lease.connect(database_url, "ingress"), Presence()
        first, second = (uuid4(), uuid4()), (uuid4(), uuid4())

        async def written() -> set[tuple[UUID, UUID]]:
            await ingresses.write_sign(db, presence, OPENS)
            rows = await place.db.fetch(HERE)
            return {(row[0], row[1]) for row in rows}

        try:
            presence.come(first)
            presence.come(first)
            presence.come(second)
            assert await written() == {first, second}
            presence.go(first)
            presence.go(second)
            assert await written() == {first}, "one socket of theirs is left"
            presence.go(first)
            assert await written() == set()
            assert presence.changes() == (set(), set())
            await silent(place, presence.ingress_id, 61)
            await ingresses.forget(db, Part())
            assert await place.db.fetchval("SELECT count(*) FROM bidding.ingress") == 0
        finally:
            await db.close()


async def test_a_process_cut_off_from_its_desk_gives_no_sign_and_names_those_who_wait(database_url: str) -> None:
    async with house(database_url) as place:
        db, presence, waits = await lease.connect(database_url, "ingress"), Presence(), (uuid4(), uuid4())

        async def sign_of_life(cut_off: bool) -> Any:
            await ingresses.write_sign(db, presence, OPENS, cut_off=cut_off, waiting={waits} if cut_off else set())
            return await place.db.fetchval("SELECT real_at FROM bidding.ingress")

        try:
            alive = await sign_of_life(cut_off=False)
            assert await sign_of_life(cut_off=True) == alive
            assert await place.db.fetchval(HERE) == waits[0]
            assert await sign_of_life(cut_off=False) > alive
            assert await place.db.fetch(HERE) == []
        finally:
            await db.close()


@pytest.mark.parametrize(("waited", "status"), [(4.9, "closed"), (5.0, "frozen")])
async def test_a_bid_that_was_on_its_way_for_five_seconds_freezes_its_lot(
    database_url: str, waited: float, status: str
) -> None:
    """It came before the end and enters behind it: the court decides, unless the platform was quick enough."""
    async with house(database_url) as place, desk_of(place) as desk:
        (lot, bidder), (other, _) = await ending(place), await ending(place)
        set_clock(place, ENDS - SECOND)
        await ingress(place, 3, (lot, bidder))
        came_at = place.clock.now()
        set_clock(place, came_at + waited * SECOND)
        await place.settled(other, "closed")
        answer = await desk.submit(place.bid(lot, bidder, START, ingress_at=came_at))
        assert code_of(answer) == ("suspended" if status == "frozen" else "after-end")
        if status == "closed":
            await place.db.execute("UPDATE bidding.ingress SET real_at = clock_timestamp()")
        row = await place.settled(lot, status)
        outages = [
            tuple(one) for one in await place.db.fetch("SELECT cause, since, lots_frozen FROM bidding.desk_outage")
        ]
        assert outages == ([("undecided", came_at, 1)] if status == "frozen" else [])
        assert row["remaining_ms"] == (300_000 if status == "frozen" else None)


async def test_a_desk_that_stops_lets_the_next_one_begin_at_once(database_url: str) -> None:
    async with house(database_url) as place:
        async with desk_of(place):
            assert await place.db.fetchval("SELECT holder FROM bidding.desk_lease")
        assert await place.db.fetchval("SELECT holder FROM bidding.desk_lease") == ""
        async with asyncio.timeout(2), desk_of(place):
            assert await place.db.fetchval("SELECT epoch FROM bidding.desk_lease") == 2
