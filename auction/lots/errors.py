"""Refusals of a lot's terms. Facts carry amounts in fen, sentences say them in yuan."""

from kernel.errors import Refusal


class TermsRefused(Refusal):
    """Base of the refusals of terms that the panel decided outside the legal bounds (R-GEN-05)."""


class StartPriceTooLow(TermsRefused):
    """The start price of a first round or resale is below its share of the reference price."""

    code = "start-price-too-low"
    rule = "R-BID-01"
    zh = "起拍价不得低于参考价的{percent}%，即 {floor_fen} 元"
    en = "The start price may not be below {percent} % of the reference price, {floor_fen} yuan"


class SecondRoundPriceTooLow(TermsRefused):
    """The start price of the second round is further below that of the first than the law lets it fall."""

    code = "second-round-price-too-low"
    rule = "R-FAIL-01"
    zh = "二拍起拍价的降幅不得超过前次起拍价的{percent}%，即不得低于 {floor_fen} 元"
    en = "The second round may start at most {percent} % below the first, at {floor_fen} yuan or more"


class SellOffPriceDiffers(TermsRefused):
    """The sell-off price is not the price at which the second round failed."""

    code = "sell-off-price-differs"
    rule = "R-SELL-03"
    zh = "变卖价应为二拍流拍价 {price_fen} 元"
    en = "The sell-off price is the price at which the second round failed, {price_fen} yuan"


class DepositOutOfBand(TermsRefused):
    """The deposit is a smaller or larger share of the start price than the law allows."""

    code = "deposit-out-of-band"
    rule = "R-BID-03"
    zh = "保证金应为起拍价的{min_percent}%至{max_percent}%，即 {deposit_min_fen} 元至 {deposit_max_fen} 元"
    en = (
        "The deposit must be {min_percent} % to {max_percent} % of the start price, "
        "{deposit_min_fen} to {deposit_max_fen} yuan"
    )


class IncrementMissing(TermsRefused):
    """The bid increment is not a positive amount."""

    code = "increment-missing"
    rule = "R-BID-08"
    zh = "增价幅度须大于零"
    en = "The bid increment must be more than zero"


class BiddingTooShort(TermsRefused):
    """Bidding would last less than 24 hours."""

    code = "bidding-too-short"
    rule = "R-BID-09"
    zh = "竞价时间不得少于{minimum_hours}小时"
    en = "Bidding lasts at least {minimum_hours} hours"


class SellOffPeriodDiffers(TermsRefused):
    """A sell-off waits 60 days for its first bid; the 24 hours from that bid may run past them."""

    code = "sell-off-period-differs"
    rule = "R-SELL-02"
    zh = "变卖期为{days}日"
    en = "A sell-off stands open for {days} days"


class BalanceTermMissing(TermsRefused):
    """The announcement would not say within how many days the balance is due."""

    code = "balance-term-missing"
    rule = "R-CLOSE-04"
    zh = "须写明支付尾款的期限（天数）"
    en = "The number of days in which the balance is due must be stated"


class TermsIncomplete(Refusal):
    """The lot has no decided terms or no time yet, as a resale that was only ordered."""

    code = "terms-incomplete"
    rule = "R-GEN-05"
    zh = "合议庭尚未就本次拍卖的起拍价、增价幅度、保证金和竞价时间作出决定"
    en = "The panel has not yet decided the start price, increment, deposit and time of this sale"


class DecisionDiffers(Refusal):
    """A value differs from the one the panel's decision names."""

    code = "decision-differs"
    rule = "R-GEN-05"
    zh = "{field_zh}与合议庭决定不一致，决定为 {decided_zh}"
    en = "{field} differs from the panel's decision, which says {decided}"


class AssetOnSale(Refusal):
    """The asset already has a lot that has no outcome yet."""

    code = "asset-on-sale"
    rule = "R-FAIL-02"
    zh = "该财产已有尚未结束的拍卖标的"
    en = "The asset already has a lot that has not ended"


class AssetSold(Refusal):
    """A sale of the asset stands; it is sold again only after a default or an annulment."""

    code = "asset-sold"
    rule = "R-SEAL-04"
    zh = "该财产已经成交，买受人悔拍或者拍卖被撤销后方可重新拍卖"
    en = "The asset is sold; it may be sold again only after a default or an annulment"


class RoundNotAllowed(Refusal):
    """The asset's earlier sales do not lead to this round."""

    code = "round-not-allowed"
    rule = "R-FAIL-02"
    zh = "该财产的前次拍卖结果不允许此轮次，可进行：{allowed_zh}"
    en = "The earlier sales of the asset do not lead to this round; possible: {allowed_en}"


class PreviousLotDiffers(Refusal):
    """The lot named as previous is not the latest sale of the asset."""

    code = "previous-lot-differs"
    rule = "R-FAIL-01"
    zh = "前次拍卖标的填写有误"
    en = "The lot named as previous is not the latest sale of this asset"


class ResaleNotOrdered(Refusal):
    """A resale without the order that follows the default, so nobody would be barred."""

    code = "resale-not-ordered"
    rule = "R-CLOSE-10"
    zh = "重新拍卖须在认定悔拍时作出"
    en = "A resale is ordered when the default is found"


class NotADraft(Refusal):
    """The announcement is out, so what it says is frozen."""

    code = "not-a-draft"
    rule = "R-PUB-02"
    zh = "公告已经发布，内容不得更改"
    en = "The announcement is published and cannot be changed"


class SecondRoundStands(Refusal):
    """The creditors are asked after the second round has failed, about that round's price."""

    code = "second-round-stands"
    rule = "R-SELL-01"
    zh = "二拍流拍后方可询问债权人是否以物抵债"
    en = "Creditors are asked about taking in satisfaction once the second round has failed"


class NotSold(Refusal):
    """A default was found on a lot that is not sold."""

    code = "not-sold"
    rule = "R-CLOSE-10"
    zh = "该标的尚未成交，不能认定悔拍"
    en = "The lot is not sold, so no buyer can have defaulted"
