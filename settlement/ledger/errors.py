"""Refusals of the ledger."""

from kernel.errors import Refusal


class InsufficientBalance(Refusal):
    """A transfer would take more from an account than it holds."""

    code = "insufficient-balance"
    rule = "R-ACCT-09"
    zh = "账户余额不足：余额 {balance_fen} 元，需支出 {wanted_fen} 元"
    en = "The account holds {balance_fen} yuan and {wanted_fen} yuan were to leave it"


class PostingDiffers(Refusal):
    """The same business act was to be booked again with another content."""

    code = "posting-differs"
    status = 422
    zh = "该笔业务已入账，且与本次内容不同"
    en = "This act has been booked already, with other content"
