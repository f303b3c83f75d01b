"""Signing keys of this test run, in memory and as a file: nothing is left in the folder that the tests run in."""

import atexit
import shutil
import tempfile
from pathlib import Path

from kernel.signatures import Keyring

KEYRING = Keyring.make()

_FOLDER = Path(tempfile.mkdtemp(prefix="auction-keys-"))
atexit.register(shutil.rmtree, _FOLDER, ignore_errors=True)
KEYRING.write(_FOLDER / "signing-keys.json", replace=False)

SIGNING_KEYS = str(_FOLDER / "signing-keys.json")
ANCHORS = str(_FOLDER / "anchors")
"""For tests that never anchor; the others have a folder of their own."""
