"""Seizures by tables: longest periods, order of rank, lapse and waiting, renewal; holds end once."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from appraisal.assets.errors import (
    AlreadySeized,
    HoldLiftedBefore,
    MeasureUnfit,
    RankOutOfOrder,
    RankTaken,
    SeizureBackwards,
    SeizureEnded,
    SeizureLapsed,
    SeizureTooLong,
)
from appraisal.assets.rules import (
    AssetKind,
    Hold,
    Measure,
    Seizure,
    Standing,
    lift,
    longest_until,
    register,
    renew,
    standings,
)
from kernel.errors import Refusal
from kernel.ids import ordered_id

ASSET = ordered_id()
MOVABLE, IMMOVABLE, RIGHT = AssetKind.MOVABLE, AssetKind.IMMOVABLE, AssetKind.OTHER_RIGHT


def seizure(
    rank: int = 1,
    from_on: date = date(2023, 3, 1),
    to_on: date = date(2026, 3, 1),
    *,
    waiting: bool = False,
    measure: Measure = Measure.SEAL,
    ended_on: date | None = None,
) -> Seizure:
    return Seizure(ordered_id(), ASSET, ordered_id(), measure, from_on, to_on, rank, waiting, ended_on)


@pytest.mark.parametrize(
    ("kind", "from_on", "expected"),
    [
        (MOVABLE, date(2023, 3, 1), date(2025, 3, 1)),
        (IMMOVABLE, date(2023, 3, 1), date(2026, 3, 1)),
        (RIGHT, date(2023, 3, 1), date(2026, 3, 1)),
        (MOVABLE, date(2024, 2, 29), date(2026, 2, 28)),
    ],
)
def test_longest_periods(kind: AssetKind, from_on: date, expected: date) -> None:
    """R-SEAL-01."""
    assert longest_until(kind, from_on) == expected


@pytest.mark.parametrize(
    ("kind", "measure", "fits"),
    [
        (MOVABLE, Measure.SEAL, True),
        (MOVABLE, Measure.SEIZE, True),
        (MOVABLE, Measure.FREEZE, False),
        (IMMOVABLE, Measure.SEAL, True),
        (IMMOVABLE, Measure.SEIZE, False),
        (IMMOVABLE, Measure.FREEZE, False),
        (RIGHT, Measure.FREEZE, True),
        (RIGHT, Measure.SEAL, False),
    ],
)
def test_the_measure_fits_the_kind(kind: AssetKind, measure: Measure, fits: bool) -> None:
    wished = seizure(measure=measure, to_on=date(2024, 3, 1))
    if fits:
        assert register(kind, [], wished) is wished
    else:
        with pytest.raises(MeasureUnfit):
            register(kind, [], wished)


def test_sentences_say_kind_and_measure_in_words() -> None:
    with pytest.raises(MeasureUnfit) as caught:
        register(AssetKind.OTHER_RIGHT, [], seizure(measure=Measure.SEIZE, to_on=date(2024, 3, 1)))
    assert caught.value.detail == "其他财产权不适用扣押措施"
    assert caught.value.detail_en == "The measure seize does not fit an asset of kind other right"
    assert caught.value.facts["kind"] == "other_right", "programs read the code word"


@pytest.mark.parametrize(
    ("to_on", "refusal"),
    [
        (date(2025, 3, 1), None),
        (date(2025, 3, 2), SeizureTooLong),
        (date(2023, 3, 1), SeizureBackwards),
        (date(2022, 3, 1), SeizureBackwards),
        (date(2023, 3, 2), None),
    ],
)
def test_a_movable_is_seized_for_two_years_at_most(to_on: date, refusal: type[Refusal] | None) -> None:
    wished = seizure(to_on=to_on)
    if refusal is None:
        assert register(MOVABLE, [], wished) is wished
    else:
        with pytest.raises(refusal):
            register(MOVABLE, [], wished)


FIRST = seizure(rank=2, from_on=date(2023, 3, 1))


@pytest.mark.parametrize(
    ("wished", "refusal"),
    [
        (seizure(rank=2, from_on=date(2023, 5, 1), waiting=True), RankTaken),
        (seizure(rank=3, from_on=date(2023, 2, 28), to_on=date(2026, 2, 28), waiting=True), RankOutOfOrder),
        (seizure(rank=1, from_on=date(2023, 3, 2), waiting=True), RankOutOfOrder),
        (seizure(rank=3, from_on=date(2023, 5, 1), waiting=True), None),
        (seizure(rank=3, from_on=date(2023, 3, 1), waiting=True), None),
        (seizure(rank=3, from_on=date(2023, 5, 1)), AlreadySeized),
        (seizure(rank=3, from_on=date(2026, 3, 1), to_on=date(2027, 3, 1)), AlreadySeized),
        (seizure(rank=3, from_on=date(2026, 3, 2), to_on=date(2027, 3, 1)), None),
        (seizure(rank=1, from_on=date(2022, 3, 1), to_on=date(2023, 2, 28)), None),
        (seizure(rank=1, from_on=date(2022, 3, 1), to_on=date(2024, 3, 1)), AlreadySeized),
    ],
)
def test_ranks_follow_dates_and_only_one_has_effect(wished: Seizure, refusal: type[Refusal] | None) -> None:
    """R-SEAL-02 and R-SEAL-03, in whatever order the clerk enters them."""
    if refusal is None:
        assert register(IMMOVABLE, [FIRST], wished) is wished
    else:
        with pytest.raises(refusal):
            register(IMMOVABLE, [FIRST], wished)


A = seizure(rank=1, from_on=date(2022, 1, 10), to_on=date(2025, 1, 10))
B = seizure(rank=2, from_on=date(2023, 6, 1), to_on=date(2026, 6, 1), waiting=True)
C = seizure(rank=3, from_on=date(2024, 6, 1), to_on=date(2027, 6, 1), waiting=True)
EFFECTIVE, WAITING, LAPSED, ENDED = Standing.EFFECTIVE, Standing.WAITING, Standing.LAPSED, Standing.ENDED


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        (date(2024, 12, 1), (EFFECTIVE, WAITING, WAITING)),
        (date(2025, 1, 10), (EFFECTIVE, WAITING, WAITING)),
        (date(2025, 1, 11), (LAPSED, EFFECTIVE, WAITING)),
        (date(2026, 6, 2), (LAPSED, LAPSED, EFFECTIVE)),
        (date(2027, 6, 2), (LAPSED, LAPSED, LAPSED)),
    ],
)
def test_a_waiting_seizure_takes_effect_by_itself(on: date, expected: tuple[Standing, ...]) -> None:
    """R-SEAL-02, R-SEAL-03; rank decides, not the order of the rows."""
    worth = standings([C, A, B], on)
    assert (worth[A.id], worth[B.id], worth[C.id]) == expected


def test_all_end_with_the_sale() -> None:
    """R-SEAL-04."""
    sold = [replace(one, ended_on=date(2024, 12, 2)) for one in (A, B, C)]
    assert set(standings(sold, date(2024, 12, 2)).values()) == {ENDED}
    assert standings(sold, date(2024, 12, 1))[A.id] is EFFECTIVE


def test_a_lapsed_seizure_that_comes_again_ranks_by_its_new_date() -> None:
    """R-SEAL-02."""
    again = seizure(rank=4, from_on=date(2025, 2, 1), to_on=date(2028, 2, 1), waiting=True)
    register(IMMOVABLE, [A, B, C], again)
    worth = standings([A, B, C, again], date(2025, 2, 1))
    assert (worth[A.id], worth[B.id], worth[again.id]) == (LAPSED, EFFECTIVE, WAITING)
    with pytest.raises(RankOutOfOrder):
        register(IMMOVABLE, [B, C], replace(again, rank=1))


@pytest.mark.parametrize(
    ("today", "to_on", "refusal"),
    [
        (date(2025, 1, 10), date(2028, 1, 10), None),
        (date(2024, 12, 1), date(2028, 1, 10), None),
        (date(2025, 1, 11), date(2028, 1, 10), SeizureLapsed),
        (date(2025, 1, 10), date(2028, 1, 11), SeizureTooLong),
        (date(2025, 1, 10), date(2025, 1, 10), SeizureBackwards),
    ],
)
def test_renewal_comes_in_time_and_lasts_the_same_period_at_most(
    today: date, to_on: date, refusal: type[Refusal] | None
) -> None:
    """R-SEAL-01, R-SEAL-02."""
    if refusal is None:
        assert renew(IMMOVABLE, A, to_on, today) == replace(A, to_on=to_on)
    else:
        with pytest.raises(refusal):
            renew(IMMOVABLE, A, to_on, today)


def test_what_ended_with_the_sale_is_not_renewed() -> None:
    with pytest.raises(SeizureEnded):
        renew(IMMOVABLE, replace(A, ended_on=date(2024, 12, 2)), date(2027, 1, 10), date(2024, 12, 3))


def test_a_hold_is_lifted_once() -> None:
    """R-CASE-09."""
    placed = datetime(2025, 3, 3, tzinfo=UTC)
    hold = Hold(ordered_id(), ASSET, ordered_id(), "案外人异议", "民事诉讼法第二百三十八条", placed)
    lifted = lift(hold, placed + timedelta(days=1))
    assert lifted.lifted_at == placed + timedelta(days=1)
    with pytest.raises(HoldLiftedBefore):
        lift(lifted, placed + timedelta(days=2))
