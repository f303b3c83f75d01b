"""Refusals of evidence."""

from kernel.errors import Refusal


class BeyondLog(Refusal):
    """A proof was asked for that the log cannot give: it is not that long, or the smaller size is the larger."""

    code = "beyond-log"
    status = 404
    zh = "证据日志没有这样的位置或长度"
    en = "The evidence log has no such entry or size"
