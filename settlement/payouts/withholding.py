"""Use cases beside the batches: money deferred or deposited with approval, rewards, the court's own limit.

Locking: as in `service`; the case account orders a withholding and a batch that would pay the same line.
"""

from uuid import UUID

from kernel.actors import Role
from kernel.audit import record
from kernel.clock import beijing_day
from kernel.database import Call, Database, Tx
from kernel.errors import Busy, Forbidden
from kernel.ids import ordered_id
from settlement.completion import case_money
from settlement.distribution import service as distribution
from settlement.distribution.plans import PayeeKind
from settlement.ledger import service as ledger
from settlement.ledger.models import Account
from settlement.ledger.rules import Kind, Posting, Transfer
from settlement.payouts import rules, store
from settlement.payouts.account import entitlements_of, withholding_view
from settlement.payouts.models import RewardRow, Withholding
from settlement.payouts.rules import KIND_OF, Ground, Payee, Withheld
from settlement.payouts.schemas import (
    EndWithholding,
    PayoutPolicyView,
    RegisterReward,
    RewardView,
    SetPayoutPolicy,
    Withhold,
    WithholdingView,
)
from settlement.payouts.service import locked_confirmed

ACCOUNT_OF = {Withheld.DEFERRED: Kind.DEFERRED, Withheld.DEPOSITED: Kind.ESCROW}
"""Where withheld money is kept."""


async def withhold(database: Database, call: Call, plan_id: UUID, wanted: Withhold) -> WithholdingView:
    """Ask that one payee's money is deferred or deposited; it takes effect by approval (R-ACCT-04, 07)."""
    async with database.command(call) as tx:
        tx.actor.must_be(Role.MAKER)
        plan, case, _ = await locked_confirmed(tx, plan_id)
        payee: Payee = (PayeeKind(wanted.payee_kind), wanted.payee_id)
        courses = [store.course_of(each) for each in await store.withholdings_of(tx, case.id)]
        settled = await store.paid_of(tx, plan_id) | {course.payee for course in courses if not course.ended}
        due = rules.withhold(payee, await entitlements_of(tx, plan), settled)
        row = Withholding(
            id=ordered_id(),
            plan_id=plan_id,
            case_id=case.id,
            payee_kind=wanted.payee_kind,
            payee_id=wanted.payee_id,
            payee=due.name,
            ground=wanted.ground,
            reason=wanted.reason,
            amount_fen=due.amount_fen,
            asked_by=tx.actor.person,
            asked_at=tx.now(),
        )
        await store.add_withholding(tx, row)
        subject = f"withholding:{row.id}"
        await record(tx, "payouts.withhold", subject, wanted, case_id=case.id, reason=wanted.reason)
        return tx.answer(withholding_view(row))


async def approve_withholding(database: Database, call: Call, withholding_id: UUID) -> WithholdingView:
    """The bureau chief approves: the money leaves the case account for the deferred or the escrow account (R-ACCT-04).

    Refused while a batch is on its way, which may hold the same line, and when the payee was paid meanwhile.
    """
    async with database.command(call) as tx:
        tx.actor.must_be(Role.CHIEF)
        row, account = await _locked(tx, withholding_id)
        batches = [store.signatures_of(each) for each in await store.batches_of(tx, row.plan_id)]
        paid = await store.paid_of(tx, row.plan_id)
        rules.approve_withholding(store.course_of(row), tx.actor.person, batches, paid)
        row.approved_by, row.approved_at = tx.actor.person, tx.now()
        kept = await withholding_account(tx, row)
        await _move(tx, row, Transfer(account.id, kept.id, row.amount_fen), "payouts.withheld")
        facts = {"amount_fen": row.amount_fen, "ground": row.ground}
        await record(tx, "payouts.approve-withholding", f"withholding:{row.id}", facts, case_id=row.case_id)
        return tx.answer(withholding_view(row))


