"""Holds on an asset reach its lots, whichever is told first, the hold or the publication (R-CASE-09); with controls."""

import asyncio
from collections.abc import Awaitable, Sequence
from uuid import UUID

import pytest
from sqlalchemy import select

from appraisal.assets import service as assets
from appraisal.assets.rules import Hold
from appraisal.assets.schemas import HoldView, PlaceHold
from bidding.desk import commands
from bidding.desk.errors import AssetHeld
from bidding.desk.models import LotCommand, LotHold
from bidding.registration import handlers
from kernel.actors import Actor, Role, platform
from kernel.contracts import HoldLifted, HoldPlaced
from kernel.database import Database, Tx
from kernel.ids import ordered_id, random_id
from tests.bidding.support import CASE, COURT, publish, register_asset
from tests.support.house import call, opened

pytestmark = pytest.mark.anyio

JUDGE = Actor(random_id(), "judge", frozenset({Role.JUDGE}), COURT, "127.0.0.1")
REASON = "案外人异议审查"


async def held_asset(database: Database) -> tuple[UUID, HoldPlaced]:
    """An asset with a hold, which is told to a bidding that knows no lot of it yet."""
    asset_id = ordered_id()
    await register_asset(database, asset_id)
    view = await hold(database, asset_id)
    placed = HoldPlaced(hold_id=view.id, asset_id=asset_id, case_id=CASE, reason=REASON)
    await tell(database, placed)
    return asset_id, placed


async def hold(database: Database, asset_id: UUID) -> HoldView:
    return await assets.place_hold(
        database, call(JUDGE), asset_id, PlaceHold(reason=REASON, ground="民事诉讼法第二百三十八条")
    )


async def tell(database: Database, event: HoldPlaced | HoldLifted) -> None:
    async with database.transaction(platform("relay")) as tx:
        if isinstance(event, HoldPlaced):
            await handlers.place_hold(tx, event)
        else:
            await handlers.lift_hold(tx, event)


async def orders(database: Database) -> list[tuple[UUID, str, str]]:
    async with database.reading(platform("test")) as tx:
        rows = await tx.session.execute(select(LotCommand.lot_id, LotCommand.kind, LotCommand.reason))
        return [(row[0], row[1], row[2]) for row in rows]


async def holds(database: Database) -> list[tuple[UUID, bool]]:
    """The copies: of which lot, and whether it stands."""
    async with database.reading(platform("test")) as tx:
        rows = await tx.session.execute(select(LotHold.lot_id, LotHold.lifted_at))
        return [(row[0], row[1] is None) for row in rows]


async def test_a_hold_told_before_the_publication_stops_the_lot(database_url: str) -> None:
    async with opened(database_url) as database:
        asset_id, placed = await held_asset(database)
        lot_id = await publish(database, asset_id=asset_id)
        assert await orders(database) == [(lot_id, "suspended", REASON)]
        await tell(database, placed)
        assert await orders(database) == [(lot_id, "suspended", REASON)], "told again behind it, it stops once"
        with pytest.raises(AssetHeld):
            async with database.transaction(platform("test")) as tx:
                await commands.order(tx, lot_id, "resume", "查明")
        await assets.lift_hold(database, call(JUDGE), placed.hold_id)
        await tell(database, HoldLifted(hold_id=placed.hold_id, asset_id=asset_id, case_id=CASE))
        assert await holds(database) == [(lot_id, False)]
        async with database.transaction(platform("test")) as tx:
            await commands.order(tx, lot_id, "resume", "异议已驳回")


async def test_a_hold_lifted_before_the_publication_stops_nothing(database_url: str) -> None:
    async with opened(database_url) as database:
        asset_id, placed = await held_asset(database)
        await assets.lift_hold(database, call(JUDGE), placed.hold_id)
        await publish(database, asset_id=asset_id)
        assert (await orders(database), await holds(database)) == ([], [])


async def while_copied(
    database: Database, monkeypatch: pytest.MonkeyPatch, asset_id: UUID, meanwhile: Awaitable[None], *, locked: bool
) -> tuple[UUID, bool]:
    """Publish a lot, and do something behind the copy's look at the holds; whether that came before its commit."""
    looked, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(tx: Tx, asset_id: UUID, *, lock: bool) -> Sequence[Hold]:
        found = await assets.find_holds(tx, asset_id, lock=lock and locked)
        looked.set()
        await go_on.wait()
        return found

    monkeypatch.setattr(handlers, "find_holds", slowly)
    publishing = asyncio.create_task(publish(database, asset_id=asset_id))
    await looked.wait()
    doing = asyncio.ensure_future(meanwhile)
    await asyncio.wait([doing], timeout=0.3)
    slipped_in = doing.done()
    go_on.set()
    lot_id = await publishing
    await doing
    return lot_id, slipped_in


async def placed_and_told(database: Database, asset_id: UUID) -> None:
    view = await hold(database, asset_id)
    await tell(database, HoldPlaced(hold_id=view.id, asset_id=asset_id, case_id=CASE, reason=REASON))


async def lifted_and_told(database: Database, placed: HoldPlaced) -> None:
    await assets.lift_hold(database, call(JUDGE), placed.hold_id)
    await tell(database, HoldLifted(hold_id=placed.hold_id, asset_id=placed.asset_id, case_id=CASE))


async def test_a_hold_placed_while_the_lot_is_copied_waits_and_finds_it(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(database_url) as database:
        asset_id = ordered_id()
        await register_asset(database, asset_id)
        placing = placed_and_told(database, asset_id)
        lot_id, slipped_in = await while_copied(database, monkeypatch, asset_id, placing, locked=True)
        assert not slipped_in
        assert await orders(database) == [(lot_id, "suspended", REASON)]


async def test_a_hold_lifted_while_the_lot_is_copied_is_lifted_there_too(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(database_url) as database:
        asset_id, placed = await held_asset(database)
        lifting = lifted_and_told(database, placed)
        lot_id, slipped_in = await while_copied(database, monkeypatch, asset_id, lifting, locked=True)
        assert not slipped_in
        assert await holds(database) == [(lot_id, False)]


async def test_control_without_the_assets_lock_both_are_lost(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(database_url) as database:
        asset_id = ordered_id()
        await register_asset(database, asset_id)
        placing = placed_and_told(database, asset_id)
        _, slipped_in = await while_copied(database, monkeypatch, asset_id, placing, locked=False)
        assert (slipped_in, await orders(database), await holds(database)) == (True, [], [])
        asset_id, placed = await held_asset(database)
        lifting = lifted_and_told(database, placed)
        lot_id, slipped_in = await while_copied(database, monkeypatch, asset_id, lifting, locked=False)
        assert (slipped_in, await holds(database)) == (True, [(lot_id, True)]), "it would stand for good"
