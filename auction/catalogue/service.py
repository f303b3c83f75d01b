"""Use cases of the catalogue: search published lots, show one lot."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from uuid import UUID

import msgspec

from auction.announcements import service as announcements
from auction.announcements.schemas import AnnouncementText
from auction.catalogue import store
from auction.catalogue.rules import TODAY, Sort, read_cursor, rest_of_day, span_of, write_cursor
from auction.catalogue.schemas import CataloguePage, EndsAt, FacetValue, LotCard, LotPage, ResultView, SaleLine
from auction.catalogue.store import Filter
from auction.lots import service as lots
from auction.lots.models import Lot
from auction.lots.rules import Status, discount_bp
from auction.statistics.rules import percent
from kernel.actors import Actor
from kernel.answers import Answers
from kernel.clock import beijing
from kernel.database import Database, Tx
from kernel.identity import service as identity


@dataclass(frozen=True, slots=True)
class Counted:
    """What is counted of all lots that fit: see `CataloguePage`."""

    total: int
    facets: dict[str, tuple[FacetValue, ...]]
    today: tuple[EndsAt, ...]


async def browse(
    database: Database,
    answers: Answers,
    actor: Actor,
    wanted: Filter,
    *,
    sort: Sort,
    after: str | None,
    limit: int,
    ends: str | None = None,
) -> CataloguePage:
    """One page of published lots with its facet counts; `ends` is `today` or the minute in which they end.

    The counts may be two seconds old.
    """
    question = "catalogue", wanted.key, ends
    cursor = read_cursor(sort, after) if after else None
    async with database.reading(actor) as tx:
        now = tx.now()
        wanted = replace(wanted, ends=span_of(ends, now)) if ends is not None else wanted
        wanted = await store.without_frequent(tx, wanted)
        found = await store.search(tx, wanted, sort, cursor, limit + 1)
        page = found[:limit]
        pictures = await announcements.find_pictures(tx, [lot.id for lot in page])
    counted = await answers.get(question, lambda: _count(database, actor, wanted))
    return CataloguePage(
        now=beijing(now),
        rate=database.clock.rate,
        lots=tuple(_card(lot, pictures.get(lot.id)) for lot in page),
        next=write_cursor(sort, store.cursor_of(page[-1], sort)) if len(found) > limit else None,
        total=counted.total,
        facets=counted.facets,
        today=counted.today,
    )


async def _count(database: Database, actor: Actor, wanted: Filter) -> Counted:
    async with database.reading(actor) as tx:
        today = rest_of_day(tx.now())
        choices = await store.count_choices(tx, wanted)
        facets = await _facets(tx, choices)
        ending = await store.count(tx, replace(wanted, ends=today))
        facets["ends"] = (FacetValue(TODAY, TODAY, ending),) if ending else ()
        soonest = await store.count_ends(tx, today)
    return Counted(choices.total, facets, tuple(EndsAt(beijing(at), number) for at, number in soonest))


async def _facets(tx: Tx, choices: store.Choices) -> dict[str, tuple[FacetValue, ...]]:
    names = await identity.court_names(tx, [court_id for court_id, _ in choices.facets["court"]])
    return {
        facet: tuple(FacetValue(value, names.get(value, value), number) for value, number in choices.facets[facet])
        for facet in store.FACETS
    }


async def cards_of(tx: Tx, lot_ids: Sequence[UUID]) -> tuple[LotCard, ...]:
    """Published lots as the catalogue shows them, in the order asked for."""
    found = {lot.id: lot for lot in await store.find_lots(tx, lot_ids)}
    pictures = await announcements.find_pictures(tx, list(found))
    return tuple(_card(found[lot_id], pictures.get(lot_id)) for lot_id in lot_ids if lot_id in found)


async def show_lot(database: Database, actor: Actor, lot_id: UUID) -> LotPage:
    """The lot page. A draft is found by staff of its court alone, with what its publication still needs."""
    async with database.reading(actor) as tx:
        lot = await lots.get_lot(tx, lot_id)
        if lot.status == Status.DRAFT:
            actor.must_serve(lot.court_id, "lot")
        return await _page(tx, lot)


async def _page(tx: Tx, lot: Lot) -> LotPage:
    draft = lot.status == Status.DRAFT
    announcement = await announcements.find_announcement(tx, lot.id)
    text = msgspec.json.decode(announcement.content, type=AnnouncementText) if announcement else None
    sales = await lots.list_asset_sales(tx, lot.asset_id)
    return LotPage(
        id=lot.id,
        case_no=lot.case_no,
        court_id=lot.court_id,
        court_name=lot.court_name,
        asset_id=lot.asset_id,
        kind=lot.asset_kind,
        title=lot.title,
        place=lot.place,
        round=lot.round,
        method=lot.method,
        status=lot.status,
        held=lot.held,
        halt_reason=lot.halt_reason,
        purchase_limited=lot.purchase_limited,
        loan_available=lot.loan_available,
        vacated=lot.vacated,
        priority_purchaser=lot.priority_purchaser,
        watched=lot.watched,
        start_price_fen=lot.start_price_fen,
        increment_fen=lot.increment_fen,
        deposit_fen=lot.deposit_fen,
        reference_price_fen=lot.reference_price_fen,
        discount_bp=discount_bp(lot.start_price_fen, lot.reference_price_fen),
        balance_due_days=lot.balance_due_days,
        decision_id=lot.decision_id,
        opens_at=beijing(lot.opens_at) if lot.opens_at else None,
        scheduled_end=beijing(lot.scheduled_end) if lot.scheduled_end else None,
        ends_at=beijing(lot.ends_at) if lot.ends_at else None,
        published_at=beijing(lot.published_at) if lot.published_at else None,
        opened_at=beijing(lot.opened_at) if lot.opened_at else None,
        announcement_version=announcement.version if announcement else None,
        announcement=text,
        sales=tuple(_sale_line(sale) for sale in sales if sale.id != lot.id),
        result=_result(lot),
        draft=await announcements.read_draft_state(tx, lot) if draft else None,
    )


def _card(lot: Lot, picture: UUID | None) -> LotCard:
    assert lot.opens_at is not None, "a published lot has its time"
    assert lot.ends_at is not None, "a published lot has an end"
    return LotCard(
        id=lot.id,
        title=lot.title,
        place=lot.place,
        court_id=lot.court_id,
        court_name=lot.court_name,
        kind=lot.asset_kind,
        round=lot.round,
        method=lot.method,
        status=lot.status,
        held=lot.held,
        purchase_limited=lot.purchase_limited,
        loan_available=lot.loan_available,
        vacated=lot.vacated,
        priority_purchaser=lot.priority_purchaser,
        watched=lot.watched,
        picture=picture,
        start_price_fen=lot.start_price_fen,
        price_fen=lot.price_fen,
        reference_price_fen=lot.reference_price_fen,
        discount_bp=discount_bp(lot.start_price_fen, lot.reference_price_fen),
        deposit_fen=lot.deposit_fen,
        opens_at=beijing(lot.opens_at),
        ends_at=beijing(lot.ends_at),
    )


def _sale_line(lot: Lot) -> SaleLine:
    assert lot.ends_at is not None, "a published lot has an end"
    return SaleLine(lot.id, lot.round, lot.status, lot.start_price_fen, lot.price_fen, beijing(lot.ends_at))


def _result(lot: Lot) -> ResultView | None:
    if lot.ended_at is None:
        return None
    return ResultView(
        status=lot.status,
        ended_at=beijing(lot.ended_at),
        code=lot.winner_code,
        price_fen=lot.price_fen,
        bids=lot.bids,
        extensions=lot.extensions,
        premium_over_start=_premium(lot.price_fen, lot.start_price_fen),
        premium_over_reference=_premium(lot.price_fen, lot.reference_price_fen),
    )


def _premium(price_fen: int | None, base_fen: int) -> str | None:
    return percent(Fraction(price_fen - base_fen, base_fen)) if price_fen is not None else None
