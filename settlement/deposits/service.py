"""Use cases of deposits: open, weigh what arrived, admit, release, apply, forfeit.

A deposit HELD and its bidder's eligibility are one commit (R-BID-06). Locking: the lot and the registration
(`bidding.api`), then the deposit's account, then whatever the ledger moves.
"""

from uuid import UUID

from auction import api as auction
from bidding import api as bidding
from kernel.actors import Actor
from kernel.audit import record
from kernel.contracts import RegistrationMade
from kernel.database import Database, Tx
from kernel.errors import NotFound, Refusal
from kernel.ids import ordered_id
from kernel.money import Fen
from kernel.outbox import tell
from settlement.bank import service as bank
from settlement.deposits import store
from settlement.deposits.errors import HoldEnded
from settlement.deposits.models import Deposit, Hold
from settlement.deposits.rules import HoldFacts, Outcome, Part, Stage, State, parts_of, state_of, to_keep
from settlement.deposits.schemas import DepositLine, DepositsToRelease, LotDeposits, OwnDeposit, RefundView
from settlement.ledger import service as ledger
from settlement.ledger.models import Account
from settlement.ledger.rules import Kind, Posting, Transfer

TAKING = frozenset({"upcoming", "open", "suspended", "frozen"})
"""Statuses of a lot in which deposits are accepted (R-BID-06)."""

THIRD_PARTY = "付款人不是竞买人本人"
"""Why a deposit paid by a third party waits; the queue tells neither lot nor bidder."""

RELEASED_AT_ONCE = 50
"""Deposits released in one transaction: a lot with ten thousand bidders must not hold its locks for minutes."""


async def open_deposit(tx: Tx, made: RegistrationMade) -> None:
    """Open the account that a registration pays its deposit to; also where nothing is due (R-BID-05)."""
    account = await ledger.open_account(
        tx,
        Kind.DEPOSIT,
        str(made.registration_id),
        case_id=made.case_id,
        lot_id=made.lot_id,
        registration_id=made.registration_id,
    )
    deposit: dict[str, object] = {
        "registration_id": made.registration_id,
        "lot_id": made.lot_id,
        "case_id": made.case_id,
        "account_id": account.id,
        "due_fen": made.deposit_due_fen,
        "announced_fen": (await auction.get_lot(tx, made.lot_id)).deposit_fen,
        "opened_at": tx.now(),
    }
    if await store.add_deposit(tx, deposit):
        facts = {"due_fen": made.deposit_due_fen, "account": str(account.id)}
        await record(tx, "deposits.open", f"registration:{made.registration_id}", facts, case_id=made.case_id)


async def weigh(tx: Tx, registration_id: UUID) -> None:
    """Decide what the money on a deposit's account means.

    Complete and in time: HELD and admitted in this one transaction. One fen short: it waits to be completed. Twice,
    too much, or after the end of bidding: what is too much goes back to the account that paid it.
    Paid by somebody else: it waits to be matched by hand, by maker and checker, and holds nothing (R-BID-04).
    """
    registration = await bidding.lock_registration(tx, registration_id)
    taking = registration.state == "awaiting_deposit" and await takes_deposits(tx, registration.lot_id)
    if taking:
        await _set_aside_foreign(tx, registration_id)
    deposit, account, holds = await _locked(tx, registration_id)
    if taking and not holds and ledger.stored_balance(account) >= deposit.due_fen > 0:
        taking = await _admit(tx, registration_id)
        holds = await _hold(tx, deposit) if taking else holds
    keep_fen = to_keep(deposit.due_fen, holds, may_wait=taking)
    if keep_fen is not None:
        await bank.refund_above(tx, account, keep_fen, "deposits.surplus", f"registration:{registration_id}")


async def _set_aside_foreign(tx: Tx, registration_id: UUID) -> None:
    deposit = await store.get_deposit(tx, registration_id)
    payers = await bank.payers_of(tx, deposit.account_id)
    foreign = [credit_id for credit_id, name in payers.items() if not await bidding.is_payer(tx, registration_id, name)]
    if foreign and not (await store.holds_of(tx, [registration_id]))[registration_id]:
        await bank.set_aside(tx, await ledger.get_account(tx, deposit.account_id), foreign, THIRD_PARTY)


async def release(tx: Tx, registration_id: UUID, document: str) -> None:
    """Give a deposit back, complete or not (R-CLOSE-02). Releasing twice changes nothing.

    Refuses the leader, the buyer, and a hold that ended otherwise.
    """
    await bidding.release(tx, registration_id)
    deposit, account, holds = await _locked(tx, registration_id)
    for hold in holds:
        if hold.outcome is not Outcome.RELEASED:
            await _end(tx, deposit, hold, Outcome.RELEASED, document)
    await bank.refund_above(tx, account, 0, "deposits.released", document)


