"""Use cases of taking in satisfaction (以物抵债) after a failed round, and of the surplus test (R-FAIL-03 to 05).

Locking: the asset (holds), the taking's row, then the case account and the lot's account in id order. The thing's
price joins the next plan whole: what was paid in as money, the rest as a set-off on the taker's own lines.
"""

from uuid import UUID

from appraisal import api as appraisal
from appraisal.api import CaseFacts
from auction import api as auction
from auction.api import LotFacts
from kernel.actors import COURT_STAFF, Actor, Role
from kernel.audit import record
from kernel.clock import beijing_day
from kernel.database import Call, Database, Tx
from kernel.errors import NotFound
from kernel.ids import ordered_id
from kernel.money import Fen
from settlement.bank import service as bank
from settlement.completion import case_money
from settlement.completion.case_money import served_case_of
from settlement.completion.rules import require_day, require_future_day, require_purchase_proved, ruling_due_on
from settlement.distribution import store
from settlement.distribution.current import bases_around, current_basis, recognised_claims
from settlement.distribution.errors import (
    AssetHeld,
    FeeNotSet,
    NoTaker,
)
from settlement.distribution.models import Taking
from settlement.distribution.plans import Proceeds
from settlement.distribution.satisfaction import (
    TakingState,
    entitlement_of,
    lapse,
    priority_and_costs,
    require_at,
    require_failed_last,
    require_first,
    weigh_surplus,
)
from settlement.distribution.service import lock_case_money, require_no_bankruptcy
from settlement.distribution.taking_schemas import DecideTaking, ServeTaking, SurplusView, TakingView
from settlement.ledger import service as ledger
from settlement.ledger.rules import Kind, Posting, Transfer

DRAWN = "drawn_lot"
"""The fact of a decision that names whom the lot fell on."""


async def decide_taking(database: Database, call: Call, lot_id: UUID, wanted: DecideTaking) -> TakingView:
    """Let a creditor take a thing at the reserve of the round that failed, and say what they pay in (R-FAIL-03).

    From now on the thing is promised: it is put into no other round unless the taking lapses. Refuses `asset-taken`,
    `no-failed-round`, `no-taker`, `not-senior`, `lot-not-drawn`, and a limited home without proof of the taker's
    eligibility (R-HOME-03).
    """
    async with database.command(call) as tx:
        tx.actor.must_be(Role.JUDGE)
        lot, case = await _lot_of_court(tx, lot_id)
        subject = appraisal.Subject.SATISFACTION
        decision = await appraisal.get_decision(tx, wanted.decision_id, case_id=case.id, subject=subject)
        await appraisal.promise(tx, lot.asset_id)
        await _require_takeable(tx, lot)
        account = await ledger.open_account(tx, Kind.LOT, str(lot.id), case_id=case.id, lot_id=lot.id)
        await lock_case_money(tx, case.id)
        await require_no_bankruptcy(tx, case.id)
        now = tx.now()
        today = beijing_day(now)
        require_future_day(wanted.due_on, today)
        require_purchase_proved(lot.purchase_limited, decision.facts, today, today)
        open_claims = [each for each in await recognised_claims(tx, case) if each.party_id in wanted.asked]
        if wanted.party_id not in {each.party_id for each in open_claims}:
            raise NoTaker()
        require_first(open_claims, wanted.party_id, decision.facts.get(DRAWN))
        if await case_money.find_fee(tx, case.id) is None:
            raise FeeNotSet()
        thing = Proceeds(str(lot.asset_id), lot.title, lot.start_price_fen)
        entitlement_fen = entitlement_of(*await bases_around(tx, case, thing), wanted.party_id)
        taking = Taking(
            id=ordered_id(),
            lot_id=lot.id,
            case_id=case.id,
            asset_id=lot.asset_id,
            title=lot.title,
            party_id=wanted.party_id,
            account_id=account.id,
            price_fen=thing.amount_fen,
            entitlement_fen=entitlement_fen,
            pay_in_fen=Fen(thing.amount_fen - entitlement_fen),
            due_on=wanted.due_on,
            decision_id=decision.id,
            state=TakingState.AWAITING,
            decided_at=now,
        )
        tx.session.add(taking)
        await tx.session.flush()
        await record(tx, "distribution.take", f"taking:{taking.id}", wanted, case_id=case.id)
        await _weigh(tx, taking)
        return tx.answer(await _view(tx, case, taking))


