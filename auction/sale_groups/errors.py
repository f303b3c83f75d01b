"""Refusals of a sale group."""

from kernel.errors import Refusal


class GroupOfAnotherCase(Refusal):
    """Lots of one group serve one debt, so they belong to one case."""

    code = "group-of-another-case"
    rule = "R-CLOSE-12"
    zh = "该组标的不属于本案"
    en = "The sale group belongs to another case"


class EndsNotStaggered(Refusal):
    """Two lots of the group would end too close together for the first one to stop the second."""

    code = "ends-not-staggered"
    rule = "R-CLOSE-12"
    zh = "同组标的的结束时间须错开至少{minutes}分钟，与 {ends_at} 结束的标的过近"
    en = "Lots of one group end at least {minutes} minutes apart; one of them ends at {ends_at}"
