"""Statistics grow as lots close: once for each round, a default as a failed round, a resale as another item."""

import random
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from appraisal.assets.rules import AssetKind
from auction import api
from auction.lots.rules import Round
from auction.statistics import handlers, store
from auction.statistics.models import EndedRound
from auction.statistics.rules import By, HeldRound, LotRecord, Outcome, Stage, Tally, premium, series_point, statistics
from auction.statistics.schemas import StatisticsView
from auction.statistics.service import show_series, show_statistics, write_series
from auction.statistics.store import Wanted
from kernel.actors import platform, visitor
from kernel.answers import Answers
from kernel.contracts import LotClosed
from kernel.database import Database
from kernel.ids import ordered_id
from kernel.money import Fen
from tests.auction import support
from tests.auction.lots.test_service import end, make_resale, second_round
from tests.support.house import START, opened

pytestmark = pytest.mark.anyio


async def figures(database: Database, court: UUID | None = None, year: int | None = None) -> StatisticsView:
    return await show_statistics(database, Answers(), visitor("test"), Wanted(court_id=court, year=year))


def percent_of(view: StatisticsView, key: str) -> str | None:
    return next(figure.percent for figure in view.figures if figure.key == key)


async def test_rounds_are_counted_as_they_end(database_url: str) -> None:
    async with opened(database_url) as database:
        sold = await support.make_place(database)
        await end(sold, await support.make_published_lot(sold), 91_000_00)
        twice = await support.make_place(database)
        first = await support.make_published_lot(twice)
        await end(twice, first)
        second = await second_round(twice, first, 56_000_00)
        await support.publish(twice, second)
        await end(twice, second, 56_000_00)
        view = await figures(database)
        assert (view.items, view.rounds, view.sold, view.defaulted) == (2, 3, 2, 0)
        assert percent_of(view, "success_rate.items") == "100.00"
        assert percent_of(view, "success_rate.rounds") == "66.67"
        assert percent_of(view, "success_rate.round_1") == "50.00"
        assert percent_of(view, "premium_over_start.mean") == "15.00"
        assert percent_of(view, "premium_over_start.weighted") == "16.67"
        assert all(figure.definition and figure.definition_en for figure in view.figures)
        assert (await figures(database, court=sold.court.id)).rounds == 1
        assert (await figures(database, year=2025)).rounds == 3
        assert (await figures(database, year=2024)).rounds == 0


async def test_series_by_month_kind_court_and_stage(database_url: str) -> None:
    async with opened(database_url) as database:
        sold = await support.make_place(database)
        await end(sold, await support.make_published_lot(sold), 91_000_00)
        flat = await support.make_place(database, kind=AssetKind.IMMOVABLE)
        await end(flat, await support.make_published_lot(flat))

        async def told(by: By, **wanted: Any) -> list[tuple[str, int, int, str | None]]:
            view = await show_series(database, Answers(), visitor("test"), by, Wanted(**wanted))
            assert set(view.definitions) == set(view.definitions_en)
            return [(row.label, row.rounds, row.sold, row.over_start_median_percent) for row in view.rows]

        assert sorted(await told(By.KIND)) == [("immovable", 1, 0, None), ("movable", 1, 1, "30.00")]
        assert await told(By.STAGE) == [("round_1", 2, 1, "30.00")]
        assert sorted(await told(By.COURT)) == sorted(
            [(flat.court.name, 1, 0, None), (sold.court.name, 1, 1, "30.00")], key=str
        )
        assert await told(By.KIND, asset_kind="movable") == [("movable", 1, 1, "30.00")]
        months = await told(By.MONTH)
        assert [sum(numbers) for numbers in zip(*((rounds, won) for _, rounds, won, _ in months), strict=True)] == [
            2,
            1,
        ]
        assert [month for month, *_ in months] == sorted(month for month, *_ in months)
        text = await write_series(database, Answers(), visitor("test"), By.KIND, Wanted())
        assert text.startswith("key,label,rounds,sold,")
        assert "movable,movable,1,1,0,0,100.00,30.00," in text


