"""Feeds over published lots: by court and kind, and a copy elsewhere that is kept up by what changed."""

from datetime import timedelta

import pytest

from appraisal.assets.rules import AssetKind
from auction.feeds import service
from auction.feeds.store import Selection
from auction.lots import handlers
from kernel.actors import visitor
from kernel.contracts import LotOpened, LotSuspended
from kernel.database import Database
from kernel.errors import Malformed, NotFound
from tests.auction.support import happen, make_draft, make_place, make_published_lot
from tests.support.house import frozen, opened

pytestmark = pytest.mark.anyio

ORIGIN = "http://a.example"
ANYBODY = visitor("test")
WHILE = timedelta(minutes=1)


async def changed(database: Database, after: str | None, most: int = 100) -> tuple[list[tuple[str, str]], str | None]:
    page = await service.list_changed(database, ANYBODY, ORIGIN, after, most)
    return [(lot.title, lot.status) for lot in page.lots], page.next


async def test_a_copy_is_kept_up_by_what_came_after(database_url: str) -> None:
    async with opened(database_url) as database:
        one = await make_published_lot(await make_place(database), title="一")
        frozen(database).advance(WHILE)
        await make_published_lot(await make_place(database), title="二")
        await make_draft(await make_place(database), title="草稿")
        assert await changed(database, None) == ([("一", "published")], (await changed(database, None))[1])
        frozen(database).advance(WHILE)
        first, cursor = await changed(database, None, 1)
        second, cursor = await changed(database, cursor, 1)
        assert (first, second) == ([("一", "published")], [("二", "published")])
        assert await changed(database, cursor) == ([], cursor), "nothing new, and the place is kept"

        now = database.clock.now()
        await happen(database, handlers.open_lot, LotOpened(lot_id=one, at=now))
        await happen(database, handlers.suspend_lot, LotSuspended(lot_id=one, at=now, reason="异议"))
        assert (await changed(database, cursor))[0] == [], "told once nothing earlier can still come"
        frozen(database).advance(WHILE)
        assert (await changed(database, cursor))[0] == [("一", "suspended")]
        table, following = await service.write_csv(database, ANYBODY, ORIGIN, None, 100)
        assert table.startswith("id,changed_at,url,title,")
        assert table.count("\r\n") == 3
        assert following
        for broken in ("x", "1.", "12.zz", "9" * 15 + ".0", "-1." + "0" * 32):
            with pytest.raises(Malformed):
                await changed(database, broken)


async def test_feeds_by_court_and_kind(database_url: str) -> None:
    async with opened(database_url) as database:
        flat = await make_place(database, kind=AssetKind.IMMOVABLE)
        lot_id = await make_published_lot(flat, title="住宅一套")
        await make_published_lot(await make_place(database), title="汽车一辆")
        draft = await make_draft(await make_place(database), title="草稿")
        whole = await service.write_atom(database, ANYBODY, ORIGIN, Selection())
        assert (whole.count("<entry>"), "草稿" in whole) == (2, False)
        chosen = Selection(flat.court.id, "immovable")
        told = await service.write_atom(database, ANYBODY, ORIGIN, chosen)
        assert (told.count("<entry>"), "住宅一套" in told) == (1, True)
        assert f"court={flat.court.id}&amp;kind=immovable" in told
        assert (await service.write_calendar(database, ANYBODY, ORIGIN, chosen)).count("BEGIN:VEVENT") == 1
        alone = await service.write_lot_calendar(database, ANYBODY, ORIGIN, lot_id)
        assert alone.count("BEGIN:VALARM") == 2
        with pytest.raises(NotFound):
            await service.write_lot_calendar(database, ANYBODY, ORIGIN, draft)
