"""Refusals on the way from the hammer to the handover."""

from kernel.errors import Refusal


class SaleNotThere(Refusal):
    """The step does not fit where the sale stands."""

    code = "sale-not-there"
    rule = "R-CLOSE-05"
    zh = "该成交标的目前为“{state_zh}”，不能进行此步骤"
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
    zh = "该财产已停止处分（{reason}），解除前不得继续"
    en = "The asset is on hold ({reason}) and may not be disposed of until that is lifted"


class PurchaseUnproved(Refusal):
    """A home under purchase limits: the panel's decision does not say that the buyer proved eligibility."""

    code = "purchase-eligibility-unproved"
    rule = "R-HOME-02"
    zh = "限购房产：裁定前须审查购房资格证明（决定中 purchase_eligibility 应为 proved，并写明 eligibility_document）"
    en = "Purchase limits apply: before the ruling the decision must state purchase_eligibility = proved and its paper"


class PurchaseProofGap(Refusal):
    """The proof does not say that eligibility lasted from the application to the ruling."""

    code = "purchase-proof-gap"
    rule = "R-HOME-02"
    zh = "购房资格证明应覆盖自申请竞买（{applied_on}）至作出裁定（{today}）的全部期间（eligible_from、eligible_until）"
    en = (
        "The proof of eligibility must cover every day from the application ({applied_on}) to the ruling ({today}) "
        "(eligible_from, eligible_until)"
    )


class ApprovalMissing(Refusal):
    """The transfer of the equity needs an authority's approval, and the panel's decision does not name it."""

    code = "approval-missing"
    rule = "R-CLOSE-14"
    zh = "股权转让须经批准：裁定前应取得批准（决定中 transfer_approval 应为 granted，并写明 approval_document）"
    en = "The transfer needs approval: the decision must state transfer_approval = granted and the paper of it"


class SetOffUndecided(Refusal):
    """No law lets a buyer keep back what they would get of the price; the panel's decision does not either."""

    code = "set-off-undecided"
    rule = "R-CLOSE-04"
    zh = "未经合议庭决定不得以债权抵价款（决定中 set_off_for 应写明以谁的债权相抵）"
    en = "A price is set off against a claim only where the panel's decision names the creditor in set_off_for"


class SetOffBuyer(Refusal):
    """The creditor whom the decision names did not buy alone, or has no claim that takes part."""

    code = "set-off-buyer"
    rule = "R-CLOSE-04"
    zh = "以债权抵价款的应为本案参与分配的债权人，且为唯一买受人（书记员已将其账号关联至该当事人）：{name}"
    en = "Who sets off must be a creditor who takes part and bought alone, by an account linked to the party: {name}"


class NothingToSetOff(Refusal):
    """The distribution would give the buyer nothing of the price, or the deposit pays all of it."""

    code = "nothing-to-set-off"
    rule = "R-CLOSE-04"
    zh = "买受人自该价款中可受偿 {entitlement_fen} 元，应付尾款 {balance_fen} 元，无可抵销"
    en = "The buyer would receive {entitlement_fen} yuan of the price and owes a balance of {balance_fen} yuan"


class SetOffOrdered(Refusal):
    """The court has ordered it once."""

    code = "set-off-ordered"
    rule = "R-CLOSE-04"
    zh = "本次成交已决定以债权抵价款"
    en = "A set-off of this price is on record"


class BalanceOverdue(Refusal):
    """The balance is overdue: what follows is a default or payment, no easier terms."""

    code = "balance-overdue"
    rule = "R-CLOSE-04"
    zh = "尾款支付期限（{due_at}）已届满，不得再以债权抵价款"
    en = "The balance was due by {due_at}; after that nothing is set off"


class ShortfallUnknown(Refusal):
    """What a default cost is known only when the resale is paid and served."""

    code = "shortfall-unknown"
    rule = "R-CLOSE-09"
    zh = "重新拍卖尚未付清并送达裁定，差价未定，不能责令补交"
    en = "The resale is not paid and served yet, so nobody knows what is to be made good"


class ShortfallOrdered(Refusal):
    """The court has ordered it once."""

    code = "shortfall-ordered"
    rule = "R-CLOSE-09"
    zh = "已就该次悔拍作出补交裁定"
    en = "An order to make the shortfall good is on record"


class ShortfallExceeded(Refusal):
    """The order asks more than costs and shortfall leave uncovered."""

    code = "shortfall-exceeded"
    rule = "R-CLOSE-09"
    zh = "补交金额不得超过保证金未能弥补的部分（{uncovered_fen} 元）"
    en = "No more can be ordered than the deposit left uncovered ({uncovered_fen} yuan)"


class DepositUsed(Refusal):
    """The resale to be annulled is what a forfeited deposit was used against."""

    code = "deposit-used"
    rule = "R-HALT-04"
    zh = "前次悔拍保证金已按本次成交价抵补，须先就其用途另行裁定，不能撤销本次拍卖"
    en = "A forfeited deposit was used by this sale's price; the court must first decide about that use"


class WrongDay(Refusal):
    """A day that cannot be: in the future, or before the step it follows."""

    code = "wrong-day"
    rule = "R-CLOSE-06"
    zh = "日期 {day} 应在 {earliest} 至 {latest} 之间"
    en = "The day {day} should lie between {earliest} and {latest}"


class DayPassed(WrongDay):
    """A last day to act that is over before it is set; there is no latest one."""

    zh = "日期 {day} 不得早于 {earliest}"
    en = "The day {day} may not be before {earliest}"


class LotOfAnotherCase(Refusal):
    """A cost was booked on a lot of another case."""

    code = "lot-of-another-case"
    rule = "R-ACCT-01"
    zh = "该标的不属于本案"
    en = "The lot belongs to another case"
