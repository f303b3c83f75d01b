"""Use cases of payouts: the maker's batch, the checker's and the payer's signature, and what became of its lines.

Locking: the assets whose money it is (shared), then the case account, which guards the case's batches too: making,
checking and paying happen one after the other, beside everything else that moves its money.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from uuid import UUID

from appraisal.api import CaseFacts
from kernel.actors import COURT_STAFF, Actor, Role
from kernel.audit import record, record_all
from kernel.clock import beijing
from kernel.database import Call, Database, Tx
from kernel.identity import service as identity
from kernel.ids import ordered_id
from kernel.money import Fen
from settlement.bank import service as bank
from settlement.bank.rules import Payee as BankPayee
from settlement.bank.rules import Wanted
from settlement.bank.schemas import PaymentsAnswered
from settlement.completion import case_money
from settlement.distribution import service as distribution
from settlement.distribution.current import Confirmed, confirmed_plans, find_confirmed
from settlement.ledger import service as ledger
from settlement.ledger.models import Account
from settlement.ledger.rules import Kind, Posting, Transfer
from settlement.payouts import rules, store
from settlement.payouts.account import destinations_of, entitlements_of, pay_by
from settlement.payouts.errors import PlanNotConfirmed
from settlement.payouts.models import Payment, PayoutBatch
from settlement.payouts.rules import Destination, LineState, Payee, PayoutLine, Route
from settlement.payouts.schemas import (
    PayoutLineView,
    PayoutView,
    Sign,
)


async def make_batch(database: Database, call: Call, plan_id: UUID) -> PayoutView:
    """Make the batch that pays a confirmed plan: every payee with an account who is not paid yet (R-ACCT-06).

    An earlier batch of which a payee's account has changed becomes void; one that could still be signed is refused
    `payout-waiting`.
    """
    async with database.command(call) as tx:
        tx.actor.must_be(Role.MAKER)
        plan, case, _ = await locked_confirmed(tx, plan_id)
        destinations = await destinations_of(tx, case)
        await _void_changed(tx, plan_id, destinations)
        rules.require_none_waiting([store.signatures_of(each) for each in await store.batches_of(tx, plan_id)])
        done = await store.paid_of(tx, plan_id) | await store.withheld_of(tx, plan_id)
        lines = rules.make_lines(await entitlements_of(tx, plan), done, destinations)
        batch = PayoutBatch(
            id=ordered_id(),
            plan_id=plan_id,
            case_id=plan.case_id,
            total_fen=Fen(sum(line.amount_fen for line in lines)),
            made_by=tx.actor.person,
            made_at=tx.now(),
        )
        batch.hash = rules.batch_hash(batch.id, plan_id, lines)
        await store.add_batch(tx, batch, lines)
        facts = {"plan": str(plan_id), "hash": batch.hash.hex(), "total_fen": batch.total_fen}
        await record(tx, "payouts.make", f"payout:{batch.id}", facts, case_id=plan.case_id)
        return tx.answer(await _view(tx, batch, case))


async def check_batch(database: Database, call: Call, batch_id: UUID, wanted: Sign) -> PayoutView:
    """The checker, another person than the maker, signs the batch by its hash: the chief or a vice-president who
    approves, or whom they charged with it (R-ACCT-06).
    """
    async with database.command(call) as tx:
        tx.actor.must_be(Role.CHECKER, Role.CHIEF)
        batch, case, _ = await _locked_batch(tx, batch_id)
        rules.check(store.signatures_of(batch), tx.actor.person)
        await _require_as_signed(tx, batch, case, wanted)
        batch.checked_by, batch.checked_at = tx.actor.person, tx.now()
        await tx.session.flush()
        await record(tx, "payouts.check", f"payout:{batch.id}", {"hash": batch.hash.hex()}, case_id=batch.case_id)
        return tx.answer(await _view(tx, batch, case))


async def pay_batch(database: Database, call: Call, batch_id: UUID, wanted: Sign) -> PayoutView:
    """The payer, a third person, signs by the hash, and the money leaves the case account line by line (R-ACCT-06).

    Each line is ordered at the bank under its own key, so it is never paid twice; the enforcement fee goes to the
    state's account (R-COST-02). Holds are asked again (R-CASE-09).
    """
    async with database.command(call) as tx:
        tx.actor.must_be(Role.PAYER)
        batch, case, account = await _locked_batch(tx, batch_id)
        rules.pay(store.signatures_of(batch), tx.actor.person)
        lines = await _require_as_signed(tx, batch, case, wanted)
        batch.paid_by, batch.paid_at = tx.actor.person, tx.now()
        await tx.session.flush()
        for route, some in groupby(lines, lambda line: line.route):
            await (_pay_fee if route is Route.STATE_FEE else _pay_out)(tx, batch, account, list(some))
        facts = {"hash": batch.hash.hex(), "total_fen": batch.total_fen}
        await record(tx, "payouts.pay", f"payout:{batch.id}", facts, case_id=batch.case_id)
        return tx.answer(await _view(tx, batch, case))


async def settle_payments(tx: Tx, told: PaymentsAnswered) -> None:
    """Note what the bank did with lines' orders; a rejected line's money is back and may be paid by a new batch."""
    answers = {answer.order_id: answer for answer in told.answers}
    noted: defaultdict[tuple[UUID | None, str], dict[str, object]] = defaultdict(dict)
    for payment in await store.lock_payments_of_orders(tx, answers):
        if payment.state == LineState.ORDERED:
            assert payment.order_id is not None
            answer = answers[payment.order_id]
            payment.state, payment.settled_at = answer.outcome, tx.now()
            facts = {"position": payment.position, "bank_ref": answer.bank_ref}
            noted[answer.case_id, answer.outcome][f"payout:{payment.batch_id}:{payment.position}"] = facts
    await tx.session.flush()
    for (case_id, outcome), by_line in noted.items():
        await record_all(tx, f"payouts.{outcome}", by_line, case_id=case_id)


async def show_batch(database: Database, actor: Actor, batch_id: UUID) -> PayoutView:
    """One batch of the reader's court."""
    async with database.reading(actor) as tx:
        tx.actor.must_be(*COURT_STAFF)
        batch = await store.get_batch(tx, batch_id)
        return await _view(tx, batch, await case_money.served_case_of(tx, batch.case_id, "batch"))


