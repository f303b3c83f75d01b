"""Use cases of a sale after the hammer: balance, ruling, service, handover, default, resale; costs and fee of a case.

Locking (docs/locking.md): the asset (holds), auction's lot, the sale's row, then accounts. Title passes when the ruling
is served; only then does the price leave the lot's account for the case account (R-CLOSE-05).
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from appraisal import api as appraisal
from auction import api as auction
from bidding import api as bidding
from kernel.actors import Actor, Role
from kernel.audit import record
from kernel.clock import beijing, beijing_day, beijing_words
from kernel.contracts import LotClosed
from kernel.database import Call, Database, Tx
from kernel.errors import Busy, NotFound
from kernel.identity.service import real_name
from kernel.ids import ordered_id
from kernel.money import Fen, yuan
from settlement.bank import service as bank
from settlement.bank.rules import Payee
from settlement.completion import rules, store
from settlement.completion.errors import AssetOnHold, LotOfAnotherCase
from settlement.completion.models import CaseCostRow, DefaultUse, FeeSetting, Sale
from settlement.completion.rules import CaseMoney, CostKind, Default, ForfeitedDeposit, SaleState
from settlement.completion.sale_schemas import (
    AddCost,
    CaseCosts,
    Confirmation,
    CostView,
    DeclareDefault,
    DefaultDeclared,
    DefaultUses,
    DefaultUseView,
    FeeView,
    HandOver,
    RuleSale,
    SaleView,
    ServeRuling,
    SetFee,
)
from settlement.deposits import service as deposits
from settlement.ledger import service as ledger
from settlement.ledger.models import Account
from settlement.ledger.rules import Kind, Posting, Transfer

STAFF = (Role.CLERK, Role.JUDGE, Role.CHIEF, Role.MAKER, Role.CHECKER, Role.PAYER, Role.SUPERVISOR, Role.AUDITOR)
"""Who of a court may read its sales and costs."""

CASE_MONEY = "case_money"
"""The pool of money that came into the case account from no sold thing."""

FEE_NAME = "执行申请费"
FEE_PAYEE = Payee("诉讼费专户（上缴国库）", "", "")
"""The fee goes to the fee account of the state by transfer, not to a bank account (R-COST-02)."""

SERVED = frozenset({SaleState.SERVED, SaleState.HANDED_OVER})
DEFAULT_RULES = ("R-CLOSE-08", "R-CLOSE-09", "R-CLOSE-10")


# -- from the hammer to the full price


async def open_sale(tx: Tx, event: LotClosed) -> None:
    """Begin the completion of a sold lot: reveal the buyer, apply the deposit, set the day the balance is due.

    Told again it changes nothing (R-CLOSE-01, 03, 04).
    """
    if event.status != "sold" or await store.find_sale(tx, event.lot_id) is not None:
        return
    assert event.registration_id is not None, "a sold lot has a buyer"
    assert event.price_fen is not None
    lot = await auction.get_lot(tx, event.lot_id)
    case = await appraisal.get_case(tx, lot.case_id)
    person_id = await bidding.reveal_person(tx, event.registration_id, "成交确认书 R-CLOSE-01")
    account = await ledger.open_account(tx, Kind.LOT, str(lot.id), case_id=lot.case_id, lot_id=lot.id)
    deposit_fen = await deposits.apply(tx, event.registration_id, account.id, f"lot:{lot.id}")
    sale: dict[str, object] = {
        "lot_id": lot.id,
        "case_id": lot.case_id,
        "court_id": lot.court_id,
        "asset_id": lot.asset_id,
        "registration_id": event.registration_id,
        "account_id": account.id,
        "case_no": case.case_no,
        "court_name": lot.court_name,
        "title": lot.title,
        "buyer_person_id": person_id,
        "buyer_name": await real_name(tx, person_id),
        "code": event.code,
        "price_fen": event.price_fen,
        "deposit_fen": min(deposit_fen, event.price_fen),
        "state": SaleState.AWAITING_BALANCE,
        "ended_at": event.ended_at,
        "balance_due_at": rules.balance_due_at(event.ended_at, lot.balance_due_days),
    }
    if await store.add_sale(tx, sale):
        facts = {"price_fen": event.price_fen, "deposit_fen": deposit_fen, "code": event.code}
        await record(tx, "completion.open", f"lot:{lot.id}", facts, case_id=lot.case_id)
        await weigh_price(tx, lot.id)


async def weigh_price(tx: Tx, lot_id: UUID) -> None:
    """Decide what the money on a lot's account means: the price is complete, still short, or too much came in.

    What came after a default, and what is above the price, goes back to the account that paid it.
    """
    sale = await store.lock_sale(tx, lot_id)
    account = (await ledger.lock(tx, [sale.account_id]))[sale.account_id]
    if sale.state == SaleState.AWAITING_BALANCE:
        if ledger.stored_balance(account) < sale.price_fen:
            return
        sale.state, sale.paid_at = SaleState.PAID, tx.now()
        sale.ruling_due_on = rules.ruling_due_on(sale.paid_at)
        await deposits.use_up(tx, sale.registration_id, f"lot:{lot_id}")
        facts = {"price_fen": sale.price_fen, "ruling_due_on": sale.ruling_due_on.isoformat()}
        await record(tx, "completion.paid", f"lot:{lot_id}", facts, case_id=sale.case_id)
    keep_fen = 0 if sale.state == SaleState.DEFAULTED else sale.price_fen - sale.deposit_fen
    await bank.refund_above(tx, account, keep_fen, "completion.surplus", f"lot:{lot_id}")


# -- ruling, service, handover


async def rule_sale(database: Database, call: Call, lot_id: UUID, wanted: RuleSale) -> SaleView:
    """Record the sale ruling after full payment (R-CLOSE-05); purchase limits and holds stand in its way."""
    async with database.command(call) as tx:
        tx.actor.must_be(Role.JUDGE)
        sale = await _disposable_sale(tx, lot_id)
        rules.require(SaleState(sale.state), SaleState.PAID)
        decision = await appraisal.get_decision(
            tx, wanted.decision_id, case_id=sale.case_id, subject=appraisal.Subject.SALE_RULING
        )
        lot = await auction.get_lot(tx, lot_id)
        rules.require_purchase_proved(lot.purchase_limited, decision.facts.get("purchase_eligibility"))
        sale.state, sale.ruling_decision_id, sale.ruled_at = SaleState.RULED, decision.id, tx.now()
        await record(tx, "completion.rule", f"lot:{lot_id}", {"decision": str(decision.id)}, case_id=sale.case_id)
        return tx.answer(await _view(tx, sale))


async def serve_ruling(database: Database, call: Call, lot_id: UUID, wanted: ServeRuling) -> SaleView:
    """Record that the ruling was served on the buyer: title passes, seizures end, the price reaches the case account.

    If the lot is a resale, the forfeited deposit of the default before it is used at once (R-CLOSE-08).
    """
    async with database.command(call) as tx:
        tx.actor.must_be(Role.CLERK)
        sale = await _disposable_sale(tx, lot_id)
        rules.require(SaleState(sale.state), SaleState.RULED)
        assert sale.ruled_at is not None
        rules.require_day(wanted.served_on, beijing_day(sale.ruled_at), beijing_day(tx.now()))
        sale.state, sale.served_on = SaleState.SERVED, wanted.served_on
        sale.service_method, sale.service_proof = wanted.method, wanted.proof
        sale.handover_due_on = rules.handover_due_on(wanted.served_on)
        await appraisal.end_seizures(tx, sale.asset_id, wanted.served_on)
        await store.lock_defaulted(tx, sale.case_id)  # sales before accounts
        case = await case_account(tx, sale.case_id)
        proceeds = Transfer(sale.account_id, case.id, sale.price_fen)
        document = f"ruling:{sale.ruling_decision_id}"
        posting = Posting(f"proceeds:{lot_id}", "completion.proceeds", document, (proceeds,), sale.case_id, lot_id)
        await ledger.post(tx, posting)
        facts = {"served_on": wanted.served_on.isoformat(), "method": wanted.method, "proof": wanted.proof}
        await record(tx, "completion.serve", f"lot:{lot_id}", facts, case_id=sale.case_id)
        await tx.session.flush()
        await settle_default_use(tx, sale.case_id)
        return tx.answer(await _view(tx, sale))


async def hand_over(database: Database, call: Call, lot_id: UUID, wanted: HandOver) -> SaleView:
    """Record the handover to the buyer (R-CLOSE-06)."""
    async with database.command(call) as tx:
        tx.actor.must_be(Role.CLERK)
        sale = await _served_sale(tx, lot_id)
        rules.require(SaleState(sale.state), SaleState.SERVED)
        assert sale.served_on is not None
        rules.require_day(wanted.on, sale.served_on, beijing_day(tx.now()))
        sale.state, sale.handed_over_on, sale.handover_note = SaleState.HANDED_OVER, wanted.on, wanted.note
        facts = {"on": wanted.on.isoformat(), "note": wanted.note}
        await record(tx, "completion.hand-over", f"lot:{lot_id}", facts, case_id=sale.case_id)
        return tx.answer(await _view(tx, sale))


# -- default and the use of the deposit


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
        resale_id = await auction.order_resale(tx, lot_id, decision.id, barred_person_ids=[sale.buyer_person_id])
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


STEPS = ("to_costs_fen", "to_shortfall_fen", "to_case_debt_fen", "to_related_debt_fen")
"""The four steps of R-CLOSE-08, each booked separately."""


async def _use_of(tx: Tx, sale: Sale, resale: Sale) -> ForfeitedDeposit:
    """The four steps by what is registered now. Debts connected with the property alone are for the panel to name."""
    claims_fen = sum(claim.total_fen for claim in await appraisal.list_claims(tx, sale.case_id))
    costs_fen = sum(cost.amount_fen for cost in await list_costs(tx, sale.case_id))
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
        related_debt_open_fen=Fen(0),
    )


async def _wasted_costs(tx: Tx, sale: Sale) -> Fen:
    """Sale costs that were registered on the defaulted lot itself."""
    costs = await list_costs(tx, sale.case_id)
    return Fen(sum(cost.amount_fen for cost in costs if cost.lot_id == sale.lot_id))


async def _finished_resale(tx: Tx, sale: Sale) -> Sale | None:
    """The resale right after this default, once the last resale of the chain is paid and served."""
    assert sale.resale_lot_id is not None
    first = await store.find_sale(tx, sale.resale_lot_id)
    last = first
    while last is not None and last.state == SaleState.DEFAULTED:
        assert last.resale_lot_id is not None
        last = await store.find_sale(tx, last.resale_lot_id)
    return first if last is not None and last.state in SERVED else None


async def _pending_account(tx: Tx, sale: Sale) -> Account:
    return await ledger.open_account(tx, Kind.PENDING, str(sale.lot_id), case_id=sale.case_id, lot_id=sale.lot_id)


# -- the case's money: what distribution rests on


@dataclass(frozen=True, slots=True)
class Proceeds:
    """What came into the case account from one source. `pool` is the asset's id, or `case_money`; fen."""

    pool: str
    name: str
    amount_fen: Fen


