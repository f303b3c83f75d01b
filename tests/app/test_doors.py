"""Every door of the application refuses what it must: clearly, in time, and without a fault of ours.

The routes are those the application has, and the bodies are made from their structs: a new route is tested by being
there (laws of the house 9 and 10).
"""

import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from msgspec import inspect as types

from app.embedded import EmbeddedPostgres
from kernel.actors import Role
from kernel.ddl import APP_ROLE
from kernel.decoding import Day
from kernel.web import anyone
from tests.app.doors import Door, Town, attempt, build, doors_of, told
from tests.support.databases import Clones
from tests.support.shapes import Place, encoded, is_number, is_text, places, replaced
from tests.support.web import Browser, opened_site

pytestmark = pytest.mark.anyio

KEYLESS = {
    "/api/register": "one person has one account, so a second try changes nothing",
    "/api/login": "a session more or less is no decision",
    "/api/logout": "a session ends once",
    "/api/password": "the old password is the key",
    "/api/cases/{case_id:uuid}/what-if": "nothing is stored",
    "/api/lots/{lot_id:uuid}/bids": "the bid's own key stands in its body, as on the socket",
}
"""Commands without an Idempotency-Key header, and why that is no loss (law of the house 5)."""

OF_NO_COURT = {
    "/api/bank/credits/{credit_id:uuid}/claim": "money that nobody's case has claimed yet",
    "/api/bank/credits/{credit_id:uuid}/return": "likewise",
    "/api/bank/matches/{match_id:uuid}/check": "likewise",
    "/api/bank/orders/{order_id:uuid}/again": "likewise",
    "/api/bank/files/{file_id:uuid}": "the bank's machine serves all courts",
    "/api/bank/payment-files/{file_id:uuid}": "likewise",
}


@pytest.fixture(scope="module")
def town_url(database_clones: Clones, postgres_server: EmbeddedPostgres) -> Iterator[str]:
    """A database of this module's own, for the user that the platform runs as."""
    name = database_clones.make()
    yield postgres_server.dsn(name).replace("postgres@", f"{APP_ROLE}@", 1)
    database_clones.drop(name)


@pytest.fixture(scope="module")
async def town(town_url: str) -> AsyncIterator[Town]:
    """One site for all tests here: nothing they send may change anything, so they cannot disturb each other."""
    async with opened_site(town_url) as site:
        built = Town(site, doors_of(site))
        built.real = await build(site)
        for door in built.doors:
            await built.fitting(door)
        yield built


# -- who may pass


async def test_every_route_names_its_guard(town: Town) -> None:
    assert len(town.doors) > 80
    for door in town.doors:
        guards = door.handler.guards or []
        assert len(guards) == 1, f"{door} names no guard, or several"
        assert guards[0] is anyone or guards[0].__qualname__ == "allow.<locals>.guard", door


async def test_nothing_but_reading_is_open_to_visitors(town: Town) -> None:
    """Opening an account and signing in are what a visitor may do."""
    public = {door.path for door in town.commands() if door.roles is None}
    assert public == {"/api/register", "/api/login"}


async def test_a_visitor_is_asked_to_sign_in(town: Town) -> None:
    browser = Browser(town.site)
    for door in town.doors:
        if door.roles is not None:
            assert told(await attempt(browser, door)) == (401, "sign-in-required"), door


async def test_no_other_role_passes(town: Town) -> None:
    """Somebody who holds every role but those of the guard."""
    for door in town.doors:
        if door.roles:
            browser = await town.browser(*(set(Role) - door.roles))
            assert told(await attempt(browser, door)) == (403, "forbidden"), door


async def test_things_of_another_court_are_not_found_like_what_does_not_exist(town: Town) -> None:
    """Row 29: the answer to a real id is, byte for byte, the answer to one that never was."""
    asked = 0
    for door in town.doors:
        ids = {name: town.real[name] for name in door.ids if name in town.real}
        if door.roles and Role.BIDDER not in door.roles and door.ids and door.path not in OF_NO_COURT:
            assert ids, f"{door}: `build` makes no {door.ids}"
            for role in sorted(door.roles)[:2]:
                browser = await town.browser(role)
                real, unknown = await attempt(browser, door, door.at(**ids)), await attempt(browser, door)
                assert told(real) == (404, "not-found"), (door, real.text)
                assert real.content == unknown.content, door
                asked += 1
    assert asked > 60


