"""Views of deposits, and their due work."""

from uuid import UUID

import msgspec

from kernel.contracts import DueWork
from kernel.decoding import LongText, Wire


class RefundView(msgspec.Struct, frozen=True):
    """Money on its way back to the account that paid it; `state` is `ordered`, `executed` or `rejected`."""

    amount_fen: int
    state: str
    ordered_at: str


class OwnDeposit(msgspec.Struct, frozen=True):
    """A bidder's own deposit: where to pay, what came in, where it stands."""

    lot_id: UUID
    account_no: str
    due_fen: int
    received_fen: int
    set_aside_fen: int
    """Paid by somebody else, so it waits to be matched by hand (R-BID-04)."""
    missing_fen: int
    state: str
    refunds: tuple[RefundView, ...]


class DepositLine(msgspec.Struct, frozen=True):
    """One deposit as the court sees it: never who paid; the code only after the close (R-BID-07)."""

    due_fen: int
    received_fen: int
    refunded_fen: int
    state: str
    code: str | None


class LotDeposits(msgspec.Struct, frozen=True):
    """All deposits of a lot, in an order that tells nothing of who came when."""

    lot_id: UUID
    deposits: tuple[DepositLine, ...]
    held_fen: int


class ReviewLot(Wire, frozen=True):
    """Why the court looks (R-HALT-04)."""

    reason: LongText


class Review(msgspec.Struct, frozen=True):
    """Codes of one lot that have something in common, and never what: a reason to look, no ground to exclude."""

    lot_id: UUID
    same_payer: tuple[tuple[str, ...], ...]
    same_address: tuple[tuple[str, ...], ...]


class DepositsToRelease(DueWork, frozen=True, kw_only=True):
    """After the end of a lot: everybody but the winner gets the deposit back, some at a time (R-CLOSE-02)."""

    lot_id: UUID
    winner: UUID | None
    after: UUID | None = None

    @property
    def key(self) -> str:
        return f"deposits:{self.lot_id}"
