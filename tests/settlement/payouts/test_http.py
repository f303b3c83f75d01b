"""Plans, payouts and the case account over HTTP: roles, strict bodies, problems that name their law, replay."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from litestar import Litestar
from litestar.datastructures import State
from litestar.di import Provide
from litestar.types import ASGIApp, Receive, Scope, Send

from kernel.actors import Actor
from kernel.database import Database
from kernel.ids import ordered_id
from kernel.web import EXCEPTION_HANDLERS, FrontDoor, StrictRequest, provide_actor, provide_call, provide_database
from settlement.distribution import routes as distribution
from settlement.payouts import routes as payouts
from tests.appraisal.support import make_claim, make_decision
from tests.settlement.distribution.road import Road, make_road, parties
from tests.support.house import opened

pytestmark = pytest.mark.anyio

ORIGIN = "http://127.0.0.1:8000"


class Browser:
    """Requests of one officer after the other; who asks is set by `who`."""

    def __init__(self, database: Database, who: Actor) -> None:
        self.who = who
        app = Litestar(
            route_handlers=[*distribution.ROUTES, *payouts.ROUTES],
            request_class=StrictRequest,
            middleware=[FrontDoor(ORIGIN), self._signed_in],
            exception_handlers=EXCEPTION_HANDLERS,
            dependencies={
                "database": Provide(provide_database),
                "call": Provide(provide_call),
                "actor": Provide(provide_actor),
            },
            state=State({"database": database}),
        )
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN)

    def _signed_in(self, app: ASGIApp) -> ASGIApp:
        async def with_user(scope: Scope, receive: Receive, send: Send) -> None:
            scope["user"] = self.who
            await app(scope, receive, send)

        return with_user

    async def get(self, path: str) -> Any:
        answer = await self.client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, who: Actor, path: str, body: object = None, *, key: str | None = None) -> httpx.Response:
        self.who = who
        headers = {"idempotency-key": key or str(ordered_id()), "origin": ORIGIN, "content-type": "application/json"}
        if isinstance(body, bytes):
            return await self.client.post(path, content=body, headers=headers)
        return await self.client.post(path, json={} if body is None else body, headers=headers)

    async def done(self, who: Actor, path: str, body: object = None) -> Any:
        answer = await self.post(who, path, body)
        assert answer.status_code == 201, answer.text
        return answer.json()


@asynccontextmanager
async def at_work(url: str) -> AsyncIterator[tuple[Road, Browser]]:
    async with opened(url) as database:
        road = await make_road(database, *parties("A"))
        await make_claim(database, road.court, road.case, "A", principal_fen=20_000)
        await road.bring_money(30_000)
        browser = Browser(database, road.maker)
        async with browser.client:
            yield road, browser


async def decided(road: Road, browser: Browser) -> dict[str, Any]:
    plan: dict[str, Any] = await browser.done(road.maker, f"/api/cases/{road.case.id}/plans")
    decision = await make_decision(road.database, road.court, road.case, "distribution_plan")
    body = {"decision_id": str(decision.id)}
    plan = await browser.done(road.court.judge, f"/api/plans/{plan['id']}/decide", body)
    return plan


async def test_the_whole_way_from_draft_to_payout(database_url: str) -> None:
    async with at_work(database_url) as (road, browser):
        plan = await decided(road, browser)
        for recipient in plan["recipients"]:
            body = {
                "party_id": recipient["party_id"],
                "served_on": road.today().isoformat(),
                "method": "electronic",
                "proof": "回执",
            }
            plan = await browser.done(road.court.clerk, f"/api/plans/{plan['id']}/services", body)
        early = await browser.post(road.court.judge, f"/api/plans/{plan['id']}/confirm")
        problem = early.json()
        assert (early.status_code, problem["code"]) == (409, "objection-period-running")
        assert (problem["rule"], problem["law"]) == ("R-DIST-05", "民诉法解释 第五百零九条、第五百一十条")
        assert problem["detail"].startswith("当事人A 的异议期至 2025-03-18 届满")
        road.pass_days(20)
        plan = await browser.done(road.court.judge, f"/api/plans/{plan['id']}/confirm")
        assert plan["state"] == "confirmed"
        batch = await browser.done(road.maker, f"/api/plans/{plan['id']}/payouts")
        signed = {"hash": batch["hash"]}
        await browser.done(road.checker, f"/api/payouts/{batch['id']}/check", signed)
        await browser.done(road.payer, f"/api/payouts/{batch['id']}/pay", signed)
        shown = await browser.get(f"/api/payouts/{batch['id']}")
        assert [(line["holder"], line["amount_fen"], line["state"]) for line in shown["lines"]] == [
            ("当事人A", 20_000, "ordered"),
            ("当事人debtor", 10_000, "ordered"),
        ]
        account = await browser.get(f"/api/cases/{road.case.id}/account")
        assert [line["balance_fen"] for line in account["statement"]] == [30_000, 10_000, 0]
        assert account["remainder"] == []
        (row,) = (await browser.get(f"/api/cases/{road.case.id}/plans"))["plans"]
        assert (row["id"], row["state"]) == (plan["id"], "confirmed")


async def test_the_same_key_gives_the_same_answer_and_another_payload_is_refused(database_url: str) -> None:
    async with at_work(database_url) as (road, browser):
        plan = await decided(road, browser)
        path = f"/api/plans/{plan['id']}/services"
        body = {"party_id": str(road.id_of("A")), "served_on": "2025-03-03", "method": "direct", "proof": "回证"}
        first = await browser.post(road.court.clerk, path, body, key="a-key-of-mine")
        again = await browser.post(road.court.clerk, path, body, key="a-key-of-mine")
        assert (first.status_code, again.status_code) == (201, 201)
        assert again.json() == first.json()
        other = await browser.post(road.court.clerk, path, body | {"proof": "另一份"}, key="a-key-of-mine")
        assert (other.status_code, other.json()["code"]) == (422, "key-reused")


HASH = "0" * 64
SERVICE = {"party_id": str(ordered_id()), "served_on": "2025-03-03", "method": "direct", "proof": "回证"}
CLAIM = {"claim_id": str(ordered_id()), "costs_fen": 0, "interest_fen": 0, "principal_fen": 1, "doubled_fen": 0}
OBJECTION = {"party_id": str(ordered_id()), "objected_on": "2025-03-03", "text": "异议", "claims": [CLAIM]}


@pytest.mark.parametrize(
    ("path", "who", "body"),
    [
        ("plans/{plan}/decide", "judge", {}),
        ("plans/{plan}/decide", "judge", {"decision_id": 1}),
        ("plans/{plan}/decide", "judge", {"decision_id": str(ordered_id()), "amount_fen": 1}),
        ("plans/{plan}/services", "clerk", SERVICE | {"served_on": "2025-02-30"}),
        ("plans/{plan}/services", "clerk", SERVICE | {"served_on": "2025-03-03T00:00:00Z"}),
        ("plans/{plan}/services", "clerk", SERVICE | {"method": "pigeon"}),
        ("plans/{plan}/services", "clerk", SERVICE | {"proof": ""}),
        ("plans/{plan}/services", "clerk", SERVICE | {"proof": "a\u202eb"}),
        ("plans/{plan}/objections", "clerk", OBJECTION | {"text": ""}),
        ("plans/{plan}/objections", "clerk", OBJECTION | {"text": "x" * 20_001}),
        ("payouts/{plan}/check", "checker", {"hash": HASH[1:]}),
        ("payouts/{plan}/check", "checker", {"hash": "G" * 64}),
        ("payouts/{plan}/pay", "payer", {"hash": HASH, "amount_fen": 1.5}),
        ("payouts/{plan}/pay", "payer", b'{"hash": "' + HASH.encode() + b'", "hash": "' + HASH.encode() + b'"}'),
        ("payouts/{plan}/pay", "payer", b"[]"),
        ("payouts/{plan}/pay", "payer", b"{"),
    ],
)
async def test_bad_input_is_malformed(database_url: str, path: str, who: str, body: object) -> None:
    async with at_work(database_url) as (road, browser):
        actor = getattr(road, who, None) or getattr(road.court, who)
        answer = await browser.post(actor, "/api/" + path.format(plan=ordered_id()), body)
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed"), answer.text


async def test_every_route_asks_for_its_role_and_knows_only_what_is_there(database_url: str) -> None:
    async with at_work(database_url) as (road, browser):
        nothing = ordered_id()
        decide, sign = {"decision_id": str(nothing)}, {"hash": HASH}
        for path, who, body, expected in (
            (f"cases/{road.case.id}/plans", road.checker, None, 403),
            (f"cases/{nothing}/plans", road.maker, None, 404),
            (f"plans/{nothing}/decide", road.maker, decide, 403),
            (f"plans/{nothing}/decide", road.court.judge, decide, 404),
            (f"plans/{nothing}/services", road.court.judge, SERVICE, 403),
            (f"plans/{nothing}/services", road.court.clerk, SERVICE, 404),
            (f"plans/{nothing}/objections", road.maker, OBJECTION, 403),
            (f"plans/{nothing}/objections", road.court.clerk, OBJECTION, 404),
            (f"plans/{nothing}/confirm", road.maker, None, 403),
            (f"plans/{nothing}/confirm", road.court.judge, None, 404),
            (f"plans/{nothing}/payouts", road.payer, None, 403),
            (f"plans/{nothing}/payouts", road.maker, None, 404),
            (f"payouts/{nothing}/check", road.maker, sign, 403),
            (f"payouts/{nothing}/check", road.checker, sign, 404),
            (f"payouts/{nothing}/pay", road.checker, sign, 403),
            (f"payouts/{nothing}/pay", road.payer, sign, 404),
            ("plans/not-an-id/confirm", road.court.judge, None, 404),
        ):
            answer = await browser.post(who, f"/api/{path}", body)
            assert answer.status_code == expected, (path, answer.text)
            assert answer.headers["content-type"] == "application/problem+json"
