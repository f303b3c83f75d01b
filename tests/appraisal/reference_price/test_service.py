"""Reference prices on a real database: what was recorded decides, one price at a time, closed to other courts."""

import asyncio
from datetime import date, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from appraisal.assets import service as assets
from appraisal.days import DayInFuture
from appraisal.reference_price import service, store
from appraisal.reference_price.errors import NoPriceBasis, PriceFixed, ReportRecorded
from appraisal.reference_price.rules import Method, Objection
from appraisal.reference_price.schemas import (
    DecideObjection,
    FixPrice,
    RecordAppraisal,
    RecordReport,
    ReferencePriceView,
)
from kernel.actors import platform
from kernel.database import AlreadyAnswered, Database
from kernel.errors import Forbidden, KeyReused, NotFound
from kernel.money import Fen
from tests.appraisal.support import Court, make_case, make_court, make_unpriced_asset, today
from tests.support.house import call, frozen

pytestmark = pytest.mark.anyio


@pytest.fixture
async def asset_id(database: Database, court: Court) -> UUID:
    return (await make_unpriced_asset(database, court, await make_case(database, court))).id


def reported(platform_name: str, price_fen: int | None, on: date = date(2025, 3, 1)) -> RecordReport:
    if price_fen is None:
        return RecordReport(platform=platform_name, delivered=False)
    return RecordReport(platform=platform_name, delivered=True, price_fen=Fen(price_fen), report_on=on)


def agreed(database: Database, price_fen: int = 100_000_000) -> FixPrice:
    return FixPrice(method=Method.PARTY_AGREEMENT, price_fen=Fen(price_fen), fixed_on=today(database))


async def test_a_network_enquiry_becomes_the_price(database: Database, court: Court, asset_id: UUID) -> None:
    for wanted in (reported("甲", 123_456_700), reported("乙", 130_000_001), reported("丙", None), reported("丁", 90)):
        await service.record_report(database, call(court.clerk), asset_id, wanted)
    await service.decide_objection(
        database, call(court.clerk), asset_id, "丁", DecideObjection(objection=Objection.UPHELD)
    )
    wanted_price = FixPrice(method=Method.NETWORK_ENQUIRY, fixed_on=today(database))
    view = await service.fix_price(database, call(court.judge), asset_id, wanted_price)
    assert (view.price_fen, view.included) == (126_728_351, ("甲", "乙"))
    assert [(one.platform, one.reason.value) for one in view.excluded] == [("丙", "not-delivered"), ("丁", "upheld")]
    assert (view.fixed_on, view.valid_until, view.sell_by) == ("2025-03-03", "2026-03-01", "2026-09-01")
    async with database.reading(platform("test")) as tx:
        price = await service.get_reference_price(tx, asset_id)
    assert (price.price_fen, price.method, price.valid_until) == (126_728_351, Method.NETWORK_ENQUIRY, date(2026, 3, 1))
    shown = await service.show_pricing(database, court.clerk, asset_id)
    assert shown.price == view
    assert [one.platform for one in shown.reports] == ["甲", "乙", "丙", "丁"]


async def test_an_appraisal_becomes_the_price(database: Database, court: Court, asset_id: UUID) -> None:
    wanted = RecordAppraisal(
        institution="某房地产评估公司",
        price_fen=Fen(40_000_000),
        report_on=date(2025, 2, 20),
        valid_until=date(2026, 2, 19),
    )
    await service.record_appraisal(database, call(court.clerk), asset_id, wanted)
    fixing = FixPrice(method=Method.APPRAISAL, fixed_on=today(database))
    view = await service.fix_price(database, call(court.judge), asset_id, fixing)
    assert (view.price_fen, view.valid_until) == (40_000_000, "2026-02-19")


async def test_without_a_basis_there_is_no_price(database: Database, court: Court, asset_id: UUID) -> None:
    for method in (Method.NETWORK_ENQUIRY, Method.APPRAISAL):
        with pytest.raises(NoPriceBasis):
            await service.fix_price(
                database, call(court.judge), asset_id, FixPrice(method=method, fixed_on=today(database))
            )
    async with database.reading(platform("test")) as tx:
        with pytest.raises(NotFound):
            await service.get_reference_price(tx, asset_id)


async def test_a_platform_reports_once(database: Database, court: Court, asset_id: UUID) -> None:
    both = await asyncio.gather(
        *(service.record_report(database, call(court.clerk), asset_id, reported("甲", price)) for price in (1, 2)),
        return_exceptions=True,
    )
    assert sum(isinstance(one, ReportRecorded) for one in both) == 1
    assert len((await service.show_pricing(database, court.clerk, asset_id)).reports) == 1


