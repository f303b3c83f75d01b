"""Statistics grow as lots close."""

from auction.statistics import service
from kernel.contracts import LotClosed
from kernel.database import Tx
from kernel.outbox import Relay


async def count_lot(tx: Tx, event: LotClosed) -> None:
    await service.count_round(tx, event)


def subscribe(relay: Relay) -> None:
    """Register the handlers of statistics."""
    relay.on(LotClosed, count_lot)
