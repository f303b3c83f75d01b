"""Watching the clocks (invariant 35): the database's clock may not part from our monotonic one, nor jump.

Half a second counts as an outage: an end that such a clock has reached is not decided, the lot is frozen for the court
(reliability: clock +1 h must close nothing early). The platform clock goes on by the monotonic clock meanwhile. Small
differences are the ordinary slewing of clocks and are followed.
"""

from datetime import datetime, timedelta

from kernel.clock import Clock, SystemClock

MAX_OFFSET = timedelta(milliseconds=500)


class ClockWatch:
    """Compares the database's clock with where our monotonic clock says that it must be."""

    def __init__(self) -> None:
        self._anchor: tuple[datetime, float, float] | None = None

    def parted(self, before_s: float, database_now: datetime, after_s: float) -> bool:
        """Whether the clocks have parted; `database_now` was read between two looks at the monotonic clock.

        Parted clocks stay parted until a new desk starts from the database's time.
        """
        if self._anchor is not None:
            then, no_sooner_s, no_later_s = self._anchor
            earliest = then + timedelta(seconds=before_s - no_later_s) - MAX_OFFSET
            latest = then + timedelta(seconds=after_s - no_sooner_s) + MAX_OFFSET
            if not earliest <= database_now <= latest:
                return True
        self._anchor = database_now, before_s, after_s
        return False


def follow(clock: Clock, database_now: datetime) -> None:
    """Discipline the platform clock to the database's; the demo's clock and frozen ones follow nobody."""
    if isinstance(clock, SystemClock):
        clock.discipline(database_now)
