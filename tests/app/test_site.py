"""What the site says of itself: headers on every answer, its description, its metrics, and raw bytes on its port."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest

from app.platform import Platform
from app.serve import server_for
from kernel.actors import Role
from kernel.clock import SystemClock
from kernel.money import MAX_FEN
from kernel.settings import Settings
from tests.bidding.feed.house import free_port
from tests.settlement.support import credit, notice
from tests.support.house import frozen
from tests.support.web import SETTINGS, Browser, Site, opened_site, signed_in

KEYLESS = {
    "/api/register",
    "/api/login",
    "/api/logout",
    "/api/password",
    "/api/lots/{lot_id}/bids",  # the key is in the body
    "/api/cases/{case_id}/what-if",  # stores nothing
}

pytestmark = pytest.mark.anyio

UNKNOWN = UUID(int=0)
EVERYWHERE = ["/", "/sign-in", "/nowhere", "/api/lots", "/api/me", "/api/nowhere", "/metrics", "/schema"]


def check_headers(answer: httpx.Response) -> None:
    """The rules for browsers, each stated once."""
    headers = answer.headers
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers.get("content-type", "").count("charset") <= 1
    assert headers["cross-origin-opener-policy"] == headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["referrer-policy"] == "same-origin"
    assert "cache-control" in headers
    assert not {"server", "x-powered-by", "access-control-allow-origin"} & set(headers)
    names = [name for name, _ in headers.raw]
    assert len(names) == len(set(names)), "a header twice"


async def test_every_answer_tells_browsers_the_rules(database_url: str) -> None:
    async with opened_site(database_url) as site:
        visitor, bidder = Browser(site), await signed_in(site, Role.BIDDER)
        for browser in (visitor, bidder):
            for path in EVERYWHERE:
                for headers in ({}, {"accept": "text/html"}, {"host": "evil.example"}):
                    answer = await browser.http.get(path, headers=headers)
                    check_headers(answer)
                    assert answer.status_code < 500
                    assert "strict-transport-security" not in answer.headers
        for method in ("POST", "PUT", "TRACE", "OPTIONS"):
            check_headers(await visitor.http.request(method, "/api/lots", headers={"origin": site.origin}))
        assert (await bidder.get("/api/me")).headers["cache-control"] == "no-store"


async def test_pages_run_no_inline_code_and_load_nothing_from_elsewhere(database_url: str) -> None:
    async with opened_site(database_url) as site:
        for path in ("/", "/sign-in", "/register", "/statistics", "/my/cases", f"/my/cases/{UNKNOWN}"):
            answer = await Browser(site).http.get(path, headers={"accept": "text/html"})
            assert answer.headers["content-type"].startswith("text/html")
            html = answer.text
            assert not re.search(r"<script(?![^>]*\bsrc=)[^>]*>", html)
            assert not re.search(r"\son\w+=|javascript:|<style|\sstyle=", html)
            for address in re.findall(r"""(?:src|href)="([^"]+)""", html):
                assert address.startswith(("/", "#")), address
                assert not address.startswith("//"), address


@pytest.mark.parametrize(("name", "mode"), [(None, "real"), ("demo", "demo"), ("rehearsal", "rehearsal")])
async def test_a_page_knows_whether_it_counts(database_url: str, name: str | None, mode: str) -> None:
    settings = msgspec.structs.replace(SETTINGS, **({name: True} if name else {}))
    async with opened_site(database_url, settings) as site:
        answer = await Browser(site).http.get("/", headers={"accept": "text/html"})
        assert f'<meta name="mode" content="{mode}">' in answer.text


async def test_behind_https_browsers_are_told_to_stay_there(database_url: str) -> None:
    settings = msgspec.structs.replace(SETTINGS, public_origin="https://auction.example")
    async with opened_site(database_url, settings) as site:
        answer = await Browser(site).get("/api/lots")
        assert answer.headers["strict-transport-security"] == "max-age=63072000"
        check_headers(answer)


# -- the description


async def description(site: Site) -> dict[str, Any]:
    answer = await Browser(site).get("/schema/openapi.json")
    assert answer.headers["content-type"].startswith("application/vnd.oai.openapi+json")
    assert (await Browser(site).get("/schema")).json() == answer.json()
    described: dict[str, Any] = answer.json()
    return described


def shapes(node: object) -> list[dict[str, Any]]:
    """Every schema in a document, however deep."""
    if isinstance(node, list):
        return [found for each in node for found in shapes(each)]
    if not isinstance(node, dict):
        return []
    return [node, *(found for each in node.values() for found in shapes(each))]


async def test_the_description_knows_our_types(database_url: str) -> None:
    async with opened_site(database_url) as site:
        schemas = (await description(site))["components"]["schemas"]
        terms = schemas["LotTerms"]["properties"]
        assert (terms["opens_at"]["type"], terms["opens_at"]["format"]) == ("string", "date-time")
        assert schemas["RenewSeizure"]["properties"]["to_on"]["format"] == "date"
        assert (terms["deposit_fen"]["minimum"], terms["deposit_fen"]["maximum"]) == (0, MAX_FEN)
        assert (terms["start_price_fen"]["minimum"], terms["start_price_fen"]["maximum"]) == (1, MAX_FEN)
        empty = [
            (name, field)
            for name, schema in schemas.items()
            for field, shape in schema.get("properties", {}).items()
            if shape == {}
        ]
        assert not empty


async def test_the_description_names_keys_refusals_and_what_routes_do(database_url: str) -> None:
    async with opened_site(database_url) as site:
        described = await description(site)
        keyless = set()
        for path, operations in described["paths"].items():
            for method, operation in operations.items():
                assert operation.get("description") or operation.get("summary"), path
                refused = operation["responses"]["4XX"]["content"]
                assert list(refused) == ["application/problem+json"], path
                headers = [one for one in operation.get("parameters", []) if one["in"] == "header"]
                keys = [one for one in headers if one["name"] == "Idempotency-Key"]
                assert all(one["required"] and one["description"] for one in keys)
                if method == "post" and not keys:
                    keyless.add(path)
        assert keyless == KEYLESS
        problem = described["components"]["schemas"]["Problem"]
        told = (await Browser(site).get(f"/api/lots/{UNKNOWN}")).json()
        assert set(problem["required"]) <= set(told)
        assert all("$ref" not in shape or shape["$ref"].startswith("#/") for shape in shapes(described))


# -- metrics


async def test_metrics_count_and_name_nobody(database_url: str) -> None:
    """Invariant 16: what is watched from outside says how much, never who."""
    async with opened_site(database_url) as site:
        await signed_in(site, Role.BIDDER, username="marker-of-a-person", address="10.99.98.97")
        visitor = Browser(site)
        await visitor.get("/api/lots", q="marker")
        before = figure((await visitor.get("/metrics")).text, 'refusals_total{code="not-found"}')
        for _ in range(3):
            await visitor.get(f"/api/lots/{UNKNOWN}")
        shown = (await visitor.get("/metrics")).text
        assert figure(shown, 'refusals_total{code="not-found"}') == before + 3
        for name in ("bids_decided_total", "close_lag_seconds", "outbox_waiting", "live_sockets", "crashes_total"):
            assert f"# TYPE {name.removesuffix('_total')}" in shown, name
        for marker in ("marker", "10.99.98.97", str(UNKNOWN)):
            assert marker not in shown


async def test_metrics_raise_the_alarm_on_money_that_nobody_matched(database_url: str) -> None:
    """R-ACCT-02: three working days, a setting."""
    async with opened_site(database_url) as site:
        await credit(site.database, notice("B1", "12345", 500))
        visitor = Browser(site)
        assert figure((await visitor.get("/metrics")).text, "unidentified_overdue") == 0
        frozen(site.database).advance(timedelta(days=6))
        assert figure((await visitor.get("/metrics")).text, "unidentified_overdue") == 1


def figure(shown: str, series: str) -> int:
    """The value of a series; 0 while it has none."""
    found = re.search(rf"^{re.escape(series)} (\S+)$", shown, re.MULTILINE)
    return int(float(found[1])) if found else 0


# -- raw bytes


@asynccontextmanager
async def listening(url: str) -> AsyncIterator[Settings]:
    """A real server on a free port, without its desk: nothing here gets as far."""
    settings = msgspec.structs.replace(SETTINGS, port=free_port())
    parts = Platform(url, settings, SystemClock())
    server = server_for(parts)
    serving = asyncio.create_task(server.serve())
    try:
        async with asyncio.timeout(10):
            while not server.started:
                await asyncio.sleep(0.01)
        yield settings
    finally:
        server.should_exit = True
        await serving
        await parts.database.close()


async def told(settings: Settings, sent: bytes) -> tuple[bytes, bool]:
    """The first line of the answer to these bytes, and whether the server then hangs up."""
    reader, writer = await asyncio.open_connection(settings.host, settings.port)
    try:
        writer.write(sent)
        async with asyncio.timeout(5):
            line = await reader.readline()
        try:
            async with asyncio.timeout(0.5):
                while await reader.read(65_536):
                    pass
            return line.strip(), True
        except TimeoutError:
            return line.strip(), False
        except ConnectionResetError:
            return line.strip(), True
    finally:
        writer.close()


async def test_requests_that_two_readers_read_differently_are_refused(database_url: str) -> None:
    """Rows 10 and 11: bodies of two lengths, hosts of two names, lines that end twice."""
    async with listening(database_url) as settings:
        host = settings.origin.partition("://")[2].encode()
        ours = b"Host: " + host + b"\r\nOrigin: " + settings.origin.encode() + b"\r\n"
        good = b"GET /health/live HTTP/1.1\r\n" + ours + b"\r\n"
        assert await told(settings, good) == (b"HTTP/1.1 200 OK", False)
        login = b"POST /api/login HTTP/1.1\r\n" + ours + b"Content-Type: application/json\r\n"
        two_lengths = [
            login + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            login + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
            login + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x",
            login + b"Content-Length: +2\r\n\r\n{}",
            login + b"Content-Length: -1\r\n\r\n{}",
            login + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
            login + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n{}\r\n0\r\n\r\n",
            b"GET /health/live HTTP/1.1\r\nHost : " + host + b"\r\n\r\n",
            b"GET /health/live HTTP/1.1\r\n folded: x\r\n\r\n",
            b"nonsense\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        ]
        for sent in two_lengths:
            line, closed = await told(settings, sent)
            assert line.startswith(b"HTTP/1.1 400"), sent
            assert closed, sent
        for sent in (
            b"GET /health/live HTTP/1.1\r\n\r\n",
            b"GET /health/live HTTP/1.0\r\n\r\n",
            b"GET /health/live HTTP/1.1\r\nHost: evil.example\r\n\r\n",
            b"GET /health/live HTTP/1.1\r\nHost: " + host + b"\r\nHost: evil.example\r\n\r\n",
            b"GET http://evil.example/health/live HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        ):
            assert (await told(settings, sent))[0].startswith(b"HTTP/1.1 400"), sent
        assert await told(settings, good) == (b"HTTP/1.1 200 OK", False)


async def test_long_heads_and_lone_bytes_harm_nobody(database_url: str) -> None:
    async with listening(database_url) as settings:
        host = settings.origin.partition("://")[2].encode()
        good = b"GET /health/live HTTP/1.1\r\nHost: " + host + b"\r\n\r\n"
        for sent in (
            b"GET /" + b"x" * 200_000 + b" HTTP/1.1\r\nHost: " + host + b"\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: " + host + b"\r\nX: " + b"y" * 200_000 + b"\r\n\r\n",
            b"GET /\x00 HTTP/1.1\r\nHost: " + host + b"\r\n\r\n",
            b"GET /%00%ff%zz HTTP/1.1\r\nHost: " + host + b"\r\n\r\n",
            b"GET /api/lots?%00=%ff&\xff=1 HTTP/1.1\r\nHost: " + host + b"\r\n\r\n",
        ):
            line, _ = await told(settings, sent)
            assert re.match(rb"HTTP/1.1 [24]\d\d|$", line), (sent[:40], line)
            assert await told(settings, good) == (b"HTTP/1.1 200 OK", False)
