"""Daily closing: what the bank says against what we booked, every fen of the difference by name."""

from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from kernel.actors import Actor, Role, platform
from kernel.database import Database, Tx
from kernel.errors import Forbidden
from kernel.outbox import Relay
from settlement.bank import answers
from settlement.bank.rules import Payee
from settlement.bank.schemas import Confirmation
from settlement.bank_files import jobs
from settlement.bank_files import service as bank_files
from settlement.bank_files.rules import order_reference
from settlement.closing import handlers, rules, service, verify
from settlement.closing.errors import NoStatement
from settlement.closing.rules import Cause, Day, Unequal
from settlement.closing.schemas import CloseDay, ClosingView
from settlement.ledger import service as ledger
from settlement.ledger.rules import Kind
from tests.settlement.bank_files.bank import DAY, OURS, Line, statement
from tests.settlement.support import MACHINE, credit, notice, order_payment, within
from tests.support.house import actor, call, frozen, opened

pytestmark = pytest.mark.anyio

AMOUNTS = st.one_of(st.none(), st.integers(-(10**15), 10**15))


@given(
    st.lists(st.tuples(st.integers(-50, 50), st.integers(-50, 50)), min_size=1), st.lists(st.tuples(AMOUNTS, AMOUNTS))
)
def test_named_differences_add_up_whatever_the_bank_says(
    balances: Sequence[tuple[int, int]], references: Sequence[tuple[int | None, int | None]]
) -> None:
    days = [Day(DAY + timedelta(days=n), opening, closing) for n, (opening, closing) in enumerate(balances)]
    unequal = [Unequal(str(n), bank, books) for n, (bank, books) in enumerate(references)]
    named = rules.differences(days, unequal)
    by_references = sum((bank or 0) - (books or 0) for bank, books in references)
    by_statements = days[-1].closing_fen - sum(each.closing_fen - each.opening_fen for each in days)
    assert sum(each.amount_fen for each in named) == by_references + by_statements


def test_each_difference_has_its_cause() -> None:
    days = [Day(DAY, 5, 10), Day(date(2025, 3, 5), 12, 12)]
    unequal = [Unequal("A", 3, None), Unequal("B", None, 4), Unequal("C", -2, -1)]
    assert [(each.cause, each.reference, each.amount_fen) for each in rules.differences(days, unequal)] == [
        (Cause.OPENING, "2025-03-03", 5),
        (Cause.GAP, "2025-03-05", 2),
        (Cause.BANK_ONLY, "A", 3),
        (Cause.BOOKS_ONLY, "B", -4),
        (Cause.AMOUNT, "C", -1),
    ]


async def stated(database: Database, lines: Sequence[Line], opening: int = 0, day: date = DAY) -> None:
    """The bank's statement of the day comes, is booked, and the day closes by itself."""
    relay = Relay(database)
    jobs.subscribe(relay)
    handlers.subscribe(relay)
    await bank_files.take_file(database, call(MACHINE), statement(lines, opening=opening, day=day), OURS)
    await relay.settle()


async def last(database: Database, who: Actor | None = None) -> ClosingView:
    return (await service.show_closings(database, who or actor(Role.AUDITOR))).closings[0]


async def case_number(database: Database) -> str:
    async def work(tx: Tx) -> str:
        number = (await ledger.open_account(tx, Kind.CASE, "one")).number
        assert number is not None
        return number

    return await within(database, work)


async def order(database: Database, amount_fen: int) -> UUID:
    async def work(tx: Tx) -> UUID:
        account = await ledger.open_account(tx, Kind.CASE, "one")
        return await order_payment(tx, account, Payee("甲", "6217", ""), amount_fen, str(uuid4()))

    return await within(database, work)


def named(closing: ClosingView) -> list[tuple[str, str, int]]:
    return [(each.cause, each.reference, each.amount_fen) for each in closing.differences]


async def test_a_day_that_agrees_closes_without_difference(database_url: str) -> None:
    async with opened(database_url) as database:
        number = await case_number(database)
        await stated(database, [Line(500, "IN", to=number)])
        paid = await order(database, 60)
        frozen(database).advance(timedelta(days=3))
        out = Line(60, "OUT", credit=False, end_to_end=order_reference(paid), on=DAY + timedelta(days=1))
        await stated(database, [out], opening=500, day=DAY + timedelta(days=1))
        closing = await last(database)
        assert (closing.day, closing.bank_fen, closing.books_fen, closing.differences) == ("2025-03-04", 440, 440, ())
        async with database.reading(platform("verify")) as tx:
            assert await verify.faults(tx) == []


async def test_what_only_one_side_knows_is_named_and_mended(database_url: str) -> None:
    """Charges, a notice that no statement tells, a missing day, an opening balance; an answer over the counter."""
    async with opened(database_url) as database:
        number = await case_number(database)
        await credit(database, notice("COUNTER", number, 100))
        paid = await order(database, 60)
        answer = Confirmation(order_id=paid, outcome="executed", bank_ref="PAID")
        await answers.confirm(database, call(MACHINE), answer)
        await stated(database, [Line(500, "IN", to=number), Line(3, "FEE", credit=False)], opening=1_000)
        first = await last(database)
        assert named(first) == [
            ("opening", "2025-03-03", 1_000),
            ("books_only", "COUNTER", -100),
            ("bank_only", "FEE", -3),
            ("books_only", "PAID", 60),
        ]
        assert first.difference_fen == first.bank_fen - first.books_fen == 957
        later = DAY + timedelta(days=2)
        frozen(database).advance(timedelta(days=3))
        lines = [
            Line(100, "COUNTER", to=number, on=date(2025, 3, 2)),
            Line(60, "PAID", credit=False, end_to_end=order_reference(paid), on=later),
        ]
        await stated(database, lines, opening=1_400, day=later)
        assert named(await last(database)) == [
            ("opening", "2025-03-03", 1_000),
            ("gap", "2025-03-05", -97),
            ("bank_only", "FEE", -3),
        ]


async def test_an_officer_closes_again(database_url: str) -> None:
    async with opened(database_url) as database:
        await stated(database, [Line(500, "IN")])
        maker = actor(Role.MAKER)
        again = await service.close_day(database, call(maker), CloseDay(day=DAY))
        assert (again.number, again.difference_fen) == (2, 0)
        assert (await last(database)).number == 2
        with pytest.raises(NoStatement):
            await service.close_day(database, call(maker), CloseDay(day=DAY + timedelta(days=1)))
        with pytest.raises(Forbidden):
            await service.close_day(database, call(actor(Role.PAYER)), CloseDay(day=DAY))
        with pytest.raises(Forbidden):
            await last(database, actor(Role.BIDDER))


@pytest.mark.parametrize(
    ("table", "statement_", "expected"),
    [
        ("daily_closing", "UPDATE settlement.daily_closing SET bank_fen = bank_fen + 1", "do not add up"),
        ("credit", "UPDATE settlement.credit SET amount_fen = amount_fen + 1", "the ledger's bank account"),
    ],
)
async def test_books_changed_by_hand_are_found(database_url: str, table: str, statement_: str, expected: str) -> None:
    async with opened(database_url) as database:
        await stated(database, [Line(500, "IN")])
        async with database.transaction(platform("thief")) as tx:
            assert await verify.faults(tx) == []
            await tx.session.execute(text(f"ALTER TABLE settlement.{table} DISABLE TRIGGER ALL"))
            await tx.session.execute(text(statement_))
            assert any(expected in fault for fault in await verify.faults(tx))
