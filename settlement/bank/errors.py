"""Refusals at the bank's counter."""

from kernel.errors import Refusal


class BankRefReused(Refusal):
    """A bank reference came back with other content: the first notice stands."""

    code = "bank-ref-reused"
    status = 422
    zh = "银行流水号 {bank_ref} 已登记，且内容不同"
    en = "Bank reference {bank_ref} is booked already, with other content"


class OrderAnswered(Refusal):
    """The bank answered this payment order before, otherwise."""

    code = "order-answered"
    status = 422
    zh = "该付款指令已有银行回执（{outcome}），且内容不同"
    en = "The bank has answered this payment order already ({outcome}), otherwise"


class NotRejected(Refusal):
    """Only a payment that the bank rejected can be ordered again."""

    code = "not-rejected"
    zh = "该付款指令未被银行退回，不得重新付款"
    en = "The bank has not rejected this payment, so it is not ordered again"


class CreditSettled(Refusal):
    """The credit is not, or no longer, in the unidentified queue."""

    code = "credit-settled"
    rule = "R-ACCT-02"
    zh = "该笔款项已认领或退回"
    en = "This credit has been claimed or returned already"


class UnknownAccountNumber(Refusal):
    """No account of ours has this number."""

    code = "unknown-account-number"
    rule = "R-ACCT-02"
    zh = "账号 {account_no} 不存在"
    en = "There is no account {account_no}"


class NoSimulatedBank(Refusal):
    """This platform exchanges real bank notices; nobody may make up a transfer."""

    code = "no-simulated-bank"
    status = 404
    zh = "本平台未启用模拟银行"
    en = "This platform has no simulated bank"
