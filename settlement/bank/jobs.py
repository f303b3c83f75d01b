"""Due work of the bank: hand over payment orders, and let the simulated bank report."""

from kernel.database import Tx
from kernel.outbox import Relay
from settlement.bank import service, simulated
from settlement.bank.port import BankPort, CollectingBank
from settlement.bank.schemas import PaymentDue, SimulatedReport


def subscribe(relay: Relay, *, simulated_bank: bool = True) -> None:
    """Send orders to the simulated bank, or leave them at the counter for a real one to collect."""
    port: BankPort = simulated.SimulatedBank() if simulated_bank else CollectingBank()

    async def deliver_order(tx: Tx, work: PaymentDue) -> None:
        await service.deliver(tx, port, work)

    relay.on(PaymentDue, deliver_order)
    relay.on(SimulatedReport, simulated.report)
