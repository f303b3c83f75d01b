"""The one door of bidding for settlement and app; every function works inside the caller's open transaction.

Nothing here tells who stands behind a registration, but `reveal_buyers` and `addresses_by_code` after the end, and to
the person themselves `find_own_registration` and `list_own_standings`. Locks are taken lot first, then registration;
before your own.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from bidding.desk import commands
from bidding.desk.commands import next_due
from bidding.desk.rules import FINISHED, Status
from bidding.feed.rooms import view_of
from bidding.feed.schemas import LotView
from bidding.feed.store import state_of
from bidding.registration import store
from bidding.registration.admission import Buyer, addresses_by_code, admit, is_payer, lock_both, release, reveal_buyers
from bidding.registration.errors import RegistrationClosed
from bidding.registration.models import Registration
from kernel.database import Tx
from kernel.money import Fen

__all__ = [
    "Buyer",
    "LotResult",
    "LotView",
    "OwnStanding",
    "RegistrationClosed",
    "RegistrationFacts",
    "addresses_by_code",
    "admit",
    "find_own_registration",
    "get_registration",
    "get_result",
    "is_payer",
    "list_own_standings",
    "list_registrations",
    "lock_registration",
    "lock_registrations",
    "next_due",
    "release",
    "reveal_buyers",
]


@dataclass(frozen=True, slots=True)
class RegistrationFacts:
    """A registration as other contexts may know it: never a person. `state` is as in `RegistrationState`."""

    id: UUID
    lot_id: UUID
    code: str
    kind: str
    deposit_due_fen: Fen
    state: str
    admitted_at: datetime | None
    released_at: datetime | None


@dataclass(frozen=True, slots=True)
class LotResult:
    """Where a lot stands: `status` is `sold` or `failed` once closed, else the desk's status; `over`: nothing more
    is bid on it.

    `registration_id`, `code` and `price_fen` are the leader's, after the close the buyer's; None without a bid.
    `ended_at` is None until the lot has closed.
    """

    lot_id: UUID
    status: str
    over: bool
    registration_id: UUID | None
    code: str | None
    price_fen: Fen | None
    ended_at: datetime | None
    bids: int
    extensions: int


@dataclass(frozen=True, slots=True)
class OwnStanding:
    """A person's own registration beside where its lot stands: for that person alone."""

    registration: RegistrationFacts
    priority_rank: int | None
    has_password: bool
    bids: int
    highest_fen: Fen | None
    lot: LotView
    leads: bool


async def get_registration(tx: Tx, registration_id: UUID) -> RegistrationFacts:
    """The registration; refuses `not-found`."""
    return _facts(await store.get_registration(tx, registration_id))


async def lock_registration(tx: Tx, registration_id: UUID) -> RegistrationFacts:
    """The registration, locked behind its lot, so that nothing changes its eligibility meanwhile."""
    _, registration = await lock_both(tx, registration_id)
    return _facts(registration)


async def lock_registrations(tx: Tx, registration_ids: Collection[UUID]) -> None:
    """The same for many: each locked behind its lot, as far as that still runs."""
    await store.lock_placed(tx, registration_ids)


async def list_registrations(tx: Tx, lot_id: UUID) -> list[RegistrationFacts]:
    """All registrations of a lot, by code."""
    return [_facts(found) for found in await store.list_registrations(tx, lot_id)]


async def find_own_registration(tx: Tx, lot_id: UUID, person_id: UUID) -> RegistrationFacts | None:
    """The door: a person's own registration. Ask it for the person who is asking, never for another."""
    found = await store.find_own(tx, lot_id, person_id)
    return _facts(found) if found else None


async def list_own_standings(tx: Tx, person_id: UUID, most: int) -> list[OwnStanding]:
    """The door: all registrations of the person who is asking, those of the lot that ends last first."""
    return [await _own_standing(tx, found) for found in await store.list_own(tx, person_id, most)]


async def get_result(tx: Tx, lot_id: UUID) -> LotResult:
    """The lot's result, or where it stands; refuses `not-found`."""
    lot = await commands.get_lot(tx, lot_id)
    return LotResult(
        lot_id=lot.lot_id,
        status=lot.outcome if lot.outcome and lot.status == Status.CLOSED else lot.status,
        over=Status(lot.status) in FINISHED,
        registration_id=lot.leader_registration_id,
        code=lot.leader_code,
        price_fen=lot.price_fen,
        ended_at=commands.ended_at(lot),
        bids=lot.bids,
        extensions=lot.extensions,
    )


async def _own_standing(tx: Tx, found: Registration) -> OwnStanding:
    lot = await commands.get_lot(tx, found.lot_id)
    bids, highest_fen = await store.own_bids(tx, found)
    return OwnStanding(
        registration=_facts(found),
        priority_rank=found.priority_rank,
        has_password=found.bid_password_hash is not None,
        bids=bids,
        highest_fen=highest_fen,
        lot=view_of(lot, state_of(lot)),
        leads=lot.leader_registration_id == found.id,
    )


def _facts(found: Registration) -> RegistrationFacts:
    return RegistrationFacts(
        id=found.id,
        lot_id=found.lot_id,
        code=found.code,
        kind=found.kind,
        deposit_due_fen=found.deposit_due_fen,
        state=found.state,
        admitted_at=found.admitted_at,
        released_at=found.released_at,
    )
