"""Wire structs of registration, and the document of `auction calc deposit`."""

from typing import Annotated
from uuid import UUID

import msgspec

from bidding.registration.rules import BidderKind, deposit_due
from kernel.decoding import FenIn, Label, LongText, Unusable, Wire


class Register(Wire, frozen=True):
    """A bidder registers on a lot (报名)."""

    kind: BidderKind
    accepts: Label
    """The version of the lot's announcement, which the bidder has read and accepts; another is refused (R-PUB-04)."""
    declares_eligible: bool
    """The bidder declares that those who will buy are qualified and not barred by a purchase limit (R-HOME-01), and are
    none of those whom R-BID-14 bars: court, platform and helpers, their staff, and close relatives of these."""


class UnlockLot(Wire, frozen=True):
    """The bid password (参拍密码), once per lot and login session."""

    password: Label


class GrantPriority(Wire, frozen=True):
    """The court confirms a priority purchaser (R-PRIO-01); rank 1 is the most senior."""

    username: Label
    rank: Annotated[int, msgspec.Meta(ge=1, le=1000)]
    decision_id: UUID


class ConfirmAgent(Wire, frozen=True):
    """The court confirms an agent by user names, with the mandate that proves it (R-PUB-04)."""

    agent: Label
    principal: Label
    proof: LongText


class JointBidder(Wire, frozen=True):
    """One of several who buy together, with a share of `parts` in the sum of all parts."""

    username: Label
    parts: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]


class ConfirmJointBidders(Wire, frozen=True):
    """The court confirms who buys together (联合竞买), with their agreement; the first of them bids for all."""

    bidders: Annotated[tuple[JointBidder, ...], msgspec.Meta(min_length=2, max_length=50)]
    proof: LongText

    def __post_init__(self) -> None:
        if len({each.username.lower() for each in self.bidders}) != len(self.bidders):
            raise Unusable("bidders", "each person once", "每人只出现一次")


class AgentView(msgspec.Struct, frozen=True):
    """A confirmed agent."""

    lot_id: UUID
    agent: str
    principal: str
    confirmed_at: str


class BuyerView(msgspec.Struct, frozen=True):
    """One of several who buy together; `share` is a fraction in lowest terms."""

    username: str
    share: str


class JointBiddersView(msgspec.Struct, frozen=True):
    """Confirmed joint bidders; the first of them bids."""

    lot_id: UUID
    bidders: tuple[BuyerView, ...]
    confirmed_at: str


class OwnRegistration(msgspec.Struct, frozen=True):
    """A bidder's own registration. `code` is null until admission; `unlocked` is true of this login session."""

    registration_id: UUID
    lot_id: UUID
    kind: str
    state: str
    deposit_due_fen: int
    code: str | None
    priority_rank: int | None
    has_password: bool
    unlocked: bool
    admitted_at: str | None


class BidPassword(msgspec.Struct, frozen=True):
    """A fresh bid password, shown this once."""

    password: str


class PriorityView(msgspec.Struct, frozen=True):
    """A confirmed priority purchaser."""

    lot_id: UUID
    username: str
    rank: int
    decision_id: UUID


class DepositInput(Wire, frozen=True):
    """The lot's deposit, who bids, and the bidder's claim; fen."""

    deposit_fen: FenIn
    bidder: BidderKind
    claim_fen: FenIn | None = None

    def __post_init__(self) -> None:
        if self.bidder is BidderKind.APPLICANT and self.claim_fen is None:
            raise Unusable("claim_fen", "the claim of the applicant", "申请执行人的债权数额")


def calculate(document: DepositInput) -> dict[str, object]:
    """What this bidder still pays, in fen (R-BID-05)."""
    due_fen = deposit_due(document.deposit_fen, document.bidder, document.claim_fen)
    return {"due_fen": due_fen, "rules": ["R-BID-05"]}
