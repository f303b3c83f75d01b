"""Seizures and their order (R-SEAL-01 to 04), holds (R-CASE-09), disposals that end seizures (R-SEAL-04).

Invariant: on any day at most one seizure of an asset has effect: the lowest rank that neither lapsed nor ended.
The days of a period are both included; by R-GEN-03 the day it starts on is not counted, so a period of two years
from 1 March may last until 1 March.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from appraisal.assets.errors import (
    AlreadySeized,
    AssetDisposed,
    AssetTaken,
    HoldLiftedBefore,
    MeasureUnfit,
    RankOutOfOrder,
    RankTaken,
    SeizureBackwards,
    SeizureEnded,
    SeizureLapsed,
    SeizureTooLong,
)
from appraisal.days import years_after
from kernel.clock import beijing


class AssetKind(StrEnum):
    """What is sold. Money in a bank is no asset here: it is taken, not sold."""

    MOVABLE = "movable"
    IMMOVABLE = "immovable"
    OTHER_RIGHT = "other_right"


ASSET_KIND_ZH = {
    AssetKind.MOVABLE: "动产",
    AssetKind.IMMOVABLE: "不动产",
    AssetKind.OTHER_RIGHT: "其他财产权",
}


class Measure(StrEnum):
    """查封、扣押、冻结."""

    SEAL = "seal"
    SEIZE = "seize"
    FREEZE = "freeze"


MEASURE_ZH = {Measure.SEAL: "查封", Measure.SEIZE: "扣押", Measure.FREEZE: "冻结"}

LONGEST_YEARS = {AssetKind.MOVABLE: 2, AssetKind.IMMOVABLE: 3, AssetKind.OTHER_RIGHT: 3}
"""The longest period of one act and of each renewal (R-SEAL-01)."""

MEASURES = {
    AssetKind.MOVABLE: frozenset({Measure.SEAL, Measure.SEIZE}),
    AssetKind.IMMOVABLE: frozenset({Measure.SEAL}),
    AssetKind.OTHER_RIGHT: frozenset({Measure.FREEZE}),
}
"""查封、扣押动产，查封不动产、冻结其他财产权 (R-SEAL-01)."""


class Standing(StrEnum):
    """What a seizure is worth on one day."""

    EFFECTIVE = "effective"
    WAITING = "waiting"
    LAPSED = "lapsed"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class AssetFacts:
    """One asset of a case. `details` are the facts a buyer must know: occupation, defects, taxes, arrears, viewing…"""

    id: UUID
    case_id: UUID
    court_id: UUID
    kind: AssetKind
    title: str
    description: str
    place: str
    details: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Seizure:
    """A seizure of an asset for one party, as registered. `waiting` tells what it was registered as, `standing` what
    it has become; `ended_on` is the day the asset was disposed of."""

    id: UUID
    asset_id: UUID
    party_id: UUID
    measure: Measure
    from_on: date
    to_on: date
    rank: int
    waiting: bool
    ended_on: date | None = None

    def lives(self, on: date) -> bool:
        """Whether it has effect or waits for it on that day (R-SEAL-02, R-SEAL-04)."""
        return not self.ended(on) and on <= self.to_on

    def ended(self, on: date) -> bool:
        return self.ended_on is not None and self.ended_on <= on


class Way(StrEnum):
    """How a court disposes of an asset: sold, or taken in satisfaction (以物抵债)."""

    SALE = "sale"
    TAKING = "taking"


@dataclass(frozen=True, slots=True)
class Disposal:
    """An asset given away: promised first where the taker has still to pay, disposed of once title passed."""

    id: UUID
    asset_id: UUID
    way: Way
    passed_on: date | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """Forbids disposal of an asset, for example while a third party's objection is heard (R-CASE-09)."""

    id: UUID
    asset_id: UUID
    case_id: UUID
    reason: str
    ground: str
    placed_at: datetime
    lifted_at: datetime | None = None