async def test_drafts_and_their_documents_do_not_exist_for_the_public(town: Town) -> None:
    ids = {"lot_id": town.real["draft_id"], "document_id": town.real["document_id"]}
    for browser in (Browser(town.site), await town.browser(Role.CLERK), await town.browser(Role.BIDDER)):
        for door in town.doors:
            if door.roles is None and set(door.ids) & set(ids) and door.path.startswith("/api"):
                assert told(await attempt(browser, door, door.at(**ids))) == (404, "not-found"), door


async def test_unknown_ids_are_not_found(town: Town) -> None:
    before = await town.rows()
    for door in town.doors:
        if door.ids and door.path.startswith("/api"):
            answer = await attempt(await town.fitting(door), door)
            assert told(answer) in {(404, "not-found"), (409, "not-eligible")}, (door, answer.text)
    assert await town.rows() == before


# -- where a request comes from


async def test_only_our_own_pages_may_command(town: Town) -> None:
    """Row 20, and no key is used up."""
    before = await town.rows()
    port = town.site.origin.rpartition(":")[2]
    foreign = [
        None,
        "null",
        "",
        "https://evil.example",
        town.site.origin + ".evil.example",
        town.site.origin + "/",
        town.site.origin.upper(),
        "https" + town.site.origin.removeprefix("http"),
        town.site.origin.removesuffix(f":{port}"),
        town.site.origin + ", https://evil.example",
    ]
    for door in town.commands():
        browser = await town.fitting(door)
        for origin in foreign:
            assert told(await attempt(browser, door, origin=origin)) == (403, "foreign-origin"), (door, origin)
    assert await town.rows() == before


HOSTS = ["", "evil.example", "127.0.0.1", "127.0.0.1:8001", "127.0.0.1:8000.evil.example", "a@127.0.0.1:8000", "[::1]"]


async def test_only_our_own_name_is_served(town: Town) -> None:
    """Rows 9 and 10: on every path, one that nobody serves too; what a proxy would say counts for nothing."""
    browser = Browser(town.site)
    for path in ("/", "/api/lots", "/api/me", "/metrics", "/schema", "/nowhere"):
        for host in HOSTS:
            answer = await browser.send("GET", path, headers={"host": host, "x-forwarded-host": "127.0.0.1:8000"})
            assert told(answer) == (400, "malformed"), (path, host)
            assert answer.json()["path"] == "Host"
        twice = [("host", "127.0.0.1:8000"), ("host", "127.0.0.1:8000")]
        assert told(await browser.send("GET", path, headers=twice)) == (400, "malformed")
    for name in ("x-forwarded-host", "forwarded", "x-original-url", "x-rewrite-url", "x-http-method-override"):
        answer = await browser.send("GET", "/api/lots", headers={name: "host=evil.example"})
        assert answer.status_code == 200, name
        assert "evil" not in answer.text


async def test_methods_that_nobody_offers(town: Town) -> None:
    """Row 15: a state change is a POST, whatever a header says."""
    offered: dict[str, set[str]] = {}
    for door in town.doors:
        offered.setdefault(door.path, set()).add(door.method)
    clerk = await town.browser(Role.CLERK)
    for door in town.doors:
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW"} - offered[door.path]:
            headers = {"origin": town.site.origin, "x-http-method-override": "POST", "idempotency-key": "override-1"}
            answer = await clerk.send(method, door.at(), headers=headers)
            assert told(answer) == (405, "method-not-allowed"), (method, door.path)
            assert set(answer.headers["allow"].split(", ")) >= offered[door.path], (method, door.path)


# -- what every command says of itself


