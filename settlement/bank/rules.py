"""What goes back to whom (R-CLOSE-02, R-ACCT-05).

Invariant: of what arrived on an account, the amount to keep is covered by the earliest credits; all else goes back,
each fen to the account that paid it, and never more than that account paid.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from kernel.money import Fen

RESEND_AFTER = timedelta(minutes=10)
"""How long an order may stay unanswered before the bank is asked again; each attempt waits that much longer."""


@dataclass(frozen=True, slots=True)
class Payee:
    """Where money is paid to."""

    holder: str
    number: str
    bank: str


@dataclass(frozen=True, slots=True)
class Arrival:
    """One credit on an account; `refunded_fen` was ordered back and not rejected by the bank."""

    credit_id: UUID
    amount_fen: Fen
    refunded_fen: Fen


def refunds_due(arrivals: Sequence[Arrival], keep_fen: int) -> dict[UUID, Fen]:
    """What still has to go back of each credit so that `keep_fen` stays; `arrivals` in order of arrival."""
    due: dict[UUID, Fen] = {}
    for arrival in arrivals:
        kept = min(arrival.amount_fen, keep_fen)
        keep_fen -= kept
        back = arrival.amount_fen - kept - arrival.refunded_fen
        if back > 0:
            due[arrival.credit_id] = Fen(back)
    return due
