"""The court's orders to a live lot, in their place among the bids (R-HALT-01, 03; R-CLOSE-11)."""

import asyncio
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text

from bidding.desk import chain
from kernel.actors import Role, platform
from kernel.clock import real_now
from tests.appraisal.support import make_case, make_court, make_decision
from tests.bidding.feed.house import House, Person, serve
from tests.bidding.support import START_FEN, STEP_FEN, publish

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


async def test_defer_and_resume(database_url: str) -> None:
    """暂缓: an event of its own, the same standing still, and the time that was left (R-HALT-01, 03)."""
    async with serve(database_url) as house:
        court = await make_court(house.parts.database)
        case = await make_case(house.parts.database, court)
        halt = await make_decision(house.parts.database, court, case, "suspension")
        judge = await house.sign_in(Role.JUDGE, court=court.code)
        lot_id = await house.open_lot(case_id=case.id, court_id=court.id)
        who = await house.bidder(lot_id)
        async with house.watch(lot_id, who) as bidder:
            assert (await bidder.bid(START_FEN))["t"] == "ack"
            assert (await order(house, judge, lot_id, "defer", halt.id)).json()["kind"] == "deferred"
            refused = await bidder.bid(START_FEN + STEP_FEN)
            assert (refused["code"], refused["rule"]) == ("suspended", "R-HALT-01")
            assert (await order(house, judge, lot_id, "suspend", halt.id)).json()["code"] == "suspended"
            assert (await order(house, judge, lot_id, "resume", halt.id)).json()["state"] == "done"
            assert (await bidder.bid(START_FEN + STEP_FEN))["t"] == "ack"
        page = (await house.http.get(f"/api/lots/{lot_id}/events")).json()
        assert [event["kind"] for event in page["events"]] == ["opened", "bid", "deferred", "resumed", "bid"]
        deferred, resumed = page["events"][2:4]
        ran_on = datetime.fromisoformat(resumed["ends_at"]) - datetime.fromisoformat(resumed["at"])
        assert ran_on == timedelta(milliseconds=deferred["remaining_ms"])


async def test_the_debtors_consent_is_recorded_by_the_court_of_the_group(database_url: str) -> None:
    """R-CLOSE-12: the court's own judge, once, with proof; a lot published into a covered group is stopped at once."""
    async with serve(database_url) as house:
        court = await make_court(house.parts.database)
        judge, elsewhere = await house.sign_in(Role.JUDGE, court=court.code), await house.sign_in(Role.JUDGE, court="x")
        grouped = {"court_id": court.id, "sale_group_id": uuid4(), "sale_group_target_fen": START_FEN}
        lot_id = await house.open_lot(**grouped)
        path = f"/api/sale-groups/{grouped['sale_group_id']}"

        async def consent(who: Person) -> httpx.Response:
            headers = {"Cookie": who.cookie, "Origin": house.origin, "Idempotency-Key": uuid4().hex}
            return await house.http.post(f"{path}/consent", json={"proof": "同意书"}, headers=headers)

        assert (await consent(elsewhere)).status_code == 404
        async with house.parts.database.transaction(platform("test")) as tx:
            await tx.session.execute(text("UPDATE bidding.sale_group SET sold_fen = target_fen"))
        tomorrow = real_now() + timedelta(days=1)
        times = {"opens_at": tomorrow, "scheduled_end": tomorrow + timedelta(days=1)}
        late = await publish(house.parts.database, **grouped, **times)
        async with asyncio.timeout(5):
            while (await house.http.get(f"/api/lots/{late}/record")).status_code == 409:
                await asyncio.sleep(0.05)
        shown = (await consent(judge)).json()
        assert (shown["sold_fen"], {lot["lot_id"]: lot["status"] for lot in shown["lots"]}) == (
            START_FEN,
            {str(lot_id): "open", str(late): "withdrawn"},
        )
        assert shown["consented_at"] is not None
        assert (await consent(judge)).json() == shown, "the first consent stands"
        seen = await house.http.get(path, headers={"Cookie": judge.cookie})
        assert seen.json() == shown
        lasting = await house.open_lot(**grouped)
        assert (await house.http.get(f"/api/lots/{lasting}/record")).json()["code"] == "record-sealed"


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
            raised = START_FEN + STEP_FEN
            assert (await one.bid(raised))["t"] == "ack"
            junior_leads = (await second.bid(raised))["receipt"]["event"]
            assert (junior_leads["rank"], junior_leads["code"][0]) == (2, "P")
            senior_leads = (await first.bid(raised))["receipt"]["event"]
            assert (senior_leads["rank"], senior_leads["code"]) == (1, matched["code"])
            assert senior_leads["code"] != junior_leads["code"], "each rank has a code of its own (R-PRIO-01)"
            assert (await second.bid(raised))["code"] == "cannot-lead"
            assert (await first.bid(raised))["code"] == "already-leading"
