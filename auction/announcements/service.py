"""Use cases of announcements: fill in what must be shown, tell who must be told, publish.

Publication is one decision over everything R-PUB-01 to 05, R-CASE-09 and R-REF-13 ask for, made under the lot's
lock; `read_draft_state` shows the same list beforehand. What is published is kept as bytes that never change.
"""

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from uuid import UUID

import msgspec

import appraisal.api as appraisal
from auction.announcements import composing, store
from auction.announcements.models import Announcement, LotDocument, SaleNotice
from auction.announcements.rules import (
    MUST_BE_TOLD,
    DocumentKind,
    Notice,
    NoticeStatus,
    check_checklist,
    check_holds,
    check_notices,
    check_period,
    check_second_start,
    earliest_start,
    latest_second_start,
    obstacles,
)
from auction.announcements.schemas import (
    Checklist,
    DocumentView,
    DraftState,
    Missing,
    NoticeGiven,
    NoticeView,
    Published,
)
from auction.lots import after_failure
from auction.lots import service as lots
from auction.lots.bounds import check_decision, check_terms, deposit_band, lowest_start, resale_percent_of
from auction.lots.errors import TermsIncomplete
from auction.lots.models import Lot
from auction.lots.rules import Round
from auction.sale_groups import service as sale_groups
from auction.sale_groups.rules import check_staggered
from kernel.actors import Actor, Role
from kernel.audit import record
from kernel.clock import beijing, beijing_day, day_begins
from kernel.database import Call, Database, Tx
from kernel.documents import Document, get_document, store_document
from kernel.errors import Malformed, NotFound, Refusal
from kernel.outbox import tell


async def fill_checklist(database: Database, call: Call, lot_id: UUID, wanted: Checklist) -> DraftState:
    """Write texts of the publish checklist of a draft."""
    async with database.command(call) as tx:
        lot = await lots.lock_draft(tx, lot_id, Role.CLERK)
        now = tx.now()
        await store.save_checklist(tx, lot.id, wanted.items, now)
        facts = {key: hashlib.sha256(text.encode()).hexdigest() for key, text in wanted.items.items()}
        await record(tx, "announcements.checklist", f"lot:{lot.id}", facts, case_id=lot.case_id)
        return tx.answer(await read_draft_state(tx, lot))


async def record_notice(database: Database, call: Call, lot_id: UUID, wanted: NoticeGiven) -> DraftState:
    """Keep how a party of the case learned of the sale; a later record replaces an earlier one."""
    async with database.command(call) as tx:
        lot = await lots.lock_draft(tx, lot_id, Role.CLERK)
        now = tx.now()
        if wanted.on > beijing_day(now):
            raise Malformed("$.on", "today or an earlier day", "不晚于今日的日期")
        case = await appraisal.get_case(tx, lot.case_id)
        if wanted.party_id not in {party.id for party in case.parties}:
            raise NotFound(what="party")
        await store.save_notice(
            tx,
            SaleNotice(
                lot_id=lot.id,
                party_id=wanted.party_id,
                outcome=wanted.outcome,
                day=wanted.on,
                proof=wanted.proof,
                recorded_at=now,
            ),
        )
        await record(tx, "announcements.notice", f"lot:{lot.id}", wanted, case_id=lot.case_id)
        return tx.answer(await read_draft_state(tx, lot))


async def attach_document(
    database: Database, call: Call, lot_id: UUID, *, kind: DocumentKind, name: str, content: bytes
) -> DocumentView:
    """Add a document to a draft; what kind of file it is, its first bytes decide. A picture is PNG or JPEG."""
    async with database.command(call) as tx:
        lot = await lots.lock_draft(tx, lot_id, Role.CLERK)
        document = await store_document(tx, name, content, public=True, case_id=lot.case_id)
        if kind is DocumentKind.PICTURE and not document.media_type.startswith("image/"):
            raise Malformed("content", "PNG or JPEG", "PNG 或 JPEG 图片")
        row = LotDocument(
            lot_id=lot.id,
            document_id=document.id,
            kind=kind,
            name=document.name,
            media_type=document.media_type,
            size=document.size,
            sha256=document.sha256,
        )
        await store.add_document(tx, row)
        facts = {"document_id": document.id, "kind": kind}
        await record(tx, "announcements.attach", f"lot:{lot.id}", facts, case_id=lot.case_id)
        return tx.answer(composing.view_document(row))


