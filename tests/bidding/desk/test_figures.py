"""The desk counts what it decides and how late it closes, for those who watch the platform."""

from datetime import timedelta

import pytest
from prometheus_client import REGISTRY

from tests.bidding.desk.house import ENDS, OPENS, SECOND, START, codes, desk_of, house

pytestmark = pytest.mark.anyio


def figures() -> dict[str, float]:
    """What this process has counted so far."""
    series = {
        "accepted": ("bids_decided_total", {"answer": "accepted"}),
        "below-start-price": ("bids_decided_total", {"answer": "below-start-price"}),
        "closes": ("close_lag_seconds_count", {}),
        "lag": ("close_lag_seconds_sum", {}),
    }
    return {name: REGISTRY.get_sample_value(*one) or 0.0 for name, one in series.items()}


async def test_decisions_and_closes_are_counted_once_they_are_committed(database_url: str) -> None:
    async with house(database_url) as place:
        lot = await place.lot()
        bidder = await place.bidder(lot, "A1234")
        before = figures()
        place.clock.set(OPENS + timedelta(hours=1))  # type: ignore[attr-defined]
        async with desk_of(place) as desk:
            bids = [place.bid(lot, bidder, START - 1), place.bid(lot, bidder, START), place.bid(lot, bidder, START)]
            assert codes([await desk.submit(bid) for bid in bids])[:2] == ["below-start-price", "accepted"]
        place.clock.set(ENDS + 2 * SECOND)  # type: ignore[attr-defined]
        async with desk_of(place):
            await place.settled(lot, "closed")
        moved = {name: round(value - before[name], 6) for name, value in figures().items()}
        assert moved == {"accepted": 1, "below-start-price": 1, "closes": 1, "lag": 2}
