"""Who pays which deposit (R-BID-05)."""

from enum import StrEnum

from bidding.registration.errors import ClaimUnknown
from kernel.money import Fen


class BidderKind(StrEnum):
    """In which capacity someone registers; only the applicant of this case is spared the deposit."""

    ORDINARY = "ordinary"
    APPLICANT = "applicant"
    OTHER_CREDITOR = "other_creditor"


def deposit_due(deposit_fen: Fen, bidder_kind: BidderKind, claim_fen: Fen | None = None) -> Fen:
    """What the bidder still has to pay, in fen (R-BID-05).

    An enforcement applicant pays only what the deposit exceeds the claim by; creditors of other cases pay
    in full, as the wording names the applicant alone. Raises `ClaimUnknown` for an applicant without claim.
    """
    if bidder_kind is not BidderKind.APPLICANT:
        return deposit_fen
    if claim_fen is None:
        raise ClaimUnknown()
    return Fen(max(0, deposit_fen - claim_fen))
