"""What is done to the platform and when: a pure function of the seed, so that a bug is a number."""

from dataclasses import dataclass
from enum import StrEnum
from random import Random


class Fault(StrEnum):
    """One kind of harm."""

    KILL_SERVER = "kill-server"
    STOP_SERVER = "stop-server"
    KILL_POSTGRES = "kill-postgres"
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


LASTING_S: dict[Fault, tuple[float, float]] = {
    Fault.STOP_SERVER: (0.5, 7.0),
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
    """Steps that fill `seconds`: rounds of all available faults, each round in an order of its own."""
    chance, steps, filled_s = Random(seed), [], 0.0
    while filled_s < seconds:
        for fault in chance.sample(sorted(available), len(available)):
            low, high = LASTING_S.get(fault, (0.0, 0.0))
            step = Step(chance.uniform(*PAUSE_S), fault, chance.uniform(low, high), chance.choice(STEPS_S))
            steps.append(step)
            filled_s += step.wait_s + step.lasts_s
            if filled_s >= seconds:
                break
    return steps
