"""Use cases of registration: register, bid password, unlock, priority; admission and release for settlement.

Whatever gives or takes eligibility locks the lot's row first, so that it falls between two batches of the desk and
never inside one: who was admitted at or before a bid's time of entry is eligible, exactly. Audit entries here name
the registration and no person, since the link stands in one table alone (R-BID-07).
"""

import hashlib
import hmac
import secrets
from collections.abc import Collection
from dataclasses import dataclass, replace
from uuid import UUID

from appraisal.api import get_decision
from bidding.desk import commands
from bidding.desk.models import Lot
from bidding.desk.rules import FINISHED, Method, Status
from bidding.registration import rules, store
from bidding.registration.errors import AgentTakesPart, AlreadyRegistered, IdentitySealed, NotAdmitted, WrongBidPassword
from bidding.registration.models import Agency, PriorityGrant, Registration
from bidding.registration.rules import BidderKind, Candidate, RegistrationState
from bidding.registration.schemas import (
    AgentView,
    BidPassword,
    ConfirmAgent,
    GrantPriority,
    OwnRegistration,
    PriorityView,
    Register,
    UnlockLot,
)
from kernel.actors import Actor, Role
from kernel.audit import Said, chain_of, record, record_each
from kernel.clock import beijing
from kernel.contracts import RegistrationMade
from kernel.database import AlreadyAnswered, Call, Database, Tx
from kernel.errors import NotFound, SignInRequired
from kernel.identity.service import find_person_id
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
            await _check_candidate(tx, lot, wanted)
            await _add(tx, lot, wanted)
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
        await record(_sealed(tx), "registration.issue-password", _subject(registration), {})
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
            await record(_sealed(tx), "registration.unlock", _subject(registration), {})
            tx.answer(None)
    except AlreadyAnswered:
        pass
    return await show_own(database, call.actor, lot_id)


async def grant_priority(database: Database, call: Call, lot_id: UUID, wanted: GrantPriority) -> PriorityView:
    """Confirm a priority purchaser by a panel decision, registered or not yet (R-PRIO-01).

    On an existing registration the rank counts for what is submitted from now on; its code becomes a priority
    code unless something was submitted under it, since a code in the lot's record is never renamed.
    """
    async with database.command(call) as tx:
        tx.actor.must_be(Role.JUDGE)
        lot = await commands.lock_lot(tx, lot_id)
        tx.actor.must_serve(lot.court_id, "lot")
        rules.check_open(Status(lot.status) in FINISHED, lot.ends_at, tx.now())
        await get_decision(tx, wanted.decision_id, case_id=lot.case_id, subject="priority")
        person_id = await _get_person(tx, wanted.username)
        await _grant(tx, lot, person_id, wanted)
        return tx.answer(PriorityView(lot_id, wanted.username, wanted.rank, wanted.decision_id))


async def confirm_agent(database: Database, call: Call, lot_id: UUID, wanted: ConfirmAgent) -> AgentView:
    """Confirm that one person bids for another on this lot, before bidding begins (R-PUB-04).

    Refused once it has begun, and where one of them takes part already: who is behind a bid is fixed before it is made.
    """
    async with database.command(call) as tx:
        tx.actor.must_be(Role.JUDGE)
        lot = await commands.lock_lot(tx, lot_id)
        tx.actor.must_serve(lot.court_id, "lot")
        now = tx.now()
        rules.check_before_opening(lot.opens_at, now)
        agent_id, principal_id = await _get_person(tx, wanted.agent), await _get_person(tx, wanted.principal)
        registered = [await store.find_own(tx, lot_id, person_id) for person_id in (agent_id, principal_id)]
        if any(registered) or agent_id == principal_id or await store.find_agency(tx, lot_id, agent_id, principal_id):
            raise AgentTakesPart()
        agency = Agency(
            lot_id=lot_id, agent_id=agent_id, principal_id=principal_id, proof=wanted.proof, confirmed_at=now
        )
        tx.session.add(agency)
        facts = {"agent": str(agent_id), "principal": str(principal_id)}
        await record(tx, "registration.confirm-agent", f"lot:{lot_id}", facts, case_id=lot.case_id, reason=wanted.proof)
        return tx.answer(AgentView(lot_id, wanted.agent, wanted.principal, beijing(now)))


