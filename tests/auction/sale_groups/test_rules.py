"""R-CLOSE-12: how far apart the lots of a group end."""

from datetime import UTC, datetime, timedelta

import pytest

from auction.sale_groups.errors import EndsNotStaggered
from auction.sale_groups.rules import STAGGER, check_staggered

ENDS = datetime(2025, 6, 1, 2, tzinfo=UTC)
MS = timedelta(milliseconds=1)


@pytest.mark.parametrize("distance", [timedelta(0), STAGGER - MS, MS - STAGGER])
def test_ends_too_close_together(distance: timedelta) -> None:
    with pytest.raises(EndsNotStaggered) as refused:
        check_staggered(ENDS, [ENDS + timedelta(days=1), ENDS + distance])
    assert (refused.value.rule, refused.value.facts["minutes"]) == ("R-CLOSE-12", 5)


@pytest.mark.parametrize("distance", [STAGGER, -STAGGER, timedelta(days=3)])
def test_staggered_ends(distance: timedelta) -> None:
    check_staggered(ENDS, [ENDS + distance])
    check_staggered(ENDS, [])