def longest_until(kind: AssetKind, from_on: date) -> date:
    """The last day a seizure from `from_on`, or a renewal of one that ends then, may have (R-SEAL-01)."""
    return years_after(from_on, LONGEST_YEARS[kind])


def register(kind: AssetKind, others: Sequence[Seizure], seizure: Seizure) -> Seizure:
    """`seizure`, if it may stand beside the `others` on an asset of this kind (R-SEAL-01 to 03)."""
    if seizure.measure not in MEASURES[kind]:
        raise MeasureUnfit(
            kind=kind,
            kind_zh=ASSET_KIND_ZH[kind],
            measure=seizure.measure,
            measure_zh=MEASURE_ZH[seizure.measure],
        )
    _require_period(kind, seizure.from_on, seizure.to_on)
    for other in others:
        _require_order(other, seizure)
    return seizure


def renew(kind: AssetKind, seizure: Seizure, to_on: date, today: date) -> Seizure:
    """`seizure` renewed (续封) until `to_on`: before it lapses, for at most the same period again, keeping its rank."""
    if seizure.ended_on is not None:
        raise SeizureEnded(ended_on=seizure.ended_on.isoformat())
    if not seizure.lives(today):
        raise SeizureLapsed(to_on=seizure.to_on.isoformat())
    _require_period(kind, seizure.to_on, to_on)
    return replace(seizure, to_on=to_on)


def require_free(disposal: Disposal | None) -> None:
    """Refuse to dispose a second time of what was sold, or is being taken in satisfaction (R-SEAL-04, R-FAIL-03)."""
    require_debtors(disposal)
    if disposal is not None:
        raise AssetTaken()


def require_debtors(disposal: Disposal | None) -> None:
    """Refuse an asset whose title has passed: it is the debtor's no more, so nobody can seize it (R-SEAL-04)."""
    if disposal is not None and disposal.passed_on is not None:
        raise AssetDisposed(passed_on=disposal.passed_on.isoformat())


def standings(seizures: Sequence[Seizure], on: date) -> dict[UUID, Standing]:
    """What each seizure is worth on a day (R-SEAL-02 to 04): the first that lives has effect, the rest wait."""
    first = _effective(seizures, on)
    return {seizure.id: _standing(seizure, first, on) for seizure in in_rank(seizures)}


def in_rank(seizures: Sequence[Seizure]) -> list[Seizure]:
    """The seizures in order of registration (R-SEAL-03)."""
    return sorted(seizures, key=lambda seizure: seizure.rank)


def lift(hold: Hold, now: datetime) -> Hold:
    """The hold, lifted `now`; refuses one that was lifted before."""
    if hold.lifted_at is not None:
        raise HoldLiftedBefore(lifted_at=beijing(hold.lifted_at))
    return replace(hold, lifted_at=now)


def _effective(seizures: Sequence[Seizure], on: date) -> Seizure | None:
    return next((seizure for seizure in in_rank(seizures) if seizure.from_on <= on and seizure.lives(on)), None)


def _standing(seizure: Seizure, first: Seizure | None, on: date) -> Standing:
    if seizure.ended(on):
        return Standing.ENDED
    if not seizure.lives(on):
        return Standing.LAPSED
    return Standing.EFFECTIVE if seizure is first else Standing.WAITING


def _require_period(kind: AssetKind, from_on: date, to_on: date) -> None:
    if to_on <= from_on:
        raise SeizureBackwards(from_on=from_on.isoformat())
    longest = longest_until(kind, from_on)
    if to_on > longest:
        raise SeizureTooLong(longest_until=longest.isoformat())


def _require_order(other: Seizure, seizure: Seizure) -> None:
    if other.rank == seizure.rank:
        raise RankTaken(rank=seizure.rank)
    earlier, later = in_rank([other, seizure])
    if later.from_on < earlier.from_on:
        raise RankOutOfOrder(rank=seizure.rank, from_on=seizure.from_on.isoformat())
    if not later.waiting and earlier.lives(later.from_on):
        raise AlreadySeized(rank=earlier.rank, later_rank=later.rank)
