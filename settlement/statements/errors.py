"""Refusals of statements."""

from kernel.errors import Refusal


class StatementSealed(Refusal):
    """While bidding runs, nobody but its bidder sees the movements of a deposit."""

    code = "statement-sealed"
    rule = "R-BID-07"
    zh = "竞价结束前不得查看该竞买人的资金流水"
    en = "Until bidding has ended only the bidder sees the movements of this deposit"
