"""A plan over changed inputs beside the plan as it would be now: the same rules, nothing stored (R-DIST-03, 04)."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated
from uuid import UUID

import msgspec

from kernel.actors import COURT_STAFF, Actor
from kernel.database import Database
from kernel.decoding import FenIn, Label, Unusable, Wire
from kernel.money import Fen
from settlement.completion.case_money import served_case
from settlement.completion.rules import CostKind
from settlement.distribution.claims import Debt, DebtorKind, Preference, PreferenceMethod
from settlement.distribution.current import current_basis
from settlement.distribution.drawing import draw
from settlement.distribution.plan_schemas import ClaimAmount, LineView
from settlement.distribution.plan_views import line_views
from settlement.distribution.plans import Basis, CostItem, Drawn, Place, Proceeds
from settlement.distribution.schemas import four_decimals


class PoolAmount(Wire, frozen=True):
    """What a pool brings: an asset's id or `case_money`; a new name is a pool of its own."""

    pool: Label
    amount_fen: FenIn


class PreferenceIn(Wire, frozen=True):
    """First-seal preference for one claim (R-DIST-16)."""

    method: PreferenceMethod
    percent: Annotated[int, msgspec.Meta(ge=0, le=100)]
    claim_id: UUID


class WhatIf(Wire, frozen=True):
    """What is changed; pools, claims and fields left out stay as they are. A claim of zeros takes no part."""

    proceeds: Annotated[tuple[PoolAmount, ...], msgspec.Meta(max_length=1_000)]
    claims: Annotated[tuple[ClaimAmount, ...], msgspec.Meta(max_length=10_000)]
    debtor_kind: DebtorKind | msgspec.UnsetType = msgspec.UNSET
    fee_fen: FenIn | None = None
    preference: PreferenceIn | None = None

    def __post_init__(self) -> None:
        if len({each.pool for each in self.proceeds}) < len(self.proceeds):
            raise Unusable("proceeds", "each pool once", "每笔价款只出现一次")
        if len(self.debts) < len(self.claims):
            raise Unusable("claims", "each claim once", "每项债权只出现一次")

    @property
    def debts(self) -> dict[UUID, Debt]:
        return {
            each.claim_id: Debt(each.costs_fen, each.interest_fen, each.principal_fen, each.doubled_fen)
            for each in self.claims
        }


class Difference(msgspec.Struct, frozen=True):
    """One line in both plans; `line` is that of the changed plan, or of the present one where it is gone."""

    line: LineView
    now_fen: int
    then_fen: int
    difference_fen: int


class Outcome(msgspec.Struct, frozen=True):
    """The sums of one plan."""

    proceeds_fen: int
    distributed_fen: int
    surplus_fen: int
    quota: str | None


class WhatIfView(msgspec.Struct, frozen=True):
    """Both plans in sums, and line by line; the differences sum to the difference of the proceeds."""

    now: Outcome
    then: Outcome
    lines: tuple[Difference, ...]
    rules: tuple[str, ...]


async def compare(database: Database, actor: Actor, case_id: UUID, wanted: WhatIf) -> WhatIfView:
    """The plan of the case as it would be drafted now, and with what is `wanted` changed. Stores nothing."""
    async with database.reading(actor) as tx:
        tx.actor.must_be(*COURT_STAFF)
        basis = await current_basis(tx, await served_case(tx, case_id))
        then_basis = changed(basis, wanted)
        now, then = draw(basis), draw(then_basis)
        return WhatIfView(
            now=_outcome(now),
            then=_outcome(then),
            lines=differences(basis, now, then_basis, then),
            rules=then.outcome.rules,
        )


def changed(basis: Basis, wanted: WhatIf) -> Basis:
    """The basis with the wanted changes; a preference for an enterprise or an unknown claim is `Malformed` later."""
    brought = {each.pool: each.amount_fen for each in wanted.proceeds}
    known = tuple(replace(each, amount_fen=brought.pop(each.pool, each.amount_fen)) for each in basis.proceeds)
    new = tuple(Proceeds(pool, pool, amount) for pool, amount in brought.items())
    debts = wanted.debts
    preference = wanted.preference
    return replace(
        basis,
        debtor=basis.debtor if wanted.debtor_kind is msgspec.UNSET else wanted.debtor_kind,
        proceeds=(*known, *new),
        claims=tuple(each.of(debts.get(UUID(each.claim.id), each.debt)) for each in basis.claims),
        costs=basis.costs if wanted.fee_fen is None else _with_fee(basis, wanted.fee_fen),
        fee=basis.fee and (basis.fee if wanted.fee_fen is None else replace(basis.fee, set_fen=wanted.fee_fen)),
        preference=Preference(preference.method, preference.percent, str(preference.claim_id))
        if preference
        else basis.preference,
    )


def differences(basis: Basis, now: Drawn, then_basis: Basis, then: Drawn) -> tuple[Difference, ...]:
    """Every line of either plan in the order of the changed one, lines that are gone last."""
    before, after = _by_place(basis, now), _by_place(then_basis, then)
    return tuple(
        Difference(
            line=(after.get(place) or before[place]),
            now_fen=_fen(before, place),
            then_fen=_fen(after, place),
            difference_fen=_fen(after, place) - _fen(before, place),
        )
        for place in dict.fromkeys([*after, *before])
    )


def _with_fee(basis: Basis, fee_fen: Fen) -> tuple[CostItem, ...]:
    return tuple(
        replace(cost, amount_fen=fee_fen) if cost.kind is CostKind.ENFORCEMENT_FEE else cost for cost in basis.costs
    )


def _by_place(basis: Basis, drawn: Drawn) -> dict[Place, LineView]:
    views = line_views(basis, drawn.lines)
    return {line.place: view for line, view in zip(drawn.lines, views, strict=True)}


def _fen(lines: Mapping[Place, LineView], place: Place) -> int:
    return lines[place].amount_fen if place in lines else 0


def _outcome(drawn: Drawn) -> Outcome:
    quota = drawn.outcome.quota
    shown = None if quota is None else four_decimals(quota)
    return Outcome(drawn.proceeds_fen, drawn.distributed_fen, drawn.surplus_fen, shown)
