"""Wire structs of distribution plans: what officers send, and the plan as everybody it concerns reads it."""

from uuid import UUID

import msgspec

from appraisal.api import ServiceMethod
from kernel.decoding import Day, LongText, ShortText, Wire
from settlement.distribution.claims import Distribution
from settlement.distribution.plans import Basis, Fee, Line, formula
from settlement.distribution.procedure import Course

LEVELS = {
    1: ("处置及执行费用", "Costs of sale and enforcement"),
    2: ("交易税费", "Sale taxes borne by the debtor"),
    3: ("保障租金", "Rent carve-out"),
    4: ("人身损害医疗费用", "Medical costs of injury"),
    5: ("商品房消费者、建设工程价款", "Home buyers, construction price"),
    6: ("先于担保的欠税", "Tax arrears older than the security"),
    7: ("担保债权", "Liens, mortgages and pledges"),
    8: ("后于担保的欠税", "Younger tax arrears"),
    9: ("退赔", "Restitution to victims"),
    10: ("普通债权", "Ordinary claims"),
    11: ("加倍部分债务利息", "Doubled interest"),
    12: ("罚金、没收财产", "Fines, then confiscation"),
    13: ("余款退还被执行人", "Surplus to the debtor"),
}
"""The places of the waterfall for people."""


class DecidePlan(Wire, frozen=True):
    """The panel's decision on the plan as it stands."""

    decision_id: UUID


class ServePlan(Wire, frozen=True):
    """Proof that the plan was served on one recipient."""

    party_id: UUID
    served_on: Day
    method: ServiceMethod
    proof: ShortText


class ObjectToPlan(Wire, frozen=True):
    """A recipient's written objection."""

    party_id: UUID
    objected_on: Day
    text: LongText


class PayeeView(msgspec.Struct, frozen=True):
    """`kind` is `party` or `cost`; the account stands in that row and is not shown here."""

    kind: str
    id: UUID
    name: str


class LineView(msgspec.Struct, frozen=True):
    """One line: to whom, how much, at which level, by which rule, and how it was reckoned."""

    position: int
    level: int
    level_zh: str
    level_en: str
    rule: str
    law: str | None
    pool: str | None
    payee: PayeeView
    claim_id: UUID | None
    part: str
    amount_fen: int
    formula: str
    arithmetic: dict[str, int]


class PoolView(msgspec.Struct, frozen=True):
    """What one sold thing brought in."""

    pool: str
    name: str
    proceeds_fen: int


class ClaimView(msgspec.Struct, frozen=True):
    """What one claim gets, and what of it stays owed (R-DIST-03)."""

    claim_id: UUID
    party_id: UUID
    name: str
    kind: str
    claimed_fen: int
    paid_fen: int
    open_fen: int


class FeeView(msgspec.Struct, frozen=True):
    """The enforcement fee as the brackets give it on its base, and as the court set it (R-COST-01)."""

    base_fen: int
    computed_fen: int
    set_fen: int
    reason: str


class RecipientView(msgspec.Struct, frozen=True):
    """One recipient's own clock (R-DIST-05)."""

    party_id: UUID
    name: str
    served_on: str | None
    objection_until: str | None
    calendar_known: bool | None
    objected_on: str | None


class PlanView(msgspec.Struct, frozen=True):
    """A whole plan. `quota` is the part of the ordinary class that its money covers, null for an enterprise."""

    id: UUID
    case_id: UUID
    version: int
    state: str
    made_at: str
    hash: str
    debtor_kind: str
    proceeds_fen: int
    distributed_fen: int
    surplus_fen: int
    quota: str | None
    rules: tuple[str, ...]
    pools: tuple[PoolView, ...]
    fee: FeeView | None
    lines: tuple[LineView, ...]
    claims: tuple[ClaimView, ...]
    recipients: tuple[RecipientView, ...]
    decision_id: UUID | None
    confirmed_at: str | None


class PlanRow(msgspec.Struct, frozen=True):
    """One plan of a case, in short."""

    id: UUID
    version: int
    state: str
    made_at: str
    proceeds_fen: int
    surplus_fen: int
    hash: str


class PlanList(msgspec.Struct, frozen=True):
    """The plans of a case, latest version first."""

    plans: tuple[PlanRow, ...]


def line_view(line: Line) -> LineView:
    zh, en = LEVELS[line.level]
    return LineView(
        position=line.position,
        level=line.level,
        level_zh=zh,
        level_en=en,
        rule=line.rule,
        law=line.law,
        pool=line.pool,
        payee=PayeeView(line.payee_kind, line.payee_id, line.payee),
        claim_id=line.claim_id,
        part=line.part,
        amount_fen=line.amount_fen,
        formula=formula(line),
        arithmetic=msgspec.json.decode(line.arithmetic, type=dict[str, int]),
    )


def claim_views(basis: Basis, outcome: Distribution) -> tuple[ClaimView, ...]:
    """How each claim comes out, in order of registration."""
    found = []
    for participation, result in zip(basis.claims, outcome.claims, strict=True):
        rest = result.open
        open_fen = rest.costs_fen + rest.interest_fen + rest.principal_fen + rest.doubled_fen
        found.append(
            ClaimView(
                claim_id=UUID(result.id),
                party_id=participation.party_id,
                name=participation.name,
                kind=participation.claim.kind,
                claimed_fen=result.paid_fen + open_fen,
                paid_fen=result.paid_fen,
                open_fen=open_fen,
            )
        )
    return tuple(found)


def recipient_views(course: Course) -> tuple[RecipientView, ...]:
    """The recipients with their clocks."""
    objected = {objection.party_id: objection.objected_on.isoformat() for objection in course.objections}
    found = []
    for party_id, name in course.recipients.items():
        served = course.services.get(party_id)
        found.append(
            RecipientView(
                party_id=party_id,
                name=name,
                served_on=served.served_on.isoformat() if served else None,
                objection_until=served.objection_until.isoformat() if served else None,
                calendar_known=served.calendar_known if served else None,
                objected_on=objected.get(party_id),
            )
        )
    return tuple(found)


def fee_view(fee: Fee | None) -> FeeView | None:
    return FeeView(fee.base_fen, fee.computed_fen, fee.set_fen, fee.reason) if fee else None
