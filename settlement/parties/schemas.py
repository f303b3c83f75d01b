"""A case as one of its parties reads it: made of what the court reads, with everything left out that is others' own.

A party reads the whole plan that was served on them, since they may object to any line of it (R-DIST-04, 05). Bank
accounts, titles, statements and clocks of others stand nowhere here.
"""

from collections.abc import Iterable, Set
from datetime import date
from uuid import UUID

import msgspec

from appraisal.api import PartyFacts
from kernel.law import citation
from settlement.distribution.deadlines import PERIODS, Event
from settlement.distribution.participation_schemas import RecognisedClaim
from settlement.distribution.plan_schemas import ClaimAmount, FeeView, LineView, ObjectionView, PlanView, PoolView
from settlement.papers.schemas import PaperView
from settlement.parties.rules import Clock, ClockState, sight
from settlement.payouts.schemas import WithholdingView
from settlement.statements.schemas import PaymentView


class OwnParty(msgspec.Struct, frozen=True):
    """The reader as a party. `account_end` are the last four signs of the account that payouts go to."""

    party_id: UUID
    role: str
    name: str
    kind: str
    bank: str | None
    account_end: str | None


class ClockView(msgspec.Struct, frozen=True):
    """One of the reader's clocks; `event` is what started it, `until` its last day."""

    event: str
    party: str
    began_on: str
    until: str
    days_left: int
    state: ClockState
    done_on: str | None
    objection_id: UUID | None
    rule: str
    law: str | None


class OwnCase(msgspec.Struct, frozen=True):
    """A case of the reader in short, with the clocks that run."""

    case_id: UUID
    case_no: str
    court: str
    parties: tuple[OwnParty, ...]
    clocks: tuple[ClockView, ...]


class OwnCases(msgspec.Struct, frozen=True):
    """The cases of the reader, newest first."""

    cases: tuple[OwnCase, ...]


class PlanLine(msgspec.Struct, frozen=True):
    """A line of the plan; `document` is the title it rests on, shown of the reader's own claims."""

    position: int
    level: int
    level_zh: str
    level_en: str
    rule: str
    law: str | None
    payee: str
    own: bool
    part: str
    amount_fen: int
    formula: str
    explanation: str
    explanation_en: str
    document: str | None


class PlanClaim(msgspec.Struct, frozen=True):
    """How a claim comes out in the plan."""

    name: str
    own: bool
    claimed_fen: int
    paid_fen: int
    escrow_fen: int
    open_fen: int


class Disputed(msgspec.Struct, frozen=True):
    """What a disputed claim should be, or was found to be, in all; fen."""

    name: str
    amount_fen: int


class Opinion(msgspec.Struct, frozen=True):
    """A counter-opinion that the reader may see."""

    name: str
    own: bool
    made_on: str
    text: str


class PlanObjection(msgspec.Struct, frozen=True):
    """An objection as far as it is the reader's to see."""

    id: UUID
    name: str
    own: bool
    objected_on: str
    text: str
    claims: tuple[Disputed, ...]
    opinions: tuple[Opinion, ...]
    suit_no: str | None
    judgment: str | None
    judged: tuple[Disputed, ...]


class ReadPlan(msgspec.Struct, frozen=True):
    """A version of the plan that the reader may read."""

    id: UUID
    version: int
    state: str
    made_at: str
    confirmed_at: str | None
    hash: str
    proceeds_fen: int
    distributed_fen: int
    surplus_fen: int
    escrow_fen: int
    quota: str | None
    pools: tuple[PoolView, ...]
    fee: FeeView | None
    lines: tuple[PlanLine, ...]
    claims: tuple[PlanClaim, ...]
    objections: tuple[PlanObjection, ...]


class OwnStatement(msgspec.Struct, frozen=True):
    """What confirmed plans give the reader and where each fen of it is.

    `due_fen` = paid + on its way + withheld + deducted for rewards + `open_fen`.
    """

    due_fen: int
    executed_fen: int
    ordered_fen: int
    withheld_fen: int
    deducted_fen: int
    open_fen: int
    payments: tuple[PaymentView, ...]
    withholdings: tuple[WithholdingView, ...]


class PartyCase(msgspec.Struct, frozen=True):
    """A case as its party reads it. `pay_by` and `local_pay_by` are the court's own last days to pay (R-ACCT-03)."""

    case_id: UUID
    case_no: str
    court: str
    today: str
    parties: tuple[OwnParty, ...]
    clocks: tuple[ClockView, ...]
    plans: tuple[ReadPlan, ...]
    claims: tuple[RecognisedClaim, ...]
    statement: OwnStatement
    pay_by: str | None
    local_pay_by: str | None
    papers: tuple[PaperView, ...]


def own_party(party: PartyFacts) -> OwnParty:
    """The reader's own row; nobody needs the whole number to know their account."""
    account = party.account
    return OwnParty(
        party_id=party.id,
        role=party.role,
        name=party.name,
        kind=party.kind,
        bank=account.bank if account else None,
        account_end=account.number[-4:] if account else None,
    )


