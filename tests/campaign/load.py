"""How busy the machine is, and how long that lets us wait."""

import os

SHARED, PATIENCE = 1.5, 10


def load() -> float:
    """How many processes want each core; 1 where the machine is ours."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def patient(seconds: float) -> float:
    """How long to wait for something that takes so long on a machine of our own: others may keep the cores busy.

    Only for what must happen some day. What may never happen is judged by the platform's own times.
    """
    return seconds if load() < SHARED else seconds * PATIENCE
