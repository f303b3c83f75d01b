"""What others tell that concerns distribution: money arrived on the account of a lot that a creditor takes."""

from kernel.database import Tx
from kernel.outbox import Relay
from settlement.bank.schemas import MoneyArrived
from settlement.distribution import taking
from settlement.ledger.rules import Kind


async def weigh_taking(tx: Tx, event: MoneyArrived) -> None:
    if event.kind == Kind.LOT:
        assert event.lot_id is not None, "every lot account belongs to a lot"
        await taking.weigh_taking(tx, event.lot_id)


def subscribe(relay: Relay) -> None:
    relay.on(MoneyArrived, weigh_taking)
