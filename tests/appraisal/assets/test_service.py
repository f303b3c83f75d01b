"""Assets, seizures and holds on a real database."""

import asyncio
from datetime import date, timedelta
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import select

from appraisal.assets import service
from appraisal.assets.errors import AssetDisposed, AssetTaken, HoldLiftedBefore, RankTaken
from appraisal.assets.rules import AssetKind, Measure, Standing, Way
from appraisal.assets.schemas import (
    DisposalView,
    HoldView,
    PlaceHold,
    RegisterAsset,
    RegisterSeizure,
    RenewSeizure,
    SeizureView,
)
from appraisal.cases.schemas import CaseView
from appraisal.days import DayInFuture
from kernel.actors import platform
from kernel.audit import AuditEntry
from kernel.database import AlreadyAnswered, Database
from kernel.errors import Forbidden, KeyReused, NotFound
from kernel.outbox import Outbox
from tests.appraisal.support import Court, make_case, make_court, make_unpriced_asset, party_of
from tests.support.house import call, frozen

pytestmark = pytest.mark.anyio

THIRD_PARTY = PlaceHold(reason="案外人对执行标的提出异议", ground="民事诉讼法第二百三十八条")


@pytest.fixture
async def case(database: Database, court: Court) -> CaseView:
    return await make_case(database, court)


@pytest.fixture
async def asset_id(database: Database, court: Court, case: CaseView) -> UUID:
    return (await make_unpriced_asset(database, court, case)).id


def sealing(case: CaseView, rank: int = 1, *, ref: str = "applicant", waiting: bool = False) -> RegisterSeizure:
    return RegisterSeizure(
        measure=Measure.SEAL,
        party_id=party_of(case, ref).id,
        from_on=date(2023, rank, 1),
        to_on=date(2026, rank, 1),
        rank=rank,
        waiting=waiting,
    )


async def told(database: Database) -> list[str]:
    async with database.reading(platform("test")) as tx:
        return list(await tx.session.scalars(select(Outbox.topic).order_by(Outbox.id)))


async def test_an_asset_is_registered_and_read_by_its_court_alone(
    database: Database, court: Court, case: CaseView
) -> None:
    details = {"occupation": "出租至2027年", "arrears": "物业费"}
    asset = await make_unpriced_asset(database, court, case, details=details)
    assert await service.show_asset(database, court.judge, asset.id) == asset
    assert await service.show_assets(database, court.judge, case.id) == (asset,)
    async with database.reading(platform("test")) as tx:
        facts = await service.get_asset(tx, asset.id)
    assert (facts.court_id, facts.case_id, facts.kind) == (court.id, case.id, AssetKind.IMMOVABLE)
    assert facts.details == details
    other = await make_court(database)
    with pytest.raises(NotFound):
        await service.show_asset(database, other.clerk, asset.id)
    with pytest.raises(NotFound):
        await service.show_assets(database, other.clerk, case.id)


async def test_the_same_registration_again_gets_the_same_answer(
    database: Database, court: Court, case: CaseView
) -> None:
    wanted = RegisterAsset(kind=AssetKind.MOVABLE, title="宝马730", description="轿车", place="上海")
    asset = await service.register_asset(database, call(court.clerk, "key-00001"), case.id, wanted)
    with pytest.raises(AlreadyAnswered) as repeated:
        await service.register_asset(database, call(court.clerk, "key-00001"), case.id, wanted)
    assert str(asset.id).encode() in repeated.value.answer
    with pytest.raises(KeyReused):
        await service.register_asset(database, call(court.clerk, "key-00001", b"other"), case.id, wanted)
    assert len(await service.show_assets(database, court.clerk, case.id)) == 1


async def test_seizures_stand_in_their_order(database: Database, court: Court, case: CaseView, asset_id: UUID) -> None:
    clerk = court.clerk
    await service.register_seizure(database, call(clerk), asset_id, sealing(case, 2, ref="creditor", waiting=True))
    first = await service.register_seizure(database, call(clerk), asset_id, sealing(case, 1))
    assert first.standing is Standing.EFFECTIVE
    shown = (await service.show_asset(database, clerk, asset_id)).seizures
    assert [(one.rank, one.standing) for one in shown] == [(1, Standing.EFFECTIVE), (2, Standing.WAITING)]
    frozen(database).advance(timedelta(days=310))
    shown = (await service.show_asset(database, clerk, asset_id)).seizures
    assert [(one.rank, one.standing) for one in shown] == [(1, Standing.LAPSED), (2, Standing.EFFECTIVE)]


