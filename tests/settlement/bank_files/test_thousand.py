"""A thousand payouts of one plan in one file: signed, sent, executed, told again, and settled to the fen."""

from collections.abc import Awaitable
from dataclasses import replace
from typing import TypeVar
from uuid import UUID

import pytest

from kernel.actors import platform
from kernel.database import Database
from kernel.ids import ordered_id
from kernel.money import Fen
from kernel.outbox import Relay
from settlement.bank import jobs as bank_jobs
from settlement.bank import verify as bank_verify
from settlement.bank_files import jobs, service
from settlement.bank_files import verify as files_verify
from settlement.bank_files.schemas import BankFileView
from settlement.distribution import service as distribution
from settlement.distribution import store
from settlement.distribution.claims import Claim, ClaimKind
from settlement.distribution.plans import Participation
from settlement.ledger import verify as ledger_verify
from settlement.payouts import handlers
from settlement.payouts import service as payouts
from settlement.payouts.schemas import Sign
from tests.settlement.bank_files.bank import OURS, Bank, notification, statement
from tests.settlement.distribution.road import Road, make_road, parties
from tests.settlement.support import MACHINE, money_inside
from tests.support.house import call, opened
from tests.support.statements import counting

pytestmark = pytest.mark.anyio

CREDITORS = 1_000
FEW = 200
"""Statements that no step may need more of: line by line it would take thousands."""

T = TypeVar("T")


async def confirmed_plan(road: Road) -> UUID:
    """A confirmed plan that pays the n-th creditor n fen: as it is once everybody's clock has run out."""
    await road.bring_money(sum(range(1, len(road.case.parties))))
    async with road.database.transaction(road.court.judge) as tx:
        case = await distribution.served_case(tx, road.case.id)
        claims = tuple(
            Participation(
                creditor.id, creditor.name, Claim(str(ordered_id()), ClaimKind.ORDINARY, principal_fen=Fen(number))
            )
            for number, creditor in enumerate(case.parties[1:], start=1)
        )
        basis = replace(await distribution.current_basis(tx, case), claims=claims)
        plan = await distribution.store_plan(tx, case.id, basis)
        await store.add_confirmation(tx, plan, tx.now())
        return plan.id


async def few(database: Database, work: Awaitable[T]) -> T:
    """The work, done with few statements."""
    with counting(database) as statements:
        done = await work
    assert statements.sent < FEW, statements.sent
    return done


async def pay(road: Road, plan_id: UUID) -> UUID:
    """Made, checked and paid by three people."""
    database = road.database
    batch = await few(database, payouts.make_batch(database, call(road.maker), plan_id))
    signed = Sign(hash=batch.hash)
    await few(database, payouts.check_batch(database, call(road.checker), batch.id, signed))
    await few(database, payouts.pay_batch(database, call(road.payer), batch.id, signed))
    return batch.id


async def settle(database: Database) -> None:
    """Everything due happens: orders wait for a file, movements are booked, answers noted."""
    relay = Relay(database)
    bank_jobs.subscribe(relay, simulated_bank=False)
    jobs.subscribe(relay)
    handlers.subscribe(relay)
    await relay.settle()


async def take(database: Database, raw: bytes) -> BankFileView:
    taken = await service.take_file(database, call(MACHINE), raw, OURS)
    await settle(database)
    return await service.show_file(database, MACHINE, taken.id)


async def states(database: Database, road: Road, batch_id: UUID) -> set[str]:
    return {line.state for line in (await payouts.show_batch(database, road.maker, batch_id)).lines}


async def faults(database: Database) -> list[str]:
    async with database.reading(platform("verify")) as tx:
        return [*await ledger_verify.faults(tx), *await bank_verify.faults(tx), *await files_verify.faults(tx)]


async def test_a_thousand_payouts_in_one_file(database_url: str) -> None:
    async with opened(database_url) as database:
        road = await make_road(database, *parties(*[f"{number:04d}" for number in range(CREDITORS)]))
        batch_id = await pay(road, await confirmed_plan(road))
        await few(database, settle(database))
        made = (await few(database, service.export_orders(database, call(MACHINE), OURS))).file
        assert made is not None
        assert (made.orders, made.total_fen) == (CREDITORS, 500_500)
        assert (await service.export_orders(database, call(MACHINE), OURS)).file is None
        books = Bank()
        for _ in range(2):
            books.receive((await service.read_payment_file(database, MACHINE, made.id)).content)
        assert len(books.paid) == CREDITORS
        assert await states(database, road, batch_id) == {"ordered"}

        noticed, stated = notification(books.debits()), statement(books.debits(), opening=500_500)
        for raw in (noticed, stated, noticed):
            assert (await few(database, take(database, raw))).outcomes == {"paid": CREDITORS}
        assert await states(database, road, batch_id) == {"executed"}
        assert await money_inside(database) == {}
        assert (await service.show_payment_files(database, MACHINE)).files == ()
        assert await faults(database) == []


async def test_one_wrong_answer_among_many_is_refused_alone(database_url: str) -> None:
    """Answers are booked together; where one cannot be, each of its neighbours is booked all the same."""
    async with opened(database_url) as database:
        road = await make_road(database, *parties(*[f"{number:02d}" for number in range(20)]))
        batch_id = await pay(road, await confirmed_plan(road))
        made = (await service.export_orders(database, call(MACHINE), OURS)).file
        assert made is not None
        books = Bank()
        books.receive((await service.read_payment_file(database, MACHINE, made.id)).content)
        lines = books.debits()
        await take(database, notification(lines[:1]))
        lines[1] = replace(lines[1], reference=lines[0].reference + "X", fen=lines[1].fen + 1)
        lines[2] = replace(lines[2], end_to_end=lines[0].end_to_end, fen=lines[0].fen)
        view = await take(database, notification(lines[1:]))
        assert view.outcomes == {"paid": 17, "refused": 2}
        assert sorted(each.code for each in view.refused) == ["answer-differs", "order-answered"]
        assert await states(database, road, batch_id) == {"ordered", "executed"}
        assert await faults(database) == []
