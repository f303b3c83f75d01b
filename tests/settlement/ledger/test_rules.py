"""Account numbers, postings and their digests, without a database."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from kernel.ids import ordered_id
from kernel.money import Fen
from settlement.ledger.rules import (
    NUMBER_LENGTH,
    RANDOM_DIGITS,
    Kind,
    Posting,
    Transfer,
    account_number,
    entry_digest,
    is_account_number,
    movements,
)
from tests.support.house import START

DIGITS = st.lists(st.integers(0, 9), min_size=RANDOM_DIGITS, max_size=RANDOM_DIGITS)
A, B, C = ordered_id(), ordered_id(), ordered_id()


@given(DIGITS, st.data())
def test_a_mistyped_digit_or_two_swapped_ones_never_give_another_number(digits: list[int], data: st.DataObject) -> None:
    number = account_number(Kind.DEPOSIT, digits)
    assert len(number) == NUMBER_LENGTH
    assert is_account_number(number)
    place = data.draw(st.integers(0, NUMBER_LENGTH - 1))
    other = data.draw(st.sampled_from([digit for digit in "0123456789" if digit != number[place]]))
    assert not is_account_number(number[:place] + other + number[place + 1 :])
    left = data.draw(st.integers(0, NUMBER_LENGTH - 2))
    swapped = number[:left] + number[left + 1] + number[left] + number[left + 2 :]
    assert swapped == number or not is_account_number(swapped)


@pytest.mark.parametrize(
    "text", ["", "1", "１２３４５６７８９０１２３４５６７８", "12345678901234567a", "0" * 18, "1" * 40]
)
def test_what_cannot_be_our_number_is_none(text: str) -> None:
    assert not is_account_number(text)


@pytest.mark.parametrize(("source", "target", "fen"), [(A, B, 0), (A, B, -1), (A, A, 1)])
def test_a_transfer_moves_money_between_two_accounts(source: object, target: object, fen: int) -> None:
    with pytest.raises(ValueError, match="transfer"):
        Transfer(source, target, Fen(fen))  # type: ignore[arg-type]


def test_an_entry_without_transfers_is_none() -> None:
    with pytest.raises(ValueError, match="transfer"):
        Posting("k", "r", "d", ())


def test_gains_and_losses_of_an_entry_sum_to_zero() -> None:
    gains = movements([Transfer(A, B, Fen(70)), Transfer(B, C, Fen(30)), Transfer(A, C, Fen(1))])
    assert gains == {A: -71, B: 40, C: 31}
    assert sum(gains.values()) == 0


def test_the_digest_covers_every_field_and_every_transfer() -> None:
    posting = Posting("k", "r", "d", (Transfer(A, B, Fen(70)), Transfer(B, C, Fen(30))), A, B)
    entry_id = ordered_id()
    first, second = posting.transfers
    variants = [
        replace(posting, natural_key="k2"),
        replace(posting, reason="r2"),
        replace(posting, document="d2"),
        replace(posting, case_id=C),
        replace(posting, lot_id=None),
        replace(posting, transfers=(first,)),
        replace(posting, transfers=(second, first)),
        replace(posting, transfers=(first, replace(second, amount_fen=Fen(31)))),
        replace(posting, transfers=(first, replace(second, to_account=A))),
    ]
    digests = {entry_digest(entry_id, START, one) for one in [posting, *variants]}
    assert len(digests) == len(variants) + 1
    assert entry_digest(ordered_id(), START, posting) not in digests
