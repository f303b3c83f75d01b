"""Use cases of statistics: keep each round as it ends, and compute figures over them."""

import asyncio
from collections.abc import Mapping, Sequence
from uuid import UUID

from msgspec.structs import astuple, fields

from auction.lots import service as lots
from auction.lots.rules import Round
from auction.statistics import store
from auction.statistics.rules import By, Outcome, Stage, Tally, premium, series_point, stage_of, statistics
from auction.statistics.schemas import SeriesRow, SeriesView, StatisticsView, figures_of, series_definitions
from auction.statistics.store import Wanted
from kernel.actors import Actor
from kernel.answers import Answers
from kernel.clock import beijing_day
from kernel.contracts import LotClosed
from kernel.database import Database, Tx
from kernel.identity import service as identity
from kernel.tables import table


async def count_rounds(tx: Tx, events: Sequence[LotClosed]) -> None:
    """Keep rounds that ended, each once; everything they are counted by is taken from the announced lots."""
    closed = {event.lot_id: event for event in events}
    rounds: list[dict[str, object]] = []
    for lot in await lots.get_lots(tx, closed.keys()):
        event = closed[lot.id]
        round_: dict[str, object] = {
            "lot_id": lot.id,
            "item_id": lot.item_id,
            "court_id": lot.court_id,
            "asset_kind": lot.asset_kind,
            "year": beijing_day(event.ended_at).year,
            "stage": stage_of(Round(lot.round)),
            "reference_fen": lot.reference_price_fen,
            "start_fen": lot.start_price_fen,
            "outcome": Outcome(event.status),
            "price_fen": event.price_fen,
            "over_start": premium(lot.start_price_fen, event.price_fen) if event.price_fen else None,
            "over_reference": premium(lot.reference_price_fen, event.price_fen) if event.price_fen else None,
            "ended_at": event.ended_at,
        }
        rounds.append(round_)
    await store.add_rounds(tx, rounds)


async def count_default(tx: Tx, lot_id: UUID) -> None:
    """From now on the sale counts as a failed round."""
    await store.change_outcome(tx, lot_id, Outcome.DEFAULTED)


async def count_annulment(tx: Tx, lot_id: UUID) -> None:
    """From now on the annulled sale counts as a failed round."""
    await store.change_outcome(tx, lot_id, Outcome.ANNULLED)


async def show_statistics(database: Database, answers: Answers, actor: Actor, wanted: Wanted) -> StatisticsView:
    """Figures over the ended rounds that fit every filter given; they may be two seconds old."""
    return await answers.get(("statistics", wanted), lambda: _statistics(database, actor, wanted))


async def _statistics(database: Database, actor: Actor, wanted: Wanted) -> StatisticsView:
    async with database.reading(actor) as tx:
        tally = await store.tally(tx, wanted)
    return StatisticsView(
        court=str(wanted.court_id) if wanted.court_id else None,
        kind=wanted.asset_kind,
        year=wanted.year,
        items=tally.items,
        rounds=tally.held_in(*Stage),
        sold=tally.outcomes.get(Outcome.SOLD, 0),
        defaulted=tally.outcomes.get(Outcome.DEFAULTED, 0),
        figures=figures_of(statistics(tally)),
    )


async def show_series(database: Database, answers: Answers, actor: Actor, by: By, wanted: Wanted) -> SeriesView:
    """The ended rounds that fit every filter, told by month, kind, court or stage; they may be two seconds old."""
    return await answers.get(("series", by, wanted), lambda: _read_series(database, actor, by, wanted))


async def write_series(database: Database, answers: Answers, actor: Actor, by: By, wanted: Wanted) -> str:
    """The same as a table."""
    view = await show_series(database, answers, actor, by, wanted)
    return table([field.name for field in fields(SeriesRow)], [astuple(row) for row in view.rows])


async def _read_series(database: Database, actor: Actor, by: By, wanted: Wanted) -> SeriesView:
    async with database.reading(actor) as tx:
        tallies = await store.tallies(tx, wanted, by)
        names = await identity.court_names(tx, tallies) if by is By.COURT else {}
    return await asyncio.to_thread(_series, by, wanted, tallies, names)  # 0.1 s for thousands of courts


def _series(by: By, wanted: Wanted, tallies: Mapping[str, Tally], names: Mapping[str, str]) -> SeriesView:
    points = [(key, series_point(tally)) for key, tally in tallies.items()]
    points.sort(key=lambda each: each[0] if by is By.MONTH else (-each[1].rounds, each[0]))
    return SeriesView(
        by=by,
        court=str(wanted.court_id) if wanted.court_id else None,
        kind=wanted.asset_kind,
        year=wanted.year,
        rows=tuple(SeriesRow.of(key, names.get(key, key), point) for key, point in points),
        definitions=series_definitions(english=False),
        definitions_en=series_definitions(english=True),
    )
