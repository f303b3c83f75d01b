"""Rate limits by purpose and person or address: token buckets in this process, bounded in number.

They protect slow work (sign-in, registration, sockets); bids of a qualified bidder are limited far above what a
hand can do. With several processes each keeps its own, so a limit holds per process.
"""

from collections import OrderedDict
from collections.abc import Mapping

from kernel.clock import monotonic
from kernel.errors import RateLimited

MOST_BUCKETS = 100_000


class Limits:
    """`rules`: purpose -> (how many, in how many seconds). A full bucket is forgotten before an empty one."""

    def __init__(self, rules: Mapping[str, tuple[int, int]]) -> None:
        self._rules = rules
        self._buckets: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()

    def spend(self, purpose: str, who: str) -> None:
        """Take one token of `who`; refuses `rate-limited` when none is left."""
        most, seconds = self._rules[purpose]
        now = monotonic()
        tokens, since = self._buckets.pop((purpose, who), (float(most), now))
        tokens = min(float(most), tokens + (now - since) * most / seconds)
        allowed = tokens >= 1
        self._buckets[(purpose, who)] = (tokens - 1 if allowed else tokens, now)
        while len(self._buckets) > MOST_BUCKETS:
            self._buckets.popitem(last=False)
        if not allowed:
            raise RateLimited(retry_after_s=max(1, round((1 - tokens) * seconds / most)))
