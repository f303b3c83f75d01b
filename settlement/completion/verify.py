"""Proof of sales: price = deposit + balance, title only against the whole price, a default's deposit all accounted for.

Invariants 24 and 27.
"""

from kernel.database import Tx
from settlement.completion import store
from settlement.completion.models import Sale
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
    return found


async def _broken_sale(tx: Tx, sale: Sale) -> list[str]:
    found = []
    account = await ledger.get_account(tx, sale.account_id)
    held_fen = ledger.stored_balance(account)
    if await ledger.received_fen(tx, account.id, Kind.DEPOSIT) != sale.deposit_fen:
        found.append("says another deposit than was applied to its price")
    if sale.state in (SaleState.PAID, SaleState.RULED) and held_fen < sale.price_fen:
        found.append("is called paid, but the price is not there")
    if sale.state == SaleState.AWAITING_BALANCE and held_fen >= sale.price_fen:
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
    due_fen = sum(sale.price_fen for sale in had_passed) + sum(made_good) + taken_fen
    for sale in had_passed:
        back_fen = await ledger.received_fen(tx, sale.account_id, Kind.CASE)
        if back_fen != (sale.price_fen if sale.state == SaleState.ANNULLED else 0):
            return [f"case {case_id}: {back_fen} fen of the price of lot {sale.lot_id} went back to its account"]
    arrived_fen = await ledger.received_fen(tx, case.id, Kind.LOT) if case else 0
    if due_fen != arrived_fen:
        return [f"case {case_id}: {arrived_fen} fen of sale prices arrived, its served sales brought {due_fen}"]
    return []
