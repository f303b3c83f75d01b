"""After a failed second round: creditors asked in 10 days, the sell-off published in 15; late is shown, not refused."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from auction.lots import after_failure, service
from auction.lots.errors import SecondRoundStands
from auction.lots.rules import Method, Round, ask_creditors_by, is_late, publish_sell_off_by
from auction.lots.schemas import AfterFailureView, CreditorsAsked
from kernel.actors import Role
from kernel.clock import beijing_day
from kernel.errors import Forbidden, Malformed, NotFound
from kernel.money import Fen
from tests.appraisal.support import make_court
from tests.auction import support
from tests.auction.lots.test_service import end, second_round, soon
from tests.auction.support import Place
from tests.support.house import call, frozen, opened

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def failed_twice(url: str) -> AsyncIterator[tuple[Place, UUID, UUID]]:
    """A place, its first and its second round, which has failed now."""
    async with opened(url) as database:
        place = await support.make_place(database)
        first = await support.make_published_lot(place)
        await end(place, first)
        second = await second_round(place, first, 56_000_00)
        await support.publish(place, second)
        await end(place, second)
        yield place, first, second


async def owed(place: Place, lot_id: UUID) -> AfterFailureView | None:
    rows = (await service.list_case_lots(place.database, place.clerk, place.case.id)).lots
    return next(row.after_failure for row in rows if row.id == lot_id)


async def ask(place: Place, lot_id: UUID, who: Any = None, **changes: Any) -> AfterFailureView:
    asked: dict[str, Any] = {"on": today(place), "proof": "询问笔录", "somebody_takes": False} | changes
    wanted = CreditorsAsked(**asked)
    return await after_failure.record_creditors_asked(place.database, call(who or place.clerk), lot_id, wanted)


def today(place: Place) -> date:
    return beijing_day(place.database.clock.now())


async def sell_off(place: Place, second: UUID) -> UUID:
    """The sell-off, published three days from now."""
    return await support.make_published_lot(
        place,
        round=Round.SELL_OFF,
        method=Method.SELL_OFF,
        previous_lot_id=second,
        start_price_fen=Fen(56_000_00),
        deposit_fen=Fen(6_000_00),
        opens_at=soon(place, 40),
        scheduled_end=soon(place, 100),
    )


async def test_both_in_time(database_url: str) -> None:
    async with failed_twice(database_url) as (place, first, second):
        failed_on = today(place)
        assert await owed(place, first) is None, "a second round follows a first"
        fresh = await owed(place, second)
        assert fresh is not None
        assert fresh.ask_creditors_by == ask_creditors_by(failed_on).isoformat()
        assert fresh.publish_sell_off_by == publish_sell_off_by(failed_on).isoformat()
        assert (fresh.asked_late, fresh.sell_off_late) == (False, False)
        asked = await ask(place, second)
        assert (asked.asked_on, asked.asked_late) == (failed_on.isoformat(), False)
        await sell_off(place, second)
        frozen(place.database).advance(timedelta(days=60))
        done = await owed(place, second)
        assert done is not None
        published_on = (failed_on + timedelta(days=3)).isoformat()
        assert (done.sell_off_published_on, done.sell_off_late, done.asked_late) == (published_on, False, False)


async def test_what_is_not_done_is_late_and_can_still_be_done(database_url: str) -> None:
    async with failed_twice(database_url) as (place, _, second):
        failed_on = today(place)
        frozen(place.database).advance(timedelta(days=(ask_creditors_by(failed_on) - failed_on).days))
        last = await owed(place, second)
        assert last is not None
        assert not last.asked_late, "the last day is in time"
        frozen(place.database).advance(timedelta(days=20))
        late = await owed(place, second)
        assert late is not None
        assert (late.asked_late, late.sell_off_late) == (True, True)
        assert (await ask(place, second)).asked_late
        assert not (await ask(place, second, on=failed_on)).asked_late, "recorded late, done in time"
        await sell_off(place, second)
        done = await owed(place, second)
        assert done is not None
        assert done.sell_off_published_on == today(place).isoformat()
        assert done.sell_off_late


async def test_no_sell_off_is_owed_while_a_creditor_takes_the_thing(database_url: str) -> None:
    async with failed_twice(database_url) as (place, _, second):
        await ask(place, second, somebody_takes=True)
        frozen(place.database).advance(timedelta(days=60))
        found = await owed(place, second)
        assert found is not None
        assert not found.sell_off_late
        assert (await ask(place, second, somebody_takes=False)).sell_off_late, "the creditor did not pay after all"


async def test_who_asks_when_and_about_what(database_url: str) -> None:
    async with failed_twice(database_url) as (place, first, second):
        with pytest.raises(SecondRoundStands):
            await ask(place, first)
        for day in (today(place) - timedelta(days=1), today(place) + timedelta(days=1)):
            with pytest.raises(Malformed):
                await ask(place, second, on=day)
        with pytest.raises(Forbidden):
            await ask(place, second, place.judge)
        with pytest.raises(NotFound):
            await ask(place, second, (await make_court(place.database)).staff(Role.CLERK))


def test_periods_roll_and_the_last_day_is_in_time() -> None:
    """R-GEN-03: 2025-05-31 is a Saturday and the Dragon Boat holiday lasts to Monday."""
    assert ask_creditors_by(date(2025, 5, 21)) == date(2025, 6, 3)
    assert publish_sell_off_by(date(2025, 5, 16)) == date(2025, 6, 3)
    by = date(2025, 6, 3)
    assert not is_late(by, by, date(2025, 7, 1))
    assert is_late(by, date(2025, 6, 4), date(2025, 7, 1))
    assert not is_late(by, None, by)
    assert is_late(by, None, date(2025, 6, 4))
