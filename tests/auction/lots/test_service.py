"""The road of an asset from sale to sale, races over a draft, and what bidding tells."""

import asyncio
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from auction import api
from auction.announcements.service import find_announcement
from auction.lots import handlers, service, store
from auction.lots.errors import AssetOnSale, AssetSold, NotADraft, NotSold, RoundNotAllowed
from auction.lots.models import Lot
from auction.lots.rules import Method, Round
from auction.lots.schemas import LotSaved
from auction.statistics import handlers as statistics
from kernel.actors import platform
from kernel.clock import to_ms
from kernel.contracts import (
    HoldPlaced,
    LotClosed,
    LotEndMoved,
    LotFrozen,
    LotOpened,
    LotResumed,
    LotSuspended,
    LotWithdrawn,
)
from kernel.database import Database, Tx
from kernel.errors import Malformed, NotFound, Refusal
from kernel.ids import ordered_id
from kernel.money import Fen
from kernel.outbox import Relay, tell
from tests.auction import support
from tests.auction.support import Place
from tests.support.house import call, frozen, opened

pytestmark = pytest.mark.anyio


async def facts_of(database: Database, lot_id: UUID) -> api.LotFacts:
    async with database.reading(platform("test")) as tx:
        return await api.get_lot(tx, lot_id)


def closed(lot_id: UUID, at: datetime, price_fen: int | None = None) -> LotClosed:
    """The close of a lot, sold if a price is given."""
    return LotClosed(
        lot_id=lot_id,
        ended_at=at,
        status="sold" if price_fen else "failed",
        registration_id=ordered_id() if price_fen else None,
        code="A1234" if price_fen else None,
        price_fen=price_fen,
        bids=3 if price_fen else 0,
        extensions=0,
    )


async def end(place: Place, lot_id: UUID, price_fen: int | None = None) -> None:
    """Let a published lot open and end at its planned time."""
    database = place.database
    lot = await facts_of(database, lot_id)
    assert lot.opens_at is not None
    assert lot.scheduled_end is not None
    await support.happen(database, handlers.open_lot, LotOpened(lot_id=lot_id, at=lot.opens_at))
    frozen(database).set(lot.scheduled_end)
    event = closed(lot_id, lot.scheduled_end, price_fen)
    await support.happen(database, support.each(handlers.close_lots), event)
    await support.happen(database, support.each(statistics.count_lots), event)


async def make_resale(place: Place, lot_id: UUID, barred: UUID) -> UUID:
    """The default of a sold lot with the resale it orders, in one transaction as settlement does."""
    async with place.database.transaction(platform("settlement")) as tx:
        await api.mark_defaulted(tx, lot_id)
        return await api.order_resale(tx, lot_id, ordered_id(), barred_person_ids=[barred])


