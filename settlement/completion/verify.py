"""Proof of sales: price = deposit + balance + set-off, title only against it, a default's deposit all accounted for.

Invariants 24 and 27.
"""

from appraisal import api as appraisal
from kernel.database import Tx
from kernel.errors import Refusal
from settlement.completion import rules, set_offs, store
from settlement.completion.models import PriceSetOff, Sale
from settlement.completion.rules import STEPS, SaleState
from settlement.distribution.current import paid_in_fen
from settlement.ledger import service as ledger
from settlement.ledger.rules import Kind


async def faults(tx: Tx) -> list[str]:
    """Everything in sales that does not verify, one sentence each; empty when all is well."""
    found = []
    cases = set()
    for sale in await store.all_sales(tx):
        found += [f"sale of lot {sale.lot_id} {fault}" for fault in await _broken_sale(tx, sale)]
        cases.add(sale.case_id)
    for case_id in sorted(cases):
        found += await _broken_proceeds(tx, list(await store.sales_of_case(tx, case_id)))
    return found + await _broken_set_offs(tx)


async def _broken_sale(tx: Tx, sale: Sale) -> list[str]:
    found = []
    account = await ledger.get_account(tx, sale.account_id)
    held_fen = ledger.stored_balance(account)
    if await ledger.received_fen(tx, account.id, Kind.DEPOSIT) != sale.deposit_fen:
        found.append("says another deposit than was applied to its price")
    in_money_fen = await set_offs.in_money_fen(tx, sale)
    if sale.state in (SaleState.PAID, SaleState.RULED) and held_fen < in_money_fen:
        found.append("is called paid, but the price is not there")
    if sale.state == SaleState.AWAITING_BALANCE and held_fen >= in_money_fen:
        found.append("awaits a balance that is there")
    if sale.state == SaleState.DEFAULTED:
        found += await _broken_default(tx, sale)
    return found


async def _broken_default(tx: Tx, sale: Sale) -> list[str]:
    used_fen = sum(getattr(use, step) for use in await store.uses_of(tx, sale.lot_id) for step in STEPS)
    accounts = await ledger.accounts_of_case(tx, sale.case_id)
    pending = next(
        (one for one in accounts if one.kind == Kind.PENDING and one.lot_id == sale.lot_id),
        None,
    )
    if pending is None:
        return ["is in default, but its deposit is pending nowhere"]
    found = []
    if await ledger.received_fen(tx, pending.id, Kind.LOT) != sale.forfeited_fen:
        found.append("is in default with another deposit than was forfeited")
    if sale.forfeited_fen is None or ledger.stored_balance(pending) != sale.forfeited_fen - used_fen:
        found.append("is in default, and what its deposit was used for does not add up")
    return found


async def _broken_proceeds(tx: Tx, sales: list[Sale]) -> list[str]:
    case_id = sales[0].case_id
    accounts = await ledger.accounts_of_case(tx, case_id)
    case = next((account for account in accounts if account.kind == Kind.CASE), None)
    made_good = [payment.amount_fen for sale in sales for payment in await store.payments_of(tx, sale.lot_id)]
    had_passed = [sale for sale in sales if sale.served_on is not None]  # annulled ones went back since
    taken_fen = await paid_in_fen(tx, case_id)
    in_money = {sale.lot_id: sale.price_fen - await set_offs.ordered_fen(tx, sale.lot_id) for sale in had_passed}
    due_fen = sum(in_money.values()) + sum(made_good) + taken_fen
    for sale in had_passed:
        back_fen = await ledger.received_fen(tx, sale.account_id, Kind.CASE)
        if back_fen != (in_money[sale.lot_id] if sale.state == SaleState.ANNULLED else 0):
            return [f"case {case_id}: {back_fen} fen of the price of lot {sale.lot_id} went back to its account"]
    arrived_fen = await ledger.received_fen(tx, case.id, Kind.LOT) if case else 0
    if due_fen != arrived_fen:
        return [f"case {case_id}: {arrived_fen} fen of sale prices arrived, its served sales brought {due_fen}"]
    return []


async def _broken_set_offs(tx: Tx) -> list[str]:
    """Nothing is set off but by the court's decision, in time, and up to the balance (invariant 24)."""
    found = []
    audited = await store.audited_set_offs(tx, set_offs.ORDERED)
    for row in await store.all_set_offs(tx):
        name = f"the set-off of the price of lot {row.lot_id}"
        if audited.pop(row.lot_id, None) != set_offs.facts_of(row):
            found.append(f"{name} is not what the audit trail says")
        found += [f"{name} {fault}" for fault in await _broken_set_off(tx, row, await store.get_sale(tx, row.lot_id))]
    return found + [f"the set-off of the price of lot {lot_id} stands in the audit trail alone" for lot_id in audited]


async def _broken_set_off(tx: Tx, row: PriceSetOff, sale: Sale) -> list[str]:
    found = []
    if row.amount_fen != min(row.entitlement_fen, sale.price_fen - sale.deposit_fen):
        found.append("is not what the buyer would receive, up to the balance")
    if row.ordered_at >= sale.balance_due_at or (sale.paid_at is not None and row.ordered_at > sale.paid_at):
        found.append("was ordered after the balance was paid or due")
    subject = appraisal.Subject.SET_OFF
    try:
        decision = await appraisal.get_decision(tx, row.decision_id, case_id=sale.case_id, subject=subject)
        name = rules.set_off_creditor(decision.facts)
    except Refusal:
        return [*found, "rests on no decision of the court"]
    case = await appraisal.get_case(tx, sale.case_id)
    if (row.party_id, name) not in {(party.id, party.name) for party in case.parties}:
        found.append("is not of the creditor whom the decision names")
    return found
