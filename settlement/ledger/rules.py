"""What an account is, what a posting is, and what its hash covers (R-ACCT-01, 09).

Invariant: money only moves between two accounts, so all of it always sums to zero; an imbalance cannot be written.
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec

from kernel.clock import to_ms
from kernel.money import Fen

FORMAT = b"ledger/1"
RANDOM_DIGITS = 15
NUMBER_LENGTH = RANDOM_DIGITS + 3


class Kind(StrEnum):
    """Whose money an account holds. Different funds are never mixed (R-ACCT-09)."""

    BANK = "bank"
    """The world outside: the only account without a stored balance, since every payment would queue on it."""
    UNIDENTIFIED = "unidentified"
    """Money that arrived on a number we do not know (R-ACCT-02)."""
    DEPOSIT = "deposit"
    """A bidder's deposit, one account per registration (R-BID-04)."""
    LOT = "lot"
    """The price of a sold lot, until title passes."""
    CASE = "case"
    """Money of one case and debtor, distributable (一人一案一账号, R-ACCT-01)."""
    PENDING = "pending"
    """A forfeited deposit until its use is decided (R-CLOSE-08, 10)."""
    ESCROW = "escrow"
    """Kept for an unclear payee or a dispute (R-DIST-06, R-ACCT-07)."""
    DEFERRED = "deferred"
    """Kept because its payout was deferred with approval (R-ACCT-04)."""
    PAYEE = "payee"
    """On its way to payees: the payment orders of one lot, or of a case, that the bank has not answered."""
    STATE_FEE = "state_fee"
    """Enforcement fees collected for the state (R-COST-02)."""


NUMBERED = {Kind.DEPOSIT: 1, Kind.LOT: 2, Kind.CASE: 3}
"""Kinds that can be paid into from outside, with the digit their virtual account numbers begin with."""


class Transfer(msgspec.Struct, frozen=True):
    """One movement of money, in fen."""

    from_account: UUID
    to_account: UUID
    amount_fen: Fen

    def __post_init__(self) -> None:
        if self.amount_fen <= 0 or self.from_account == self.to_account:
            raise ValueError("a transfer moves at least one fen between two accounts")


class Posting(msgspec.Struct, frozen=True):
    """One entry to be booked: transfers under one reason and one document, once per natural key.

    `reason` is `slice.fact` (`deposits.released`), `document` names the paper behind it (`bank:REF`, `decision:ID`).
    """

    natural_key: str
    reason: str
    document: str
    transfers: tuple[Transfer, ...]
    case_id: UUID | None = None
    lot_id: UUID | None = None

    def __post_init__(self) -> None:
        if not self.transfers:
            raise ValueError("an entry has at least one transfer")


def movements(transfers: Iterable[Transfer]) -> dict[UUID, int]:
    """What each account gains (or loses, below zero) by the transfers, in fen."""
    gains: dict[UUID, int] = {}
    for transfer in transfers:
        gains[transfer.from_account] = gains.get(transfer.from_account, 0) - transfer.amount_fen
        gains[transfer.to_account] = gains.get(transfer.to_account, 0) + transfer.amount_fen
    return gains


def content_of(posting: Posting) -> list[object]:
    """What makes two postings the same act: everything but id and time, in a frozen order."""
    return [
        posting.natural_key,
        posting.reason,
        posting.document,
        posting.case_id,
        posting.lot_id,
        [[t.from_account, t.to_account, t.amount_fen] for t in posting.transfers],
    ]


def entry_digest(entry_id: UUID, at: datetime, posting: Posting) -> bytes:
    """The hash of an entry with each of its transfers; `faults` rebuilds it from the columns."""
    hashed = msgspec.json.encode([entry_id, to_ms(at), *content_of(posting)])
    return hashlib.sha256(FORMAT + hashed).digest()


def account_number(kind: Kind, random_digits: Sequence[int]) -> str:
    """A virtual account number: kind digit, 15 random digits, two check digits (ISO 7064, mod 97-10)."""
    body = f"{NUMBERED[kind]}{''.join(str(digit) for digit in random_digits)}"
    return f"{body}{98 - int(body) * 100 % 97:02d}"


def is_account_number(text: str) -> bool:
    """Whether `text` can be one of our numbers: a mistyped digit or two swapped ones never pass."""
    return len(text) == NUMBER_LENGTH and text.isascii() and text.isdigit() and int(text) % 97 == 1
