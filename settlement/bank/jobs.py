"""Due work of the bank: hand over payment orders, and let the simulated bank report."""

from kernel.database import Tx
from kernel.outbox import Relay
from settlement.bank import answers, simulated
from settlement.bank.schemas import OrdersReport, PaymentsDue, TransferReport


def subscribe(relay: Relay, *, simulated_bank: bool = True) -> None:
    """Send orders to the simulated bank, or leave them for a real one to collect: at the counter or in files."""
    port = simulated.SimulatedBank()

    async def deliver_orders(tx: Tx, work: PaymentsDue) -> None:
        if simulated_bank:
            await answers.deliver(tx, port, work)

    relay.on(PaymentsDue, deliver_orders)
    relay.on(TransferReport, simulated.report_transfer)
    relay.on(OrdersReport, simulated.report_orders)
