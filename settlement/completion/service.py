"""Use cases of a sale after the hammer: balance, ruling, service, handover, default, resale; costs and fee of a case.

Locking (docs/locking.md): the asset (holds), auction's lot, the sale's row, then accounts. Title passes when the ruling
is served; only then does the price leave the lot's account for the case account (R-CLOSE-05).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from appraisal import api as appraisal
from auction import api as auction
from bidding import api as bidding
from kernel.actors import COURT_STAFF, Actor, Role
from kernel.audit import Said, chain_of, record, record_each
from kernel.clock import beijing, beijing_day, beijing_words
from kernel.contracts import LotClosed
from kernel.database import Call, Database, Tx
from kernel.errors import NotFound
from kernel.identity.service import real_names
from kernel.money import Fen, yuan
from settlement.bank import service as bank
from settlement.completion import case_money, defaults, rules, set_offs, store
from settlement.completion.errors import AssetOnHold
from settlement.completion.models import Sale
from settlement.completion.rules import SaleState
from settlement.completion.sale_schemas import (
    Confirmation,
    HandOver,
    RuleSale,
    SaleView,
    ServeRuling,
)
from settlement.deposits import service as deposits
from settlement.ledger import service as ledger
from settlement.ledger.rules import Kind, Posting, Transfer
from settlement.ledger.service import Owner

# -- from the hammer to the full price


async def open_sales(tx: Tx, events: Sequence[LotClosed]) -> None:
    """Begin the completion of sold lots: reveal the buyers, apply the deposits, set the day the balance is due.

    Told again it changes nothing (R-CLOSE-01, 03, 04).
    """
    sold = await _newly_sold(tx, events)
    if not sold:
        return
    hammers = await _hammers(tx, sold)
    opened = await store.add_sales(tx, await _rows(tx, hammers))
    new = [hammer for hammer in hammers if hammer.lot.id in opened]
    await _keep_co_buyers(tx, new)
    await _record_opened(tx, new)
    await _weigh_paid(tx, new)


@dataclass(frozen=True, slots=True)
class _Hammer:
    """A lot that was sold just now: its event and lot, who buys, its account, and what the deposit has paid (fen)."""

    event: LotClosed
    lot: auction.LotFacts
    registration_id: UUID
    buyers: Sequence[bidding.Buyer]
    account_id: UUID
    deposit_fen: Fen

    @property
    def price_fen(self) -> int:
        assert self.event.price_fen is not None, "a sold lot has a price"
        return self.event.price_fen


async def _newly_sold(tx: Tx, events: Sequence[LotClosed]) -> dict[UUID, LotClosed]:
    """By lot the events of sales that are not open yet."""
    known = await store.sales_of_lots(tx, [event.lot_id for event in events])
    return {event.lot_id: event for event in events if event.status == "sold" and event.lot_id not in known}


async def _hammers(tx: Tx, sold: Mapping[UUID, LotClosed]) -> list[_Hammer]:
    """Reveal who buys, open the lots' accounts, and apply the deposits to them."""
    lots = {lot.id: lot for lot in await auction.get_lots(tx, sold.keys())}
    registrations = {lot_id: _buyer(event) for lot_id, event in sold.items()}
    behind = await bidding.reveal_buyers(tx, registrations.values(), "成交确认书 R-CLOSE-01")
    owners = {str(lot_id): Owner(lots[lot_id].case_id, lot_id) for lot_id in sold}
    accounts = dict(zip(sold, await ledger.open_accounts(tx, Kind.LOT, owners), strict=True))
    winners = {registrations[lot_id]: (accounts[lot_id], f"lot:{lot_id}") for lot_id in sold}
    deposits_fen = await deposits.apply(tx, winners)
    hammers = []
    for lot_id, event in sold.items():
        registration_id = registrations[lot_id]
        buyers, deposit_fen = behind[registration_id], deposits_fen[registration_id]
        hammers.append(_Hammer(event, lots[lot_id], registration_id, buyers, accounts[lot_id], deposit_fen))
    return hammers


