"""All SQL of the figures: sums over the ledger, none of a person."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from kernel.database import Tx
from settlement.statements.rules import Arrived, Flow

QUARTER = "to_char({at} AT TIME ZONE 'Asia/Shanghai', 'YYYY-\"Q\"Q')"

FLOWS = text(
    f"""
    SELECT a.case_id, {QUARTER.format(at="e.at")} AS quarter,
           count(*) FILTER (WHERE t.to_account = a.id AND o.kind <> 'payee') AS received_items,
           coalesce(sum(t.amount_fen) FILTER (WHERE t.to_account = a.id AND o.kind <> 'payee'), 0)::bigint
               AS received_fen,
           count(*) FILTER (WHERE t.from_account = a.id)
               - count(*) FILTER (WHERE t.to_account = a.id AND o.kind = 'payee') AS paid_items,
           coalesce(sum(CASE WHEN t.from_account = a.id THEN t.amount_fen
                             WHEN o.kind = 'payee' THEN -t.amount_fen END), 0)::bigint AS paid_fen
    FROM settlement.account a
    JOIN settlement.transfer t ON a.id IN (t.from_account, t.to_account)
    JOIN settlement.account o ON o.id = CASE WHEN t.from_account = a.id THEN t.to_account ELSE t.from_account END
    JOIN settlement.entry e ON e.id = t.entry_id
    WHERE a.kind = 'case' AND o.kind NOT IN ('escrow', 'deferred') AND e.at >= :since AND e.at < :until
    GROUP BY a.case_id, quarter
    """  # noqa: S608 - our own text
)
"""What is put in escrow or deferred stays case money: neither paid out, nor received again when it comes back."""

ARRIVED = text(
    f"""
    SELECT a.case_id, {QUARTER.format(at="c.received_at")} AS quarter, sum(c.amount_fen)::bigint AS all_fen,
           coalesce(sum(c.amount_fen) FILTER (WHERE m.credit_id IS NULL), 0)::bigint AS on_number_fen
    FROM settlement.credit c
    LEFT JOIN settlement.credit_claim m ON m.credit_id = c.id
    JOIN settlement.account a ON a.id = coalesce(m.account_id, c.account_id)
    WHERE a.case_id IS NOT NULL AND c.received_at >= :since AND c.received_at < :until
    GROUP BY a.case_id, quarter
    """  # noqa: S608 - our own text
)
HELD = text(
    """
    WITH held AS (
        SELECT case_id, sum(balance_fen)::bigint AS held_fen FROM settlement.account
        WHERE kind IN ('case', 'escrow', 'deferred') GROUP BY case_id HAVING sum(balance_fen) > 0
    )
    SELECT a.case_id, h.held_fen,
           greatest(0, coalesce(sum(t.amount_fen) FILTER (WHERE e.at < :before), 0)
                       - (sum(t.amount_fen) - h.held_fen))::bigint AS old_fen
    FROM held h
    JOIN settlement.account a ON a.case_id = h.case_id AND a.kind = 'case'
    JOIN settlement.transfer t ON t.to_account = a.id
    JOIN settlement.account o ON o.id = t.from_account AND o.kind NOT IN ('payee', 'escrow', 'deferred')
    JOIN settlement.entry e ON e.id = t.entry_id
    GROUP BY a.case_id, h.held_fen
    """
)
"""Money is taken to leave in order of arrival; what came back from a bank, escrow or deferral is as old as before."""


async def flows(tx: Tx, since: datetime, until: datetime) -> list[Flow]:
    rows = await tx.session.execute(FLOWS, {"since": since, "until": until})
    return [
        Flow(row.case_id, row.quarter, row.received_items, row.received_fen, row.paid_items, row.paid_fen)
        for row in rows
    ]


async def arrived(tx: Tx, since: datetime, until: datetime) -> list[Arrived]:
    rows = await tx.session.execute(ARRIVED, {"since": since, "until": until})
    return [Arrived(row.case_id, row.quarter, row.all_fen, row.on_number_fen) for row in rows]


async def held(tx: Tx, before: datetime) -> list[tuple[UUID, int, int]]:
    """Case, what its account holds, escrow and deferred money with it, and what of that arrived before then; fen."""
    rows = await tx.session.execute(HELD, {"before": before})
    return [(row.case_id, row.held_fen, row.old_fen) for row in rows]
