"""Lots that serve one debt: once what was sold covers it, the rest is stopped (R-CLOSE-12). Pure.

Closes of a group take effect by their ends, then by lot id: a close waits while a lot that ended before it is not
decided. Lots that end at the same instant as the one that covers the debt stay; publication demands staggered ends.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid5

from bidding.desk.rules import FINISHED, RUNNING, LotState

STOPPED_REASON = (
    "已成交标的的价款足以清偿全部债权及费用，其余标的停止拍卖 (debt and costs are covered; the rest is stopped)"
)


@dataclass(slots=True)
class Group:
    """A sale group as read under its lock; fen. `consented_at`: the debtor agreed that the rest be sold as well."""

    group_id: UUID
    target_fen: int
    sold_fen: int
    consented_at: datetime | None

    def covered(self, at: datetime) -> bool:
        """Whether the sum sold stops the rest of the group at `at`."""
        return self.sold_fen >= self.target_fen and (self.consented_at is None or self.consented_at > at)


def stop_key(lot_id: UUID) -> UUID:
    """The key under which a lot is stopped by its group, and by nothing else: once for ever."""
    return uuid5(lot_id, "covered")


def must_wait(lot_id: UUID, ends_at: datetime, others: Mapping[UUID, LotState], at: datetime) -> bool:
    """Whether another lot of the group, which ended before this one, is still to be closed."""
    return any(
        state.status in RUNNING
        and state.ends_at is not None
        and state.ends_at <= at
        and (state.ends_at, other_id) < (ends_at, lot_id)
        for other_id, state in others.items()
    )


def to_stop(ended_at: datetime, others: Iterable[tuple[UUID, LotState]]) -> list[UUID]:
    """The lots that a covered debt stops: all that are not finished and end later, halted ones among them."""
    return sorted(
        lot_id
        for lot_id, state in others
        if state.status not in FINISHED and (state.ends_at is None or state.ends_at > ended_at)
    )
