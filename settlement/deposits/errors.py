"""Refusals of deposits."""

from kernel.errors import Refusal


class HoldEnded(Refusal):
    """The hold was applied, released or forfeited already: it ends once."""

    code = "hold-ended"
    rule = "R-CLOSE-02"
    zh = "该保证金已作处理（{outcome_zh}）"
    en = "This deposit has ended already ({outcome})"
