"""Proof of deposits: money behind every hold, every hold ended once, none of a loser kept over a day (22, 23)."""

from datetime import timedelta

from bidding import api as bidding
from kernel.database import Tx
from settlement.deposits import store
from settlement.deposits.models import Deposit
from settlement.deposits.rules import HoldFacts, Outcome, Stage
from settlement.ledger import service as ledger

RETURN_WITHIN = timedelta(hours=24)
"""R-CLOSE-02."""


async def faults(tx: Tx) -> list[str]:
    """What does not hold of deposits: money behind every hold, and no losing deposit held 24 hours after the close."""
    found = []
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
    return found


def _applied(hold: HoldFacts) -> bool:
    return hold.outcome is Outcome.APPLIED


async def _overdue(tx: Tx, deposit: Deposit) -> bool:
    ended_at = (await bidding.get_result(tx, deposit.lot_id)).ended_at
    return ended_at is not None and tx.now() > ended_at + RETURN_WITHIN
