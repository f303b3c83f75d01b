"""What is done to the platform and when: a pure function of the seed, so that a bug is a number."""

from dataclasses import dataclass
from enum import StrEnum
from random import Random


class Fault(StrEnum):
    """One kind of harm. `link-…` is the way between web processes and desks, the others of that kind the way to us."""

    KILL_SERVER = "kill-server"
    STOP_SERVER = "stop-server"
    KILL_WEB = "kill-web"
    STOP_WEB = "stop-web"
    KILL_DESK = "kill-desk"
    STOP_DESK = "stop-desk"
    WAKE_DESK = "wake-desk-after-takeover"
    KILL_STANDBY = "kill-standby"
    STOP_STANDBY = "stop-standby"
    KILL_WORKER = "kill-worker"
    STOP_WORKER = "stop-worker"
    LINK_DELAY = "link-delay"
    LINK_RESET = "link-reset"
    LINK_CUT = "link-cut-mid-frame"
    LINK_HALF_OPEN = "link-half-open"
    LINK_DOWN = "link-down"
    KILL_POSTGRES = "kill-postgres"
    KILL_POSTMASTER = "kill-postmaster"
    KILL_BACKEND = "kill-backend"
    STOP_POSTGRES = "stop-postgres"
    KILL_REDIS = "kill-redis"
    STOP_REDIS = "stop-redis"
    WIPE_REDIS = "wipe-redis"
    DELAY = "delay"
    RESET = "reset"
    HALF_OPEN = "half-open"
    CUT = "cut-mid-frame"
    DISK_FULL = "disk-full"
    STEP_DATABASE = "step-database-clock"
    STEP_SERVER = "step-server-clock"


OF_ONE_SERVER = frozenset({Fault.KILL_SERVER, Fault.STOP_SERVER})
"""Faults of the form in which one process is everything."""

OF_A_FLEET = frozenset(
    {
        Fault.KILL_WEB,
        Fault.STOP_WEB,
        Fault.KILL_DESK,
        Fault.STOP_DESK,
        Fault.WAKE_DESK,
        Fault.KILL_STANDBY,
        Fault.STOP_STANDBY,
        Fault.KILL_WORKER,
        Fault.STOP_WORKER,
        Fault.LINK_DELAY,
        Fault.LINK_RESET,
        Fault.LINK_CUT,
        Fault.LINK_HALF_OPEN,
        Fault.LINK_DOWN,
    }
)
"""Faults of the form in which the parts are processes of their own."""

LASTING_S: dict[Fault, tuple[float, float]] = {
    Fault.STOP_SERVER: (0.5, 7.0),
    Fault.STOP_WEB: (0.5, 7.0),
    Fault.STOP_DESK: (0.2, 2.0),
    Fault.WAKE_DESK: (0.1, 1.0),
    Fault.STOP_STANDBY: (0.5, 3.0),
    Fault.STOP_WORKER: (0.5, 2.0),
    Fault.LINK_DELAY: (0.5, 2.0),
    Fault.LINK_HALF_OPEN: (0.5, 7.0),
    Fault.LINK_DOWN: (0.5, 7.0),
    Fault.STOP_POSTGRES: (0.5, 7.0),
    Fault.STOP_REDIS: (0.5, 3.0),
    Fault.DELAY: (1.0, 3.0),
    Fault.HALF_OPEN: (1.0, 3.0),
    Fault.DISK_FULL: (0.5, 3.0),
    Fault.STEP_DATABASE: (1.0, 3.0),
    Fault.STEP_SERVER: (0.5, 2.0),
}
"""How long a fault lasts; the others happen in a moment. Holes begin at five seconds, so both sides are met."""

PAUSE_S = (0.3, 1.5)
STEPS_S = (-3600, -10, -1, 1, 300, 3600)
"""By how much a wall clock is stepped."""


@dataclass(frozen=True, slots=True)
class Step:
    """Wait, then do harm, then heal it after `lasts_s`. `by_s` is the step of a clock."""

    wait_s: float
    fault: Fault
    lasts_s: float
    by_s: int


def plan(seed: int, seconds: float, available: frozenset[Fault]) -> list[Step]:
    """Steps that fill `seconds`: rounds of all available faults, each round in an order of its own.

    A fleet has so many kinds that a round takes all of its own and half of those that one server meets as well.
    """
    chance, steps, filled_s = Random(seed), [], 0.0
    own = sorted(available & OF_A_FLEET)
    shared = sorted(available - OF_A_FLEET)
    while filled_s < seconds:
        kinds = own + chance.sample(shared, len(shared) // 2 if own else len(shared))
        for fault in chance.sample(kinds, len(kinds)):
            low, high = LASTING_S.get(fault, (0.0, 0.0))
            step = Step(chance.uniform(*PAUSE_S), fault, chance.uniform(low, high), chance.choice(STEPS_S))
            steps.append(step)
            filled_s += step.wait_s + step.lasts_s
            if filled_s >= seconds:
                break
    return steps