async def _rows(tx: Tx, hammers: Sequence[_Hammer]) -> list[dict[str, object]]:
    """The sales as they are written, with the day the balance is due (R-CLOSE-04)."""
    case_nos = await appraisal.case_numbers(tx, {hammer.lot.case_id for hammer in hammers})
    names = await real_names(tx, {buyer.person_id for hammer in hammers for buyer in hammer.buyers})
    return [
        {
            "lot_id": hammer.lot.id,
            "case_id": hammer.lot.case_id,
            "court_id": hammer.lot.court_id,
            "asset_id": hammer.lot.asset_id,
            "registration_id": hammer.registration_id,
            "account_id": hammer.account_id,
            "case_no": case_nos[hammer.lot.case_id],
            "court_name": hammer.lot.court_name,
            "title": hammer.lot.title,
            "buyer_person_id": hammer.buyers[0].person_id,
            "buyer_name": _buyer_names(hammer.buyers, names),
            "code": hammer.event.code,
            "price_fen": hammer.price_fen,
            "deposit_fen": min(hammer.deposit_fen, hammer.price_fen),
            "state": SaleState.AWAITING_BALANCE,
            "ended_at": hammer.event.ended_at,
            "balance_due_at": rules.balance_due_at(hammer.event.ended_at, hammer.lot.balance_due_days),
        }
        for hammer in hammers
    ]


async def _keep_co_buyers(tx: Tx, new: Sequence[_Hammer]) -> None:
    for hammer in new:
        if co_buyers := hammer.buyers[1:]:
            await store.keep_co_buyers(tx, hammer.lot.id, [buyer.person_id for buyer in co_buyers])


async def _record_opened(tx: Tx, new: Sequence[_Hammer]) -> None:
    said = []
    for hammer in new:
        facts = {"price_fen": hammer.price_fen, "deposit_fen": hammer.deposit_fen, "code": hammer.event.code}
        said.append(Said(chain_of(hammer.lot.case_id), f"lot:{hammer.lot.id}", facts))
    await record_each(tx, "completion.open", said)


async def _weigh_paid(tx: Tx, new: Sequence[_Hammer]) -> None:
    """Weigh the price where it is there already; elsewhere there is nothing to weigh yet."""
    balances = await ledger.lock_balances(tx, [hammer.account_id for hammer in new])
    for hammer in new:
        if balances[hammer.account_id] >= hammer.price_fen:
            await weigh_price(tx, hammer.lot.id)


def _buyer(event: LotClosed) -> UUID:
    assert event.registration_id is not None, "a sold lot has a buyer"
    return event.registration_id


def _buyer_names(buyers: Sequence[bidding.Buyer], names: Mapping[UUID, str]) -> str:
    """The real name of the buyer; of joint bidders each name with its share."""
    if len(buyers) == 1:
        return names[buyers[0].person_id]
    return "、".join(f"{names[buyer.person_id]}（{buyer.share}）" for buyer in buyers)


async def weigh_price(tx: Tx, lot_id: UUID) -> None:
    """Decide what the money on a lot's account means: the price is complete, still short, or too much came in.

    What came after a default or an annulment, and what is above the price less what is set off of it, goes back to the
    account that paid it, but for what the court ordered a defaulting buyer to make good.
    """
    sale = await store.lock_sale(tx, lot_id)
    account = (await ledger.lock(tx, [sale.account_id]))[sale.account_id]
    in_money_fen = await set_offs.in_money_fen(tx, sale)
    if sale.state == SaleState.AWAITING_BALANCE:
        if ledger.stored_balance(account) < in_money_fen:
            return
        sale.state, sale.paid_at = SaleState.PAID, tx.now()
        sale.ruling_due_on = rules.ruling_due_on(sale.paid_at)
        await deposits.use_up(tx, sale.registration_id, f"lot:{lot_id}")
        facts = {"price_fen": sale.price_fen, "ruling_due_on": sale.ruling_due_on.isoformat()}
        await record(tx, "completion.paid", f"lot:{lot_id}", facts, case_id=sale.case_id)
    keep_fen = in_money_fen - sale.deposit_fen
    if sale.state in rules.UNDONE:
        keep_fen = await defaults.take_shortfall(tx, sale, account)
    await bank.refund_above(tx, account, keep_fen, "completion.surplus", f"lot:{lot_id}")


