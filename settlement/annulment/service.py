"""The use case of annulling a sale (撤销, R-HALT-04).

Locking: the asset, auction's lot, the sale's row, then the accounts; under the case account's lock no plan is
confirmed, so what is asked about plans stays true. Drafts and served plans over the price become stale by themselves.
"""

from uuid import UUID

from appraisal import api as appraisal
from auction import api as auction
from kernel.actors import Role
from kernel.audit import record
from kernel.clock import beijing
from kernel.database import Call, Database, Tx
from settlement.annulment import rules
from settlement.annulment.schemas import AnnulmentView, AnnulSale
from settlement.completion import reversal
from settlement.completion import service as completion
from settlement.completion.models import Sale
from settlement.distribution.current import confirmed_plans


async def annul_sale(database: Database, call: Call, lot_id: UUID, wanted: AnnulSale) -> AnnulmentView:
    """Undo a sale by the court's ruling: everything paid goes back to who paid it, and a resale is ordered.

    Seizures that ended with the sale live again with their ranks, so that creditors stand as they did before it.
    Refuses `proceeds-distributed` once a confirmed plan gives the price away, `deposit-used` where a forfeited deposit
    was used by it, `ground-passed` for a refused approval after the ruling.
    """
    async with database.command(call) as tx:
        tx.actor.must_be(Role.JUDGE)
        found = await completion.sale_of_court(tx, lot_id)
        case_id, subject = found.case_id, appraisal.Subject.ANNULMENT
        decision = await appraisal.get_decision(tx, wanted.decision_id, case_id=case_id, subject=subject)
        barred = found.buyers if wanted.ground in rules.OF_THE_BUYER else ()
        await appraisal.undo_disposal(tx, found.asset_id, appraisal.Way.SALE)
        await auction.mark_annulled(tx, lot_id)
        resale_id = await auction.order_resale(tx, lot_id, decision.id, barred_person_ids=barred)
        sale = await reversal.locked_sale(tx, lot_id)
        version = await _distributed_by(tx, sale)
        rules.require_annullable(wanted.ground, ruled=sale.ruled_at is not None, distributed_by=version)
        at = await reversal.give_back(tx, sale, decision.id, wanted.ground, resale_id)
        await record(tx, "annulment.annul", f"lot:{lot_id}", wanted, case_id=case_id, reason=wanted.reasons)
        return tx.answer(AnnulmentView(lot_id, wanted.ground, beijing(at), bool(barred), resale_id))


async def _distributed_by(tx: Tx, sale: Sale) -> int | None:
    """The version of the first confirmed plan that gives this sale's price away."""
    if sale.served_on is None:
        return None
    for plan in await confirmed_plans(tx, sale.case_id):
        if any(proceeds.pool == str(sale.asset_id) for proceeds in plan.basis.proceeds):
            return plan.version
    return None
