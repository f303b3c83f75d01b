"""The demo as people start it: one published sale from seizure to payout, on an embedded server of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

from app.cli import _demo_arguments
from app.demo.sales import SALES

ROOT = Path(__file__).parent.parent.parent.parent


def demo(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "app.cli", "demo", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


@pytest.mark.slow
def test_a_published_sale_comes_out_exactly(tmp_path: Path) -> None:
    played = demo("--exit", "--sale", "outlander", "--data-dir", str(tmp_path / "data"))
    assert played.returncode == 0, played.stdout + played.stderr
    assert "成交 sold 67,000.00，溢价率 34.00%，出价 15 次" in played.stdout
    assert "全部相符 everything holds" in played.stdout
    assert "✗" not in played.stdout
    assert played.stderr == "", "logs go to the file"
    log = (tmp_path / "data" / "demo.log").read_text()
    assert '"level": "error"' not in log


def test_a_folder_with_data_is_not_played_on(tmp_path: Path) -> None:
    (tmp_path / "something").touch()
    played = demo("--exit", "--data-dir", str(tmp_path))
    assert played.returncode == 2
    assert "不为空" in played.stdout


def test_the_command_line_names_the_sales() -> None:
    import argparse

    parser = argparse.ArgumentParser()
    _demo_arguments(parser)
    (sale,) = (action for action in parser._actions if action.dest == "sale")
    assert sale.choices == [sale.key for sale in SALES]
