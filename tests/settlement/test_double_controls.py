"""Controls of doing something twice at once: drafts, batches, signatures. Each race is lost without its protection.

Where a unique key stands behind the lock, the first control shows that it stops the second comer, and the second what
happens without it. The races themselves are run in `distribution/test_service.py` and `payouts/test_service.py`; the
control of two payers is there too.
"""

import pytest
from sqlalchemy.exc import DBAPIError

from kernel.actors import Role
from settlement.distribution import service as distribution
from settlement.distribution.plan_schemas import PlanView
from settlement.payouts import service as payouts
from settlement.payouts.schemas import PayoutView
from tests.settlement.distribution.test_service import w17
from tests.settlement.gate import Gate, as_superuser, unlocked
from tests.settlement.payouts.test_service import two_creditors
from tests.settlement.support import money_inside
from tests.support.house import opened

pytestmark = pytest.mark.anyio

ONE_VERSION = "ALTER TABLE settlement.plan DROP CONSTRAINT uq_plan_case_id_version"
ONE_OPEN_BATCH = "DROP INDEX settlement.ux_payout_batch_open"
ONE_PAYMENT = "DROP INDEX settlement.ux_payment_once"


@pytest.mark.parametrize("key", [True, False])
async def test_control_unlocked_two_drafts_are_the_same_version(
    database_url: str, monkeypatch: pytest.MonkeyPatch, key: bool
) -> None:
    gate = Gate()
    async with opened(database_url) as database:
        road = await w17(database)
        if not key:
            await as_superuser(database_url, ONE_VERSION)
        monkeypatch.setattr(distribution, "lock_case_money", unlocked)
        monkeypatch.setattr(distribution.store, "latest_version", gate.after(distribution.store.latest_version))
        late = await gate.meanwhile(road.draft(), road.draft())
        assert isinstance(late, DBAPIError if key else PlanView), late
        plans = (await distribution.show_plans(database, road.court.judge, road.case.id)).plans
        assert [plan.version for plan in plans] == ([1] if key else [1, 1])


@pytest.mark.parametrize("key", [True, False])
async def test_control_unlocked_two_makers_promise_the_same_money(
    database_url: str, monkeypatch: pytest.MonkeyPatch, key: bool
) -> None:
    gate = Gate()
    async with opened(database_url) as database:
        road = await two_creditors(database)
        plan = await road.confirmed()
        if not key:
            await as_superuser(database_url, ONE_OPEN_BATCH)
        monkeypatch.setattr(distribution, "lock_case_money", unlocked)
        monkeypatch.setattr(payouts.store, "withheld_of", gate.after(payouts.store.withheld_of))
        late = await gate.meanwhile(road.make(plan), road.make(plan))
        assert isinstance(late, DBAPIError if key else PayoutView), late


@pytest.mark.parametrize("key", [True, False])
async def test_control_two_batches_of_one_plan_would_pay_everybody_twice(
    database_url: str, monkeypatch: pytest.MonkeyPatch, key: bool
) -> None:
    """Behind one open batch stands one payment per payee and plan; without both, what came in since is given away."""
    gate = Gate()
    async with opened(database_url) as database:
        road = await two_creditors(database)
        plan = await road.confirmed()
        await road.bring_money(60_000)
        await as_superuser(database_url, ONE_OPEN_BATCH, *(() if key else (ONE_PAYMENT,)))
        with monkeypatch.context() as patched:
            patched.setattr(distribution, "lock_case_money", unlocked)
            patched.setattr(payouts.store, "withheld_of", gate.after(payouts.store.withheld_of))
            late = await gate.meanwhile(road.make(plan), road.make(plan))
        async with database.reading(road.maker) as tx:
            ids = {batch.id for batch in await payouts.store.batches_of(tx, plan.id)} - {late.id}
        other = await payouts.show_batch(database, road.maker, ids.pop())
        for batch in (late, other):
            await road.check(batch)
        await road.pay(late)
        if key:
            with pytest.raises(DBAPIError):
                await road.pay(other)
            assert await money_inside(database) == {"payee": 60_000, "case": 60_000}
        else:
            await road.pay(other)
            assert await money_inside(database) == {"payee": 120_000}


async def test_control_unlocked_a_second_checker_signs_over_the_first(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are told that they signed; on record is one of them alone."""
    gate = Gate()
    async with opened(database_url) as database:
        road = await two_creditors(database)
        batch = await road.make(await road.confirmed())
        first, second = (road.court.staff(Role.CHECKER) for _ in range(2))
        monkeypatch.setattr(distribution, "lock_case_money", unlocked)
        monkeypatch.setattr(payouts, "_require_as_signed", gate.after(payouts._require_as_signed))
        late = await gate.meanwhile(road.check(batch, first), road.check(batch, second))
        assert isinstance(late, PayoutView), late
        shown = await payouts.show_batch(database, road.maker, batch.id)
        assert shown.checked_by == first.person, "the second signature is lost"
