"""The benchmark of distributions: its generator repeats itself, and its checker would say so if a rule were broken."""

import json
import random
from typing import Any

import pytest

from app.bench import distribution
from app.bench.distribution import Options, main_bench_distribution, make_case


def test_a_small_run_finds_nothing_wrong_and_says_what_it_did(capsys: pytest.CaptureFixture[str]) -> None:
    assert main_bench_distribution(Options(cases=300, seed=7)) == 0
    *mix, last = capsys.readouterr().out.splitlines()
    report = json.loads(last)
    assert (report["cases"], report["violations"], report["plan_claims"]) == (300, 0, 10_000)
    assert any("kind home_buyer" in line for line in mix)
    assert any("preference share_uplift" in line for line in mix)


def test_the_same_seed_makes_the_same_cases() -> None:
    first, again, other = (random.Random(seed) for seed in ("1/0", "1/0", "1/1"))
    cases = [make_case(first) for _ in range(20)]
    assert cases == [make_case(again) for _ in range(20)]
    assert cases != [make_case(other) for _ in range(20)]


def test_a_rule_that_loses_a_fen_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: one fen off the first line of every plan."""
    right = distribution.calculate

    def wrong(document: Any) -> dict[str, Any]:
        output = right(document)
        if output["allocations"]:
            output["allocations"][0]["amount_fen"] -= 1
        return output

    monkeypatch.setattr(distribution, "calculate", wrong)
    _, faults = distribution._run_chunk(7, 0, 50)
    assert len(faults) > 20
