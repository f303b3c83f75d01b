"""All SQL of deposits."""

from collections.abc import Collection, Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert as insert_or_keep

from kernel.bulk import Record, add_new_rows, add_rows
from kernel.database import Tx
from kernel.errors import NotFound
from kernel.money import Fen
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


class DepositFacts(NamedTuple):
    """What never changes of a deposit."""

    registration_id: UUID
    lot_id: UUID
    case_id: UUID
    account_id: UUID
    due_fen: Fen
    announced_fen: Fen


DEPOSITS = text(
    f"SELECT {', '.join(DepositFacts._fields)} FROM settlement.deposit"  # noqa: S608 - names are ours
    " WHERE registration_id = ANY(CAST(:ids AS uuid[]))"
)


async def deposits_of(tx: Tx, registration_ids: Collection[UUID]) -> dict[UUID, DepositFacts]:
    """Those of these registrations that have a deposit."""
    rows = await tx.session.execute(DEPOSITS, {"ids": list(registration_ids)})
    return {row[0]: DepositFacts(*row) for row in rows}


NEXT = text(
    """
    SELECT w.place, d.registration_id
    FROM unnest(CAST(:lots AS uuid[]), CAST(:after AS uuid[])) WITH ORDINALITY w (lot_id, after, place)
    CROSS JOIN LATERAL (
        SELECT registration_id FROM settlement.deposit
        WHERE lot_id = w.lot_id AND (w.after IS NULL OR registration_id > w.after)
        ORDER BY registration_id LIMIT :most) d
    """
)


async def next_deposits(tx: Tx, lots: Sequence[tuple[UUID, UUID | None]], most: int) -> list[list[UUID]]:
    """Of each lot the next registrations after one of them, in the order of their (random) ids."""
    found: list[list[UUID]] = [[] for _ in lots]
    lot_ids, after = zip(*lots, strict=True)
    for place, registration_id in await tx.session.execute(
        NEXT, {"lots": list(lot_ids), "after": list(after), "most": most}
    ):
        found[place - 1].append(registration_id)
    return [sorted(ids) for ids in found]


HOLDS = text(
    """
    SELECT h.registration_id, h.id, h.stage, h.part, h.amount_fen, e.outcome
    FROM settlement.hold h LEFT JOIN settlement.hold_end e ON e.hold_id = h.id
    WHERE h.registration_id = ANY(CAST(:ids AS uuid[])) ORDER BY h.held_at, h.id
    """
)


async def holds_of(tx: Tx, registration_ids: Collection[UUID]) -> dict[UUID, list[HoldFacts]]:
    """The holds of these registrations with their ends, first held first."""
    rows = await tx.session.execute(HOLDS, {"ids": list(registration_ids)})
    found: dict[UUID, list[HoldFacts]] = {registration_id: [] for registration_id in registration_ids}
    for registration_id, hold_id, stage, part, amount_fen, outcome in rows:
        ended = Outcome(outcome) if outcome else None
        found[registration_id].append(HoldFacts(hold_id, Stage(stage), Part(part), amount_fen, ended))
    return found


async def add_holds(tx: Tx, rows: Sequence[Record]) -> None:
    """Write holds: id, registration, stage, part, amount and time of each."""
    await add_rows(tx, Hold, ("id", "registration_id", "stage", "part", "amount_fen", "held_at"), rows)


async def add_ends(tx: Tx, rows: Sequence[Record]) -> set[UUID]:
    """Write how holds ended (hold, outcome, document, time), waiting for ends in flight; returns those that are new."""
    return await add_new_rows(tx, HoldEnd, ("hold_id", "outcome", "document", "ended_at"), rows, returning="hold_id")


async def get_end(tx: Tx, hold_id: UUID) -> HoldEnd:
    return await tx.session.get_one(HoldEnd, hold_id)


async def all_deposits(tx: Tx) -> Sequence[Deposit]:
    return (await tx.session.scalars(select(Deposit).order_by(Deposit.lot_id, Deposit.registration_id))).all()
