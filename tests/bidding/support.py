"""Lots and bidders of bidding, made as the platform makes them: by the event and the use cases."""

from datetime import timedelta
from uuid import UUID

from msgspec.structs import replace
from sqlalchemy import text

from appraisal.cases.schemas import CaseView
from bidding.registration import admission, handlers, service
from bidding.registration.rules import BidderKind
from bidding.registration.schemas import OwnRegistration, Register, UnlockLot
from kernel.actors import Actor, Role, platform
from kernel.contracts import LotPublished
from kernel.database import Database
from kernel.ids import ordered_id, random_id
from tests.appraisal.support import APPLICANT, DEBTOR, Court, link_person, make_case, make_claim, make_court
from tests.support.house import START, call

COURT = UUID("00000000-0000-7000-8000-000000000001")
CASE = UUID("00000000-0000-7000-8000-000000000002")
OPENS = START + timedelta(days=30)
ENDS = OPENS + timedelta(hours=24)
START_FEN, STEP_FEN, DEPOSIT_FEN = 1_000_000, 10_000, 200_000


def bidder(name: str = "bidder") -> Actor:
    """Somebody who may bid, in a login session of their own."""
    return Actor(random_id(), name, frozenset({Role.BIDDER}), None, "127.0.0.1", random_id())


async def publish(database: Database, **changes: object) -> UUID:
    """A lot as auction publishes it; returns its id."""
    terms: dict[str, object] = {
        "lot_id": ordered_id(),
        "case_id": CASE,
        "court_id": COURT,
        "asset_id": ordered_id(),
        "title": "宝马 730Li 轿车",
        "method": "auction",
        "opens_at": OPENS,
        "scheduled_end": ENDS,
        "start_price_fen": START_FEN,
        "increment_fen": STEP_FEN,
        "deposit_fen": DEPOSIT_FEN,
    }
    event = LotPublished(**(terms | changes))  # type: ignore[arg-type]
    await register_asset(database, event.asset_id)
    async with database.transaction(platform("relay")) as tx:
        await handlers.copy_terms(tx, event)
    return event.lot_id


async def register_asset(database: Database, asset_id: UUID) -> None:
    """The asset that is sold, without its case."""
    insert = text(
        "INSERT INTO appraisal.asset (id, case_id, court_id, kind, title, description, place, details, registered_at)"
        " VALUES (:asset, :case, :court, 'movable', '轿车', '轿车', '杭州', '{}', now()) ON CONFLICT DO NOTHING"
    )
    async with database.transaction(platform("test")) as tx:
        await tx.session.execute(text("SET LOCAL session_replication_role = replica"))
        await tx.session.execute(insert, {"asset": asset_id, "case": CASE, "court": COURT})


async def applicants(database: Database, *claimed: tuple[Actor, int], court: Court | None = None) -> CaseView:
    """A case with these people as its applicants, each with a claim of so many fen, 0 for none."""
    parties = [replace(APPLICANT, ref=f"applicant-{number}") for number, _ in enumerate(claimed)]
    court = court or await make_court(database)
    case = await make_case(database, court, parties=(*parties, DEBTOR))
    for number, (who, claim_fen) in enumerate(claimed):
        await link_person(database, case, f"applicant-{number}", who.person)
        if claim_fen:
            await make_claim(database, court, case, f"applicant-{number}", principal_fen=claim_fen)
    return case


def ordinary(kind: BidderKind = BidderKind.ORDINARY) -> Register:
    """What a bidder sends to register."""
    return Register(kind=kind, accepts="1", declares_eligible=True)


async def admitted(database: Database, lot_id: UUID, who: Actor | None = None) -> tuple[Actor, OwnRegistration]:
    """A bidder whose deposit was confirmed and who has entered the bid password."""
    who = who or bidder()
    own = await service.register(database, call(who), lot_id, ordinary())
    async with database.transaction(platform("deposits")) as tx:
        await admission.admit(tx, own.registration_id)
    issued = await service.issue_password(database, who, lot_id)
    return who, await service.unlock(database, call(who), lot_id, UnlockLot(password=issued.password))
