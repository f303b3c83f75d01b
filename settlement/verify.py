"""Proof of settlement: the books, deposits, sales, plans and payouts, each rebuilt from its own rows.

What no slice proves alone stands here: prices and buyers against the desk's results (invariant 24), the use of a
forfeited deposit against the prices of both sales (27).
"""

from collections.abc import Mapping, Sequence

from appraisal import api as appraisal
from bidding import api as bidding
from kernel.database import Tx, count_rows
from kernel.errors import Refusal
from settlement.bank import verify as bank
from settlement.bank_files import verify as bank_files
from settlement.closing import verify as closing
from settlement.completion import case_money
from settlement.completion import store as sales
from settlement.completion import verify as completion_verify
from settlement.completion.models import Sale
from settlement.completion.rules import STEPS, SaleState
from settlement.deposits import verify as deposits
from settlement.distribution import verify as distribution
from settlement.distribution.models import Plan
from settlement.ledger import service as books
from settlement.ledger import verify as ledger
from settlement.ledger.models import Entry
from settlement.ledger.rules import Posting
from settlement.papers import verify as papers
from settlement.payouts import verify as payouts


async def counted(tx: Tx) -> dict[str, int]:
    """How much `faults` looks at."""
    return await count_rows(tx, {"ledger entries": Entry, "plans": Plan})


async def faults(tx: Tx) -> list[str]:
    """One sentence for each thing that does not verify; empty when all is well."""
    return [
        *await ledger.faults(tx),
        *await bank.faults(tx),
        *await bank_files.faults(tx),
        *await closing.faults(tx),
        *await deposits.faults(tx),
        *await completion_verify.faults(tx),
        *await _broken_sales(tx),
        *await distribution.faults(tx),
        *await payouts.faults(tx),
        *await papers.faults(tx),
    ]


async def _broken_sales(tx: Tx) -> list[str]:
    postings = await books.postings(tx)
    found = []
    for sale in await sales.all_sales(tx):
        broken = await _broken_result(tx, sale)
        if sale.defaulted_at is not None:
            broken += [*await _broken_order(tx, sale), *await _broken_use(tx, sale, postings)]
        found += [f"sale of lot {sale.lot_id} {fault}" for fault in broken]
    return found


async def _broken_result(tx: Tx, sale: Sale) -> list[str]:
    """The price and the buyer are those of the hammer (invariant 24)."""
    result = await bidding.get_result(tx, sale.lot_id)
    if result.status != "sold":
        return []
    hammer = (result.price_fen, result.registration_id, result.code)
    same = hammer == (sale.price_fen, sale.registration_id, sale.code)
    return [] if same else ["has another price or buyer than the hammer fell for"]


async def _broken_order(tx: Tx, sale: Sale) -> list[str]:
    """A deposit is forfeited, and a resale ordered, by the court alone (R-CLOSE-08, 09)."""
    assert sale.default_decision_id is not None
    try:
        await appraisal.get_decision(
            tx, sale.default_decision_id, case_id=sale.case_id, subject=appraisal.Subject.DEFAULT
        )
    except Refusal:
        return ["is in default without a decision of the court"]
    return []


async def _broken_use(tx: Tx, sale: Sale, postings: Mapping[str, Posting]) -> list[str]:
    """Each step is what the ledger moved, and none takes more than prices and costs make due (invariant 27)."""
    found = []
    uses = await sales.uses_of(tx, sale.lot_id)
    for use in uses:
        for step in STEPS:
            name = step.removesuffix("_fen").replace("_", "-")
            posting = postings.get(f"default-use:{sale.lot_id}:{use.number}:{name}")
            moved = sum(transfer.amount_fen for transfer in posting.transfers) if posting else 0
            if moved != getattr(use, step):
                found.append(f"says {getattr(use, step)} fen of its deposit went {name}, the ledger {moved}")
    resale = await _standing_resale(tx, sale) if uses else None
    if resale is not None:
        used = {step: sum(getattr(use, step) for use in uses) for step in STEPS}
        found += await _broken_shortfall(tx, sale, resale, used)
    return found


async def _standing_resale(tx: Tx, sale: Sale) -> Sale | None:
    """The sale that the forfeited deposit answers to: of resales that were annulled, the one in their place."""
    resale = await sales.find_sale(tx, sale.resale_lot_id) if sale.resale_lot_id else None
    while resale is not None and resale.state == SaleState.ANNULLED and resale.resale_lot_id:
        resale = await sales.find_sale(tx, resale.resale_lot_id)
    return resale


async def _broken_shortfall(tx: Tx, sale: Sale, resale: Sale, used: Mapping[str, int]) -> list[str]:
    """The deposit covers the wasted costs, then the fall of the price, and stops there: no more is ever charged."""
    wasted = _wasted(await case_money.list_costs(tx, sale.case_id), sale)
    fall = max(0, sale.price_fen - resale.price_fen)
    left = (sale.forfeited_fen or 0) - used["to_costs_fen"]
    named = sum(debt.amount_fen for debt in await sales.related_debts_of(tx, sale.lot_id))
    found = []
    if used["to_related_debt_fen"] > named:
        found.append("used its deposit for connected debts that the panel did not name")
    if used["to_costs_fen"] > wasted:
        found.append("used its deposit for costs that it did not cause")
    if used["to_shortfall_fen"] > fall:
        found.append("used its deposit for a shortfall beyond the fall of the price")
    if used["to_shortfall_fen"] < min(fall, left):
        found.append("left a shortfall open that its deposit covers")
    return found


def _wasted(costs: Sequence[case_money.CaseCost], sale: Sale) -> int:
    """Costs registered on the defaulted lot itself, fen."""
    return sum(cost.amount_fen for cost in costs if cost.lot_id == sale.lot_id)
