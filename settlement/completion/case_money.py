"""Use cases of a case's money: its account, what came in, its costs and its enforcement fee (R-ACCT-01, 09; R-COST).

What distribution rests on. Deposits, unserved prices and what is pending decision are never part of it.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from appraisal import api as appraisal
from auction import api as auction
from kernel.actors import Actor, Role
from kernel.audit import record
from kernel.clock import beijing_day
from kernel.database import Call, Database, Tx
from kernel.ids import ordered_id
from kernel.money import Fen
from settlement.bank.rules import Payee
from settlement.completion import rules, store
from settlement.completion.errors import LotOfAnotherCase
from settlement.completion.models import CaseCostRow, FeeSetting
from settlement.completion.rules import SERVED, STEPS, UNDONE, CostKind, SaleState
from settlement.completion.sale_schemas import AddCost, CaseCosts, CaseNumber, CostView, Coverage, FeeView, SetFee
from settlement.ledger import service as ledger
from settlement.ledger.models import Account
from settlement.ledger.rules import Kind

CASE_MONEY = "case_money"
"""The pool of money that came into the case account from no sold thing."""

ON_SALE = frozenset({"published", "live", "suspended", "frozen"})
"""Lots that still can be stopped, in the words of auction."""

FEE_NAME = "执行申请费"
FEE_PAYEE = Payee("诉讼费专户（上缴国库）", "", "")
"""The fee goes to the fee account of the state by transfer, not to a bank account (R-COST-02)."""


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


async def open_account(database: Database, call: Call, case_id: UUID) -> CaseNumber:
    """The number of the case's account, opened if new, so that documents to the debtor can name it (R-ACCT-02)."""
    async with database.command(call) as tx:
        tx.actor.must_be(Role.CLERK, Role.MAKER)
        case = await served_case(tx, case_id)
        account = await case_account(tx, case.id)
        return tx.answer(CaseNumber(case.id, case.debtor.name, account.number or ""))


async def distributable(tx: Tx, case_id: UUID) -> list[Proceeds]:
    """All that ever came into the case account, by source: served sales first to last, then other case money.

    To a sold asset belongs what forfeited deposits of its earlier sales gave (R-CLOSE-08), and what their buyers made
    good by order (R-CLOSE-09). Deposits, unserved prices
    and what is pending decision are never in it (R-ACCT-09).
    """
    sales = await store.sales_of_case(tx, case_id)
    used: defaultdict[UUID, int] = defaultdict(int)
    for sale in sales:
        if sale.state == SaleState.DEFAULTED:
            for use in await store.uses_of(tx, sale.lot_id):
                used[sale.asset_id] += sum(getattr(use, step) for step in STEPS)
            used[sale.asset_id] += sum(payment.amount_fen for payment in await store.payments_of(tx, sale.lot_id))
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
    return [sale.served_on for sale in sales if sale.state not in UNDONE]


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
    """What comes off the case's proceeds first: costs in order of registration, what forfeited deposits brought in for
    connected debts, the enforcement fee last; the fee's id is the case's.
    """
    return [*await registered_costs(tx, case_id), *await _related_debts(tx, case_id), *await _fee(tx, case_id)]


async def costs_and_fee(tx: Tx, case_id: UUID) -> list[CaseCost]:
    """The case's costs alone: what it needs beside its claims."""
    return [*await registered_costs(tx, case_id), *await _fee(tx, case_id)]


