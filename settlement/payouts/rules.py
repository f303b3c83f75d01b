"""Payouts: what a batch is, what its hash covers, and who may do what to it (R-ACCT-03, 05, 06).

Invariant: nothing is paid but lines of a confirmed plan, each once, to the account that maker, checker and payer,
three different people, have all signed by the same hash. Amounts are fen.
"""

import hashlib
import hmac
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

import msgspec

from kernel.calendar import due_on
from kernel.money import Fen
from settlement.completion.rules import CostKind
from settlement.distribution.plans import Line, PayeeKind
from settlement.payouts.errors import (
    HashDiffers,
    NothingToPay,
    NotWithholdable,
    PayeeChanged,
    PayoutChecked,
    PayoutNotChecked,
    PayoutPaid,
    PayoutVoid,
    PayoutWaiting,
    SamePerson,
    WithholdingMisdated,
    WithholdingSettled,
)

FORMAT = b"payout/1"
Payee = tuple[PayeeKind, UUID]
"""Whose row holds the account, and its id."""


class Withheld(StrEnum):
    """Why confirmed money is not paid yet: put off with approval (R-ACCT-04), or deposited in escrow (R-ACCT-07)."""

    DEFERRED = "deferred"
    DEPOSITED = "deposited"


class Ground(StrEnum):
    """Grounds of withholding; the first five put a payout off, the others deposit it in escrow."""

    DISTRIBUTION_NEEDED = "distribution_needed"
    MONEY_ATTACHED = "money_attached"
    NOT_COLLECTED = "not_collected"
    CASE_SUSPENDED = "case_suspended"
    OTHER_GOOD_REASON = "other_good_reason"
    REFUSED = "refused"
    MISSING = "missing"
    DEAD_WITHOUT_HEIR = "dead_without_heir"
    UNREACHABLE = "unreachable"


KIND_OF: dict[Ground, Withheld] = {
    ground: Withheld.DEPOSITED
    if ground in (Ground.REFUSED, Ground.MISSING, Ground.DEAD_WITHOUT_HEIR, Ground.UNREACHABLE)
    else Withheld.DEFERRED
    for ground in Ground
}

AFTER_WITHHOLDING_DAYS = 10
"""Days to pay once the ground has ended (R-ACCT-04)."""


class Route(StrEnum):
    """Where a line's money goes: to an account at a bank, or to the state's fee account (R-COST-02)."""

    BANK = "bank"
    STATE_FEE = "state_fee"


class BatchState(StrEnum):
    """How far a batch has come."""

    MADE = "made"
    CHECKED = "checked"
    PAID = "paid"
    VOID = "void"


class LineState(StrEnum):
    """How far a line's money has come; `rejected` money is back in the case account."""

    WAITING = "waiting"
    ORDERED = "ordered"
    EXECUTED = "executed"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Destination:
    """The account of a payee, as the party's or the cost's row says now."""

    holder: str
    number: str
    bank: str
    route: Route = Route.BANK


@dataclass(frozen=True, slots=True)
class PayoutLine:
    """So much to one payee, over all lines of the plan that name it."""

    position: int
    payee_kind: PayeeKind
    payee_id: UUID
    holder: str
    number: str
    bank: str
    route: Route
    amount_fen: Fen
    reason: str
    deducted_from: UUID | None = None
    """The creditor whose money a reward is deducted from (R-CASE-06)."""

    @property
    def payee(self) -> Payee:
        return self.payee_kind, self.payee_id


@dataclass(frozen=True, slots=True)
class Reward:
    """A reward notice (悬赏公告): what is still to be deducted for it from the creditor who asked for it; fen."""

    id: UUID
    party_id: UUID
    holder: str
    left_fen: Fen


@dataclass(frozen=True, slots=True)
class Entitlement:
    """What one payee gets by a plan, deductions made; fen."""

    payee: Payee
    name: str
    amount_fen: Fen
    reason: str
    deducted_from: UUID | None = None


