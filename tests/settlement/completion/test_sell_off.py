"""The sell-off as a whole: two failed rounds, sixty days of waiting, prepayment, a day from the first bid (R-SELL)."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from auction.lots.rules import Method, Round
from bidding.api import get_result
from bidding.desk.rules import Kind
from bidding.desk.submissions import Submission
from bidding.verify import faults
from kernel.actors import platform
from kernel.money import Fen
from settlement.completion import service as completion
from tests.settlement.hall import Bidder, Hall, hall
from tests.support.house import frozen

pytestmark = pytest.mark.anyio

PRICE = 56_000_00
DAY = timedelta(days=1)


async def failed(place: Hall, **terms: Any) -> UUID:
    """A lot for which nobody bid."""
    lot_id = await place.lot(**terms)
    await place.sell(lot_id)
    await place.relay.settle()
    return lot_id


async def sell_off(place: Hall) -> tuple[UUID, datetime]:
    """The sell-off behind two failed rounds, and when it opens."""
    first = await failed(place)
    now = frozen(place.database).now()
    second_terms = {"round": Round.ROUND_2, "previous_lot_id": first, "start_price_fen": Fen(PRICE)}
    times = {"opens_at": now + 20 * DAY, "scheduled_end": now + 21 * DAY}
    second = await failed(place, **second_terms, **times)
    opens_at = frozen(place.database).now() + 30 * DAY
    lot_id = await place.lot(
        round=Round.SELL_OFF,
        method=Method.SELL_OFF,
        previous_lot_id=second,
        start_price_fen=Fen(PRICE),
        opens_at=opens_at,
        scheduled_end=opens_at + 60 * DAY,
    )
    return lot_id, opens_at


def bid_of(place: Hall, bidder: Bidder, lot_id: UUID, price_fen: int) -> Submission:
    price = Fen(price_fen)
    return Submission(
        lot_id=lot_id,
        kind=Kind.BID,
        key=uuid4(),
        ingress_at=frozen(place.database).now(),
        registration_id=bidder.registrations[lot_id],
        price_fen=price,
        confirm_fen=price,
    )


async def status_of(place: Hall, lot_id: UUID) -> str:
    async with place.desk():
        pass
    async with place.database.reading(platform("test")) as tx:
        return (await get_result(tx, lot_id)).status


async def test_the_day_from_the_first_bid_may_run_past_day_sixty(database_url: str) -> None:
    async with hall(database_url) as place:
        lot_id, opens_at = await sell_off(place)
        clock = frozen(place.database)
        buyer, other = await place.admitted(lot_id), await place.admitted(lot_id, "李四")
        deposit = await place.deposit(buyer, lot_id)
        assert (deposit.due_fen, deposit.state) == (PRICE, "held"), "the whole price in advance (R-SELL-04)"
        first_bid = opens_at + 60 * DAY - timedelta(hours=1)
        clock.set(first_bid)
        async with place.desk() as desk:
            assert (await desk.submit(bid_of(place, other, lot_id, PRICE))).accepted
            clock.set(first_bid + DAY - timedelta(minutes=1))
            assert (await desk.submit(bid_of(place, buyer, lot_id, PRICE + 500_00))).accepted
        clock.set(first_bid + DAY + timedelta(minutes=4) - timedelta(milliseconds=1))
        assert await status_of(place, lot_id) == "open", "the last bid gave it five minutes more (R-BID-10)"
        clock.set(first_bid + DAY + timedelta(minutes=4))
        assert await status_of(place, lot_id) == "sold"
        await place.relay.settle()
        sale = await completion.show_sale(place.database, buyer.actor, lot_id)
        assert (sale.deposit_fen, sale.missing_fen) == (PRICE, 500_00)
        assert (await place.deposit(other, lot_id)).state == "released"
        async with place.database.reading(platform("verify")) as tx:
            assert await faults(tx) == []


async def test_without_a_bid_it_fails_on_day_sixty(database_url: str) -> None:
    async with hall(database_url) as place:
        lot_id, opens_at = await sell_off(place)
        bidder = await place.admitted(lot_id)
        frozen(place.database).set(opens_at + 60 * DAY)
        assert await status_of(place, lot_id) == "failed"
        await place.relay.settle()
        assert (await place.deposit(bidder, lot_id)).state == "released", "both holds (R-CLOSE-02)"
