"""The review of a finished lot: bidders who were paid for from one account or signed in from one address.

It reports and does nothing else: the platform keeps nobody out for it and may not watch bidders while they bid
(R-GEN-07). What is in common is put together only after the end, by a judge, with a reason on record.
"""

from uuid import UUID

from auction import api as auction
from bidding import api as bidding
from kernel.actors import Role
from kernel.audit import record
from kernel.database import Call, Database
from settlement.bank import service as bank
from settlement.deposits import rules, store
from settlement.deposits.schemas import Review, ReviewLot


async def review_lot(database: Database, call: Call, lot_id: UUID, wanted: ReviewLot) -> Review:
    """Report what bidders of a finished lot have in common; `identity-sealed` before its end."""
    async with database.command(call) as tx:
        tx.actor.must_be(Role.JUDGE)
        lot = await auction.get_lot(tx, lot_id)
        tx.actor.must_serve(lot.court_id, "lot")
        addresses = await bidding.addresses_by_code(tx, lot_id, wanted.reason)
        deposits = {deposit.registration_id: deposit.account_id for deposit in await store.list_deposits(tx, lot_id)}
        payers = await bank.payer_accounts(tx, deposits.values())
        paid = {
            facts.code: payers[deposits[facts.id]]
            for facts in await bidding.list_registrations(tx, lot_id)
            if facts.id in deposits
        }
        review = Review(lot_id, rules.in_common(paid), rules.in_common(addresses))
        found = {"same_payer": len(review.same_payer), "same_address": len(review.same_address)}
        await record(tx, "deposits.review", f"lot:{lot_id}", found, case_id=lot.case_id, reason=wanted.reason)
        return tx.answer(review)
