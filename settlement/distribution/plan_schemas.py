"""Wire structs of distribution plans: what officers send, and the plan as everybody it concerns reads it."""

from typing import Annotated
from uuid import UUID

import msgspec

from appraisal.api import ServiceMethod
from kernel.decoding import Day, FenIn, LongText, ShortText, Unusable, Wire
from settlement.distribution.claims import Debt


class DecidePlan(Wire, frozen=True):
    """The panel's decision on the plan as it stands."""

    decision_id: UUID


class ServePlan(Wire, frozen=True):
    """Proof that the plan was served on one recipient."""

    party_id: UUID
    served_on: Day
    method: ServiceMethod
    proof: ShortText


class ClaimAmount(Wire, frozen=True):
    """What a claim of the plan should be, or was found to be, by its parts in fen, each stated even where it is 0."""

    claim_id: UUID
    costs_fen: FenIn
    interest_fen: FenIn
    principal_fen: FenIn
    doubled_fen: FenIn


ClaimAmounts = Annotated[tuple[ClaimAmount, ...], msgspec.Meta(min_length=1, max_length=200)]


class _AboutClaims(Wire, frozen=True):
    """Something said about claims, each named once."""

    claims: ClaimAmounts

    def __post_init__(self) -> None:
        if len({each.claim_id for each in self.claims}) < len(self.claims):
            raise Unusable("claims", "each claim once", "每项债权只出现一次")

    @property
    def debts(self) -> dict[UUID, Debt]:
        return {
            each.claim_id: Debt(each.costs_fen, each.interest_fen, each.principal_fen, each.doubled_fen)
            for each in self.claims
        }


class ObjectToPlan(_AboutClaims, frozen=True):
    """A recipient's written objection: why, and what each claim it disputes should be."""

    party_id: UUID
    objected_on: Day
    text: LongText


class NotifyOfObjection(Wire, frozen=True):
    """Proof that the objection was served on one party."""

    party_id: UUID
    served_on: Day
    method: ServiceMethod
    proof: ShortText


class OpposeObjection(Wire, frozen=True):
    """A party's written counter-opinion."""

    party_id: UUID
    made_on: Day
    text: LongText


class TellObjector(Wire, frozen=True):
    """Proof that the objector was told of the opposition."""

    told_on: Day
    method: ServiceMethod
    proof: ShortText


class FileSuit(Wire, frozen=True):
    """Proof that the objector sued: the number of the suit and the day it was filed."""

    filed_on: Day
    suit_no: ShortText


class JudgeSuit(_AboutClaims, frozen=True):
    """The final judgment: what it found each disputed claim to be in this plan."""

    effective_on: Day
    document: ShortText


class ResolvePlan(Wire, frozen=True):
    """The panel's decision to correct an objected plan, to pay its undisputed part, or to give an escrow out."""

    decision_id: UUID


class AcceptBankruptcy(Wire, frozen=True):
    """That a court accepted the debtor's bankruptcy, and by which ruling."""

    accepted_on: Day
    court: ShortText
    document: ShortText


class BankruptcyView(msgspec.Struct, frozen=True):
    """The acceptance on record."""

    case_id: UUID
    accepted_on: str
    court: str
    document: str
    recorded_at: str


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
    explanation: str
    explanation_en: str
    document: str
    """The paper the line rests on: the claim's title, or the cost's receipt."""


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
    escrow_fen: int
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


class NoticeView(msgspec.Struct, frozen=True):
    """One party's notice of an objection with their own clock, and their counter-opinion (R-DIST-05)."""

    party_id: UUID
    name: str
    served_on: str | None
    counter_until: str | None
    calendar_known: bool | None
    opposed_on: str | None
    opposition: str | None


class ObjectionView(msgspec.Struct, frozen=True):
    """An objection and how far it has come (R-DIST-05, 06)."""

    id: UUID
    party_id: UUID
    name: str
    stage: str
    objected_on: str
    text: str
    claims: tuple[ClaimAmount, ...]
    notices: tuple[NoticeView, ...]
    told_on: str | None
    sue_until: str | None
    suit_no: str | None
    sued_on: str | None
    judgment: str | None
    judged_on: str | None
    judged: tuple[ClaimAmount, ...]


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
    escrow_fen: int
    follows: UUID | None
    """The plan that this one corrects, or whose escrow it gives out."""
    quota: str | None
    rules: tuple[str, ...]
    pools: tuple[PoolView, ...]
    fee: FeeView | None
    lines: tuple[LineView, ...]
    claims: tuple[ClaimView, ...]
    recipients: tuple[RecipientView, ...]
    objections: tuple[ObjectionView, ...]
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
