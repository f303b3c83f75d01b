"""Giving a sale back (撤销拍卖, R-HALT-04): the money returns by entries of its own, nothing is edited.

Locking: the caller holds auction's lot; here the sale's row, the case's defaulted sales, then all accounts at once.
"""

from datetime import datetime
from uuid import UUID

from kernel.audit import record
from kernel.database import Tx
from settlement.bank import service as bank
from settlement.completion import set_offs, store
from settlement.completion.case_money import case_account
from settlement.completion.errors import DepositUsed, SaleNotThere
from settlement.completion.models import Sale
from settlement.completion.rules import SALE_STATE_ZH, SERVED, UNDONE, SaleState
from settlement.deposits import service as deposits
from settlement.ledger import service as ledger
from settlement.ledger.rules import Posting, Transfer


async def locked_sale(tx: Tx, lot_id: UUID) -> Sale:
    """The sale with the accounts of its money and its case, all locked; refuses one that came to nothing before.

    Refuses too where a forfeited deposit of an earlier sale of the thing was used by this sale's price.
    """
    sale = await store.lock_sale(tx, lot_id)
    if sale.state in UNDONE:
        state = SaleState(sale.state)
        raise SaleNotThere(state=state, state_zh=SALE_STATE_ZH[state])
    for earlier in await store.lock_defaulted(tx, sale.case_id):
        if earlier.asset_id == sale.asset_id and await store.uses_of(tx, earlier.lot_id):
            raise DepositUsed()
    case = await case_account(tx, sale.case_id)
    deposit = await deposits.account_of(tx, sale.registration_id)
    await ledger.lock(tx, [case.id, sale.account_id, deposit.id])
    return sale


async def give_back(tx: Tx, sale: Sale, decision_id: UUID, ground: str, resale_lot_id: UUID) -> datetime:
    """Undo the sale: the price leaves the case account again, deposit and balance go back to who paid them.

    A set-off falls away with the sale.
    """
    document = f"decision:{decision_id}"
    in_money_fen = await set_offs.in_money_fen(tx, sale)
    if sale.state in SERVED and in_money_fen:
        case = await case_account(tx, sale.case_id)
        transfer = (Transfer(case.id, sale.account_id, in_money_fen),)
        key = f"proceeds-reversed:{sale.lot_id}"
        reversal = Posting(key, "completion.proceeds-reversed", document, transfer, sale.case_id, sale.lot_id)
        await ledger.post(tx, reversal)
    await deposits.give_back(tx, sale.registration_id, sale.account_id, document)
    account = await ledger.get_account(tx, sale.account_id)
    await bank.refund_above(tx, account, 0, "completion.annulled", document)
    facts = {"was": sale.state, "ground": ground, "resale": str(resale_lot_id), "decision": str(decision_id)}
    now = tx.now()
    sale.state, sale.annulled_at, sale.annulment_decision_id = SaleState.ANNULLED, now, decision_id
    sale.annulment_ground, sale.resale_lot_id = ground, resale_lot_id
    await tx.session.flush()
    await record(tx, "completion.annul", f"lot:{sale.lot_id}", facts, case_id=sale.case_id)
    return now
