"""`auction bench close` end to end, far too small to prove a speed: every lot, bid and deposit ends as it should."""

from pathlib import Path

import msgspec
import pytest

from app.bench.close import Found, Options, _faults, main_bench_close
from app.bench.closing_load import Outcome
from app.cli import main

FIELDS = {"lots", "seconds", "early", "late_p99_ms", "deposits_released", "deposits_applied", "unbalanced"}


@pytest.mark.slow
def test_the_last_line_says_what_became_of_every_lot_and_deposit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tmp_path.chmod(0o711)
    for folder in tmp_path.parents[:2]:
        folder.chmod(0o711)  # PostgreSQL runs as another account when root runs the tests
    for ahead_s in (30, 90, 240):  # until the server starts in time, however busy the machine is
        options = Options(lots=6, extended=2, bidders_per_lot=3, ahead_s=ahead_s, data_dir=str(tmp_path))
        status = main_bench_close(options)
        report = msgspec.json.decode(capsys.readouterr().out.splitlines()[-1])
        if not any("too late" in reason for reason in report["void"]):
            break
    assert (status, report["faults"]) == (0, []), report
    assert set(report) >= FIELDS
    assert (report["lots"], report["closed"], report["extended"], report["early"]) == (6, 6, 2, 0)
    assert (report["deposits_released"], report["deposits_applied"], report["unbalanced"]) == (12, 6, 0)
    assert report["refusals"] == {"below-minimum": 3}
    assert report["settings"] == {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
    assert any("fewer than 10000" in reason for reason in report["void"]), "a run as small as this proves nothing"
    assert list(tmp_path.iterdir()) == [], "its database is gone"


def test_what_went_wrong_is_named() -> None:
    """The control: a lot closed early, a deposit kept back and a fen lost make faults of their own."""
    right = Found(
        closed=6,
        sold=6,
        frozen=0,
        early=0,
        late_p99_ms=1.0,
        extended=2,
        wrong_ends=0,
        entered_late=0,
        released=12,
        applied=6,
        orders=12,
        sales=6,
        unbalanced=[],
        settings={},
    )
    options = Options(lots=6, extended=2, bidders_per_lot=3)
    assert _faults(options, Outcome(), right) == []
    for change in ({"early": 1}, {"released": 11}, {"applied": 7}, {"wrong_ends": 1}, {"unbalanced": ["a fen"]}):
        assert len(_faults(options, Outcome(), msgspec.structs.replace(right, **change))) == 1


@pytest.mark.parametrize("wrong", [["--lots", "0"], ["--bidders-per-lot", "x"], ["--lead-ms", "-1"]])
def test_wrong_options_are_refused(wrong: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["bench", "close", *wrong])
    assert ended.value.code == 2
