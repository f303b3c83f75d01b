"""`auction bench bids` end to end, too short to prove anything but that it tells the truth about itself."""

from pathlib import Path

import msgspec
import pytest

from app.bench.bids import Options, main_bench_bids
from app.cli import main

FIELDS = {
    *("accepted_per_s", "decided_per_s", "accepted_share", "lost", "baseline_per_s", "ratio", "p50_ms", "p99_ms"),
    *("lots", "bidders", "watchers", "rate", "limits"),
}


@pytest.mark.slow
def test_the_last_line_says_what_was_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tmp_path.chmod(0o711)
    for folder in tmp_path.parents[:2]:
        folder.chmod(0o711)  # PostgreSQL runs as another account when root runs the tests
    options = Options(lots=2, bidders=8, watchers=2, seconds=1, warm_up_s=0.5, data_dir=str(tmp_path))
    assert main_bench_bids(options) == 0
    report = msgspec.json.decode(capsys.readouterr().out.splitlines()[-1])
    assert set(report) >= FIELDS
    assert (report["lots"], report["bidders"], report["watchers"], report["lost"]) == (2, 8, 2, 0)
    assert report["accepted_per_s"] > 0
    assert report["acknowledged"] >= report["accepted_per_s"]
    assert report["watched_events"] > 0
    assert report["settings"] == {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
    assert "fewer than 128 bidders" in report["void"], "a run as short as this proves nothing"
    assert list(tmp_path.iterdir()) == [], "its database is gone"


@pytest.mark.parametrize("wrong", [["--bidders", "0"], ["--rate", "-1"], ["--seconds", "x"], ["--cores", "2"]])
def test_wrong_options_are_refused(wrong: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["bench", "bids", *wrong])
    assert ended.value.code == 2