async def release_next(tx: Tx, work: DepositsToRelease) -> None:
    """Release the next deposits of an ended lot, all but the winner's, and order the rest as further work."""
    ids = await store.next_deposits(tx, work.lot_id, work.after, RELEASED_AT_ONCE)
    for registration_id in ids:
        if registration_id != work.winner:
            await release(tx, registration_id, f"lot:{work.lot_id}")
    if len(ids) == RELEASED_AT_ONCE:
        await tell(tx, DepositsToRelease(lot_id=work.lot_id, winner=work.winner, after=ids[-1]))


async def apply(tx: Tx, registration_id: UUID, lot_account: UUID, document: str) -> Fen:
    """Move the winner's deposit to the lot's account, where it is held for the price (R-CLOSE-03).

    Returns the amount, in fen. Applying twice changes nothing; one that was released is refused.
    """
    await bidding.lock_registration(tx, registration_id)
    deposit, _, holds = await _locked(tx, registration_id)
    bid_holds = [hold for hold in holds if hold.stage is Stage.BID]
    for hold in bid_holds:
        if hold.outcome is Outcome.APPLIED:
            continue
        await _end(tx, deposit, hold, Outcome.APPLIED, document)
        await _move(tx, deposit, hold, ("deposits.applied", document), (deposit.account_id, lot_account))
        await _add_hold(tx, deposit, Stage.PRICE, hold.part, hold.amount_fen)
    return Fen(sum(hold.amount_fen for hold in bid_holds))


async def use_up(tx: Tx, registration_id: UUID, document: str) -> None:
    """The price is paid in full: the deposit has become part of it (R-CLOSE-03)."""
    deposit, _, holds = await _locked(tx, registration_id)
    for hold in holds:
        if hold.stage is Stage.PRICE and hold.outcome is not Outcome.APPLIED:
            await _end(tx, deposit, hold, Outcome.APPLIED, document)


async def forfeit(tx: Tx, registration_id: UUID, lot_account: UUID, pending: UUID, document: str) -> Fen:
    """The buyer defaulted: the announced deposit is lost to the pending account, a prepaid rest goes back.

    Returns what is forfeited, in fen (R-CLOSE-08, R-SELL-06). Refuses when the price was paid in full.
    """
    deposit, account, holds = await _locked(tx, registration_id)
    forfeited_fen, released_fen = 0, 0
    for hold in holds:
        if hold.stage is Stage.BID:
            continue
        if hold.part is Part.DEPOSIT:
            await _end(tx, deposit, hold, Outcome.FORFEITED, document)
            await _move(tx, deposit, hold, ("deposits.forfeited", document), (lot_account, pending))
            forfeited_fen += hold.amount_fen
        else:
            await _end(tx, deposit, hold, Outcome.RELEASED, document)
            await _move(tx, deposit, hold, ("deposits.released", document), (lot_account, deposit.account_id))
            released_fen += hold.amount_fen
    if released_fen:
        await bank.refund_above(tx, account, forfeited_fen, "deposits.released", document)
    return Fen(forfeited_fen)


async def give_back(tx: Tx, registration_id: UUID, lot_account: UUID, document: str) -> None:
    """The sale was annulled: what the deposit paid of the price goes back to who paid it (R-HALT-04).

    A hold that still lasts ends released; one that the full price has ended stays as it ended, its money goes back.
    """
    deposit, account, holds = await _locked(tx, registration_id)
    for hold in holds:
        if hold.stage is not Stage.PRICE:
            continue
        if hold.outcome is None:
            await _end(tx, deposit, hold, Outcome.RELEASED, document)
        await _move(tx, deposit, hold, ("deposits.returned", document), (lot_account, deposit.account_id))
    await bank.refund_above(tx, account, 0, "deposits.returned", document)


async def show_own(database: Database, actor: Actor, lot_id: UUID) -> OwnDeposit:
    """The bidder's own deposit; refuses `not-found` without a registration."""
    async with database.reading(actor) as tx:
        registration = await bidding.find_own_registration(tx, lot_id, actor.person)
        own = await find_own(tx, registration) if registration else None
        if own is None:
            raise NotFound(what="deposit")
        return own


async def find_own(tx: Tx, registration: bidding.RegistrationFacts) -> OwnDeposit | None:
    """The deposit of a registration, which the caller knows to be the reader's own; None before it is opened."""
    deposit = await store.find_deposit(tx, registration.id)
    if deposit is None:
        return None
    account = await ledger.get_account(tx, deposit.account_id)
    assert account.number is not None
    holds = (await store.holds_of(tx, [registration.id]))[registration.id]
    refunds = await bank.orders_from(tx, account.id)
    held_fen = sum(hold.amount_fen for hold in holds if hold.stage is Stage.BID)
    paid_in_fen = held_fen or ledger.stored_balance(account)
    return OwnDeposit(
        lot_id=registration.lot_id,
        account_no=account.number,
        due_fen=deposit.due_fen,
        received_fen=await bank.credited_fen(tx, account.id),
        set_aside_fen=await bank.aside_fen(tx, account.id),
        missing_fen=max(0, deposit.due_fen - paid_in_fen),
        state=state_of(deposit.due_fen, holds, over=not await takes_deposits(tx, registration.lot_id)),
        refunds=tuple(RefundView(order.amount_fen, order.state, order.ordered_at) for order in refunds),
    )


