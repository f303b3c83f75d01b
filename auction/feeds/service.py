"""Use cases of feeds: read published lots and write them in a format of machines."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from urllib.parse import urlencode
from uuid import UUID

from msgspec.structs import astuple, fields

from auction.feeds import rules, store
from auction.feeds.rules import Sale
from auction.feeds.schemas import OpenLot, OpenLots
from auction.feeds.store import Selection
from auction.lots import service as lots
from auction.lots.models import Lot
from auction.lots.rules import Status
from kernel.actors import Actor
from kernel.clock import beijing, from_ms, to_ms
from kernel.database import Database
from kernel.errors import Malformed
from kernel.money import yuan
from kernel.tables import table

IN_FEED = 100
SETTLED = timedelta(seconds=10)
"""Changes younger than this are not told yet: an open transaction may still bring an earlier one. Real seconds."""

TITLE = "网络司法拍卖标的"
KINDS = {"movable": "动产", "immovable": "不动产", "other_right": "其他财产权"}


async def write_atom(database: Database, actor: Actor, origin: str, wanted: Selection) -> str:
    """The lots published last, as Atom."""
    async with database.reading(actor) as tx:
        found = await store.list_latest(tx, wanted, IN_FEED)
        now = tx.now()
    sales = [_sale(lot) for lot in found]
    updated = max((sale.changed_at for sale in sales), default=now)
    return rules.atom(sales, origin=origin, path=_path(wanted), title=_title(found, wanted), updated=updated)


async def write_calendar(database: Database, actor: Actor, origin: str, wanted: Selection) -> str:
    """The lots ahead, as a calendar to subscribe to."""
    async with database.reading(actor) as tx:
        found = await store.list_ahead(tx, wanted, IN_FEED)
    sales = [_sale(lot) for lot in found]
    return rules.icalendar(sales, origin=origin, title=_title(found, wanted), remind=False)


async def write_lot_calendar(database: Database, actor: Actor, origin: str, lot_id: UUID) -> str:
    """One lot as a calendar file with reminders."""
    async with database.reading(actor) as tx:
        lot = await lots.get_published(tx, lot_id)
    return rules.icalendar([_sale(lot)], origin=origin, title=lot.title, remind=True)


async def list_changed(database: Database, actor: Actor, origin: str, after: str | None, most: int) -> OpenLots:
    """Lots by their last change, so that a copy elsewhere is kept up by asking for what came after."""
    cursor = _read_cursor(after) if after else None
    async with database.reading(actor) as tx:
        now = tx.now()
        found = await store.list_changed(tx, cursor, now - SETTLED * database.clock.rate, most + 1)
    page = found[:most]
    following = _write_cursor(page[-1]) if page else after
    return OpenLots(beijing(now), tuple(OpenLot.of(lot, origin) for lot in page), following, len(found) > most)


async def write_csv(database: Database, actor: Actor, origin: str, after: str | None, most: int) -> tuple[str, str]:
    """The same as a table, and the cursor that continues it (empty before the first change)."""
    page = await list_changed(database, actor, origin, after, most)
    head = [field.name for field in fields(OpenLot)]
    return table(head, [astuple(lot) for lot in page.lots]), page.next or ""


def _sale(lot: Lot) -> Sale:
    assert lot.opens_at is not None, "a published lot has its times"
    assert lot.scheduled_end is not None
    assert lot.published_at is not None
    assert lot.changed_at is not None
    price = (
        f"成交价 {yuan(lot.price_fen)} 元" if lot.price_fen is not None else f"起拍价 {yuan(lot.start_price_fen)} 元"
    )
    summary = f"{lot.court_name}，{lot.place}，{price}，参考价 {yuan(lot.reference_price_fen)} 元，{lot.case_no}"
    return Sale(
        id=lot.id,
        title=lot.title,
        summary=summary,
        place=lot.place,
        court_name=lot.court_name,
        opens_at=lot.opens_at,
        ends_at=lot.ends_at or lot.scheduled_end,
        published_at=lot.published_at,
        changed_at=lot.changed_at,
        cancelled=lot.status == Status.WITHDRAWN,
    )


def _path(wanted: Selection) -> str:
    chosen = {"court": wanted.court_id, "kind": wanted.asset_kind}
    query = urlencode({name: str(value) for name, value in chosen.items() if value is not None})
    return "/feeds/lots.atom" + (f"?{query}" if query else "")


def _title(found: Sequence[Lot], wanted: Selection) -> str:
    court = found[0].court_name if wanted.court_id and found else ""
    return " ".join(part for part in (TITLE, court, KINDS.get(wanted.asset_kind or "", "")) if part)


def _write_cursor(lot: Lot) -> str:
    assert lot.changed_at is not None, "a published lot has changed once"
    return f"{to_ms(lot.changed_at)}.{lot.id.hex}"


def _read_cursor(text: str) -> tuple[datetime, UUID]:
    moment, _, lot_id = text.partition(".")
    try:
        if not moment.isascii() or not moment.isdigit() or len(moment) > 14:
            raise ValueError
        return from_ms(int(moment)), UUID(hex=lot_id)
    except ValueError:
        raise Malformed("after", "the `next` of an earlier answer", "此前答复中的 next") from None
