"""Identity over HTTP: registration, sign-in, sessions and their end."""

import asyncio
import json
import logging
from typing import Any

import httpx
import pytest
from argon2 import PasswordHasher
from sqlalchemy import text

from kernel.actors import Role, platform
from kernel.identity.errors import IdentityRefused
from kernel.settings import Settings
from tests.kernel.identity.test_rules import numbered
from tests.support.web import PASSWORD, SETTINGS, Browser, Site, opened_site, signed_in

pytestmark = pytest.mark.anyio

ID_NUMBER = "11010519491231002X"
PERMIT = numbered("81000019900307123")


def account(**changes: object) -> dict[str, object]:
    return {"username": "wang", "password": PASSWORD, "real_name": "王小明", "id_number": ID_NUMBER} | changes


async def change(site: Site, statement: str, **values: object) -> None:
    """One statement behind everybody's back."""
    async with site.database.transaction(platform("test")) as tx:
        await tx.session.execute(text(statement), values)


async def sql(site: Site, statement: str) -> Any:
    """The one value that a statement asks for."""
    async with site.database.reading(platform("test")) as tx:
        return await tx.session.scalar(text(statement))


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


# -- registration


async def test_somebody_registers_and_is_a_bidder(database_url: str) -> None:
    async with opened_site(database_url) as site:
        browser = Browser(site)
        answer = await browser.post("/api/register", account(username="Wang", id_number=ID_NUMBER.lower()))
        assert answer.status_code == 201
        told = answer.json()
        assert (told["username"], told["roles"], told["court"]) == ("wang", ["bidder"], None)
        assert ID_NUMBER not in answer.text
        assert browser.token is None
        assert (await browser.sign_in("WANG")).status_code == 201
        assert (await browser.get("/api/me")).json() == told
        permit = await browser.post("/api/register", account(username="chan", id_number=PERMIT))
        assert permit.status_code == 201


async def test_one_person_one_account(database_url: str) -> None:
    async with opened_site(database_url) as site:
        browser = Browser(site)
        assert (await browser.post("/api/register", account())).status_code == 201
        again = await browser.post("/api/register", account(username="wang2", id_number=ID_NUMBER.lower()))
        assert code(again) == (409, "person-known")
        assert again.json()["rule"] == "R-BID-04"
        taken = await browser.post("/api/register", account(username="WANG", id_number=PERMIT))
        assert code(taken) == (409, "username-taken")
        assert await sql(site, "SELECT count(*) FROM kernel.person") == 1


@pytest.mark.parametrize("doubled", ["id_number", "username"])
async def test_two_registrations_at_once_are_one_account_and_one_refusal(database_url: str, doubled: str) -> None:
    """The unique columns decide the race, and the loser reads why."""
    async with opened_site(database_url) as site:
        permits = [numbered(f"81000019900307{number}") for number in range(100, 106)]
        wanted = [account(username=f"wang-{number}", id_number=permit) for number, permit in enumerate(permits)]
        same = [one | {doubled: wanted[0][doubled]} for one in wanted]
        browsers = [Browser(site) for _ in same]
        answers = await asyncio.gather(*(b.post("/api/register", one) for b, one in zip(browsers, same, strict=True)))
        assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409, 409]
        refused = {answer.json()["code"] for answer in answers if answer.status_code == 409}
        assert refused == {{"id_number": "person-known", "username": "username-taken"}[doubled]}
        assert await sql(site, "SELECT count(*) FROM kernel.person") == 1


UNREADABLE: list[dict[str, object]] = [
    {"id_number": "110105194912310021"},
    {"id_number": 110105194912310020},
    {"id_number": "１１０１０５１９４９１２３１００２Ｘ"},
    {"username": "no"},
    {"username": "wang\u0000"},
    {"password": "short"},
    {"password": "x" * 129},
    {"password": "x" * 900_000},
    {"password": ["a long password"]},
    {"real_name": ""},
    {"real_name": "王\u202e明"},
    {"real_name": "王\u0000明"},
    {"roles": ["judge"]},
    {"court": "x"},
]


async def test_unreadable_registrations(database_url: str) -> None:
    """Nothing is stored, no role can be asked for, and the answer never repeats what was sent."""
    async with opened_site(database_url) as site:
        for changes in UNREADABLE:
            answer = await Browser(site).post("/api/register", account(**changes))
            assert code(answer) == (400, "malformed"), changes
            ((field, value),) = changes.items()
            assert field in answer.json()["path"]
            assert not isinstance(value, str) or len(value) < 9 or value not in answer.text
        assert await sql(site, "SELECT count(*) FROM kernel.person") == 0