async def read_document(database: Database, actor: Actor, document_id: UUID) -> Document:
    """A document: of a published lot for everybody, any other for staff of its court."""
    async with database.reading(actor) as tx:
        document = await get_document(tx, document_id)
        lot_id = await store.find_lot_of_document(tx, document_id)
        if lot_id is not None:
            lot = await lots.get_lot(tx, lot_id)
            if document.public and lot.published_at is not None:
                return document
        if document.case_id is None:
            raise NotFound(what="document")
        case = await appraisal.get_case(tx, document.case_id)
        actor.must_serve(case.court_id, "document")
        return document


async def read_announcement(database: Database, actor: Actor, lot_id: UUID) -> bytes:
    """The bytes of a published announcement."""
    async with database.reading(actor) as tx:
        announcement = await store.find_announcement(tx, lot_id)
        if announcement is None:
            raise NotFound(what="lot")
        return announcement.content


async def find_announcement(tx: Tx, lot_id: UUID) -> Announcement | None:
    """The published announcement of a lot; None for a draft."""
    return await store.find_announcement(tx, lot_id)


async def find_versions(tx: Tx, lot_ids: Collection[UUID]) -> dict[UUID, str]:
    """The version of the published announcement of each of these lots that has one."""
    return await store.find_versions(tx, lot_ids)


