"""The command line: what whoever called can mend is one sentence and exit code 2; what is our fault keeps its trace."""

import os
import re
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app import cli
from app.cli import DESKS, main
from app.embedded import EmbeddedPostgres
from app.serve import port_of
from bidding.desk.shares import MAX_SHARES
from kernel.settings import Settings, SettingsError
from tests.support.places import fast_root, new_folder

GOLDEN = Path(__file__).parents[1] / "bidding" / "evidence" / "golden" / "bundle.json"
LOT = "0190b6c2-7d1e-7a53-9c41-2f6f0d7b8a11"
NOBODY = "postgresql://auction:secret-word@127.0.0.1:1/auction"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is set, whatever the machine has."""
    for name in [*(name for name in os.environ if name.startswith("AUCTION_")), "DATABASE_URL", "REDIS_URL"]:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def folder() -> Iterator[Path]:
    made = new_folder(fast_root())
    yield made
    subprocess.run(["rm", "-rf", str(made)], check=True)


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """The one line that is said to a command that ends with 2."""
    assert main([str(argument) for argument in arguments]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1), err
    return err.rstrip("\n")


@pytest.mark.parametrize(
    "command", [["verify"], ["export", LOT], ["desks"], ["desks", "2"], ["bank", "export"]], ids="-".join
)
def test_who_only_looks_makes_no_data(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("ACCOUNT", "1"), ("ACCOUNT_HOLDER", "法院"), ("NAME", "银行")):
        monkeypatch.setenv(f"AUCTION_BANK_{name}", value)
    monkeypatch.setenv("AUCTION_SIMULATED_BANK", "false")
    monkeypatch.setenv("AUCTION_DATA_DIR", str(tmp_path / "typo"))
    assert "typo holds no data" in refused(capsys, *command)
    assert not (tmp_path / "typo").exists()


def test_who_only_looks_makes_no_tables(
    postgres_server: EmbeddedPostgres, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", postgres_server.dsn())
    for _ in range(2):
        assert "holds no tables of the platform" in refused(capsys, "verify")


def test_a_connected_database_is_verified(
    database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("AUCTION_DATA_DIR", str(tmp_path))
    assert main(["verify"]) == 0
    assert capsys.readouterr().out.startswith("verified: no fault found (lots 0, ")


@pytest.mark.slow
def test_verify_says_what_it_checked(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["migrate", "--data-dir", str(folder)]) == 0
    capsys.readouterr()
    assert main(["verify", "--data-dir", str(folder)]) == 0
    checked = "lots 0, submissions 0, ledger entries 0, plans 0, audit entries 0"
    assert capsys.readouterr().out == f"verified: no fault found ({checked})\n"


NUMBERS = [
    *(["serve", "--port", wrong] for wrong in ("-1", "65536", "http")),
    *(["fleet", "--desks", wrong] for wrong in ("0", str(MAX_SHARES + 1), "1.5")),
    ["desks", "many"],
    ["demo", "--port", "99999"],
    *(
        ["bench", "bids", option, wrong]
        for option in (
            *("--lots", "--bidders", "--watchers", "--rate", "--seconds", "--extended", "--bidders-per-lot"),
            *("--lead-ms", "--ahead-s", "--cases", "--seed"),
        )
        for wrong in ("abc", "-1", "1" + 23 * "0", "٣", "1_0", 5000 * "9")
    ),
]


@pytest.mark.parametrize("arguments", NUMBERS, ids=lambda it: " ".join(it)[:40])
def test_a_number_out_of_bounds_is_refused_in_words(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    said = capsys.readouterr().err.splitlines()[-1]
    assert ended.value.code == 2
    assert re.search(r"expected a whole number from \d+ to \d+, not '.{1,41}$", said), said


def test_no_lot_is_no_lot(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["export", "lot-7"])
    assert "expected the id of a lot, not 'lot-7'" in capsys.readouterr().err


def test_desks_are_as_many_as_there_can_be() -> None:
    assert DESKS(str(MAX_SHARES)) == MAX_SHARES


@pytest.mark.parametrize("command", [["verify"], ["migrate"], ["desks"], ["serve"], ["export", LOT]])
def test_a_database_that_is_away_is_said_without_its_password(
    command: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DATABASE_URL", NOBODY)
    monkeypatch.setenv("AUCTION_DATA_DIR", str(tmp_path))
    monkeypatch.setattr("app.serve.configure_logs", lambda level: None)
    monkeypatch.setenv("AUCTION_PORT", "0")
    said = refused(capsys, *command)
    assert said.startswith("DATABASE_URL: ")
    assert "secret-word" not in said


def test_programs_of_postgres_that_are_not_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUCTION_POSTGRES_BIN", str(tmp_path / "none"))
    assert "AUCTION_POSTGRES_BIN" in refused(capsys, "migrate", "--data-dir", tmp_path / "data")


def test_files_that_cannot_be_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_bytes(b"username,name,roles,password\nli,\xff,clerk,secret\n")
    (tmp_path / "csv").write_text('username,name,roles,password\nli,"李"x\n')
    (tmp_path / "emperor").write_text("username,name,roles,password\nli,李,clerk emperor,secret\n")
    (tmp_path / "{}").write_text("{}")
    court = ("--court-code", "hu0115")
    for arguments, said in (
        (("keys", "new", tmp_path / "file" / "keys.json"), "keys.json cannot be written: "),
        (("keys", "show", tmp_path / "none"), "none: No such file or directory"),
        (("migrate", "--data-dir", tmp_path / "file" / "data"), "data cannot be the folder of the data: Not a dir"),
        (("create-users", tmp_path / "none", *court), "none cannot be read: No such file or directory"),
        (("create-users", tmp_path / "file", *court), "file is no UTF-8 text (byte 33)"),
        (("create-users", tmp_path / "csv", *court), "csv: not 4 columns: li…"),
        (("create-users", tmp_path / "emperor", *court), "emperor: no role emperor; roles are "),
        (("create-user", "li", "--name", "李", "--role", "emperor"), "no role emperor; roles are "),
        (("verify", "--bundle", tmp_path / "none"), "none cannot be read: No such file or directory"),
        (("verify", "--bundle", tmp_path / "{}"), "{}: no bundle: Object missing required field"),
        (("verify", "--bundle", GOLDEN, "--keys", tmp_path / "{}"), "{}: no public keys: Object missing"),
        (("verify", "--bundle", GOLDEN, "--anchors", tmp_path / "{}"), "{}: line 1 is no anchor"),
        (("calc", "fee", tmp_path / "none"), "fee: " + str(tmp_path / "none") + " cannot be read: No such file"),
    ):
        assert said in refused(capsys, *arguments)


def test_our_own_fault_keeps_its_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(arguments: Any) -> int:
        raise FileNotFoundError("a fault of ours")

    monkeypatch.setitem(cli.COMMANDS, "migrate", cli.Command("", lambda parser: None, fails))
    with pytest.raises(FileNotFoundError):
        main(["migrate"])


def test_a_worker_needs_a_database(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.serve.configure_logs", lambda level: None)
    assert "needs DATABASE_URL" in refused(capsys, "worker")


@pytest.mark.parametrize("command", ["serve", "fleet"])
def test_a_port_that_is_taken_is_said_before_anything_starts(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.serve.configure_logs", lambda level: None)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = refused(capsys, command, "--port", port, "--data-dir", tmp_path / "data")
    assert said == f"cannot listen on 127.0.0.1:{port}: Address already in use"
    assert not (tmp_path / "data").exists()


def test_a_port_is_ours_and_nobody_is_let_in_before_we_listen() -> None:
    with port_of(Settings(port=0)) as (bound,):
        host, port = bound.getsockname()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((host, port))
        bound.listen()
        socket.create_connection((host, port)).close()
        with pytest.raises(SettingsError, match="Address already in use"), port_of(Settings(port=port)):
            pass


def test_processes_that_share_a_port_all_get_it() -> None:
    with port_of(Settings(port=0, share_port=True)) as (first,):
        first.listen()
        port = first.getsockname()[1]
        with port_of(Settings(port=port, share_port=True)) as (second,):
            second.listen()


def test_a_name_that_is_none() -> None:
    with (
        pytest.raises(SettingsError, match=r"cannot listen on nowhere\.invalid:8000: "),
        port_of(Settings(host="nowhere.invalid")),
    ):
        pass
