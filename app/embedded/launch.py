"""How PostgreSQL's programs are run: as whom, from where, and how they reach their folders.

PostgreSQL refuses to run as uid 0. Started by root it runs, in this order: as the owner of its data or as
`nobody`; as root in a user namespace where root is called `nobody` (below folders that only root may enter);
as `nobody` from a copy of the binaries, with its folders handed over as descriptors.
"""

import os
import pwd
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from app.embedded.binaries import copied


@dataclass(frozen=True, slots=True)
class Launch:
    """How the binaries are run: from where, as whom, and how they reach their folders."""

    binaries: Path
    owner: int
    """Uid that must own the data, seen from outside a user namespace."""
    run_as: tuple[int, int] | None = None
    """Uid and gid to change to; None to stay who we are."""
    prefix: tuple[str, ...] = ()
    by_descriptor: bool = False

    def popen(
        self, program: str, folders: Mapping[str, Path], arguments: Sequence[str], log: Path
    ) -> "subprocess.Popen[bytes]":
        """Start `program` with options that name folders (the first is its working directory)."""
        uid, gid = self.run_as or (None, None)
        with ExitStack() as open_files:
            out = open_files.enter_context(log.open("ab"))
            handed: list[int] = []
            named: list[str] = []
            for option, folder in folders.items():
                name = str(folder)
                if self.by_descriptor:
                    handed.append(os.open(folder, os.O_RDONLY | os.O_DIRECTORY))
                    open_files.callback(os.close, handed[-1])
                    name = f"/proc/self/fd/{handed[-1]}"
                named += [option, name]
            return subprocess.Popen(
                [*self.prefix, str(self.binaries / program), *named, *arguments],
                cwd=next(iter(folders.values())),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,  # else Ctrl-C stops the database before the application has drained
                pass_fds=handed,
                user=uid,
                group=gid,
                extra_groups=[] if self.run_as else None,
                umask=0o077,
                env=_environment(),
            )


def choose_launch(folder: Path, data: Path, binaries: Path, say: Callable[[str], None]) -> Launch:
    if os.geteuid() != 0:
        return Launch(binaries, os.geteuid())
    nobody = pwd.getpwnam("nobody")
    uid, gid = nobody.pw_uid, nobody.pw_gid
    owner = data.stat().st_uid if data.exists() else 0
    if owner:
        uid, gid = owner, data.stat().st_gid
    runs = _succeeds([str(binaries / "postgres"), "--version"], uid, gid)
    enters = _succeeds(["sh", "-c", 'cd "$0"', str(folder)], uid, gid)
    if runs and enters:
        return Launch(binaries, uid, (uid, gid))
    prefix = ("unshare", "--user", f"--map-user={nobody.pw_uid}", f"--map-group={nobody.pw_gid}")
    if owner == 0 and _succeeds([*prefix, str(binaries / "postgres"), "--version"], 0, 0):
        say("Only root may enter this folder: PostgreSQL runs in a user namespace")
        return Launch(binaries, 0, prefix=prefix)
    say("Only root may enter this folder: PostgreSQL runs as nobody, its folders handed to it")
    return Launch(binaries if runs else copied(binaries), uid, (uid, gid), by_descriptor=not enters)


def _succeeds(command: Sequence[str], uid: int, gid: int) -> bool:
    try:
        done = subprocess.run(
            command, cwd="/", user=uid, group=gid, extra_groups=[], env=_environment(), check=False, capture_output=True
        )
    except OSError:
        return False
    return done.returncode == 0


def _environment() -> dict[str, str]:
    """Ours without what would redirect PostgreSQL (PGDATA, PGPORT, PGHOST …)."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}
