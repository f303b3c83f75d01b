"""Use cases of a default (悔拍): declare it, and use the forfeited deposit in four steps (R-CLOSE-08 to 10).

Locking: auction's lot, the defaulted sales of the case in id order, then accounts.
"""

from uuid import UUID

from appraisal import api as appraisal
from auction import api as auction
from kernel.actors import Actor, Role
from kernel.audit import record
from kernel.clock import beijing_day
from kernel.database import Call, Database, Tx
from kernel.ids import ordered_id
from kernel.money import Fen
from settlement.bank import service as bank
from settlement.completion import rules, store
from settlement.completion.case_money import (
    case_account,
    costs_and_fee,
    distributable,
    registered_costs,
    served_case,
)
from settlement.completion.models import DefaultUse, RelatedDebt, Sale, ShortfallOrder, ShortfallPayment
from settlement.completion.rules import SERVED, STEPS, UNDONE, CaseMoney, Default, ForfeitedDeposit, SaleState
from settlement.completion.sale_schemas import (
    DeclareDefault,
    DefaultDeclared,
    DefaultUses,
    DefaultUseView,
    NameRelatedDebt,
    OrderShortfall,
    RelatedDebtView,
)
from settlement.deposits import service as deposits
from settlement.ledger import service as ledger
from settlement.ledger.models import Account
from settlement.ledger.rules import Kind, Posting, Transfer

DEFAULT_RULES = ("R-CLOSE-08", "R-CLOSE-09", "R-CLOSE-10")


async def declare_default(database: Database, call: Call, lot_id: UUID, wanted: DeclareDefault) -> DefaultDeclared:
    """Declare the buyer in default once the balance is overdue: the deposit is forfeited, a resale ordered.

    What was paid beyond the deposit goes back. The buyer is barred from the resale (R-CLOSE-08, 10; R-BID-14).
    """
    async with database.command(call) as tx:
        tx.actor.must_be(Role.JUDGE)
        sale = await store.get_sale(tx, lot_id)
        tx.actor.must_serve(sale.court_id, "sale")
        decision = await appraisal.get_decision(
            tx, wanted.decision_id, case_id=sale.case_id, subject=appraisal.Subject.DEFAULT
        )
        await auction.mark_defaulted(tx, lot_id)
        resale_id = await auction.order_resale(tx, lot_id, decision.id, barred_person_ids=sale.buyers)
        sale = await store.lock_sale(tx, lot_id)
        rules.require(SaleState(sale.state), SaleState.AWAITING_BALANCE)
        rules.require_overdue(sale.balance_due_at, tx.now())
        pending = await _pending_account(tx, sale)
        document = f"decision:{decision.id}"
        forfeited_fen = await deposits.forfeit(tx, sale.registration_id, sale.account_id, pending.id, document)
        sale.state, sale.defaulted_at, sale.default_decision_id = SaleState.DEFAULTED, tx.now(), decision.id
        sale.forfeited_fen, sale.resale_lot_id = forfeited_fen, resale_id
        account = await ledger.get_account(tx, sale.account_id)
        await bank.refund_above(tx, account, 0, "completion.default", document)
        facts = {"forfeited_fen": forfeited_fen, "resale": str(resale_id), "decision": str(decision.id)}
        await record(tx, "completion.default", f"lot:{lot_id}", facts, case_id=sale.case_id)
        return tx.answer(DefaultDeclared(lot_id, forfeited_fen, resale_id))


async def order_shortfall(database: Database, call: Call, lot_id: UUID, wanted: OrderShortfall) -> DefaultUseView:
    """Record the court's order that the buyer makes good what deposit and resale left uncovered (R-CLOSE-09).

    Nothing is ever charged without it. The money is paid on the first sale's account and counts as its proceeds.
    """
    async with database.command(call) as tx:
        tx.actor.must_be(Role.JUDGE)
        sale = await store.lock_sale(tx, lot_id)
        tx.actor.must_serve(sale.court_id, "sale")
        subject = appraisal.Subject.SHORTFALL
        decision = await appraisal.get_decision(tx, wanted.decision_id, case_id=sale.case_id, subject=subject)
        rules.require(SaleState(sale.state), SaleState.DEFAULTED)
        before = await store.find_order(tx, lot_id) is not None
        use = await _use_view(tx, sale)
        rules.require_order(use.uncovered_fen, wanted.amount_fen, before=before)
        now = tx.now()
        rules.require_future_day(wanted.due_on, beijing_day(now))
        order = ShortfallOrder(
            lot_id=lot_id,
            decision_id=decision.id,
            amount_fen=wanted.amount_fen,
            due_on=wanted.due_on,
            ordered_at=now,
        )
        await store.add(tx, order)
        await record(tx, "completion.order-shortfall", f"lot:{lot_id}", wanted, case_id=sale.case_id)
        return tx.answer(await _use_view(tx, sale))


