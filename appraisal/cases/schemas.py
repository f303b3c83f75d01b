"""Wire structs of cases and panel decisions."""

from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from appraisal.cases.rules import Capacity, CaseFacts, Decision, PartyFacts, PartyKind, PartyRole, Subject
from kernel.decoding import Day, Label, LongText, ShortText, Wire
from kernel.money import MAX_FEN

MOST_PARTIES = 2_000
MOST_MEMBERS = 15
MOST_FACTS = 50


class AccountIn(Wire, frozen=True):
    """The bank account a party is paid to."""

    holder: ShortText
    number: Label
    bank: ShortText


class PartyIn(Wire, frozen=True):
    """A party; `ref` is any short name for it."""

    ref: Label
    role: PartyRole
    name: ShortText
    kind: PartyKind
    account: AccountIn | None = None


class OpenCase(Wire, frozen=True):
    """A case of the clerk's court with all its parties."""

    case_no: Annotated[str, Meta(min_length=1, max_length=60)]
    parties: Annotated[tuple[PartyIn, ...], Meta(min_length=2, max_length=MOST_PARTIES)]


class LinkParty(Wire, frozen=True):
    """Whose account a party uses: user name, identity number as on the paper that was shown, and which paper."""

    username: Label
    id_number: Label
    capacity: Capacity
    document: ShortText


class UnlinkParty(Wire, frozen=True):
    """Why an account no longer speaks for a party."""

    reason: ShortText


class RecordDecision(Wire, frozen=True):
    """A decision of the panel; `facts` are the figures and words it fixed, by name."""

    subject: Subject
    made_on: Day
    members: Annotated[tuple[ShortText, ...], Meta(max_length=MOST_MEMBERS)]
    text: LongText
    facts: Annotated[
        dict[Label, ShortText | Annotated[int, Meta(ge=-MAX_FEN, le=MAX_FEN)]], Meta(max_length=MOST_FACTS)
    ] = msgspec.field(default_factory=dict)


class AccountView(msgspec.Struct, frozen=True):
    holder: str
    number: str
    bank: str


class PartyView(msgspec.Struct, frozen=True):
    """`linked` tells whether the party is a person of the platform."""

    id: UUID
    ref: str
    role: PartyRole
    name: str
    kind: PartyKind
    linked: bool
    account: AccountView | None


class DecisionView(msgspec.Struct, frozen=True):
    id: UUID
    case_id: UUID
    subject: Subject
    made_on: str
    members: tuple[str, ...]
    text: str
    facts: dict[str, str | int]


class CaseView(msgspec.Struct, frozen=True):
    """A case as its court sees it."""

    id: UUID
    case_no: str
    court: str
    parties: tuple[PartyView, ...]
    decisions: tuple[DecisionView, ...]


class CaseLine(msgspec.Struct, frozen=True):
    id: UUID
    case_no: str
    opened_at: str


class CaseList(msgspec.Struct, frozen=True):
    """The newest cases first; `next_after` is the cursor of the next page, null on the last."""

    cases: tuple[CaseLine, ...]
    next_after: UUID | None


def case_view(case: CaseFacts, decisions: list[Decision]) -> CaseView:
    return CaseView(
        id=case.id,
        case_no=case.case_no,
        court=case.court_name,
        parties=tuple(party_view(party) for party in case.parties),
        decisions=tuple(decision_view(decision) for decision in decisions),
    )


def party_view(party: PartyFacts) -> PartyView:
    account = party.account
    return PartyView(
        id=party.id,
        ref=party.ref,
        role=party.role,
        name=party.name,
        kind=party.kind,
        linked=party.person_id is not None,
        account=AccountView(account.holder, account.number, account.bank) if account else None,
    )


def decision_view(decision: Decision) -> DecisionView:
    return DecisionView(
        id=decision.id,
        case_id=decision.case_id,
        subject=decision.subject,
        made_on=decision.made_on.isoformat(),
        members=decision.members,
        text=decision.text,
        facts=dict(decision.facts),
    )