async def weigh_taking(tx: Tx, lot_id: UUID) -> None:
    """Decide what money on the account of a failed lot means: the difference is complete, short, or too much."""
    found = await store.find_taking_of(tx, lot_id)
    if found is not None:
        await _weigh(tx, await store.lock_taking(tx, found.id))


async def _weigh(tx: Tx, taking: Taking) -> None:
    account = (await ledger.lock(tx, [taking.account_id]))[taking.account_id]
    if taking.state == TakingState.AWAITING:
        if ledger.stored_balance(account) < taking.pay_in_fen:
            return
        taking.state, taking.paid_at = TakingState.PAID, tx.now()
        taking.ruling_due_on = ruling_due_on(taking.paid_at)
        await tx.session.flush()
        facts = {"pay_in_fen": taking.pay_in_fen}
        await record(tx, "distribution.taking-paid", f"taking:{taking.id}", facts, case_id=taking.case_id)
    stays_fen = taking.pay_in_fen if taking.state != TakingState.LAPSED else 0
    keep_fen = await bank.refunded_fen(tx, account.id) + stays_fen
    await bank.refund_above(tx, account, keep_fen, "distribution.taking-surplus", f"taking:{taking.id}")


async def serve_taking(database: Database, call: Call, taking_id: UUID, wanted: ServeTaking) -> TakingView:
    """Record that the ruling was served on the taker: title passes, the difference reaches the case account."""
    async with database.command(call) as tx:
        tx.actor.must_be(Role.CLERK)
        case, taking = await _locked_taking(tx, taking_id)
        require_at(TakingState(taking.state), needed=TakingState.PAID)
        assert taking.paid_at is not None
        subject = appraisal.Subject.SALE_RULING
        decision = await appraisal.get_decision(tx, wanted.ruling_decision_id, case_id=case.id, subject=subject)
        require_day(wanted.served_on, beijing_day(taking.paid_at), beijing_day(tx.now()))
        taking.state, taking.served_on, taking.ruling_decision_id = TakingState.SERVED, wanted.served_on, decision.id
        taking.service_method, taking.service_proof = wanted.method, wanted.proof
        await tx.session.flush()
        await appraisal.pass_title(tx, taking.asset_id, appraisal.Way.TAKING, wanted.served_on)
        account = await case_money.case_account(tx, case.id)
        if taking.pay_in_fen:
            transfer = (Transfer(taking.account_id, account.id, taking.pay_in_fen),)
            document = f"ruling:{decision.id}"
            key = f"taking:{taking.id}"
            await ledger.post(tx, Posting(key, "distribution.taking", document, transfer, case.id, taking.lot_id))
        await record(tx, "distribution.serve-taking", f"taking:{taking.id}", wanted, case_id=case.id)
        return tx.answer(await _view(tx, case, taking))


async def lapse_taking(database: Database, call: Call, taking_id: UUID) -> TakingView:
    """Let a taking lapse whose difference was not paid in time: what came in goes back, the thing is sold again or
    taken by another (R-FAIL-04).
    """
    async with database.command(call) as tx:
        tx.actor.must_be(Role.JUDGE)
        case, taking = await _locked_taking(tx, taking_id)
        now = tx.now()
        lapse(TakingState(taking.state), taking.due_on, beijing_day(now))
        taking.state, taking.lapsed_at = TakingState.LAPSED, now
        await tx.session.flush()
        await appraisal.undo_disposal(tx, taking.asset_id, appraisal.Way.TAKING)
        await record(tx, "distribution.lapse-taking", f"taking:{taking.id}", {}, case_id=case.id)
        await _weigh(tx, taking)
        return tx.answer(await _view(tx, case, taking))


async def show_taking(database: Database, actor: Actor, taking_id: UUID) -> TakingView:
    """One taking, for its court and for the party that takes."""
    async with database.reading(actor) as tx:
        taking = await store.get_taking(tx, taking_id)
        return await _view(tx, await _readable_case(tx, taking), taking)


