"""Auctions for tests, made through the services as a court would make them."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import select

from appraisal.assets import service as assets
from appraisal.assets.rules import AssetKind
from appraisal.assets.schemas import PlaceHold, RegisterAsset
from appraisal.cases.rules import PartyKind, PartyRole
from appraisal.cases.schemas import CaseView, PartyIn
from appraisal.reference_price import service as reference_price
from appraisal.reference_price.rules import Method
from appraisal.reference_price.schemas import FixPrice
from auction.announcements import service as announcements
from auction.announcements.rules import CHECKLIST
from auction.announcements.schemas import Checklist, DraftState, NoticeGiven, Published
from auction.lots import service as lots
from auction.lots.rules import Method as SaleMethod
from auction.lots.rules import Round
from auction.lots.schemas import LotTerms
from kernel.actors import Actor, platform
from kernel.clock import beijing_day
from kernel.contracts import Event
from kernel.database import Database, Tx
from kernel.money import Fen
from kernel.outbox import Outbox
from tests.appraisal.support import PARTIES, Court, make_case, make_court, make_decision, party_of
from tests.support.house import call, frozen

REFERENCE_PRICE = Fen(100_000_00)
TENANT = PartyIn(ref="tenant", role=PartyRole.INTERESTED_PERSON, name="承租人王某", kind=PartyKind.PERSON)
MUST_BE_TOLD = ("applicant", "debtor", "tenant")
Outcome = Literal["notified", "waived", "unreachable_posted"]
CHECKLIST_TEXTS = {item.key: f"{item.zh}：见公告" for item in CHECKLIST}


@dataclass(frozen=True)
class Place:
    """A case of one court with an asset whose reference price is fixed, and the court's staff."""

    database: Database
    court: Court
    case: CaseView
    asset_id: UUID

    @property
    def clerk(self) -> Actor:
        return self.court.clerk

    @property
    def judge(self) -> Actor:
        return self.court.judge

    def with_parties_of(self, other: "Place") -> "Place":
        """The same place, mistaken for the case of another."""
        return replace(self, case=other.case)


async def make_place(
    database: Database,
    *,
    court: Court | None = None,
    kind: AssetKind = AssetKind.MOVABLE,
    place: str = "上海市浦东新区",
    details: Mapping[str, str] | None = None,
    reference_price_fen: Fen = REFERENCE_PRICE,
    parties: tuple[PartyIn, ...] = (*PARTIES, TENANT),
) -> Place:
    """A fresh case with an asset and its reference price, agreed on by the parties today."""
    court = court or await make_court(database)
    case = await make_case(database, court, parties=parties)
    wanted = RegisterAsset(
        kind=kind,
        title="汽车一辆",
        description="车况良好",
        place=place,
        details=dict(details or {"occupation": "空置"}),
    )
    asset = await assets.register_asset(database, call(court.clerk), case.id, wanted)
    fixed = Place(database, court, case, asset.id)
    await fix_price(fixed, reference_price_fen)
    return fixed


async def fix_price(place: Place, price_fen: Fen) -> None:
    """A reference price of today."""
    wanted = FixPrice(
        method=Method.PARTY_AGREEMENT, price_fen=price_fen, fixed_on=beijing_day(place.database.clock.now())
    )
    await reference_price.fix_price(place.database, call(place.judge), place.asset_id, wanted)


async def decide(place: Place, facts: Mapping[str, str | int] | None = None) -> UUID:
    """A panel decision on lot terms."""
    return (await make_decision(place.database, place.court, place.case, facts=facts)).id


async def make_terms(place: Place, **changes: Any) -> LotTerms:
    """Lawful terms of a first round: start at 70 %, bidding for a day, beginning 40 days from now."""
    now = place.database.clock.now()
    terms: dict[str, Any] = {
        "asset_id": place.asset_id,
        "round": Round.ROUND_1,
        "title": "宝马牌小型轿车一辆",
        "method": SaleMethod.AUCTION,
        "start_price_fen": Fen(70_000_00),
        "increment_fen": Fen(500_00),
        "deposit_fen": Fen(7_000_00),
        "opens_at": now + timedelta(days=40),
        "scheduled_end": now + timedelta(days=41),
        "balance_due_days": 10,
    }
    terms |= changes
    if "decision_id" not in terms:
        terms["decision_id"] = await decide(place)
    return LotTerms(**terms)


async def make_draft(place: Place, **changes: Any) -> UUID:
    """A draft with lawful terms."""
    terms = await make_terms(place, **changes)
    return (await lots.draft_lot(place.database, call(place.clerk), terms)).id


async def fill_in(place: Place, lot_id: UUID, items: Mapping[str, str] = CHECKLIST_TEXTS) -> DraftState:
    """The checklist, whole unless `items` says otherwise."""
    return await announcements.fill_checklist(place.database, call(place.clerk), lot_id, Checklist(items=dict(items)))


async def notify(
    place: Place, lot_id: UUID, ref: str, outcome: Outcome = "notified", on: date | None = None
) -> DraftState:
    """Record that a party was told; today unless a day is given."""
    day = on or beijing_day(place.database.clock.now())
    given = NoticeGiven(party_id=party_of(place.case, ref).id, outcome=outcome, on=day, proof="送达回证")
    return await announcements.record_notice(place.database, call(place.clerk), lot_id, given)


async def make_ready_lot(place: Place, **changes: Any) -> UUID:
    """A draft that can be published: three days pass between the notices and the return of this function."""
    lot_id = await make_draft(place, **changes)
    await fill_in(place, lot_id)
    for ref in MUST_BE_TOLD:
        if ref in {party.ref for party in place.case.parties}:
            await notify(place, lot_id, ref)
    frozen(place.database).advance(timedelta(days=3))
    return lot_id


async def publish(place: Place, lot_id: UUID) -> Published:
    return await announcements.publish(place.database, call(place.judge), lot_id)


async def make_published_lot(place: Place, **changes: Any) -> UUID:
    """A published lot; the clock moves on by three days."""
    lot_id = await make_ready_lot(place, **changes)
    await publish(place, lot_id)
    return lot_id


async def hold(place: Place, reason: str = "案外人异议") -> UUID:
    """A hold on the asset (R-CASE-09)."""
    wanted = PlaceHold(reason=reason, ground="R-CASE-09")
    return (await assets.place_hold(place.database, call(place.judge), place.asset_id, wanted)).id


async def happen(database: Database, handler: Any, *events: Event) -> None:
    """Run a handler as the relay would, each event in a transaction of its own."""
    for event in events:
        async with database.transaction(platform("test")) as tx:
            await handler(tx, event)


async def told(database: Database, topic: str) -> list[dict[str, Any]]:
    """Payloads of the events of one topic, in order."""
    payloads = select(Outbox.payload).where(Outbox.topic == topic).order_by(Outbox.id)
    async with database.reading(platform("test")) as tx:
        return list((await tx.session.scalars(payloads)).all())


def each(handler: Callable[[Tx, Sequence[Any]], Awaitable[None]]) -> Callable[[Tx, Any], Awaitable[None]]:
    """A handler of many events, given one."""

    async def one(tx: Tx, event: Any) -> None:
        await handler(tx, [event])

    return one