# -- ruling, service, handover


async def rule_sale(database: Database, call: Call, lot_id: UUID, wanted: RuleSale) -> SaleView:
    """Record the sale ruling after full payment (R-CLOSE-05).

    In its way stand holds, purchase limits (R-HOME-02) and a missing approval of an equity transfer (R-CLOSE-14).
    """
    async with database.command(call) as tx:
        tx.actor.must_be(Role.JUDGE)
        sale = await _disposable_sale(tx, lot_id)
        rules.require(SaleState(sale.state), SaleState.PAID)
        decision = await appraisal.get_decision(
            tx, wanted.decision_id, case_id=sale.case_id, subject=appraisal.Subject.SALE_RULING
        )
        lot = await auction.get_lot(tx, lot_id)
        asset = await appraisal.get_asset(tx, sale.asset_id)
        rules.require_approved(rules.approval_needed(asset.details), decision.facts)
        applied_on = await _applied_on(tx, sale)
        rules.require_purchase_proved(lot.purchase_limited, decision.facts, applied_on, beijing_day(tx.now()))
        sale.state, sale.ruling_decision_id, sale.ruled_at = SaleState.RULED, decision.id, tx.now()
        await record(tx, "completion.rule", f"lot:{lot_id}", {"decision": str(decision.id)}, case_id=sale.case_id)
        return tx.answer(await sale_view(tx, sale))


async def serve_ruling(database: Database, call: Call, lot_id: UUID, wanted: ServeRuling) -> SaleView:
    """Record that the ruling was served on the buyer: title passes, seizures end, the price reaches the case account.

    What of it is set off never was money: the next plan holds the whole price and the set-off.
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
        await appraisal.pass_title(tx, sale.asset_id, appraisal.Way.SALE, wanted.served_on)
        await store.lock_defaulted(tx, sale.case_id)  # sales before accounts
        case = await case_money.case_account(tx, sale.case_id)
        if in_money_fen := await set_offs.in_money_fen(tx, sale):
            proceeds = Transfer(sale.account_id, case.id, in_money_fen)
            document = f"ruling:{sale.ruling_decision_id}"
            posting = Posting(f"proceeds:{lot_id}", "completion.proceeds", document, (proceeds,), sale.case_id, lot_id)
            await ledger.post(tx, posting)
        facts = {"served_on": wanted.served_on.isoformat(), "method": wanted.method, "proof": wanted.proof}
        await record(tx, "completion.serve", f"lot:{lot_id}", facts, case_id=sale.case_id)
        await tx.session.flush()
        await defaults.settle_default_use(tx, sale.case_id)
        return tx.answer(await sale_view(tx, sale))


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
        return tx.answer(await sale_view(tx, sale))


# -- what is shown


async def show_sale(database: Database, actor: Actor, lot_id: UUID) -> SaleView:
    """A sale for its buyer and for its court; nobody else learns that it exists."""
    async with database.reading(actor) as tx:
        sale = await store.get_sale(tx, lot_id)
        if actor.person not in sale.buyers:
            _must_read(actor, sale)
        return await sale_view(tx, sale)


async def find_bought(tx: Tx, lot_id: UUID) -> SaleView | None:
    """The sale of the lot, if the reader is its buyer."""
    sale = await store.find_sale(tx, lot_id)
    return await sale_view(tx, sale) if sale and tx.actor.person in sale.buyers else None


async def readable_account(tx: Tx, lot_id: UUID) -> UUID:
    """The account of the sale's price, if the actor is its buyer or of its court; else there is no such sale."""
    sale = await store.get_sale(tx, lot_id)
    if tx.actor.person not in sale.buyers:
        _must_read(tx.actor, sale)
    return sale.account_id


