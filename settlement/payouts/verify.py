"""Proof of payouts: batches rebuilt from plans, three signatures, money that left, case accounts (invariant 26)."""

from uuid import UUID

from appraisal import api as appraisal
from kernel.database import Tx
from settlement.bank import service as bank
from settlement.bank.rules import Payee
from settlement.distribution import service as distribution
from settlement.distribution.plans import amounts_by_payee
from settlement.distribution.verify import UNREADABLE
from settlement.ledger import service as ledger
from settlement.ledger.models import Account
from settlement.ledger.rules import Kind
from settlement.payouts import service, store
from settlement.payouts.models import Payment, PayoutBatch
from settlement.payouts.rules import BatchState, LineState, PayoutLine, Route, batch_hash


async def faults(tx: Tx) -> list[str]:
    """Everything in payouts that does not verify, one sentence each; empty when all is well."""
    found = []
    for batch in await store.all_batches(tx):
        found += [f"payout {batch.id} {fault}" for fault in await _broken_batch(tx, batch)]
    for account in await ledger.accounts_of_kind(tx, Kind.CASE):
        found += await _broken_case_account(tx, account)
    return found


async def _broken_batch(tx: Tx, batch: PayoutBatch) -> list[str]:
    found = []
    lines, payments = await store.lines_of(tx, batch.id), await store.payments_of(tx, batch.id)
    signatures = store.signatures_of(batch)
    if batch_hash(batch.id, batch.plan_id, lines) != batch.hash:
        found.append("does not make its hash: one of its lines was changed, removed or added")
    if sum(line.amount_fen for line in lines) != batch.total_fen:
        found.append("has a total that is not the sum of its lines")
    signed = [person for person in (batch.made_by, batch.checked_by, batch.paid_by) if person is not None]
    if len(set(signed)) != len(signed):
        found.append("was signed twice by one person")
    try:
        plan = await distribution.find_confirmed(tx, batch.plan_id)
    except UNREADABLE:
        return [*found, "pays a plan whose basis cannot be read"]
    if plan is None:
        return [*found, "pays a plan that is not confirmed"]
    due = amounts_by_payee(plan.payable)
    found += [
        f"pays {line.holder} other than the plan says" for line in lines if due.get(line.payee) != line.amount_fen
    ]
    expected = {line.position for line in lines} if signatures.state is BatchState.PAID else set()
    if payments.keys() != expected:
        found.append("and the payments made for it are not the same")
    for line in lines:
        if line.position in payments:
            found += await _broken_payment(tx, batch, line, payments[line.position])
    return found


async def _broken_payment(tx: Tx, batch: PayoutBatch, line: PayoutLine, payment: Payment) -> list[str]:
    if (payment.plan_id, payment.payee_kind, payment.payee_id) != (batch.plan_id, *line.payee):
        return [f"has a payment at line {line.position} that is another payee's"]
    if line.route is Route.STATE_FEE:
        return [] if payment.order_id is None and payment.state == LineState.EXECUTED else ["has an unpaid fee line"]
    if payment.order_id is None:
        return [f"has no payment order at line {line.position}"]
    instruction, state = await bank.instruction_of(tx, payment.order_id)
    expected = Payee(line.holder, line.number, line.bank)
    if (instruction.payee, instruction.amount_fen) != (expected, line.amount_fen):
        return [f"ordered another payee or amount at line {line.position} than was signed"]
    if payment.state not in (LineState.ORDERED, state):
        return [f"says line {line.position} is {payment.state}, the bank's answer is {state}"]
    return []


async def _broken_case_account(tx: Tx, account: Account) -> list[str]:
    """A case account holds what no confirmed plan gave away, and what confirmed plans have not paid; no fen else."""
    assert account.case_id is not None
    case = await appraisal.get_case(tx, account.case_id)
    try:
        basis = await distribution.current_basis(tx, case)
    except UNREADABLE:
        return [f"the account of case {case.case_no} was distributed by a plan whose basis cannot be read"]
    unplanned = sum(proceeds.amount_fen for proceeds in basis.proceeds)
    lines = await service.unpaid_lines(tx, case.id)
    unpaid = sum(line.amount_fen for line in lines) + await _just_returned(tx, case.id)
    if account.balance_fen != unplanned + unpaid:
        return [
            f"the account of case {case.case_no} holds {account.balance_fen} fen; {unplanned} are not distributed yet"
            f" and {unpaid} not paid yet"
        ]
    return []


async def _just_returned(tx: Tx, case_id: UUID) -> int:
    """Money that the bank sent back a moment ago, whose payment is about to be noted as rejected; fen."""
    orders = [await bank.instruction_of(tx, order_id) for order_id in await store.orders_open(tx, case_id)]
    return sum(instruction.amount_fen for instruction, state in orders if state == LineState.REJECTED)