@dataclass(frozen=True, slots=True)
class Signatures:
    """Who signed a batch so far, and whether it stands."""

    made_by: UUID
    checked_by: UUID | None
    paid_by: UUID | None
    void: bool

    @property
    def state(self) -> BatchState:
        if self.void:
            return BatchState.VOID
        if self.paid_by is not None:
            return BatchState.PAID
        return BatchState.MADE if self.checked_by is None else BatchState.CHECKED

    @property
    def open(self) -> bool:
        """Whether somebody may still sign it."""
        return self.state in (BatchState.MADE, BatchState.CHECKED)


def entitlements(plan_lines: Sequence[Line], rewards: Sequence[Reward] = ()) -> tuple[Entitlement, ...]:
    """What each payee gets by the plan, in its order; a reward right after the creditor it is deducted from.

    A reward takes what is due to that creditor but for one fen, so that their own payment stays on record; what it
    could not take is deducted by the next plan (R-CASE-06).
    """
    found: list[Entitlement] = []
    for payee, of_payee in _by_payee(plan_lines).items():
        due_fen: int = sum(line.amount_fen for line in of_payee)
        taken: list[Entitlement] = []
        for reward in rewards:
            if payee == (PayeeKind.PARTY, reward.party_id):
                part = Fen(min(reward.left_fen, due_fen - 1))
                due_fen -= part
                if part:
                    whose = (PayeeKind.REWARD, reward.id)
                    taken.append(Entitlement(whose, reward.holder, part, REWARD_REASON, reward.party_id))
        found += [Entitlement(payee, of_payee[0].payee, Fen(due_fen), _reason(of_payee)), *taken]
    return tuple(found)


def make_lines(
    wanted: Sequence[Entitlement], done: frozenset[Payee], destinations: Mapping[Payee, Destination | None]
) -> tuple[PayoutLine, ...]:
    """One line per payee not yet `done`, in the plan's order. Payees without an account wait and stay named.

    Raises `NothingToPay` when no line is left.
    """
    lines: list[PayoutLine] = []
    waiting = 0
    for each in wanted:
        if each.payee in done:
            continue
        destination = destinations[each.payee]
        if destination is None:
            waiting += 1
            continue
        lines.append(
            PayoutLine(
                position=len(lines) + 1,
                payee_kind=each.payee[0],
                payee_id=each.payee[1],
                holder=destination.holder,
                number=destination.number,
                bank=destination.bank,
                route=destination.route,
                amount_fen=each.amount_fen,
                reason=each.reason,
                deducted_from=each.deducted_from,
            )
        )
    if not lines:
        raise NothingToPay(waiting=waiting)
    return tuple(lines)


def batch_hash(batch_id: UUID, plan_id: UUID, lines: Sequence[PayoutLine]) -> bytes:
    """SHA-256 over payee, account and amount of all lines: what maker, checker and payer sign (R-ACCT-06)."""
    signed = [_signed(line) for line in lines]
    return hashlib.sha256(FORMAT + msgspec.json.encode([batch_id, plan_id, signed])).digest()


def _signed(line: PayoutLine) -> list[object]:
    columns = [
        line.position,
        *line.payee,
        line.holder,
        line.number,
        line.bank,
        line.route,
        line.amount_fen,
        line.reason,
    ]
    return [*columns, line.deducted_from] if line.deducted_from else columns


def require_none_waiting(signatures: Sequence[Signatures]) -> None:
    """Refuse a new batch while one of the plan is on its way: it would hold the same lines."""
    if any(each.open for each in signatures):
        raise PayoutWaiting()


def check(signatures: Signatures, person: UUID) -> None:
    """A batch is checked once, by another person than its maker (R-ACCT-06)."""
    _require_standing(signatures)
    if signatures.checked_by is not None:
        raise PayoutChecked()
    if person == signatures.made_by:
        raise SamePerson()