async def test_every_command_carries_its_key(town: Town) -> None:
    assert {door.path for door in town.commands() if not door.takes_key} == set(KEYLESS)
    before = await town.rows()
    bad = [None, "", "short77", "x" * 65, "has space", "a;b--'x'x", "key-1234, key-1234"]
    for door in town.commands():
        browser = await town.fitting(door)
        for key in bad if door.takes_key else ():
            answer = await attempt(browser, door, idempotency_key=key)
            assert told(answer) == (400, "malformed"), (door, key)
            assert answer.json()["path"] == "Idempotency-Key", (door, key)
    assert await town.rows() == before


async def test_bodies_are_json_in_utf_8(town: Town) -> None:
    """Row 7; and a compressed body is never unpacked (row 6)."""
    before = await town.rows()
    for door in town.commands(with_body=True):
        browser = await town.fitting(door)
        for content_type in (None, "text/plain", "multipart/form-data; boundary=x", "application/json; charset=gbk"):
            answer = await attempt(browser, door, content_type=content_type)
            assert told(answer) == (415, "unsupported-media-type"), (door, content_type)
        packed = await attempt(browser, door, content_encoding="gzip")
        assert told(packed) == (415, "unsupported-media-type"), door
    assert await town.rows() == before


# -- bodies


def unreadable(body: dict[str, Any]) -> Iterator[bytes]:
    """Bodies that no door may take, made from one that it takes."""
    good = encoded(body)
    first = next(iter(body))
    yield from (b"", b"[]", b"null", b"[" + good + b"]", good[:-1], b"\xef\xbb\xbf" + good)
    yield from (b"[" * 1_000 + b"]" * 1_000, b'{"a":' * 1_000 + b"1" + b"}" * 1_000)
    yield encoded({name: value for name, value in body.items() if name != first})
    yield good[:-1] + b"," + encoded({first: body[first]})[1:]
    for surprise in (b"1", b"NaN", b'"\\u0000"', b'"\\ud800"', b'"\xed\xa0\x80"'):
        yield good[:-1] + b',"surprise":' + surprise + b"}"


def utterly_unreadable(body: dict[str, Any]) -> Iterator[bytes]:
    """What the decoder, which all doors share, refuses before it knows what is wanted."""
    good = encoded(body)
    first = next(iter(body))
    yield from (b" ", b"1", b'"x"', b"{", good + good, good + b",", good.decode().encode("utf-16"), b"\xff" + good)
    yield good[:-1] + b',"\\u' + f"{ord(first[0]):04x}".encode() + encoded({first: 1})[3:]
    yield b'{"a":' * 100_000 + b"1" + b"}" * 100_000
    for surprise in (b"Infinity", b"9" * 5_000, b'"\\udc00\\ud800"', b'"a\\u202eb"', b'"\\ufeffa"', b'"\x00"', b"'x'"):
        yield good[:-1] + b',"surprise":' + surprise + b"}"


async def test_unreadable_bodies(town: Town) -> None:
    """Rows 3 to 6."""
    before = await town.rows()
    shared = "/api/cases"
    for door in town.commands(with_body=True):
        browser = await town.fitting(door)
        odd = [*unreadable(door.body), *(utterly_unreadable(door.body) if door.path == shared else [])]
        for content in odd:
            answer = await browser.post(door.at(), content)
            assert told(answer) == (400, "malformed"), (door, content[:200])
            assert len(answer.content) < 2_000, (door, content[:200])
    assert await town.rows() == before


NO_NUMBERS = [
    '"100"',
    "1e3",
    "100.0",
    "1E400",
    "true",
    "[]",
    "{}",
    '"１００"',
    '"1,000"',
    '""',
    "-1",
    "-0.0",
    str(2**63),
]
NO_NUMBERS += ["9" * 23, "0x10", "1_000", "01", "+1", "１００"]


