"""What lots learn from bidding and appraisal. Events of one lot arrive in order, each at least once."""

from collections.abc import Sequence

from auction.lots import service
from auction.lots.rules import Happening
from kernel.contracts import (
    HoldLifted,
    HoldPlaced,
    LotClosed,
    LotEndMoved,
    LotFrozen,
    LotOpened,
    LotResumed,
    LotSuspended,
    LotWithdrawn,
)
from kernel.database import Tx
from kernel.outbox import Relay


async def open_lot(tx: Tx, event: LotOpened) -> None:
    await service.follow(tx, event.lot_id, Happening.OPENED, event.at, opened_at=event.at)


async def move_ends(tx: Tx, events: Sequence[LotEndMoved]) -> None:
    await service.follow_ends(tx, events)


async def suspend_lot(tx: Tx, event: LotSuspended) -> None:
    await service.follow(tx, event.lot_id, Happening.SUSPENDED, event.at, halt_reason=event.reason)


async def freeze_lot(tx: Tx, event: LotFrozen) -> None:
    await service.follow(tx, event.lot_id, Happening.FROZEN, event.at, halt_reason=event.reason)


async def resume_lot(tx: Tx, event: LotResumed) -> None:
    await service.follow(tx, event.lot_id, Happening.RESUMED, event.at, halt_reason=None, ends_at=event.ends_at)


async def withdraw_lot(tx: Tx, event: LotWithdrawn) -> None:
    await service.follow(tx, event.lot_id, Happening.WITHDRAWN, event.at, halt_reason=event.reason)


async def close_lots(tx: Tx, events: Sequence[LotClosed]) -> None:
    await service.follow_closes(tx, events)


async def note_hold(tx: Tx, event: HoldPlaced | HoldLifted) -> None:
    await service.refresh_hold(tx, event.asset_id)


def subscribe(relay: Relay) -> None:
    """Register the handlers of lots."""
    relay.on(LotOpened, open_lot)
    relay.on_many(LotEndMoved, move_ends)
    relay.on(LotSuspended, suspend_lot)
    relay.on(LotFrozen, freeze_lot)
    relay.on(LotResumed, resume_lot)
    relay.on(LotWithdrawn, withdraw_lot)
    relay.on_many(LotClosed, close_lots, later=True)
    relay.on(HoldPlaced, note_hold)
    relay.on(HoldLifted, note_hold)
