"""Proof of deposits: money behind every hold, every hold ended once, none of a loser kept over a day (22, 23).

Per lot: what was held is what was released, applied, forfeited or is held still, each as the ledger moved it.
"""

from collections.abc import Mapping
from datetime import timedelta

from bidding import api as bidding
from kernel.database import Tx
from settlement.bank import service as bank
from settlement.deposits import store
from settlement.deposits.models import Deposit
from settlement.deposits.rules import HoldFacts, Outcome, Part, Stage, parts_of, released_fen
from settlement.ledger import service as ledger
from settlement.ledger.rules import Posting

RETURN_WITHIN = timedelta(hours=24)
"""R-CLOSE-02."""


async def faults(tx: Tx) -> list[str]:
    """What does not hold of deposits: money behind every hold, and no losing deposit held 24 hours after the close."""
    found = []
    books = await ledger.postings(tx)
    for deposit in await store.all_deposits(tx):
        holds = (await store.holds_of(tx, [deposit.registration_id]))[deposit.registration_id]
        bound = sum(hold.amount_fen for hold in holds if hold.stage is Stage.BID and hold.outcome is None)
        if bound > ledger.stored_balance(await ledger.get_account(tx, deposit.account_id)):
            found.append(f"deposit of registration {deposit.registration_id}: held, but the money is not there")
        priced = {hold.part: hold.amount_fen for hold in holds if hold.stage is Stage.PRICE}
        applied = {hold.part: hold.amount_fen for hold in holds if hold.stage is Stage.BID and _applied(hold)}
        if priced != applied:
            found.append(f"deposit of registration {deposit.registration_id}: applied and held for the price differ")
        if bound and await _overdue(tx, deposit):
            found.append(f"deposit of registration {deposit.registration_id}: held over 24 hours after the close")
        broken = [
            *_broken_parts(deposit, holds),
            *_broken_ends(books, deposit, holds),
            *await _kept_back(tx, deposit, holds),
        ]
        found += [f"deposit of registration {deposit.registration_id}: {fault}" for fault in broken]
    return found


def _broken_parts(deposit: Deposit, holds: list[HoldFacts]) -> list[str]:
    """A deposit is held whole, split as the law loses it, or not at all (R-BID-05, R-SELL-06)."""
    held = {hold.part: hold.amount_fen for hold in holds if hold.stage is Stage.BID}
    whole = parts_of(deposit.due_fen, deposit.announced_fen)
    return [] if held in ({}, whole) else ["other than what was due is held"]


MOVES = {
    (Stage.BID, Outcome.APPLIED): "deposits.applied",
    (Stage.PRICE, Outcome.FORFEITED): "deposits.forfeited",
    (Stage.PRICE, Outcome.RELEASED): "deposits.released",
}
"""Ends of holds that move money, by the entry that does."""

RETURNED = "deposits.returned"
"""The entry that gives an annulled sale's deposit back in place of the usual one (R-HALT-04)."""

ENDS = {*MOVES, (Stage.BID, Outcome.RELEASED), (Stage.PRICE, Outcome.APPLIED)}


def _broken_ends(books: Mapping[str, Posting], deposit: Deposit, holds: list[HoldFacts]) -> list[str]:
    """Each hold ended in one way that its stage allows, and the ledger moved just its money by just that way."""
    found = []
    for hold in holds:
        if hold.outcome is not None and (hold.stage, hold.outcome) not in ENDS:
            found.append(f"a hold for the {hold.stage} cannot be {hold.outcome}")
        if hold.outcome is Outcome.FORFEITED and hold.part is not Part.DEPOSIT:
            found.append("more than the announced deposit is forfeited")
        wanted = MOVES.get((hold.stage, hold.outcome)) if hold.outcome else None
        if wanted == "deposits.released" and f"{RETURNED}:{hold.id}" in books:
            wanted = RETURNED
        expected = dict.fromkeys(MOVES.values(), 0) | ({wanted: hold.amount_fen} if wanted else {})
        for reason, fen in expected.items():
            moved = _moved(books.get(f"{reason}:{hold.id}"))
            if moved != fen:
                found.append(f"a hold of {hold.amount_fen} fen is {hold.outcome}, {reason} moved {moved} fen")
    return found


def _moved(posting: Posting | None) -> int:
    return sum(transfer.amount_fen for transfer in posting.transfers) if posting else 0


async def _kept_back(tx: Tx, deposit: Deposit, holds: list[HoldFacts]) -> list[str]:
    """What was released was ordered back."""
    ordered = sum(order.amount_fen for order in await bank.orders_from(tx, deposit.account_id))
    return ["released, but not ordered back"] if ordered < released_fen(holds) else []


def _applied(hold: HoldFacts) -> bool:
    return hold.outcome is Outcome.APPLIED


async def _overdue(tx: Tx, deposit: Deposit) -> bool:
    ended_at = (await bidding.get_result(tx, deposit.lot_id)).ended_at
    return ended_at is not None and tx.now() > ended_at + RETURN_WITHIN
