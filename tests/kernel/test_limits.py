"""Limits refuse what is over them, forgive with time, and stay bounded."""

import pytest

from kernel import limits
from kernel.errors import RateLimited
from kernel.limits import Limits


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The monotonic clock, in seconds: a list of one number that the test moves."""
    now = [1_000_000.1]
    monkeypatch.setattr(limits, "monotonic", lambda: now[0])
    return now


def test_a_whole_bucket_may_be_spent_at_once_and_not_one_more(at: list[float]) -> None:
    buckets = Limits({"bid": (7, 60)})
    for _ in range(7):
        buckets.spend("bid", "anna")
    with pytest.raises(RateLimited) as refused:
        buckets.spend("bid", "anna")
    assert refused.value.facts["retry_after_s"] == 9  # 60 s for seven: one comes back in 8.57 s
    buckets.spend("bid", "bert")


def test_tokens_come_back_one_by_one_and_refusals_cost_nothing(at: list[float]) -> None:
    buckets = Limits({"bid": (6, 60)})
    for _ in range(6):
        buckets.spend("bid", "anna")
    for _ in range(50):
        with pytest.raises(RateLimited):
            buckets.spend("bid", "anna")
    at[0] += 10
    buckets.spend("bid", "anna")
    with pytest.raises(RateLimited):
        buckets.spend("bid", "anna")
    at[0] += 3600  # a bucket is never more than full
    for _ in range(6):
        buckets.spend("bid", "anna")
    with pytest.raises(RateLimited):
        buckets.spend("bid", "anna")


def test_purposes_do_not_share_a_bucket(at: list[float]) -> None:
    buckets = Limits({"list": (1, 60), "sign-in": (1, 60)})
    buckets.spend("list", "10.0.0.1")
    buckets.spend("sign-in", "10.0.0.1")
    with pytest.raises(RateLimited):
        buckets.spend("list", "10.0.0.1")


def test_the_number_of_buckets_is_bounded_and_the_idle_one_goes_first(
    at: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MOST_BUCKETS", 2)
    buckets = Limits({"bid": (1, 60)})
    buckets.spend("bid", "anna")
    buckets.spend("bid", "bert")
    with pytest.raises(RateLimited):
        buckets.spend("bid", "anna")
    buckets.spend("bid", "carl")
    with pytest.raises(RateLimited):
        buckets.spend("bid", "anna")
    buckets.spend("bid", "bert")