async def test_a_name_that_does_not_match_is_refused_before_anything_is_stored(database_url: str) -> None:
    class Doubting:
        name = "doubting"

        async def confirms(self, real_name: str, id_number: str) -> bool:
            return False

    async with opened_site(database_url) as site:
        site.identity.check = Doubting()
        answer = await Browser(site).post("/api/register", account())
        assert code(answer) == (409, IdentityRefused.code)
        assert await sql(site, "SELECT count(*) FROM kernel.person") == 0


# -- sign-in


async def test_unknown_user_and_wrong_password_are_one_answer_for_one_work(database_url: str) -> None:
    """Row 21: the same bytes, and one argon2 verification each."""
    async with opened_site(database_url) as site:
        await signed_in(site, Role.BIDDER, username="wang")
        await signed_in(site, Role.BIDDER, username="gone")
        await change(site, "UPDATE kernel.person SET disabled_at = now() WHERE username = 'gone'")
        work: list[str] = []
        verify = site.identity.passwords._verify

        def counted(password: str, stored: str) -> bool:
            work.append(stored.rpartition("$")[0].split("$")[3])
            return verify(password, stored)

        site.identity.passwords._verify = counted  # type: ignore[method-assign]
        browser = Browser(site)
        answers = [
            await browser.sign_in("wang", "not the password"),
            await browser.sign_in("nobody", "not the password"),
            await browser.sign_in("gone"),
            await browser.sign_in("wang'--", "not the password"),
        ]
        assert {code(answer) for answer in answers} == {(401, "wrong-credentials")}
        assert len({answer.content for answer in answers}) == 1
        assert len(work) == len(answers)
        assert browser.token is None


async def test_the_session_is_new_at_sign_in_and_the_old_one_dead(database_url: str) -> None:
    """Row 17: an id planted before the sign-in, and the id of an earlier sign-in, are worth nothing after it."""
    async with opened_site(database_url) as site:
        browser = await signed_in(site, Role.BIDDER, username="wang")
        first = browser.token
        assert (await browser.sign_in("wang")).status_code == 201
        assert browser.token not in (None, first)
        assert (await browser.get("/api/me")).status_code == 200
        thief = Browser(site)
        thief.http.cookies.set(site.identity.cookie_name, str(first))
        assert code(await thief.get("/api/me")) == (401, "sign-in-required")


async def test_a_made_up_session_is_adopted_by_nobody(database_url: str) -> None:
    """Row 18: it makes a visitor, and signing in with it gives another."""
    async with opened_site(database_url) as site:
        await signed_in(site, Role.BIDDER, username="wang")
        browser = Browser(site)
        planted = "A" * 43
        headers = {"cookie": f"{site.identity.cookie_name}={planted}"}
        assert code(await browser.send("GET", "/api/me", headers=headers)) == (401, "sign-in-required")
        await browser.post("/api/login", {"username": "wang", "password": PASSWORD}, **headers)
        assert browser.token not in (None, planted)
        assert code(await Browser(site).send("GET", "/api/me", headers=headers)) == (401, "sign-in-required")
        assert await sql(site, "SELECT count(*) FROM kernel.login_session") == 2


ODD_COOKIES = [
    "",
    "session",
    "session=",
    "session=;;=",
    "=x",
    'session="\\000\\377"',
    "session=\xff\xfe",
    "session=" + "x" * 5_000,
]


async def test_odd_cookies_make_visitors(database_url: str) -> None:
    async with opened_site(database_url) as site:
        for cookie in ODD_COOKIES:
            answer = await Browser(site).send("GET", "/api/me", headers={"cookie": cookie.encode("latin-1")})
            assert code(answer) == (401, "sign-in-required"), cookie


async def test_the_cookie_is_for_this_site_and_for_no_script(database_url: str) -> None:
    settings = Settings(public_origin="https://auction.example", password_memory_kib=19_456)
    for chosen, name, secure in ((SETTINGS, "session", False), (settings, "__Host-session", True)):
        async with opened_site(database_url, chosen) as site:
            browser = await signed_in(site, Role.BIDDER)
            told = (await browser.sign_in((await browser.get("/api/me")).json()["username"])).headers["set-cookie"]
            value, *rules = told.split("; ")
            assert value.partition("=")[0] == name
            assert {rule.lower() for rule in rules} >= {"httponly", "path=/", "samesite=lax", "max-age=43200"}
            assert ("Secure" in rules) == secure
            assert "domain" not in told.lower()


# -- the end of a session


