"""The document of `auction calc deadlines`: strict input, and the output in the words of the format."""

from kernel.decoding import Day, Wire
from settlement.distribution.deadlines import PERIODS, Event, deadline


class DeadlinesInput(Wire, frozen=True):
    """An event and its day."""

    event: Event
    on: Day


def calculate(document: DeadlinesInput) -> dict[str, object]:
    """The last day of the period, and whether the public holiday calendar decided it (R-GEN-03)."""
    due = deadline(document.event, document.on)
    return {
        "due_on": due.on.isoformat(),
        "rolled": due.rolled,
        "calendar_known": due.known,
        "rules": [PERIODS[document.event].rule, "R-GEN-03"],
    }
