"""Signing keys: one file, its owner's alone, made once for all, changed without losing what was signed before."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kernel.signatures import Keyring, KeyringError, PublicKey, by_id, is_signed, key_id_of


def test_a_signature_holds_for_its_text_and_key_alone() -> None:
    ours, other = Keyring.make(), Keyring.make()
    signature = ours.sign(b"text")
    assert is_signed(b"text", ours.key_id, signature, ours.keys)
    assert not is_signed(b"texts", ours.key_id, signature, ours.keys)
    assert not is_signed(b"text", ours.key_id, signature, other.keys)
    assert not is_signed(b"text", ours.key_id, other.sign(b"text"), ours.keys)
    assert not is_signed(b"text", ours.key_id, b"short", ours.keys)


def test_a_key_under_a_foreign_name_is_none() -> None:
    """Otherwise whoever may write the list of keys signs in the name of an old one."""
    ours, forger = Keyring.make(), Keyring.make()
    forged = by_id([PublicKey(ours.key_id, forger.current.public_key)])
    assert not is_signed(b"text", ours.key_id, forger.sign(b"text"), forged)
    assert not is_signed(b"text", ours.key_id, b"", by_id([PublicKey(ours.key_id, "no hex")]))


def test_the_file_is_its_owners_alone_and_outlives_the_process(tmp_path: Path) -> None:
    path = tmp_path / "new" / "keys.json"
    made = Keyring.load_or_make(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Keyring.load_or_make(path).key_id == made.key_id == key_id_of(bytes.fromhex(made.current.public_key))
    assert list(path.parent.iterdir()) == [path]


def test_of_many_who_make_it_at_once_one_wins_for_all(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: Keyring.load_or_make(path).key_id, range(32)))
    assert set(made) == {Keyring.load(path).key_id}


def test_a_changed_key_keeps_the_public_half_of_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    before = Keyring.load_or_make(path)
    signature = before.sign(b"text")
    before.rotated().write(path, replace=True)
    after = Keyring.load(path)
    assert after.key_id != before.key_id
    assert is_signed(b"text", before.key_id, signature, after.keys)
    assert before.key_id in path.read_text()
    assert path.read_text().count("private_key") == 1


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    Keyring.load_or_make(path)
    path.chmod(0o640)
    with pytest.raises(KeyringError, match="chmod 600"):
        Keyring.load(path)


@pytest.mark.parametrize("content", ["", "{}", '{"private_key":"zz","keys":[]}', '{"private_key":"00","keys":[]}'])
def test_a_damaged_file_is_named_and_not_shown(tmp_path: Path, content: str) -> None:
    path = tmp_path / "keys.json"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(KeyringError) as refused:
        Keyring.load(path)
    assert str(refused.value) == f"{path}: no file of signing keys"
    with pytest.raises(KeyringError, match="No such file"):
        Keyring.load(tmp_path / "none")


def test_no_private_key_is_ever_printed(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    keyring = Keyring.load_or_make(path)
    secret = path.read_text().split('"')[3]
    assert len(secret) == 64
    assert secret not in f"{keyring!r} {keyring} {keyring.keys}"
