"""The deposit a bidder still owes: worked case W-04."""

import pytest

from bidding.registration.errors import ClaimUnknown
from bidding.registration.rules import BidderKind, deposit_due
from kernel.money import Fen

DEPOSIT = Fen(20_000_000)


@pytest.mark.parametrize(
    ("kind", "claim_fen", "due_fen"),
    [
        (BidderKind.ORDINARY, None, 20_000_000),
        (BidderKind.APPLICANT, 15_000_000, 5_000_000),
        (BidderKind.APPLICANT, 20_000_000, 0),
        (BidderKind.APPLICANT, 25_000_000, 0),
        (BidderKind.APPLICANT, 0, 20_000_000),
        (BidderKind.OTHER_CREDITOR, 90_000_000, 20_000_000),
    ],
)
def test_w04(kind: BidderKind, claim_fen: int | None, due_fen: int) -> None:
    assert deposit_due(DEPOSIT, kind, None if claim_fen is None else Fen(claim_fen)) == due_fen


def test_an_applicant_without_a_claim_is_refused() -> None:
    with pytest.raises(ClaimUnknown) as caught:
        deposit_due(DEPOSIT, BidderKind.APPLICANT)
    assert caught.value.law == "法释〔2016〕18号 第十七条"
