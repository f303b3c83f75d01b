"""Proof of payouts: batches rebuilt from plans, three signatures, money that left, case accounts (invariant 26)."""

from collections.abc import Sequence
from uuid import UUID

from appraisal import api as appraisal
from kernel.calendar import due_on
from kernel.database import Tx
from settlement.bank import service as bank
from settlement.bank.rules import Payee
from settlement.distribution.current import current_basis, find_confirmed
from settlement.distribution.plans import amounts_by_payee
from settlement.distribution.verify import UNREADABLE
from settlement.ledger import service as ledger
from settlement.ledger.models import Account
from settlement.ledger.rules import Kind
from settlement.payouts import store
from settlement.payouts.account import unpaid_entitlements
from settlement.payouts.models import Payment, PayoutBatch, Withholding
from settlement.payouts.rules import (
    AFTER_WITHHOLDING_DAYS,
    BatchState,
    LineState,
    PayoutLine,
    Route,
    batch_hash,
)
from settlement.payouts.withholding import withholding_account


async def faults(tx: Tx) -> list[str]:
    """Everything in payouts that does not verify, one sentence each; empty when all is well."""
    found = []
    for batch in await store.all_batches(tx):
        found += [f"payout {batch.id} {fault}" for fault in await _broken_batch(tx, batch)]
    for account in await ledger.accounts_of_kind(tx, Kind.CASE):
        found += await _broken_case_account(tx, account)
        assert account.case_id is not None
        found += await _broken_rewards(tx, account.case_id)
    for row in await store.all_withholdings(tx):
        found += [f"withholding {row.id} {fault}" for fault in await _broken_withholding(tx, row)]
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
        plan = await find_confirmed(tx, batch.plan_id)
    except UNREADABLE:
        return [*found, "pays a plan whose basis cannot be read"]
    if plan is None:
        return [*found, "pays a plan that is not confirmed"]
    due = amounts_by_payee(plan.payable)
    taken = await _deducted(tx, batch, lines)
    found += [
        f"pays {line.holder} other than the plan says"
        for line in lines
        if line.deducted_from is None and line.amount_fen + taken.get(line.payee_id, 0) != due.get(line.payee)
    ]
    expected = {line.position for line in lines} if signatures.state is BatchState.PAID else set()
    if payments.keys() != expected:
        found.append("and the payments made for it are not the same")
    for line in lines:
        if line.position in payments:
            found += await _broken_payment(tx, batch, line, payments[line.position])
    return found


async def _deducted(tx: Tx, batch: PayoutBatch, lines: Sequence[PayoutLine]) -> dict[UUID, int]:
    """What is deducted of each creditor's money by the plan: by this batch, or by a paid one before it (R-CASE-06)."""
    earlier = await store.deductions_of(tx, batch.case_id)
    by_reward = {reward_id: amount for (plan_id, reward_id), amount in earlier.items() if plan_id == batch.plan_id}
    by_reward |= {line.payee_id: line.amount_fen for line in lines if line.deducted_from is not None}
    taken: dict[UUID, int] = {}
    for row in await store.rewards_of(tx, batch.case_id):
        taken[row.party_id] = taken.get(row.party_id, 0) + by_reward.get(row.id, 0)
    return taken


async def _broken_rewards(tx: Tx, case_id: UUID) -> list[str]:
    """No reward is deducted beyond its amount, whatever plans it was deducted by."""
    deducted = await store.deductions_of(tx, case_id)
    return [
        f"the reward {row.id} was deducted beyond its amount"
        for row in await store.rewards_of(tx, case_id)
        if sum(amount for (_, reward_id), amount in deducted.items() if reward_id == row.id) > row.amount_fen
    ]


async def _broken_withholding(tx: Tx, row: Withholding) -> list[str]:
    held = await ledger.balance(tx, (await withholding_account(tx, row)).id) if row.approved_at else 0
    expected = row.amount_fen if row.approved_at and not row.ended_at else 0
    found = [f"keeps {held} fen where {expected} are withheld"] if held != expected else []
    if row.ended_on and row.pay_until != due_on(row.ended_on, AFTER_WITHHOLDING_DAYS).on:
        found.append("gives another last day to pay than the law")
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
        basis = await current_basis(tx, case)
    except UNREADABLE:
        return [f"the account of case {case.case_no} was distributed by a plan whose basis cannot be read"]
    set_off = sum(each.amount_fen for each in basis.set_offs)  # of a price, and never came in as money
    unplanned = sum(proceeds.amount_fen for proceeds in basis.proceeds) - set_off
    owed = await unpaid_entitlements(tx, case.id)
    unpaid = sum(each.amount_fen for each in owed) + await _just_returned(tx, case.id)
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
