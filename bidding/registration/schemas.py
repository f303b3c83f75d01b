"""The document of `auction calc deposit`: strict input, and the output in the words of the format."""

from bidding.registration.rules import BidderKind, deposit_due
from kernel.decoding import FenIn, Unusable, Wire


class DepositInput(Wire, frozen=True):
    """The lot's deposit, who bids, and the bidder's claim; fen."""

    deposit_fen: FenIn
    bidder: BidderKind
    claim_fen: FenIn | None = None

    def __post_init__(self) -> None:
        if self.bidder is BidderKind.APPLICANT and self.claim_fen is None:
            raise Unusable("claim_fen", "expected the claim of the applicant")


def calculate(document: DepositInput) -> dict[str, object]:
    """What this bidder still pays, in fen (R-BID-05)."""
    due_fen = deposit_due(document.deposit_fen, document.bidder, document.claim_fen)
    return {"due_fen": due_fen, "rules": ["R-BID-05"]}
