"""The simulated bank of the embedded default, the tests and the demo: the world outside, behind the same port.

It keeps its own book of orders, decides on receipt and reports in a transaction of its own through the very functions
that a real bank's machine calls. An order that stands in its book is never paid again.
"""

from collections.abc import Collection, Sequence
from uuid import UUID

from kernel.database import Call, Database, Tx
from kernel.ids import ordered_id
from kernel.outbox import tell
from settlement.bank import answers, service, store
from settlement.bank.models import SimulatedTransfer
from settlement.bank.port import BankAnswer
from settlement.bank.rules import Instruction
from settlement.bank.schemas import (
    Confirmation,
    CreditNotice,
    MakeTransfer,
    OrdersReport,
    TransferAccepted,
    TransferReport,
)

CLOSED_ACCOUNT = "0000"
"""Accounts whose number begins so are closed: payments to them are rejected."""


class SimulatedBank:
    """Executes every order, but those to closed accounts."""

    async def find(self, tx: Tx, order_ids: Collection[UUID]) -> dict[UUID, BankAnswer]:
        return {
            order.order_id: BankAnswer("executed" if order.outcome == "executed" else "rejected", order.bank_ref)
            for order in await store.simulated_orders(tx, order_ids)
        }

    async def send(self, tx: Tx, instructions: Sequence[Instruction]) -> None:
        orders: list[dict[str, object]] = [
            {
                "order_id": each.order_id,
                "payee_number": each.payee.number,
                "amount_fen": each.amount_fen,
                "outcome": "rejected" if each.payee.number.startswith(CLOSED_ACCOUNT) else "executed",
                "bank_ref": f"OUT{each.order_id.hex}",
            }
            for each in instructions
        ]
        if taken := await store.add_simulated_orders(tx, orders):
            await tell(tx, OrdersReport(order_ids=tuple(taken)))


async def make_transfer(database: Database, call: Call, wanted: MakeTransfer) -> TransferAccepted:
    """A person pays into one of our accounts at their own bank. The answer names neither account nor reference,
    since it is kept beside the person who asked."""
    async with database.command(call) as tx:
        transfer_id = ordered_id()
        tx.session.add(
            SimulatedTransfer(
                id=transfer_id,
                bank_ref=f"IN{transfer_id.hex}",
                from_account=wanted.from_account,
                payer_name=wanted.payer_name,
                to_account_no=wanted.to_account_no,
                amount_fen=wanted.amount_fen,
                made_at=tx.now(),
            )
        )
        await tell(tx, TransferReport(transfer_id=transfer_id))
        return tx.answer(TransferAccepted(wanted.amount_fen))


async def report_transfer(tx: Tx, work: TransferReport) -> None:
    """Send the notice of a transfer that was made."""
    transfer = await store.get_simulated_transfer(tx, work.transfer_id)
    notice = CreditNotice(
        bank_ref=transfer.bank_ref,
        account_no=transfer.to_account_no,
        amount_fen=transfer.amount_fen,
        payer_name=transfer.payer_name,
        payer_account=transfer.from_account,
        booked_at=transfer.made_at,
    )
    await service.receive_credit(tx, notice)


async def report_orders(tx: Tx, work: OrdersReport) -> None:
    """Send the confirmations of orders decided on."""
    found = await SimulatedBank().find(tx, work.order_ids)
    await answers.receive_confirmations(
        tx,
        [
            Confirmation(order_id=order_id, outcome=found[order_id].outcome, bank_ref=found[order_id].bank_ref)
            for order_id in work.order_ids
        ],
    )
