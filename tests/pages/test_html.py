"""What is sent before any script runs: titles, caching, types, and no page where the API should answer."""

import json
import re

import pytest

from tests.pages.support import DAY, TITLE, Site

pytestmark = pytest.mark.anyio

ENGLISH = {"cookie": "language=en"}
HOSTILE = '<script>alert(1)</script>"&{title}'


async def test_a_page_names_the_lot_and_escapes_it(site: Site) -> None:
    lot_id = await site.lot(terms={"title": HOSTILE})
    page = await site.http.get(f"/lots/{lot_id}")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "<title>&lt;script&gt;alert(1)&lt;/script&gt;&quot;&amp;{title} - 网络司法拍卖平台</title>" in page.text
    assert "起拍价 280,000.00 元" in page.text
    assert '<html lang="zh-CN">' in page.text
    english = await site.http.get(f"/lots/{lot_id}", headers=ENGLISH)
    assert "start price 280,000.00 yuan" in english.text


async def test_what_a_page_is_told_is_data_and_nothing_else(site: Site) -> None:
    """The lot stands in the page so that nobody waits for a second answer; hostile words end no element."""
    lot_id = await site.lot(terms={"title": f"</script><!--{HOSTILE}"}, opened_ago=-DAY)  # nothing happens meanwhile
    page = (await site.http.get(f"/lots/{lot_id}")).text
    (told,) = re.findall(r'<script type="application/json" id="told">([^<>&]*)</script>', page)
    assert json.loads(told) == (await site.http.get(f"/api/lots/{lot_id}")).json()
    assert page.count("<script") == 2


async def test_head_tells_what_get_would(site: Site) -> None:
    tables = ("/api/open/lots.csv", "/api/statistics/series.csv?by=kind", "/feeds/lots.ics")
    for path in ("/", "/api/lots", "/feeds/lots.atom", "/statistics", *tables):
        head, whole = await site.http.head(path), await site.http.get(path)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-type"] == whole.headers["content-type"]
        assert whole.headers["content-type"].count("charset") <= 1


async def test_a_lot_shows_itself_where_its_address_is_shared(site: Site) -> None:
    """Title, description and a picture for who quotes the address; a feed for who wants to be told."""
    page = (await site.http.get(f"/lots/{await site.lot()}")).text
    told = dict(re.findall(r'<meta property="og:(\w+)" content="([^"]*)"', page))
    assert told["title"] == TITLE
    assert "起拍价 280,000.00 元" in told["description"]
    assert (await site.http.get(told["image"])).status_code == 200
    feed = re.findall(r'<link rel="alternate" type="application/atom\+xml"[^>]* href="([^"]+)"', page)
    assert (await site.http.get(feed[0])).headers["content-type"].startswith("application/atom+xml")


async def test_no_page_has_code_or_style_in_it(site: Site) -> None:
    for path in ("/", "/sign-in", "/register", "/statistics", "/mine", f"/lots/{await site.lot()}/record"):
        page = await site.http.get(path)
        assert page.status_code == 200, path
        assert not re.search(r"<style|style=|\son\w+=|<script(?! type=.application/json)(?![^>]*\ssrc=)", page.text), (
            path
        )
        assert "script-src 'self'" in page.headers["content-security-policy"]


async def test_a_page_is_asked_for_each_time_and_sent_once(site: Site) -> None:
    page = await site.http.get("/")
    assert page.headers["cache-control"] == "private, no-cache"
    again = await site.http.get("/", headers={"if-none-match": page.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = await site.http.get("/", headers=ENGLISH | {"if-none-match": page.headers["etag"]})
    assert other.status_code == 200
    assert other.headers["vary"] == "Cookie"


async def test_files_are_kept_for_ever_under_the_address_of_their_release(site: Site) -> None:
    page = (await site.http.get("/")).text
    addresses = re.findall(r'(?:href|src)="(/static/[^"]+)"', page)
    assert sum(address.endswith((".js", ".mjs")) for address in addresses) == 1, "a page waits for one file of modules"
    release = addresses[0].rpartition("/")[0]
    addresses += [f"{release}/lib/evidence.js", f"{release}/vendor/preact.mjs"]  # each is there to be read too
    types = {"js": "text/javascript", "mjs": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}
    for address in addresses:
        file = await site.http.get(address)
        assert file.status_code == 200, address
        assert file.headers["content-type"].startswith(types[address.rpartition(".")[2]])
        assert file.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert file.headers["content-encoding"] == "gzip"
        plain = await site.http.get(address, headers={"accept-encoding": "identity"})
        assert plain.content == file.content
        assert "content-encoding" not in plain.headers


NOT_FILES = (
    "{release}/../app/asgi.py",
    "{release}/words/words.test.js",
    "{release}/package.json",
    "{release}/page.html",
    "{release}/nothing.js",
    "/static/0000000000000000/pages/lot.js",
)


async def test_nothing_else_is_a_file(site: Site) -> None:
    release = re.findall(r"/static/\w+", (await site.http.get("/")).text)[0]
    for path in NOT_FILES:
        answer = await site.http.get(path.format(release=release), headers={"accept": "text/html"})
        assert answer.status_code == 404, path


async def test_a_lost_visitor_gets_a_page_and_a_program_a_problem(site: Site) -> None:
    browser = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    for path in ("/nowhere", "/lots/01900000-0000-7000-8000-000000000000"):
        page = await site.http.get(path, headers=browser)
        assert page.status_code == 404
        assert "页面不存在" in page.text
        assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    for path, headers in (("/nowhere", {}), ("/api/nowhere", browser), ("/api/lots/nothing", browser)):
        answer = await site.http.get(path, headers=headers)
        assert answer.status_code == 404
        assert answer.headers["content-type"].startswith("application/problem+json")
    posted = await site.http.post("/nowhere", headers=browser | {"origin": site.origin})
    assert posted.status_code == 404
    assert posted.headers["content-type"].startswith("application/problem+json")


async def test_lots_now_are_told_by_id(site: Site) -> None:
    lot_id = await site.lot()
    unknown = "01900000-0000-7000-8000-000000000000"
    told = (await site.http.get(f"/api/live/lots?ids={unknown},{lot_id}")).json()
    assert [lot["lot_id"] for lot in told["lots"]] == [str(lot_id)]
    for ids in ("", "nothing", f"{lot_id},", ",".join([unknown] * 101)):
        assert (await site.http.get(f"/api/live/lots?ids={ids}")).status_code == 400, ids