async def readable_account(tx: Tx, lot_id: UUID) -> UUID:
    """The account that the difference is paid on, if the actor is who takes the lot's thing, or of its court."""
    taking = await store.find_taking_of(tx, lot_id)
    if taking is None:
        raise NotFound(what="taking")
    await _readable_case(tx, taking)
    return taking.account_id


async def _readable_case(tx: Tx, taking: Taking) -> CaseFacts:
    """The taking's case, if the actor is the taker or serves its court as staff; else there is no such taking."""
    case = await appraisal.get_case(tx, taking.case_id)
    if case.party(taking.party_id).person_id != tx.actor.person:
        if not tx.actor.roles.intersection(COURT_STAFF):
            raise NotFound(what="taking")
        tx.actor.must_serve(case.court_id, "taking")
    return case


async def show_surplus(database: Database, actor: Actor, lot_id: UUID) -> SurplusView:
    """Before a round: would its reserve leave anything after priority claims and costs (R-FAIL-05)?"""
    async with database.reading(actor) as tx:
        tx.actor.must_be(*COURT_STAFF)
        lot, case = await _lot_of_court(tx, lot_id)
        thing = Proceeds(str(lot.asset_id), lot.title, lot.start_price_fen)
        priority_fen, costs_fen = priority_and_costs(await current_basis(tx, case), thing)
        found = weigh_surplus(lot.start_price_fen, priority_fen, costs_fen)
        return SurplusView(
            lot_id=lot.id,
            reserve_fen=lot.start_price_fen,
            priority_fen=priority_fen,
            costs_fen=costs_fen,
            remains_fen=found.remains_fen,
            least_reserve_fen=found.least_reserve_fen,
            rule="R-FAIL-05",
        )


async def _lot_of_court(tx: Tx, lot_id: UUID) -> tuple[LotFacts, CaseFacts]:
    lot = await auction.get_lot(tx, lot_id)
    tx.actor.must_serve(lot.court_id, "lot")
    return lot, await served_case_of(tx, lot.case_id, "lot")


async def _require_takeable(tx: Tx, lot: LotFacts) -> None:
    """The lot's round failed, it is the thing's last one, and the thing, locked by its promise, is not on hold."""
    await appraisal.require_no_hold(tx, lot.asset_id, AssetHeld)
    lots = await auction.list_lots(tx, lot.case_id)
    sales = [(each.id, each.status) for each in lots if each.asset_id == lot.asset_id]
    require_failed_last(lot.status, lot.id, sales)


async def _locked_taking(tx: Tx, taking_id: UUID) -> tuple[CaseFacts, Taking]:
    """The taking of the actor's court and its case's money, locked; refused while a hold stands."""
    found = await store.get_taking(tx, taking_id)
    case = await served_case_of(tx, found.case_id, "taking")
    await appraisal.require_no_hold(tx, found.asset_id, AssetHeld)
    taking = await store.lock_taking(tx, taking_id)
    account = await case_money.case_account(tx, case.id)
    await ledger.lock(tx, [account.id, taking.account_id])
    return case, taking


async def _view(tx: Tx, case: CaseFacts, taking: Taking) -> TakingView:
    account = await ledger.get_account(tx, taking.account_id)
    awaiting = taking.state == TakingState.AWAITING
    return TakingView(
        id=taking.id,
        lot_id=taking.lot_id,
        case_id=taking.case_id,
        party_id=taking.party_id,
        name=case.party(taking.party_id).name,
        price_fen=taking.price_fen,
        entitlement_fen=taking.entitlement_fen,
        pay_in_fen=taking.pay_in_fen,
        missing_fen=taking.pay_in_fen - ledger.stored_balance(account) if awaiting else 0,
        account_no=account.number or "",
        due_on=taking.due_on.isoformat(),
        state=taking.state,
        ruling_due_on=taking.ruling_due_on.isoformat() if taking.ruling_due_on else None,
        served_on=taking.served_on.isoformat() if taking.served_on else None,
    )
