"""Events that contexts tell each other through the outbox: facts in the past tense, versioned by addition only."""

from kernel.contracts.events import (
    DueWork,
    Event,
    HelperLinked,
    HoldLifted,
    HoldPlaced,
    LotClosed,
    LotEndMoved,
    LotFrozen,
    LotOpened,
    LotPublished,
    LotResumed,
    LotSuspended,
    LotWithdrawn,
    RegistrationMade,
)

__all__ = [
    "DueWork",
    "Event",
    "HelperLinked",
    "HoldLifted",
    "HoldPlaced",
    "LotClosed",
    "LotEndMoved",
    "LotFrozen",
    "LotOpened",
    "LotPublished",
    "LotResumed",
    "LotSuspended",
    "LotWithdrawn",
    "RegistrationMade",
]
