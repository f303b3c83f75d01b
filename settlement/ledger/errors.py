"""Refusals of the ledger."""

from kernel.errors import Refusal
from kernel.money import yuan


class InsufficientBalance(Refusal):
    """A transfer would take more from an account than it holds."""

    code = "insufficient-balance"
    rule = "R-ACCT-09"
    zh = "账户余额不足：余额 {balance} 元，需支出 {wanted} 元"
    en = "The account holds {balance} yuan and {wanted} yuan were to leave it"

    def __init__(self, *, balance_fen: int, wanted_fen: int) -> None:
        super().__init__(
            balance_fen=balance_fen, wanted_fen=wanted_fen, balance=yuan(balance_fen), wanted=yuan(wanted_fen)
        )


class PostingDiffers(Refusal):
    """The same business act was to be booked again with another content."""

    code = "posting-differs"
    status = 422
    zh = "该笔业务已入账，且与本次内容不同"
    en = "This act has been booked already, with other content"