@dataclass(frozen=True, slots=True)
class CaseCost:
    """One cost of a case and whom it is owed to; fen. Without an asset it is the whole case's."""

    id: UUID
    kind: CostKind
    name: str
    payee: Payee
    lot_id: UUID | None
    asset_id: UUID | None
    amount_fen: Fen
    document: str


async def case_account(tx: Tx, case_id: UUID) -> Account:
    """The account of the case and its debtor (一案一账号, R-ACCT-01), opened if new."""
    case = await appraisal.get_case(tx, case_id)
    return await ledger.open_account(tx, Kind.CASE, f"{case_id}:{case.debtor.id}", case_id=case_id)


async def distributable(tx: Tx, case_id: UUID) -> list[Proceeds]:
    """All that ever came into the case account, by source: served sales first to last, then other case money.

    To a sold asset belongs what forfeited deposits of its earlier sales gave (R-CLOSE-08). Deposits, unserved prices
    and what is pending decision are never in it (R-ACCT-09).
    """
    sales = await store.sales_of_case(tx, case_id)
    used: defaultdict[UUID, int] = defaultdict(int)
    for sale in sales:
        if sale.state == SaleState.DEFAULTED:
            for use in await store.uses_of(tx, sale.lot_id):
                used[sale.asset_id] += sum(getattr(use, step) for step in STEPS)
    found = [
        Proceeds(str(sale.asset_id), sale.title, Fen(sale.price_fen + used[sale.asset_id]))
        for sale in sales
        if sale.state in SERVED
    ]
    account = await find_case_account(tx, case_id)
    direct = await ledger.received_fen(tx, account.id, Kind.BANK, Kind.UNIDENTIFIED) if account else Fen(0)
    return [*found, Proceeds(CASE_MONEY, "案款", direct)] if direct else found