async def test_sign_out_ends_this_session_and_no_other(database_url: str) -> None:
    """Row 19."""
    async with opened_site(database_url) as site:
        one = await signed_in(site, Role.BIDDER, username="wang")
        other = Browser(site)
        await other.sign_in("wang")
        token = one.token
        assert (await one.post("/api/logout")).status_code == 201
        assert one.token is None
        one.http.cookies.set(site.identity.cookie_name, str(token))
        assert code(await one.get("/api/me")) == (401, "sign-in-required")
        assert (await other.get("/api/me")).status_code == 200


async def test_a_new_password_ends_every_session(database_url: str) -> None:
    async with opened_site(database_url) as site:
        one = await signed_in(site, Role.BIDDER, username="wang")
        other = Browser(site)
        await other.sign_in("wang")
        wrong = {"old_password": "not the password", "new_password": "another password"}
        assert code(await one.post("/api/password", wrong)) == (401, "wrong-credentials")
        short = {"old_password": PASSWORD, "new_password": "short"}
        refused = await one.post("/api/password", short)
        assert code(refused) == (400, "malformed")
        assert (await other.get("/api/me")).status_code == 200
        token = one.token
        changed = await one.post("/api/password", {"old_password": PASSWORD, "new_password": "another password"})
        assert changed.status_code == 201
        one.http.cookies.set(site.identity.cookie_name, str(token))
        for browser in (one, other):
            assert code(await browser.get("/api/me")) == (401, "sign-in-required")
        assert (await one.sign_in("wang", PASSWORD)).status_code == 401
        assert (await one.sign_in("wang", "another password")).status_code == 201


async def test_sessions_expire_and_end_with_the_account(database_url: str) -> None:
    async with opened_site(database_url) as site:
        for ending in (
            "UPDATE kernel.login_session SET expires_at = now() - interval '1 second'",
            "UPDATE kernel.person SET disabled_at = now()",
        ):
            browser = await signed_in(site, Role.BIDDER)
            assert (await browser.get("/api/me")).status_code == 200
            await change(site, ending)
            assert code(await browser.get("/api/me")) == (401, "sign-in-required")


async def test_a_role_taken_away_is_gone_at_the_next_call(database_url: str) -> None:
    """Row 27."""
    async with opened_site(database_url) as site:
        browser = await signed_in(site, Role.CLERK, court="court-1")
        assert (await browser.get("/api/cases")).status_code == 200
        await change(site, "UPDATE kernel.person_role SET role = 'bidder', court_id = NULL")
        assert code(await browser.get("/api/cases")) == (403, "forbidden")
        assert (await browser.get("/api/me")).json()["roles"] == ["bidder"]


# -- limits


async def test_guessing_is_slowed_by_source_and_locks_nobody_out(database_url: str) -> None:
    """Rows 22 and 23: slow after five failures on one account from one address; its owner elsewhere signs in."""
    async with opened_site(database_url) as site:
        await signed_in(site, Role.BIDDER, username="wang", address="10.0.0.1")
        thief = Browser(site, "10.0.0.2")
        answers = [await thief.sign_in("wang", "not the password") for _ in range(12)]
        assert [answer.status_code for answer in answers] == [401] * 5 + [429] * 7
        assert code(answers[-1]) == (429, "rate-limited")
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
        assert answers[-1].json()["retry_after_s"] == int(answers[-1].headers["retry-after"])
        assert (await thief.sign_in("Wang")).status_code == 429
        assert (await Browser(site, "10.0.0.1").sign_in("wang")).status_code == 201


async def test_many_tries_at_once_are_no_way_around_the_wait(database_url: str) -> None:
    """Row 22: a try counts from its beginning; the owner elsewhere is let in meanwhile."""
    async with opened_site(database_url) as site:
        await signed_in(site, Role.BIDDER, username="wang", address="10.0.0.1")
        thief = Browser(site, "10.0.0.2")
        guesses = asyncio.gather(*(thief.sign_in("wang", f"guess number {number}") for number in range(40)))
        owner = Browser(site, "10.0.0.1").sign_in("wang")
        answers, signed = await asyncio.gather(guesses, owner)
        told = [answer.status_code for answer in answers]
        assert (told.count(401), told.count(429)) == (5, 35)
        assert signed.status_code == 201


