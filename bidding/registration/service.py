"""Use cases of the bidder: register, bid password, unlock; and the door, which knows who bids.

Audit entries here name the registration and no person, since the link stands in one table alone (R-BID-07).
"""

import hashlib
import hmac
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

import appraisal.api as appraisal
from bidding.desk import commands
from bidding.desk.models import Lot
from bidding.desk.rules import FINISHED, Method, Status
from bidding.registration import rules, store
from bidding.registration.errors import AlreadyRegistered, NotAdmitted, TakesPartAlready, WrongBidPassword
from bidding.registration.models import Registration
from bidding.registration.rules import BidderKind, Candidate, Office, RegistrationState
from bidding.registration.schemas import BidPassword, OwnRegistration, Register, UnlockLot
from kernel.actors import Actor, Role, platform
from kernel.audit import record
from kernel.clock import beijing
from kernel.contracts import RegistrationMade
from kernel.database import AlreadyAnswered, Call, Database, Tx
from kernel.errors import NotFound, SignInRequired
from kernel.identity.service import roles_of
from kernel.ids import random_id
from kernel.money import Fen
from kernel.outbox import tell

DRAWN_FROM = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
DRAWN = 10
"""50 random bits: guessing at a thousand a second needs ten thousand years, so no counter of tries is kept."""


async def register(database: Database, call: Call, lot_id: UUID, wanted: Register) -> OwnRegistration:
    """Register the person on a lot under a random code (R-BID-05 to 07, 14; R-HOME-01).

    A repeat is answered from the registration itself: the kept answers of the kernel name the person, so nothing of
    the registration may stand in them.
    """
    try:
        async with database.command(call) as tx:
            tx.actor.must_be(Role.BIDDER)
            lot = await commands.lock_lot(tx, lot_id)
            rules.check_open(Status(lot.status) in FINISHED, lot.ends_at, tx.now())
            rules.check_version(lot.announcement_version, wanted.accepts)
            buyers = await _buyers(tx, lot_id)
            claim_fen = await _claim_fen(tx, lot, buyers) if wanted.kind is BidderKind.APPLICANT else None
            await _check_candidate(tx, lot, wanted, buyers, is_applicant=claim_fen is not None)
            await _add(tx, lot, wanted, buyers, claim_fen)
            tx.answer(None)
    except AlreadyAnswered:
        pass
    return await show_own(database, call.actor, lot_id)


async def show_own(database: Database, actor: Actor, lot_id: UUID) -> OwnRegistration:
    """The person's own registration; refuses `not-found` when there is none."""
    async with database.reading(actor) as tx:
        return await _own_view(tx, await _get_own(tx, lot_id))


async def issue_password(database: Database, actor: Actor, lot_id: UUID) -> BidPassword:
    """Issue a random bid password (参拍密码); only its hash is kept, so asking again issues another."""
    async with database.transaction(actor) as tx:
        registration = await store.lock_registration(tx, (await _get_own(tx, lot_id)).id)
        if registration.state != RegistrationState.ADMITTED:
            raise NotAdmitted()
        password = "".join(secrets.choice(DRAWN_FROM) for _ in range(DRAWN))
        registration.bid_password_hash = _password_hash(password)
        await record(_sealed(tx), "registration.issue-password", registration.subject, {})
        return BidPassword(password)


async def unlock(database: Database, call: Call, lot_id: UUID, wanted: UnlockLot) -> OwnRegistration:
    """Enter the bid password for this lot in this login session; until then bids are `password-required`."""
    try:
        async with database.command(call) as tx:
            registration = await _get_own(tx, lot_id)
            stored = registration.bid_password_hash
            if stored is None or not hmac.compare_digest(stored, _password_hash(wanted.password)):
                raise WrongBidPassword()
            await store.keep_unlock(tx, unlock_digest(lot_id, tx.actor), tx.now())
            await record(_sealed(tx), "registration.unlock", registration.subject, {})
            tx.answer(None)
    except AlreadyAnswered:
        pass
    return await show_own(database, call.actor, lot_id)


@dataclass(frozen=True, slots=True)
class Standing:
    """What the door knows of somebody who bids: their registration, and whether this login session is unlocked."""

    registration_id: UUID
    unlocked: bool