async def end_withholding(
    database: Database, call: Call, withholding_id: UUID, wanted: EndWithholding
) -> WithholdingView:
    """The ground has ended: the money is back in the case account and is paid within ten days (R-ACCT-04)."""
    async with database.command(call) as tx:
        tx.actor.must_be(Role.MAKER)
        row, account = await _locked(tx, withholding_id)
        now = tx.now()
        row.pay_until = rules.end_withholding(store.course_of(row), wanted.ended_on, beijing_day(now))
        row.ended_on, row.ended_at = wanted.ended_on, now
        kept = await withholding_account(tx, row)
        await _move(tx, row, Transfer(kept.id, account.id, row.amount_fen), "payouts.withholding-ended")
        subject = f"withholding:{row.id}"
        await record(tx, "payouts.end-withholding", subject, wanted, case_id=row.case_id, reason=wanted.reason)
        return tx.answer(withholding_view(row))


async def register_reward(database: Database, call: Call, case_id: UUID, wanted: RegisterReward) -> RewardView:
    """Register a reward that is due; payouts deduct it from the creditor who asked for the notice alone (R-CASE-06)."""
    async with database.command(call) as tx:
        tx.actor.must_be(Role.MAKER)
        case = await case_money.served_case(tx, case_id)
        party = case.party(wanted.party_id)
        await distribution.lock_case_money(tx, case.id)
        row = RewardRow(
            id=ordered_id(),
            case_id=case.id,
            party_id=party.id,
            amount_fen=wanted.amount_fen,
            payee_holder=wanted.payee.holder,
            payee_number=wanted.payee.number,
            payee_bank=wanted.payee.bank,
            document=wanted.document,
            registered_at=tx.now(),
            registered_by=tx.actor.person,
        )
        await store.add_reward(tx, row)
        await record(tx, "payouts.register-reward", f"reward:{row.id}", wanted, case_id=case.id)
        return tx.answer(RewardView(row.id, party.id, row.amount_fen, row.payee_holder, row.document))


async def set_policy(database: Database, call: Call, wanted: SetPayoutPolicy) -> PayoutPolicyView:
    """Set within how many days the chief's court pays out; the nation's thirty stay the hard limit (R-ACCT-03)."""
    async with database.command(call) as tx:
        tx.actor.must_be(Role.CHIEF)
        court_id = tx.actor.court_id
        if court_id is None:
            raise Forbidden()
        last = await store.find_payout_policy(tx, court_id)
        policy: dict[str, object] = {
            "court_id": court_id,
            "number": last.number + 1 if last else 1,
            "days": wanted.days,
            "reason": wanted.reason,
            "set_at": tx.now(),
            "set_by": tx.actor.person,
        }
        if not await store.add_payout_policy(tx, policy):
            raise Busy()
        await record(tx, "payouts.set-policy", f"court:{court_id}", wanted, reason=wanted.reason)
        return tx.answer(PayoutPolicyView(wanted.days))


async def withholding_account(tx: Tx, row: Withholding) -> Account:
    """Where the money is kept meanwhile, an account of its own."""
    kind = ACCOUNT_OF[KIND_OF[Ground(row.ground)]]
    return await ledger.open_account(tx, kind, f"withholding:{row.id}", case_id=row.case_id)


async def _locked(tx: Tx, withholding_id: UUID) -> tuple[Withholding, Account]:
    """The withholding of the actor's court, read under the lock of its case's money."""
    found = await store.get_withholding(tx, withholding_id)
    case = await case_money.served_case_of(tx, found.case_id, "withholding")
    account = await distribution.lock_case_money(tx, case.id)
    await distribution.require_no_bankruptcy(tx, case.id)
    return await store.get_withholding(tx, withholding_id), account


async def _move(tx: Tx, row: Withholding, transfer: Transfer, reason: str) -> None:
    await tx.session.flush()
    key = f"{reason}:{row.id}"
    await ledger.post(tx, Posting(key, reason, f"withholding:{row.id}", (transfer,), row.case_id))
