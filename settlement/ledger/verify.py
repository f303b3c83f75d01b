"""Proof of the books: balances are the sums of their transfers, and every entry is what the audit trail says (20, 21).

Entries, transfers and accounts are read back from their columns; a changed, missing or added row shows.
"""

import msgspec

from kernel.database import Tx
from settlement.ledger import store
from settlement.ledger.rules import entry_digest
from settlement.ledger.service import POSTED


async def faults(tx: Tx) -> list[str]:
    """Everything in the books that does not verify, one sentence each; empty when all is well."""
    return await _broken_balances(tx) + await _broken_entries(tx)


async def _broken_balances(tx: Tx) -> list[str]:
    by_transfers = await store.balances_by_transfers(tx)
    return [
        f"account {account.id} ({account.kind}) says {account.balance_fen} fen, its transfers {moved}"
        for account in await store.all_accounts(tx)
        if account.balance_fen is not None and account.balance_fen != (moved := by_transfers.get(account.id, 0))
    ]


async def _broken_entries(tx: Tx) -> list[str]:
    found = []
    audited = await store.audited_digests(tx, POSTED)
    transfers = await store.transfers_by_entry(tx)
    for entry in await store.all_entries(tx):
        rows = transfers.get(entry.id, [])
        positions = [row.position for row in rows]
        if not rows or entry_digest(entry.id, entry.at, store.posting_of(entry, rows)) != entry.digest:
            found.append(f"entry {entry.id} ({entry.reason}): its row or a transfer was changed, removed or added")
        elif positions != list(range(1, len(rows) + 1)):
            found.append(f"entry {entry.id} ({entry.reason}): its transfers are not numbered 1 to {len(rows)}")
        facts = audited.pop(f"entry:{entry.id}", None)
        if facts is None:
            found.append(f"entry {entry.id} ({entry.reason}) was added behind the audit trail's back")
        elif msgspec.json.decode(facts)["digest"] != entry.digest.hex():
            found.append(f"entry {entry.id} ({entry.reason}) is not what the audit trail says")
    return found + [f"{subject} stands in the audit trail but not in the ledger" for subject in audited]
