"""Rate limits by purpose and person or address: token buckets in this process, bounded in number.

They protect slow work (sign-in, registration, sockets); bids of a qualified bidder are limited far above what a
hand can do. With several processes each keeps its own, so a limit holds per process.
"""

from collections import OrderedDict
from collections.abc import Mapping
from math import ceil

from kernel.clock import monotonic
from kernel.errors import RateLimited

MOST_BUCKETS = 100_000

ROUNDING = 1e-6
"""Share of a token that sums of floats may be short of."""

LONGEST_WAIT_S = 900
"""However many failures: nobody is locked out, and a hundred guesses take a day."""

FORGOTTEN_S = 3_600
"""After so long without a try, failures are forgotten."""


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


class Backoff:
    """Failures in a row by purpose and person or address: the first few are free, then each doubles the wait.

    `rules`: purpose -> how many are free.
    """

    def __init__(self, rules: Mapping[str, int]) -> None:
        self._rules = rules
        self._failed: OrderedDict[tuple[str, str], tuple[int, float]] = OrderedDict()

    def check(self, purpose: str, who: str) -> None:
        """Refuse `rate-limited` before the wait of `who` is over."""
        failures, last = self._failures(purpose, who)
        wait = last + self._wait(purpose, failures) - monotonic()
        if wait > 0:
            raise RateLimited(retry_after_s=ceil(wait))

    def failed(self, purpose: str, who: str) -> None:
        """Count a failure."""
        failures, _ = self._failures(purpose, who)
        self._failed[(purpose, who)] = (failures + 1, monotonic())
        self._failed.move_to_end((purpose, who))
        while len(self._failed) > MOST_BUCKETS:
            self._failed.popitem(last=False)

    def forgive(self, purpose: str, who: str) -> None:
        """Take one failure back: nothing was found out."""
        failures, last = self._failures(purpose, who)
        self._failed[(purpose, who)] = (max(0, failures - 1), last)

    def forget(self, purpose: str, who: str) -> None:
        """Forget all failures: the last try was right."""
        self._failed.pop((purpose, who), None)

    def _failures(self, purpose: str, who: str) -> tuple[int, float]:
        failures, last = self._failed.get((purpose, who), (0, 0.0))
        return (0, 0.0) if monotonic() - last > FORGOTTEN_S else (failures, last)

    def _wait(self, purpose: str, failures: int) -> int:
        over = failures - self._rules[purpose]
        return min(LONGEST_WAIT_S, 2 ** min(over, 30)) if over >= 0 else 0
