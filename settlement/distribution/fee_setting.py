"""Use cases of the enforcement fee: show what the brackets give, and set it (R-COST-01, 02).

Invariant: setting answers with the figures that showing gives at that moment; both are of one computation.
"""

from uuid import UUID

from appraisal import api as appraisal
from kernel.actors import COURT_STAFF, Actor, Role
from kernel.audit import record
from kernel.database import Call, Database
from settlement.completion import case_money
from settlement.completion.case_money import served_case
from settlement.completion.sale_schemas import FeeView, SetFee
from settlement.distribution.current import computed_fee
from settlement.distribution.participation_schemas import ComputedFee
from settlement.distribution.service import lock_case_money


async def set_fee(database: Database, call: Call, case_id: UUID, wanted: SetFee) -> FeeView:
    """Set the enforcement fee; the figure of the brackets is kept beside it, with the reason (R-COST-01)."""
    async with database.command(call) as tx:
        tx.actor.must_be(Role.JUDGE)
        case = await served_case(tx, case_id)
        subject = appraisal.Subject.ENFORCEMENT_FEE
        decision = await appraisal.get_decision(tx, wanted.decision_id, case_id=case_id, subject=subject)
        await lock_case_money(tx, case.id)
        solved = await computed_fee(tx, case)
        fee = await case_money.add_fee(
            tx, case.id, wanted, decision.id, base_fen=solved.base_fen, computed_fen=solved.fee_fen
        )
        facts = {"computed_fen": fee.computed_fen, "set_fen": fee.set_fen, "decision": str(decision.id)}
        await record(tx, "completion.set-fee", f"case:{case_id}", facts, case_id=case_id, reason=wanted.reason)
        return tx.answer(case_money.fee_view(fee))


async def show_fee(database: Database, actor: Actor, case_id: UUID) -> ComputedFee:
    """The enforcement fee on what a plan drafted now would pay the applicant, before or after the court set it."""
    async with database.reading(actor) as tx:
        tx.actor.must_be(*COURT_STAFF)
        case = await served_case(tx, case_id)
        solved = await computed_fee(tx, case)
        fee = await case_money.find_fee(tx, case.id)
        return ComputedFee(solved.base_fen, solved.fee_fen, fee.set_fen if fee else None, fee.reason if fee else None)
