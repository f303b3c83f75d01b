"""Refusals of the live feed and of the HTTP doors beside it."""

from kernel.errors import Refusal


class RecordSealed(Refusal):
    """The whole record of a lot is published once bidding has ended; until then its events are."""

    code = "record-sealed"
    rule = "R-BID-12"
    zh = "竞价结束后公布完整竞价记录"
    en = "The full record is published once bidding has ended"
