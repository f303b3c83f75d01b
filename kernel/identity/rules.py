"""Rules of identity: what a real identity number, a user name and a usable password are."""

import re
from datetime import date

from kernel.errors import Malformed

ID_NUMBER = re.compile(r"[1-9]\d{16}[\dX]", re.ASCII)
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECK_CHARACTERS = "10X98765432"
USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{2,39}", re.ASCII)
SHORTEST_PASSWORD, LONGEST_PASSWORD = 8, 128


def check_id_number(number: str) -> str:
    """A citizen identity number (居民身份证号, GB 11643) in capitals, its date and check character right.

    No region table: numbers of renamed counties and residence permits (81…, 82…, 83…) are as valid as others.
    """
    number = number.upper()
    if not ID_NUMBER.fullmatch(number) or not _is_date(number[6:14]) or number[17] != _check_character(number):
        expected = "an identity number of 18 characters with a right check character"
        raise Malformed("$.id_number", expected, "18 位居民身份证号，校验码正确")
    return number


def _is_date(digits: str) -> bool:
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:])).year >= 1900
    except ValueError:
        return False


def _check_character(number: str) -> str:
    return CHECK_CHARACTERS[sum(int(digit) * weight for digit, weight in zip(number[:17], WEIGHTS, strict=True)) % 11]


def check_username(name: str) -> str:
    """3 to 40 of a-z, 0-9, dot, dash, underscore; capitals become small, so that no two names look alike."""
    name = name.lower()
    if not USERNAME.fullmatch(name):
        expected = "3 to 40 letters a-z, digits, dots, dashes or underscores, a letter or digit first"
        raise Malformed("$.username", expected, "3 至 40 个字母、数字、点、横线或下划线，以字母或数字开头")
    return name


def check_password(password: str, username: str) -> str:
    """8 to 128 characters of any kind, not the user name. No composition rules: length is what helps."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD or password.lower() == username:
        length = SHORTEST_PASSWORD, LONGEST_PASSWORD
        expected = "{} to {} characters, not the user name".format(*length)
        raise Malformed("$.password", expected, "{} 至 {} 个字符，且不同于用户名".format(*length))
    return password
