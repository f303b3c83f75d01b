"""docs/walkthrough.md runs as it stands: all its shell blocks in order, against a real server on data of its own."""

import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.embedded import EmbeddedPostgres
from tests.support.places import fast_root, new_folder

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.S | re.M)
WITHIN_S = 240

REFUSED_ON_PURPOSE = {"checklist-incomplete", "below-start-price", "objection-period-running"}
EXECUTED = {"某停车场 30000 executed", "某商业银行 4194000 executed", "李四 2796000 executed"}


@pytest.fixture
def folder() -> Iterator[Path]:
    """Room for the walkthrough's data; whatever a failed one left running is stopped."""
    made = new_folder(fast_root())
    yield made
    left = EmbeddedPostgres(made / "data")
    if left.alive():
        left.start()
        left.stop()
    shutil.rmtree(made)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _run(script: str, folder: Path) -> tuple[int, str, str]:
    """The script by bash that stops at the first failure; its server ends with it."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AUCTION_")}
    own = {"AUCTION_PORT": str(_free_port()), "AUCTION_DATA_DIR": str(folder / "data"), "TMPDIR": str(folder)}
    with (folder / "out").open("w+") as out, (folder / "err").open("w+") as err:
        bash = subprocess.Popen(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=ROOT,
            env=clean | own,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
        )
        try:
            code = bash.wait(WITHIN_S)
        finally:
            if bash.poll() != 0:
                os.killpg(bash.pid, signal.SIGKILL)
                bash.wait()
        return code, (folder / "out").read_text(), (folder / "err").read_text()


@pytest.mark.slow
def test_every_block_runs_and_the_money_comes_out_to_the_fen(folder: Path) -> None:
    blocks = BLOCK.findall((ROOT / "docs" / "walkthrough.md").read_text())
    assert len(blocks) > 10
    code, out, err = _run("\n".join(blocks), folder)
    assert code == 0, f"{out[-1500:]}\n{err[-1500:]}"
    lines = out.splitlines()
    assert set(re.findall(r'"code":"([a-z-]+)"', out)) == REFUSED_ON_PURPOSE
    assert "sold 7100000 3 1" in lines, "the late bid extended the lot once"
    assert set(lines) >= EXECUTED
    assert lines[lines.index("李四 2796000 executed") + 1] == "0 0", "nothing is left on the case account"
    assert lines[-1] == "verified: no fault found"
