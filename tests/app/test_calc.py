"""`auction calc`: the examples of the formats, the worked cases end to end, and a table of bad input."""

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app.calc import CALCULATORS, run
from app.cli import main
from kernel.errors import Malformed

REPOSITORY = Path(__file__).parents[2]


def calculated(name: str, document: object) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(run(name, json.dumps(document).encode()))
    return answer


def report(platform: str, price_fen: int | None, objection: str = "none", **more: object) -> dict[str, object]:
    delivered = price_fen is not None
    return {
        "platform": platform,
        "price_fen": price_fen,
        "delivered": delivered,
        "objection": objection,
        **more,
    }


def held(round_: object, start_fen: int, price_fen: int | None = None) -> dict[str, object]:
    result = "failed" if price_fen is None else "sold"
    return {"round": round_, "start_fen": start_fen, "result": result, "price_fen": price_fen}


def segment(start: str, end: str, days: int, base_fen: int, interest_fen: int) -> dict[str, object]:
    return {"from": start, "to": end, "days": days, "base_fen": base_fen, "interest_fen": interest_fen}


W07 = {
    "lots": [
        {"id": "L1", "reference_fen": 100_000_000, "rounds": [held(1, 70_000_000, 91_000_000)]},
        {
            "id": "L2",
            "reference_fen": 50_000_000,
            "rounds": [held(1, 35_000_000), held(2, 28_000_000, 28_000_000)],
        },
        {"id": "L3", "reference_fen": 8_000_000, "rounds": [held(1, 5_600_000, 12_320_000)]},
        {
            "id": "L4",
            "reference_fen": 200_000_000,
            "rounds": [held(1, 140_000_000), held(2, 112_000_000), held("sell_off", 112_000_000)],
        },
    ]
}
DEFAULT = {
    "first_price_fen": 100_000_000,
    "deposit_fen": 30_000_000,
    "costs_fen": 500_000,
    "resale_price_fen": 88_000_000,
    "case_debt_open_fen": 16_000_000,
    "related_debt_open_fen": 5_000_000,
}

