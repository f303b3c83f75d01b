"""Proof of closings: credits and answers are what the ledger's bank account moved, and differences add up."""

from datetime import date

from kernel.database import Tx
from kernel.decoding import LAST_YEAR
from settlement.closing import store
from settlement.closing.service import end_of
from settlement.ledger import service as ledger


async def faults(tx: Tx) -> list[str]:
    """Everything in closings that does not verify, one sentence each; empty when all is well."""
    found = []
    outside = await ledger.outside_fen(tx)
    booked = await store.booked_fen(tx, [], end_of(date(LAST_YEAR, 12, 30)))
    if outside != -booked:
        found.append(f"credits and answers of the bank come to {booked} fen, the ledger's bank account to {-outside}")
    for closing in await store.all_closings(tx):
        named = sum(each.amount_fen for each in await store.differences_of(tx, closing))
        if closing.bank_fen - closing.books_fen != named:
            found.append(f"the closing of {closing.day}: its differences do not add up to the difference")
    return found
