"""The steps of W-17: a plan over 500,000.00, served in June, objected to, opposed and sued in July."""

from datetime import date
from typing import Any

import pytest

from appraisal.api import ServiceMethod
from kernel.actors import platform
from kernel.database import Database
from kernel.errors import Refusal
from settlement import verify
from settlement.distribution import service
from settlement.distribution.plan_schemas import PlanView, ServePlan
from settlement.payouts import handlers
from tests.appraisal.support import make_claim
from tests.settlement.distribution.road import Road, make_road, parties
from tests.settlement.support import bank_relay
from tests.support.house import call

YUAN = 100


async def refused(kind: type[Refusal], doing: Any) -> Refusal:
    with pytest.raises(kind) as caught:
        await doing
    return caught.value


async def faults(database: Database) -> list[str]:
    async with database.reading(platform("verify")) as tx:
        return await verify.faults(tx)


async def settle(database: Database) -> None:
    relay = bank_relay(database)
    handlers.subscribe(relay)
    await relay.settle()


def june(day: int) -> date:
    return date(2025, 6, day)


def july(day: int) -> date:
    return date(2025, 7, day)


def lines(plan: PlanView) -> list[tuple[str, str, int]]:
    return [(line.payee.kind, line.payee.name, line.amount_fen // YUAN) for line in plan.lines]


async def w17(database: Database) -> tuple[Road, PlanView]:
    """Pool 500,000.00, A claims 400,000.00, B 600,000.00; the plan served in June as the worked case says."""
    road = await make_road(database, *parties("A", "B"))
    await make_claim(database, road.court, road.case, "A", principal_fen=400_000 * YUAN)
    await make_claim(database, road.court, road.case, "B", principal_fen=600_000 * YUAN)
    await road.bring_money(500_000 * YUAN)
    plan = await road.decide(await road.draft())
    for ref, day in (("A", june(3)), ("B", june(5)), ("debtor", june(6))):
        road.go_to(day)
        wanted = ServePlan(party_id=road.id_of(ref), served_on=day, method=ServiceMethod.MAIL, proof="回执")
        plan = await service.serve_plan(database, call(road.court.clerk), plan.id, wanted)
    assert [each.objection_until for each in plan.recipients] == ["2025-06-18", "2025-06-20", "2025-06-23"]
    return road, plan


async def objected(database: Database) -> tuple[Road, PlanView]:
    """A says on 06-17 that B's claim is 400,000.00 only; notice reaches B on 06-24 and the debtor on 06-25."""
    road, plan = await w17(database)
    road.go_to(june(17))
    plan = await road.object_to(plan, "A", claim="B", should_be_fen=400_000 * YUAN)
    road.go_to(june(24))
    plan = await road.notify(plan, "B")
    road.go_to(june(25))
    plan = await road.notify(plan, "debtor")
    (objection,) = plan.objections
    assert [(each.name, each.counter_until) for each in objection.notices] == [
        ("当事人B", "2025-07-09"),
        ("当事人debtor", "2025-07-10"),
    ]
    assert (plan.state, objection.stage) == ("objected", "counter_opinion")
    return road, plan


async def opposed(database: Database) -> tuple[Road, PlanView]:
    """B opposes on 07-08; A is told on 07-11 and must sue until 07-28."""
    road, plan = await objected(database)
    road.go_to(july(8))
    plan = await road.oppose(plan, "B")
    road.go_to(july(11))
    plan = await road.tell(plan)
    assert (plan.objections[0].stage, plan.objections[0].sue_until) == ("suit_open", "2025-07-28")
    return road, plan


async def sued(database: Database) -> tuple[Road, PlanView, PlanView]:
    """A sues on 07-25; the plan is resolved: what is undisputed may be paid."""
    road, plan = await opposed(database)
    road.go_to(july(25))
    plan = await road.sue(plan)
    return road, plan, await road.resolve(plan)