async def rulings_served(tx: Tx, case_id: UUID) -> list[date | None]:
    """The day each sold asset's ruling was served, first hammer first; None for one that is still to be."""
    sales = await store.sales_of_case(tx, case_id)
    return [sale.served_on for sale in sales if sale.state != SaleState.DEFAULTED]


async def effect_on(tx: Tx, case_id: UUID) -> date | None:
    """The day on which the case's debt was met: the last ruling served, else the last money's arrival (R-INT-04)."""
    served = [day for day in await rulings_served(tx, case_id) if day is not None]
    account = await find_case_account(tx, case_id)
    if served or account is None:
        return max(served, default=None)
    from_outside = (Kind.BANK, Kind.UNIDENTIFIED)
    lines = await ledger.statement(tx, account.id)
    return max((beijing_day(line.at) for line in lines if line.other in from_outside), default=None)


async def find_case_account(tx: Tx, case_id: UUID) -> Account | None:
    """The case's account if it was opened; for reading."""
    accounts = await ledger.accounts_of_case(tx, case_id)
    return next((account for account in accounts if account.kind == Kind.CASE), None)


async def list_costs(tx: Tx, case_id: UUID) -> list[CaseCost]:
    """The case's costs in order of registration, the enforcement fee last; the fee's id is the case's."""
    costs = [
        CaseCost(
            id=row.id,
            kind=CostKind(row.kind),
            name=row.name,
            payee=Payee(row.payee_holder, row.payee_number, row.payee_bank),
            lot_id=row.lot_id,
            asset_id=row.asset_id,
            amount_fen=row.amount_fen,
            document=row.document,
        )
        for row in await store.costs_of(tx, case_id)
    ]
    fee = await find_fee(tx, case_id)
    if fee is None or not fee.set_fen:
        return costs
    document = f"decision:{fee.decision_id}"
    return [
        *costs,
        CaseCost(case_id, CostKind.ENFORCEMENT_FEE, FEE_NAME, FEE_PAYEE, None, None, fee.set_fen, document),
    ]


