"""The case account as it is read: what came in and from whom, what plans owe to whom, why money is still there.

Nothing is moved here; `service` and `withholding` ask what each payee is entitled to, and where they are paid.
"""

from collections.abc import Iterable
from datetime import date
from uuid import UUID

from appraisal.api import CaseFacts, PartyRole
from kernel.actors import COURT_STAFF, Actor
from kernel.calendar import due_on
from kernel.clock import beijing, beijing_day
from kernel.database import Database, Tx
from kernel.money import Fen
from settlement.bank import service as bank
from settlement.completion import case_money
from settlement.completion import service as completion
from settlement.completion.rules import CostKind
from settlement.distribution import current
from settlement.distribution.current import Confirmed, confirmed_plans
from settlement.distribution.deadlines import Event, deadline
from settlement.distribution.plans import PayeeKind
from settlement.ledger import service as ledger
from settlement.ledger.models import Account
from settlement.ledger.rules import Kind
from settlement.payouts import rules, store
from settlement.payouts.models import Withholding
from settlement.payouts.rules import Destination, Entitlement, Ground, Payee, Reward, Route
from settlement.payouts.schemas import AccountView, Remainder, StatementLine, WithholdingView, remainder

INFLOWS = (Kind.LOT, Kind.PENDING, Kind.BANK, Kind.UNIDENTIFIED, Kind.ESCROW, Kind.DEFERRED)
"""From where money arrives in a case account; what comes from a payee is a payment that the bank rejected."""


async def show_account(database: Database, actor: Actor, case_id: UUID) -> AccountView:
    """The case account: its movements with the running balance, and why money is still there (R-ACCT-01, 08)."""
    async with database.reading(actor) as tx:
        tx.actor.must_be(*COURT_STAFF)
        case = await case_money.served_case(tx, case_id)
        accounts = await ledger.accounts_of_case(tx, case.id)
        account = next((each for each in accounts if each.kind == Kind.CASE), None)
        named = await remainder_of(tx, case, accounts)
        national, local = await pay_by(tx, case)
        return AccountView(
            case_id=case.id,
            case_no=case.case_no,
            applicants=_names(case, PartyRole.ENFORCEMENT_APPLICANT),
            debtors=_names(case, PartyRole.DEBTOR),
            account_no=account.number if account and account.number else "",
            balance_fen=_balance(account),
            held_fen=sum(each.amount_fen for each in named),
            pay_by=national,
            local_pay_by=local,
            statement=await _statement(tx, case, account) if account else (),
            remainder=named,
            withholdings=tuple(withholding_view(row) for row in await store.withholdings_of(tx, case.id)),
        )


def _names(case: CaseFacts, role: PartyRole) -> tuple[str, ...]:
    return tuple(party.name for party in case.parties if party.role is role)


async def remainder_of(tx: Tx, case: CaseFacts, accounts: Iterable[Account]) -> tuple[Remainder, ...]:
    """Every fen of the case's money that is still here, with the reason why (R-ACCT-01, 09)."""
    held: dict[str, int] = {}
    for account in accounts:
        held[account.kind] = held.get(account.kind, 0) + _balance(account)
    payable, waiting = await _unpaid(tx, case)
    undistributed = held.get(Kind.CASE, 0) - payable - sum(waiting.values())
    found = [
        remainder("undistributed", undistributed),
        remainder("in_plan", payable),
        *(remainder("no_payee_account", amount_fen, payee=payee) for payee, amount_fen in waiting.items()),
        remainder("pending", held.get(Kind.PENDING, 0)),
        remainder("escrow", held.get(Kind.ESCROW, 0)),
        remainder("deferred", held.get(Kind.DEFERRED, 0)),
    ]
    return tuple(each for each in found if each.amount_fen)


async def _unpaid(tx: Tx, case: CaseFacts) -> tuple[int, dict[str, int]]:
    """What confirmed plans still owe: in all to payees with an account, and by name to those without; fen."""
    payable = 0
    waiting: dict[str, int] = {}
    destinations = await destinations_of(tx, case)
    for each in await unpaid_entitlements(tx, case.id):
        if destinations[each.payee] is None:
            waiting[each.name] = waiting.get(each.name, 0) + each.amount_fen
        else:
            payable += each.amount_fen
    return payable, waiting


async def unpaid_entitlements(tx: Tx, case_id: UUID) -> list[Entitlement]:
    """What of confirmed plans has not left the case account, or came back to it; what is withheld has left it."""
    found: list[Entitlement] = []
    for plan in await confirmed_plans(tx, case_id):
        gone = await store.paid_of(tx, plan.plan_id) | await store.withheld_of(tx, plan.plan_id)
        found += [each for each in await entitlements_of(tx, plan) if each.payee not in gone]
    return found


async def withheld_from(tx: Tx, case_id: UUID, payee: Payee) -> list[WithholdingView]:
    """What was kept back from this payee, oldest first; what was only asked for is between officers."""
    rows = await store.withholdings_of(tx, case_id)
    return [
        withholding_view(row)
        for row in rows
        if (PayeeKind(row.payee_kind), row.payee_id) == payee and row.approved_at is not None
    ]


