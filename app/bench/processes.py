"""What Linux tells of a process: its CPU time and its memory."""

import os
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
SAMPLE_EVERY_S = 0.02
_PARENT, _USER, _SYSTEM, _DEAD_USER, _DEAD_SYSTEM = 1, 11, 12, 13, 14
"""Fields of `stat` behind the name: proc(5) counts them from three."""


def cpu_s(*pids: int) -> float:
    """User and system time of these processes together, their children apart."""
    return sum(int(_stat(pid)[_USER]) + int(_stat(pid)[_SYSTEM]) for pid in pids) / TICKS_PER_S


def family_cpu_s(pid: int) -> float:
    """The same of a process and all that it ever started, living and dead."""
    own = _stat(pid)
    total_s = cpu_s(pid) + (int(own[_DEAD_USER]) + int(own[_DEAD_SYSTEM])) / TICKS_PER_S
    for child in children(pid):
        with suppress(OSError):  # ended meanwhile
            total_s += cpu_s(child)
    return total_s


def resident_kib(*pids: int) -> int:
    """Memory that these processes hold, as the kernel counts it."""
    return sum(int(_status(pid)["VmRSS"].split()[0]) for pid in pids)


def children(pid: int) -> list[int]:
    """The processes that `pid` started and that still run."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                parent = int(_stat(int(folder.name))[_PARENT])
            except OSError:
                continue  # ended meanwhile
            if parent == pid:
                found.append(int(folder.name))
    return found


class CpuClock:
    """CPU time of processes, noted all the while, so that it can be told for a span that is only known afterwards."""

    def __init__(self, *pids: int) -> None:
        self._pids = pids
        self._notes: list[tuple[float, float]] = []
        self._over = threading.Event()
        self._noting = threading.Thread(target=self._note, daemon=True)

    def __enter__(self) -> Self:
        self._noting.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        self._noting.join()

    def _note(self) -> None:
        while not self._over.wait(SAMPLE_EVERY_S):
            self._notes.append((time.perf_counter(), cpu_s(*self._pids)))

    def between(self, begin_s: float, end_s: float) -> tuple[float, float]:
        """CPU seconds used, and the real seconds in which, nearest to this span."""
        first = min(self._notes, key=lambda note: abs(note[0] - begin_s))
        last = min(self._notes, key=lambda note: abs(note[0] - end_s))
        return last[1] - first[1], last[0] - first[0]


def _stat(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _status(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)