async def name_related_debt(database: Database, call: Call, lot_id: UUID, wanted: NameRelatedDebt) -> DefaultUseView:
    """Record a debt connected with the property that the panel named for the fourth step (R-CLOSE-08).

    What the first three steps leave of the deposit goes to it by the next plan; the first named is paid first.
    """
    async with database.command(call) as tx:
        tx.actor.must_be(Role.JUDGE)
        sale = await store.get_sale(tx, lot_id)
        tx.actor.must_serve(sale.court_id, "sale")
        subject = appraisal.Subject.DEFAULT
        decision = await appraisal.get_decision(tx, wanted.decision_id, case_id=sale.case_id, subject=subject)
        rules.require(SaleState(sale.state), SaleState.DEFAULTED)  # once so, so for good
        await store.lock_defaulted(tx, sale.case_id)  # all at once: their deposits are used below
        debt = RelatedDebt(
            id=ordered_id(),
            lot_id=lot_id,
            name=wanted.name,
            amount_fen=wanted.amount_fen,
            payee_holder=wanted.payee.holder,
            payee_number=wanted.payee.number,
            payee_bank=wanted.payee.bank,
            document=wanted.document,
            decision_id=decision.id,
            named_at=tx.now(),
        )
        await store.add(tx, debt)
        await record(tx, "completion.name-related-debt", f"lot:{lot_id}", wanted, case_id=sale.case_id)
        await settle_default_use(tx, sale.case_id)
        await tx.session.flush()
        return tx.answer(await _use_view(tx, sale))


async def _related_debt_fen(tx: Tx, lot_id: UUID) -> Fen:
    return Fen(sum(debt.amount_fen for debt in await store.related_debts_of(tx, lot_id)))


async def take_shortfall(tx: Tx, sale: Sale, account: Account) -> int:
    """Pass on what came in under the order, which is locked with its sale; returns all that stays of the credits."""
    missing_fen = await shortfall_missing(tx, sale.lot_id)
    taken_fen = Fen(min(missing_fen, ledger.stored_balance(account)))
    refunded_fen = await bank.refunded_fen(tx, account.id)
    if taken_fen:
        number = len(await store.payments_of(tx, sale.lot_id)) + 1
        payment = ShortfallPayment(lot_id=sale.lot_id, number=number, amount_fen=taken_fen, taken_at=tx.now())
        await store.add(tx, payment)
        case, order = await case_account(tx, sale.case_id), await store.find_order(tx, sale.lot_id)
        assert order is not None, "without an order nothing is missing"
        transfer = (Transfer(account.id, case.id, taken_fen),)
        key, document = f"shortfall:{sale.lot_id}:{number}", f"decision:{order.decision_id}"
        await ledger.post(tx, Posting(key, "completion.shortfall", document, transfer, sale.case_id, sale.lot_id))
        await record(tx, "completion.shortfall", f"lot:{sale.lot_id}", {"fen": taken_fen}, case_id=sale.case_id)
    return refunded_fen + await _made_good(tx, sale.lot_id)


async def shortfall_missing(tx: Tx, lot_id: UUID) -> int:
    """What the court ordered the buyer to make good and is not paid yet; 0 without an order."""
    order = await store.find_order(tx, lot_id)
    return order.amount_fen - await _made_good(tx, lot_id) if order else 0


async def _made_good(tx: Tx, lot_id: UUID) -> int:
    return sum(payment.amount_fen for payment in await store.payments_of(tx, lot_id))


async def settle_default_use(tx: Tx, case_id: UUID) -> None:
    """Use the case's forfeited deposits, as far as their resales are paid and served (R-CLOSE-08).

    Wasted costs, shortfall and open debts of the case go to the case account, the rest stays pending decision
    (R-CLOSE-10). Called again it adds only what has become due since, so a cost registered late is still covered.
    """
    for sale in await store.lock_defaulted(tx, case_id):
        resale = await _finished_resale(tx, sale)
        if resale is not None:
            await _use_more(tx, sale, resale, await _use_of(tx, sale, resale))


async def _use_more(tx: Tx, sale: Sale, resale: Sale, target: ForfeitedDeposit) -> None:
    pending = await _pending_account(tx, sale)
    left = ledger.stored_balance((await ledger.lock(tx, [pending.id]))[pending.id])
    done = await store.uses_of(tx, sale.lot_id)
    steps: dict[str, Fen] = {}
    for step in STEPS:
        wanted = max(0, getattr(target, step) - sum(getattr(use, step) for use in done))
        steps[step] = Fen(min(wanted, left))
        left = Fen(left - steps[step])
    if done and not any(steps.values()):
        return
    number = len(done) + 1
    use = DefaultUse(lot_id=sale.lot_id, number=number, resale_lot_id=resale.lot_id, settled_at=tx.now(), **steps)
    tx.session.add(use)
    case = await case_account(tx, sale.case_id)
    for step, amount_fen in steps.items():
        if amount_fen:
            name = step.removesuffix("_fen").replace("_", "-")
            key = f"default-use:{sale.lot_id}:{number}:{name}"
            transfer = (Transfer(pending.id, case.id, amount_fen),)
            document = f"decision:{sale.default_decision_id}"
            posting = Posting(key, f"completion.default-{name}", document, transfer, sale.case_id, sale.lot_id)
            await ledger.post(tx, posting)
    await record(tx, "completion.use-deposit", f"lot:{sale.lot_id}", steps, case_id=sale.case_id)


