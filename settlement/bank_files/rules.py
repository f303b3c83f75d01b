"""What a bank's message says, and what follows from each of its movements (R-ACCT-01, 02, 05, 08).

Invariants: amounts are whole fen; a statement's opening balance and booked movements make its closing balance; only
booked movements move money in our books.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from kernel.money import Fen
from settlement.bank.rules import Instruction
from settlement.bank_files.errors import UnusableFile

LONGEST_NAME = 140
LONGEST_NUMBER = 34
"""What a payment order can say of its payee (Max140Text, Max34Text)."""

RETURNED = "RETURN"
"""Before the id of an order whose payment came back, where a credit names the account it is meant for."""


class MessageKind(StrEnum):
    """The messages that come in."""

    STATEMENT = "camt.053"
    NOTICE = "camt.054"


class Outcome(StrEnum):
    """What became of a movement."""

    BOOKED = "booked"
    """A credit on one of our numbers."""
    UNIDENTIFIED = "unidentified"
    """A credit that waits in the queue."""
    PAID = "paid"
    """One of our payment orders was executed."""
    UNMATCHED = "unmatched"
    """Money the bank took that none of our orders asked for: charges, a credit taken back."""
    REFUSED = "refused"
    """It contradicts what is booked, or cannot be booked; `code` says why."""


@dataclass(frozen=True, slots=True)
class OurAccount:
    """The account at the bank whose files are exchanged."""

    number: str
    holder: str
    bank: str


@dataclass(frozen=True, slots=True)
class Movement:
    """One booked movement on our account. `reference` is the bank's own; the party is the other side.

    `account_no` is the number that the payer wrote, `end_to_end_id` that of our order.
    """

    reference: str
    credit: bool
    amount_fen: Fen
    booked_on: date
    end_to_end_id: str
    account_no: str
    party_name: str
    party_account: str
    returned: bool

    @property
    def gain_fen(self) -> int:
        """What the account gained, below zero for money that left."""
        return self.amount_fen if self.credit else -self.amount_fen

    @property
    def order_id(self) -> UUID | None:
        """The payment order it speaks of, if that can be one of ours."""
        return order_of(self.end_to_end_id)


@dataclass(frozen=True, slots=True)
class Balances:
    """What the account held when a day began and ended; fen, below zero when overdrawn."""

    day: date
    opening_fen: int
    closing_fen: int


@dataclass(frozen=True, slots=True)
class Message:
    """One file of the bank; `waiting` counts movements announced and not booked, which move nothing yet."""

    kind: MessageKind
    message_id: str
    account: str
    movements: tuple[Movement, ...]
    waiting: int
    balances: Balances | None


def order_reference(order_id: UUID) -> str:
    """An order's end-to-end reference: at most 35 characters, so without dashes."""
    return order_id.hex


def order_of(end_to_end_id: str) -> UUID | None:
    """The order with this end-to-end reference; None for one that we never gave."""
    try:
        found = UUID(hex=end_to_end_id)
    except ValueError:
        return None
    return found if found.hex == end_to_end_id else None


def check(message: Message, ours: OurAccount) -> None:
    """Refuse a message of another account, with a doubled reference, or whose balances do not add up."""
    if message.account != ours.number:
        raise UnusableFile("Acct", ours.number)
    for reference, times in Counter(movement.reference for movement in message.movements).items():
        if times > 1:
            raise UnusableFile("AcctSvcrRef", f"{reference} once", f"{reference} 只出现一次")
    if message.balances is not None:
        closing = message.balances.opening_fen + sum(movement.gain_fen for movement in message.movements)
        if closing != message.balances.closing_fen:
            raise UnusableFile("Bal CLBD", f"{closing} fen by its movements", f"按明细应为 {closing} 分")


def fits(instruction: Instruction) -> bool:
    """Whether a payment order can be written into a file as it stands: names are never cut, numbers never mended."""
    payee = instruction.payee
    longest = max(len(payee.holder), len(payee.bank))
    return longest <= LONGEST_NAME and len(payee.number) <= LONGEST_NUMBER


def total_fen(instructions: Sequence[Instruction]) -> Fen:
    """What the instructions come to together: the control sum of a payment file."""
    return Fen(sum(instruction.amount_fen for instruction in instructions))