async def standing(database: Database, actor: Actor, lot_id: UUID) -> Standing | None:
    """The door before a bid, asked once per socket or request; None for somebody who is not registered."""
    [found] = await standings(database, [(actor, lot_id)])
    return found


async def standings(database: Database, asked: Sequence[tuple[Actor, UUID]]) -> list[Standing | None]:
    """The door for many (actor, lot) at once, in their order: two queries however many they are."""
    digests = [unlock_digest(lot_id, actor) for actor, lot_id in asked]
    async with database.reading(platform("door")) as tx:
        own = await store.door(tx, {actor.person for actor, _ in asked}, {lot_id for _, lot_id in asked})
        unlocked = await store.unlocked_among(tx, digests)
    found: list[Standing | None] = []
    for (actor, lot_id), digest in zip(asked, digests, strict=True):
        registration = own.get((lot_id, actor.person))
        found.append(None if registration is None else Standing(registration.id, digest in unlocked))
    return found


async def registrations_of(
    database: Database, actor: Actor, seats: Collection[tuple[UUID, UUID]]
) -> dict[tuple[UUID, UUID], UUID]:
    """The door for sockets that have opened: who of these (lot, person) is registered, in one query for all."""
    async with database.reading(actor) as tx:
        own = await store.door(tx, {person_id for _, person_id in seats}, {lot_id for lot_id, _ in seats})
        return {seat: own[seat].id for seat in seats if seat in own}


def unlock_digest(lot_id: UUID, actor: Actor) -> bytes:
    """Names lot, login session and network to whoever knows all three, and to nobody else.

    The network stands in it so that a stolen session bids for nobody: from elsewhere the password is asked for again.
    """
    if actor.session_id is None:
        raise SignInRequired()
    network = rules.network_of(actor.source).encode()
    return hashlib.sha256(b"unlock/2" + lot_id.bytes + actor.session_id.bytes + network).digest()


async def _claim_fen(tx: Tx, lot: Lot, buyers: Collection[UUID]) -> Fen | None:
    """What the buyers claim in this case together; None unless all of them are its applicants (R-BID-05).

    Asked of the case itself, as it stands now: links and claims come after the publication too.
    """
    claimed_fen = await appraisal.applicants_of(tx, lot.case_id)
    if not claimed_fen.keys() >= set(buyers):
        return None
    return Fen(sum(claimed_fen[buyer_id] for buyer_id in buyers))


async def _check_candidate(tx: Tx, lot: Lot, wanted: Register, buyers: Collection[UUID], *, is_applicant: bool) -> None:
    """Refuse who may not take part. Helpers are asked of the case behind the lot's lock: whoever is linked later is
    barred by `admission.bar_helpers`, which waits for that lock."""
    behind = {tx.actor.person, *buyers}
    barred = await appraisal.helpers_of(tx, lot.case_id) | await store.barred_among(tx, lot.lot_id, behind)
    rules.check_candidate(
        Candidate(
            kind=wanted.kind,
            is_applicant=is_applicant,
            is_barred=bool(behind & barred) or rules.of_the_house(lot.court_id, await _offices(tx, behind)),
            declares_eligible=wanted.declares_eligible,
        )
    )
    if await store.find_own(tx, lot.lot_id, tx.actor.person) is not None:
        raise AlreadyRegistered()


async def _offices(tx: Tx, person_ids: Collection[UUID]) -> list[Office]:
    """The roles and the court of each; the caller's own stand in their session."""
    others = [person_id for person_id in person_ids if person_id != tx.actor.person_id]
    return [(tx.actor.roles, tx.actor.court_id), *[await roles_of(tx, person_id) for person_id in others]]


async def _buyers(tx: Tx, lot_id: UUID) -> list[UUID]:
    """For whom the person who registers will bid; refused for those for whom another does."""
    mandates = await store.find_mandates(tx, lot_id, [tx.actor.person])
    if any(mandate.bidder_id != tx.actor.person for mandate in mandates):
        raise TakesPartAlready()
    return await store.buyers_of(tx, lot_id, tx.actor.person)


