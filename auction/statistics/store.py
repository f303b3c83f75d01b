"""SQL of statistics. Rounds are added up by the database: a country's sales are too many to be carried here."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import InstrumentedAttribute

from auction.statistics.models import EndedRound
from auction.statistics.rules import COMMISSION_BRACKETS, By, Outcome, Premiums, Stage, Tally
from kernel.bulk import add_new_rows
from kernel.clock import BEIJING
from kernel.database import Tx

READ_AT_ONCE = 100
"""Of the thousands of courts, while bids wait for their turn in the same loop."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rounds are counted; None: all."""

    court_id: UUID | None = None
    asset_kind: str | None = None
    year: int | None = None


async def add_rounds(tx: Tx, rounds: Sequence[dict[str, object]]) -> None:
    """Keep ended rounds, all of the same columns, each once."""
    records = [tuple(each.values()) for each in rounds]
    await add_new_rows(tx, EndedRound, tuple(rounds[0]), records, returning="lot_id", unless="lot_id")


async def change_outcome(tx: Tx, lot_id: UUID, outcome: Outcome) -> None:
    await tx.session.execute(update(EndedRound).where(EndedRound.lot_id == lot_id).values(outcome=outcome))


SOLD = EndedRound.outcome == Outcome.SOLD
MONTH = func.to_char(func.timezone(str(BEIJING), EndedRound.ended_at), "YYYY-MM")
KEYS: dict[By, ColumnElement[Any] | InstrumentedAttribute[Any]] = {
    By.MONTH: MONTH,
    By.KIND: EndedRound.asset_kind,
    By.COURT: EndedRound.court_id,
    By.STAGE: EndedRound.stage,
}


async def tally(tx: Tx, wanted: Wanted) -> Tally:
    """What the ended rounds that fit every filter add up to."""
    row = (await tx.session.execute(select(*SUMS.values()).where(*_conditions(wanted)))).one()
    return _tally(dict(zip(SUMS, row, strict=True)))


async def tallies(tx: Tx, wanted: Wanted, by: By) -> dict[str, Tally]:
    """The same for each month, kind, court or stage that has any."""
    key = KEYS[by]
    sums = select(key, *SUMS.values()).where(*_conditions(wanted)).group_by(key)
    rows = await tx.session.stream(sums.execution_options(yield_per=READ_AT_ONCE))
    return {str(found): _tally(dict(zip(SUMS, values, strict=True))) async for found, *values in rows}


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    columns = {"court_id": EndedRound.court_id, "asset_kind": EndedRound.asset_kind, "year": EndedRound.year}
    return [column == value for name, column in columns.items() if (value := getattr(wanted, name)) is not None]


def _bracket_sums() -> dict[str, ColumnElement[Any]]:
    """What `rules.bracket_parts` gives for each price, added up."""
    sums: dict[str, ColumnElement[Any]] = {}
    lower = 0
    for upper, _ in COMMISSION_BRACKETS:
        above = func.greatest(EndedRound.price_fen - lower, 0)
        part = above if upper is None else func.least(above, upper - lower)
        sums[f"part_{lower}"] = func.sum(part).filter(SOLD)
        lower = upper or lower
    return sums


def _premium_sums(name: str, base: Any, premium: Any) -> dict[str, ColumnElement[Any]]:
    """What `rules.Premiums` takes; the middle from both ends, since of an even number there are two."""
    return {
        f"{name}_bases": func.sum(base).filter(SOLD),
        f"{name}_total": func.sum(premium).filter(SOLD),
        f"{name}_lower": func.percentile_disc(0.5).within_group(premium.asc()).filter(SOLD),
        f"{name}_upper": func.percentile_disc(0.5).within_group(premium.desc()).filter(SOLD),
    }


SUMS: dict[str, ColumnElement[Any]] = {
    "items": func.count(EndedRound.item_id.distinct()),
    **{f"held_{stage}": func.count().filter(EndedRound.stage == stage) for stage in Stage},
    **{f"sold_{stage}": func.count().filter(EndedRound.stage == stage, SOLD) for stage in Stage},
    **{str(outcome): func.count().filter(EndedRound.outcome == outcome) for outcome in Outcome},
    "prices": func.sum(EndedRound.price_fen).filter(SOLD),
    **_premium_sums("start", EndedRound.start_fen, EndedRound.over_start),
    **_premium_sums("reference", EndedRound.reference_fen, EndedRound.over_reference),
    **_bracket_sums(),
}
"""Every sum that a tally needs, by name; null where nothing was sold."""


def _tally(sums: dict[str, Any]) -> Tally:
    number = {name: int(value or 0) for name, value in sums.items()}
    return Tally(
        items=number["items"],
        held={stage: number[f"held_{stage}"] for stage in Stage},
        sold={stage: number[f"sold_{stage}"] for stage in Stage},
        outcomes={outcome: number[outcome] for outcome in Outcome},
        over_start=_premiums(number, "start"),
        over_reference=_premiums(number, "reference"),
        bracket_parts_fen=tuple(value for name, value in number.items() if name.startswith("part_")),
    )


def _premiums(number: dict[str, int], name: str) -> Premiums:
    return Premiums(
        sales=number[Outcome.SOLD],
        bases_fen=number[f"{name}_bases"],
        prices_fen=number["prices"],
        total=number[f"{name}_total"],
        middle=(number[f"{name}_lower"], number[f"{name}_upper"]),
    )
