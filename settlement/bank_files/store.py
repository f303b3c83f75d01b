"""All SQL of bank files."""

from collections.abc import Sequence
from uuid import UUID

import msgspec
from sqlalchemy import func, insert, select, text
from sqlalchemy.dialects.postgresql import insert as insert_or_keep

from kernel.audit import AuditEntry
from kernel.database import Tx
from kernel.errors import NotFound
from settlement.bank.models import PaymentAnswer, PaymentOrder
from settlement.bank_files.models import BankFile, BankMovement, BankMovementOutcome, PaymentFile, PaymentFileOrder
from settlement.bank_files.rules import Movement

MOVEMENT = msgspec.json.Decoder(Movement)


async def add_file(tx: Tx, file: dict[str, object]) -> bool:
    """Write the file; False when its message id is known (waits for the same file in flight)."""
    row = insert_or_keep(BankFile).values(**file).on_conflict_do_nothing(index_elements=["kind", "message_id"])
    return (await tx.session.execute(row.returning(BankFile.id))).first() is not None


async def add_movements(tx: Tx, file_id: UUID, movements: Sequence[Movement]) -> None:
    rows = [
        {
            "file_id": file_id,
            "position": position,
            "reference": movement.reference,
            "credit": movement.credit,
            "amount_fen": movement.amount_fen,
            "booked_on": movement.booked_on,
            "told": msgspec.json.encode(movement),
        }
        for position, movement in enumerate(movements, start=1)
    ]
    if rows:
        await tx.session.execute(insert(BankMovement), rows)


async def get_file(tx: Tx, file_id: UUID) -> BankFile:
    file = await tx.session.get(BankFile, file_id)
    if file is None:
        raise NotFound(what="file")
    return file


async def get_file_by_message(tx: Tx, kind: str, message_id: str) -> BankFile:
    found = select(BankFile).where(BankFile.kind == kind, BankFile.message_id == message_id)
    return (await tx.session.scalars(found)).one()


async def all_files(tx: Tx) -> Sequence[UUID]:
    return (await tx.session.scalars(select(BankFile.id).order_by(BankFile.id))).all()


async def movements_of(tx: Tx, file_id: UUID) -> list[Movement]:
    """The file's movements in their order, as they were taken."""
    rows = await tx.session.scalars(
        select(BankMovement).where(BankMovement.file_id == file_id).order_by(BankMovement.position)
    )
    return [MOVEMENT.decode(row.told) for row in rows]


async def misfiled(tx: Tx, file_id: UUID) -> bool:
    """Whether a movement's columns say other than it told."""
    rows = await tx.session.scalars(select(BankMovement).where(BankMovement.file_id == file_id))
    return any(
        (row.reference, row.credit, row.amount_fen, row.booked_on)
        != (told.reference, told.credit, told.amount_fen, told.booked_on)
        for row in rows
        for told in [MOVEMENT.decode(row.told)]
    )


async def audited_hashes(tx: Tx) -> dict[str, str]:
    """What the audit trail says of files that came and went: subject -> hash."""
    actions = ("bank-files.take", "bank-files.export")
    rows = await tx.session.execute(select(AuditEntry.subject, AuditEntry.facts).where(AuditEntry.action.in_(actions)))
    return {subject: msgspec.json.decode(facts)["sha256"] for subject, facts in rows}


async def open_movements(tx: Tx, file_id: UUID, most: int) -> list[tuple[int, Movement]]:
    """The next movements of the file of which nothing has become yet, with their positions."""
    done = (
        select(BankMovementOutcome.position)
        .where(BankMovementOutcome.file_id == file_id, BankMovementOutcome.position == BankMovement.position)
        .exists()
    )
    rows = await tx.session.execute(
        select(BankMovement.position, BankMovement.told)
        .where(BankMovement.file_id == file_id, ~done)
        .order_by(BankMovement.position)
        .limit(most)
    )
    return [(position, MOVEMENT.decode(told)) for position, told in rows]


async def add_outcomes(tx: Tx, outcomes: Sequence[dict[str, object]]) -> None:
    """Write what became of movements; booked twice at once, the first stands."""
    if outcomes:
        await tx.session.execute(insert_or_keep(BankMovementOutcome).on_conflict_do_nothing(), outcomes)