async def _get_person(tx: Tx, username: str) -> UUID:
    person_id = await find_person_id(tx, username)
    if person_id is None:
        raise NotFound(what="person")
    return person_id


async def admit(tx: Tx, registration_id: UUID) -> None:
    """Admit after the deposit was confirmed (R-BID-06): eligible for all that enters from now on.

    Refuses `registration-closed` once bidding has ended: the deposit then goes back. Admitting twice, or one that
    was released, changes nothing.
    """
    lot, registration = await lock_both(tx, registration_id)
    rules.check_open(Status(lot.status) in FINISHED, lot.ends_at, tx.now())
    state = rules.admitted(RegistrationState(registration.state))
    if state is not None:
        registration.state = state
        registration.admitted_at = tx.now()
        await record(tx, "registration.admit", _subject(registration), {}, case_id=lot.case_id)


async def release(tx: Tx, registration_ids: Collection[UUID]) -> None:
    """End eligibility and let deposits go; refused while a registration leads, and for a buyer (R-BID-13)."""
    going = []
    for found in await store.lock_placed(tx, registration_ids):
        sale_stands = found.status not in (Status.WITHDRAWN, Status.ANNULLED)
        leads = sale_stands and found.leader_registration_id == found.id
        if rules.released(RegistrationState(found.state), leads) is not None:
            going.append(found)
    await store.keep_released(tx, [found.id for found in going], tx.now())
    said = [Said(chain_of(found.case_id), f"registration:{found.id}", {}) for found in going]
    await record_each(tx, "registration.release", said)


async def reveal_persons(tx: Tx, registration_ids: Collection[UUID], purpose: str) -> dict[UUID, UUID]:
    """The persons behind registrations, for a stated purpose; refused `identity-sealed` before bidding has ended."""
    found = await store.lots_of(tx, registration_ids)
    if any(Status(status) not in FINISHED for _, status in found.values()):
        raise IdentitySealed()
    persons = await store.reveal_all(tx, registration_ids, purpose)
    said = [
        Said(chain_of(case_id), f"registration:{registration_id}", {"purpose": purpose})
        for registration_id, (case_id, _) in found.items()
    ]
    await record_each(tx, "registration.reveal", said)
    return persons


async def is_named(tx: Tx, registration_id: UUID, name: str) -> bool:
    """Whether the bidder's real name is `name` (R-BID-04). Says yes or no alone, and nobody learns who it is."""
    return rules.same_name(await store.real_name_of(tx, registration_id), name)


async def lock_both(tx: Tx, registration_id: UUID) -> tuple[Lot, Registration]:
    """The registration and its lot, locked in the order of the house: lot first."""
    registration = await store.get_registration(tx, registration_id)
    lot = await commands.lock_lot(tx, registration.lot_id)
    return lot, await store.lock_registration(tx, registration_id)


@dataclass(frozen=True, slots=True)
class Standing:
    """What the door knows of somebody who bids: their registration, and whether this login session is unlocked."""

    registration_id: UUID
    unlocked: bool


async def standing(database: Database, actor: Actor, lot_id: UUID) -> Standing | None:
    """The door before a bid, asked once per socket or request; None for somebody who is not registered."""
    async with database.reading(actor) as tx:
        own = await store.find_own(tx, lot_id, actor.person)
        if own is None:
            return None
        return Standing(own.id, await store.is_unlocked(tx, unlock_digest(lot_id, actor)))


async def registrations_of(
    database: Database, actor: Actor, seats: Collection[tuple[UUID, UUID]]
) -> dict[tuple[UUID, UUID], UUID]:
    """The door for sockets that have opened: who of these (lot, person) is registered, in one query for all."""
    async with database.reading(actor) as tx:
        return await store.find_registrations(tx, seats)


