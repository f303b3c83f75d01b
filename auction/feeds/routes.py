"""The doors for machines: open to everybody, cached for a minute."""

from typing import Annotated
from uuid import UUID

from litestar import Response, get
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, FromQuery, QueryParameter

from auction.feeds import service
from auction.feeds.schemas import OpenLots
from auction.feeds.store import Selection
from auction.lots.rules import AssetKind
from kernel.actors import Actor
from kernel.database import Database
from kernel.web import anyone

PAGE = 100
MOST = 1000
A_MINUTE = {"cache-control": "public, max-age=60"}
CALENDAR, CSV = "text/calendar", "text/csv"
"""Of text the framework states the charset by itself."""
Limit = Annotated[int, QueryParameter(ge=1, le=MOST)]
After = Annotated[str | None, QueryParameter(max_length=64)]


async def provide_origin(state: State) -> str:
    """The address of this site, as it stands before every link that leaves it."""
    origin: str = state["settings"].origin
    return origin


WITH_ORIGIN = {"origin": Provide(provide_origin)}


@get("/feeds/lots.atom", guards=[anyone], dependencies=WITH_ORIGIN)
async def read_atom(
    database: NamedDependency[Database],
    actor: NamedDependency[Actor],
    origin: NamedDependency[str],
    court: FromQuery[UUID | None] = None,
    kind: FromQuery[AssetKind | None] = None,
) -> Response[str]:
    """The hundred lots published last (Atom), of a court or kind where asked."""
    body = await service.write_atom(database, actor, origin, Selection(court, kind))
    return Response(body, media_type="application/atom+xml; charset=utf-8", headers=A_MINUTE)


@get("/feeds/lots.ics", guards=[anyone], dependencies=WITH_ORIGIN)
async def read_calendar(
    database: NamedDependency[Database],
    actor: NamedDependency[Actor],
    origin: NamedDependency[str],
    court: FromQuery[UUID | None] = None,
    kind: FromQuery[AssetKind | None] = None,
) -> Response[str]:
    """The lots ahead as a calendar to subscribe to, of a court or kind where asked."""
    body = await service.write_calendar(database, actor, origin, Selection(court, kind))
    return Response(body, media_type=CALENDAR, headers=A_MINUTE)


@get("/api/lots/{lot_id:uuid}/calendar.ics", guards=[anyone], dependencies=WITH_ORIGIN)
async def read_lot_calendar(
    database: NamedDependency[Database],
    actor: NamedDependency[Actor],
    origin: NamedDependency[str],
    lot_id: FromPath[UUID],
) -> Response[str]:
    """One lot as a calendar file, with reminders a day and an hour before it opens."""
    body = await service.write_lot_calendar(database, actor, origin, lot_id)
    headers = {"content-disposition": f'attachment; filename="lot-{lot_id.hex[:8]}.ics"'}
    return Response(body, media_type=CALENDAR, headers=headers)


@get("/api/open/lots", guards=[anyone], dependencies=WITH_ORIGIN)
async def read_open_lots(
    database: NamedDependency[Database],
    actor: NamedDependency[Actor],
    origin: NamedDependency[str],
    after: After = None,
    limit: Limit = PAGE,
) -> OpenLots:
    """Published lots by the time of their last change (docs/open-data.md)."""
    return await service.list_changed(database, actor, origin, after, limit)


@get("/api/open/lots.csv", guards=[anyone], dependencies=WITH_ORIGIN)
async def read_open_table(
    database: NamedDependency[Database],
    actor: NamedDependency[Actor],
    origin: NamedDependency[str],
    after: After = None,
    limit: Limit = PAGE,
) -> Response[str]:
    """The same as CSV; the header `X-Next` continues it."""
    body, following = await service.write_csv(database, actor, origin, after, limit)
    headers = {"content-disposition": 'attachment; filename="lots.csv"', "x-next": following}
    return Response(body, media_type=CSV, headers=headers)


ROUTES = [read_atom, read_calendar, read_lot_calendar, read_open_lots, read_open_table]