def clocks_of(plan: PlanView, own: Set[UUID]) -> list[Clock]:
    """Every clock that the plan and its objections ever started for these parties."""
    found = [
        Clock(
            Event.PLAN_SERVED, each.party_id, _day(each.served_on), _day(each.objection_until), _maybe(each.objected_on)
        )
        for each in plan.recipients
        if each.party_id in own and each.served_on and each.objection_until
    ]
    for objection in plan.objections:
        found += [
            Clock(
                Event.OBJECTION_NOTICE_SERVED,
                each.party_id,
                _day(each.served_on),
                _day(each.counter_until),
                _maybe(each.opposed_on),
                objection.id,
            )
            for each in objection.notices
            if each.party_id in own and each.served_on and each.counter_until
        ]
        if objection.party_id in own and objection.told_on and objection.sue_until:
            told, until = _day(objection.told_on), _day(objection.sue_until)
            sued = _maybe(objection.sued_on)
            found.append(Clock(Event.COUNTER_OPINION_TOLD, objection.party_id, told, until, sued, objection.id))
    return found


def clock_view(clock: Clock, name: str, today: date) -> ClockView:
    """The clock as it stands today; `days_left` counts today's as well."""
    rule = PERIODS[clock.event].rule
    return ClockView(
        event=clock.event,
        party=name,
        began_on=clock.began_on.isoformat(),
        until=clock.until.isoformat(),
        days_left=max(0, (clock.until - today).days + 1),
        state=clock.state(today),
        done_on=clock.done_on.isoformat() if clock.done_on else None,
        objection_id=clock.objection_id,
        rule=rule,
        law=citation(rule),
    )


def read_plan(plan: PlanView, own: Set[UUID]) -> ReadPlan:
    """The plan without what is others' own."""
    names = {claim.claim_id: claim.name for claim in plan.claims}
    return ReadPlan(
        id=plan.id,
        version=plan.version,
        state=plan.state,
        made_at=plan.made_at,
        confirmed_at=plan.confirmed_at,
        hash=plan.hash,
        proceeds_fen=plan.proceeds_fen,
        distributed_fen=plan.distributed_fen,
        surplus_fen=plan.surplus_fen,
        escrow_fen=plan.escrow_fen,
        quota=plan.quota,
        pools=plan.pools,
        fee=plan.fee,
        lines=tuple(_line(line, own=is_own(line, own)) for line in plan.lines),
        claims=tuple(
            PlanClaim(
                name=claim.name,
                own=claim.party_id in own,
                claimed_fen=claim.claimed_fen,
                paid_fen=claim.paid_fen,
                escrow_fen=claim.escrow_fen,
                open_fen=claim.open_fen,
            )
            for claim in plan.claims
        ),
        objections=tuple(found for each in plan.objections if (found := _objection(each, own, names))),
    )


def is_own(line: LineView, own: Set[UUID]) -> bool:
    """Whether the line pays one of these parties."""
    return line.payee.kind == "party" and line.payee.id in own


def statement(
    plans: Iterable[PlanView],
    own: Set[UUID],
    payments: tuple[PaymentView, ...],
    withholdings: tuple[WithholdingView, ...],
    deducted_fen: int,
) -> OwnStatement:
    """Where the money is that confirmed plans give these parties."""
    confirmed = (plan for plan in plans if plan.confirmed_at)
    due_fen = sum(line.amount_fen for plan in confirmed for line in plan.lines if is_own(line, own))
    executed_fen = sum(each.amount_fen for each in payments if each.state == "executed")
    ordered_fen = sum(each.amount_fen for each in payments if each.state == "ordered")
    withheld_fen = sum(each.amount_fen for each in withholdings if each.state == "approved")
    gone_fen = executed_fen + ordered_fen + withheld_fen + deducted_fen
    return OwnStatement(
        due_fen=due_fen,
        executed_fen=executed_fen,
        ordered_fen=ordered_fen,
        withheld_fen=withheld_fen,
        deducted_fen=deducted_fen,
        open_fen=due_fen - gone_fen,
        payments=payments,
        withholdings=withholdings,
    )


def _line(line: LineView, *, own: bool) -> PlanLine:
    return PlanLine(
        position=line.position,
        level=line.level,
        level_zh=line.level_zh,
        level_en=line.level_en,
        rule=line.rule,
        law=line.law,
        payee=line.payee.name,
        own=own,
        part=line.part,
        amount_fen=line.amount_fen,
        formula=line.formula,
        explanation=line.explanation,
        explanation_en=line.explanation_en,
        document=line.document if own else None,
    )


def _objection(view: ObjectionView, own: Set[UUID], names: dict[UUID, str]) -> PlanObjection | None:
    notified = {each.party_id for each in view.notices if each.served_on}
    seen = sight(own, view.party_id, notified, told=view.told_on is not None)
    if not seen.objection:
        return None
    return PlanObjection(
        id=view.id,
        name=view.name,
        own=view.party_id in own,
        objected_on=view.objected_on,
        text=view.text,
        claims=tuple(Disputed(names[each.claim_id], sum_of(each)) for each in view.claims),
        opinions=tuple(
            Opinion(each.name, each.party_id in own, each.opposed_on, each.opposition)
            for each in view.notices
            if each.opposed_on and each.opposition and (seen.all_opinions or each.party_id in own)
        ),
        suit_no=view.suit_no,
        judgment=view.judgment,
        judged=tuple(Disputed(names[each.claim_id], sum_of(each)) for each in view.judged),
    )


def sum_of(claim: ClaimAmount) -> int:
    """All parts of a claim together, fen."""
    return claim.costs_fen + claim.interest_fen + claim.principal_fen + claim.doubled_fen


def _day(day: str | None) -> date:
    assert day is not None, "asked before"
    return date.fromisoformat(day)


def _maybe(day: str | None) -> date | None:
    return date.fromisoformat(day) if day else None
