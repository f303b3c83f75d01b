"""Limits by purpose and person or address: buckets that refill, and waits that double with failures."""

import pytest

from kernel import limits
from kernel.errors import RateLimited
from kernel.limits import Backoff, Limits


class Passing:
    """The machine's own clock, moved by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1_000.0
        monkeypatch.setattr(limits, "monotonic", lambda: self.now)


def wait_of(backoff: Backoff, who: str = "a") -> int:
    """0 if a try may begin now, else the seconds it is told to wait."""
    try:
        backoff.check("account", who)
    except RateLimited as refusal:
        return int(str(refusal.facts["retry_after_s"]))
    backoff.failed("account", who)
    return 0


def test_after_five_failures_each_doubles_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, backoff = Passing(monkeypatch), Backoff({"account": 5})
    assert [wait_of(backoff) for _ in range(6)] == [0, 0, 0, 0, 0, 1]
    waits = []
    for _ in range(12):
        waits.append(wait_of(backoff))
        clock.now += waits[-1]
        assert wait_of(backoff) == 0
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]
    assert wait_of(backoff, "b") == 0, "others are not slowed"


def test_what_is_refused_is_no_further_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hammering does not lock: the wait ends when it was said to end."""
    clock, backoff = Passing(monkeypatch), Backoff({"account": 5})
    for _ in range(1_000):
        wait_of(backoff)
    clock.now += 1
    assert wait_of(backoff) == 0


def test_success_forgets_and_time_forgets(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, backoff = Passing(monkeypatch), Backoff({"account": 5})
    for _ in range(4):
        wait_of(backoff)
    backoff.forget("account", "a")
    assert [wait_of(backoff) for _ in range(6)] == [0, 0, 0, 0, 0, 1]
    clock.now += limits.FORGOTTEN_S + 1
    assert [wait_of(backoff) for _ in range(6)] == [0, 0, 0, 0, 0, 1]


def test_a_try_that_found_nothing_out_is_forgiven(monkeypatch: pytest.MonkeyPatch) -> None:
    Passing(monkeypatch)
    backoff = Backoff({"account": 5})
    backoff.forgive("account", "a")
    for _ in range(4):
        wait_of(backoff)
    for _ in range(3):
        assert wait_of(backoff) == 0
        backoff.forgive("account", "a")
    assert [wait_of(backoff) for _ in range(2)] == [0, 1]


def test_a_whole_bucket_may_be_spent_at_once_and_not_one_more(monkeypatch: pytest.MonkeyPatch) -> None:
    Passing(monkeypatch)
    buckets = Limits({"bid": (7, 60)})
    for _ in range(7):
        buckets.spend("bid", "anna")
    with pytest.raises(RateLimited) as refused:
        buckets.spend("bid", "anna")
    assert refused.value.facts["retry_after_s"] == 9  # 60 s for seven: one comes back in 8.57 s
    buckets.spend("bid", "bert")


def test_tokens_come_back_one_by_one_and_refusals_cost_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Passing(monkeypatch)
    buckets = Limits({"bid": (6, 60)})
    for _ in range(6):
        buckets.spend("bid", "anna")
    for _ in range(50):
        with pytest.raises(RateLimited):
            buckets.spend("bid", "anna")
    clock.now += 10
    buckets.spend("bid", "anna")
    with pytest.raises(RateLimited):
        buckets.spend("bid", "anna")
    clock.now += 3600  # a bucket is never more than full
    for _ in range(6):
        buckets.spend("bid", "anna")
    with pytest.raises(RateLimited):
        buckets.spend("bid", "anna")


def test_purposes_do_not_share_a_bucket(monkeypatch: pytest.MonkeyPatch) -> None:
    Passing(monkeypatch)
    buckets = Limits({"list": (1, 60), "sign-in": (1, 60)})
    buckets.spend("list", "10.0.0.1")
    buckets.spend("sign-in", "10.0.0.1")
    with pytest.raises(RateLimited):
        buckets.spend("list", "10.0.0.1")


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_BUCKETS", 10)
    backoff, buckets = Backoff({"account": 5}), Limits({"x": (1, 60)})
    for number in range(100):
        wait_of(backoff, str(number))
        buckets.spend("x", str(number))
    assert len(backoff._failed) == len(buckets._full_at) == 10