@dataclass(frozen=True, slots=True)
class PaymentTo:
    """A line of a batch for one payee, and how far its money has come."""

    plan_id: UUID
    line: PayoutLine
    paid_at: datetime | None
    state: LineState


async def payments_to(tx: Tx, case_id: UUID, payee: Payee) -> list[PaymentTo]:
    """Every line of the case's standing batches that pays this payee, oldest first."""
    found = []
    for plan in await confirmed_plans(tx, case_id):
        for batch in await store.batches_of(tx, plan.plan_id):
            payments = await store.payments_of(tx, batch.id) if batch.voided_at is None else {}
            lines = await store.lines_of(tx, batch.id) if batch.voided_at is None else ()
            for line in (each for each in lines if each.payee == payee):
                payment = payments.get(line.position)
                state = LineState(payment.state) if payment else LineState.WAITING
                found.append(PaymentTo(plan.plan_id, line, batch.paid_at, state))
    return found


async def locked_confirmed(tx: Tx, plan_id: UUID) -> tuple[Confirmed, CaseFacts, Account]:
    """The confirmed plan under the locks of its assets and of its case's money."""
    plan_case = (await distribution.served_plan(tx, plan_id)).case_id
    plan = await find_confirmed(tx, plan_id)
    if plan is None:
        raise PlanNotConfirmed()
    await distribution.require_no_holds(tx, plan.basis)
    account = await distribution.lock_case_money(tx, plan_case)
    await distribution.require_no_bankruptcy(tx, plan_case)
    return plan, await case_money.served_case(tx, plan_case), account


async def _locked_batch(tx: Tx, batch_id: UUID) -> tuple[PayoutBatch, CaseFacts, Account]:
    """The batch of the actor's court, read under the locks of its assets and of its case's money."""
    found = await store.get_batch(tx, batch_id)
    case = await case_money.served_case_of(tx, found.case_id, "batch")
    plan = await find_confirmed(tx, found.plan_id)
    assert plan is not None, "a batch is made from a confirmed plan"
    await distribution.require_no_holds(tx, plan.basis)
    account = await distribution.lock_case_money(tx, case.id)
    await distribution.require_no_bankruptcy(tx, case.id)
    return await store.get_batch(tx, batch_id), case, account


