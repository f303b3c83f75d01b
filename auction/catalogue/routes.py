"""The public doors: the catalogue and the page of one lot."""

from typing import Annotated, Literal
from uuid import UUID

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter

from auction.catalogue import service
from auction.catalogue.rules import LONGEST_QUERY, Sort, words_of
from auction.catalogue.schemas import CataloguePage, LotPage
from auction.catalogue.store import Filter
from auction.lots.rules import AssetKind, Round, Status, searchable
from kernel.actors import Actor
from kernel.answers import Answers
from kernel.database import Database
from kernel.decoding import Expected, clean_text
from kernel.errors import Malformed
from kernel.money import MAX_FEN
from kernel.web import anyone

PAGE = 20
MOST = 100
YesNo = Literal["yes", "no"]
PriceQuery = Annotated[int | None, QueryParameter(ge=0, le=MAX_FEN)]


@get("/api/lots", guards=[anyone])
async def browse(
    *,
    database: NamedDependency[Database],
    answers: NamedDependency[Answers],
    actor: NamedDependency[Actor],
    q: Annotated[str, QueryParameter(max_length=LONGEST_QUERY)] = "",
    status: FromQuery[Status | None] = None,
    kind: FromQuery[AssetKind | None] = None,
    court: FromQuery[UUID | None] = None,
    place: Annotated[str | None, QueryParameter(max_length=200)] = None,
    region: Annotated[str | None, QueryParameter(min_length=2, max_length=2)] = None,
    lot_round: Annotated[Round | None, QueryParameter(name="round")] = None,
    price_min: PriceQuery = None,
    price_max: PriceQuery = None,
    discount_min: Annotated[int | None, QueryParameter(ge=0, le=10_000)] = None,
    loan: FromQuery[YesNo | None] = None,
    limited: FromQuery[YesNo | None] = None,
    ends: Annotated[str | None, QueryParameter(max_length=40)] = None,
    sort: FromQuery[Sort] = Sort.ENDS_SOONEST,
    after: Annotated[str | None, QueryParameter(max_length=200)] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=MOST)] = PAGE,
) -> CataloguePage:
    """Published lots: every word of `q` in title, place, court or case number; prices in fen; drafts never.

    `region` is a province by the first two characters of its name, `discount_min` how far the start price lies below
    the reference price in basis points, `loan` whether a bank lends, `limited` whether purchase limits apply, `ends`
    either `today` or the minute in which the lots end.
    """
    place = _readable("place", place) if place is not None else None
    region = _readable("region", region) if region is not None else None
    asked: dict[str, object] = {
        "status": status,
        "kind": kind,
        "round": lot_round,
        "court": court,
        "place": place,
        "region": region,
    }
    asked |= {"loan": loan, "limited": limited}
    exact = {name: value for name, value in asked.items() if value is not None}
    wanted = Filter(words_of(searchable(_readable("q", q))), exact, price_min, price_max, discount_min)
    return await service.browse(database, answers, actor, wanted, sort=sort, after=after, limit=limit, ends=ends)


@get("/api/lots/{lot_id:uuid}", guards=[anyone])
async def show_lot(
    database: NamedDependency[Database], actor: NamedDependency[Actor], lot_id: FromPath[UUID]
) -> LotPage:
    """One lot: the announcement as published, where the sale stands, and how it ended."""
    return await service.show_lot(database, actor, lot_id)


def _readable(name: str, words: str) -> str:
    """Text from the query in the form that stored text has; refuses what no stored text can hold."""
    try:
        return clean_text(words)
    except Expected as error:
        raise Malformed(name, error.expected, error.expected_zh) from None


ROUTES = [browse, show_lot]
