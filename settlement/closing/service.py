"""Use cases of the daily closing: made when a statement is booked, and again by an officer once things are mended."""

from datetime import date, datetime, timedelta

from kernel.actors import Actor, Role
from kernel.audit import record
from kernel.clock import beijing, day_begins
from kernel.database import Call, Database, Tx
from settlement.bank_files import service as bank_files
from settlement.bank_files.schemas import FileBooked
from settlement.closing import rules, store
from settlement.closing.errors import NoStatement, StatementOpen
from settlement.closing.models import DailyClosing
from settlement.closing.schemas import CloseDay, Closings, ClosingView, DifferenceView

READERS = (Role.MAKER, Role.CHECKER, Role.PAYER, Role.SUPERVISOR, Role.AUDITOR)
MOST_SHOWN = 93
"""A quarter of days."""


async def close_day(database: Database, call: Call, wanted: CloseDay) -> ClosingView:
    """An officer reconciles a day; made again after something was mended it stands beside the first (R-ACCT-08)."""
    async with database.command(call) as tx:
        tx.actor.must_be(Role.MAKER, Role.CHECKER)
        return tx.answer(await _close(tx, wanted.day))


async def close_by_itself(tx: Tx, event: FileBooked) -> None:
    """The statement of a day is booked: reconcile that day."""
    if event.day is not None:
        await _close(tx, date.fromisoformat(event.day))


async def _close(tx: Tx, day: date) -> ClosingView:
    await store.lock_closings(tx)
    statements = await store.statements_until(tx, day)
    if not statements or statements[-1][1].day != day:
        raise NoStatement(day=day.isoformat())
    files = [file_id for file_id, _ in statements]
    if await bank_files.count_open(tx, files[-1]):
        raise StatementOpen(day=day.isoformat())
    until = end_of(day)
    found = rules.differences([each for _, each in statements], await store.unequal(tx, files, until))
    closing = DailyClosing(
        day=day,
        number=await store.next_number(tx, day),
        file_id=files[-1],
        bank_fen=statements[-1][1].closing_fen,
        books_fen=await store.booked_fen(tx, files, until),
        made_by=tx.actor.person_id,
        made_at=tx.now(),
    )
    assert closing.bank_fen - closing.books_fen == sum(each.amount_fen for each in found), "every fen has its name"
    await store.add_closing(tx, closing, found)
    facts = {"bank_fen": closing.bank_fen, "books_fen": closing.books_fen, "differences": len(found)}
    await record(tx, "closing.close", f"closing:{day}:{closing.number}", facts, chain="ledger")
    return await _view(tx, closing)


def end_of(day: date) -> datetime:
    """The first moment after the day in Beijing."""
    return day_begins(day + timedelta(days=1))


async def show_closings(database: Database, actor: Actor) -> Closings:
    """The last closing of each day, newest first."""
    async with database.reading(actor) as tx:
        tx.actor.must_be(*READERS)
        return Closings(tuple([await _view(tx, each) for each in await store.last_closings(tx, MOST_SHOWN)]))


async def _view(tx: Tx, closing: DailyClosing) -> ClosingView:
    named = await store.differences_of(tx, closing)
    return ClosingView(
        day=closing.day.isoformat(),
        number=closing.number,
        bank_fen=closing.bank_fen,
        books_fen=closing.books_fen,
        difference_fen=closing.bank_fen - closing.books_fen,
        made_at=beijing(closing.made_at),
        differences=tuple(DifferenceView(each.cause, each.reference, each.amount_fen) for each in named),
    )