async def _void_changed(tx: Tx, plan_id: UUID, destinations: Mapping[Payee, Destination | None]) -> None:
    for batch in await store.batches_of(tx, plan_id):
        if store.signatures_of(batch).open:
            changed = rules.changed_payee(await store.lines_of(tx, batch.id), destinations)
            if changed is not None:
                batch.voided_at = tx.now()
                facts = {"payee": changed}
                await record(tx, "payouts.void", f"payout:{batch.id}", facts, case_id=batch.case_id)
    await tx.session.flush()


async def _require_as_signed(tx: Tx, batch: PayoutBatch, case: CaseFacts, wanted: Sign) -> tuple[PayoutLine, ...]:
    """The lines, if the hash given is the batch's, the rows still make that hash, and every payee is still the same."""
    lines = await store.lines_of(tx, batch.id)
    rules.require_hash(wanted.hash, batch.hash)
    rules.require_hash(wanted.hash, rules.batch_hash(batch.id, batch.plan_id, lines))
    rules.require_same_payees(lines, await destinations_of(tx, case))
    return lines


async def _pay_fee(tx: Tx, batch: PayoutBatch, account: Account, lines: Sequence[PayoutLine]) -> None:
    """The enforcement fee goes to the state's own account here, and is paid with that (R-COST-02)."""
    for line in lines:
        state = await ledger.open_account(tx, Kind.STATE_FEE, str(tx.actor.court_id))
        transfer = Transfer(account.id, state.id, line.amount_fen)
        posting = Posting(line_key(batch, line), "payouts.fee", f"payout:{batch.id}", (transfer,), batch.case_id)
        await ledger.post(tx, posting)
    await store.add_payments(tx, batch, dict.fromkeys(lines), settled_at=tx.now())


async def _pay_out(tx: Tx, batch: PayoutBatch, account: Account, lines: Sequence[PayoutLine]) -> None:
    """Order the money of all lines at the bank, each under its own key."""
    wanted = [
        Wanted(
            natural_key=line_key(batch, line),
            payee=BankPayee(line.holder, line.number, line.bank),
            amount_fen=line.amount_fen,
            reason="payouts.pay",
            document=f"payout:{batch.id}",
        )
        for line in lines
    ]
    order_ids = await bank.order_payments(tx, account, wanted)
    await store.add_payments(tx, batch, dict(zip(lines, order_ids, strict=True)))


def line_key(batch: PayoutBatch, line: PayoutLine) -> str:
    """The key under which a line is paid, once."""
    return f"payout:{batch.id}:{line.position}"


async def _view(tx: Tx, batch: PayoutBatch, case: CaseFacts) -> PayoutView:
    lines, payments = await store.lines_of(tx, batch.id), await store.payments_of(tx, batch.id)
    signatures = store.signatures_of(batch)
    destinations = await destinations_of(tx, case)
    national, local = await pay_by(tx, case)
    names = await identity.real_names(tx, [batch.made_by, batch.checked_by, batch.paid_by])
    return PayoutView(
        id=batch.id,
        plan_id=batch.plan_id,
        case_id=batch.case_id,
        state=signatures.state,
        hash=batch.hash.hex(),
        total_fen=batch.total_fen,
        made_by=batch.made_by,
        made_at=beijing(batch.made_at),
        checked_by=batch.checked_by,
        checked_at=beijing(batch.checked_at) if batch.checked_at else None,
        paid_by=batch.paid_by,
        paid_at=beijing(batch.paid_at) if batch.paid_at else None,
        maker=names.get(batch.made_by, ""),
        checker=names.get(batch.checked_by, "") if batch.checked_by else "",
        payer=names.get(batch.paid_by, "") if batch.paid_by else "",
        pay_by=national,
        local_pay_by=local,
        changed_payee=rules.changed_payee(lines, destinations) if signatures.open else None,
        lines=tuple(_line_view(line, payments.get(line.position)) for line in lines),
    )


def _line_view(line: PayoutLine, payment: Payment | None) -> PayoutLineView:
    return PayoutLineView(
        position=line.position,
        payee_kind=line.payee_kind,
        payee_id=line.payee_id,
        holder=line.holder,
        number=line.number,
        bank=line.bank,
        route=line.route,
        amount_fen=line.amount_fen,
        reason=line.reason,
        deducted_from=line.deducted_from,
        state=payment.state if payment else LineState.WAITING,
        order_id=payment.order_id if payment else None,
    )