async def test_numbers_are_whole_written_as_such_and_bounded(town: Town) -> None:
    """Rows 1, 2 and 13, for every number of every body."""
    before = await town.rows()
    fields = 0
    for door in town.first_of_each_struct():
        browser = await town.fitting(door)
        for place in filter(is_number, places(door.struct)):
            fields += 1
            for number in [*NO_NUMBERS, *(["null"] if not _may_be_null(door, place) else [])]:
                content = encoded(replaced(door.body, place.path, "@")).replace(b'"@"', number.encode())
                answer = await browser.post(door.at(), content)
                assert told(answer) == (400, "malformed"), (door, place, number)
                path = answer.json()["path"]
                assert place.name in path or path == "$", (door, place, number, path)
    assert fields > 15
    assert await town.rows() == before


def _may_be_null(door: Door, place: Place) -> bool:
    struct = types.type_info(door.struct)
    assert isinstance(struct, types.StructType)
    return any(one.encode_name == place.name and not one.required for one in struct.fields)


NO_TEXT = ['"a\\u0000b"', "1", '""', '"' + "x" * 30_000 + '"']
NO_DAY = ['"2025-02-29"', '"２０２５-03-03"', '"9999-12-31"', "1740963600"]
NO_MOMENT = ['"2025-03-03T09:00:00"', '"2025-03-03T24:00:00+08:00"', '"2025-03-03T09:00:60+08:00"', '"2025-03-03"']
NO_MOMENT += ['"2025-02-29T09:00:00+08:00"', "1740963600"]
NO_ID = ["1", '"\' OR 1=1 --"', '"00000000-0000-7000-8000-00000000000g"']


def odd_values(place: Place) -> list[str]:
    """What may not stand in a field that is no number."""
    kind = place.type
    while isinstance(kind, types.Metadata):
        kind = kind.type
    if is_text(place):
        # A payee's bank may be left empty; everything else that is named is named.
        return [value for value in NO_TEXT if value != '""' or place.name != "bank"]
    if isinstance(kind, types.CustomType):
        return NO_DAY if kind.cls is Day else NO_MOMENT
    if isinstance(kind, types.UUIDType):
        return NO_ID
    if isinstance(kind, types.BoolType):
        return ["1", '"true"', "null"]
    if isinstance(kind, types.EnumType | types.LiteralType):
        return ['"x"', "0", "null"]
    return []


async def test_texts_times_ids_and_words_are_what_they_must_be(town: Town) -> None:
    """Rows 5, 12, 14 and 65, for every field of every body."""
    before = await town.rows()
    fields = 0
    for door in town.first_of_each_struct():
        browser = await town.fitting(door)
        for place in places(door.struct):
            for value in odd_values(place):
                content = encoded(replaced(door.body, place.path, "@")).replace(b'"@"', value.encode())
                answer = await browser.post(door.at(), content)
                assert told(answer) == (400, "malformed"), (door, place, value[:40])
                assert len(answer.content) < 2_000, (door, place)
            fields += bool(odd_values(place))
    assert fields > 70
    assert await town.rows() == before


async def test_large_bodies_are_not_read_to_their_end(town: Town) -> None:
    """Row 6: 11 MB are refused when they are announced, or when too much of them has come, whatever they hold."""
    before = await town.rows()
    for door in town.commands():
        if not door.struct and not door.path.endswith("/documents"):
            continue
        browser = await town.fitting(door)
        kind = "?kind=other" if door.path.endswith("/documents") else ""
        size = 30 if kind else 11
        chunks = 0

        async def endless(size: int = size) -> AsyncIterator[bytes]:
            nonlocal chunks
            for _ in range(size * 10):
                chunks += 1
                yield b"9" * 100_000

        headers = {
            "origin": town.site.origin,
            "idempotency-key": "large-body-1",
            "content-type": "application/json",
            "x-file-name": "a.txt",
        }
        answer = await browser.send("POST", door.at() + kind, content=endless(), headers=headers)
        assert told(answer) == (413, "too-large"), door
        assert chunks <= (size - 8) * 10, door
        announced = headers | {"content-length": str(size * 1_000_000)}
        answer = await browser.send("POST", door.at() + kind, content=endless(), headers=announced)
        assert told(answer) == (413, "too-large"), door
    assert await town.rows() == before


# -- paths and questions


