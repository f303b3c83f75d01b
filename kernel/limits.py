"""Rate limits by purpose and person or address: token buckets in this process, bounded in number.

They protect slow work (sign-in, registration, sockets); bids of a qualified bidder are limited far above what a
hand can do. With several processes each keeps its own, so a limit holds per process.
"""

from collections.abc import Mapping

from kernel.clock import monotonic
from kernel.errors import RateLimited

MOST_BUCKETS = 100_000

ROUNDING = 1e-6
"""Share of a token that sums of floats may be short of."""


class Limits:
    """`rules`: purpose -> (how many, in how many seconds). The bucket that was not used for longest is forgotten first.

    A bucket is one number, the moment at which it will be full again: each token taken moves it on by one token's time,
    and it may never lie further ahead than a whole bucket takes to fill.
    """

    def __init__(self, rules: Mapping[str, tuple[int, int]]) -> None:
        self._rules = {purpose: (seconds / most, float(seconds)) for purpose, (most, seconds) in rules.items()}
        self._full_at: dict[tuple[str, str], float] = {}

    def spend(self, purpose: str, who: str) -> None:
        """Take one token of `who`; refuses `rate-limited` when none is left."""
        token_s, bucket_s = self._rules[purpose]
        bucket, now = (purpose, who), monotonic()
        before = self._full_at.pop(bucket, now)
        full_at = (before if before > now else now) + token_s
        wait_s = full_at - now - bucket_s
        allowed = wait_s <= token_s * ROUNDING
        self._full_at[bucket] = full_at if allowed else before
        if len(self._full_at) > MOST_BUCKETS:
            del self._full_at[next(iter(self._full_at))]
        if not allowed:
            raise RateLimited(retry_after_s=max(1, round(wait_s)))
