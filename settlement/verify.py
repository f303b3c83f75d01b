"""Proof of settlement: the books, deposits, sales, plans and payouts, each rebuilt from its own rows."""

from kernel.database import Tx
from settlement.bank_files import verify as bank_files
from settlement.closing import verify as closing
from settlement.completion import verify as completion
from settlement.deposits import verify as deposits
from settlement.distribution import verify as distribution
from settlement.ledger import verify as ledger
from settlement.papers import verify as papers
from settlement.payouts import verify as payouts


async def faults(tx: Tx) -> list[str]:
    """One sentence for each thing that does not verify; empty when all is well."""
    return [
        *await ledger.faults(tx),
        *await bank_files.faults(tx),
        *await closing.faults(tx),
        *await deposits.faults(tx),
        *await completion.faults(tx),
        *await distribution.faults(tx),
        *await payouts.faults(tx),
        *await papers.faults(tx),
    ]
