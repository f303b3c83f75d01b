"""What the court confirms of a lot's bidders: priority purchasers, agents, joint bidders (R-PRIO-01, R-PUB-04).

Each locks the lot's row first, so that it falls between two batches of the desk and no registration slips in between.
"""

import secrets
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from appraisal.api import get_decision
from auction.api import note_priority
from bidding.desk import commands
from bidding.desk.models import Lot
from bidding.desk.rules import FINISHED, HALTED, Status
from bidding.registration import rules, store
from bidding.registration.errors import TakesPartAlready
from bidding.registration.models import Mandate, PriorityGrant, Registration
from bidding.registration.schemas import (
    AgentView,
    BuyerView,
    ConfirmAgent,
    ConfirmJointBidders,
    GrantPriority,
    JointBiddersView,
    PriorityView,
)
from bidding.registration.service import commitment, draw_code, rank_of
from kernel.actors import Role
from kernel.audit import record
from kernel.clock import beijing
from kernel.database import Call, Database, Tx
from kernel.errors import NotFound
from kernel.identity.service import find_person_id
from kernel.merkle import HASH_BYTES


async def grant_priority(database: Database, call: Call, lot_id: UUID, wanted: GrantPriority) -> PriorityView:
    """Confirm a priority purchaser by a panel decision, registered or not yet (R-PRIO-01).

    On an existing registration the rank counts for what is submitted from now on; its code becomes a priority
    code unless something was submitted under it, since a code in the lot's record is never renamed.
    """
    async with database.command(call) as tx:
        lot = await _lock_own_lot(tx, lot_id)
        rules.check_open(Status(lot.status) in FINISHED, lot.ends_at, tx.now())
        await get_decision(tx, wanted.decision_id, case_id=lot.case_id, subject="priority")
        person_id = await _get_person(tx, wanted.username)
        await _grant(tx, lot, person_id, wanted)
        return tx.answer(PriorityView(lot_id, wanted.username, wanted.rank, wanted.decision_id))


async def confirm_agent(database: Database, call: Call, lot_id: UUID, wanted: ConfirmAgent) -> AgentView:
    """Confirm that one person bids for another on this lot, before bidding begins (R-PUB-04)."""
    async with database.command(call) as tx:
        lot = await _lock_own_lot(tx, lot_id)
        agent_id, principal_id = await _get_person(tx, wanted.agent), await _get_person(tx, wanted.principal)
        if agent_id == principal_id:
            raise TakesPartAlready()
        at = await _confirm(tx, lot, agent_id, [(principal_id, 1)], wanted.proof)
        facts = {"agent": str(agent_id), "principal": str(principal_id)}
        await record(tx, "registration.confirm-agent", f"lot:{lot_id}", facts, case_id=lot.case_id, reason=wanted.proof)
        return tx.answer(AgentView(lot_id, wanted.agent, wanted.principal, beijing(at)))


async def confirm_joint_bidders(
    database: Database, call: Call, lot_id: UUID, wanted: ConfirmJointBidders
) -> JointBiddersView:
    """Confirm that several persons buy together under one code and one deposit; the first of them bids (R-PUB-04)."""
    async with database.command(call) as tx:
        lot = await _lock_own_lot(tx, lot_id)
        buyers = [(await _get_person(tx, each.username), each.parts) for each in wanted.bidders]
        at = await _confirm(tx, lot, buyers[0][0], buyers, wanted.proof)
        facts = {"buyers": [{"person": str(person_id), "parts": parts} for person_id, parts in buyers]}
        action = "registration.confirm-joint-bidders"
        await record(tx, action, f"lot:{lot_id}", facts, case_id=lot.case_id, reason=wanted.proof)
        shares = rules.shares([parts for _, parts in buyers])
        views = [BuyerView(each.username, share) for each, share in zip(wanted.bidders, shares, strict=True)]
        return tx.answer(JointBiddersView(lot_id, tuple(views), beijing(at)))


async def _lock_own_lot(tx: Tx, lot_id: UUID) -> Lot:
    """The lot, locked, for a judge of its court."""
    tx.actor.must_be(Role.JUDGE)
    lot = await commands.lock_lot(tx, lot_id)
    tx.actor.must_serve(lot.court_id, "lot")
    return lot


async def _confirm(tx: Tx, lot: Lot, bidder_id: UUID, buyers: Sequence[tuple[UUID, int]], proof: str) -> datetime:
    """Write down for whom somebody bids; returns when.

    Refused once bidding has begun, and where one of them takes part already: who is behind a bid is fixed before it
    is made, and nobody stands behind two.
    """
    now = tx.now()
    rules.check_before_opening(lot.opened, Status(lot.status) in HALTED, lot.opens_at, now)
    persons = {bidder_id, *(person_id for person_id, _ in buyers)}
    if await store.find_mandates(tx, lot.lot_id, persons) or await store.door(tx, persons, [lot.lot_id]):
        raise TakesPartAlready()
    tx.session.add_all(
        Mandate(
            lot_id=lot.lot_id,
            buyer_id=person_id,
            bidder_id=bidder_id,
            place=place,
            parts=parts,
            proof=proof,
            confirmed_at=now,
        )
        for place, (person_id, parts) in enumerate(buyers, 1)
    )
    return now


async def _get_person(tx: Tx, username: str) -> UUID:
    person_id = await find_person_id(tx, username)
    if person_id is None:
        raise NotFound(what="person")
    return person_id


async def _grant(tx: Tx, lot: Lot, person_id: UUID, wanted: GrantPriority) -> None:
    grant = await store.find_grant(tx, lot.lot_id, person_id)
    if grant is None:
        grant = PriorityGrant(lot_id=lot.lot_id, person_id=person_id)
        tx.session.add(grant)
    grant.rank, grant.decision_id, grant.granted_at = wanted.rank, wanted.decision_id, tx.now()
    await tx.session.flush()
    bidder = await _take_over_rank(tx, lot.lot_id, person_id)
    await note_priority(tx, lot.lot_id)
    facts = {"person": str(person_id), "rank": wanted.rank, "decision_id": str(wanted.decision_id), "bidder": bidder}
    await record(tx, "registration.grant-priority", f"lot:{lot.lot_id}", facts, case_id=lot.case_id)


async def _take_over_rank(tx: Tx, lot_id: UUID, person_id: UUID) -> str:
    """Give an existing registration the rank of those who buy by it; returns its commitment if its code changed.

    The entry of the grant carries that: one of the registration's own, written together with it, would tell whose it
    is. Without a change it is chance, which looks alike, so that the entry does not tell who has registered either.
    """
    mandates = await store.find_mandates(tx, lot_id, [person_id])
    bidder_id = mandates[0].bidder_id if mandates else person_id
    own = await store.find_own(tx, lot_id, bidder_id)
    if own is None:
        return secrets.token_hex(HASH_BYTES)
    rank = await rank_of(tx, lot_id, await store.buyers_of(tx, lot_id, bidder_id))
    own = await store.lock_registration(tx, own.id)
    takes_code = rank is not None and own.priority_rank is None and not await store.has_submitted(tx, own)
    own.priority_rank = rank
    return await _take_priority_code(tx, own, bidder_id) if takes_code else secrets.token_hex(HASH_BYTES)


async def _take_priority_code(tx: Tx, own: Registration, bidder_id: UUID) -> str:
    """Give a registration the code of a priority purchaser; returns its commitment under that code."""
    own.code = await draw_code(tx, own.lot_id, priority=True)
    salt = secrets.token_bytes(rules.SALT_BYTES)
    await store.change_salt(tx, own.id, salt)
    return commitment(own, bidder_id, salt)