async def test_a_seizure_is_renewed_and_then_ends_with_the_sale(
    database: Database, court: Court, case: CaseView, asset_id: UUID
) -> None:
    first = await service.register_seizure(database, call(court.clerk), asset_id, sealing(case))
    renewed = await service.renew_seizure(database, call(court.clerk), first.id, RenewSeizure(to_on=date(2029, 1, 1)))
    assert (renewed.id, renewed.to_on, renewed.standing) == (first.id, "2029-01-01", Standing.EFFECTIVE)
    async with database.transaction(platform("settlement")) as tx:
        await service.pass_title(tx, asset_id, Way.SALE, date(2025, 3, 3))
    shown = await service.show_asset(database, court.clerk, asset_id)
    assert [(one.to_on, one.ended_on, one.standing) for one in shown.seizures] == [
        ("2029-01-01", "2025-03-03", Standing.ENDED)
    ]
    assert shown.disposal == DisposalView(Way.SALE, "2025-03-03")
    with pytest.raises(AssetDisposed):
        await service.register_seizure(database, call(court.clerk), asset_id, sealing(case, 2, waiting=True))


async def test_seizures_that_a_sale_ended_live_again_with_their_ranks_when_it_is_undone(
    database: Database, court: Court, case: CaseView, asset_id: UUID
) -> None:
    """R-HALT-04; one that ran out meanwhile has lapsed, and what had ended before the sale stays ended."""
    await service.register_seizure(database, call(court.clerk), asset_id, sealing(case, 1))
    later = await service.register_seizure(
        database, call(court.clerk), asset_id, sealing(case, 2, ref="creditor", waiting=True)
    )
    await service.renew_seizure(database, call(court.clerk), later.id, RenewSeizure(to_on=date(2029, 1, 1)))
    async with database.transaction(platform("settlement")) as tx:
        await service.pass_title(tx, asset_id, Way.SALE, date(2025, 3, 3))
    ended = (await service.show_asset(database, court.clerk, asset_id)).seizures
    assert {one.standing for one in ended} == {Standing.ENDED}
    frozen(database).advance(timedelta(days=310))
    async with database.transaction(platform("settlement")) as tx:
        await service.undo_disposal(tx, asset_id, Way.SALE)
        await service.undo_disposal(tx, asset_id, Way.SALE)
        facts = await tx.session.scalars(
            select(AuditEntry.facts).where(
                AuditEntry.action == "assets.revive-seizures", AuditEntry.subject == f"asset:{asset_id}"
            )
        )
        (revived,) = [msgspec.json.decode(each)["seizures"] for each in facts]
    shown = await service.show_asset(database, court.clerk, asset_id)
    assert [(one.rank, one.ended_on, one.standing) for one in shown.seizures] == [
        (1, None, Standing.LAPSED),
        (2, None, Standing.EFFECTIVE),
    ]
    assert sorted(revived) == sorted(str(one.id) for one in shown.seizures)
    assert shown.disposal is None
    async with database.transaction(platform("settlement")) as tx:
        await service.pass_title(tx, asset_id, Way.SALE, date(2026, 3, 3))


async def test_what_is_promised_to_one_is_free_for_nobody_else(
    database: Database, court: Court, case: CaseView, asset_id: UUID
) -> None:
    """R-FAIL-03, 04: a taking keeps everybody else away until title passes or the taking lapses."""
    async with database.transaction(platform("settlement")) as tx:
        await service.require_free(tx, asset_id)
        await service.promise(tx, asset_id)
        for refused in (service.require_free, service.promise):
            with pytest.raises(AssetTaken):
                await refused(tx, asset_id)
    assert (await service.show_asset(database, court.clerk, asset_id)).disposal == DisposalView(Way.TAKING, None)
    await service.register_seizure(database, call(court.clerk), asset_id, sealing(case))
    async with database.transaction(platform("settlement")) as tx:
        await service.undo_disposal(tx, asset_id, Way.SALE)
        with pytest.raises(AssetTaken):
            await service.promise(tx, asset_id)
        await service.undo_disposal(tx, asset_id, Way.TAKING)
        await service.promise(tx, asset_id)
        await service.pass_title(tx, asset_id, Way.TAKING, date(2025, 3, 3))
        with pytest.raises(AssetDisposed):
            await service.promise(tx, asset_id)


