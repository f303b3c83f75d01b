"""Wire structs of joining the distribution: policy, application, recognition, and the fee that follows."""

from datetime import date
from typing import Annotated
from uuid import UUID

import msgspec

from kernel.decoding import Day, FenIn, LongText, PositiveFen, ShortText, Unusable, Wire
from settlement.distribution.claims import Debt, PreferenceMethod
from settlement.distribution.interest import Payment, Span
from settlement.distribution.interest_schemas import PaymentInput, SpanInput
from settlement.distribution.participation import CutOff, InterestTerms


class SetPolicy(Wire, frozen=True):
    """Until when creditors may join (R-DIST-02), and first-seal preference, off unless given (R-DIST-16).

    With `case_id` it holds for that case alone.
    """

    cut_off: CutOff
    reason: ShortText
    fixed_on: Day | None = None
    preference_method: PreferenceMethod | msgspec.UnsetType = msgspec.UNSET
    preference_percent: Annotated[int, msgspec.Meta(ge=1, le=100)] | None = None
    case_id: UUID | None = None

    @property
    def method(self) -> PreferenceMethod | None:
        return None if self.preference_method is msgspec.UNSET else self.preference_method

    def __post_init__(self) -> None:
        if (self.cut_off is CutOff.FIXED_DATE) != (self.fixed_on is not None):
            raise Unusable(
                "fixed_on",
                "a day for the cut-off `fixed_date`, and none for another",
                "截止方式为固定日期的须填写，否则不得填写",
            )
        if (self.method is None) != (self.preference_percent is None):
            raise Unusable(
                "preference_percent",
                "a percentage with a method, and none without",
                "有优先方式的须填写百分比，否则不得填写",
            )


class PolicyView(msgspec.Struct, frozen=True):
    """The policy that holds for a case."""

    cut_off: str
    fixed_on: str | None
    preference_method: str | None
    preference_percent: int | None


class _Parts(Wire, frozen=True):
    """A debt by its parts in fen, each stated even where it is 0."""

    costs_fen: FenIn
    interest_fen: FenIn
    principal_fen: FenIn
    doubled_fen: FenIn

    @property
    def debt(self) -> Debt:
        return Debt(self.costs_fen, self.interest_fen, self.principal_fen, self.doubled_fen)


class ApplyToJoin(_Parts, frozen=True):
    """An application to join: who, under which title, why, and what is claimed. Without a day it is made today."""

    party_id: UUID
    title_no: ShortText
    reasons: LongText
    applied_on: Day | None = None


class InterestTermsIn(Wire, frozen=True):
    """What the doubled part is computed from; it stops when the sale ruling takes effect (R-INT-02 to 04)."""

    base_fen: PositiveFen
    performance_due_on: Day
    payments: Annotated[tuple[PaymentInput, ...], msgspec.Meta(max_length=1_000)] = ()
    excluded: Annotated[tuple[SpanInput, ...], msgspec.Meta(max_length=1_000)] = ()

    @property
    def terms(self) -> InterestTerms:
        return InterestTerms(
            self.base_fen,
            self.performance_due_on,
            tuple(Payment(paid.on, paid.amount_fen) for paid in self.payments),
            tuple(Span(span.start, span.to) for span in self.excluded),
        )


class RecogniseClaim(_Parts, frozen=True):
    """What the court recognises of a claim. With `interest` the doubled part is computed and none is stated."""

    claim_id: UUID
    document: ShortText
    interest: InterestTermsIn | None = None

    def __post_init__(self) -> None:
        if self.interest is not None and self.doubled_fen:
            raise Unusable("doubled_fen", "0 where the doubled part is computed", "加倍部分由系统计算的应为 0")


class ApplicationView(msgspec.Struct, frozen=True):
    """An application as it was taken; `cut_off_on` is the last day as it stood then."""

    id: UUID
    party_id: UUID
    name: str
    title_no: str
    reasons: str
    applied_on: str
    cut_off_on: str | None
    costs_fen: int
    interest_fen: int
    principal_fen: int
    doubled_fen: int


class PartsView(msgspec.Struct, frozen=True):
    """A debt by its parts; fen."""

    costs_fen: int
    interest_fen: int
    principal_fen: int
    doubled_fen: int


class RecognisedClaim(msgspec.Struct, frozen=True):
    """A claim as claimed and as recognised; `arithmetic` tells how its doubled part was computed, where it was."""

    claim_id: UUID
    party_id: UUID
    name: str
    title_no: str
    takes_part: bool
    claimed: PartsView
    recognised: PartsView
    ground: str | None
    document: str | None
    arithmetic: msgspec.Raw | None


class ParticipationView(msgspec.Struct, frozen=True):
    """Who takes part in a case's distribution. `cut_off_on` is the last day to apply, null while it is open."""

    policy: PolicyView | None
    cut_off_on: str | None
    applications: tuple[ApplicationView, ...]
    claims: tuple[RecognisedClaim, ...]


class ComputedFee(msgspec.Struct, frozen=True):
    """The fee of the brackets on what the applicant is paid, and what the court set, if it has (R-COST-01)."""

    base_fen: int
    computed_fen: int
    set_fen: int | None
    reason: str | None


def parts(debt: Debt) -> PartsView:
    return PartsView(debt.costs_fen, debt.interest_fen, debt.principal_fen, debt.doubled_fen)


def day(value: date | None) -> str | None:
    return value.isoformat() if value else None
