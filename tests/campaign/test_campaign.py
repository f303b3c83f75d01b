"""The campaign in short: one seed of a few seconds, as `make campaign` plays many of a minute each."""

import pytest

from tests.campaign.campaign import Campaign
from tests.campaign.plan import Fault, plan

QUICK = frozenset(
    {
        Fault.KILL_SERVER,
        Fault.KILL_POSTGRES,
        Fault.STOP_POSTGRES,
        Fault.KILL_REDIS,
        Fault.DELAY,
        Fault.RESET,
        Fault.HALF_OPEN,
        Fault.CUT,
    }
)
"""What needs neither a mount nor another library, and is over soon."""


def test_a_seed_is_a_plan() -> None:
    every = frozenset(Fault)
    assert plan(7, 60, every) == plan(7, 60, every)
    assert plan(7, 60, every) != plan(8, 60, every)
    first_round = plan(7, 600, every)[: len(every)]
    assert {step.fault for step in first_round} == every, "no fault is met twice before each was met once"


@pytest.mark.anyio
@pytest.mark.slow
async def test_nothing_is_lost_or_decided_wrongly_under_faults() -> None:
    told: list[str] = []
    report = await Campaign(seed=3, seconds=12.0, say=told.append).run(only=QUICK)
    assert report.broken == [], told
    assert report.accepted > 50, "the bidders came through between the faults"
    assert sum(report.faults.values()) >= len(QUICK) // 2
