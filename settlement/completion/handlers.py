"""What others tell that concerns a sale: the lot closed, money arrived on its account."""

from collections.abc import Sequence

from kernel.contracts import LotClosed
from kernel.database import Tx
from kernel.outbox import Relay
from settlement.bank.schemas import MoneyArrived
from settlement.completion import service
from settlement.ledger.rules import Kind


async def open_sales(tx: Tx, events: Sequence[LotClosed]) -> None:
    await service.open_sales(tx, events)


async def weigh_price(tx: Tx, event: MoneyArrived) -> None:
    if event.kind == Kind.LOT:
        assert event.lot_id is not None, "every lot account belongs to a lot"
        if await service.is_sold(tx, event.lot_id):  # else a creditor takes what nobody bought
            await service.weigh_price(tx, event.lot_id)


def subscribe(relay: Relay) -> None:
    relay.on_many(LotClosed, open_sales)
    relay.on(MoneyArrived, weigh_price)
