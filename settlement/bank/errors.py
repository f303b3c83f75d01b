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
    zh = "该付款指令已有银行回执（{outcome_zh}），且内容不同"
    en = "The bank has answered this payment order already ({outcome}), otherwise"


class AnswerDiffers(Refusal):
    """The bank says it paid another amount than was ordered."""

    code = "answer-differs"
    status = 422
    zh = "银行支付金额 {answered_fen} 元与付款指令 {order_fen} 元不符"
    en = "The bank paid {answered_fen} yuan where {order_fen} yuan were ordered"


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


class PayerUnknown(Refusal):
    """The bank did not say from which account the credit came, so nothing can go back by itself."""

    code = "payer-unknown"
    rule = "R-ACCT-02"
    zh = "银行未载明付款账户，无法原路退回"
    en = "The bank named no account that paid, so there is none to return the money to"


class MatchReplaced(Refusal):
    """A later proposal for the same credit has taken the place of this one."""

    code = "match-replaced"
    rule = "R-ACCT-02"
    zh = "该认领意见已被新的意见取代"
    en = "A later proposal has taken the place of this one"


class SameMatcher(Refusal):
    """Who proposed what happens to a credit does not check it too."""

    code = "same-person"
    status = 403
    rule = "R-ACCT-02"
    zh = "提出认领的人不得复核"
    en = "The person who proposed it may not check it"


class MatchHashDiffers(Refusal):
    """The checker signed something else than was proposed."""

    code = "hash-differs"
    status = 422
    rule = "R-ACCT-02"
    zh = "哈希值与认领意见不符，请重新核对"
    en = "The hash is not that of the proposal; look at it again"


class OrdersLeaveInFiles(Refusal):
    """Orders leave by one way only, or they might be paid twice."""

    code = "orders-leave-in-files"
    zh = "付款指令以银行文件发送，不在此处领取"
    en = "Payment orders leave in bank files and are not collected here"


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
