"""Wire structs of payouts and of the case account's statement."""

from typing import Annotated, Literal
from uuid import UUID

import msgspec

from kernel.decoding import Day, PositiveFen, ShortText, Wire
from kernel.law import citation
from settlement.completion.sale_schemas import PayeeIn
from settlement.distribution.deadlines import PAYOUT_DAYS
from settlement.payouts.rules import Ground

HashIn = Annotated[str, msgspec.Meta(min_length=64, max_length=64, pattern=r"^[0-9a-f]{64}\Z")]


class Sign(Wire, frozen=True):
    """The hash of the batch as it was shown to the person who signs."""

    hash: HashIn


class Withhold(Wire, frozen=True):
    """Ask that a payee's money by the plan is deferred or deposited, on this ground."""

    payee_kind: Literal["party", "cost"]
    payee_id: UUID
    ground: Ground
    reason: ShortText


class EndWithholding(Wire, frozen=True):
    """The day on which the ground ended."""

    ended_on: Day
    reason: ShortText


class RegisterReward(Wire, frozen=True):
    """A reward that is due: to whom, and which creditor asked for the notice and bears it."""

    party_id: UUID
    amount_fen: PositiveFen
    payee: PayeeIn
    document: ShortText


class SetPayoutPolicy(Wire, frozen=True):
    """The court's own limit in days, at most the nation's thirty (R-ACCT-03)."""

    days: Annotated[int, msgspec.Meta(ge=1, le=PAYOUT_DAYS)]
    reason: ShortText


class RewardView(msgspec.Struct, frozen=True):
    """A reward on record."""

    id: UUID
    party_id: UUID
    amount_fen: int
    holder: str
    document: str


class PayoutPolicyView(msgspec.Struct, frozen=True):
    """The limit that the court pays within."""

    days: int


class WithholdingView(msgspec.Struct, frozen=True):
    """Money of one payee that is not paid yet; `kind` is `deferred` (延缓发放) or `deposited` (提存)."""

    id: UUID
    plan_id: UUID
    payee_kind: str
    payee_id: UUID
    payee: str
    kind: str
    ground: str
    reason: str
    amount_fen: int
    state: str
    """`asked`, `approved` or `ended`."""
    pay_until: str | None
    """Last day to pay once the ground has ended (R-ACCT-04)."""


class PayoutLineView(msgspec.Struct, frozen=True):
    """One payment: to whom, where to, how much, and how far it has come."""

    position: int
    payee_kind: str
    payee_id: UUID
    holder: str
    number: str
    bank: str
    route: str
    amount_fen: int
    reason: str
    deducted_from: UUID | None
    state: str
    order_id: UUID | None


class PayoutView(msgspec.Struct, frozen=True):
    """A batch. `changed_payee` names a payee whose account changed since: the batch can then only be replaced.

    `maker`, `checker` and `payer` are the real names of who signed, empty where nobody has yet.
    """

    id: UUID
    plan_id: UUID
    case_id: UUID
    state: str
    hash: str
    total_fen: int
    made_by: UUID
    made_at: str
    checked_by: UUID | None
    checked_at: str | None
    paid_by: UUID | None
    paid_at: str | None
    maker: str
    checker: str
    payer: str
    pay_by: str | None
    """Last day for the payout of this money (R-ACCT-03)."""
    local_pay_by: str | None
    """The same by the court's own, shorter limit; null where it set none."""
    changed_payee: str | None
    lines: tuple[PayoutLineView, ...]


class StatementLine(msgspec.Struct, frozen=True):
    """One movement on the case account; `amount_fen` is negative for money that left, `payer` whose money came in."""

    at: str
    reason: str
    document: str
    other: str
    payer: str
    amount_fen: int
    balance_fen: int


class Remainder(msgspec.Struct, frozen=True):
    """Money still there, and why; `kind` is a key of `REMAINDERS`."""

    kind: str
    amount_fen: int
    zh: str
    en: str
    rule: str
    law: str | None


class AccountView(msgspec.Struct, frozen=True):
    """The account of one case and debtor (一案一账号): every movement, and an explanation of what is left."""

    case_id: UUID
    case_no: str
    applicants: tuple[str, ...]
    debtors: tuple[str, ...]
    account_no: str
    balance_fen: int
    held_fen: int
    """The case account and what is kept beside it: the sum of `remainder`."""
    pay_by: str | None
    """Last day for the payout of the oldest money not yet paid (R-ACCT-03); null when none waits."""
    local_pay_by: str | None
    """The same by the court's own, shorter limit; null where it set none."""
    statement: tuple[StatementLine, ...]
    remainder: tuple[Remainder, ...]
    withholdings: tuple[WithholdingView, ...]


REMAINDERS = {
    "undistributed": ("R-DIST-04", "待制作分配方案", "no confirmed plan covers it yet"),
    "in_plan": ("R-ACCT-03", "方案已确认，待发放", "to be paid by a confirmed plan"),
    "no_payee_account": ("R-ACCT-05", "{payee} 未提供收款账户", "{payee} has named no account"),
    "pending": ("R-CLOSE-10", "悔拍保证金，归属待决定", "a forfeited deposit, pending decision"),
    "escrow": ("R-DIST-06", "提存款项（争议或收款人不明）", "in escrow for a dispute or an unclear payee"),
    "deferred": ("R-ACCT-04", "经批准延缓发放", "payout deferred with approval"),
}
"""Why money may still be there: the rule, and the reason for people."""


def remainder(kind: str, amount_fen: int, **facts: str) -> Remainder:
    """One named remainder."""
    rule, zh, en = REMAINDERS[kind]
    return Remainder(kind, amount_fen, zh.format_map(facts), en.format_map(facts), rule, citation(rule))