async def deducted_from(tx: Tx, case_id: UUID, party_id: UUID) -> Fen:
    """What paid batches took from this creditor for rewards; whose they are stays with the court (R-CASE-06)."""
    own = {row.id for row in await store.rewards_of(tx, case_id) if row.party_id == party_id}
    deducted = await store.deductions_of(tx, case_id)
    return Fen(sum(amount_fen for (_, reward_id), amount_fen in deducted.items() if reward_id in own))


async def pay_by(tx: Tx, case: CaseFacts) -> tuple[str | None, str | None]:
    """The last day to pay the oldest money of the case, by the nation's limit and by the court's own (R-ACCT-03).

    Money is taken to leave in order of arrival; what came back from escrow or a deferral arrives anew.
    """
    account = await case_money.find_case_account(tx, case.id)
    arrived = await _oldest_arrival(tx, account) if account else None
    if arrived is None:
        return None, None
    policy = await store.find_payout_policy(tx, case.court_id)
    local = due_on(arrived, policy.days).on.isoformat() if policy else None
    return deadline(Event.MONEY_ARRIVED, arrived).on.isoformat(), local


async def entitlements_of(tx: Tx, plan: Confirmed) -> tuple[Entitlement, ...]:
    """What each payee gets by a confirmed plan. Deductions are fixed once money was ordered for their creditor."""
    deducted, begun = await store.deductions_of(tx, plan.case_id), await store.begun_of(tx, plan.plan_id)
    rewards = []
    for row in await store.rewards_of(tx, plan.case_id):
        taken = sum(amount for (_, reward_id), amount in deducted.items() if reward_id == row.id)
        left = Fen(row.amount_fen - taken)
        if (PayeeKind.PARTY, row.party_id) in begun:
            left = deducted.get((plan.plan_id, row.id), Fen(0))
        rewards.append(Reward(row.id, row.party_id, row.payee_holder, left))
    return rules.entitlements(plan.payable, rewards)


async def destinations_of(tx: Tx, case: CaseFacts) -> dict[Payee, Destination | None]:
    """Where each payee of the case is paid, as the rows of parties and costs say now; None without an account."""
    found: dict[Payee, Destination | None] = {}
    for party in case.parties:
        account = party.account
        found[PayeeKind.PARTY, party.id] = (
            Destination(account.holder, account.number, account.bank) if account else None
        )
    for cost in await case_money.list_costs(tx, case.id):
        route = Route.STATE_FEE if cost.kind is CostKind.ENFORCEMENT_FEE else Route.BANK
        found[PayeeKind.COST, cost.id] = Destination(cost.payee.holder, cost.payee.number, cost.payee.bank, route)
    for row in await store.rewards_of(tx, case.id):
        found[PayeeKind.REWARD, row.id] = Destination(row.payee_holder, row.payee_number, row.payee_bank)
    return found


def _balance(account: Account | None) -> int:
    return account.balance_fen or 0 if account else 0


async def _oldest_arrival(tx: Tx, account: Account) -> date | None:
    arrivals = [line for line in await ledger.statement(tx, account.id) if line.gain_fen > 0 and line.other in INFLOWS]
    left_fen = sum(line.gain_fen for line in arrivals) - _balance(account)
    for line in arrivals:
        left_fen -= line.gain_fen
        if left_fen < 0:
            return beijing_day(line.at)
    return None


async def _statement(tx: Tx, case: CaseFacts, account: Account) -> tuple[StatementLine, ...]:
    lines = await ledger.statement(tx, account.id)
    payers = await _payers(tx, case, [line.document for line in lines if line.gain_fen > 0])
    found: list[StatementLine] = []
    balance_fen = 0
    for line in lines:
        balance_fen += line.gain_fen
        payer = payers.get(line.document, "") if line.gain_fen > 0 else ""
        found.append(
            StatementLine(
                at=beijing(line.at),
                reason=line.reason,
                document=line.document,
                other=line.other,
                payer=payer,
                amount_fen=line.gain_fen,
                balance_fen=balance_fen,
            )
        )
    return tuple(found)


async def _payers(tx: Tx, case: CaseFacts, documents: Iterable[str]) -> dict[str, str]:
    """Whose money came in under each document: a buyer's, a taker's, or who paid at the bank (R-ACCT-06, 08)."""
    refs = [document.removeprefix("bank:") for document in documents if document.startswith("bank:")]
    found = {f"bank:{ref}": payer for ref, payer in (await bank.payers_under(tx, refs)).items()}
    found |= await completion.payers_of(tx, case.id)
    takers = await current.takers_of(tx, case.id)
    return found | {document: case.party(party_id).name for document, party_id in takers.items()}


def withholding_view(row: Withholding) -> WithholdingView:
    """A withholding as it stands."""
    state = "ended" if row.ended_at else "approved" if row.approved_at else "asked"
    return WithholdingView(
        id=row.id,
        plan_id=row.plan_id,
        payee_kind=row.payee_kind,
        payee_id=row.payee_id,
        payee=row.payee,
        kind=rules.KIND_OF[Ground(row.ground)],
        ground=row.ground,
        reason=row.reason,
        amount_fen=row.amount_fen,
        state=state,
        pay_until=row.pay_until.isoformat() if row.pay_until else None,
    )