async def show_lot(database: Database, actor: Actor, lot_id: UUID) -> LotDeposits:
    """A lot's deposits for its court: amounts and states, before the close without codes, never with payers."""
    async with database.reading(actor) as tx:
        actor.must_serve((await auction.get_lot(tx, lot_id)).court_id, "lot")
        over = not await takes_deposits(tx, lot_id)
        deposits = await store.list_deposits(tx, lot_id)
        holds = await store.holds_of(tx, [deposit.registration_id for deposit in deposits])
        codes = {found.id: found.code for found in await bidding.list_registrations(tx, lot_id)} if over else {}
        lines = [
            await _line(tx, deposit, holds[deposit.registration_id], over, codes.get(deposit.registration_id))
            for deposit in deposits
        ]
        lines.sort(key=lambda line: (line.code or "", line.state, line.due_fen, line.received_fen))
        held = sum(line.due_fen for line in lines if line.state == State.HELD)
        return LotDeposits(lot_id, tuple(lines), held)


async def _line(tx: Tx, deposit: Deposit, holds: list[HoldFacts], over: bool, code: str | None) -> DepositLine:
    refunds = await bank.orders_from(tx, deposit.account_id)
    return DepositLine(
        due_fen=deposit.due_fen,
        received_fen=await bank.credited_fen(tx, deposit.account_id),
        refunded_fen=sum(order.amount_fen for order in refunds if order.state != "rejected"),
        state=state_of(deposit.due_fen, holds, over=over),
        code=code,
    )


async def _locked(tx: Tx, registration_id: UUID) -> tuple[Deposit, Account, list[HoldFacts]]:
    """The deposit with its holds, read after its account was locked."""
    deposit = await store.get_deposit(tx, registration_id)
    account = (await ledger.lock(tx, [deposit.account_id]))[deposit.account_id]
    return deposit, account, (await store.holds_of(tx, [registration_id]))[registration_id]


async def account_of(tx: Tx, registration_id: UUID) -> Account:
    """The account of a registration's deposit; refuses `not-found`."""
    return await ledger.get_account(tx, (await store.get_deposit(tx, registration_id)).account_id)


async def takes_deposits(tx: Tx, lot_id: UUID) -> bool:
    """Whether bidding on the lot still takes deposits: it has not ended."""
    return (await bidding.get_result(tx, lot_id)).status in TAKING


async def _admit(tx: Tx, registration_id: UUID) -> bool:
    """Admit the bidder; False when bidding has ended meanwhile, so that the money goes back."""
    try:
        await bidding.admit(tx, registration_id)
    except Refusal as refusal:
        if refusal.code != "registration-closed":
            raise
        return False
    return True


async def _hold(tx: Tx, deposit: Deposit) -> list[HoldFacts]:
    parts = parts_of(deposit.due_fen, deposit.announced_fen)
    return [await _add_hold(tx, deposit, Stage.BID, part, amount_fen) for part, amount_fen in parts.items()]


async def _add_hold(tx: Tx, deposit: Deposit, stage: Stage, part: Part, amount_fen: Fen) -> HoldFacts:
    hold = Hold(
        id=ordered_id(),
        registration_id=deposit.registration_id,
        stage=stage,
        part=part,
        amount_fen=amount_fen,
        held_at=tx.now(),
    )
    await store.add_hold(tx, hold)
    facts = {"hold": str(hold.id), "stage": stage, "part": part, "amount_fen": amount_fen}
    await record(tx, "deposits.hold", f"registration:{deposit.registration_id}", facts, case_id=deposit.case_id)
    return HoldFacts(hold.id, stage, part, amount_fen, None)


async def _end(tx: Tx, deposit: Deposit, hold: HoldFacts, outcome: Outcome, document: str) -> None:
    end: dict[str, object] = {
        "hold_id": hold.id,
        "outcome": str(outcome),
        "document": document,
        "ended_at": tx.now(),
    }
    if not await store.add_end(tx, end):
        raise HoldEnded(outcome=(await store.get_end(tx, hold.id)).outcome)
    facts = {"hold": str(hold.id), "stage": hold.stage, "part": hold.part, "amount_fen": hold.amount_fen}
    subject = f"registration:{deposit.registration_id}"
    await record(tx, f"deposits.{outcome}", subject, facts, case_id=deposit.case_id, reason=document)


async def _move(tx: Tx, deposit: Deposit, hold: HoldFacts, why: tuple[str, str], way: tuple[UUID, UUID]) -> None:
    transfer = Transfer(*way, hold.amount_fen)
    await ledger.post(tx, Posting(f"{why[0]}:{hold.id}", *why, (transfer,), deposit.case_id, deposit.lot_id))
