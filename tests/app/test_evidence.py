"""Evidence from the command line: keys, export, verification with what is kept outside, and no start on old data."""

import asyncio
import stat
from pathlib import Path

import msgspec
import pytest

from app.cli import main
from app.platform import keyring_of
from app.serve import serving
from kernel.clock import SystemClock
from kernel.settings import SettingsError, load
from kernel.signatures import KeyringError
from tests.bidding.evidence.house import archive
from tests.bidding.feed.house import free_port
from tests.support.keys import SIGNING_KEYS

pytestmark = pytest.mark.anyio

NO_LOT = "00000000-0000-7000-8000-000000000001"


def test_keys_are_made_changed_and_shown_and_the_private_one_never(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(tmp_path / "keys.json")
    assert main(["keys", "new", path]) == 0
    assert stat.S_IMODE(Path(path).stat().st_mode) == 0o600
    (first,) = msgspec.json.decode(capsys.readouterr().out)["keys"]
    assert main(["keys", "new", path]) == 1
    assert main(["keys", "rotate", path]) == 0
    assert main(["keys", "show", path]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0] == told[1]
    assert msgspec.json.decode(told[0])["keys"][0] == first
    secret = msgspec.json.decode(Path(path).read_bytes())["private_key"]
    assert secret not in "".join(told)
    assert main(["keys", "show", str(tmp_path / "none")]) == 2


async def test_what_is_exported_verifies_and_what_is_forged_does_not(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("AUCTION_SIGNING_KEYS", SIGNING_KEYS)
    monkeypatch.setenv("AUCTION_ANCHOR_DIR", str(tmp_path / "anchors"))
    out = str(tmp_path / "lot.json")
    async with archive(database_url, tmp_path / "anchors") as kept:
        assert await asyncio.to_thread(main, ["export", str(kept.lot_id), "--out", out]) == 0
        assert await asyncio.to_thread(main, ["verify", "--bundle", out]) == 0
        assert await asyncio.to_thread(main, ["verify"]) == 0
        assert await asyncio.to_thread(main, ["export", NO_LOT]) == 1
        await kept.forge("DELETE FROM bidding.batch WHERE number = 2")
        assert await asyncio.to_thread(main, ["verify"]) == 1
    assert "batch 0/2 is missing" in capsys.readouterr().out


async def test_an_old_backup_is_not_served(database_url: str, tmp_path: Path) -> None:
    named = {"signing_keys": SIGNING_KEYS, "anchor_dir": str(tmp_path / "anchors"), "port": free_port()}
    settings = load({}, database_url=database_url, data_dir=str(tmp_path), **named)
    async with archive(database_url, tmp_path / "anchors") as kept:
        await kept.forge("DELETE FROM bidding.log_head")
        with pytest.raises(SettingsError, match="is not in this database"):
            async with serving(settings, SystemClock(), print):
                pass


def test_a_named_file_of_keys_must_be_there(tmp_path: Path) -> None:
    """A mistyped path must not make a key of its own; the default one is made at the first start."""
    with pytest.raises(KeyringError, match="No such file"):
        keyring_of(load({}, signing_keys=str(tmp_path / "none")))
    made = keyring_of(load({}, data_dir=str(tmp_path)))
    assert keyring_of(load({}, data_dir=str(tmp_path))).key_id == made.key_id
    assert [path.name for path in tmp_path.iterdir()] == ["signing-keys.json"]