async def find_fee(tx: Tx, case_id: UUID) -> FeeSetting | None:
    """The enforcement fee as last set; None before the court has set it."""
    fees = await store.fees_of(tx, case_id)
    return fees[-1] if fees else None


async def add_cost(database: Database, call: Call, case_id: UUID, wanted: AddCost) -> CostView:
    """Register a cost of the case; one with a lot comes off the proceeds of that lot's asset (R-COST-04, 05)."""
    async with database.command(call) as tx:
        tx.actor.must_be(Role.MAKER)
        await _served_case(tx, case_id)
        lot = await auction.get_lot(tx, wanted.lot_id) if wanted.lot_id else None
        if lot is not None and lot.case_id != case_id:
            raise LotOfAnotherCase()
        row = CaseCostRow(
            id=ordered_id(),
            case_id=case_id,
            lot_id=wanted.lot_id,
            asset_id=lot.asset_id if lot else None,
            kind=wanted.kind,
            name=wanted.name,
            amount_fen=wanted.amount_fen,
            payee_holder=wanted.payee.holder,
            payee_number=wanted.payee.number,
            payee_bank=wanted.payee.bank,
            document=wanted.document,
            added_at=tx.now(),
        )
        tx.session.add(row)
        await record(tx, "completion.add-cost", f"cost:{row.id}", wanted, case_id=case_id)
        holder = wanted.payee.holder
        view = CostView(row.id, row.kind, row.name, row.amount_fen, holder, row.lot_id, row.document)
        return tx.answer(view)


