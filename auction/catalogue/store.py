"""SQL of the catalogue. Every query is over published lots alone, so that no draft can leak."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Text, case, cast, func, literal, select, tablesample, text, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from auction.catalogue.rules import FREQUENT_PERCENT, Cursor, Sort, Span, Word
from auction.lots.models import Lot
from auction.lots.rules import Status
from kernel.clock import from_ms, to_ms
from kernel.database import Tx

SAMPLE = 1
"""Of a hundred pages of lots."""
MOST_FACET_VALUES = 50
MOST_ENDS = 3


@dataclass(frozen=True, slots=True)
class Filter:
    """What a visitor asked for. `exact` is by name of `FACETS`; prices in fen, as the card shows them; `ends` is
    when a lot without an outcome is planned to end."""

    words: tuple[Word, ...] = ()
    exact: Mapping[str, object] = field(default_factory=dict)
    price_min: int | None = None
    price_max: int | None = None
    discount_min: int | None = None
    ends: Span | None = None

    @property
    def key(self) -> Hashable:
        """The same for the same question."""
        words = tuple(word.text for word in self.words)
        return words, frozenset(self.exact.items()), self.price_min, self.price_max, self.discount_min, self.ends


@dataclass(frozen=True, slots=True)
class Order:
    """A column and its direction; the id breaks ties in the same direction."""

    column: InstrumentedAttribute[Any]
    descending: bool


ORDERS = {
    Sort.ENDS_SOONEST: Order(Lot.ends_rank, descending=False),
    Sort.NEWEST: Order(Lot.published_at, descending=True),
    Sort.PRICE: Order(Lot.shown_price_fen, descending=False),
    Sort.DISCOUNT: Order(Lot.discount_bp, descending=True),
    Sort.MOST_WATCHED: Order(Lot.watched, descending=True),
}
FACETS: dict[str, ColumnElement[Any] | InstrumentedAttribute[Any]] = {
    "status": Lot.status,
    "kind": Lot.asset_kind,
    "round": Lot.round,
    "court": Lot.court_id,
    "place": Lot.place,
    "region": func.left(Lot.place, 2),
    "loan": case((Lot.loan_available, "yes"), else_="no"),
    "limited": case((Lot.purchase_limited, "yes"), else_="no"),
}
"""What lots are counted and chosen by. Two characters tell the provinces apart."""


async def without_frequent(tx: Tx, wanted: Filter) -> Filter:
    """The same, but words that a sample shows in many lots are not looked up by their pairs.

    For a word of nearly every lot (法院) the planner turns from the index to the whole table, and computes the pairs of
    each lot anew: 25 s of 200,000 lots. Reading their texts alone takes 0.1 s.
    """
    looked_up = [word for word in wanted.words if word.by_pairs]
    if not looked_up:
        return wanted
    sample = tablesample(Lot, func.system(SAMPLE), seed=literal(0))
    text_of = sample.c.search_text
    shares = (func.avg(case((text_of.like(word.pattern, escape="\\"), 100), else_=0)) for word in looked_up)
    found = (await tx.session.execute(select(*shares).where(sample.c.published_at.is_not(None)))).one()
    frequent = {
        word for word, share in zip(looked_up, found, strict=True) if share is not None and share > FREQUENT_PERCENT
    }
    return replace(wanted, words=tuple(replace(word, frequent=word in frequent) for word in wanted.words))


async def search(tx: Tx, wanted: Filter, sort: Sort, after: Cursor | None, limit: int) -> Sequence[Lot]:
    """At most `limit` lots after the cursor."""
    order = ORDERS[sort]
    page = select(Lot).where(*_conditions(wanted))
    if after is not None:
        value = from_ms(after.value) if sort is Sort.NEWEST else after.value
        here, there = tuple_(order.column, Lot.id), tuple_(value, after.id)
        page = page.where(here < there if order.descending else here > there)
    columns = (order.column, Lot.id)
    page = page.order_by(*(column.desc() if order.descending else column.asc() for column in columns)).limit(limit)
    return (await tx.session.scalars(page)).all()


async def find_lots(tx: Tx, lot_ids: Sequence[UUID]) -> Sequence[Lot]:
    """Published lots among these, in no order."""
    return (await tx.session.scalars(select(Lot).where(Lot.id.in_(lot_ids), Lot.published_at.is_not(None)))).all()


def cursor_of(lot: Lot, sort: Sort) -> Cursor:
    """The cursor that continues after `lot`."""
    value = getattr(lot, ORDERS[sort].column.key)
    return Cursor(to_ms(value) if sort is Sort.NEWEST else value, lot.id)


class Choices(NamedTuple):
    """How many lots fit, and for each facet its values with how many lots have them, the most frequent first."""

    total: int
    facets: dict[str, list[tuple[str, int]]]


async def count(tx: Tx, wanted: Filter) -> int:
    found = await tx.session.scalar(select(func.count()).select_from(Lot).where(*_conditions(wanted)))
    return found or 0


async def count_choices(tx: Tx, wanted: Filter) -> Choices:
    """All lots that fit, and those of each facet under all filters but that facet's own.

    Facets that nobody filters by are counted in one pass over the lots, each other one in a pass of its own.
    """
    found = await _count_facets(tx, wanted, [facet for facet in FACETS if facet not in wanted.exact])
    for facet in wanted.exact:
        others = {name: value for name, value in wanted.exact.items() if name != facet}
        alone = await _count_facets(tx, replace(wanted, exact=others), [facet])
        found.facets[facet] = alone.facets[facet]
    return found


async def _count_facets(tx: Tx, wanted: Filter, facets: Sequence[str]) -> Choices:
    if not facets:
        return Choices(await count(tx, wanted), {})
    lots = select(*(FACETS[facet].label(facet) for facet in facets)).where(*_conditions(wanted)).subquery("lots")
    counted = (
        select(
            func.grouping(*lots.c).label("left_out"),
            func.coalesce(*(cast(column, Text) for column in lots.c)).label("value"),
            func.count().label("number"),
        )
        .group_by(func.grouping_sets(*(tuple_(column) for column in lots.c), text("()")))
        .subquery("counted")
    )
    place = func.row_number().over(partition_by=counted.c.left_out, order_by=(counted.c.number.desc(), counted.c.value))
    ranked = select(counted, place.label("place")).subquery("ranked")
    rows = await tx.session.execute(
        select(ranked.c.left_out, ranked.c.value, ranked.c.number)
        .where(ranked.c.place <= MOST_FACET_VALUES)
        .order_by(ranked.c.left_out, ranked.c.place)
    )
    return _choices(facets, ((left_out, value, number) for left_out, value, number in rows))


def _choices(facets: Sequence[str], rows: Iterable[tuple[int, str, int]]) -> Choices:
    """What was counted, by the columns that a row leaves out: a bit each, the last facet's the lowest."""
    everything = 2 ** len(facets) - 1
    facet_of = {everything ^ 1 << place: facet for place, facet in enumerate(reversed(facets))}
    found = Choices(0, {facet: [] for facet in facets})
    for left_out, value, number in rows:
        if left_out == everything:
            found = found._replace(total=number)
        else:
            found.facets[facet_of[left_out]].append((value, number))
    return found