def unlock_digest(lot_id: UUID, actor: Actor) -> bytes:
    """Names lot and login session to whoever knows both, and to nobody else."""
    if actor.session_id is None:
        raise SignInRequired()
    return hashlib.sha256(b"unlock/1" + lot_id.bytes + actor.session_id.bytes).digest()


async def _check_candidate(tx: Tx, lot: Lot, wanted: Register) -> None:
    agency = await store.find_agency(tx, lot.lot_id, tx.actor.person)
    if agency is not None and agency.principal_id == tx.actor.person:
        raise AgentTakesPart()
    buyer_id = agency.principal_id if agency else tx.actor.person
    standings = await store.standings(tx, lot.lot_id, buyer_id)
    barred = standings | await store.standings(tx, lot.lot_id, tx.actor.person)
    of_the_house = tx.actor.court_id == lot.court_id or Role.OPERATOR in tx.actor.roles
    rules.check_candidate(
        Candidate(
            kind=wanted.kind,
            is_applicant="applicant" in standings,
            is_barred=of_the_house or "barred" in barred,
            declares_eligible=wanted.declares_eligible,
        )
    )
    if await store.find_own(tx, lot.lot_id, tx.actor.person) is not None:
        raise AlreadyRegistered()


async def _add(tx: Tx, lot: Lot, wanted: Register) -> None:
    agency = await store.find_agency(tx, lot.lot_id, tx.actor.person)
    grant = await store.find_grant(tx, lot.lot_id, agency.principal_id if agency else tx.actor.person)
    security = rules.security_fen(lot.method == Method.SELL_OFF, lot.deposit_fen, lot.start_price_fen)
    claim = lot.applicant_claim_fen if wanted.kind is BidderKind.APPLICANT else None
    due_fen = rules.deposit_due(security, wanted.kind, claim)
    registration = Registration(
        id=random_id(),
        lot_id=lot.lot_id,
        code=await _draw_code(tx, lot.lot_id, priority=grant is not None),
        kind=wanted.kind,
        priority_rank=grant.rank if grant else None,
        deposit_due_fen=due_fen,
        state=RegistrationState.AWAITING_DEPOSIT if due_fen else RegistrationState.ADMITTED,
        admitted_at=None if due_fen else tx.now(),
    )
    await store.add_registration(tx, registration, tx.actor.person)
    facts = {"kind": wanted.kind, "accepts": wanted.accepts, "deposit_due_fen": due_fen, "declares_eligible": True}
    await record(_sealed(tx), "registration.make", _subject(registration), facts, case_id=lot.case_id)
    await _tell_made(tx, lot, registration, due_fen)


async def _tell_made(tx: Tx, lot: Lot, registration: Registration, due_fen: Fen) -> None:
    event = RegistrationMade(
        lot_id=lot.lot_id, registration_id=registration.id, case_id=lot.case_id, deposit_due_fen=due_fen
    )
    await tell(tx, event)


async def _grant(tx: Tx, lot: Lot, person_id: UUID, wanted: GrantPriority) -> None:
    grant = await store.find_grant(tx, lot.lot_id, person_id)
    if grant is None:
        grant = PriorityGrant(lot_id=lot.lot_id, person_id=person_id)
        tx.session.add(grant)
    grant.rank, grant.decision_id, grant.granted_at = wanted.rank, wanted.decision_id, tx.now()
    own = await store.find_own(tx, lot.lot_id, person_id)
    if own is not None:
        own = await store.lock_registration(tx, own.id)
        if own.priority_rank is None and not await store.has_submitted(tx, own):
            own.code = await _draw_code(tx, lot.lot_id, priority=True)
        own.priority_rank = wanted.rank
    facts = {"person": str(person_id), "rank": wanted.rank, "decision_id": str(wanted.decision_id)}
    await record(tx, "registration.grant-priority", f"lot:{lot.lot_id}", facts, case_id=lot.case_id)


async def _draw_code(tx: Tx, lot_id: UUID, *, priority: bool) -> str:
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


def _subject(registration: Registration) -> str:
    return f"registration:{registration.id}"


def _password_hash(password: str) -> bytes:
    return hashlib.sha256(password.strip().upper().encode()).digest()
