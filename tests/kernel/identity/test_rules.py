"""Identity numbers, user names and passwords: what is accepted, and what is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.errors import Malformed
from kernel.identity.rules import CHECK_CHARACTERS, WEIGHTS, check_id_number, check_password, check_username


def numbered(first_17: str) -> str:
    """Seventeen digits with their check character."""
    weighed = sum(int(digit) * weight for digit, weight in zip(first_17, WEIGHTS, strict=True))
    return first_17 + CHECK_CHARACTERS[weighed % 11]


@pytest.mark.parametrize(
    "number",
    [
        "11010519491231002X",  # the example of GB 11643
        "440524188001010014".replace("1880", "1980").replace("0014", "0011"),
        numbered("81000019900307123"),  # 港澳台居民居住证, Hong Kong
        numbered("82000019851111456"),  # Macao
        numbered("83000020000229789"),  # Taiwan, on a leap day
        numbered("43300119700101001"),  # a prefecture renamed long ago
    ],
)
def test_numbers_of_citizens_and_permits(number: str) -> None:
    assert check_id_number(numbered(number[:17])) == numbered(number[:17])


def test_a_small_x_becomes_a_capital() -> None:
    assert check_id_number("11010519491231002x") == "11010519491231002X"


@pytest.mark.parametrize(
    "number",
    [
        "",
        "110105194912310021",  # wrong check character
        "110105491231002",  # the fifteen digits of before 1999
        numbered("11010519490230001"),  # no such day
        numbered("11010519001301001"),  # no such month
        numbered("11010518991231001"),  # nobody is that old
        numbered("01010519491231002"),  # no region begins with 0
        "11010519491231002Ⅹ",
        "１１０１０５１９４９１２３１００２Ｘ",  # full width
        "١١٠١٠٥١٩٤٩١٢٣١٠٠٢X",  # Arabic digits
        "11010519491231002X\n",
        " 11010519491231002X",
        "1101051949123100-2X",
        "X" * 18,
        "1" * 1_000,
    ],
)
def test_other_numbers_are_refused_by_name_of_the_field(number: str) -> None:
    with pytest.raises(Malformed) as refused:
        check_id_number(number)
    assert refused.value.facts["path"] == "$.id_number"
    assert not number or number not in refused.value.detail_en


@given(st.text(st.characters(), max_size=20) | st.from_regex(r"[0-9X]{18}", fullmatch=True))
def test_only_numbers_with_their_check_character_pass(number: str) -> None:
    try:
        accepted = check_id_number(number)
    except Malformed:
        return
    assert numbered(accepted[:17]) == accepted


@pytest.mark.parametrize("digit", range(17))
def test_one_wrong_digit_is_always_found(digit: int) -> None:
    right = "11010519491231002X"
    for other in set("0123456789") - {right[digit]}:
        with pytest.raises(Malformed):
            check_id_number(right[:digit] + other + right[digit + 1 :])


@pytest.mark.parametrize("name", ["abc", "a.b-c_d", "0day", "A" * 40, "Wang"])
def test_user_names_are_small_letters(name: str) -> None:
    assert check_username(name) == name.lower()


@pytest.mark.parametrize(
    "name", ["", "ab", "a" * 41, ".abc", "a b", "аdmin", "ａｂｃ", "a\nb", "名字", "ﬁnn", "abc\n", "İabc"]
)
def test_names_that_could_be_mistaken_are_refused(name: str) -> None:
    with pytest.raises(Malformed):
        check_username(name)


@pytest.mark.parametrize("password", ["12345678", " " * 8, "口令口令口令口令", "😀" * 8, "x" * 64, "y" * 128])
def test_any_characters_make_a_password(password: str) -> None:
    """Row 24."""
    assert check_password(password, "someone") == password


@pytest.mark.parametrize("password", ["", "1234567", "😀" * 7, "x" * 129, "Someone-1"])
def test_short_long_and_obvious_passwords_are_refused(password: str) -> None:
    with pytest.raises(Malformed) as refused:
        check_password(password, "someone-1")
    assert not password or password not in refused.value.detail_en
