"""The appraisal routes as their users meet them: signed in over HTTP, strict bodies, problems that name their law."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import httpx
import pytest
from litestar import Litestar
from litestar.datastructures import State
from litestar.di import Provide

from appraisal.assets import routes as assets
from appraisal.cases import routes as cases
from appraisal.claims import routes as claims
from appraisal.delivery import routes as delivery
from appraisal.reference_price import routes as reference_price
from kernel.actors import Role
from kernel.database import Database
from kernel.identity import routes as identity
from kernel.identity.door import IdentityDoor
from kernel.identity.service import create_staff
from kernel.ids import ordered_id
from kernel.settings import Settings
from kernel.web import (
    EXCEPTION_HANDLERS,
    FrontDoor,
    StrictRequest,
    provide_actor,
    provide_call,
    provide_database,
)
from tests.appraisal.support import QUICK_PASSWORDS

pytestmark = pytest.mark.anyio

ORIGIN = "http://127.0.0.1:8000"
SETTINGS = Settings()
PASSWORD = "a long password"

CASE = {
    "case_no": "（2025）沪0115执恢1234号",
    "parties": [
        {"ref": "a", "role": "enforcement_applicant", "name": "某银行", "kind": "enterprise"},
        {"ref": "d", "role": "debtor", "name": "张某", "kind": "person"},
    ],
}
ASSET = {"kind": "immovable", "title": "某路100号", "description": "89.50 平方米", "place": "上海市", "details": {}}


def app_over(database: Database) -> Litestar:
    """The front door with identity and appraisal behind it, so that no other context can fail these tests."""
    slices = (identity, cases, assets, claims, reference_price, delivery)
    return Litestar(
        route_handlers=[route for slice_ in slices for route in slice_.ROUTES],
        request_class=StrictRequest,
        middleware=[FrontDoor(ORIGIN), identity.WhoIsAsking],
        exception_handlers=EXCEPTION_HANDLERS,
        dependencies={
            "database": Provide(provide_database),
            "call": Provide(provide_call),
            "actor": Provide(provide_actor),
            "identity": Provide(identity.provide_identity),
        },
        state=State({"database": database, "identity": IdentityDoor(database, SETTINGS), "settings": SETTINGS}),
    )


class Staff:
    """A signed-in person of a court with a browser of their own."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def post(self, path: str, body: object, key: str | None = None) -> httpx.Response:
        headers = {"idempotency-key": key or str(ordered_id()), "origin": ORIGIN}
        return await self.client.post(path, json=body, headers=headers)

    async def made(self, path: str, body: object) -> dict[str, object]:
        answer = await self.post(path, body)
        assert answer.status_code == 201, answer.text
        view: dict[str, object] = answer.json()
        return view


@asynccontextmanager
async def signed_in(database: Database, *roles: Role, court: str = "sh0115") -> AsyncIterator[Staff]:
    username = f"{roles[0]}-{court}"
    await create_staff(
        database,
        QUICK_PASSWORDS,
        username=username,
        real_name="王某",
        password=PASSWORD,
        roles=roles,
        court_code=court,
    )
    transport = httpx.ASGITransport(app=app_over(database))  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
        staff = Staff(client)
        await staff.made("/api/login", {"username": username, "password": PASSWORD})
        yield staff


async def test_from_the_case_to_its_reference_price(database: Database) -> None:
    async with signed_in(database, Role.CLERK) as clerk, signed_in(database, Role.JUDGE) as judge:
        case = await clerk.made("/api/cases", CASE)
        applicant = case["parties"][0]["id"]  # type: ignore[index]
        asset = await clerk.made(f"/api/cases/{case['id']}/assets", ASSET)
        seizure = {"measure": "seal", "party_id": applicant, "from_on": "2024-01-10", "to_on": "2027-01-10", "rank": 1}
        seized = await clerk.made(f"/api/assets/{asset['id']}/seizures", seizure | {"waiting": False})
        assert seized["standing"] == "effective"
        claim = {"party_id": applicant, "kind": "ordinary", "title_no": "（2024）沪0115民初1号", "principal_fen": 100}
        rest = {"costs_fen": 0, "interest_fen": 0, "doubled_fen": 0}
        await clerk.made(f"/api/cases/{case['id']}/claims", claim | rest)
        for platform, price_fen in (("京东", 100_000_000), ("淘宝", 110_000_001)):
            report = {"platform": platform, "delivered": True, "price_fen": price_fen, "report_on": "2025-02-28"}
            await clerk.made(f"/api/assets/{asset['id']}/reports", report)
        objection = {"objection": "corrected", "corrected_price_fen": 90_000_000}
        await clerk.made(f"/api/assets/{asset['id']}/reports/淘宝/objection", objection)
        fixing = {"method": "network_enquiry", "fixed_on": "2025-03-03"}
        price = await judge.made(f"/api/assets/{asset['id']}/reference-price", fixing)
        assert (price["price_fen"], price["valid_until"]) == (100_000_000, "2026-02-28")
        hold = await judge.made(f"/api/assets/{asset['id']}/holds", {"reason": "案外人异议", "ground": "异议"})
        assert (await judge.post(f"/api/holds/{hold['id']}/lift", {})).status_code == 201
        decision = {"subject": "lot_terms", "made_on": "2025-03-03", "members": ["甲", "乙", "丙"], "text": "决定"}
        await judge.made(f"/api/cases/{case['id']}/decisions", decision | {"facts": {"start_price_fen": 70_000_000}})
        for path in (
            "/api/cases",
            f"/api/cases/{case['id']}",
            f"/api/cases/{case['id']}/assets",
            f"/api/cases/{case['id']}/claims",
            f"/api/cases/{case['id']}/services",
            f"/api/assets/{asset['id']}",
            f"/api/assets/{asset['id']}/reference-price",
        ):
            assert (await judge.client.get(path)).status_code == 200, path


