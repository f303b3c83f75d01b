"""Use cases of statistics: keep each round as it ends, and compute figures over them."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from msgspec.structs import astuple, fields

from auction.lots import service as lots
from auction.lots.rules import Round
from auction.statistics import store
from auction.statistics.models import EndedRound
from auction.statistics.rules import (
    CountedRound,
    HeldRound,
    LotRecord,
    Outcome,
    Stage,
    series_point,
    stage_of,
    statistics,
)
from auction.statistics.schemas import By, SeriesRow, SeriesView, StatisticsView, figures_of, series_definitions
from kernel.actors import Actor
from kernel.clock import beijing_day
from kernel.contracts import LotClosed
from kernel.database import Database, Tx
from kernel.money import Fen
from kernel.tables import table


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rounds are counted; None: all."""

    court_id: UUID | None = None
    asset_kind: str | None = None
    year: int | None = None


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


async def show_statistics(
    database: Database, actor: Actor, court_id: UUID | None, asset_kind: str | None, year: int | None
) -> StatisticsView:
    """Figures over the ended rounds that fit every filter given."""
    async with database.reading(actor) as tx:
        rounds = await store.list_rounds(tx, court_id, asset_kind, year)
    items = [_record(list(group)) for _, group in itertools.groupby(rounds, lambda row: row.item_id)]
    outcomes = [row.outcome for row in rounds]
    return StatisticsView(
        court=str(court_id) if court_id else None,
        kind=asset_kind,
        year=year,
        items=len(items),
        rounds=len(rounds),
        sold=outcomes.count(Outcome.SOLD),
        defaulted=outcomes.count(Outcome.DEFAULTED),
        figures=figures_of(statistics(items)),
    )


async def show_series(database: Database, actor: Actor, by: By, wanted: Wanted) -> SeriesView:
    """The ended rounds that fit every filter, told by month, kind, court or stage."""
    async with database.reading(actor) as tx:
        rounds = await store.list_rounds(tx, wanted.court_id, wanted.asset_kind, wanted.year)
        names = await lots.court_names(tx) if by is By.COURT else {}
    groups: dict[str, list[CountedRound]] = {}
    for row in rounds:
        groups.setdefault(_key(row, by), []).append(_counted(row))
    points = [(key, series_point(group)) for key, group in groups.items()]
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


async def write_series(database: Database, actor: Actor, by: By, wanted: Wanted) -> str:
    """The same as a table."""
    view = await show_series(database, actor, by, wanted)
    return table([field.name for field in fields(SeriesRow)], [astuple(row) for row in view.rows])


def _key(row: EndedRound, by: By) -> str:
    match by:
        case By.MONTH:
            return beijing_day(row.ended_at).isoformat()[:7]
        case By.KIND:
            return row.asset_kind
        case By.COURT:
            return str(row.court_id)
        case By.STAGE:
            return row.stage


def _counted(row: EndedRound) -> CountedRound:
    return CountedRound(Stage(row.stage), Outcome(row.outcome), row.reference_fen, row.start_fen, _price(row))


def _record(rounds: list[EndedRound]) -> LotRecord:
    held = (HeldRound(Stage(row.stage), row.start_fen, _price(row)) for row in rounds)
    return LotRecord(rounds[0].reference_fen, tuple(held))


def _price(row: EndedRound) -> Fen | None:
    return row.price_fen if row.outcome == Outcome.SOLD else None
