"""All SQL of the daily closing."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import func, insert, select, text
from sqlalchemy.dialects.postgresql import distinct_on

from kernel.database import Tx
from settlement.bank_files.models import BankFile
from settlement.closing.models import ClosingDifference, DailyClosing
from settlement.closing.rules import Day, Difference, Unequal

BOOKS = """
    WITH said AS (
        SELECT reference, sum(CASE WHEN credit THEN amount_fen ELSE -amount_fen END)::bigint AS fen
        FROM settlement.bank_movement WHERE file_id = ANY(:files) GROUP BY reference),
    booked AS (
        SELECT reference, sum(fen)::bigint AS fen FROM (
            SELECT bank_ref AS reference, amount_fen AS fen FROM settlement.credit WHERE booked_at < :until
            UNION ALL
            SELECT a.bank_ref, -o.amount_fen
            FROM settlement.payment_answer a JOIN settlement.payment_order o ON o.id = a.order_id
            WHERE a.outcome = 'executed'
              AND (a.answered_at < :until OR EXISTS (SELECT 1 FROM said s WHERE s.reference = a.bank_ref))
        ) each GROUP BY reference)
"""
"""What statements say, and what our books hold of the time they cover; an answer counts by its day in the statement."""

UNEQUAL = text(
    f"{BOOKS} SELECT reference, said.fen AS bank_fen, booked.fen AS books_fen"  # noqa: S608 - our own text
    " FROM said FULL JOIN booked USING (reference) WHERE said.fen IS DISTINCT FROM booked.fen ORDER BY reference"
)
TOTAL = text(f"{BOOKS} SELECT coalesce(sum(fen), 0)::bigint FROM booked")  # noqa: S608 - our own text


async def statements_until(tx: Tx, day: date) -> list[tuple[UUID, Day]]:
    """The last statement of each day up to and with `day`, in order."""
    rows = await tx.session.execute(
        select(BankFile.id, BankFile.day, BankFile.opening_fen, BankFile.closing_fen)
        .where(BankFile.day <= day)
        .ext(distinct_on(BankFile.day))
        .order_by(BankFile.day, BankFile.id.desc())
    )
    return [(row.id, Day(row.day, row.opening_fen, row.closing_fen)) for row in rows]


async def unequal(tx: Tx, files: Sequence[UUID], until: datetime) -> list[Unequal]:
    """References of which these statements and our books before `until` tell different gains."""
    rows = await tx.session.execute(UNEQUAL, {"files": list(files), "until": until})
    return [Unequal(row.reference, row.bank_fen, row.books_fen) for row in rows]


async def booked_fen(tx: Tx, files: Sequence[UUID], until: datetime) -> int:
    """What the bank holds of ours by our books before `until`, in fen."""
    return int(await tx.session.scalar(TOTAL, {"files": list(files), "until": until}) or 0)


async def add_closing(tx: Tx, closing: DailyClosing, found: Sequence[Difference]) -> None:
    tx.session.add(closing)
    await tx.session.flush()
    rows = [
        {
            "day": closing.day,
            "number": closing.number,
            "position": position,
            "cause": str(each.cause),
            "reference": each.reference,
            "amount_fen": each.amount_fen,
        }
        for position, each in enumerate(found, start=1)
    ]
    if rows:
        await tx.session.execute(insert(ClosingDifference), rows)


async def next_number(tx: Tx, day: date) -> int:
    found = select(func.coalesce(func.max(DailyClosing.number), 0)).where(DailyClosing.day == day)
    return (await tx.session.scalar(found) or 0) + 1


async def lock_closings(tx: Tx) -> None:
    """One closing is made at a time, so that their numbers follow each other."""
    await tx.session.execute(text("SELECT pg_advisory_xact_lock(hashtext('settlement.daily_closing'))"))


async def last_closings(tx: Tx, most: int) -> Sequence[DailyClosing]:
    """The last closing of each day, newest day first."""
    rows = await tx.session.scalars(
        select(DailyClosing)
        .ext(distinct_on(DailyClosing.day))
        .order_by(DailyClosing.day.desc(), DailyClosing.number.desc())
        .limit(most)
    )
    return rows.all()


async def all_closings(tx: Tx) -> Sequence[DailyClosing]:
    return (await tx.session.scalars(select(DailyClosing).order_by(DailyClosing.day, DailyClosing.number))).all()


async def differences_of(tx: Tx, closing: DailyClosing) -> Sequence[ClosingDifference]:
    rows = await tx.session.scalars(
        select(ClosingDifference)
        .where(ClosingDifference.day == closing.day, ClosingDifference.number == closing.number)
        .order_by(ClosingDifference.position)
    )
    return rows.all()
