"""The public door to statistics."""

from typing import Annotated
from uuid import UUID

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromQuery, QueryParameter

from auction.lots.rules import AssetKind
from auction.statistics import service
from auction.statistics.rules import By
from auction.statistics.schemas import SeriesView, StatisticsView
from auction.statistics.store import Wanted
from kernel.actors import Actor
from kernel.answers import Answers
from kernel.database import Database
from kernel.web import anyone


@get("/api/statistics", guards=[anyone])
async def show_statistics(
    *,
    database: NamedDependency[Database],
    answers: NamedDependency[Answers],
    actor: NamedDependency[Actor],
    court: FromQuery[UUID | None] = None,
    kind: FromQuery[AssetKind | None] = None,
    year: Annotated[int | None, QueryParameter(ge=2000, le=2199)] = None,
) -> StatisticsView:
    """Premium and success rates over ended rounds, each beside its definition (R-STAT-01 to 04)."""
    return await service.show_statistics(database, answers, actor, Wanted(court, kind, year))


Court = FromQuery[UUID | None]
Kind = FromQuery[AssetKind | None]
Year = Annotated[int | None, QueryParameter(ge=2000, le=2199)]


@get("/api/statistics/series", guards=[anyone])
async def show_series(
    *,
    database: NamedDependency[Database],
    answers: NamedDependency[Answers],
    actor: NamedDependency[Actor],
    by: FromQuery[By] = By.MONTH,
    court: Court = None,
    kind: Kind = None,
    year: Year = None,
) -> SeriesView:
    """The same figures by month, kind, court or round, with the definition of every column."""
    return await service.show_series(database, answers, actor, by, Wanted(court, kind, year))


@get("/api/statistics/series.csv", guards=[anyone])
async def read_series(
    *,
    database: NamedDependency[Database],
    answers: NamedDependency[Answers],
    actor: NamedDependency[Actor],
    by: FromQuery[By] = By.MONTH,
    court: Court = None,
    kind: Kind = None,
    year: Year = None,
) -> Response[str]:
    """The same as CSV."""
    body = await service.write_series(database, answers, actor, by, Wanted(court, kind, year))
    headers = {"content-disposition": f'attachment; filename="statistics-{by}.csv"'}
    return Response(body, media_type="text/csv", headers=headers)


ROUTES = [show_statistics, show_series, read_series]
