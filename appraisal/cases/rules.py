"""What a case consists of, and when a panel decision carries (R-GEN-05, R-ACCT-01).

Invariant: a case has one debtor and somebody to enforce for, and a decision is used only in its own case and for
its own subject.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from appraisal.cases.errors import (
    CaseNumberUnreadable,
    PanelIncomplete,
    PartiesIncomplete,
    PartyNamedOtherwise,
    PartyNamedTwice,
    WrongDecision,
)
from kernel.errors import NotFound

SMALLEST_PANEL = 3
CASE_NUMBER = re.compile(r"\((?:19|20)\d\d\)[^\W_]{2,40}号(?:之[^\W\d_]{1,4})?")
"""Year, court, kind of case and number; loose, for the words of the middle differ by court and over time."""


class PartyRole(StrEnum):
    """What a party is in the case (当事人、利害关系人)."""

    ENFORCEMENT_APPLICANT = "enforcement_applicant"
    DEBTOR = "debtor"
    CREDITOR = "creditor"
    TAX_AUTHORITY = "tax_authority"
    THIRD_PARTY = "third_party"
    INTERESTED_PERSON = "interested_person"
    HELPER = "helper"


class PartyKind(StrEnum):
    """Of a debtor it decides how ordinary claims share (R-DIST-03, R-DIST-08)."""

    PERSON = "person"
    OTHER_ORGANISATION = "other_organisation"
    ENTERPRISE = "enterprise"


class Capacity(StrEnum):
    """As what a person uses the platform for a party: as that very person (本人), or for them (法定代表人、代理人)."""

    SELF = "self"
    REPRESENTATIVE = "representative"


class Subject(StrEnum):
    """What a panel decides on here."""

    LOT_TERMS = "lot_terms"
    PRIORITY = "priority"
    SALE_RULING = "sale_ruling"
    ENFORCEMENT_FEE = "enforcement_fee"
    DISTRIBUTION_PLAN = "distribution_plan"
    DEFAULT = "default"
    SHORTFALL = "shortfall"
    ANNULMENT = "annulment"
    SATISFACTION = "satisfaction"
    SET_OFF = "set_off"
    SUSPENSION = "suspension"
    WITHDRAWAL = "withdrawal"


SUBJECT_ZH = {
    Subject.LOT_TERMS: "拍卖条件",
    Subject.PRIORITY: "优先购买权",
    Subject.SALE_RULING: "成交裁定、抵债裁定",
    Subject.ENFORCEMENT_FEE: "执行申请费",
    Subject.DISTRIBUTION_PLAN: "分配方案",
    Subject.DEFAULT: "悔拍",
    Subject.SHORTFALL: "责令补交差价",
    Subject.ANNULMENT: "撤销拍卖",
    Subject.SATISFACTION: "以物抵债",
    Subject.SET_OFF: "以债权抵价款",
    Subject.SUSPENSION: "中止拍卖",
    Subject.WITHDRAWAL: "撤回拍卖",
}


@dataclass(frozen=True, slots=True)
class Account:
    """Where a party is paid: holder, number and bank as the court verified them."""

    holder: str
    number: str
    bank: str


@dataclass(frozen=True, slots=True)
class PartyFacts:
    """One party. `person_id` links it with a person of the platform, `ref` is the court's own short name for it."""

    id: UUID
    case_id: UUID
    ref: str
    role: PartyRole
    name: str
    kind: PartyKind
    person_id: UUID | None
    account: Account | None


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """One enforcement case with its parties in the order they were named."""

    id: UUID
    court_id: UUID
    court_name: str
    case_no: str
    parties: tuple[PartyFacts, ...]

    @property
    def debtor(self) -> PartyFacts:
        """The one debtor (被执行人)."""
        return self._first(PartyRole.DEBTOR)

    @property
    def applicant(self) -> PartyFacts:
        """The enforcement applicant (申请执行人) who was named first."""
        return self._first(PartyRole.ENFORCEMENT_APPLICANT)

    def party(self, party_id: UUID) -> PartyFacts:
        """The party of this id; refuses an id of another case like an unknown one."""
        for party in self.parties:
            if party.id == party_id:
                return party
        raise NotFound(what="party")

    def _first(self, role: PartyRole) -> PartyFacts:
        return next(party for party in self.parties if party.role is role)


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision of the collegial panel (合议庭决定): what it fixed stands in `facts`, its wording in `text`."""

    id: UUID
    case_id: UUID
    subject: Subject
    made_on: date
    members: tuple[str, ...]
    text: str
    facts: Mapping[str, str | int]


def canonical_case_no(text: str) -> str:
    """The one spelling of a case number: full-width brackets, ASCII digits, no blanks.

    So that a number typed with other brackets is not taken for another case.
    """
    plain = "".join(unicodedata.normalize("NFKC", text).split())
    if not CASE_NUMBER.fullmatch(plain):
        raise CaseNumberUnreadable(case_no=text)
    return plain.replace("(", "（").replace(")", "）")


def require_parties(parties: Sequence[tuple[str, PartyRole]]) -> None:
    """Refuse a case whose (ref, role) pairs do not make one: R-ACCT-01 gives each case and debtor an account."""
    refs = Counter(ref for ref, _ in parties)
    roles = Counter(role for _, role in parties)
    doubled = next((ref for ref, times in refs.items() if times > 1), None)
    if doubled is not None:
        raise PartyNamedTwice(ref=doubled)
    applicants, debtors = roles[PartyRole.ENFORCEMENT_APPLICANT], roles[PartyRole.DEBTOR]
    if not applicants or debtors != 1:
        raise PartiesIncomplete(applicants=applicants, debtors=debtors)


def require_panel(members: Sequence[str]) -> None:
    """Refuse fewer than three members, an even number, or one named twice (R-GEN-05: the *panel* decides)."""
    if len(members) < SMALLEST_PANEL or len(members) % 2 == 0 or len(set(members)) < len(members):
        raise PanelIncomplete(members=len(members))


def require_decision(decision: Decision, case_id: UUID, subject: Subject) -> Decision:
    """The decision, if it was made in this case on this subject (R-GEN-05)."""
    if decision.case_id != case_id or decision.subject is not subject:
        raise WrongDecision(subject=subject, subject_zh=SUBJECT_ZH[subject])
    return decision


def require_same_person(party: PartyFacts, real_name: str, capacity: Capacity) -> None:
    """Only a natural person of the party's own name uses the platform as the party themselves (实名制)."""
    if capacity is Capacity.SELF and (party.kind is not PartyKind.PERSON or party.name != real_name):
        raise PartyNamedOtherwise(name=party.name)
