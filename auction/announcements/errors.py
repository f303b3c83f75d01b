"""Refusals of a publication."""

from kernel.errors import Refusal


class PublishedTooLate(Refusal):
    """The announcement would stand for fewer days than the law asks."""

    code = "published-too-late"
    rule = "R-PUB-01"
    zh = "拍卖公告须在拍卖{days}日前发布，最早可于 {earliest_start_on} 开始"
    en = "The announcement must stand {days} days; bidding can start on {earliest_start_on} at the earliest"


class SecondRoundPublishedTooLate(PublishedTooLate):
    """The same for a second round, whose periods are shorter."""

    rule = "R-FAIL-01"


class SellOffPublishedTooLate(PublishedTooLate):
    """The same for a sell-off, whose periods come from a notice known from secondary sources."""

    rule = "R-SELL-02"


class SecondRoundTooLate(Refusal):
    """The second round would start more than 30 days after the first failed."""

    code = "second-round-too-late"
    rule = "R-FAIL-01"
    zh = "二次拍卖须在流拍后{days}日内开始，最迟为 {latest_start_on}"
    en = "The second round must start within {days} days of the failure, by {latest_start_on}"


class ChecklistIncomplete(Refusal):
    """Something that must be shown on the day of publication is missing."""

    code = "checklist-incomplete"
    rule = "R-PUB-03"
    zh = "公示事项不完整，尚缺：{items_zh}"
    en = "The disclosure is incomplete; missing: {items_en}"


class NoticeOutstanding(Refusal):
    """A party or known priority purchaser was not told in time, did not waive, and was not posted."""

    code = "notice-outstanding"
    rule = "R-PUB-05"
    zh = "须在公告发布{days}日前通知当事人和已知优先购买权人；尚未完成通知：{persons}"
    en = "Parties and known priority purchasers must be told {days} days before; outstanding: {persons}"


class AssetHeld(Refusal):
    """The asset may not be disposed of while an objection to it is reviewed."""

    code = "asset-held"
    rule = "R-CASE-09"
    zh = "该财产已停止处分（{reasons}），解除前不得公告"
    en = "The asset may not be disposed of now: {reasons}"