async def second_round(place: Place, first: UUID, start_price_fen: int, **changes: object) -> UUID:
    return await support.make_ready_lot(
        place,
        round=Round.ROUND_2,
        previous_lot_id=first,
        start_price_fen=Fen(start_price_fen),
        deposit_fen=Fen(start_price_fen // 10),
        **({"opens_at": soon(place, 20), "scheduled_end": soon(place, 21)} | changes),
    )


def soon(place: Place, days: int) -> datetime:
    return place.database.clock.now() + timedelta(days=days)


async def test_the_second_round_follows_the_failed_first(database_url: str) -> None:
    async with opened(database_url) as database:
        place = await support.make_place(database)
        first = await support.make_published_lot(place)
        with pytest.raises(AssetOnSale):
            await second_round(place, first, 56_000_00)
        await end(place, first)
        with pytest.raises(Refusal) as refused:
            await second_round(place, first, 55_999_99)
        assert (refused.value.code, refused.value.rule) == ("second-round-price-too-low", "R-FAIL-01")
        with pytest.raises(RoundNotAllowed):
            await support.make_draft(place)
        second = await second_round(place, first, 56_000_00)
        await support.publish(place, second)
        assert (await facts_of(database, second)).previous_lot_id == first


async def test_the_second_round_is_announced_seven_days_and_starts_within_thirty(database_url: str) -> None:
    async with opened(database_url) as database:
        place = await support.make_place(database)
        first = await support.make_published_lot(place)
        await end(place, first)
        late = await second_round(place, first, 56_000_00, opens_at=soon(place, 31), scheduled_end=soon(place, 32))
        with pytest.raises(Refusal) as refused:
            await support.publish(place, late)
        assert (refused.value.code, refused.value.rule) == ("second-round-too-late", "R-FAIL-01")
        terms = await support.make_terms(
            place,
            round=Round.ROUND_2,
            previous_lot_id=first,
            start_price_fen=Fen(56_000_00),
            opens_at=soon(place, 6),
            scheduled_end=soon(place, 8),
        )
        await service.change_terms(database, call(place.clerk), late, terms)
        with pytest.raises(Refusal) as refused:
            await support.publish(place, late)
        assert (refused.value.code, refused.value.rule) == ("published-too-late", "R-FAIL-01")


async def test_no_term_of_an_announced_lot_is_edited(database_url: str) -> None:
    """Row 66: neither before it opens nor while it is open; its end moves by the desk's events alone (R-PUB-02)."""
    async with opened(database_url) as database:
        place = await support.make_place(database)
        lot_id = await support.make_published_lot(place)
        before = await facts_of(database, lot_id)
        assert before.opens_at is not None
        assert before.scheduled_end is not None
        same = {"opens_at": before.opens_at, "scheduled_end": before.scheduled_end}
        changes: list[dict[str, object]] = [
            {"start_price_fen": Fen(80_000_00), "deposit_fen": Fen(8_000_00)},
            {"scheduled_end": before.scheduled_end + timedelta(days=1)},
            {"opens_at": before.opens_at - timedelta(days=1)},
        ]
        for opens in (False, True):
            if opens:
                frozen(database).set(before.opens_at)
                await support.happen(database, handlers.open_lot, LotOpened(lot_id=lot_id, at=before.opens_at))
            for change in changes:
                wanted = await support.make_terms(place, **(same | change))
                with pytest.raises(NotADraft):
                    await service.change_terms(database, call(place.clerk), lot_id, wanted)
        after = await facts_of(database, lot_id)
        assert (after.start_price_fen, after.opens_at, after.scheduled_end) == (
            before.start_price_fen,
            before.opens_at,
            before.scheduled_end,
        )


async def test_a_sell_off_follows_the_failed_second_at_its_price(database_url: str) -> None:
    async with opened(database_url) as database:
        place = await support.make_place(database)
        first = await support.make_published_lot(place)
        await end(place, first)
        second = await second_round(place, first, 56_000_00)
        await support.publish(place, second)
        await end(place, second)
        wanted = {
            "round": Round.SELL_OFF,
            "method": Method.SELL_OFF,
            "previous_lot_id": second,
            "deposit_fen": Fen(6_000_00),
            "opens_at": soon(place, 40),
            "scheduled_end": soon(place, 100),
        }
        with pytest.raises(Refusal) as refused:
            await support.make_draft(place, start_price_fen=Fen(55_000_00), **wanted)
        assert refused.value.rule == "R-SELL-03"
        sell_off = await support.make_published_lot(place, start_price_fen=Fen(56_000_00), **wanted)
        await end(place, sell_off)
        with pytest.raises(RoundNotAllowed):
            await support.make_draft(place)


async def test_a_default_orders_the_resale_and_bars_the_buyer_quietly(database_url: str) -> None:
    async with opened(database_url) as database:
        place = await support.make_place(database)
        first = await support.make_published_lot(place)
        buyer, again = ordered_id(), ordered_id()
        with pytest.raises(NotSold):
            await make_resale(place, first, buyer)
        await end(place, first, 90_000_00)
        with pytest.raises(AssetSold):
            await support.make_draft(place, round=Round.RESALE, previous_lot_id=first)
        resale = await make_resale(place, first, buyer)
        assert await make_resale(place, first, buyer) == resale
        assert (await facts_of(database, first)).status == "defaulted"
        terms = await support.make_terms(place, round=Round.RESALE, previous_lot_id=first)
        with pytest.raises(Refusal, match="panel"):
            await support.publish(place, resale)
        await service.change_terms(database, call(place.clerk), resale, terms)
        await ready(place, resale)
        await support.publish(place, resale)
        event = (await support.told(database, "LotPublished"))[-1]
        assert event["barred_person_ids"] == [str(buyer)]

        await end(place, resale, 80_000_00)
        second_resale = await make_resale(place, resale, again)
        async with database.reading(platform("test")) as tx:
            assert (await store.get_lot(tx, second_resale)).barred_person_ids == sorted([buyer, again])
            found = await store.find_resale_of(tx, resale)
        assert found is not None
        assert found.id == second_resale


async def test_behind_a_second_round_held_again_there_is_no_third_auction(database_url: str) -> None:
    """R-FAIL-02: first round failed, second sold, its buyer defaulted twice over, the resale failed."""
    async with opened(database_url) as database:
        place = await support.make_place(database)
        first = await support.make_published_lot(place)
        await end(place, first)
        sold = await second_round(place, first, 56_000_00)
        await support.publish(place, sold)
        await end(place, sold, 60_000_00)
        for price_fen in (75_000_00, None):
            resale = await make_resale(place, sold, ordered_id())
            terms = await support.make_terms(place, round=Round.RESALE, previous_lot_id=sold)
            await service.change_terms(database, call(place.clerk), resale, terms)
            await ready(place, resale)
            await support.publish(place, resale)
            await end(place, resale, price_fen)
            sold = resale
        with pytest.raises(RoundNotAllowed) as refused:
            await second_round(place, resale, 56_000_00)
        assert refused.value.facts["allowed"] == "sell_off"
        await support.make_published_lot(
            place,
            round=Round.SELL_OFF,
            method=Method.SELL_OFF,
            previous_lot_id=resale,
            start_price_fen=Fen(70_000_00),
            opens_at=soon(place, 40),
            scheduled_end=soon(place, 100),
        )


async def test_an_end_that_bids_have_moved_is_shown_until_the_lot_ends(database_url: str) -> None:
    """R-SELL-05: a sell-off ends a day after its first bid, not with its period; R-BID-10 moves it on."""
    async with opened(database_url) as database:
        place = await support.make_place(database)
        lot_id, other = (
            await support.make_published_lot(place),
            await support.make_published_lot(await support.make_place(database)),
        )
        before = await facts_of(database, other)
        opens_at = (await facts_of(database, lot_id)).opens_at
        assert opens_at is not None
        await support.happen(database, handlers.open_lot, LotOpened(lot_id=lot_id, at=opens_at))
        for ends_at in (opens_at + timedelta(hours=24), opens_at + timedelta(hours=24, minutes=3)):
            moved = LotEndMoved(lot_id=lot_id, at=opens_at, ends_at=ends_at)
            await support.happen(database, support.each(handlers.move_ends), moved)
            lot = await row_of(database, lot_id)
            assert (lot.ends_at, lot.ends_rank, lot.changed_at) == (ends_at, to_ms(ends_at), database.clock.now())
        assert await facts_of(database, other) == before
        await end(place, lot_id)
        await support.happen(database, support.each(handlers.move_ends), moved)
        assert (await row_of(database, lot_id)).ends_at == (await facts_of(database, lot_id)).scheduled_end, "it ended"


async def row_of(database: Database, lot_id: UUID) -> Lot:
    async with database.reading(platform("test")) as tx:
        return await store.get_lot(tx, lot_id)


async def ready(place: Place, lot_id: UUID) -> None:
    await support.fill_in(place, lot_id)
    for ref in support.MUST_BE_TOLD:
        await support.notify(place, lot_id, ref)
    frozen(place.database).advance(timedelta(days=3))


async def test_a_withdrawn_lot_can_be_drafted_anew(database_url: str) -> None:
    async with opened(database_url) as database:
        place = await support.make_place(database)
        first = await support.make_published_lot(place)
        withdrawn = LotWithdrawn(lot_id=first, at=database.clock.now(), reason="案外人异议成立")
        await support.happen(database, handlers.withdraw_lot, withdrawn)
        assert (await facts_of(database, first)).status == "withdrawn"
        await support.make_published_lot(place)


async def test_a_withdrawn_resale_drafted_anew_keeps_the_bar(database_url: str) -> None:
    async with opened(database_url) as database:
        place = await support.make_place(database)
        first = await support.make_published_lot(place)
        await end(place, first, 90_000_00)
        buyer = ordered_id()
        resale = await make_resale(place, first, buyer)
        times = {"round": Round.RESALE, "previous_lot_id": first}
        await service.change_terms(database, call(place.clerk), resale, await support.make_terms(place, **times))
        await ready(place, resale)
        await support.publish(place, resale)
        withdrawn = LotWithdrawn(lot_id=resale, at=database.clock.now(), reason="重新评估")
        await support.happen(database, handlers.withdraw_lot, withdrawn)
        anew = await support.make_draft(place, **times)
        async with database.reading(platform("test")) as tx:
            assert (await store.get_lot(tx, anew)).barred_person_ids == [buyer]
            found = await store.find_resale_of(tx, first)
        assert found is not None
        assert found.id == anew


async def test_terms_outside_the_law_are_refused_when_drafted(database_url: str) -> None:
    async with opened(database_url) as database:
        place = await support.make_place(database)
        for rule, changes in [
            ("R-BID-01", {"start_price_fen": Fen(69_999_99)}),
            ("R-BID-03", {"deposit_fen": Fen(3_499_99)}),
            ("R-BID-03", {"deposit_fen": Fen(14_000_01)}),
            ("R-BID-08", {"increment_fen": Fen(0)}),
            ("R-BID-09", {"scheduled_end": soon(place, 41) - timedelta(seconds=1)}),
            ("R-CLOSE-04", {"balance_due_days": 0}),
        ]:
            with pytest.raises(Refusal) as refused:
                await support.make_draft(place, **changes)
            assert refused.value.rule == rule
        lot_id = await support.make_draft(place)
        with pytest.raises(Malformed):
            terms = await support.make_terms(place, round=Round.RESALE)
            await service.change_terms(database, call(place.clerk), lot_id, terms)


async def test_a_foreign_court_finds_neither_asset_nor_draft(database_url: str) -> None:
    async with opened(database_url) as database:
        place, foreign = await support.make_place(database), await support.make_place(database)
        lot_id = await support.make_draft(place)
        terms = await support.make_terms(place)
        with pytest.raises(NotFound):
            await service.draft_lot(database, call(foreign.clerk), terms)
        with pytest.raises(NotFound):
            await service.change_terms(database, call(foreign.clerk), lot_id, terms)
        with pytest.raises(NotFound):
            await service.list_case_lots(database, foreign.clerk, place.case.id)


async def test_two_drafts_of_one_asset_at_once(database_url: str) -> None:
    async with opened(database_url) as database:
        place = await support.make_place(database)
        terms = await support.make_terms(place)
        outcomes = await asyncio.gather(
            *(service.draft_lot(database, call(place.clerk), terms) for _ in range(4)), return_exceptions=True
        )
        assert sum(isinstance(outcome, LotSaved) for outcome in outcomes) == 1
        assert sum(isinstance(outcome, AssetOnSale) for outcome in outcomes) == 3


async def change_while_publishing(place: Place, lot_id: UUID) -> list[object]:
    """Publish and change the terms at the same moment: the change reads the draft before the publication commits."""
    terms = await support.make_terms(place, deposit_fen=Fen(14_000_00))
    database = place.database
    locked = asyncio.Event()

    async def publish() -> object:
        async with database.transaction(place.judge) as tx:
            lot = await store.lock_lot(tx, lot_id)
            locked.set()
            await asyncio.sleep(0.3)
            service.enter_catalogue(lot, tx.now())
        return None

    async def change() -> object:
        await locked.wait()
        return await service.change_terms(database, call(place.clerk), lot_id, terms)

    return list(await asyncio.gather(publish(), change(), return_exceptions=True))


async def test_terms_do_not_change_under_a_publication(database_url: str) -> None:
    async with opened(database_url) as database:
        place = await support.make_place(database)
        lot_id = await support.make_ready_lot(place)
        outcomes = await change_while_publishing(place, lot_id)
        assert isinstance(outcomes[1], NotADraft)
        assert (await facts_of(database, lot_id)).deposit_fen == 7_000_00


async def test_control_without_the_lock_a_published_lot_changes(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unlocked(tx: Tx, lot_id: UUID) -> Lot:
        return await store.get_lot(tx, lot_id)

    monkeypatch.setattr(store, "lock_lot", unlocked)
    async with opened(database_url) as database:
        place = await support.make_place(database)
        lot_id = await support.make_ready_lot(place)
        outcomes = await change_while_publishing(place, lot_id)
        assert isinstance(outcomes[1], LotSaved)
        lot = await facts_of(database, lot_id)
        assert (lot.status, lot.deposit_fen) == ("published", 14_000_00)


async def test_the_lot_follows_bidding_and_repeated_events_change_nothing(database_url: str) -> None:
    async with opened(database_url) as database:
        place = await support.make_place(database)
        lot_id = await support.make_published_lot(place)
        at, later = soon(place, 37), soon(place, 39)
        steps = [
            (handlers.open_lot, LotOpened(lot_id=lot_id, at=at), "live"),
            (handlers.suspend_lot, LotSuspended(lot_id=lot_id, at=at, reason="异议"), "suspended"),
            (handlers.resume_lot, LotResumed(lot_id=lot_id, at=at, ends_at=later), "live"),
            (handlers.freeze_lot, LotFrozen(lot_id=lot_id, at=at, reason="故障"), "frozen"),
            (handlers.resume_lot, LotResumed(lot_id=lot_id, at=at, ends_at=later), "live"),
            (support.each(handlers.close_lots), closed(lot_id, later, 90_000_00), "sold"),
        ]
        for handler, event, status in steps:
            await support.happen(database, handler, event, event)
            assert (await facts_of(database, lot_id)).status == status
        lot = await facts_of(database, lot_id)
        assert (lot.price_fen, lot.ended_at) == (90_000_00, later)
        await support.happen(database, handlers.open_lot, steps[0][1])
        assert (await facts_of(database, lot_id)).status == "sold"


async def test_events_told_through_the_outbox_arrive_once(database_url: str) -> None:
    async with opened(database_url) as database:
        place = await support.make_place(database)
        lot_id = await support.make_published_lot(place)
        relay = Relay(database)
        handlers.subscribe(relay)
        statistics.subscribe(relay)
        at = soon(place, 41)
        async with database.transaction(platform("desk")) as tx:
            await tell(tx, LotOpened(lot_id=lot_id, at=at))
            await tell(tx, closed(lot_id, at, 90_000_00))
            await tell(tx, closed(lot_id, at, 90_000_00))
        await relay.settle()
        await relay.settle()
        assert (await facts_of(database, lot_id)).status == "sold"


async def test_a_hold_shows_on_the_lot_until_it_is_lifted(database_url: str) -> None:
    from appraisal.assets.service import lift_hold

    async with opened(database_url) as database:
        place = await support.make_place(database)
        lot_id = await support.make_published_lot(place)
        relay = Relay(database)
        handlers.subscribe(relay)
        hold_id = await support.hold(place)
        await relay.settle()
        assert (await held(database, lot_id)) is True
        placed = HoldPlaced(hold_id=hold_id, asset_id=place.asset_id, case_id=place.case.id, reason="异议")
        await lift_hold(database, call(place.judge), hold_id)
        await relay.settle()
        assert (await held(database, lot_id)) is False
        await support.happen(database, handlers.note_hold, placed)
        assert (await held(database, lot_id)) is False


async def held(database: Database, lot_id: UUID) -> bool:
    async with database.reading(platform("test")) as tx:
        return (await store.get_lot(tx, lot_id)).held


async def test_the_version_that_bidders_accept_travels_with_the_publication(database_url: str) -> None:
    async with opened(database_url) as database:
        place = await support.make_place(database)
        lot_id = await support.make_published_lot(place)
        [event] = await support.told(database, "LotPublished")
        async with database.reading(platform("test")) as tx:
            announcement = await find_announcement(tx, lot_id)
        assert announcement is not None
        assert event["announcement_version"] == announcement.version


async def test_a_new_first_round_needs_a_later_reference_price(database_url: str) -> None:
    async with opened(database_url) as database:
        place = await support.make_place(database)
        first = await support.make_published_lot(place)
        await end(place, first)
        frozen(database).advance(timedelta(days=400))
        with pytest.raises(RoundNotAllowed):
            await support.make_draft(place)
        await support.fix_price(place, Fen(90_000_00))
        await support.make_published_lot(place)
