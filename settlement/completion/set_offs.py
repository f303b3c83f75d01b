"""What of a price the buyer need not pay in, since it is set off against their claim by the court's decision.

Invariant: price = deposit + money paid in + what is set off (invariant 24). Unsettled in law, so nothing is set off
without a decision that says so (`rules.set_off_creditor`); a default or an annulment lets it fall away, and since it
never was money, nothing of it is paid back.
"""

from dataclasses import dataclass
from uuid import UUID

from kernel.audit import record
from kernel.database import Tx
from kernel.money import Fen
from settlement.completion import rules, store
from settlement.completion.case_money import case_account
from settlement.completion.errors import SetOffOrdered
from settlement.completion.models import PriceSetOff, Sale
from settlement.completion.rules import SERVED, UNDONE, SaleState
from settlement.deposits import service as deposits
from settlement.ledger import service as ledger

ORDERED = "completion.set-off"


@dataclass(frozen=True, slots=True)
class StandingSetOff:
    """A set-off whose sale stands; the price reached the case account less `amount_fen` once `is_served`; fen."""

    asset_id: UUID
    title: str
    party_id: UUID
    price_fen: Fen
    amount_fen: Fen
    is_served: bool


async def locked_sale(tx: Tx, lot_id: UUID) -> Sale:
    """The sale with the accounts of its money and its case, all locked: nobody pays it, promises or plans meanwhile."""
    sale = await store.lock_sale(tx, lot_id)
    deposit = await deposits.account_of(tx, sale.registration_id)
    case = await case_account(tx, sale.case_id)
    await ledger.lock(tx, [case.id, sale.account_id, deposit.id])
    return sale


async def order(tx: Tx, sale: Sale, party_id: UUID, entitlement_fen: Fen, decision_id: UUID) -> None:
    """Set the sale's price off, once, before its balance is paid or overdue; the sale is locked by the caller."""
    rules.require(SaleState(sale.state), SaleState.AWAITING_BALANCE)
    if await store.find_set_off(tx, sale.lot_id) is not None:
        raise SetOffOrdered()
    now = tx.now()
    rules.require_not_overdue(sale.balance_due_at, now)
    amount_fen = rules.set_off_fen(sale.price_fen, sale.deposit_fen, entitlement_fen)
    row = PriceSetOff(
        lot_id=sale.lot_id,
        party_id=party_id,
        entitlement_fen=entitlement_fen,
        amount_fen=amount_fen,
        decision_id=decision_id,
        ordered_at=now,
    )
    await store.add(tx, row)
    await record(tx, ORDERED, f"lot:{sale.lot_id}", facts_of(row), case_id=sale.case_id)


def facts_of(row: PriceSetOff) -> dict[str, object]:
    """What the audit trail says of a set-off."""
    return {
        "party": str(row.party_id),
        "entitlement_fen": row.entitlement_fen,
        "amount_fen": row.amount_fen,
        "decision": str(row.decision_id),
    }


async def ordered_fen(tx: Tx, lot_id: UUID) -> Fen:
    """What of the lot's price was set off, whatever became of the sale; fen."""
    row = await store.find_set_off(tx, lot_id)
    return row.amount_fen if row else Fen(0)


async def standing_fen(tx: Tx, sale: Sale) -> Fen:
    """What of the sale's price is set off; nothing of one that came to nothing; fen."""
    return Fen(0) if sale.state in UNDONE else await ordered_fen(tx, sale.lot_id)


async def in_money_fen(tx: Tx, sale: Sale) -> Fen:
    """What of the sale's price is paid in money, deposit and balance together; fen."""
    return Fen(sale.price_fen - await standing_fen(tx, sale))


async def standing_in(tx: Tx, case_id: UUID) -> list[StandingSetOff]:
    """The set-offs of the case whose sales stand, first hammer first."""
    found = []
    for sale in await store.sales_of_case(tx, case_id):
        row = await store.find_set_off(tx, sale.lot_id)
        if row is not None and sale.state not in UNDONE:
            served = sale.state in SERVED
            found.append(
                StandingSetOff(sale.asset_id, sale.title, row.party_id, sale.price_fen, row.amount_fen, served)
            )
    return found