async def test_a_seizure_needs_a_party_of_the_case_and_a_day_that_has_come(
    database: Database, court: Court, case: CaseView, asset_id: UUID
) -> None:
    foreign = await make_case(database, court)
    with pytest.raises(NotFound):
        await service.register_seizure(database, call(court.clerk), asset_id, sealing(foreign))
    early = RegisterSeizure(
        measure=Measure.SEAL,
        party_id=party_of(case, "applicant").id,
        from_on=date(2025, 3, 4),
        to_on=date(2026, 3, 4),
        rank=1,
        waiting=False,
    )
    with pytest.raises(DayInFuture):
        await service.register_seizure(database, call(court.clerk), asset_id, early)


async def test_of_two_first_seizures_at_once_one_is_registered(
    database: Database, court: Court, case: CaseView, asset_id: UUID
) -> None:
    both = await asyncio.gather(
        *(
            service.register_seizure(database, call(court.clerk), asset_id, sealing(case, ref=ref))
            for ref in ("applicant", "creditor")
        ),
        return_exceptions=True,
    )
    assert {type(one) for one in both} == {SeizureView, RankTaken}


async def test_another_court_seizes_and_holds_nothing(
    database: Database, court: Court, case: CaseView, asset_id: UUID
) -> None:
    other = await make_court(database)
    first = await service.register_seizure(database, call(court.clerk), asset_id, sealing(case))
    hold = await service.place_hold(database, call(court.judge), asset_id, THIRD_PARTY)
    for act in (
        service.register_seizure(database, call(other.clerk), asset_id, sealing(case, 2, waiting=True)),
        service.renew_seizure(database, call(other.clerk), first.id, RenewSeizure(to_on=date(2029, 1, 1))),
        service.place_hold(database, call(other.judge), asset_id, THIRD_PARTY),
        service.lift_hold(database, call(other.judge), hold.id),
    ):
        with pytest.raises(NotFound):
            await act
    assert len((await service.show_asset(database, court.clerk, asset_id)).holds) == 1


async def test_only_the_right_role_acts(database: Database, court: Court, case: CaseView, asset_id: UUID) -> None:
    for act in (
        service.register_seizure(database, call(court.judge), asset_id, sealing(case)),
        service.place_hold(database, call(court.clerk), asset_id, THIRD_PARTY),
        service.lift_hold(database, call(court.clerk), asset_id),
    ):
        with pytest.raises(Forbidden):
            await act


async def test_a_hold_is_told_stands_and_is_lifted_once(database: Database, court: Court, asset_id: UUID) -> None:
    first = await service.place_hold(database, call(court.judge), asset_id, THIRD_PARTY)
    second = await service.place_hold(database, call(court.judge), asset_id, THIRD_PARTY)
    async with database.reading(platform("test")) as tx:
        assert [hold.id for hold in await service.find_holds(tx, asset_id)] == [first.id, second.id]
    await service.lift_hold(database, call(court.judge), first.id)
    with pytest.raises(HoldLiftedBefore):
        await service.lift_hold(database, call(court.judge), first.id)
    async with database.reading(platform("test")) as tx:
        assert [hold.id for hold in await service.find_holds(tx, asset_id)] == [second.id]
    assert await told(database) == ["HoldPlaced", "HoldPlaced", "HoldLifted"]


async def test_a_repeated_hold_is_told_once(database: Database, court: Court, asset_id: UUID) -> None:
    both = await asyncio.gather(
        *(service.place_hold(database, call(court.judge, "key-00001"), asset_id, THIRD_PARTY) for _ in range(2)),
        return_exceptions=True,
    )
    assert {type(one) for one in both} == {HoldView, AlreadyAnswered}
    assert await told(database) == ["HoldPlaced"]


async def test_while_a_disposal_looks_no_hold_can_be_placed(database: Database, court: Court, asset_id: UUID) -> None:
    async with database.transaction(platform("publication")) as tx:
        assert await service.find_holds(tx, asset_id, lock=True) == []
        placing = asyncio.create_task(service.place_hold(database, call(court.judge), asset_id, THIRD_PARTY))
        await asyncio.sleep(0.2)
        assert not placing.done()
    assert (await placing).lifted_at is None


async def test_control_without_the_lock_a_hold_slips_in_behind_the_look(
    database: Database, court: Court, asset_id: UUID
) -> None:
    async with database.transaction(platform("publication")) as tx:
        assert await service.find_holds(tx, asset_id) == []
        await service.place_hold(database, call(court.judge), asset_id, THIRD_PARTY)
        assert len(await service.find_holds(tx, asset_id)) == 1
