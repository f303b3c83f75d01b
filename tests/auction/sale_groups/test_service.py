"""A group from the court's statement of the debt to the publication of its lots (R-CLOSE-12)."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from appraisal.assets import service as assets
from appraisal.assets.rules import AssetKind
from appraisal.assets.schemas import RegisterAsset
from auction.catalogue.service import show_lot
from auction.lots.service import list_case_lots
from auction.lots.store import ends_of_group
from auction.sale_groups import service, store
from auction.sale_groups.errors import EndsNotStaggered, GroupOfAnotherCase
from auction.sale_groups.schemas import MakeGroup
from kernel.actors import visitor
from kernel.database import Tx
from kernel.errors import Forbidden, NotFound
from tests.auction import support
from tests.auction.support import Place
from tests.support.house import call, frozen, opened

pytestmark = pytest.mark.anyio

TARGET_FEN = 90_000_00


async def make_group(place: Place) -> UUID:
    wanted = MakeGroup(target_fen=TARGET_FEN, decision_id=await support.decide(place))
    return (await service.make_group(place.database, call(place.judge), place.case.id, wanted)).id


async def second_asset(place: Place) -> Place:
    """Another asset of the same case, priced."""
    wanted = RegisterAsset(
        kind=AssetKind.MOVABLE, title="挖掘机", description="完好", place="上海", details={"occupation": "空置"}
    )
    asset = await assets.register_asset(place.database, call(place.clerk), place.case.id, wanted)
    other = replace(place, asset_id=asset.id)
    await support.fix_price(other, support.REFERENCE_PRICE)
    return other


async def two_ready(place: Place, distance: timedelta) -> list[UUID]:
    """Two drafts of one group, ready to be published, whose ends lie `distance` apart."""
    group = await make_group(place)
    other = await second_asset(place)
    now = frozen(place.database).now()
    times = {"opens_at": now + timedelta(days=40), "scheduled_end": now + timedelta(days=41)}
    first = await support.make_ready_lot(place, sale_group_id=group, **times)
    later = times | {"scheduled_end": times["scheduled_end"] + distance}
    return [first, await support.make_ready_lot(other, sale_group_id=group, **later)]


async def test_staggered_lots_are_published_with_their_group(database_url: str) -> None:
    async with opened(database_url) as database:
        place = await support.make_place(database)
        for lot_id in await two_ready(place, timedelta(minutes=5)):
            await support.publish(place, lot_id)
        (group,) = (await service.list_groups(database, place.clerk, place.case.id)).sale_groups
        for event in await support.told(database, "LotPublished"):
            assert (event["sale_group_id"], event["sale_group_target_fen"]) == (str(group.id), TARGET_FEN)
        page = await show_lot(database, visitor("test"), lot_id)
        assert page.announcement is not None
        assert page.announcement.sale_group is not None
        assert page.announcement.sale_group.target_fen == TARGET_FEN
        rows = (await list_case_lots(database, place.clerk, place.case.id)).lots
        assert {row.sale_group_id for row in rows} == {group.id}


async def test_lots_that_would_end_together_are_not_published(database_url: str) -> None:
    async with opened(database_url) as database:
        place = await support.make_place(database)
        first, second = await two_ready(place, timedelta(minutes=4))
        await support.publish(place, first)
        with pytest.raises(EndsNotStaggered):
            await support.publish(place, second)
        page = await show_lot(database, place.clerk, second)
        assert page.draft is not None
        assert [missing.code for missing in page.draft.missing] == ["ends-not-staggered"], "said beforehand too"


async def publish_both(place: Place, lots: list[UUID]) -> list[object]:
    return list(await asyncio.gather(*(support.publish(place, lot) for lot in lots), return_exceptions=True))


async def test_two_publications_at_once_see_each_other(database_url: str) -> None:
    async with opened(database_url) as database:
        place = await support.make_place(database)
        outcomes = await publish_both(place, await two_ready(place, timedelta(0)))
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["EndsNotStaggered", "Published"]


async def test_control_without_the_groups_lock_both_are_published(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both look before either has published: the barrier stands where the lock was."""
    both_looked = asyncio.Barrier(2)

    async def no_lock(tx: Tx, group_id: UUID) -> None:
        """Nobody waits for anybody."""

    async def ends_then_wait(tx: Tx, lot: object) -> object:
        ends = await ends_of_group(tx, lot)  # type: ignore[arg-type]
        await both_looked.wait()
        return ends

    monkeypatch.setattr(store, "lock_group", no_lock)
    monkeypatch.setattr("auction.lots.store.ends_of_group", ends_then_wait)
    async with opened(database_url) as database:
        place = await support.make_place(database)
        lots = await two_ready_unseen(place, monkeypatch)
        outcomes = await publish_both(place, lots)
        assert [type(outcome).__name__ for outcome in outcomes] == ["Published", "Published"]


async def two_ready_unseen(place: Place, monkeypatch: pytest.MonkeyPatch) -> list[UUID]:
    """As `two_ready`; the drafts are made while nothing waits at the barrier."""
    with monkeypatch.context() as quiet:

        async def nothing(tx: Tx, lot: object) -> list[object]:
            return []

        quiet.setattr("auction.lots.store.ends_of_group", nothing)
        return await two_ready(place, timedelta(0))


async def test_a_group_serves_its_own_case_and_court(database_url: str) -> None:
    async with opened(database_url) as database:
        place, elsewhere = await support.make_place(database), await support.make_place(database)
        group = await make_group(elsewhere)
        with pytest.raises(GroupOfAnotherCase):
            await support.make_draft(place, sale_group_id=group)
        wanted = MakeGroup(target_fen=TARGET_FEN, decision_id=await support.decide(place))
        with pytest.raises(NotFound):
            await service.make_group(database, call(elsewhere.judge), place.case.id, wanted)
        with pytest.raises(Forbidden):
            await service.make_group(database, call(place.clerk), place.case.id, wanted)
