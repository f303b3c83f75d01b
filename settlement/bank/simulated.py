"""The simulated bank of the embedded default, the tests and the demo: the world outside, behind the same port.

It keeps its own book of orders, decides on receipt and reports in a transaction of its own through the very functions
that a real bank's machine calls. An order that stands in its book is never paid again.
"""

from uuid import UUID

from kernel.database import Call, Database, Tx
from kernel.ids import ordered_id
from kernel.outbox import tell
from settlement.bank import service, store
from settlement.bank.models import SimulatedTransfer
from settlement.bank.port import BankAnswer
from settlement.bank.rules import Instruction
from settlement.bank.schemas import (
    Confirmation,
    CreditNotice,
    MakeTransfer,
    SimulatedReport,
    TransferAccepted,
)

CLOSED_ACCOUNT = "0000"
"""Accounts whose number begins so are closed: payments to them are rejected."""


class SimulatedBank:
    """Executes every order, but those to closed accounts."""

    async def find(self, tx: Tx, order_id: UUID) -> BankAnswer | None:
        order = await store.find_simulated_order(tx, order_id)
        if order is None:
            return None
        return BankAnswer("executed" if order.outcome == "executed" else "rejected", order.bank_ref)

    async def send(self, tx: Tx, instruction: Instruction) -> None:
        closed = instruction.payee.number.startswith(CLOSED_ACCOUNT)
        order: dict[str, object] = {
            "order_id": instruction.order_id,
            "payee_number": instruction.payee.number,
            "amount_fen": instruction.amount_fen,
            "outcome": "rejected" if closed else "executed",
            "bank_ref": f"OUT{instruction.order_id.hex}",
        }
        if await store.add_simulated_order(tx, order):
            await tell(tx, SimulatedReport(order_id=instruction.order_id))


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
        await tell(tx, SimulatedReport(transfer_id=transfer_id))
        return tx.answer(TransferAccepted(wanted.amount_fen))


async def report(tx: Tx, work: SimulatedReport) -> None:
    """Send the notice of a transfer made, or the confirmation of an order decided on."""
    if work.transfer_id is not None:
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
    if work.order_id is not None:
        answer = await SimulatedBank().find(tx, work.order_id)
        assert answer is not None, "reported only after it was taken into the book"
        confirmation = Confirmation(order_id=work.order_id, outcome=answer.outcome, bank_ref=answer.bank_ref)
        await service.receive_confirmation(tx, confirmation)