async def set_fee(database: Database, call: Call, case_id: UUID, wanted: SetFee) -> FeeView:
    """Set the enforcement fee; the figure of the brackets is kept beside it, with the reason (R-COST-01)."""
    async with database.command(call) as tx:
        tx.actor.must_be(Role.JUDGE)
        case = await _served_case(tx, case_id)
        subject = appraisal.Subject.ENFORCEMENT_FEE
        decision = await appraisal.get_decision(tx, wanted.decision_id, case_id=case_id, subject=subject)
        claims = await appraisal.list_claims(tx, case_id)
        own_fen = Fen(sum(claim.total_fen for claim in claims if claim.party_id == case.applicant.id))
        proceeds_fen = Fen(sum(each.amount_fen for each in await distributable(tx, case_id)))
        base_fen = rules.fee_base(own_fen, proceeds_fen)
        fee: dict[str, object] = {
            "case_id": case_id,
            "number": len(await store.fees_of(tx, case_id)) + 1,
            "base_fen": base_fen,
            "computed_fen": rules.enforcement_fee(base_fen),
            "set_fen": wanted.set_fen,
            "reason": wanted.reason,
            "decision_id": decision.id,
            "set_at": tx.now(),
        }
        if not await store.add_fee(tx, fee):
            raise Busy()
        facts = {"computed_fen": fee["computed_fen"], "set_fen": wanted.set_fen, "decision": str(decision.id)}
        await record(tx, "completion.set-fee", f"case:{case_id}", facts, case_id=case_id, reason=wanted.reason)
        found = await find_fee(tx, case_id)
        assert found is not None
        return tx.answer(_fee_view(found))


# -- what is shown


async def show_sale(database: Database, actor: Actor, lot_id: UUID) -> SaleView:
    """A sale for its buyer and for its court; nobody else learns that it exists."""
    async with database.reading(actor) as tx:
        sale = await store.get_sale(tx, lot_id)
        if actor.person != sale.buyer_person_id:
            _must_read(actor, sale)
        return await _view(tx, sale)


async def find_bought(tx: Tx, lot_id: UUID) -> SaleView | None:
    """The sale of the lot, if the reader is its buyer."""
    sale = await store.find_sale(tx, lot_id)
    return await _view(tx, sale) if sale and sale.buyer_person_id == tx.actor.person else None


async def readable_account(tx: Tx, lot_id: UUID) -> UUID:
    """The account of the sale's price, if the actor is its buyer or of its court; else there is no such sale."""
    sale = await store.get_sale(tx, lot_id)
    if tx.actor.person != sale.buyer_person_id:
        _must_read(tx.actor, sale)
    return sale.account_id


async def is_buyer(tx: Tx, lot_id: UUID, person_id: UUID | None) -> bool:
    """Whether this person bought the lot."""
    sale = await store.find_sale(tx, lot_id)
    return sale is not None and sale.buyer_person_id == person_id


def _must_read(actor: Actor, sale: Sale) -> None:
    if not actor.roles.intersection(STAFF):
        raise NotFound(what="sale")
    actor.must_serve(sale.court_id, "sale")


async def show_confirmation(database: Database, actor: Actor, lot_id: UUID) -> Confirmation:
    """The public confirmation of a sale with the buyer's real name (R-CLOSE-01, R-PUB-04)."""
    async with database.reading(actor) as tx:
        sale = await store.get_sale(tx, lot_id)
        text = (
            f"{sale.buyer_name}（竞买代码 {sale.code}）于 {beijing_words(sale.ended_at)} 在网络司法拍卖平台公开竞价中，"
            f"以最高应价 {yuan(sale.price_fen)} 元竞得“{sale.title}”（{sale.court_name} {sale.case_no}）。"
            "标的物所有权自成交裁定送达买受人时起转移。"
        )
        return Confirmation(
            lot_id=sale.lot_id,
            title=sale.title,
            court_name=sale.court_name,
            case_no=sale.case_no,
            buyer_name=sale.buyer_name,
            code=sale.code,
            price_fen=sale.price_fen,
            ended_at=beijing(sale.ended_at),
            balance_due_at=beijing(sale.balance_due_at),
            state=sale.state,
            text=text,
        )


