"""What goes back to whom, and what two people sign when money is matched by hand (R-CLOSE-02, R-ACCT-02, 05).

Invariant: of what arrived on an account, the amount to keep is covered by the earliest credits; all else goes back,
each fen to the account that paid it, and never more than that account paid.
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

import msgspec

from kernel.money import Fen
from settlement.bank.errors import MatchHashDiffers, MatchReplaced, SameMatcher

MATCH_FORMAT = b"match/1"

OUTCOME_ZH = {"executed": "已支付", "rejected": "已退回"}
"""What a bank did with an order, in Chinese."""

RESEND_AFTER = timedelta(minutes=10)
"""How long an order may stay unanswered before the bank is asked again; each attempt waits that much longer."""


@dataclass(frozen=True, slots=True)
class Payee:
    """Where money is paid to."""

    holder: str
    number: str
    bank: str


@dataclass(frozen=True, slots=True)
class Instruction:
    """A payment order as the bank sees it; `order_id` is its end-to-end reference."""

    order_id: UUID
    payee: Payee
    amount_fen: Fen
    document: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """A payment to be ordered, once per natural key; `document` names the paper behind it."""

    natural_key: str
    payee: Payee
    amount_fen: Fen
    reason: str
    document: str


class Arrival(NamedTuple):
    """One credit on an account; `refunded_fen` was ordered back, by `refunds` orders, and not rejected by the bank."""

    credit_id: UUID
    amount_fen: Fen
    refunded_fen: Fen
    refunds: int = 0


def refunds_due(arrivals: Sequence[Arrival], keep_fen: int) -> dict[UUID, Fen]:
    """What still has to go back of each credit so that `keep_fen` stays; `arrivals` in order of arrival."""
    due: dict[UUID, Fen] = {}
    for arrival in arrivals:
        kept = min(arrival.amount_fen, keep_fen)
        keep_fen -= kept
        back = arrival.amount_fen - kept - arrival.refunded_fen
        if back > 0:
            due[arrival.credit_id] = Fen(back)
    return due


@dataclass(frozen=True, slots=True)
class Match:
    """What a maker proposes to do with an unidentified credit; without an account it goes back to its payer."""

    id: UUID
    credit_id: UUID
    bank_ref: str
    amount_fen: Fen
    payer_name: str
    payer_account: str
    account_id: UUID | None
    account_no: str | None
    reason: str


def match_hash(match: Match) -> bytes:
    """SHA-256 over the credit, its payer, where it goes and why: what maker and checker both sign."""
    return hashlib.sha256(MATCH_FORMAT + msgspec.json.encode(match)).digest()


def check_match(made_by: UUID, checked_by: UUID, signed: str, stored: bytes, match: Match, *, latest: bool) -> None:
    """Another person checks the latest proposal, giving the hash they were shown (R-ACCT-02)."""
    if not latest:
        raise MatchReplaced()
    if made_by == checked_by:
        raise SameMatcher()
    for kept in (stored, match_hash(match)):
        if not hmac.compare_digest(signed.encode(), kept.hex().encode()):
            raise MatchHashDiffers()
