"""Ed25519 keys and signatures: the desk signs its commits, the evidence log its heads, and anybody checks them.

The keyring is one file outside the database, mode 0600: whoever can write every table still cannot sign. It keeps the
public halves of all earlier keys, so that what they signed can be checked for ever. A private key is never printed.
"""

import hashlib
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from kernel.files import write_whole
from kernel.hexadecimal import from_hex

KEY_ID_DIGITS = 16
KEY_BYTES = 32
SIGNATURE_BYTES = 64
ALGORITHM = "Ed25519"
OTHERS = stat.S_IRWXG | stat.S_IRWXO


class KeyringError(Exception):
    """The file of signing keys is missing, unreadable or open to others."""


class PublicKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A key for checking, in hex. `key_id`: the first 16 digits of the SHA-256 of the key."""

    key_id: str
    public_key: str
    algorithm: str = ALGORITHM


class _KeyFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file: the one private key in use (hex), and every public key there ever was."""

    private_key: str
    keys: list[PublicKey]


def key_id_of(public_key: bytes) -> str:
    """The name of a key."""
    return hashlib.sha256(public_key).hexdigest()[:KEY_ID_DIGITS]


def is_signed(text: bytes, key_id: str, signature: bytes, keys: Mapping[str, PublicKey]) -> bool:
    """Whether the key named `key_id` among `keys` made `signature` over `text`; a key under a foreign name is none."""
    key = keys.get(key_id)
    raw = from_hex(key.public_key, KEY_BYTES) if key is not None and key.algorithm == ALGORITHM else None
    if raw is None:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(raw).verify(signature, text)
    except (ValueError, InvalidSignature):
        return False
    return key_id_of(raw) == key_id


def by_id(keys: Iterable[PublicKey]) -> dict[str, PublicKey]:
    """Keys by their names."""
    return {key.key_id: key for key in keys}


class Keyring:
    """The key that signs, and all that ever did."""

    def __init__(self, private: Ed25519PrivateKey, earlier: Iterable[PublicKey] = ()) -> None:
        self._private = private
        public = private.public_key().public_bytes_raw()
        self.current = PublicKey(key_id_of(public), public.hex())
        self.keys = by_id([*earlier, self.current])

    def __repr__(self) -> str:
        return f"Keyring({self.current.key_id})"

    @property
    def key_id(self) -> str:
        return self.current.key_id

    def sign(self, text: bytes) -> bytes:
        """The signature over `text` by the current key."""
        return self._private.sign(text)

    @classmethod
    def make(cls) -> "Keyring":
        """A keyring with a new key, in memory alone."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def load(cls, path: Path) -> "Keyring":
        """The keyring of a file; raises KeyringError, which names the file and never what is in it."""
        try:
            if stat.S_IMODE(path.stat().st_mode) & OTHERS:
                raise KeyringError(f"{path}: signing keys are for their owner alone; chmod 600")
            file = msgspec.json.decode(path.read_bytes(), type=_KeyFile)
            return cls(Ed25519PrivateKey.from_private_bytes(bytes.fromhex(file.private_key)), file.keys)
        except OSError as error:
            raise KeyringError(f"{path}: {error.strerror}") from None
        except (ValueError, msgspec.MsgspecError):
            raise KeyringError(f"{path}: no file of signing keys") from None

    @classmethod
    def load_or_make(cls, path: Path) -> "Keyring":
        """The keyring of a file that is made if there is none; of several who make it at once, one wins for all."""
        if not path.exists():
            cls.make().write(path, replace=False)
        return cls.load(path)

    def rotated(self) -> "Keyring":
        """A new key to sign with; the present one stays for checking only."""
        return Keyring(Ed25519PrivateKey.generate(), self.keys.values())

    def write(self, path: Path, *, replace: bool) -> None:
        """Put the keyring into a file at once and whole; without `replace` an existing file stays as it is.

        Raises KeyringError.
        """
        file = _KeyFile(self._private.private_bytes_raw().hex(), list(self.keys.values()))
        try:
            write_whole(path, msgspec.json.encode(file), replace=replace)
        except OSError as error:
            raise KeyringError(f"{path} cannot be written: {error.strerror}") from None
