"""All SQL of deposits."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as insert_or_keep

from kernel.database import Tx
from kernel.errors import NotFound
from settlement.deposits.models import Deposit, Hold, HoldEnd
from settlement.deposits.rules import HoldFacts, Outcome, Part, Stage


async def add_deposit(tx: Tx, deposit: dict[str, object]) -> bool:
    """Write the deposit; False when the registration has one."""
    row = insert_or_keep(Deposit).values(**deposit).on_conflict_do_nothing().returning(Deposit.registration_id)
    return (await tx.session.execute(row)).first() is not None


async def find_deposit(tx: Tx, registration_id: UUID) -> Deposit | None:
    return await tx.session.get(Deposit, registration_id)


async def get_deposit(tx: Tx, registration_id: UUID) -> Deposit:
    deposit = await find_deposit(tx, registration_id)
    if deposit is None:
        raise NotFound(what="deposit")
    return deposit


async def list_deposits(tx: Tx, lot_id: UUID) -> Sequence[Deposit]:
    return (await tx.session.scalars(select(Deposit).where(Deposit.lot_id == lot_id))).all()


async def next_deposits(tx: Tx, lot_id: UUID, after: UUID | None, most: int) -> Sequence[UUID]:
    """The next registrations of the lot in the order of their (random) ids."""
    query = select(Deposit.registration_id).where(Deposit.lot_id == lot_id)
    if after is not None:
        query = query.where(Deposit.registration_id > after)
    return (await tx.session.scalars(query.order_by(Deposit.registration_id).limit(most))).all()


async def holds_of(tx: Tx, registration_ids: Sequence[UUID]) -> dict[UUID, list[HoldFacts]]:
    """The holds of these registrations with their ends, first held first."""
    rows = await tx.session.execute(
        select(Hold, HoldEnd.outcome)
        .outerjoin(HoldEnd, HoldEnd.hold_id == Hold.id)
        .where(Hold.registration_id.in_(registration_ids))
        .order_by(Hold.held_at, Hold.id)
    )
    found: dict[UUID, list[HoldFacts]] = {registration_id: [] for registration_id in registration_ids}
    for hold, outcome in rows:
        facts = HoldFacts(
            hold.id, Stage(hold.stage), Part(hold.part), hold.amount_fen, Outcome(outcome) if outcome else None
        )
        found[hold.registration_id].append(facts)
    return found


async def add_hold(tx: Tx, hold: Hold) -> None:
    tx.session.add(hold)
    await tx.session.flush()


async def add_end(tx: Tx, end: dict[str, object]) -> bool:
    """Write how the hold ended; False when it ended before (waits for an end in flight)."""
    row = insert_or_keep(HoldEnd).values(**end).on_conflict_do_nothing().returning(HoldEnd.hold_id)
    return (await tx.session.execute(row)).first() is not None


async def get_end(tx: Tx, hold_id: UUID) -> HoldEnd:
    return await tx.session.get_one(HoldEnd, hold_id)


async def all_deposits(tx: Tx) -> Sequence[Deposit]:
    return (await tx.session.scalars(select(Deposit).order_by(Deposit.lot_id, Deposit.registration_id))).all()
