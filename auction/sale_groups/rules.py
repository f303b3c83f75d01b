"""How far apart the lots of a group end (R-CLOSE-12).

The law asks that the sale of the rest stops once debt and costs are covered, so it must be known what a lot sold for
before the next one ends. The distance is a convention: the five minutes by which a late bid extends a lot (R-BID-10).
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from auction.sale_groups.errors import EndsNotStaggered
from kernel.clock import beijing

STAGGER = timedelta(minutes=5)


def check_staggered(ends_at: datetime, others: Iterable[datetime]) -> None:
    """Raise `EndsNotStaggered` if another published lot of the group ends less than `STAGGER` before or after."""
    for other in sorted(others):
        if abs(other - ends_at) < STAGGER:
            raise EndsNotStaggered(minutes=STAGGER // timedelta(minutes=1), ends_at=beijing(other))
