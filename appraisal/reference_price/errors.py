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


class ReportRecorded(Refusal):
    """The platform's report on this asset is recorded already."""

    code = "report-recorded"
    rule = "R-REF-07"
    zh = "{platform} 的报告已登记"
    en = "The report of {platform} is recorded already"


class ObjectionDecided(Refusal):
    """What became of the objection to this report is recorded already; later objections are refused."""

    code = "objection-decided"
    rule = "R-REF-12"
    zh = "对 {platform} 报告的异议已处理完毕"
    en = "The objection to the report of {platform} has been dealt with"


class NothingToObject(Refusal):
    """The platform delivered nothing that one could object to."""

    code = "nothing-to-object"
    rule = "R-REF-12"
    zh = "{platform} 未按时出具报告，无从提出异议"
    en = "{platform} delivered no report to object to"


class NoPriceBasis(Refusal):
    """No report or appraisal is there, or none of them counts."""

    code = "no-price-basis"
    rule = "R-REF-08"
    zh = "没有可以采用的询价或评估结果"
    en = "There is no enquiry report or appraisal that counts"


class PriceFixed(Refusal):
    """A reference price stands and is still valid: it is not fixed a second time, nor its basis changed."""

    code = "price-fixed"
    rule = "R-REF-13"
    zh = "参考价已确定，有效期至 {valid_until}"
    en = "The reference price is fixed and valid until {valid_until}"


class ValidityTooLong(Refusal):
    """An appraisal claims to be valid for more than a year."""

    code = "validity-too-long"
    rule = "R-REF-13"
    zh = "评估结果的有效期最长至 {longest_until}"
    en = "The appraisal can be valid until {longest_until} at most"


class BasisTooYoung(Refusal):
    """A price is to be fixed on a day before the report it rests on."""

    code = "basis-too-young"
    rule = "R-REF-07"
    zh = "确定日期 {fixed_on} 早于所依据报告的日期 {report_on}"
    en = "The price is fixed on {fixed_on}, before the report it rests on ({report_on})"


class BasisExpired(Refusal):
    """A price is to be fixed from a result that is no longer valid."""

    code = "basis-expired"
    rule = "R-REF-13"
    zh = "所依据的结果有效期至 {valid_until}，已过期"
    en = "The result the price would rest on was valid until {valid_until}"
