"""Wire structs of payouts and of the case account's statement."""

from typing import Annotated
from uuid import UUID

import msgspec

from kernel.decoding import Wire
from kernel.law import citation

HashIn = Annotated[str, msgspec.Meta(min_length=64, max_length=64, pattern=r"^[0-9a-f]{64}\Z")]


class Sign(Wire, frozen=True):
    """The hash of the batch as it was shown to the person who signs."""

    hash: HashIn


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
    state: str
    order_id: UUID | None


class PayoutView(msgspec.Struct, frozen=True):
    """A batch. `changed_payee` names a payee whose account changed since: the batch can then only be replaced."""

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
    pay_by: str | None
    """Last day for the payout of this money (R-ACCT-03)."""
    changed_payee: str | None
    lines: tuple[PayoutLineView, ...]


class StatementLine(msgspec.Struct, frozen=True):
    """One movement on the case account; `amount_fen` is negative for money that left."""

    at: str
    reason: str
    document: str
    other: str
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
    account_no: str
    balance_fen: int
    held_fen: int
    """The case account and what is kept beside it: the sum of `remainder`."""
    pay_by: str | None
    """Last day for the payout of the oldest money not yet paid (R-ACCT-03); null when none waits."""
    statement: tuple[StatementLine, ...]
    remainder: tuple[Remainder, ...]


REMAINDERS = {
    "undistributed": ("R-DIST-04", "待制作分配方案", "no confirmed plan covers it yet"),
    "in_plan": ("R-ACCT-03", "方案已确认，待发放", "to be paid by a confirmed plan"),
    "no_payee_account": ("R-ACCT-05", "{payee} 未提供收款账户", "{payee} has named no account"),
    "pending": ("R-CLOSE-10", "悔拍保证金，归属待决定", "a forfeited deposit, pending decision"),
    "escrow": ("R-DIST-06", "争议款项提存", "in escrow for a dispute"),
    "deferred": ("R-ACCT-04", "经批准延缓发放", "payout deferred with approval"),
}
"""Why money may still be there: the rule, and the reason for people."""


def remainder(kind: str, amount_fen: int, **facts: str) -> Remainder:
    """One named remainder."""
    rule, zh, en = REMAINDERS[kind]
    return Remainder(kind, amount_fen, zh.format_map(facts), en.format_map(facts), rule, citation(rule))
