"""Refusals of the daily closing."""

from kernel.errors import Refusal


class NoStatement(Refusal):
    """The bank's statement of that day has not come, so there is nothing to compare with."""

    code = "no-statement"
    rule = "R-ACCT-08"
    zh = "尚未收到 {day} 的银行对账单"
    en = "The bank's statement of {day} has not come"


class StatementOpen(Refusal):
    """The statement's movements are still being booked; ask again in a moment."""

    code = "statement-open"
    rule = "R-ACCT-08"
    zh = "{day} 的银行对账单尚在入账"
    en = "The statement of {day} is still being booked"
