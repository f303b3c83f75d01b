"""A process that pays a plan out and is killed in the middle: `python -m … URL STEP PLAN COURT MAKER CHECKER PAYER`."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import msgspec

from kernel import outbox
from kernel.actors import Actor, Role, platform
from kernel.clock import FrozenClock
from kernel.database import AlreadyAnswered, Database
from kernel.errors import Busy
from settlement.bank import answers, simulated
from settlement.bank import service as bank
from settlement.payouts import handlers, rules, service
from settlement.payouts.schemas import PayoutView, Sign
from tests.settlement.dying import Step, die_at
from tests.settlement.support import bank_relay
from tests.support.house import START, actor, call

STEPS: dict[str, Step] = {
    "make: lines written, nothing committed": (service, "record", 1),
    "made: nobody has checked": (rules, "check", 1),
    "check: signed, nothing committed": (service, "record", 2),
    "checked: nobody has paid": (rules, "pay", 1),
    "pay: signed, no money moved": (service, "_pay_out", 1),
    "pay: money on its way, nothing ordered": (bank, "record_each", 1),
    "pay: all written, nothing committed": (service, "record", 3),
    "paid: the bank knows nothing": (answers, "deliver", 1),
    "deliver: the bank has the orders, nothing committed": (answers, "tell", 1),
    "delivered: the bank has not reported": (simulated, "report_orders", 1),
    "report: answers written, nothing booked": (answers, "_book_answers", 1),
    "report: booked, nothing committed": (answers, "tell_all", 1),
    "reported: no line noted": (service.store, "lock_payments_of_orders", 1),
    "note: written, nothing committed": (service, "record_all", 1),
}
"""What the process is about to do when it dies."""


@dataclass(frozen=True)
class Officers:
    """Who signs, each under a key that stays the same when they send again."""

    maker: Actor
    checker: Actor
    payer: Actor


async def pay_out(database: Database, officers: Officers, plan_id: UUID) -> UUID:
    """Make, check and pay the plan's batch, and let the bank execute it; sent again, each is answered as before."""
    maker, checker, payer = (
        call(officers.maker, "make-00001"),
        call(officers.checker, "check-0001"),
        call(officers.payer, "pay-000001"),
    )
    batch_id, shown = await _answer(lambda: service.make_batch(database, maker, plan_id))
    sign = Sign(hash=shown)
    await _answer(lambda: service.check_batch(database, checker, batch_id, sign))
    await _answer(lambda: service.pay_batch(database, payer, batch_id, sign))
    await let_the_bank_work(database, batch_id)
    return batch_id


async def let_the_bank_work(database: Database, batch_id: UUID) -> None:
    """Relay until the bank has executed the batch; what a dead relay had claimed is free again after its lease."""
    relay = bank_relay(database)
    handlers.subscribe(relay)
    async with asyncio.timeout(90):
        while True:
            await relay.settle()
            async with database.reading(platform("test")) as tx:
                states = {payment.state for payment in (await service.store.payments_of(tx, batch_id)).values()}
            if states == {"executed"}:
                return
            await asyncio.sleep(0.5)


async def _answer(doing: Callable[[], Awaitable[PayoutView]]) -> tuple[UUID, str]:
    """Id and hash of the batch, from the answer or from the one that was given before. Who is told that the platform is
    busy sends again.
    """
    while True:
        try:
            view = await doing()
        except AlreadyAnswered as known:
            told = msgspec.json.decode(known.answer)
            return UUID(told["id"]), str(told["hash"])
        except Busy:
            continue
        return view.id, view.hash


async def work(url: str, plan_id: UUID, court: UUID, people: list[UUID]) -> None:
    roles = (Role.MAKER, Role.CHECKER, Role.PAYER)
    officers = Officers(*(actor(role, court=court, person=who) for role, who in zip(roles, people, strict=True)))
    outbox.LEASE = timedelta(seconds=1)  # so that the next relay need not wait long for what this one held
    database = Database(url, FrozenClock(START))
    await pay_out(database, officers, plan_id)
    await database.close()


if __name__ == "__main__":
    url, step, plan, court, *people = sys.argv[1:]
    die_at(STEPS[step])
    asyncio.run(work(url, UUID(plan), UUID(court), [UUID(each) for each in people]))