async def test_who_may_call(database: Database) -> None:
    async with (
        signed_in(database, Role.CLERK) as clerk,
        signed_in(database, Role.JUDGE) as judge,
        signed_in(database, Role.CLERK, court="sh0101") as foreign,
    ):
        case = await clerk.made("/api/cases", CASE)
        assert (await foreign.client.get(f"/api/cases/{case['id']}")).status_code == 404
        assert (await foreign.post(f"/api/cases/{case['id']}/assets", ASSET)).status_code == 404
        assert (await judge.post("/api/cases", CASE)).status_code == 403
        judge.client.cookies.clear()
        assert (await judge.post("/api/cases", CASE)).status_code == 401
        assert (await judge.client.get("/api/cases")).status_code == 401


async def test_the_same_key_gets_the_same_answer_and_other_content_422(database: Database) -> None:
    async with signed_in(database, Role.CLERK) as clerk:
        first = await clerk.post("/api/cases", CASE, "key-00001")
        again = await clerk.post("/api/cases", CASE, "key-00001")
        other = await clerk.post("/api/cases", CASE | {"case_no": "（2025）沪0115执2号"}, "key-00001")
        assert (first.status_code, again.status_code, other.status_code) == (201, 201, 422)
        assert first.content == again.content
        assert UUID(first.json()["id"])


async def test_a_refusal_names_its_rule_and_article(database: Database) -> None:
    async with signed_in(database, Role.CLERK) as clerk:
        case = await clerk.made("/api/cases", CASE)
        asset = await clerk.made(f"/api/cases/{case['id']}/assets", ASSET)
        seizure = {
            "measure": "seal",
            "party_id": case["parties"][0]["id"],  # type: ignore[index]
            "from_on": "2024-01-10",
            "to_on": "2027-01-11",
            "rank": 1,
            "waiting": False,
        }
        refused = await clerk.post(f"/api/assets/{asset['id']}/seizures", seizure)
        problem = refused.json()
        assert (refused.status_code, problem["code"], problem["rule"]) == (409, "seizure-too-long", "R-SEAL-01")
        assert problem["law"] == "民诉法解释 第四百八十五条"
        assert "2027-01-10" in problem["detail"]


@pytest.mark.parametrize(
    "change",
    [
        {"unknown": 1},
        {"case_no": 1},
        {"case_no": "x" * 61},
        {"parties": []},
        {"parties": [CASE["parties"][0]] * 2_001},
        {"parties": [{**CASE["parties"][0], "role": "king"}, CASE["parties"][1]]},  # type: ignore[dict-item]
        {"parties": [{**CASE["parties"][0], "name": "某\u202e行"}, CASE["parties"][1]]},  # type: ignore[dict-item]
    ],
)
async def test_a_case_that_cannot_be_read_is_refused(database: Database, change: dict[str, object]) -> None:
    async with signed_in(database, Role.CLERK) as clerk:
        answer = await clerk.post("/api/cases", CASE | change)
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
        assert (await clerk.client.get("/api/cases")).json()["cases"] == []


@pytest.mark.parametrize("price_fen", [1.0, "1", True, 0, -1, 10**15 + 1, 1e3, None])
async def test_a_price_is_a_whole_number_of_fen(database: Database, price_fen: object) -> None:
    async with signed_in(database, Role.CLERK) as clerk:
        report = {"platform": "京东", "delivered": True, "price_fen": price_fen, "report_on": "2025-02-28"}
        answer = await clerk.post(f"/api/assets/{ordered_id()}/reports", report)
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed")


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "after=1", "limit=1&limit=2"])
async def test_a_query_out_of_bounds_is_refused(database: Database, query: str) -> None:
    async with signed_in(database, Role.CLERK) as clerk:
        assert (await clerk.client.get(f"/api/cases?{query}")).status_code == 400
