"""The public door to statistics."""

from typing import Annotated
from uuid import UUID

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromQuery, QueryParameter

from auction.lots.rules import AssetKind
from auction.statistics import service
from auction.statistics.schemas import StatisticsView
from kernel.actors import Actor
from kernel.database import Database
from kernel.web import anyone


@get("/api/statistics", guards=[anyone])
async def show_statistics(
    database: NamedDependency[Database],
    actor: NamedDependency[Actor],
    court: FromQuery[UUID | None] = None,
    kind: FromQuery[AssetKind | None] = None,
    year: Annotated[int | None, QueryParameter(ge=2000, le=2199)] = None,
) -> StatisticsView:
    """Premium and success rates over ended rounds, each beside its definition (R-STAT-01 to 04)."""
    return await service.show_statistics(database, actor, court, kind, year)


ROUTES = [show_statistics]