async def outcomes_of(tx: Tx, file_id: UUID) -> dict[str, int]:
    """How many movements of the file came to which outcome."""
    rows = await tx.session.execute(
        select(BankMovementOutcome.outcome, func.count())
        .where(BankMovementOutcome.file_id == file_id)
        .group_by(BankMovementOutcome.outcome)
        .order_by(BankMovementOutcome.outcome)
    )
    return {row[0]: row[1] for row in rows}


async def refused_of(tx: Tx, file_id: UUID) -> list[tuple[BankMovement, str]]:
    """The movements of the file that could not be booked, with the codes."""
    rows = await tx.session.execute(
        select(BankMovement, BankMovementOutcome.code)
        .join(
            BankMovementOutcome,
            (BankMovementOutcome.file_id == BankMovement.file_id)
            & (BankMovementOutcome.position == BankMovement.position),
        )
        .where(BankMovement.file_id == file_id, BankMovementOutcome.code.is_not(None))
        .order_by(BankMovement.position)
    )
    return [(movement, code or "") for movement, code in rows]


async def count_movements(tx: Tx, file_id: UUID) -> int:
    found = select(func.count()).select_from(BankMovement).where(BankMovement.file_id == file_id)
    return await tx.session.scalar(found) or 0


async def allow_pause(tx: Tx) -> None:
    """Let this transaction wait while a file is written in a thread."""
    await tx.session.execute(text("SET LOCAL idle_in_transaction_session_timeout = '20s'"))


async def waiting_orders(tx: Tx, most: int) -> Sequence[UUID]:
    """Orders that the bank has not answered and that stand in no file, oldest first."""
    rows = await tx.session.scalars(
        select(PaymentOrder.id)
        .outerjoin(PaymentAnswer, PaymentAnswer.order_id == PaymentOrder.id)
        .outerjoin(PaymentFileOrder, PaymentFileOrder.order_id == PaymentOrder.id)
        .where(PaymentAnswer.order_id.is_(None), PaymentFileOrder.order_id.is_(None))
        .order_by(PaymentOrder.ordered_at, PaymentOrder.id)
        .limit(most)
    )
    return rows.all()


async def claim_orders(tx: Tx, file_id: UUID, order_ids: Sequence[UUID]) -> set[UUID]:
    """Put orders into a file; returns those that another file did not get first (waits for one in flight)."""
    rows = [
        {"order_id": order_id, "file_id": file_id, "position": position}
        for position, order_id in enumerate(order_ids, start=1)
    ]
    written = insert_or_keep(PaymentFileOrder).on_conflict_do_nothing(index_elements=["order_id"])
    return set(await tx.session.scalars(written.returning(PaymentFileOrder.order_id), rows)) if rows else set()


async def get_payment_file(tx: Tx, file_id: UUID) -> PaymentFile:
    file = await tx.session.get(PaymentFile, file_id)
    if file is None:
        raise NotFound(what="file")
    return file


async def all_payment_files(tx: Tx) -> Sequence[PaymentFile]:
    return (await tx.session.scalars(select(PaymentFile).order_by(PaymentFile.id))).all()


async def orders_of(tx: Tx, file_id: UUID) -> Sequence[UUID]:
    """The file's orders in their order."""
    rows = await tx.session.scalars(
        select(PaymentFileOrder.order_id).where(PaymentFileOrder.file_id == file_id).order_by(PaymentFileOrder.position)
    )
    return rows.all()


async def unanswered_files(tx: Tx) -> Sequence[PaymentFile]:
    """Files of which the bank has not answered every order, oldest first."""
    waiting = (
        select(PaymentFileOrder.file_id)
        .outerjoin(PaymentAnswer, PaymentAnswer.order_id == PaymentFileOrder.order_id)
        .where(PaymentAnswer.order_id.is_(None))
    )
    rows = await tx.session.scalars(select(PaymentFile).where(PaymentFile.id.in_(waiting)).order_by(PaymentFile.id))
    return rows.all()


async def count_unanswered(tx: Tx, file_id: UUID) -> int:
    found = (
        select(func.count())
        .select_from(PaymentFileOrder)
        .outerjoin(PaymentAnswer, PaymentAnswer.order_id == PaymentFileOrder.order_id)
        .where(PaymentFileOrder.file_id == file_id, PaymentAnswer.order_id.is_(None))
    )
    return await tx.session.scalar(found) or 0