async def test_a_default_counts_as_failed_and_its_resale_as_another_item(database_url: str) -> None:
    async with opened(database_url) as database:
        place = await support.make_place(database)
        first = await support.make_published_lot(place)
        await end(place, first, 1_552_000_00)
        resale = await make_resale(place, first, ordered_id())
        view = await figures(database)
        assert (view.items, view.sold, view.defaulted) == (1, 0, 1)
        assert percent_of(view, "success_rate.items") == "0.00"
        assert percent_of(view, "premium_over_start.mean") is None
        async with database.reading(platform("test")) as tx:
            facts = await api.get_lot(tx, resale)
        assert facts.round == Round.RESALE
        event = LotClosed(
            lot_id=resale,
            ended_at=START + timedelta(days=300),
            status="sold",
            registration_id=ordered_id(),
            code="B1",
            price_fen=Fen(1_204_000_00),
            bids=2,
            extensions=0,
        )
        await support.happen(database, support.each(handlers.count_lots), event, event)
        view = await figures(database)
        assert (view.items, view.rounds, view.sold, view.defaulted) == (2, 2, 1, 1)
        assert next(figure.amount_fen for figure in view.figures if figure.key == "turnover_fen") == 1_204_000_00


async def test_without_any_round_there_are_no_rates(database_url: str) -> None:
    async with opened(database_url) as database:
        view = await figures(database)
        assert {figure.percent for figure in view.figures} == {None}
        assert {figure.amount_fen for figure in view.figures} == {None, 0}


def record(rng: random.Random) -> tuple[LotRecord, list[dict[str, object]]]:
    """An item of one to three rounds, sold or not, as the rules take it and as it stands in the table."""
    reference, item, court = Fen(rng.randrange(1, 10**12)), ordered_id(), rng.choice(COURTS)
    stages = list(Stage)[: rng.randrange(1, 4)]
    held, rows = [], []
    for stage in stages:
        start = Fen(rng.randrange(1, 10**12))
        price = Fen(start + rng.randrange(0, 10**12)) if stage is stages[-1] and rng.random() < 0.7 else None
        outcome = Outcome.SOLD if price is not None else Outcome.FAILED
        if price is not None and rng.random() < 0.1:
            outcome = rng.choice((Outcome.DEFAULTED, Outcome.ANNULLED))
        held.append(HeldRound(stage, start, price if outcome is Outcome.SOLD else None))
        row: dict[str, object] = {
            "lot_id": ordered_id(),
            "item_id": item,
            "court_id": court,
            "asset_kind": rng.choice(("movable", "immovable")),
            "year": 2025,
            "stage": stage,
            "reference_fen": reference,
            "start_fen": start,
            "outcome": outcome,
            "price_fen": price,
            "over_start": None if price is None else premium(start, price),
            "over_reference": None if price is None else premium(reference, price),
            "ended_at": START + timedelta(days=rng.randrange(90)),
        }
        rows.append(row)
    return LotRecord(reference, tuple(held)), rows


COURTS = (ordered_id(), ordered_id())


@pytest.mark.parametrize("items", [1, 2, 3, 250])
async def test_the_database_adds_up_what_the_rules_add_up(database_url: str, items: int) -> None:
    rng = random.Random(items)
    made = [record(rng) for _ in range(items)]
    rows = [row for _, of_item in made for row in of_item]
    async with opened(database_url) as database:
        async with database.transaction(platform("test")) as tx:
            await store.add_rounds(tx, rows)
            await store.add_rounds(tx, rows[:1])
        async with database.reading(platform("test")) as tx:
            added = await store.tally(tx, Wanted())
            by_court = await store.tallies(tx, Wanted(), By.COURT)
            of_court = {str(court): await store.tally(tx, Wanted(court_id=court)) for court in COURTS}
    expected = Tally.of([lot for lot, _ in made])
    assert statistics(added) == statistics(expected)
    assert added.over_reference == expected.over_reference
    assert by_court == {court: tally for court, tally in of_court.items() if tally.items}
    assert sum(series_point(tally).rounds for tally in by_court.values()) == len(rows)
    defaulted = [row for row in rows if row["outcome"] is Outcome.DEFAULTED]
    assert added.outcomes[Outcome.DEFAULTED] == len(defaulted)


async def test_a_round_keeps_its_premiums(database_url: str) -> None:
    async with opened(database_url) as database:
        place = await support.make_place(database)
        await end(place, await support.make_published_lot(place), 91_000_00)
        async with database.reading(platform("test")) as tx:
            (row,) = (await tx.session.scalars(select(EndedRound))).all()
        assert row.over_start == premium(row.start_fen, 91_000_00)
        assert row.over_reference == premium(row.reference_fen, 91_000_00)