async def find_pictures(tx: Tx, lot_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """The first picture of each lot that has one: lot -> document."""
    return await store.find_pictures(tx, lot_ids)


async def publish(database: Database, call: Call, lot_id: UUID) -> Published:
    """Publish a draft: freeze its announcement and tell bidding. Refuses with the first thing that is missing."""
    async with database.command(call) as tx:
        lot = await lots.lock_draft(tx, lot_id, Role.JUDGE)
        if lot.sale_group_id is not None:
            await sale_groups.lock_group(tx, lot.sale_group_id)
        asset = await appraisal.get_asset(tx, lot.asset_id)
        price = await appraisal.get_reference_price(tx, lot.asset_id)
        await lots.copy_asset(tx, lot, asset, price)
        now = tx.now()
        if missing := await find_obstacles(tx, lot, beijing_day(now), publishing=True):
            raise missing[0]
        text = await composing.compose(tx, lot, asset, price, now)
        content = msgspec.json.encode(text, order="deterministic")
        version = hashlib.sha256(content).hexdigest()
        lots.enter_catalogue(lot, now)
        await after_failure.note_published(tx, lot)
        await store.add_announcement(
            tx,
            Announcement(
                lot_id=lot.id, version=version, content=content, published_at=now, published_by=tx.actor.person
            ),
        )
        await record(tx, "announcements.publish", f"lot:{lot.id}", {"version": version}, case_id=lot.case_id)
        await tell(tx, await composing.published(tx, lot, version))
        return tx.answer(Published(lot.id, lot.status, version, beijing(now)))


async def read_draft_state(tx: Tx, lot: Lot) -> DraftState:
    """What a publication today would still need, and the legal bounds of the terms."""
    today = beijing_day(tx.now())
    previous, decided = await lots.find_previous_round(tx, lot), await _decided(tx, lot)
    low, high = deposit_band(lot.start_price_fen)
    latest = latest_second_start(_failed_on(previous)) if previous and lot.round == Round.ROUND_2 else None
    return DraftState(
        missing=tuple(Missing.of(refusal) for refusal in await find_obstacles(tx, lot, today)),
        notices=tuple(view for view, _ in await _list_notices(tx, lot)),
        start_price_min_fen=lowest_start(
            Round(lot.round),
            lot.reference_price_fen,
            previous.start_price_fen if previous else None,
            resale_percent_of(decided),
        ),
        deposit_min_fen=low,
        deposit_max_fen=high,
        earliest_start_on=earliest_start(today, Round(lot.round), movable=lot.movable, decided=decided).isoformat(),
        latest_start_on=latest.isoformat() if latest else None,
    )


async def find_obstacles(tx: Tx, lot: Lot, publish_on: date, *, publishing: bool = False) -> tuple[Refusal, ...]:
    """Everything that forbids publishing the draft on `publish_on`, in the order a court would mend it.

    `publishing` locks the asset, so that no hold can slip in behind the check (R-CASE-09).
    """
    checklist = await store.read_checklist(tx, lot.id)
    notices = [Notice(view.name, NoticeStatus(view.outcome), day) for view, day in await _list_notices(tx, lot)]
    holds = [hold.reason for hold in await appraisal.find_holds(tx, lot.asset_id, lock=publishing)]
    return obstacles(
        [
            *await _checks_of_terms(tx, lot, publish_on),
            lambda: check_checklist(checklist),
            lambda: check_notices(notices, publish_on),
            lambda: check_holds(holds),
        ]
    )


async def _checks_of_terms(tx: Tx, lot: Lot, publish_on: date) -> list[Callable[[], None]]:
    schedule, terms = lot.schedule, lot.terms
    if schedule is None or terms is None:
        return [_refuse_incomplete]
    price, decided = await appraisal.get_reference_price(tx, lot.asset_id), await _decided(tx, lot)
    previous = await lots.find_previous_round(tx, lot)
    previous_fen, percent = previous.start_price_fen if previous else None, resale_percent_of(decided)
    announced_on = await _first_announced_on(tx, lot, price.fixed_on) or publish_on
    starts_on, ends_on = beijing_day(schedule.opens_at), beijing_day(schedule.ends_at)
    checks: list[Callable[[], None]] = [
        lambda: check_terms(terms, price.price_fen, previous_fen, resale_percent=percent),
        lambda: check_decision(decided, terms),
        lambda: appraisal.require_good_price(price.valid_until, announced_on, ends_on),
        lambda: check_period(
            terms.round, movable=lot.movable, publish_on=publish_on, starts_on=starts_on, decided=decided
        ),
    ]
    if lot.sale_group_id is not None:
        ends = await lots.ends_of_group(tx, lot)
        checks.append(lambda: check_staggered(schedule.ends_at, ends))
    if previous is not None and terms.round is Round.ROUND_2:
        checks.append(lambda: check_second_start(starts_on, _failed_on(previous)))
    return checks


async def _decided(tx: Tx, lot: Lot) -> Mapping[str, str | int]:
    """What the panel's decision on the terms fixed; nothing before there is one."""
    if lot.schedule is None:
        return {}
    decision_id, subject = lot.schedule.decision_id, appraisal.Subject.LOT_TERMS
    return (await appraisal.get_decision(tx, decision_id, case_id=lot.case_id, subject=subject)).facts


def _refuse_incomplete() -> None:
    raise TermsIncomplete()


def _failed_on(previous: Lot) -> date:
    assert previous.ended_at is not None, "a second round follows a round that has ended"
    return beijing_day(previous.ended_at)


async def _first_announced_on(tx: Tx, lot: Lot, price_fixed_on: date) -> date | None:
    """The day of the first announcement under the present reference price (R-REF-13)."""
    announced_at = await lots.first_announced_at(tx, lot.asset_id, day_begins(price_fixed_on))
    return beijing_day(announced_at) if announced_at else None


async def _list_notices(tx: Tx, lot: Lot) -> list[tuple[NoticeView, date | None]]:
    """Everybody who must be told, in the case's order, with what was done; the day also as a date."""
    case = await appraisal.get_case(tx, lot.case_id)
    given = {notice.party_id: notice for notice in await store.list_notices(tx, lot.id)}
    listed = []
    for party in case.parties:
        if party.role not in MUST_BE_TOLD:
            continue
        notice = given.get(party.id)
        outcome = notice.outcome if notice else NoticeStatus.PENDING
        day = notice.day if notice else None
        proof = notice.proof if notice else None
        on = day.isoformat() if day else None
        listed.append((NoticeView(party.id, party.name, party.role, outcome, on, proof), day))
    return listed