async def test_while_a_price_stands_nothing_it_rests_on_changes(
    database: Database, court: Court, asset_id: UUID
) -> None:
    await service.record_report(database, call(court.clerk), asset_id, reported("甲", 100))
    await service.fix_price(database, call(court.judge), asset_id, agreed(database))
    for act in (
        service.record_report(database, call(court.clerk), asset_id, reported("乙", 100)),
        service.decide_objection(
            database, call(court.clerk), asset_id, "甲", DecideObjection(objection=Objection.UPHELD)
        ),
        service.fix_price(database, call(court.judge), asset_id, agreed(database)),
    ):
        with pytest.raises(PriceFixed):
            await act


async def test_after_expiry_a_new_round_begins_with_its_own_reports(
    database: Database, court: Court, asset_id: UUID
) -> None:
    await service.record_report(database, call(court.clerk), asset_id, reported("甲", 100))
    fixing = FixPrice(method=Method.NETWORK_ENQUIRY, fixed_on=today(database))
    await service.fix_price(database, call(court.judge), asset_id, fixing)
    frozen(database).advance(timedelta(days=400))
    assert (await service.show_pricing(database, court.clerk, asset_id)).reports == ()
    await service.record_report(database, call(court.clerk), asset_id, reported("甲", 80, today(database)))
    again = FixPrice(method=Method.NETWORK_ENQUIRY, fixed_on=today(database))
    await service.fix_price(database, call(court.judge), asset_id, again)
    async with database.reading(platform("test")) as tx:
        assert (await service.get_reference_price(tx, asset_id)).price_fen == 80


async def test_of_two_prices_at_once_one_is_fixed(database: Database, court: Court, asset_id: UUID) -> None:
    both = await asyncio.gather(
        *(service.fix_price(database, call(court.judge), asset_id, agreed(database, fen)) for fen in (100, 200)),
        return_exceptions=True,
    )
    assert {type(one) for one in both} == {ReferencePriceView, PriceFixed}


async def test_control_without_the_lock_both_find_no_price(
    database: Database, court: Court, asset_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the lock on the asset prevents: both judges find nothing fixed, and only the database stops the second."""
    both_looked = asyncio.Barrier(2)
    look = store.find_price

    async def look_together(*arguments: object) -> object:
        found = await look(*arguments)  # type: ignore[arg-type]
        await both_looked.wait()
        return found

    monkeypatch.setattr(assets, "lock_served_asset", assets.get_served_asset)
    monkeypatch.setattr(store, "find_price", look_together)
    both = await asyncio.gather(
        *(service.fix_price(database, call(court.judge), asset_id, agreed(database, fen)) for fen in (100, 200)),
        return_exceptions=True,
    )
    assert {type(one) for one in both} == {ReferencePriceView, IntegrityError}


async def test_the_same_call_again_gets_the_same_answer(database: Database, court: Court, asset_id: UUID) -> None:
    wanted = agreed(database)
    await service.fix_price(database, call(court.judge, "key-00001"), asset_id, wanted)
    with pytest.raises(AlreadyAnswered) as repeated:
        await service.fix_price(database, call(court.judge, "key-00001"), asset_id, wanted)
    assert b"100000000" in repeated.value.answer
    with pytest.raises(KeyReused):
        await service.fix_price(database, call(court.judge, "key-00001", b"other"), asset_id, wanted)


async def test_a_day_to_come_is_refused(database: Database, court: Court, asset_id: UUID) -> None:
    tomorrow = today(database) + timedelta(days=1)
    with pytest.raises(DayInFuture):
        await service.record_report(database, call(court.clerk), asset_id, reported("甲", 100, tomorrow))
    with pytest.raises(DayInFuture):
        await service.fix_price(
            database,
            call(court.judge),
            asset_id,
            FixPrice(method=Method.PARTY_AGREEMENT, price_fen=Fen(1), fixed_on=tomorrow),
        )


async def test_other_courts_and_roles_are_kept_out(database: Database, court: Court, asset_id: UUID) -> None:
    other = await make_court(database)
    for act in (
        service.record_report(database, call(other.clerk), asset_id, reported("甲", 100)),
        service.fix_price(database, call(other.judge), asset_id, agreed(database)),
        service.show_pricing(database, other.clerk, asset_id),
    ):
        with pytest.raises(NotFound):
            await act
    for act in (
        service.record_report(database, call(court.judge), asset_id, reported("甲", 100)),
        service.fix_price(database, call(court.clerk), asset_id, agreed(database)),
    ):
        with pytest.raises(Forbidden):
            await act


async def test_a_fixed_price_cannot_be_changed(database: Database, court: Court, asset_id: UUID) -> None:
    await service.fix_price(database, call(court.judge), asset_id, agreed(database))
    with pytest.raises(DBAPIError, match="append-only"):
        async with database.transaction(platform("test")) as tx:
            await tx.session.execute(text("UPDATE appraisal.reference_price SET price_fen = 1"))