async def _use_of(tx: Tx, sale: Sale, resale: Sale) -> ForfeitedDeposit:
    """The four steps by what is registered now; debts connected with the property are those that the panel named."""
    claims_fen = sum(claim.total_fen for claim in await appraisal.list_claims(tx, sale.case_id))
    costs_fen = sum(cost.amount_fen for cost in await costs_and_fee(tx, sale.case_id))
    own = sum(getattr(use, step) for use in await store.uses_of(tx, sale.lot_id) for step in STEPS)
    came_in_fen = sum(each.amount_fen for each in await distributable(tx, sale.case_id)) - own
    return rules.use_for_case(await _default_of(tx, sale, resale), CaseMoney(claims_fen + costs_fen, came_in_fen))


async def _default_of(tx: Tx, sale: Sale, resale: Sale) -> Default:
    assert sale.forfeited_fen is not None
    return Default(
        first_price_fen=sale.price_fen,
        deposit_fen=sale.forfeited_fen,
        costs_fen=await _wasted_costs(tx, sale),
        resale_price_fen=resale.price_fen,
        case_debt_open_fen=Fen(0),
        related_debt_open_fen=await _related_debt_fen(tx, sale.lot_id),
    )


async def _wasted_costs(tx: Tx, sale: Sale) -> Fen:
    """Sale costs that were registered on the defaulted lot itself."""
    costs = await registered_costs(tx, sale.case_id)
    return Fen(sum(cost.amount_fen for cost in costs if cost.lot_id == sale.lot_id))


async def _finished_resale(tx: Tx, sale: Sale) -> Sale | None:
    """The resale right after this default, once the last resale of the chain is paid and served.

    An annulled one is as if it had not been: the sale after it counts.
    """
    first = await _sale_after(tx, sale)
    while first is not None and first.state == SaleState.ANNULLED:
        first = await _sale_after(tx, first)
    last = first
    while last is not None and last.state in UNDONE:
        last = await _sale_after(tx, last)
    return first if last is not None and last.state in SERVED else None


async def _sale_after(tx: Tx, sale: Sale) -> Sale | None:
    assert sale.resale_lot_id is not None, "what came to nothing is sold again"
    return await store.find_sale(tx, sale.resale_lot_id)


async def _pending_account(tx: Tx, sale: Sale) -> Account:
    return await ledger.open_account(tx, Kind.PENDING, str(sale.lot_id), case_id=sale.case_id, lot_id=sale.lot_id)


async def show_default_uses(database: Database, actor: Actor, case_id: UUID) -> DefaultUses:
    """How the case's forfeited deposits are used, step by step, for its court."""
    async with database.reading(actor) as tx:
        await served_case(tx, case_id)
        sales = await store.sales_of_case(tx, case_id)
        defaulted = [sale for sale in sales if sale.state == SaleState.DEFAULTED]
        return DefaultUses(case_id, tuple([await _use_view(tx, sale) for sale in defaulted]))


async def _use_view(tx: Tx, sale: Sale) -> DefaultUseView:
    assert sale.resale_lot_id is not None
    assert sale.forfeited_fen is not None
    resale = await _finished_resale(tx, sale)
    uses = await store.uses_of(tx, sale.lot_id)
    steps = {step: sum(getattr(use, step) for use in uses) for step in STEPS}
    debts = await store.related_debts_of(tx, sale.lot_id)
    parts = rules.divide_in_order(steps["to_related_debt_fen"], [debt.amount_fen for debt in debts])
    costs_fen = await _wasted_costs(tx, sale)
    shortfall_fen = (await _default_of(tx, sale, resale)).shortfall_fen if resale else None
    order, made_good_fen = await store.find_order(tx, sale.lot_id), await _made_good(tx, sale.lot_id)
    uncovered_fen = None
    if shortfall_fen is not None:
        uncovered_fen = costs_fen + shortfall_fen - steps["to_costs_fen"] - steps["to_shortfall_fen"] - made_good_fen
    return DefaultUseView(
        lot_id=sale.lot_id,
        resale_lot_id=sale.resale_lot_id,
        settled=bool(uses),
        first_price_fen=sale.price_fen,
        resale_price_fen=resale.price_fen if resale else None,
        forfeited_fen=sale.forfeited_fen,
        costs_fen=costs_fen,
        shortfall_fen=shortfall_fen,
        pending_decision_fen=sale.forfeited_fen - sum(steps.values()),
        uncovered_fen=uncovered_fen,
        ordered_fen=order.amount_fen if order else None,
        ordered_until=order.due_on.isoformat() if order else None,
        order_decision_id=order.decision_id if order else None,
        made_good_fen=made_good_fen,
        related_debts=tuple(
            RelatedDebtView(debt.id, debt.name, debt.payee_holder, debt.amount_fen, part_fen, debt.document)
            for debt, part_fen in zip(debts, parts, strict=True)
        ),
        rules=DEFAULT_RULES,
        **steps,
    )
