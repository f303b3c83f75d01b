"""Wire structs of assets, seizures and holds."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from appraisal.assets.rules import (
    AssetFacts,
    AssetKind,
    Disposal,
    Hold,
    Measure,
    Seizure,
    Standing,
    Way,
    in_rank,
    standings,
)
from kernel.clock import beijing
from kernel.decoding import Day, LongText, ShortText, Wire

MOST_DETAILS = 30
LOWEST_RANK = 10_000

DetailKey = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[a-z][a-z0-9_]*\Z")]
DetailText = Annotated[str, Meta(min_length=1, max_length=2_000)]


class RegisterAsset(Wire, frozen=True):
    """An asset of the debtor. `details` by key: occupation, defects, taxes, arrears, viewing…

    The catalogue chooses or marks by purchase_limit, loan, vacated (是, 已腾空) and priority (有优先购买权人：…).
    """

    kind: AssetKind
    title: ShortText
    description: LongText
    place: ShortText
    details: Annotated[dict[DetailKey, DetailText], Meta(max_length=MOST_DETAILS)] = msgspec.field(default_factory=dict)


class RegisterSeizure(Wire, frozen=True):
    """A seizure for a party, with the dates of its ruling and its rank on the asset (1 is the first)."""

    measure: Measure
    party_id: UUID
    from_on: Day
    to_on: Day
    rank: Annotated[int, Meta(ge=1, le=LOWEST_RANK)]
    waiting: bool


class RenewSeizure(Wire, frozen=True):
    """A renewal (续封) until `to_on`."""

    to_on: Day


class PlaceHold(Wire, frozen=True):
    """Why the asset may not be disposed of, and the provision or document that says so."""

    reason: ShortText
    ground: ShortText


class SeizureView(msgspec.Struct, frozen=True):
    """`standing` is what the seizure is worth today (R-SEAL-02 to 04)."""

    id: UUID
    asset_id: UUID
    party_id: UUID
    measure: Measure
    from_on: str
    to_on: str
    rank: int
    waiting: bool
    ended_on: str | None
    standing: Standing


class HoldView(msgspec.Struct, frozen=True):
    id: UUID
    asset_id: UUID
    reason: str
    ground: str
    placed_at: str
    lifted_at: str | None


class DisposalView(msgspec.Struct, frozen=True):
    """How the asset is given away; `passed_on` is the day title passed, None while a taker has still to pay."""

    way: Way
    passed_on: str | None


class AssetView(msgspec.Struct, frozen=True):
    """An asset as its court sees it, with its seizures by rank, the holds that stand, and what became of it."""

    id: UUID
    case_id: UUID
    kind: AssetKind
    title: str
    description: str
    place: str
    details: dict[str, str]
    seizures: tuple[SeizureView, ...]
    holds: tuple[HoldView, ...]
    disposal: DisposalView | None = None


def asset_view(
    asset: AssetFacts,
    seizures: Sequence[Seizure],
    holds: Sequence[Hold],
    today: date,
    disposal: Disposal | None = None,
) -> AssetView:
    return AssetView(
        id=asset.id,
        case_id=asset.case_id,
        kind=asset.kind,
        title=asset.title,
        description=asset.description,
        place=asset.place,
        details=dict(asset.details),
        seizures=seizure_views(seizures, today),
        holds=tuple(hold_view(hold) for hold in holds),
        disposal=_disposal_view(disposal) if disposal else None,
    )


def _disposal_view(disposal: Disposal) -> DisposalView:
    return DisposalView(disposal.way, disposal.passed_on.isoformat() if disposal.passed_on else None)


def seizure_views(seizures: Sequence[Seizure], today: date) -> tuple[SeizureView, ...]:
    """All seizures of one asset by rank: what each is worth depends on the others."""
    worth = standings(seizures, today)
    return tuple(
        SeizureView(
            id=seizure.id,
            asset_id=seizure.asset_id,
            party_id=seizure.party_id,
            measure=seizure.measure,
            from_on=seizure.from_on.isoformat(),
            to_on=seizure.to_on.isoformat(),
            rank=seizure.rank,
            waiting=seizure.waiting,
            ended_on=seizure.ended_on.isoformat() if seizure.ended_on else None,
            standing=worth[seizure.id],
        )
        for seizure in in_rank(seizures)
    )


def hold_view(hold: Hold) -> HoldView:
    return HoldView(
        id=hold.id,
        asset_id=hold.asset_id,
        reason=hold.reason,
        ground=hold.ground,
        placed_at=beijing(hold.placed_at),
        lifted_at=beijing(hold.lifted_at) if hold.lifted_at else None,
    )
