"""What a bidder is shown of their own auctions."""

import msgspec

from bidding.api import LotView
from settlement.completion.sale_schemas import SaleView
from settlement.deposits.schemas import OwnDeposit
from settlement.papers.schemas import PaperView


class OwnBids(msgspec.Struct, frozen=True):
    """One's own accepted bids on a lot: how many, and the highest in fen."""

    accepted: int
    highest_fen: int | None
    leads: bool


class MyAuction(msgspec.Struct, frozen=True):
    """One registration. `code` is null until admission; `sale` is there for the buyer alone.

    `lot` is the lot as it stands now; papers are those about it that one may read.
    """

    lot: LotView
    court_name: str
    round: str
    kind: str
    state: str
    code: str | None
    priority_rank: int | None
    has_password: bool
    admitted_at: str | None
    bids: OwnBids
    deposit: OwnDeposit | None
    sale: SaleView | None
    papers: tuple[PaperView, ...]


class MyAuctions(msgspec.Struct, frozen=True):
    """One's registrations, those of the lot that ends last first.

    `now` is platform time, `rate` its seconds per real second.
    """

    now: str
    rate: int
    auctions: tuple[MyAuction, ...]
