"""Wire structs of the bank's counter, and what it tells the slices right of it."""

from typing import Annotated, ClassVar, Literal
from uuid import UUID

import msgspec

from kernel.contracts import DueWork, Event
from kernel.decoding import Label, Moment, PositiveFen, ShortText, Wire
from settlement.ledger.rules import NUMBER_LENGTH

AccountNumberIn = Annotated[str, msgspec.Meta(min_length=1, max_length=40, pattern=r"^[0-9A-Za-z]+\Z")]
"""An account number as somebody outside wrote it; ours have 18 digits."""


NO_ACCOUNT = "0"
"""Stands for an account that the bank did not name."""

HashIn = Annotated[str, msgspec.Meta(min_length=64, max_length=64, pattern=r"^[0-9a-f]{64}\Z")]


class CreditNotice(Wire, frozen=True):
    """The bank reports money that has arrived."""

    bank_ref: Label
    account_no: AccountNumberIn
    amount_fen: PositiveFen
    payer_name: ShortText
    payer_account: AccountNumberIn
    booked_at: Moment


class CreditView(msgspec.Struct, frozen=True):
    """`identified`: the number is ours, so the money is where it belongs."""

    credit_id: UUID
    amount_fen: int
    identified: bool


class Confirmation(Wire, frozen=True):
    """The bank reports what it did with a payment order."""

    order_id: UUID
    outcome: Literal["executed", "rejected"]
    bank_ref: Label


class OrderView(msgspec.Struct, frozen=True):
    """A payment order without its payee; `state` is `ordered`, `executed` or `rejected`."""

    order_id: UUID
    amount_fen: int
    reason: str
    document: str
    state: str
    bank_ref: str | None
    ordered_at: str


class WaitingOrder(msgspec.Struct, frozen=True):
    """A payment order as the bank collects it."""

    order_id: UUID
    payee_holder: str
    payee_number: str
    payee_bank: str
    amount_fen: int
    document: str


class WaitingOrders(msgspec.Struct, frozen=True):
    """Orders that the bank has not answered, oldest first."""

    orders: tuple[WaitingOrder, ...]


class MatchView(msgspec.Struct, frozen=True):
    """A proposal for an unidentified credit with the hash to sign; `account_no` null: back to the payer.

    `state` is `proposed`, `replaced` or `checked`; `order_id` is the payment that gives it back.
    """

    id: UUID
    credit_id: UUID
    amount_fen: int
    payer_name: str
    payer_account: str
    account_no: str | None
    reason: str
    hash: str
    made_by: UUID
    made_at: str
    state: str
    checked_by: UUID | None
    order_id: UUID | None


class UnidentifiedCredit(msgspec.Struct, frozen=True):
    """Money whose number we do not know, with the payer, so that it can be matched by hand."""

    credit_id: UUID
    bank_ref: str
    account_no: str
    amount_fen: int
    payer_name: str
    payer_account: str
    received_at: str
    reason: str | None
    """Why money on one of our numbers waits here; null for a number that is nobody's."""
    claim_by: str
    """The last day to match it or send it back (R-ACCT-02)."""
    overdue: bool
    proposed: MatchView | None
    """What a maker proposed, waiting for a checker."""


class UnidentifiedCredits(msgspec.Struct, frozen=True):
    """The unidentified queue, oldest first. The alarm on age: `overdue` of them wait longer than they should."""

    credits: tuple[UnidentifiedCredit, ...]
    overdue: int
    total_fen: int


class ClaimCredit(Wire, frozen=True):
    """Match an unidentified credit by hand to one of our accounts."""

    account_no: Annotated[str, msgspec.Meta(min_length=NUMBER_LENGTH, max_length=NUMBER_LENGTH, pattern=r"^[0-9]+\Z")]
    reason: ShortText


class ReturnCredit(Wire, frozen=True):
    """Send an unidentified credit back to the account that paid it."""

    reason: ShortText


class CheckMatch(Wire, frozen=True):
    """The hash of the proposal as it was shown to the checker."""

    hash: HashIn


class MakeTransfer(Wire, frozen=True):
    """A person goes to their bank and pays: the world outside, played by the simulated bank."""

    from_account: AccountNumberIn
    payer_name: ShortText
    to_account_no: AccountNumberIn
    amount_fen: PositiveFen


class TransferAccepted(msgspec.Struct, frozen=True):
    """The simulated bank has taken the transfer; its notice follows."""

    amount_fen: int


class MoneyArrived(Event, frozen=True, kw_only=True):
    """A credit was booked on one of our numbered accounts; whoever owns that kind decides what it means."""

    account_id: UUID
    kind: str
    credit_id: UUID
    lot_id: UUID | None
    registration_id: UUID | None

    @property
    def key(self) -> str:
        return f"account:{self.account_id}"


class Answered(msgspec.Struct, frozen=True):
    """What the bank did with one order."""

    order_id: UUID
    natural_key: str
    outcome: Literal["executed", "rejected"]
    bank_ref: str
    reason: str
    case_id: UUID | None
    lot_id: UUID | None


class PaymentsAnswered(Event, frozen=True, kw_only=True):
    """The bank executed or rejected orders, each once; a rejected one is back on the account it left."""

    answers: tuple[Answered, ...]

    @property
    def key(self) -> str:
        return f"payment:{self.answers[0].order_id}"


class PaymentsDue(DueWork, frozen=True, kw_only=True):
    """Orders wait to be handed to the bank, or have gone unanswered for too long."""

    LATER: ClassVar[bool] = True
    order_ids: tuple[UUID, ...]
    attempt: int

    @property
    def key(self) -> str:
        return f"payment:{self.order_ids[0]}"


class TransferReport(DueWork, frozen=True, kw_only=True):
    """The simulated bank has a transfer to report that somebody made to one of our accounts."""

    transfer_id: UUID

    @property
    def key(self) -> str:
        return f"simulated-bank:{self.transfer_id}"


class OrdersReport(DueWork, frozen=True, kw_only=True):
    """The simulated bank has decided on orders and reports."""

    order_ids: tuple[UUID, ...]

    @property
    def key(self) -> str:
        return f"simulated-bank:{self.order_ids[0]}"