async def _add(tx: Tx, lot: Lot, wanted: Register, buyers: Sequence[UUID], claim_fen: Fen | None) -> None:
    rank = await rank_of(tx, lot.lot_id, buyers)
    security = rules.security_fen(lot.method == Method.SELL_OFF, lot.deposit_fen, lot.start_price_fen)
    due_fen = rules.deposit_due(security, wanted.kind, claim_fen)
    registration = Registration(
        id=random_id(),
        lot_id=lot.lot_id,
        code=await draw_code(tx, lot.lot_id, priority=rank is not None),
        kind=wanted.kind,
        priority_rank=rank,
        deposit_due_fen=due_fen,
        state=RegistrationState.AWAITING_DEPOSIT if due_fen else RegistrationState.ADMITTED,
        admitted_at=None if due_fen else tx.now(),
    )
    lot.admitted += registration.admitted_at is not None
    salt = secrets.token_bytes(rules.SALT_BYTES)
    await store.add_registration(tx, registration, tx.actor.person, salt)
    facts = {
        "kind": wanted.kind,
        "accepts": wanted.accepts,
        "deposit_due_fen": due_fen,
        "declares_eligible": True,
        "admitted_at": registration.admitted_at and beijing(registration.admitted_at),
        "bidder": commitment(registration, tx.actor.person, salt),
    }
    await record(_sealed(tx), "registration.make", registration.subject, facts, case_id=lot.case_id)
    await _tell_made(tx, lot, registration, due_fen)


async def _tell_made(tx: Tx, lot: Lot, registration: Registration, due_fen: Fen) -> None:
    event = RegistrationMade(
        lot_id=lot.lot_id, registration_id=registration.id, case_id=lot.case_id, deposit_due_fen=due_fen
    )
    await tell(tx, event)


def commitment(registration: Registration, person_id: UUID, salt: bytes) -> str:
    """What audit entries say of who stands behind a registration: a digest that tells nobody."""
    return rules.commitment(salt, registration.id, registration.lot_id, person_id, registration.code).hex()


async def rank_of(tx: Tx, lot_id: UUID, buyers: Sequence[UUID]) -> int | None:
    """The rank in which these persons bid together, None for ordinary bidders (R-PRIO-01)."""
    ranks = await store.ranks_of(tx, lot_id, buyers)
    return rules.rank_of_buyers([ranks.get(buyer_id) for buyer_id in buyers])


async def draw_code(tx: Tx, lot_id: UUID, *, priority: bool) -> str:
    """A code that no registration of the lot holds; the caller has locked the lot."""
    while True:
        if priority:
            code = rules.priority_code_from(secrets.randbelow(rules.PRIORITY_CODES))
        else:
            code = rules.code_from(secrets.randbelow(rules.CODES))
        if not await store.code_taken(tx, lot_id, code):
            return code


async def _get_own(tx: Tx, lot_id: UUID) -> Registration:
    await commands.get_lot(tx, lot_id)
    found = await store.find_own(tx, lot_id, tx.actor.person)
    if found is None:
        raise NotFound(what="registration")
    return found


async def _own_view(tx: Tx, registration: Registration) -> OwnRegistration:
    admitted = registration.state == RegistrationState.ADMITTED
    signed_in_here = tx.actor.session_id is not None
    return OwnRegistration(
        registration_id=registration.id,
        lot_id=registration.lot_id,
        kind=registration.kind,
        state=registration.state,
        deposit_due_fen=registration.deposit_due_fen,
        code=registration.code if registration.admitted_at else None,
        priority_rank=registration.priority_rank,
        has_password=registration.bid_password_hash is not None,
        unlocked=admitted
        and signed_in_here
        and await store.is_unlocked(tx, unlock_digest(registration.lot_id, tx.actor)),
        admitted_at=beijing(registration.admitted_at) if registration.admitted_at else None,
    )


def _sealed(tx: Tx) -> Tx:
    """The same transaction acting for a bidder whom its audit entries must not name (invariant 16)."""
    return replace(tx, actor=Actor(None, "bidder", frozenset({Role.BIDDER}), None, "sealed"))


def _password_hash(password: str) -> bytes:
    return hashlib.sha256(password.strip().upper().encode()).digest()
