"""The use case of setting a price off against the claim of the creditor who bought (以债权抵价款, R-CLOSE-04).

The arithmetic is that of a taking in satisfaction: what the distribution of the price would give the buyer, and
others pay nothing for it. Off by default, since the law leaves it open (`completion.rules.set_off_creditor`).

Locking: the asset (holds), the sale's row, then the accounts of the case, the price and the deposit at once.
"""

from uuid import UUID

from appraisal import api as appraisal
from appraisal.api import CaseFacts
from kernel.actors import Role
from kernel.database import Call, Database, Tx
from settlement.completion import case_money, rules, set_offs
from settlement.completion import service as completion
from settlement.completion.errors import AssetOnHold, SetOffBuyer
from settlement.completion.models import Sale
from settlement.completion.rules import SaleState
from settlement.completion.sale_schemas import SaleView, SetPriceOff
from settlement.distribution.current import bases_around, recognised_claims
from settlement.distribution.errors import FeeNotSet
from settlement.distribution.plans import Proceeds
from settlement.distribution.satisfaction import entitlement_of
from settlement.distribution.service import require_no_bankruptcy


async def set_price_off(database: Database, call: Call, lot_id: UUID, wanted: SetPriceOff) -> SaleView:
    """Let a creditor who bought keep back what the distribution would give them of the price.

    The panel decides it after the hammer and before the balance is paid or overdue; too much paid before goes back.
    Refuses `set-off-undecided`, `set-off-buyer`, `set-off-ordered`, `nothing-to-set-off`, `balance-overdue`,
    `fee-not-set`, and a sale on hold or of a debtor whose bankruptcy was accepted.
    """
    async with database.command(call) as tx:
        tx.actor.must_be(Role.JUDGE)
        found = await completion.sale_of_court(tx, lot_id)
        case, subject = await appraisal.get_case(tx, found.case_id), appraisal.Subject.SET_OFF
        decision = await appraisal.get_decision(tx, wanted.decision_id, case_id=case.id, subject=subject)
        creditor = rules.set_off_creditor(decision.facts)
        await appraisal.require_no_hold(tx, found.asset_id, AssetOnHold)
        sale = await set_offs.locked_sale(tx, lot_id)
        await require_no_bankruptcy(tx, case.id)
        rules.require(SaleState(sale.state), SaleState.AWAITING_BALANCE)
        party_id = await _buyer_among(tx, case, sale, creditor)
        if await case_money.find_fee(tx, case.id) is None:
            raise FeeNotSet()
        thing = Proceeds(str(sale.asset_id), sale.title, sale.price_fen)
        entitlement_fen = entitlement_of(*await bases_around(tx, case, thing), party_id)
        await set_offs.order(tx, sale, party_id, entitlement_fen, decision.id)
        await completion.weigh_price(tx, lot_id)
        return tx.answer(await completion.sale_view(tx, sale))


async def _buyer_among(tx: Tx, case: CaseFacts, sale: Sale, creditor: str) -> UUID:
    """The party of this name, if its claim takes part and the account that bought alone is linked to it."""
    claimants = {each.party_id for each in await recognised_claims(tx, case)}
    for party in case.parties:
        if party.name == creditor and party.id in claimants and (party.person_id,) == sale.buyers:
            return party.id
    raise SetOffBuyer(name=creditor)
