"""The deposit a bidder still owes (worked case W-04), and the network that an unlock is good for."""

from uuid import UUID

import pytest

from bidding.registration.errors import ClaimUnknown
from bidding.registration.rules import BidderKind, Office, deposit_due, network_of, of_the_house
from kernel.actors import Role
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


@pytest.mark.parametrize(
    ("source", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("203.0.114.77", "203.0.114.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("local", "local"),
        ("", ""),
    ],
)
def test_the_network_of_an_address(source: str, network: str) -> None:
    assert network_of(source) == network


COURT, ELSEWHERE = UUID(int=1), UUID(int=2)
ANYBODY: Office = ({Role.BIDDER}, None)


@pytest.mark.parametrize(
    ("office", "barred"),
    [
        (({Role.CLERK}, COURT), True),
        (({Role.OPERATOR}, None), True),
        (({Role.CLERK}, ELSEWHERE), False),
        (ANYBODY, False),
    ],
)
def test_nobody_of_the_court_or_the_platform_buys_nor_through_others(office: Office, barred: bool) -> None:
    assert of_the_house(COURT, [office]) is barred
    assert of_the_house(COURT, [ANYBODY, office]) is barred