def pay(signatures: Signatures, person: UUID) -> None:
    """A checked batch is paid once, by a third person (R-ACCT-06)."""
    _require_standing(signatures)
    if signatures.checked_by is None:
        raise PayoutNotChecked()
    if person in (signatures.made_by, signatures.checked_by):
        raise SamePerson()


@dataclass(frozen=True, slots=True)
class WithholdingCourse:
    """How far a withholding has come; days are Beijing's."""

    payee: Payee
    asked_by: UUID
    approved_on: date | None
    ended: bool


def withhold(wanted: Payee, entitled: Collection[Entitlement], settled: Collection[Payee]) -> Entitlement:
    """What is withheld of a payee who gets something by the plan and is not `settled`: paid, or asked for before
    (R-ACCT-04, 07).
    """
    due = next((each for each in entitled if each.payee == wanted), None)
    if due is None or wanted in settled:
        raise NotWithholdable()
    return due


def approve_withholding(
    course: WithholdingCourse, person: UUID, batches: Sequence[Signatures], paid: Collection[Payee]
) -> None:
    """Approved once, by another person than asked for it, while no batch that may hold the line is on its way and the
    payee was not paid meanwhile (R-ACCT-04).
    """
    if course.approved_on is not None:
        raise WithholdingSettled()
    if person == course.asked_by:
        raise SamePerson()
    require_none_waiting(batches)
    if course.payee in paid:
        raise NotWithholdable()


def end_withholding(course: WithholdingCourse, ended_on: date, today: date) -> date:
    """The last day to pay once the ground of an approved withholding has ended (R-ACCT-04)."""
    if course.approved_on is None or course.ended:
        raise WithholdingSettled()
    if not course.approved_on <= ended_on <= today:
        raise WithholdingMisdated(earliest=course.approved_on.isoformat(), today=today.isoformat())
    return due_on(ended_on, AFTER_WITHHOLDING_DAYS).on


def require_hash(signed: str, stored: bytes) -> None:
    """The person signs what they were shown: the hex hash of this batch."""
    if not hmac.compare_digest(signed.encode(), stored.hex().encode()):
        raise HashDiffers()


def require_same_payees(lines: Sequence[PayoutLine], destinations: Mapping[Payee, Destination | None]) -> None:
    """Refuse to go on when a payee's account is no longer the one that was signed (R-ACCT-06)."""
    changed = changed_payee(lines, destinations)
    if changed is not None:
        raise PayeeChanged(payee=changed)


def changed_payee(lines: Sequence[PayoutLine], destinations: Mapping[Payee, Destination | None]) -> str | None:
    """The holder in the batch of the first line whose account has changed since; None when all are the same."""
    for line in lines:
        if destinations.get(line.payee) != Destination(line.holder, line.number, line.bank, line.route):
            return line.holder
    return None


def _require_standing(signatures: Signatures) -> None:
    if signatures.void:
        raise PayoutVoid()
    if signatures.paid_by is not None:
        raise PayoutPaid()


def _by_payee(lines: Sequence[Line]) -> dict[Payee, list[Line]]:
    found: dict[Payee, list[Line]] = {}
    for line in lines:
        found.setdefault((line.payee_kind, line.payee_id), []).append(line)
    return found


REASONS = {
    CostKind.SALE_COST: "处置费用",
    CostKind.ENFORCEMENT_FEE: "执行申请费",
    CostKind.SALE_TAXES: "交易税费",
    CostKind.RENT_CARVE_OUT: "保障租金",
    CostKind.RELATED_DEBT: "与财产有关的债务",
    "surplus": "余款退还",
}
"""What a payment is for, as it stands on the payee's bank statement; everything else is a creditor's money."""


REWARD_REASON = "悬赏奖金"


def _reason(lines: Sequence[Line]) -> str:
    return "、".join(dict.fromkeys(REASONS.get(line.part, "案款") for line in lines))