async def sale_of_court(tx: Tx, lot_id: UUID) -> Sale:
    """A sale that the actor's court serves; else there is no such sale."""
    sale = await store.get_sale(tx, lot_id)
    tx.actor.must_serve(sale.court_id, "sale")
    return sale


async def payers_of(tx: Tx, case_id: UUID) -> dict[str, str]:
    """Whose money a ruling, a default or an order to make good brought into the case account: document -> buyer."""
    found: dict[str, str] = {}
    for sale in await store.sales_of_case(tx, case_id):
        order = await store.find_order(tx, sale.lot_id)
        decisions = (sale.default_decision_id, order.decision_id if order else None)
        found |= {f"decision:{each}": sale.buyer_name for each in decisions if each}
        found[f"ruling:{sale.ruling_decision_id}"] = sale.buyer_name
    return found


async def is_sold(tx: Tx, lot_id: UUID) -> bool:
    """Whether the lot was sold, whatever became of the sale."""
    return await store.find_sale(tx, lot_id) is not None


async def is_buyer(tx: Tx, lot_id: UUID, person_id: UUID | None) -> bool:
    """Whether this person bought the lot."""
    sale = await store.find_sale(tx, lot_id)
    return sale is not None and person_id in sale.buyers


def _must_read(actor: Actor, sale: Sale) -> None:
    if not actor.roles.intersection(COURT_STAFF):
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


async def sale_view(tx: Tx, sale: Sale) -> SaleView:
    """The sale as its buyer and the court see it; who may is for the caller to ask."""
    account = await ledger.get_account(tx, sale.account_id)
    paid = sale.paid_at is not None
    whole_fen = sale.price_fen - await set_offs.ordered_fen(tx, sale.lot_id)
    received_fen = whole_fen if paid else ledger.stored_balance(account)
    return SaleView(
        lot_id=sale.lot_id,
        case_id=sale.case_id,
        code=sale.code,
        buyer_name=sale.buyer_name,
        price_fen=sale.price_fen,
        deposit_fen=sale.deposit_fen,
        set_off_fen=await set_offs.standing_fen(tx, sale),
        received_fen=received_fen,
        missing_fen=await _missing_fen(tx, sale, received_fen),
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
        annulled_at=beijing(sale.annulled_at) if sale.annulled_at else None,
        annulment_ground=sale.annulment_ground,
        resale_lot_id=sale.resale_lot_id,
    )


async def _missing_fen(tx: Tx, sale: Sale, received_fen: int) -> int:
    """What the buyer is still to pay: the balance, or after a default what the court ordered to make good."""
    if sale.state in rules.UNDONE:
        return await defaults.shortfall_missing(tx, sale.lot_id)
    return await set_offs.in_money_fen(tx, sale) - received_fen


async def _applied_on(tx: Tx, sale: Sale) -> date:
    """The day the buyer was admitted to bid; without a deposit to wait for, that of the application."""
    admitted_at = (await bidding.get_registration(tx, sale.registration_id)).admitted_at
    assert admitted_at is not None, "a buyer was admitted"
    return beijing_day(admitted_at)


async def _served_sale(tx: Tx, lot_id: UUID) -> Sale:
    """The sale, locked, if the actor's court serves it."""
    sale = await store.lock_sale(tx, lot_id)
    tx.actor.must_serve(sale.court_id, "sale")
    return sale


async def _disposable_sale(tx: Tx, lot_id: UUID) -> Sale:
    """The sale, locked; refused while a hold stands, and none is placed before this transaction ends (R-CASE-09)."""
    sale = await store.get_sale(tx, lot_id)
    tx.actor.must_serve(sale.court_id, "sale")
    await appraisal.require_no_hold(tx, sale.asset_id, AssetOnHold)
    return await store.lock_sale(tx, lot_id)
