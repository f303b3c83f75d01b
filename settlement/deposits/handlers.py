"""What others tell that concerns deposits, and their due work after a lot has ended."""

from collections.abc import Sequence

from kernel.contracts import LotClosed, LotWithdrawn, RegistrationMade
from kernel.database import Tx
from kernel.outbox import Relay, tell_all
from settlement.bank.schemas import MoneyArrived
from settlement.deposits import service
from settlement.deposits.schemas import DepositsToRelease
from settlement.ledger.rules import Kind


async def open_deposit(tx: Tx, event: RegistrationMade) -> None:
    await service.open_deposit(tx, event)


async def weigh_deposit(tx: Tx, event: MoneyArrived) -> None:
    if event.kind == Kind.DEPOSIT:
        assert event.registration_id is not None, "every deposit account belongs to a registration"
        await service.weigh(tx, event.registration_id)


async def release_losers(tx: Tx, events: Sequence[LotClosed]) -> None:
    works = [DepositsToRelease(lot_id=event.lot_id, winner=event.registration_id) for event in events]
    await service.release_next(tx, works)


async def release_all(tx: Tx, event: LotWithdrawn) -> None:
    await tell_all(tx, [DepositsToRelease(lot_id=event.lot_id, winner=None)])


def subscribe(relay: Relay) -> None:
    relay.on(RegistrationMade, open_deposit)
    relay.on(MoneyArrived, weigh_deposit)
    relay.on_many(LotClosed, release_losers)
    relay.on(LotWithdrawn, release_all)
    relay.on_many(DepositsToRelease, service.release_next)
