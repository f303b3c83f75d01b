"""The figures of case money by court and quarter (R-ACCT-03, 08).

Invariant: what a court's case accounts received less what they paid out is what they hold, escrow and deferred money
with it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from settlement.distribution.deadlines import PAYOUT_DAYS

OLD = timedelta(days=PAYOUT_DAYS)
"""Money that has waited longer is shown as old: the national limit for payouts (R-ACCT-03)."""


@dataclass(frozen=True, slots=True)
class Flow:
    """Movements of one case's account in one quarter; money that a bank sent back is taken off what was paid out."""

    case_id: UUID
    quarter: str
    received_items: int
    received_fen: int
    paid_items: int
    paid_fen: int


@dataclass(frozen=True, slots=True)
class Arrived:
    """What arrived for one case in one quarter, and what of it stood on its own number at once (R-ACCT-01)."""

    case_id: UUID
    quarter: str
    all_fen: int
    on_number_fen: int


@dataclass(frozen=True, slots=True)
class Figures:
    """One court's quarter."""

    court: str
    quarter: str
    received_items: int
    received_fen: int
    paid_items: int
    paid_fen: int
    arrived_fen: int
    on_number_fen: int


def figures(flows: Iterable[Flow], arrived: Iterable[Arrived], courts: Mapping[UUID, str]) -> list[Figures]:
    """The figures of every court and quarter in which anything moved, newest quarter first, courts by name."""
    sums: defaultdict[tuple[str, str], list[int]] = defaultdict(lambda: [0] * 6)
    for flow in flows:
        row = sums[flow.quarter, courts[flow.case_id]]
        for place, value in enumerate((flow.received_items, flow.received_fen, flow.paid_items, flow.paid_fen)):
            row[place] += value
    for each in arrived:
        row = sums[each.quarter, courts[each.case_id]]
        row[4] += each.all_fen
        row[5] += each.on_number_fen
    found = [Figures(court, quarter, *row) for (quarter, court), row in sums.items()]
    found.sort(key=lambda each: each.court)
    found.sort(key=lambda each: each.quarter, reverse=True)
    return found


def share(part_fen: int, whole_fen: int) -> str | None:
    """A share in per cent with two decimals, rounded down; None of nothing."""
    if not whole_fen:
        return None
    hundredths = part_fen * 10_000 // whole_fen
    return f"{hundredths // 100}.{hundredths % 100:02d}"
