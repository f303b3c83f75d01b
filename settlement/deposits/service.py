"""Use cases of deposits: open, weigh what arrived, admit, release, apply, forfeit.

A deposit HELD and its bidder's eligibility are one commit (R-BID-06). Locking: the lot and the registration
(`bidding.api`), then the deposit's account, then whatever the ledger moves.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

from auction import api as auction
from bidding import api as bidding
from kernel.actors import Actor
from kernel.audit import record
from kernel.contracts import RegistrationMade
from kernel.database import Database, Tx
from kernel.errors import NotFound
from kernel.money import Fen
from kernel.outbox import tell_all
from settlement.bank import service as bank
from settlement.deposits import holds, store
from settlement.deposits.holds import Begin, End, Way
from settlement.deposits.models import Deposit
from settlement.deposits.rules import HoldFacts, Outcome, Part, Stage, State, parts_of, state_of, to_keep
from settlement.deposits.schemas import DepositLine, DepositsToRelease, LotDeposits, OwnDeposit, RefundView
from settlement.deposits.store import DepositFacts
from settlement.ledger import service as ledger
from settlement.ledger.models import Account
from settlement.ledger.rules import Kind

THIRD_PARTY = "付款人不是竞买人本人"
"""Why a deposit paid by a third party waits; the queue tells neither lot nor bidder."""

RELEASED_AT_ONCE = 2_000
"""Deposits released in one transaction, of two hundred lots or of one: locks are held for a moment only."""


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
    held = (await holds.locked(tx, [registration_id]))[registration_id]
    deposit, found = held.deposit, held.holds
    if taking and not found and held.balance_fen >= deposit.due_fen > 0:
        taking = await _admit(tx, registration_id)
        found = await _hold(tx, deposit) if taking else found
    keep_fen = to_keep(deposit.due_fen, found, may_wait=taking)
    if keep_fen is not None:
        await holds.give_back(tx, [(held, keep_fen, f"registration:{registration_id}")], "deposits.surplus")


async def _set_aside_foreign(tx: Tx, registration_id: UUID) -> None:
    deposit = await store.get_deposit(tx, registration_id)
    payers = await bank.payers_of(tx, deposit.account_id)
    foreign = [credit_id for credit_id, name in payers.items() if not await bidding.is_payer(tx, registration_id, name)]
    if foreign and not (await store.holds_of(tx, [registration_id]))[registration_id]:
        await bank.set_aside(tx, await ledger.get_account(tx, deposit.account_id), foreign, THIRD_PARTY)


async def release(tx: Tx, documents: Mapping[UUID, str]) -> None:
    """Give deposits back, complete or not, each under its paper (R-CLOSE-02). Releasing twice changes nothing.

    `documents` are by registration. Refuses the leader, the buyer, and a hold that ended otherwise.
    """
    if not documents:
        return
    await bidding.release(tx, documents.keys())
    found = await holds.locked(tx, documents.keys())
    ends = [
        End(held.deposit, hold, documents[registration_id])
        for registration_id, held in found.items()
        for hold in held.holds
        if hold.outcome is not Outcome.RELEASED
    ]
    await holds.end(tx, ends, Outcome.RELEASED)
    back = [(held, 0, documents[registration_id]) for registration_id, held in found.items()]
    await holds.give_back(tx, back, "deposits.released")


async def release_next(tx: Tx, works: Sequence[DepositsToRelease]) -> None:
    """Release the next deposits of ended lots, all but the winners', and order the rest as further work."""
    most = max(1, RELEASED_AT_ONCE // len(works))
    found = await store.next_deposits(tx, [(work.lot_id, work.after) for work in works], most)
    losers = {
        registration_id: f"lot:{work.lot_id}"
        for work, ids in zip(works, found, strict=True)
        for registration_id in ids
        if registration_id != work.winner
    }
    await release(tx, losers)
    rest = [
        DepositsToRelease(lot_id=work.lot_id, winner=work.winner, after=ids[-1])
        for work, ids in zip(works, found, strict=True)
        if len(ids) == most
    ]
    await tell_all(tx, rest)


async def apply(tx: Tx, winners: Mapping[UUID, tuple[UUID, str]]) -> dict[UUID, Fen]:
    """Move winners' deposits to the accounts of their lots, where they are held for the price (R-CLOSE-03).

    `winners` are by registration: the lot's account and the paper. Returns the amounts, in fen. Applying twice changes
    nothing; one that was released is refused.
    """
    await bidding.lock_registrations(tx, winners.keys())
    found = await holds.locked(tx, winners.keys())
    ends = {
        registration_id: [
            End(held.deposit, hold, winners[registration_id][1])
            for hold in held.of(Stage.BID)
            if hold.outcome is not Outcome.APPLIED
        ]
        for registration_id, held in found.items()
    }
    every = [each for some in ends.values() for each in some]
    await holds.end(tx, every, Outcome.APPLIED)
    ways = [
        Way(each, each.deposit.account_id, winners[registration_id][0])
        for registration_id, some in ends.items()
        for each in some
    ]
    await holds.move(tx, "deposits.applied", ways)
    await holds.begin(tx, [Begin(each.deposit, Stage.PRICE, each.hold.part, each.hold.amount_fen) for each in every])
    return {
        registration_id: Fen(sum(hold.amount_fen for hold in held.of(Stage.BID)))
        for registration_id, held in found.items()
    }


async def use_up(tx: Tx, registration_id: UUID, document: str) -> None:
    """The price is paid in full: the deposit has become part of it (R-CLOSE-03)."""
    held = (await holds.locked(tx, [registration_id]))[registration_id]
    lasting = [hold for hold in held.of(Stage.PRICE) if hold.outcome is not Outcome.APPLIED]
    await holds.end(tx, [End(held.deposit, hold, document) for hold in lasting], Outcome.APPLIED)


async def forfeit(tx: Tx, registration_id: UUID, lot_account: UUID, pending: UUID, document: str) -> Fen:
    """The buyer defaulted: the announced deposit is lost to the pending account, a prepaid rest goes back.

    Returns what is forfeited, in fen (R-CLOSE-08, R-SELL-06). Refuses when the price was paid in full.
    """
    held = (await holds.locked(tx, [registration_id]))[registration_id]
    ends = [End(held.deposit, hold, document) for hold in held.of(Stage.PRICE)]
    lost = [each for each in ends if each.hold.part is Part.DEPOSIT]
    rest = [each for each in ends if each.hold.part is Part.REST]
    forfeited_fen = Fen(sum(each.hold.amount_fen for each in lost))
    await holds.end(tx, lost, Outcome.FORFEITED)
    await holds.move(tx, "deposits.forfeited", [Way(each, lot_account, pending) for each in lost])
    await holds.end(tx, rest, Outcome.RELEASED)
    await holds.move(tx, "deposits.released", [Way(each, lot_account, held.deposit.account_id) for each in rest])
    if rest:
        await holds.give_back(tx, [(held, forfeited_fen, document)], "deposits.released")
    return forfeited_fen


async def give_back(tx: Tx, registration_id: UUID, lot_account: UUID, document: str) -> None:
    """The sale was annulled: what the deposit paid of the price goes back to who paid it (R-HALT-04).

    A hold that still lasts ends released; one that the full price has ended stays as it ended, its money goes back.
    """
    held = (await holds.locked(tx, [registration_id]))[registration_id]
    back = [End(held.deposit, hold, document) for hold in held.of(Stage.PRICE)]
    await holds.end(tx, [each for each in back if each.hold.outcome is None], Outcome.RELEASED)
    await holds.move(tx, "deposits.returned", [Way(each, lot_account, held.deposit.account_id) for each in back])
    await holds.give_back(tx, [(held, 0, document)], "deposits.returned")


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
    bound = (await store.holds_of(tx, [registration.id]))[registration.id]
    refunds = await bank.orders_from(tx, account.id)
    held_fen = sum(hold.amount_fen for hold in bound if hold.stage is Stage.BID)
    paid_in_fen = held_fen or ledger.stored_balance(account)
    return OwnDeposit(
        lot_id=registration.lot_id,
        account_no=account.number,
        due_fen=deposit.due_fen,
        received_fen=await bank.credited_fen(tx, account.id),
        set_aside_fen=await bank.aside_fen(tx, account.id),
        missing_fen=max(0, deposit.due_fen - paid_in_fen),
        state=state_of(deposit.due_fen, bound, over=not await takes_deposits(tx, registration.lot_id)),
        refunds=tuple(RefundView(order.amount_fen, order.state, order.ordered_at) for order in refunds),
    )


async def show_lot(database: Database, actor: Actor, lot_id: UUID) -> LotDeposits:
    """A lot's deposits for its court: amounts and states, before the close without codes, never with payers."""
    async with database.reading(actor) as tx:
        actor.must_serve((await auction.get_lot(tx, lot_id)).court_id, "lot")
        over = not await takes_deposits(tx, lot_id)
        deposits = await store.list_deposits(tx, lot_id)
        bound = await store.holds_of(tx, [deposit.registration_id for deposit in deposits])
        codes = {found.id: found.code for found in await bidding.list_registrations(tx, lot_id)} if over else {}
        lines = [
            await _line(tx, deposit, bound[deposit.registration_id], over, codes.get(deposit.registration_id))
            for deposit in deposits
        ]
        lines.sort(key=lambda line: (line.code or "", line.state, line.due_fen, line.received_fen))
        held = sum(line.due_fen for line in lines if line.state == State.HELD)
        return LotDeposits(lot_id, tuple(lines), held)


async def _line(tx: Tx, deposit: Deposit, bound: list[HoldFacts], over: bool, code: str | None) -> DepositLine:
    refunds = await bank.orders_from(tx, deposit.account_id)
    return DepositLine(
        due_fen=deposit.due_fen,
        received_fen=await bank.credited_fen(tx, deposit.account_id),
        refunded_fen=sum(order.amount_fen for order in refunds if order.state != "rejected"),
        state=state_of(deposit.due_fen, bound, over=over),
        code=code,
    )


async def account_of(tx: Tx, registration_id: UUID) -> Account:
    """The account of a registration's deposit; refuses `not-found`."""
    return await ledger.get_account(tx, (await store.get_deposit(tx, registration_id)).account_id)


async def takes_deposits(tx: Tx, lot_id: UUID) -> bool:
    """Whether bidding on the lot still takes deposits: it has not ended (R-BID-06)."""
    return not (await bidding.get_result(tx, lot_id)).over


async def _admit(tx: Tx, registration_id: UUID) -> bool:
    """Admit the bidder; False when bidding has ended meanwhile, so that the money goes back."""
    try:
        await bidding.admit(tx, registration_id)
    except bidding.RegistrationClosed:
        return False
    return True


async def _hold(tx: Tx, deposit: DepositFacts) -> list[HoldFacts]:
    parts = parts_of(deposit.due_fen, deposit.announced_fen)
    return await holds.begin(tx, [Begin(deposit, Stage.BID, part, amount_fen) for part, amount_fen in parts.items()])
