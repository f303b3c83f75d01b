"""Refusals of the reference price."""

from kernel.errors import Refusal


class CorrectedPriceMissing(Refusal):
    """A report is said to be corrected, but no corrected price came with it."""

    code = "corrected-price-missing"
    rule = "R-REF-08"
    zh = "{platform} 的报告已补正，但未填写补正后的价格"
    en = "The report of {platform} was corrected, but its corrected price is missing"


class PriceExpired(Refusal):
    """The reference price is no longer good for the planned step; a new or re-issued one is needed."""

    code = "price-expired"
    rule = "R-REF-13"
    zh = "参考价有效期至 {valid_until}，首次拍卖公告须在此日或之前发布，且须在 {sell_by} 或之前成交"
    en = (
        "The reference price is valid until {valid_until}: announce first on or before that day and sell "
        "on or before {sell_by}"
    )
