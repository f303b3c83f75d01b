"""Joining the distribution: until when, who must apply, and what the court recognises (R-DIST-01, 02; R-INT-02 to 05).

Invariant: where the court has set a policy, no creditor but the enforcement applicant and the tax authority takes part
without an application made by the cut-off. The law says: before enforcement of the property ends; courts differ on
what that is, so it is a setting of each court, and without one every registered claim takes part. Days are Beijing's.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from uuid import UUID

import msgspec

from kernel.calendar import is_working_day
from kernel.money import Fen
from settlement.distribution.claims import ClaimKind, Debt, DebtorKind, Preference, PreferenceMethod
from settlement.distribution.errors import ApplicationMisdated, AppliedBefore, NoCreditorParty, ParticipationLate
from settlement.distribution.interest import Payment, Span, doubled_interest, interest_segments
from settlement.distribution.plans import Participation

WITHOUT_APPLICATION = frozenset({"enforcement_applicant", "tax_authority"})
"""Roles of parties, in the words of appraisal, whose claims take part without an application."""

CREDITORS = WITHOUT_APPLICATION | {"creditor"}


class CutOff(StrEnum):
    """Until when a creditor may apply (R-DIST-02): what courts were found to do."""

    RULING_SERVED = "ruling_served"
    BEFORE_PLAN_SERVED = "before_plan_served"
    FIXED_DATE = "fixed_date"


@dataclass(frozen=True, slots=True)
class Policy:
    """A court's policy, or that for one case. First-seal preference is off without a method (R-DIST-16)."""

    cut_off: CutOff
    fixed_on: date | None
    preference_method: PreferenceMethod | None
    preference_percent: int | None


@dataclass(frozen=True, slots=True)
class Application:
    """An application to join, made on a day under a title."""

    party_id: UUID
    title_no: str
    applied_on: date


@dataclass(frozen=True, slots=True)
class InterestTerms:
    """What the doubled part of a claim is computed from (R-INT-02 to 04)."""

    base_fen: Fen
    performance_due_on: date
    payments: tuple[Payment, ...] = ()
    excluded: tuple[Span, ...] = ()


def cut_off_on(policy: Policy, rulings_served: Collection[date | None], plan_first_served: date | None) -> date | None:
    """The last day to apply; None while it is open. `rulings_served` has one entry per sold asset.

    With several assets the last service counts, since the ordinary class shares over all of them.
    """
    if policy.cut_off is CutOff.FIXED_DATE:
        return policy.fixed_on
    if policy.cut_off is CutOff.BEFORE_PLAN_SERVED:
        return _working_day_before(plan_first_served) if plan_first_served else None
    served = [day for day in rulings_served if day is not None]
    return max(served) if served and len(served) == len(rulings_served) else None


def apply(
    application: Application, role: str, others: Iterable[Application], last_day: date | None, today: date
) -> Application:
    """Take an application made in time by a creditor who has not applied under this title before (R-DIST-02)."""
    if role not in CREDITORS:
        raise NoCreditorParty()
    if application.applied_on > today:
        raise ApplicationMisdated(applied_on=application.applied_on.isoformat(), today=today.isoformat())
    if last_day is not None and application.applied_on > last_day:
        raise ParticipationLate(cut_off_on=last_day.isoformat())
    if any((each.party_id, each.title_no) == (application.party_id, application.title_no) for each in others):
        raise AppliedBefore(title_no=application.title_no)
    return application


def takes_part(
    policy: Policy | None, role: str, party_id: UUID, title_no: str, applications: Iterable[Application]
) -> bool:
    """Whether a registered claim shares in the distribution."""
    if policy is None or role in WITHOUT_APPLICATION:
        return True
    return any((each.party_id, each.title_no) == (party_id, title_no) for each in applications)


def preference(policy: Policy | None, debtor: DebtorKind, claims: Iterable[Participation]) -> Preference | None:
    """First-seal preference for the ordinary claim sealed first, where the court's policy has it (R-DIST-16)."""
    if policy is None or policy.preference_method is None or debtor is DebtorKind.ENTERPRISE:
        return None
    assert policy.preference_percent is not None
    sealed = [
        each.claim for each in claims if each.claim.kind is ClaimKind.ORDINARY and each.claim.sealed_on is not None
    ]
    first = min(sealed, key=lambda claim: claim.sealed_on or date.max, default=None)
    return Preference(policy.preference_method, policy.preference_percent, first.id) if first else None


def with_interest(debt: Debt, terms: InterestTerms, stop_on: date) -> tuple[Debt, str]:
    """The debt with its doubled part computed up to `stop_on`, the day the ruling took effect, and the arithmetic.

    The interest stops there, not at the hammer and not at the payout (R-INT-04).
    """
    segments = interest_segments(terms.base_fen, terms.performance_due_on, stop_on, terms.payments, terms.excluded)
    doubled = doubled_interest(segments)
    arithmetic = {
        "base_fen": terms.base_fen,
        "performance_due_on": terms.performance_due_on,
        "stop_on": stop_on,
        "payments": terms.payments,
        "excluded": terms.excluded,
        "segments": [
            {
                "from": each.span.start,
                "to": each.span.end,
                "days": each.span.days,
                "base_fen": each.base_fen,
                "interest_fen": each.interest_fen,
            }
            for each in segments
        ],
        "doubled_fen": doubled,
    }
    whole = Debt(debt.costs_fen, debt.interest_fen, debt.principal_fen, doubled)
    return whole, msgspec.json.encode(arithmetic).decode()


def _working_day_before(day: date) -> date:
    found = day - timedelta(days=1)
    while not is_working_day(found)[0]:
        found -= timedelta(days=1)
    return found
