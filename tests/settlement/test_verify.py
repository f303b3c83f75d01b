"""What `verify` finds of settlement: any row of money or of a plan that somebody with all rights changed by hand."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from kernel.actors import platform
from settlement.payouts import handlers
from tests.appraisal.support import make_claim
from tests.settlement.distribution.road import Road, make_road, parties
from tests.settlement.support import bank_relay
from tests.settlement.tampering import faults, found_after
from tests.support.house import opened

pytestmark = pytest.mark.anyio


@pytest.fixture
async def road(database_url: str, anyio_backend: object) -> AsyncIterator[Road]:
    """A case whose plan is paid to two creditors and the debtor."""
    async with opened(database_url) as database:
        road = await make_road(database, *parties("A", "B"))
        await make_claim(database, road.court, road.case, "A", principal_fen=20_000)
        await make_claim(database, road.court, road.case, "B", principal_fen=30_000)
        await road.bring_money(60_000)
        await road.paid(await road.confirmed())
        relay = bank_relay(database)
        handlers.subscribe(relay)
        await relay.settle()
        yield road


async def test_untouched_rows_verify(road: Road) -> None:
    assert await faults(road.database) == []


TAMPERINGS = [
    ("transfer", "UPDATE settlement.transfer SET amount_fen = amount_fen + 1 WHERE amount_fen = 20000", "entry"),
    ("transfer", "DELETE FROM settlement.transfer WHERE amount_fen = 10000", "removed"),
    ("account", "UPDATE settlement.account SET balance_fen = 1 WHERE kind = 'case'", "its transfers 0"),
    (
        "plan_line",
        "UPDATE settlement.plan_line SET amount_fen = 19999 WHERE position = 1",
        "does not make its hash",
    ),
    (
        "plan_line",
        "UPDATE settlement.plan_line SET payee_id = plan_id WHERE position = 2",
        "does not make its hash",
    ),
    ("plan_line", "DELETE FROM settlement.plan_line WHERE position = 3", "does not make its hash"),
    (
        "plan_line",
        "INSERT INTO settlement.plan_line SELECT plan_id, 4, level, rule, law, pool, payee_kind, payee_id, payee,"
        " claim_id, part, amount_fen, arithmetic FROM settlement.plan_line WHERE position = 3",
        "does not make its hash",
    ),
    (
        "plan",
        "UPDATE settlement.plan SET basis = convert_to(replace(convert_from(basis, 'UTF8'), '30000', '30001'), 'UTF8')",
        "do not follow from its basis",
    ),
    ("plan", "UPDATE settlement.plan SET basis = 'x'", "cannot be read"),
    (
        "plan",
        "UPDATE settlement.plan"
        " SET basis = convert_to(replace(convert_from(basis, 'UTF8'), 'ordinary', 'secured'), 'UTF8')",
        "cannot be read",
    ),
    ("plan", "UPDATE settlement.plan SET hash = sha256('x')", "audit trail"),
    (
        "plan_service",
        "UPDATE settlement.plan_service SET objection_until = objection_until + 1",
        "another last day to object",
    ),
    ("plan_service", "DELETE FROM settlement.plan_service", "before it was served"),
    ("plan_decision", "DELETE FROM settlement.plan_decision", "without a decision"),
    ("plan_confirmation", "UPDATE settlement.plan_confirmation SET confirmed_at = '2025-03-10'", "still object"),
    ("plan_confirmation", "DELETE FROM settlement.plan_confirmation", "pays a plan that is not confirmed"),
    (
        "payout_line",
        "UPDATE settlement.payout_line SET number = '6222X' WHERE position = 1",
        "does not make its hash",
    ),
    ("payout_batch", "UPDATE settlement.payout_batch SET total_fen = 1", "has a total"),
    ("payment", "DELETE FROM settlement.payment WHERE position = 2", "payments made for it are not the same"),
    (
        "payment",
        "UPDATE settlement.payment SET state = 'rejected' WHERE position = 1",
        "the bank's answer is executed",
    ),
    ("payment_order", "UPDATE settlement.payment_order SET payee_number = '6222X'", "another payee or amount"),
]
"""Table, what is done to it, and words of the fault that must show."""


async def test_a_row_changed_by_hand_is_found(road: Road) -> None:
    for table, statement, expected in TAMPERINGS:
        found = await found_after(road.database, table, statement)
        assert any(expected in fault for fault in found), (statement, found)
    assert await faults(road.database) == []


async def test_a_plan_rewritten_as_a_whole_still_differs_from_the_audit_trail(road: Road) -> None:
    """Lines, basis, sums and hash made to agree with each other: the trail keeps the hash that was drafted."""
    from settlement.distribution import store
    from settlement.distribution.drawing import draw
    from settlement.distribution.plans import basis_bytes, plan_hash

    async with road.database.transaction(platform("thief")) as tx:
        for table in ("plan", "plan_line"):
            await tx.session.execute(text(f"ALTER TABLE settlement.{table} DISABLE TRIGGER ALL"))
        (plan,) = await store.all_plans(tx)
        basis = store.basis_of(plan)
        swapped = type(basis)(
            debtor=basis.debtor,
            debtor_party=basis.claims[0].party_id,
            debtor_name=basis.debtor_name,
            proceeds=basis.proceeds,
            costs=basis.costs,
            claims=basis.claims,
        )
        plan.basis, lines = basis_bytes(swapped), draw(swapped).lines
        plan.hash = plan_hash(store.head_of(plan), plan.basis, lines)
        await tx.session.flush()
        payee = {"payee": lines[2].payee_id}
        await tx.session.execute(text("UPDATE settlement.plan_line SET payee_id = :payee WHERE position = 3"), payee)
        for table in ("plan", "plan_line"):
            await tx.session.execute(text(f"ALTER TABLE settlement.{table} ENABLE TRIGGER ALL"))
    found = await faults(road.database)
    assert [fault for fault in found if "audit trail" in fault]
    assert not [fault for fault in found if "hash" in fault]
