"""Use cases of statements: each for those it concerns, and public figures that name nobody."""

from datetime import UTC, datetime
from uuid import UUID

from appraisal import api as appraisal
from appraisal.api import PartyFacts
from auction import api as auction
from bidding import api as bidding
from kernel.actors import COURT_STAFF, Actor, platform
from kernel.clock import BEIJING, beijing, beijing_day
from kernel.database import Database, Tx
from kernel.errors import NotFound
from kernel.money import Fen
from settlement.completion import service as completion
from settlement.deposits import service as deposits
from settlement.distribution import taking
from settlement.distribution.plans import PayeeKind
from settlement.ledger import service as ledger
from settlement.ledger.models import Account
from settlement.payouts import service as payouts
from settlement.payouts.rules import LineState
from settlement.statements import rules, store
from settlement.statements.errors import StatementSealed
from settlement.statements.schemas import (
    CaseMoney,
    CourtFigures,
    CourtHoldings,
    MovementView,
    PayeeStatement,
    PaymentView,
    StatementView,
)


async def show_lot(database: Database, actor: Actor, lot_id: UUID) -> StatementView:
    """The account of a lot's price, for its buyer, or for who takes the thing in satisfaction, and for the court."""
    async with database.reading(actor) as tx:
        sold = await completion.is_sold(tx, lot_id)
        account_id = await (completion if sold else taking).readable_account(tx, lot_id)
        return await _statement(tx, await ledger.get_account(tx, account_id))


async def show_own_deposit(database: Database, actor: Actor, lot_id: UUID) -> StatementView:
    """The account of the bidder's own registration."""
    async with database.reading(actor) as tx:
        own = await bidding.find_own_registration(tx, lot_id, actor.person)
        if own is None:
            raise NotFound(what="registration")
        return await _statement(tx, await deposits.account_of(tx, own.id))


async def show_registration(database: Database, actor: Actor, registration_id: UUID) -> StatementView:
    """The account of a registration for the court of its lot, once bidding has ended (R-BID-07)."""
    async with database.reading(actor) as tx:
        tx.actor.must_be(*COURT_STAFF)
        registration = await bidding.get_registration(tx, registration_id)
        actor.must_serve((await auction.get_lot(tx, registration.lot_id)).court_id, "registration")
        if await deposits.takes_deposits(tx, registration.lot_id):
            raise StatementSealed()
        return await _statement(tx, await deposits.account_of(tx, registration_id))


async def show_payee(database: Database, actor: Actor, case_id: UUID, party_id: UUID) -> PayeeStatement:
    """What a party of a case is paid: for that party, and for the court."""
    async with database.reading(actor) as tx:
        party = await _readable_party(tx, case_id, party_id)
        views = await payments_of(tx, case_id, party_id)
        executed_fen = sum(view.amount_fen for view in views if view.state == LineState.EXECUTED)
        return PayeeStatement(case_id, party_id, party.name, views, executed_fen)


async def payments_of(tx: Tx, case_id: UUID, party_id: UUID) -> tuple[PaymentView, ...]:
    """Every payment of the case's standing batches to this party, oldest first."""
    return tuple(
        PaymentView(
            plan_id=each.plan_id,
            reason=each.line.reason,
            amount_fen=each.line.amount_fen,
            bank=each.line.bank,
            account_end=each.line.number[-4:],
            paid_at=beijing(each.paid_at) if each.paid_at else None,
            state=each.state,
        )
        for each in await payouts.payments_to(tx, case_id, (PayeeKind.PARTY, party_id))
    )


async def _readable_party(tx: Tx, case_id: UUID, party_id: UUID) -> PartyFacts:
    """The party, if the reader is that person or serves the case's court as staff; else there is none."""
    case = await appraisal.get_case(tx, case_id)
    party = next((each for each in case.parties if each.id == party_id), None)
    is_own = party is not None and party.person_id == tx.actor.person
    serves = tx.actor.court_id == case.court_id and tx.actor.roles.intersection(COURT_STAFF)
    if party is None or not (is_own or serves):
        raise NotFound(what="case")
    return party


async def show_case_money(database: Database, year: int | None) -> CaseMoney:
    """The figures of case money by court and quarter, as courts report them; open to everybody (R-ACCT-08)."""
    async with database.reading(platform("statistics")) as tx:
        now = tx.now()
        year = year or beijing_day(now).year
        since, until = (datetime(each, 1, 1, tzinfo=BEIJING).astimezone(UTC) for each in (year, year + 1))
        flows, arrived = await store.flows(tx, since, until), await store.arrived(tx, since, until)
        held = await store.held(tx, now - rules.OLD)
        cases = {flow.case_id for flow in flows} | {each.case_id for each in arrived}
        courts = await appraisal.court_names(tx, cases | {case_id for case_id, _, _ in held})
        figures = [
            CourtFigures(
                court=each.court,
                quarter=each.quarter,
                received_items=each.received_items,
                received_fen=each.received_fen,
                paid_items=each.paid_items,
                paid_fen=each.paid_fen,
                share=rules.share(each.on_number_fen, each.arrived_fen),
            )
            for each in rules.figures(flows, arrived, courts)
        ]
        holdings: dict[str, tuple[int, int]] = {}
        for case_id, held_fen, old_fen in held:
            before = holdings.get(courts[case_id], (0, 0))
            holdings[courts[case_id]] = (before[0] + held_fen, before[1] + old_fen)
        return CaseMoney(
            year, tuple(figures), tuple(CourtHoldings(court, *both) for court, both in sorted(holdings.items()))
        )


async def _statement(tx: Tx, account: Account) -> StatementView:
    balance_fen = Fen(0)
    found = []
    for line in await ledger.statement(tx, account.id):
        balance_fen = Fen(balance_fen + line.gain_fen)
        at = beijing(line.at)
        found.append(MovementView(at, line.reason, line.document, line.other, line.gain_fen, balance_fen))
    return StatementView(account.number, account.kind, ledger.stored_balance(account), tuple(found))