async def test_odd_ids_in_paths_find_nothing(town: Town) -> None:
    odd = [
        "x",
        "1",
        "%00",
        "..%2f..%2fetc",
        "%27%20OR%201=1",
        "00000000-0000-7000-8000-00000000000g",
        "9" * 2_000,
        "名",
    ]
    for door in town.doors:
        if re.search(r"{\w+:", door.path):
            browser = await town.fitting(door)
            for value in odd:
                path = re.sub(r"{\w+:\w+}", value, door.path)
                answer = await attempt(browser, door, path)
                assert answer.status_code in (400, 404), (door, value, answer.text)


async def test_odd_platform_names_are_not_looked_up(town: Town) -> None:
    (door,) = (door for door in town.doors if "{platform" in door.path)
    browser = await town.fitting(door)
    for name in ("%00", "a%00b", "%ff", "%ED%A0%80", "x" * 65, "%E2%80%AEx", "%20"):
        answer = await attempt(browser, door, door.at(asset_id=town.real["asset_id"], platform=name))
        assert answer.status_code in (400, 404), name


NO_QUESTIONS = ["-1", "1e3", "1.0", "10.5", "１０", "x", "", "9" * 23, "0x10", "1_0", " 1", "+1", "' OR 1=1", "\x00"]


async def test_questions_are_as_strict_as_bodies(town: Town) -> None:
    """Rows 8, 12 and 16, for every parameter of every route, as the application itself describes them."""
    described = (await Browser(town.site).get("/schema/openapi.json")).json()["paths"]
    numbers = names = 0
    for door in town.doors:
        browser = await town.fitting(door)
        operation = described.get(re.sub(r":\w+}", "}", door.path), {}).get(door.method.lower(), {})
        for parameter in operation.get("parameters", []):
            if parameter["in"] != "query":
                continue
            name, shape = parameter["name"], str(parameter["schema"])
            path = door.at(lot_id=town.real["lot_id"])
            twice = await browser.send(door.method, path + f"?{name}=1&{name}=1", headers={"origin": town.site.origin})
            assert told(twice) == (400, "malformed"), (door, name)
            assert twice.json()["path"] == "query"
            if door.method != "GET":
                continue
            if "'integer'" in shape:
                numbers += 1
                # A price may be 10^9, a page, a year or an offset from the end of the world may not.
                for value in [*NO_QUESTIONS, *([] if name.startswith("price") or name == "after" else [str(10**9)])]:
                    answer = await browser.get(path, **{name: value})
                    assert told(answer) == (400, "malformed"), (door, name, value)
                    assert name in answer.json()["path"], answer.text
            elif "'uuid'" in shape or "enum" in shape or "$ref" in shape:
                names += 1
                for value in ("x", "' OR 1=1 --", "price_fen; DROP TABLE lot", "\x00", "1", "é"):
                    answer = await browser.get(path, **{name: value})
                    assert told(answer) == (400, "malformed"), (door, name, value)
            else:
                for value in ("\x00", "a\x00b", "x" * 5_000):
                    assert told(await browser.get(path, **{name: value})) == (400, "malformed"), (door, name, value)
                for value in ("%", "_", "\\", "' OR 1=1 --", '"', "(", "*:*", "a & | !", "<->", "名" * 20):
                    answer = await browser.get(path, **{name: value})
                    assert answer.status_code in (200, 400), (door, name, value)
    assert numbers >= 5
    assert names >= 5


async def test_doubled_and_odd_query_strings(town: Town) -> None:
    browser = Browser(town.site)
    for query in (
        "q=1&q=2",
        "limit=1&limit=1",
        "a&a",
        "=1&=2",
        "%71=1&q=1",
        "q=%ff&%71=",
        "&".join(f"a{n % 500}" for n in range(501)),
    ):
        assert told(await browser.send("GET", f"/api/lots?{query}")) == (400, "malformed"), query
    for query in ("", "&", "unknown=1", "%", "%zz=1", "q=%ff"):
        assert (await browser.send("GET", f"/api/lots?{query}")).status_code in (200, 400), query
