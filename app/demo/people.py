"""The people of the demo: made-up names, well-formed identity numbers, bank accounts. Nobody here exists."""

from dataclasses import dataclass
from datetime import date, timedelta

SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎"
GIVEN = (
    "伟", "芳", "秀英", "敏", "静", "丽华", "强", "磊", "洋", "艳", "勇", "杰", "娟", "涛", "明", "超", "霞", "平",
    "刚", "桂英", "建华", "文博", "子涵", "雨桐", "浩然", "思远", "嘉怡", "国栋", "晓峰", "海燕", "志强", "玉兰",
)  # fmt: skip
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
BANKS = ("中国工商银行", "中国农业银行", "中国银行", "中国建设银行", "招商银行", "交通银行")


@dataclass(frozen=True)
class Person:
    """Somebody with an account on the platform and one at a bank."""

    username: str
    real_name: str
    id_number: str
    account_no: str


def person(username: str, number: int) -> Person:
    """The `number`-th person of the demo: every number another name, identity and account."""
    return Person(username, name(number), id_number(number), account_no(number))


def name(number: int) -> str:
    """A name that comes again only after all surnames and given names have been combined."""
    turn, surname = divmod(number * 7, len(SURNAMES))
    return SURNAMES[surname] + GIVEN[(turn + number) % len(GIVEN)]


def id_number(number: int) -> str:
    """A well-formed identity number (GB 11643) of region 000000's neighbourhood: no such region was ever assigned."""
    born = date(1962, 1, 1) + timedelta(days=number * 97 % 14_000)
    body = f"999900{born:%Y%m%d}{number % 1000:03d}"
    check = "10X98765432"[sum(int(digit) * weight for digit, weight in zip(body, WEIGHTS, strict=True)) % 11]
    return body + check


def account_no(number: int) -> str:
    """A bank account number of 19 digits."""
    return f"62220{number:014d}"


def bank_account(holder: str, number: int) -> dict[str, str]:
    """Where a party or a provider is paid, as the API takes it."""
    return {"holder": holder, "number": account_no(900_000 + number), "bank": BANKS[number % len(BANKS)]}