async def show_costs(database: Database, actor: Actor, case_id: UUID) -> CaseCosts:
    """The costs of a case for its court."""
    async with database.reading(actor) as tx:
        await _served_case(tx, case_id)
        costs = await list_costs(tx, case_id)
        fee = await find_fee(tx, case_id)
        views = [
            CostView(cost.id, cost.kind, cost.name, cost.amount_fen, cost.payee.holder, cost.lot_id, cost.document)
            for cost in costs
        ]
        total_fen = sum(cost.amount_fen for cost in costs)
        return CaseCosts(case_id, tuple(views), _fee_view(fee) if fee else None, total_fen)


async def show_default_uses(database: Database, actor: Actor, case_id: UUID) -> DefaultUses:
    """How the case's forfeited deposits are used, step by step, for its court."""
    async with database.reading(actor) as tx:
        await _served_case(tx, case_id)
        sales = await store.sales_of_case(tx, case_id)
        defaulted = [sale for sale in sales if sale.state == SaleState.DEFAULTED]
        return DefaultUses(case_id, tuple([await _use_view(tx, sale) for sale in defaulted]))


async def _use_view(tx: Tx, sale: Sale) -> DefaultUseView:
    assert sale.resale_lot_id is not None
    assert sale.forfeited_fen is not None
    resale = await _finished_resale(tx, sale)
    uses = await store.uses_of(tx, sale.lot_id)
    steps = {step: sum(getattr(use, step) for use in uses) for step in STEPS}
    costs_fen = await _wasted_costs(tx, sale)
    shortfall_fen = (await _default_of(tx, sale, resale)).shortfall_fen if resale else None
    uncovered_fen = None
    if shortfall_fen is not None:
        uncovered_fen = costs_fen + shortfall_fen - steps["to_costs_fen"] - steps["to_shortfall_fen"]
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
        rules=DEFAULT_RULES,
        **steps,
    )


async def _view(tx: Tx, sale: Sale) -> SaleView:
    account = await ledger.get_account(tx, sale.account_id)
    paid = sale.paid_at is not None
    received_fen = sale.price_fen if paid else ledger.stored_balance(account)
    return SaleView(
        lot_id=sale.lot_id,
        case_id=sale.case_id,
        code=sale.code,
        buyer_name=sale.buyer_name,
        price_fen=sale.price_fen,
        deposit_fen=sale.deposit_fen,
        received_fen=received_fen,
        missing_fen=0 if sale.state == SaleState.DEFAULTED else sale.price_fen - received_fen,
        account_no=account.number or "",
        state=sale.state,
        ended_at=beijing(sale.ended_at),
        balance_due_at=beijing(sale.balance_due_at),
        overdue=sale.state == SaleState.AWAITING_BALANCE and tx.now() >= sale.balance_due_at,
        paid_at=beijing(sale.paid_at) if sale.paid_at else None,
        ruling_due_on=sale.ruling_due_on.isoformat() if sale.ruling_due_on else None,
        served_on=sale.served_on.isoformat() if sale.served_on else None,
        handover_due_on=sale.handover_due_on.isoformat() if sale.handover_due_on else None,
        handed_over_on=sale.handed_over_on.isoformat() if sale.handed_over_on else None,
        defaulted_at=beijing(sale.defaulted_at) if sale.defaulted_at else None,
        resale_lot_id=sale.resale_lot_id,
    )


def _fee_view(fee: FeeSetting) -> FeeView:
    return FeeView(fee.case_id, fee.base_fen, fee.computed_fen, fee.set_fen, fee.reason, fee.decision_id)


async def _served_sale(tx: Tx, lot_id: UUID) -> Sale:
    """The sale, locked, if the actor's court serves it."""
    sale = await store.lock_sale(tx, lot_id)
    tx.actor.must_serve(sale.court_id, "sale")
    return sale


async def _served_case(tx: Tx, case_id: UUID) -> appraisal.CaseFacts:
    case = await appraisal.get_case(tx, case_id)
    tx.actor.must_serve(case.court_id, "case")
    return case


async def _disposable_sale(tx: Tx, lot_id: UUID) -> Sale:
    """The sale, locked; refused while a hold stands, and none is placed before this transaction ends (R-CASE-09)."""
    sale = await store.get_sale(tx, lot_id)
    tx.actor.must_serve(sale.court_id, "sale")
    holds = await appraisal.find_holds(tx, sale.asset_id, lock=True)
    if holds:
        raise AssetOnHold(reason=holds[0].reason)
    return await store.lock_sale(tx, lot_id)