async def test_an_address_is_limited_whatever_it_says_of_itself(database_url: str) -> None:
    """Rows 9 and 22: forwarded addresses are a sender's words."""
    settings = Settings(password_memory_kib=19_456, sign_ins_per_minute=3, sign_ups_per_minute=2)
    async with opened_site(database_url, settings) as site:
        browser = Browser(site, "10.0.0.2")
        told = [
            (
                await browser.post(
                    "/api/login",
                    {"username": f"nobody-{number}", "password": PASSWORD},
                    x_forwarded_for=f"10.1.1.{number}",
                    forwarded=f"for=10.1.1.{number}",
                    x_real_ip=f"10.1.1.{number}",
                )
            ).status_code
            for number in range(5)
        ]
        assert told == [401, 401, 401, 429, 429]
        bodies = [account(id_number="bad"), account(), account(username="other", id_number=PERMIT)]
        assert [(await browser.post("/api/register", body)).status_code for body in bodies] == [400, 201, 429]
        assert await sql(site, "SELECT count(*) FROM kernel.login_session WHERE address LIKE '10.1.%'") == 0


async def test_behind_our_proxy_each_address_is_limited_for_itself(database_url: str) -> None:
    """Row 9: what our own proxy says is believed, and what stands left of it is not."""
    settings = Settings(password_memory_kib=19_456, sign_ins_per_minute=2, proxies="10.0.0.2")
    async with opened_site(database_url, settings) as site:

        async def sign_in(number: int, forwarded: str) -> int:
            body = {"username": f"nobody-{number}", "password": PASSWORD}
            return (await Browser(site, "10.0.0.2").post("/api/login", body, x_forwarded_for=forwarded)).status_code

        assert [await sign_in(number, f"1.2.3.{number}, 198.51.100.1") for number in range(3)] == [401, 401, 429]
        assert await sign_in(4, "198.51.100.2") == 401


# -- passwords


async def test_long_and_unusual_passwords_work(database_url: str) -> None:
    """Row 24."""
    async with opened_site(database_url) as site:
        browser = Browser(site)
        for number, password in enumerate(["x" * 64, "pass word with  spaces ", "😀🔑" * 8, "口令" * 64]):
            wanted = account(
                username=f"wang-{number}", password=password, id_number=numbered(f"81000019900307{number:03}")
            )
            assert (await browser.post("/api/register", wanted)).status_code == 201
            assert (await browser.sign_in(f"wang-{number}", password)).status_code == 201
            assert (await browser.sign_in(f"wang-{number}", password[:-1])).status_code == 401


async def test_a_hash_of_old_parameters_is_made_anew_at_sign_in(database_url: str) -> None:
    """Row 30: and only after the right password."""
    async with opened_site(database_url) as site:
        await signed_in(site, Role.BIDDER, username="wang")
        old = PasswordHasher(time_cost=1, memory_cost=8_192, parallelism=1).hash(PASSWORD)
        await change(site, "UPDATE kernel.person SET password_hash = :old", old=old)
        browser = Browser(site)
        stored = "SELECT password_hash FROM kernel.person"
        assert (await browser.sign_in("wang", "not the password")).status_code == 401
        assert await sql(site, stored) == old
        assert (await browser.sign_in("wang")).status_code == 201
        fresh = await sql(site, stored)
        assert fresh.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
        assert (await browser.sign_in("wang")).status_code == 201
        assert await sql(site, stored) == fresh


# -- what is kept


async def test_secrets_are_in_no_table_no_audit_entry_and_no_log(database_url: str, caplog: Any) -> None:
    """Only hashes of password and token are kept; the identity number stands in its one column."""
    caplog.set_level(logging.DEBUG, "web")
    new_password = "yet another password"
    async with opened_site(database_url) as site:
        browser = Browser(site)
        await browser.post("/api/register", account())
        await browser.post("/api/register", account(username="wang2"))
        await browser.sign_in("wang")
        token = str(browser.token)
        await browser.sign_in("wang", "not the password")
        await browser.post("/api/password", {"old_password": PASSWORD, "new_password": new_password})
        await browser.sign_in("wang", new_password)
        await browser.post("/api/logout")
        said = "SELECT string_agg(e::text || convert_from(e.facts, 'UTF8'), ' ') FROM kernel.audit_entry e"
        audit = await sql(site, said)
        assert "identity.login" in audit
        assert "王小明" not in audit
        everything = json.dumps(await dump(site))
        for secret in (PASSWORD, new_password, token):
            assert secret not in everything
            assert secret not in audit + caplog.text
        assert ID_NUMBER not in audit + caplog.text
        assert everything.count(ID_NUMBER) == 1


async def dump(site: Site) -> list[str]:
    """Every row of every table, as text."""
    async with site.database.reading(platform("test")) as tx:
        tables = (
            await tx.session.execute(
                text(
                    "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
                    " WHERE schemaname IN ('kernel', 'appraisal', 'auction', 'bidding', 'settlement')"
                )
            )
        ).scalars()
        return [
            row
            for table in tables.all()
            for row in (await tx.session.execute(text(f"SELECT t::text FROM {table} t"))).scalars()
        ]
