"""Registration over HTTP, from the form to the first bid, as a bidder's page goes through it."""

from uuid import UUID, uuid4

import httpx
import pytest

from bidding import api
from kernel.actors import Role, platform
from tests.bidding.feed.house import House, Person, serve
from tests.bidding.support import DEPOSIT_FEN, START_FEN

pytestmark = pytest.mark.anyio

FORM = {"kind": "ordinary", "accepts": "1", "declares_eligible": True}


async def post(house: House, who: Person, lot_id: UUID, what: str, body: object, key: str = "") -> httpx.Response:
    headers = {"Cookie": who.cookie, "Origin": house.origin, "Idempotency-Key": key or uuid4().hex}
    return await house.http.post(f"/api/lots/{lot_id}/{what}", json=body, headers=headers)


async def own(house: House, who: Person, lot_id: UUID) -> httpx.Response:
    return await house.http.get(f"/api/lots/{lot_id}/registration", headers={"Cookie": who.cookie})


async def test_from_the_form_to_the_first_bid(database_url: str) -> None:
    async with serve(database_url) as house:
        lot_id = await house.open_lot()
        who = await house.sign_in()
        assert (await own(house, who, lot_id)).status_code == 404
        made = await post(house, who, lot_id, "registrations", FORM, key="register-1")
        assert made.status_code == 201
        assert made.json()["deposit_due_fen"] == DEPOSIT_FEN
        assert (made.json()["state"], made.json()["code"]) == ("awaiting_deposit", None)
        assert (await post(house, who, lot_id, "registrations", FORM, key="register-1")).json() == made.json()
        other_form = FORM | {"accepts": "2"}
        assert (await post(house, who, lot_id, "registrations", other_form, key="register-1")).status_code == 422
        assert (await post(house, who, lot_id, "registrations", FORM)).json()["code"] == "already-registered"
        bid = {"key": str(uuid4()), "price_fen": START_FEN}
        assert (await house.bid(who, lot_id, bid)).json()["code"] == "password-required"

        async with house.parts.database.transaction(platform("deposits")) as tx:
            await api.admit(tx, UUID(made.json()["registration_id"]))
        password = (await post(house, who, lot_id, "bid-password", None)).json()["password"]
        wrong = await post(house, who, lot_id, "unlock", {"password": "AAAAAAAAAA"})
        assert (wrong.status_code, wrong.json()["rule"]) == (409, "R-BID-07")
        assert (await post(house, who, lot_id, "unlock", {"password": password})).json()["unlocked"] is True
        answer = await house.bid(who, lot_id, bid)
        assert answer.status_code == 201
        shown = (await own(house, who, lot_id)).json()
        assert answer.json()["receipt"]["event"]["code"] == shown["code"]


@pytest.mark.parametrize(
    "change",
    [{"kind": "debtor"}, {"declares_eligible": 1}, {"accepts": ""}, {"state": "admitted"}, {"person_id": str(uuid4())}],
)
async def test_malformed_forms(database_url: str, change: dict[str, object]) -> None:
    async with serve(database_url) as house:
        lot_id = await house.open_lot()
        who = await house.sign_in()
        refused = await post(house, who, lot_id, "registrations", FORM | change)
        assert (refused.status_code, refused.json()["code"]) == (400, "malformed")
        assert (await own(house, who, lot_id)).status_code == 404


async def test_staff_do_not_register_nor_see_codes(database_url: str) -> None:
    """Rows 29 and 85: there is nothing that lists who registered, for anybody."""
    async with serve(database_url) as house:
        lot_id = await house.open_lot()
        who = await house.bidder(lot_id)
        clerk = await house.sign_in(Role.CLERK, court="court")
        assert (await post(house, clerk, lot_id, "registrations", FORM)).status_code == 403
        assert (await own(house, clerk, lot_id)).status_code == 403
        listing = await house.http.get(f"/api/lots/{lot_id}/registrations", headers={"Cookie": clerk.cookie})
        assert listing.status_code == 405
        assert (await own(house, who, lot_id)).json()["code"]
