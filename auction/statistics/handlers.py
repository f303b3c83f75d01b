"""Statistics grow as lots close."""

from collections.abc import Sequence

from auction.statistics import service
from kernel.contracts import LotClosed
from kernel.database import Tx
from kernel.outbox import Relay


async def count_lots(tx: Tx, events: Sequence[LotClosed]) -> None:
    await service.count_rounds(tx, events)


def subscribe(relay: Relay) -> None:
    """Register the handlers of statistics."""
    relay.on_many(LotClosed, count_lots, later=True)
