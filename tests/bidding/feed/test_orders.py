"""The court's orders to a live lot, in their place among the bids (R-HALT-01, 03; R-CLOSE-11)."""

from uuid import UUID, uuid4

import httpx
import pytest

from bidding.desk import chain
from kernel.actors import Role
from tests.appraisal.support import make_case, make_court, make_decision
from tests.bidding.feed.house import House, Person, serve
from tests.bidding.support import START_FEN, STEP_FEN

pytestmark = pytest.mark.anyio


async def order(
    house: House, judge: Person, lot_id: UUID, kind: str, decision_id: UUID, key: str = ""
) -> httpx.Response:
    headers = {"Cookie": judge.cookie, "Origin": house.origin, "Idempotency-Key": key or uuid4().hex}
    body = {"reason": "案外人提出异议", "decision_id": str(decision_id)}
    return await house.http.post(f"/api/lots/{lot_id}/{kind}", json=body, headers=headers)


async def test_suspend_resume_withdraw(database_url: str) -> None:
    async with serve(database_url) as house:
        database = house.parts.database
        court = await make_court(database)
        case = await make_case(database, court)
        halt = await make_decision(database, court, case, "suspension")
        stop = await make_decision(database, court, case, "withdrawal")
        judge = await house.sign_in(Role.JUDGE, court=court.code)
        lot_id = await house.open_lot(case_id=case.id, court_id=court.id)
        who = await house.bidder(lot_id)
        async with house.watch(lot_id) as watcher, house.watch(lot_id, who) as bidder:
            assert (await bidder.bid(START_FEN))["t"] == "ack"
            wrong = await order(house, judge, lot_id, "suspend", stop.id)
            assert wrong.status_code in (400, 409)
            done = await order(house, judge, lot_id, "suspend", halt.id, key="suspend-0001")
            assert (done.status_code, done.json()["state"]) == (201, "done")
            repeated = await order(house, judge, lot_id, "suspend", halt.id, key="suspend-0001")
            assert repeated.json() == done.json()
            while (event := (await watcher.next("events"))["events"][-1])["kind"] != "suspended":
                pass
            assert event["reason"] == "案外人提出异议"
            assert 0 < event["remaining_ms"] <= 86_400_000
            tick = await watcher.next("tick")
            assert tick["remaining_ms"] == event["remaining_ms"]
            assert (await bidder.bid(START_FEN + STEP_FEN))["code"] == "suspended"
            again = await order(house, judge, lot_id, "suspend", halt.id)
            assert (again.status_code, again.json()["code"]) == (409, "suspended")

            assert (await order(house, judge, lot_id, "resume", halt.id)).json()["state"] == "done"
            assert (await bidder.bid(START_FEN + STEP_FEN))["t"] == "ack"
            assert (await order(house, judge, lot_id, "withdraw", stop.id)).status_code == 201
            assert (await bidder.bid(START_FEN + 2 * STEP_FEN))["code"] == "after-end"
            late = await order(house, judge, lot_id, "suspend", halt.id)
            assert (late.status_code, late.json()["code"]) == (409, "after-end")
        record = (await house.http.get(f"/api/lots/{lot_id}/record")).json()
        assert (record["lot"]["status"], record["ended_at"]) == ("withdrawn", None)
        assert [bid["price_fen"] for bid in record["ladder"]] == [START_FEN + STEP_FEN, START_FEN]
        assert record["chain"]["seq"] == record["lot"]["bids"] + 4
        assert record["bidders"] == 1
        await the_chain_is_hashed_again(house, lot_id, record["chain"])
        receipts = (await house.http.get(f"/api/lots/{lot_id}/receipts", headers={"Cookie": who.cookie})).json()
        assert [each["receipt"]["event"]["price_fen"] for each in receipts["receipts"]] == [
            START_FEN + STEP_FEN,
            START_FEN,
        ]
        stranger = await house.sign_in(Role.BIDDER)
        refused = await house.http.get(f"/api/lots/{lot_id}/receipts", headers={"Cookie": stranger.cookie})
        assert refused.status_code == 404


async def the_chain_is_hashed_again(house: House, lot_id: UUID, ends: dict[str, str]) -> None:
    """Page by page, from the genesis to the head, by nothing but the bytes that everybody gets."""
    link, after = bytes.fromhex(ends["genesis"]), 0
    while after < int(ends["seq"]):
        page = (await house.http.get(f"/api/lots/{lot_id}/chain?after={after}&limit=2")).json()
        assert page["previous"] == link.hex()
        for event in page["events"]:
            link = chain.link(link, event["bytes"].encode())
            assert event["link"] == link.hex()
        after += len(page["events"])
    assert link.hex() == ends["head"]


async def test_a_priority_purchaser_takes_the_lead_at_the_same_price(database_url: str) -> None:
    """Row 47, R-PRIO-02 and 03: confirmed while bidding runs; the match extends no price, a junior rank cannot lead."""
    async with serve(database_url) as house:
        database = house.parts.database
        court = await make_court(database)
        case = await make_case(database, court)
        decision = await make_decision(database, court, case, "priority")
        judge = await house.sign_in(Role.JUDGE, court=court.code)
        lot_id = await house.open_lot(case_id=case.id, court_id=court.id)
        ordinary, senior, junior = [await house.bidder(lot_id) for _ in range(3)]
        headers = {"Cookie": judge.cookie, "Origin": house.origin}
        for rank, who in ((1, senior), (2, junior)):
            body = {"username": who.username, "rank": rank, "decision_id": str(decision.id)}
            keyed = headers | {"Idempotency-Key": uuid4().hex}
            assert (await house.http.post(f"/api/lots/{lot_id}/priority", json=body, headers=keyed)).status_code == 201
        async with (
            house.watch(lot_id, ordinary) as one,
            house.watch(lot_id, senior) as first,
            house.watch(lot_id, junior) as second,
        ):
            assert (await one.bid(START_FEN))["t"] == "ack"
            matched = (await first.bid(START_FEN))["receipt"]["event"]
            assert (matched["rank"], matched["code"][0]) == (1, "P")
            assert (await second.bid(START_FEN))["code"] == "cannot-lead"
            equal = await one.bid(START_FEN)
            assert (equal["code"], equal["minimum_fen"]) == ("below-minimum", START_FEN + STEP_FEN)
