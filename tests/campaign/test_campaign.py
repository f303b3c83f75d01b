"""The campaign in short: one seed of a few seconds, as `make campaign` plays many of a minute each."""

import gc
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from tests.campaign import check, views
from tests.campaign.campaign import Campaign
from tests.campaign.plan import OF_A_FLEET, Fault, plan

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture(autouse=True)
def swept() -> Iterator[None]:
    """Sockets that faults tore off are let go here, with their warnings, and not in the middle of another test."""
    yield
    gc.collect()


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

QUICK_FLEET = frozenset({Fault.KILL_DESK, Fault.WAKE_DESK, Fault.LINK_RESET, Fault.LINK_HALF_OPEN, Fault.WIPE_REDIS})
"""What only a fleet has to survive."""


def test_a_seed_is_a_plan() -> None:
    every = frozenset(Fault)
    assert plan(7, 60, every) == plan(7, 60, every)
    assert plan(7, 60, every) != plan(8, 60, every)
    of_one = every - OF_A_FLEET
    first_round = plan(7, 600, of_one)[: len(of_one)]
    assert {step.fault for step in first_round} == of_one, "no fault is met twice before each was met once"
    assert {step.fault for step in plan(7, 600, every)} == every


def test_a_freeze_is_explained_by_an_outage_of_that_lot_alone() -> None:
    """One of single lots names those that it hit; another is of the lots of its share."""
    at, lot = datetime(2025, 4, 10, tzinfo=UTC), {"lot_id": UUID(int=1), "bucket": 3}
    outage = {"share": 1, "epoch": 5, "until": at, "cause": "overdue", "of": 2}
    assert check.froze(outage, lot, at, {(1, 5, at, UUID(int=1))})
    assert not check.froze(outage, lot, at, {(1, 5, at, UUID(int=2)), (1, 4, at, UUID(int=1))})
    assert not check.froze(outage, lot, at + timedelta(seconds=1), {(1, 5, at, UUID(int=1))})
    assert check.froze(outage | {"cause": "no-desk"}, lot, at, set())
    assert not check.froze(outage | {"cause": "no-desk", "share": 0}, lot, at, set())


@pytest.mark.anyio
@pytest.mark.slow
async def test_nothing_is_lost_or_decided_wrongly_under_faults() -> None:
    told: list[str] = []
    report = await Campaign(seed=3, seconds=12.0, say=told.append).run(only=QUICK)
    assert report.broken == [], told
    assert report.accepted > 20, "the bidders came through between the faults"
    assert sum(report.faults.values()) >= len(QUICK) // 2


@pytest.mark.anyio
@pytest.mark.slow
async def test_a_fleet_loses_and_doubles_nothing_either() -> None:
    told: list[str] = []
    report = await Campaign(seed=4, seconds=12.0, say=told.append, fleet=True).run(only=QUICK_FLEET)
    assert report.broken == [], told
    assert report.accepted > 20, "the bidders came through between the faults"
    assert sum(report.faults.values()) >= 3


def test_views_are_held_to_what_was_acknowledged() -> None:
    """The control of the check itself: a lag counts unless a fault that blinds, or our own standstill, explains it."""
    assert views.merged([(3.0, 4.0), (1.0, 2.0), (1.5, 3.5)]) == [(1.0, 4.0)]
    assert views.unexplained(0.0, 5.0, []) == 5.0
    assert views.unexplained(0.0, 5.0, [(1.0, 4.0)]) == 2.0
    assert views.unexplained(2.0, 3.0, [(1.0, 4.0)]) == 0.0