async def registered_costs(tx: Tx, case_id: UUID) -> list[CaseCost]:
    """The costs that officers registered, in that order."""
    return [
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


async def _fee(tx: Tx, case_id: UUID) -> list[CaseCost]:
    fee = await find_fee(tx, case_id)
    if fee is None or not fee.set_fen:
        return []
    document = f"decision:{fee.decision_id}"
    return [CaseCost(case_id, CostKind.ENFORCEMENT_FEE, FEE_NAME, FEE_PAYEE, None, None, fee.set_fen, document)]


async def _related_debts(tx: Tx, case_id: UUID) -> list[CaseCost]:
    """What the fourth step of each forfeited deposit brought in for the debts that the panel named (R-CLOSE-08)."""
    found = []
    for sale in await store.sales_of_case(tx, case_id):
        debts = await store.related_debts_of(tx, sale.lot_id)
        moved_fen = sum(use.to_related_debt_fen for use in await store.uses_of(tx, sale.lot_id)) if debts else 0
        parts = rules.divide_in_order(moved_fen, [debt.amount_fen for debt in debts])
        found += [
            CaseCost(
                id=debt.id,
                kind=CostKind.RELATED_DEBT,
                name=debt.name,
                payee=Payee(debt.payee_holder, debt.payee_number, debt.payee_bank),
                lot_id=None,
                asset_id=sale.asset_id,
                amount_fen=part_fen,
                document=debt.document,
            )
            for debt, part_fen in zip(debts, parts, strict=True)
            if part_fen
        ]
    return found


async def find_fee(tx: Tx, case_id: UUID) -> FeeSetting | None:
    """The enforcement fee as last set; None before the court has set it."""
    fees = await store.fees_of(tx, case_id)
    return fees[-1] if fees else None


async def add_cost(database: Database, call: Call, case_id: UUID, wanted: AddCost) -> CostView:
    """Register a cost of the case; one with a lot comes off the proceeds of that lot's asset (R-COST-04, 05)."""
    async with database.command(call) as tx:
        tx.actor.must_be(Role.MAKER)
        await served_case(tx, case_id)
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


async def add_fee(
    tx: Tx, case_id: UUID, wanted: SetFee, decision_id: UUID, *, base_fen: Fen, computed_fen: Fen
) -> FeeSetting:
    """Write the next setting of the case's enforcement fee; the last one counts. The case's money is locked."""
    fee = FeeSetting(
        case_id=case_id,
        number=len(await store.fees_of(tx, case_id)) + 1,
        base_fen=base_fen,
        computed_fen=computed_fen,
        set_fen=wanted.set_fen,
        reason=wanted.reason,
        decision_id=decision_id,
        set_at=tx.now(),
    )
    await store.add_fee(tx, fee)
    return fee


async def show_costs(database: Database, actor: Actor, case_id: UUID) -> CaseCosts:
    """The costs of a case for its court."""
    async with database.reading(actor) as tx:
        await served_case(tx, case_id)
        costs = await list_costs(tx, case_id)
        fee = await find_fee(tx, case_id)
        views = [
            CostView(cost.id, cost.kind, cost.name, cost.amount_fen, cost.payee.holder, cost.lot_id, cost.document)
            for cost in costs
        ]
        total_fen = sum(cost.amount_fen for cost in costs)
        return CaseCosts(case_id, tuple(views), fee_view(fee) if fee else None, total_fen)


def fee_view(fee: FeeSetting) -> FeeView:
    """The fee as last set."""
    return FeeView(fee.case_id, fee.base_fen, fee.computed_fen, fee.set_fen, fee.reason, fee.decision_id)


async def served_case(tx: Tx, case_id: UUID) -> appraisal.CaseFacts:
    """The case, if the actor's court serves it; else there is no such case."""
    return await served_case_of(tx, case_id, "case")


async def served_case_of(tx: Tx, case_id: UUID, what: str) -> appraisal.CaseFacts:
    """The case of a thing, if the actor's court serves it; else there is no such thing."""
    case = await appraisal.get_case(tx, case_id)
    tx.actor.must_serve(case.court_id, what)
    return case


async def show_coverage(database: Database, actor: Actor, case_id: UUID) -> Coverage:
    """Whether what was sold so far covers debt and costs, and which lots are still on sale (R-CLOSE-12)."""
    async with database.reading(actor) as tx:
        await served_case(tx, case_id)
        sales = [sale for sale in await store.sales_of_case(tx, case_id) if sale.state not in UNDONE]
        account = await find_case_account(tx, case_id)
        direct = await ledger.received_fen(tx, account.id, Kind.BANK, Kind.UNIDENTIFIED) if account else 0
        sold_fen = sum(sale.price_fen for sale in sales) + direct
        debt_fen = sum(claim.total_fen for claim in await appraisal.list_claims(tx, case_id))
        costs_fen = sum(cost.amount_fen for cost in await costs_and_fee(tx, case_id))
        covered = rules.suffices(sold_fen, debt_fen, costs_fen)
        lots = [lot.id for lot in await auction.list_lots(tx, case_id) if lot.status in ON_SALE]
        return Coverage(
            case_id=case_id,
            sold_fen=sold_fen,
            debt_fen=debt_fen,
            costs_fen=costs_fen,
            covered=covered,
            surplus_fen=max(0, sold_fen - debt_fen - costs_fen),
            to_stop=tuple(lots) if covered else (),
            rule="R-CLOSE-12",
        )