async def count_ends(tx: Tx, span: Span) -> Sequence[tuple[datetime, int]]:
    """The moments of a span at which most lots are planned to end, in order, with how many."""
    number = func.count()
    counted = (
        select(Lot.ends_rank, number)
        .where(*_conditions(Filter(ends=span)), Lot.status.in_((Status.PUBLISHED, Status.LIVE)))
        .group_by(Lot.ends_rank)
        .order_by(number.desc(), Lot.ends_rank)
        .limit(MOST_ENDS)
    )
    rows = await tx.session.execute(counted)
    return sorted((from_ms(rank), found) for rank, found in rows if rank is not None)


def _conditions(wanted: Filter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [Lot.published_at.is_not(None)]
    for word in wanted.words:
        if word.by_pairs:
            conditions.append(func.auction.grams(Lot.search_text).op("@>")(func.auction.grams(word.text)))
        conditions.append(Lot.search_text.like(word.pattern, escape="\\"))
    conditions += [FACETS[name] == value for name, value in wanted.exact.items()]
    if wanted.price_min is not None:
        conditions.append(Lot.shown_price_fen >= wanted.price_min)
    if wanted.price_max is not None:
        conditions.append(Lot.shown_price_fen <= wanted.price_max)
    if wanted.discount_min is not None:
        conditions.append(Lot.discount_bp >= wanted.discount_min)
    if wanted.ends is not None:  # the rank of a lot without an outcome is its end, that of an ended one lies far beyond
        conditions += [Lot.ends_rank >= to_ms(wanted.ends.since), Lot.ends_rank < to_ms(wanted.ends.until)]
    return conditions
