"""Seeds that were played: a line for each in a file of one's own, and their sums."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec

from tests.campaign.campaign import Report


def add(path: Path, report: Report) -> None:
    """Append a line."""
    with path.open("ab") as lines:
        lines.write(msgspec.json.encode(report) + b"\n")


def read(path: Path) -> list[Report]:
    """Every seed of the file."""
    return [msgspec.json.decode(line, type=Report) for line in path.read_bytes().splitlines()]


def table(reports: Sequence[Report]) -> str:
    """How often each fault was injected in each form, and what became of it."""
    forms = sorted({report.form for report in reports})
    faults = {form: Counter[str]() for form in forms}
    for report in reports:
        faults[report.form].update(report.faults)
    kinds = sorted(set().union(*faults.values()))
    lines = [f"{'':<28}" + "".join(f"{form:>10}" for form in [*forms, "sum"])]

    def row(name: str, values: Sequence[int]) -> None:
        lines.append(f"{name:<28}" + "".join(f"{value:>10,}" for value in [*values, sum(values)]))

    def sums(name: str, of: str) -> None:
        row(name, [sum(getattr(report, of) for report in reports if report.form == form) for form in forms])

    for kind in kinds:
        row(kind, [faults[form][kind] for form in forms])
    row("seeds", [sum(report.form == form for report in reports) for form in forms])
    for name in ("bids", "accepted", "lots_closed", "lots_frozen"):
        sums(name.replace("_", " "), name)
    row("broken", [sum(len(report.broken) for report in reports if report.form == form) for form in forms])
    return "\n".join(lines)
