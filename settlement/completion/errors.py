"""Refusals on the way from the hammer to the handover."""

from kernel.errors import Refusal


class SaleElsewhere(Refusal):
    """The step does not fit where the sale stands."""

    code = "sale-not-there"
    rule = "R-CLOSE-05"
    zh = "该成交标的目前状态为 {state}，不能进行此步骤"
    en = "The sale stands at {state}; this step does not fit there"


class BalanceNotOverdue(Refusal):
    """The buyer still has time to pay the balance."""

    code = "balance-not-overdue"
    rule = "R-CLOSE-04"
    zh = "尾款支付期限（{due_at}）尚未届满，不能认定悔拍"
    en = "The balance is due by {due_at}; there is no default before that"


class AssetOnHold(Refusal):
    """A third party's objection stands: the asset may not be disposed of."""

    code = "asset-on-hold"
    rule = "R-CASE-09"
    zh = "标的物存在暂停处置事由（{reason}），解除前不得继续"
    en = "The asset is on hold ({reason}) and may not be disposed of until that is lifted"


class PurchaseUnproved(Refusal):
    """A home under purchase limits: the panel's decision does not say that the buyer proved eligibility."""

    code = "purchase-eligibility-unproved"
    rule = "R-HOME-02"
    zh = "限购房产：成交裁定前须审查买受人购房资格证明（决定中 purchase_eligibility 应为 proved）"
    en = "Purchase limits apply: the decision must state purchase_eligibility = proved before the ruling"


class WrongDay(Refusal):
    """A day that cannot be: in the future, or before the step it follows."""

    code = "wrong-day"
    rule = "R-CLOSE-06"
    zh = "日期 {day} 应在 {earliest} 至 {latest} 之间"
    en = "The day {day} should lie between {earliest} and {latest}"


class LotOfAnotherCase(Refusal):
    """A cost was booked on a lot of another case."""

    code = "lot-of-another-case"
    rule = "R-ACCT-01"
    zh = "该标的不属于本案"
    en = "The lot belongs to another case"
