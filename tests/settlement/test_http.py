"""The money routes over HTTP, on a database user that owns nothing: roles, strict bodies, replays, hidden things."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import msgspec
import pytest

from kernel.actors import Role, platform
from kernel.ddl import APP_ROLE
from kernel.money import MAX_FEN
from settlement import verify
from tests.settlement.bank_files.bank import OURS, Bank, Line, notification, statement
from tests.settlement.support import money_inside
from tests.support.web import SETTINGS, Browser, Site, opened_site, signed_in

pytestmark = pytest.mark.anyio

COURT = "court-http"
NOTICE = {
    "bank_ref": "B1",
    "account_no": "123",
    "amount_fen": 500,
    "payer_name": "王小明",
    "payer_account": "6222000011112222",
    "booked_at": "2025-03-03T08:00:00+08:00",
}
ID = "00000000-0000-7000-8000-000000000009"


@asynccontextmanager
async def site_of(url: str, **settings: object) -> AsyncIterator[Site]:
    """The site as it runs: its database user may not change or delete what is append-only."""
    chosen = msgspec.structs.replace(SETTINGS, **settings)
    async with opened_site(url.replace("postgres@", f"{APP_ROLE}@", 1), chosen) as site:
        yield site


async def test_a_notice_is_answered_once_per_key_and_booked_once_per_reference(database_url: str) -> None:
    async with site_of(database_url) as site:
        bank = await signed_in(site, Role.MACHINE)
        key = str(uuid4())
        first = await bank.post("/api/bank/credits", NOTICE, idempotency_key=key)
        assert first.status_code == 201, first.text
        again = await bank.post("/api/bank/credits", NOTICE, idempotency_key=key)
        assert (again.status_code, again.content) == (201, first.content)
        assert again.headers["idempotent-replay"] == "true"
        other_key = await bank.post("/api/bank/credits", NOTICE)
        assert (other_key.status_code, other_key.json()) == (201, first.json())
        changed = NOTICE | {"amount_fen": 501}
        assert (await bank.post("/api/bank/credits", changed, idempotency_key=key)).json()["code"] == "key-reused"
        assert (await bank.post("/api/bank/credits", changed)).json()["code"] == "bank-ref-reused"
        assert await money_inside(site.database) == {"unidentified": 500}
        maker = await signed_in(site, Role.MAKER, court=COURT)
        waiting = (await maker.get("/api/bank/unidentified")).json()["credits"]
        assert [credit["amount_fen"] for credit in waiting] == [500]
        returned = await maker.post(f"/api/bank/credits/{waiting[0]['credit_id']}/return", {"reason": "无法查明"})
        assert returned.status_code == 201, returned.text
        checker, match = await signed_in(site, Role.CHECKER, court=COURT), returned.json()
        signed = await checker.post(f"/api/bank/matches/{match['id']}/check", {"hash": match["hash"]})
        assert (signed.status_code, signed.json()["state"]) == (201, "checked"), signed.text
        await site.parts.relay.settle()
        assert await money_inside(site.database) == {}
        async with site.database.reading(platform("verify")) as tx:
            assert await verify.faults(tx) == []


BAD = {
    "float": {"amount_fen": 500.0},
    "text": {"amount_fen": "500"},
    "exponent": b'{"amount_fen":5e2}',
    "boolean": {"amount_fen": True},
    "zero": {"amount_fen": 0},
    "negative": {"amount_fen": -1},
    "beyond": {"amount_fen": MAX_FEN + 1},
    "2^63": {"amount_fen": 2**63},
    "unknown field": {"received_at": "2025-03-03T08:00:00+08:00"},
    "null": {"payer_name": None},
    "right to left": {"payer_name": "王\u202e小明"},
    "full-width number": {"account_no": "１２３"},
    "time without offset": {"booked_at": "2025-03-03T08:00:00"},
    "leap second": {"booked_at": "2025-03-03T08:00:60+08:00"},
}


@pytest.mark.parametrize("bad", BAD)
async def test_a_malformed_notice_is_refused_and_books_nothing(database_url: str, bad: str) -> None:
    """Attacks 1, 2, 4, 5, 13, 14, 57, 65."""
    async with site_of(database_url) as site:
        bank = await signed_in(site, Role.MACHINE)
        change = BAD[bad]
        answer = await bank.post("/api/bank/credits", change if isinstance(change, bytes) else NOTICE | change)
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
        assert await money_inside(site.database) == {}


async def test_a_doubled_key_and_a_foreign_origin_are_refused(database_url: str) -> None:
    async with site_of(database_url) as site:
        bank = await signed_in(site, Role.MACHINE)
        assert (await bank.post("/api/bank/credits", b'{"amount_fen":1,"amount_fen":2}')).status_code == 400
        for origin in (None, "null", "https://evil.example", site.origin + ".evil"):
            assert (await bank.post("/api/bank/credits", NOTICE, origin=origin)).json()["code"] == "foreign-origin"
        assert (await bank.post("/api/bank/credits", NOTICE, content_type="text/plain")).status_code == 415
        assert (await bank.post("/api/bank/credits", NOTICE, idempotency_key=None)).status_code == 400
        assert await money_inside(site.database) == {}


WHO_MAY: dict[tuple[str, str], set[Role]] = {
    ("POST", "/api/bank/credits"): {Role.MACHINE},
    ("POST", "/api/bank/confirmations"): {Role.MACHINE},
    ("GET", "/api/bank/orders"): {Role.MACHINE},
    ("GET", "/api/bank/unidentified"): {Role.MAKER, Role.CHECKER, Role.PAYER, Role.AUDITOR},
    ("POST", f"/api/bank/credits/{ID}/claim"): {Role.MAKER},
    ("POST", f"/api/bank/credits/{ID}/return"): {Role.MAKER},
    ("POST", f"/api/bank/matches/{ID}/check"): {Role.CHECKER},
    ("POST", f"/api/bank/orders/{ID}/again"): {Role.PAYER},
    ("POST", "/api/bank/files"): {Role.MACHINE},
    ("GET", f"/api/bank/files/{ID}"): {Role.MACHINE},
    ("POST", "/api/bank/payment-files"): {Role.MACHINE},
    ("GET", "/api/bank/payment-files"): {Role.MACHINE},
    ("GET", f"/api/bank/payment-files/{ID}"): {Role.MACHINE},
    ("GET", f"/api/lots/{ID}/deposit"): {Role.BIDDER},
    ("POST", f"/api/lots/{ID}/ruling"): {Role.JUDGE},
    ("POST", f"/api/lots/{ID}/ruling-service"): {Role.CLERK},
    ("POST", f"/api/lots/{ID}/handover"): {Role.CLERK},
    ("POST", f"/api/lots/{ID}/default"): {Role.JUDGE},
    ("POST", f"/api/lots/{ID}/shortfall-order"): {Role.JUDGE},
    ("POST", f"/api/lots/{ID}/annulment"): {Role.JUDGE},
    ("POST", f"/api/lots/{ID}/taking"): {Role.JUDGE},
    ("POST", f"/api/lots/{ID}/set-off"): {Role.JUDGE},
    ("POST", f"/api/takings/{ID}/service"): {Role.CLERK},
    ("POST", f"/api/takings/{ID}/lapse"): {Role.JUDGE},
    ("POST", f"/api/cases/{ID}/costs"): {Role.MAKER},
    ("POST", f"/api/cases/{ID}/enforcement-fee"): {Role.JUDGE},
}


async def test_every_money_route_is_for_its_roles_alone(database_url: str) -> None:
    async with site_of(database_url) as site:
        everybody: dict[Role | None, Browser] = {None: Browser(site)}
        for role in Role:
            everybody[role] = await signed_in(site, role, court=None if role in OF_NO_COURT else COURT)
        for (method, path), allowed in WHO_MAY.items():
            for role, browser in everybody.items():
                answer = await (browser.get(path) if method == "GET" else browser.post(path, {}))
                if role is None:
                    assert answer.status_code == 401, (path, role)
                else:
                    assert (answer.status_code == 403) == (role not in allowed), (path, role, answer.text)


OF_NO_COURT = {Role.BIDDER, Role.MACHINE, Role.OPERATOR}


async def test_things_that_do_not_exist_are_not_found(database_url: str) -> None:
    async with site_of(database_url) as site:
        clerk, bidder = await signed_in(site, Role.CLERK, court=COURT), await signed_in(site, Role.BIDDER)
        for path in (f"/api/lots/{ID}/sale", f"/api/lots/{ID}/confirmation", f"/api/lots/{ID}/deposits"):
            assert (await clerk.get(path)).status_code == 404
        assert (await bidder.get(f"/api/lots/{ID}/deposit")).status_code == 404
        assert (await Browser(site).get(f"/api/lots/{ID}/confirmation")).status_code == 404
        for path in (f"/api/cases/{ID}/costs", f"/api/cases/{ID}/default-use"):
            assert (await clerk.get(path)).status_code == 404


TRANSFER = {"from_account": "6222", "payer_name": "王小明", "to_account_no": "123", "amount_fen": 700}


async def test_anybody_signed_in_goes_to_the_simulated_bank(database_url: str) -> None:
    async with site_of(database_url) as site:
        assert (await Browser(site).post("/api/simulated-bank/transfers", TRANSFER)).status_code == 401
        bidder = await signed_in(site, Role.BIDDER)
        answer = await bidder.post("/api/simulated-bank/transfers", TRANSFER)
        assert (answer.status_code, answer.json()) == (201, {"amount_fen": 700})
        await site.parts.relay.settle()
        assert await money_inside(site.database) == {"unidentified": 700}


async def test_nobody_makes_up_a_transfer_where_real_notices_are_exchanged(database_url: str) -> None:
    async with site_of(database_url, simulated_bank=False) as site:
        bidder = await signed_in(site, Role.BIDDER)
        answer = await bidder.post("/api/simulated-bank/transfers", TRANSFER)
        assert (answer.status_code, answer.json()["code"]) == (404, "no-simulated-bank")
        assert await money_inside(site.database) == {}


FILES = {
    "simulated_bank": False,
    "bank_account": OURS.number,
    "bank_account_holder": OURS.holder,
    "bank_name": OURS.bank,
}


async def test_a_bank_s_machine_exchanges_files(database_url: str) -> None:
    """Delivered, booked, matched back to the payer, written, executed, reported: the books end empty."""
    async with site_of(database_url, **FILES) as site:
        bank, relay = await signed_in(site, Role.MACHINE), site.parts.relay
        raw = statement([Line(500, "B1")])
        taken = await bank.post("/api/bank/files", raw, content_type="application/xml")
        assert taken.status_code == 201, taken.text
        again = await bank.post("/api/bank/files", raw, content_type="application/xml")
        assert again.json()["id"] == taken.json()["id"]
        other = await bank.post("/api/bank/files", raw.replace(b"B1", b"B2"), content_type="application/xml")
        assert (other.status_code, other.json()["code"]) == (422, "message-reused")
        await relay.settle()
        shown = (await bank.get(f"/api/bank/files/{taken.json()['id']}")).json()
        assert shown["outcomes"] == {"unidentified": 1}
        maker, checker = (
            await signed_in(site, Role.MAKER, court=COURT),
            await signed_in(site, Role.CHECKER, court=COURT),
        )
        (waiting,) = (await maker.get("/api/bank/unidentified")).json()["credits"]
        match = (await maker.post(f"/api/bank/credits/{waiting['credit_id']}/return", {"reason": "无法查明"})).json()
        await checker.post(f"/api/bank/matches/{match['id']}/check", {"hash": match["hash"]})
        assert (await bank.get("/api/bank/orders")).json()["code"] == "orders-leave-in-files"
        made = (await bank.post("/api/bank/payment-files")).json()["file"]
        assert [each["id"] for each in (await bank.get("/api/bank/payment-files")).json()["files"]] == [made["id"]]
        file = await bank.get(f"/api/bank/payment-files/{made['id']}")
        assert file.headers["content-type"] == "application/xml"
        assert file.headers["etag"].strip('"') == made["sha256"]
        books = Bank()
        books.receive(file.content)
        back = await bank.post("/api/bank/files", notification(books.debits()), content_type="application/xml")
        assert back.status_code == 201, back.text
        await relay.settle()
        assert await money_inside(site.database) == {}
        assert (await bank.post("/api/bank/payment-files")).json() == {"file": None, "left_out": []}
        async with site.database.reading(platform("verify")) as tx:
            assert await verify.faults(tx) == []


@pytest.mark.parametrize("raw", [b"", b"{}", b"<a/>", b"<!DOCTYPE a><a/>", b"\xff"])
async def test_an_unusable_file_is_refused_and_takes_nothing(database_url: str, raw: bytes) -> None:
    async with site_of(database_url, **FILES) as site:
        answer = await (await signed_in(site, Role.MACHINE)).post("/api/bank/files", raw)
        assert (answer.status_code, answer.json()["code"]) == (422, "unusable-file")


async def test_files_are_bounded(database_url: str) -> None:
    async with site_of(database_url, **FILES) as site:
        answer = await (await signed_in(site, Role.MACHINE)).post("/api/bank/files", b" " * 10_000_001)
        assert answer.status_code == 413