GOOD: list[tuple[str, object, dict[str, object]]] = [
    (
        "reference-price",
        {"reports": [report("A", 123_456_700), report("B", 130_000_100), report("C", 125_000_001)]},
        {
            "reference_price_fen": 126_152_267,
            "included": ["A", "B", "C"],
            "excluded": [],
            "floor_fen": 88_306_587,
            "rules": ["R-REF-07", "R-REF-08", "R-BID-01", "R-GEN-04"],
        },
    ),
    (
        "reference-price",
        {
            "reports": [
                report("A", 123_456_700, "dismissed"),
                report("B", 1, "corrected", corrected_price_fen=123_456_702),
                report("C", 5, "upheld"),
                {"platform": "D", "delivered": False, "objection": "none"},
            ]
        },
        {
            "reference_price_fen": 123_456_701,
            "included": ["A", "B"],
            "excluded": [
                {"platform": "C", "reason": "upheld"},
                {"platform": "D", "reason": "not-delivered"},
            ],
            "floor_fen": 86_419_691,
            "rules": ["R-REF-07", "R-REF-08", "R-BID-01", "R-GEN-04"],
        },
    ),
    (
        "reference-price",
        {"reports": []},
        {
            "reference_price_fen": None,
            "included": [],
            "excluded": [],
            "floor_fen": None,
            "rules": ["R-REF-07", "R-REF-08", "R-BID-01", "R-GEN-04"],
        },
    ),
    (
        "prices",
        {"reference_price_fen": 88_333_333, "round_1_start_fen": None},
        {
            "round_1_min_fen": 61_833_334,
            "round_1_deposit_min_fen": 3_091_667,
            "round_1_deposit_max_fen": 12_366_666,
            "round_2_min_fen": 49_466_668,
            "round_2_deposit_min_fen": 2_473_334,
            "round_2_deposit_max_fen": 9_893_333,
            "sell_off_fen": 49_466_668,
            "rules": ["R-BID-01", "R-BID-03", "R-FAIL-01", "R-SELL-03", "R-GEN-04"],
        },
    ),
    (
        "deposit",
        {"deposit_fen": 20_000_000, "bidder": "applicant", "claim_fen": 15_000_000},
        {"due_fen": 5_000_000, "rules": ["R-BID-05"]},
    ),
    (
        "deposit",
        {"deposit_fen": 20_000_000, "bidder": "other_creditor", "claim_fen": 90_000_000},
        {"due_fen": 20_000_000, "rules": ["R-BID-05"]},
    ),
    ("deposit", {"deposit_fen": 1, "bidder": "ordinary"}, {"due_fen": 1, "rules": ["R-BID-05"]}),
    ("fee", {"amount_fen": 1_234_567_890}, {"fee_fen": 7_974_568, "rules": ["R-COST-01", "R-GEN-04"]}),
    ("fee", {"amount_fen": 0}, {"fee_fen": 5_000, "rules": ["R-COST-01", "R-GEN-04"]}),
    (
        "default",
        DEFAULT,
        {
            "to_costs_fen": 500_000,
            "to_shortfall_fen": 12_000_000,
            "to_case_debt_fen": 16_000_000,
            "to_related_debt_fen": 1_500_000,
            "pending_decision_fen": 0,
            "uncovered_fen": 0,
            "rules": ["R-CLOSE-08", "R-CLOSE-09", "R-CLOSE-10"],
        },
    ),
    (
        "interest",
        {
            "principal_fen": 100_000_000,
            "performance_due_on": "2024-01-10",
            "stop_on": "2024-08-27",
            "payments": [{"on": "2024-04-19", "amount_fen": 40_000_000}],
            "excluded": [{"from": "2024-05-01", "to": "2024-05-31"}],
        },
        {
            "doubled_interest_fen": 2_800_000,
            "segments": [
                segment("2024-01-10", "2024-04-19", 100, 100_000_000, 1_750_000),
                segment("2024-04-19", "2024-05-01", 12, 60_000_000, 126_000),
                segment("2024-05-31", "2024-08-27", 88, 60_000_000, 924_000),
            ],
            "rules": ["R-INT-02", "R-INT-03", "R-INT-04"],
        },
    ),
    (
        "deadlines",
        {"event": "plan_served", "on": "2025-06-06"},
        {
            "due_on": "2025-06-23",
            "rolled": True,
            "calendar_known": True,
            "rules": ["R-DIST-05", "R-GEN-03"],
        },
    ),
    (
        "statistics",
        W07,
        {
            "premium_over_start": {"mean": "50.00", "median": "30.00", "weighted": "26.76"},
            "premium_over_reference": {"mean": "0.33", "median": "-9.00", "weighted": "-16.89"},
            "success_rate": {
                "items": "75.00",
                "rounds": "42.86",
                "auctions": "50.00",
                "round_1": "50.00",
                "round_2": "50.00",
                "sell_off": "0.00",
            },
            "turnover_fen": 131_320_000,
            "commission_saved_fen": {"brackets": 6_566_000, "flat_5_percent": 6_566_000},
            "rules": ["R-STAT-01", "R-STAT-02", "R-STAT-03", "R-STAT-04", "R-COST-06"],
        },
    ),
    (
        "statistics",
        {"lots": []},
        {
            "premium_over_start": {"mean": None, "median": None, "weighted": None},
            "premium_over_reference": {"mean": None, "median": None, "weighted": None},
            "success_rate": dict.fromkeys(("items", "rounds", "auctions", "round_1", "round_2", "sell_off")),
            "turnover_fen": 0,
            "commission_saved_fen": {"brackets": 0, "flat_5_percent": 0},
            "rules": ["R-STAT-01", "R-STAT-02", "R-STAT-03", "R-STAT-04", "R-COST-06"],
        },
    ),
]


@pytest.mark.parametrize(("name", "document", "answer"), GOOD)
def test_answers(name: str, document: object, answer: dict[str, object]) -> None:
    assert calculated(name, document) == answer


@pytest.mark.parametrize("name", CALCULATORS)
def test_every_calculator_is_there_and_asks_for_an_object(name: str) -> None:
    with pytest.raises(Malformed) as caught:
        run(name, b"[]")
    assert caught.value.facts["path"] == "$"


def test_unknown_calculator_and_missing_file(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["calc", "luck"]) == 2
    assert main(["calc", "fee", str(tmp_path / "missing")]) == 2
    assert main(["calc", "fee", str(tmp_path)]) == 2
    lines = capfd.readouterr().err.splitlines()
    assert len(lines) == 3
    assert "reference-price" in lines[0]


def test_standard_input(monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"amount_fen": 1000100}')))
    assert main(["calc", "fee"]) == 0
    sys.stdout.flush()
    assert json.loads(capfdbinary.readouterr().out) == {"fee_fen": 5_002, "rules": ["R-COST-01", "R-GEN-04"]}


def test_the_command_itself_with_no_locale() -> None:
    """Chinese in the document and in the message must not depend on the terminal."""
    finished = subprocess.run(
        [sys.executable, "-m", "app.cli", "calc", "reference-price"],
        input='{"reports": [{"platform": "甲", "delivered": true, "objection": "none"}], "多": 1}'.encode(),
        capture_output=True,
        cwd=REPOSITORY,
        env={"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        check=False,
        timeout=60,
    )
    assert finished.returncode == 2
    assert finished.stderr.count(b"\n") == 1
    assert finished.stdout == b""
